//! The controller of a rollout: its log outlives it, its state is folded from the log whenever it starts.

use std::time::Duration;

use node_migrate::rollout::fact::{Action, Entry, Fact, Outcome};
use node_migrate::rollout::plan::{NodeName, Plan};
use node_migrate::rollout::state::State;
use node_migrate::rollout::step::{Rest, rest, step};

use super::super::checks::Violation;
use super::super::world::{Event, World};
use super::plan::{name, plan_text};

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(500);

/// A controller, and what it leaves behind when it dies.
pub(in crate::sim) struct Controller {
    plan: Plan,
    log: Vec<Entry>,
    state: State,
    is_alive: bool,
    /// Facts that it still writes before it dies.
    fuse: Option<u32>,
    /// Counts its starts: actions that it began in an earlier life do not end for it.
    life: u32,
    names: Vec<NodeName>,
}

impl Controller {
    pub(in crate::sim) fn new(nodes: usize, migrate_back: bool) -> Self {
        let plan = Plan::parse(&plan_text(nodes, migrate_back)).expect("the plan of a simulation may be carried out");
        let node = |node| NodeName::try_from(name(node)).expect("a name");
        let names = (0..nodes).map(node).collect();
        let state = State::new(&plan);
        Self { plan, log: Vec::new(), state, is_alive: false, fuse: None, life: 0, names }
    }

    pub(super) fn place(&self, node: &NodeName) -> Option<usize> {
        self.names.iter().position(|name| name == node)
    }

    pub(super) fn names(&self) -> &[NodeName] {
        &self.names
    }

    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) const fn state(&self) -> &State {
        &self.state
    }

    /// The controller dies after so many more facts.
    pub(in crate::sim) fn dies_after(&mut self, facts: u32) {
        if self.is_alive {
            self.fuse = Some(facts);
        }
    }

    /// Writes a fact down, unless it dies before.
    fn write(&mut self, entry: Entry) -> Result<(), Died> {
        match &mut self.fuse {
            Some(0) => {
                (self.fuse, self.is_alive) = (None, false);
                return Err(Died);
            }
            Some(left) => *left -= 1,
            None => {}
        }
        self.state.apply(&entry);
        self.log.push(entry);
        Ok(())
    }

    fn rest(&self) -> Rest {
        rest(&self.plan, &self.state)
    }
}

/// The controller has died.
struct Died;

impl World<'_> {
    /// A controller begins to work, for the first time or again.
    pub(in crate::sim) fn controller_starts(&mut self) -> Result<(), Violation> {
        let now = self.wall_ms();
        let Some(controller) = &mut self.controller else { return Ok(()) };
        controller.state = State::of(&controller.plan, &controller.log);
        (controller.is_alive, controller.life) = (true, controller.life + 1);
        let created = Fact::Created { tool: "sim".to_owned(), plan_sha256: String::new(), plan: String::new() };
        let facts = controller.log.is_empty().then_some(created);
        let taken_over = Fact::TakenOver { controller: format!("life {}", controller.life) };
        for fact in facts.into_iter().chain([taken_over]) {
            let written = controller.write(Entry { at_ms: now, fact });
            debug_assert!(written.is_ok(), "a controller that has just started has no fuse");
        }
        let life = controller.life;
        self.tell(|_| "the controller starts".to_owned());
        self.look(life)
    }

    /// The controller looks at the network and decides.
    pub(in crate::sim) fn look(&mut self, life: u32) -> Result<(), Violation> {
        let Some(mut controller) = self.controller.take() else { return Ok(()) };
        let result = if controller.is_alive && controller.life == life { self.decide(&mut controller) } else { Ok(()) };
        self.controller = Some(controller);
        result
    }

    fn decide(&mut self, controller: &mut Controller) -> Result<(), Violation> {
        let seen = self.observe(controller);
        let taken = step(&controller.plan, &controller.state, &seen, self.wall_ms());
        for entry in taken.decisions {
            self.tell_fact(&entry.fact);
            if controller.write(entry).is_err() {
                self.controller_dies();
                return Ok(());
            }
        }
        for order in taken.actions {
            let Some(node) = controller.place(&order.node) else { continue };
            let takes = Duration::from_millis(self.rng.within(100, 900));
            let event = Event::Act { node, action: order.action, life: controller.life };
            self.queue.plan(self.now.after(takes), event);
        }
        match controller.rest() {
            Rest::AtWork | Rest::Awaiting => {
                self.queue.plan(self.now.after(PAUSE), Event::Look { life: controller.life });
            }
            Rest::Complete => self.rollout_ends(true)?,
            Rest::Halted => self.rollout_ends(false)?,
        }
        Ok(())
    }

    /// It comes back after a while.
    fn controller_dies(&mut self) {
        self.tell(|_| "the controller dies".to_owned());
        let down = Duration::from_millis(self.rng.within(100, 3_000));
        self.queue.plan(self.now.after(down), Event::ControllerStarts);
    }

    /// An action has taken its time.
    pub(in crate::sim) fn acted(&mut self, node: usize, action: Action, life: u32) -> Result<(), Violation> {
        let Some(controller) = &self.controller else { return Ok(()) };
        let is_orphan = !controller.is_alive || controller.life != life;
        // The command of a controller that died was started or not; one that comes late finds the home locked.
        if is_orphan && (controller.is_alive || self.rng.chance(500)) {
            return Ok(());
        }
        let outcome = self.act(node, action)?;
        self.tell(|_| format!("node {node}: {action}: {outcome:?}"));
        let now = self.wall_ms();
        if let Some(controller) = self.controller.as_mut().filter(|_| !is_orphan) {
            let fact = Fact::Ended { node: controller.names[node].clone(), action, outcome };
            if controller.write(Entry { at_ms: now, fact }).is_err() {
                self.controller_dies();
            }
        }
        Ok(())
    }

    fn tell_fact(&mut self, fact: &Fact) {
        // Samples are many and say little to people.
        if !matches!(fact, Fact::Sampled { .. }) {
            self.tell(|_| format!("decides {fact:?}").chars().take(300).collect());
        }
    }
}

/// How an action of the rollout went wrong.
pub(super) fn failed(reason: impl Into<String>) -> Outcome {
    Outcome::Failed { reason: reason.into() }
}
