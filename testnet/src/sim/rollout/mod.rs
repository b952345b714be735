//! The rollout of the new format over the simulated network: the controller, which decides by the step function of
//! node-migrate and nothing else, keeps its log, dies and is started again.

mod act;
mod controller;
mod observe;
mod plan;

pub(super) use controller::Controller;
