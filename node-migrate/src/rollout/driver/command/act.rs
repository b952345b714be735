//! The actions, by this program and by the commands of the plan. Each looks first whether it is done already.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::CommandDriver;
use super::child::{ChildError, Ended};
use super::{home, log_file};
use crate::home::Home;
use crate::migration;
use crate::rollout::fact::{Action, Outcome};
use crate::rollout::observation::Process;
use crate::rollout::plan::{CommandNode, NodeName};
use crate::rollout::step::Order;

/// Between two looks at a node that starts or stops.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long after its start command a node may not be there yet, by its own `alive` command. One that crashes at once may
/// never be seen, and each second until that is told is one out of service. Without that command only the locks of its
/// databases tell, which a node takes when it likes: then the time for the command is all there is.
const APPEARS_WITHIN: Duration = Duration::from_secs(30);

/// Exit code of this program when a step is not possible in the present state.
const CODE_STATE: i32 = 8;

/// Words of the refusal of a rollback that would lose heights.
const WOULD_LOSE: &str = "holds what the old one lacks";

/// An order in hand.
struct Work<'a> {
    driver: &'a CommandDriver,
    command: &'a CommandNode,
    node: &'a NodeName,
    end: Instant,
}

/// Carries `order` out.
pub(super) fn act(driver: &CommandDriver, order: &Order) -> Outcome {
    let Some(command) = driver.command_of(&order.node) else {
        return Outcome::Failed { reason: "it has no [node.command]".to_owned() };
    };
    let end = Instant::now() + Duration::from_secs(order.seconds_max);
    let work = Work { driver, command, node: &order.node, end };
    let done = match order.action {
        Action::Stop => work.stop(),
        Action::Start => work.start(),
        Action::Copy => work.copy(),
        Action::Verify => work.program(&["verify", "HOME"]),
        Action::CutOver => work.program(&["cutover", "HOME", "--execute"]),
        Action::RollBack => return work.roll_back(),
        Action::MigrateBack => work.migrate_back(),
    };
    match done {
        Ok(report) => Outcome::Done { report },
        Err(reason) => Outcome::Failed { reason },
    }
}

