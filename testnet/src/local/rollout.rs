//! `node-migrate rollout` over a network: its plan, and how it ends.

use std::path::{Path, PathBuf};

use ledger_formats::durable;
use serde_json::Value;

use super::fault::SceneError;
use super::layout::{Layout, LayoutError};
use super::tool::Tool;
use crate::scenario::{FaultKind, NodeCommands};

/// Between two looks of the controller, in milliseconds.
const POLL_MS: &str = "200";

/// A rollout over a network.
pub struct Rollout<'a> {
    tool: &'a Tool,
    plan: PathBuf,
}

impl<'a> Rollout<'a> {
    /// Writes the plan. `program` starts and stops nodes; with the scenario's faults if `with_faults`.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn new(layout: &Layout, program: &Path, tool: &'a Tool, with_faults: bool) -> Result<Self, SceneError> {
        let command = |word: &str, node: &str| format!("{} {word} {} {node}", quoted(program), quoted(&layout.folder));
        let text = layout.scenario.plan(|node| {
            let place = layout.scenario.node(node).map_or(0, |(place, _)| place);
            let is_damaged = |fault: &crate::scenario::Fault| {
                fault.node == node && fault.kind == FaultKind::DamagedAfterVerification
            };
            let start = command("start", node);
            let start = match with_faults && layout.scenario.faults.iter().any(is_damaged) {
                true => format!("{} && {start}", command("damage", node)),
                false => start,
            };
            NodeCommands {
                home: layout.home(node),
                rpc: format!("http://{}", layout.rpc(place)),
                start,
                stop: command("stop", node),
                log: layout.log(node),
            }
        })?;
        let plan = layout.folder.join("rollout.toml");
        durable::write_file(&plan, text.as_bytes()).map_err(LayoutError::from)?;
        Ok(Self { tool, plan })
    }

    /// Carries it out until it ends with an exit code; `more` are further arguments.
    ///
    /// # Errors
    /// [`SceneError::Command`].
    pub fn run(&self, more: &[&str], code: i32) -> Result<(), SceneError> {
        let plan = self.plan.to_string_lossy();
        let arguments = [&["rollout", "run", &plan, "--execute", "--poll-ms", POLL_MS], more].concat();
        self.tool.run(&arguments, code).map(|_| ())
    }

    /// Where it stands.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn status(&self) -> Result<Value, SceneError> {
        self.tool.json(&["rollout", "status", &self.plan.to_string_lossy(), "--json"])
    }

    /// What is in its log.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn facts(&self) -> Result<Value, SceneError> {
        let mut review = self.tool.json(&["rollout", "review", &self.plan.to_string_lossy(), "--json"])?;
        Ok(review["facts"].take())
    }

    /// Writes its review.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn review(&self, file: &Path) -> Result<(), SceneError> {
        let (plan, file) = (self.plan.to_string_lossy(), file.to_string_lossy());
        self.tool.run(&["rollout", "review", &plan, "--out", &file], 0).map(|_| ())
    }
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}