impl Work<'_> {
    fn run(&self, words: &[&str]) -> Result<Ended, ChildError> {
        let home = self.command.home.to_string_lossy();
        let arguments: Vec<&str> =
            words.iter().map(|word| if *word == "HOME" { home.as_ref() } else { word }).collect();
        self.driver.children.program(self.node, &arguments, self.end)
    }

    fn program(&self, words: &[&str]) -> Result<String, String> {
        judged(words.first().copied().unwrap_or_default(), self.run(words))
    }

    fn shell(&self, what: &str, line: &str) -> Result<String, String> {
        judged(what, self.driver.children.shell(self.node, line, self.end))
    }

    fn stop(&self) -> Result<String, String> {
        if home::process(self.command) == Process::Stopped {
            return Ok("it was not running".to_owned());
        }
        let said = self.shell("the stop command", &self.command.stop)?;
        while home::process(self.command) != Process::Stopped {
            self.look_again("the node still runs after its stop command")?;
        }
        Ok(said)
    }

    /// Until its RPC answers, or its process is gone, or the time is over.
    fn start(&self) -> Result<String, String> {
        if home::process(self.command) == Process::Running {
            return Ok("it runs already".to_owned());
        }
        let logged = self.command.log.as_ref().and_then(|log| std::fs::metadata(log).ok()).map_or(0, |meta| meta.len());
        let said = self.shell("the start command", &self.command.start)?;
        let (started, mut was_there) = (Instant::now(), false);
        loop {
            let process = home::process(self.command);
            if self.driver.rpcs.get(self.node).is_some_and(|rpc| rpc.status().is_ok()) {
                return Ok(said);
            }
            let is_missed = self.command.alive.is_some() && started.elapsed() >= APPEARS_WITHIN;
            if process == Process::Stopped && (was_there || is_missed) {
                let how = if was_there { "exited after its start" } else { "is not there after its start command" };
                return Err(format!("the node {how}: {}", self.last_words(logged)));
            }
            was_there |= process == Process::Running;
            let late = self.look_again("the node is not up after its start command");
            match late {
                Err(_) if was_there => return Ok(format!("{said} (its RPC does not answer yet)")),
                Err(reason) => return Err(format!("{reason}: {}", self.last_words(logged))),
                Ok(()) => {}
            }
        }
    }

    fn look_again(&self, otherwise: &str) -> Result<(), String> {
        if Instant::now() >= self.end {
            return Err(otherwise.to_owned());
        }
        sleep(LOOK_EVERY);
        Ok(())
    }

    /// What the node logged from byte `from` on: its errors, else the end.
    fn last_words(&self, from: u64) -> String {
        const LINES: usize = 4;
        const CHARS: usize = 240;
        let Some(log) = &self.command.log else { return "its log is not known".to_owned() };
        let Ok(bytes) = log_file::read_from(log, from) else { return "its log cannot be read".to_owned() };
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let errors: Vec<&[u8]> = lines.iter().copied().filter(|line| log_file::is_error(line)).collect();
        let told = if errors.is_empty() { lines } else { errors };
        let told = told.iter().skip(told.len().saturating_sub(LINES));
        let texts = told.map(|line| String::from_utf8_lossy(line).trim().chars().take(CHARS).collect::<String>());
        texts.collect::<Vec<_>>().join(" / ")
    }

    fn roll_back(&self) -> Outcome {
        match self.run(&["rollback", "HOME", "--execute"]) {
            Ok(ended) if ended.code == Some(CODE_STATE) && ended.said.contains(WOULD_LOSE) => {
                Outcome::WouldLose { reason: ended.said }
            }
            other => match judged("rollback", other) {
                Ok(report) => Outcome::Done { report },
                Err(reason) => Outcome::Failed { reason },
            },
        }
    }

    /// What a failed stage was migrated back to still keeps the new databases of then, which lack its heights since. They are let go
    /// once what the node runs on is verified; whatever was there before the rollout is not touched.
    fn copy(&self) -> Result<String, String> {
        let since_ms = self.driver.since_ms.get();
        if since_ms.map_or(Ok(false), |since_ms| home::came_back(self.command, *since_ms))? {
            self.program(&["verify", "HOME", "--live"])?;
            self.program(&["finalise", "HOME", "--execute"])?;
        }
        self.program(&["run", "HOME", "--to", &self.driver.plan.format.to, "--execute"])
    }

    /// Into the old format with all heights. What the node runs on is verified before the old databases,
    /// which lack its new heights, are let go.
    fn migrate_back(&self) -> Result<String, String> {
        let back = self.driver.plan.format.back.as_ref().ok_or("the plan does not say format.back")?;
        if self.last_phase()? == "cut over" {
            self.program(&["verify", "HOME", "--live"])?;
            self.program(&["finalise", "HOME", "--execute"])?;
        }
        self.program(&["run", "HOME", "--to", back, "--execute"])?;
        self.program(&["verify", "HOME"])?;
        self.program(&["cutover", "HOME", "--execute"])
    }

    fn last_phase(&self) -> Result<&'static str, String> {
        let home = Home::open(&self.command.home).map_err(|error| error.to_string())?;
        let all = migration::overview(&home).map_err(|error| error.to_string())?;
        Ok(all.last().map_or("none", |last| last.phase))
    }
}

fn judged(what: &str, ended: Result<Ended, ChildError>) -> Result<String, String> {
    match ended {
        Ok(ended) if ended.is_ok() => Ok(ended.said),
        Ok(ended) => Err(format!("{what} ended with {}: {}", ended.how, ended.said)),
        Err(error) => Err(error.to_string()),
    }
}
