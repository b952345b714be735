//! `rollout run`: carries the plan out, from wherever its log stands.

use std::path::Path;
use std::time::Duration;

use node_migrate::rollout::controller::{Controller, End};
use node_migrate::rollout::driver::command::CommandDriver;
use node_migrate::rollout::fact::{Entry, Fact};
use node_migrate::rollout::log::Log;
use node_migrate::rollout::plan::Plan;
use node_migrate::rollout::review;
use node_migrate::rollout::state::State;
use node_migrate::rollout::step::Rest;
use sha2::{Digest, Sha256};

use super::super::Surroundings;
use super::{plan as show_plan, status};
use crate::cli::rollout::Run;
use crate::error::{AppError, Kind};

/// Carries the plan out, or shows its stages.
pub(super) fn run(command: &Run, world: &Surroundings) -> Result<(), AppError> {
    let (text, plan) = super::read_plan(&command.file.plan)?;
    if !command.execute {
        show_plan::show(&plan, world, "Nothing was changed. Add --execute to do it.");
        return Ok(());
    }
    let path = command.file.log();
    let owner = owner();
    let (log, entries) = Log::open(&path, &owner)?;
    let sha256 = hex::encode(Sha256::digest(text.as_bytes()));
    refuse_another_plan(&entries, &sha256, &path)?;
    let program = std::env::current_exe()
        .map_err(|error| AppError::new(Kind::System, format!("cannot tell where this program is: {error}")))?;
    let driver = CommandDriver::new(&plan, program, log.folder(), world.stop_flag())?;
    let context = world.context();
    let hear = |entry: &Entry| {
        if let Some(line) = review::headline(entry) {
            context.listener.say(&line);
        }
    };
    let mut controller = Controller {
        plan: &plan,
        log,
        state: State::of(&plan, &entries),
        driver: &driver,
        now_ms: &now_ms,
        poll: Duration::from_millis(command.poll_ms),
        stop: context.stop,
        listener: &hear,
    };
    if !controller.state.begun {
        let tool = env!("CARGO_PKG_VERSION").to_owned();
        controller.write(Fact::Created { tool, plan_sha256: sha256, plan: text })?;
    }
    take_word(command, &mut controller)?;
    let end = controller.run(&owner)?;
    report(end, &plan, &controller.state, world)
}

/// This process, for people.
fn owner() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("pid {} on {}", std::process::id(), host.trim())
}

fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default()
}

fn refuse_another_plan(entries: &[Entry], sha256: &str, log: &Path) -> Result<(), AppError> {
    let begun_with = entries.iter().find_map(|entry| match &entry.fact {
        Fact::Created { plan_sha256, .. } => Some(plan_sha256.as_str()),
        _ => None,
    });
    if begun_with.is_none_or(|begun_with| begun_with == sha256) {
        return Ok(());
    }
    Err(AppError::new(
        Kind::State,
        format!("the plan is not the one that the rollout in {} was begun with", log.display()),
    )
    .hint("put that one back, or begin another rollout with --log FILE"))
}

/// What a person says: an approval or a resumption.
fn take_word(command: &Run, controller: &mut Controller<'_>) -> Result<(), AppError> {
    let by = command.by.clone().unwrap_or_default();
    let state = &controller.state;
    if let Some(stage) = &command.approve {
        let waits = controller.plan.stages.get(state.stage).filter(|_| state.awaiting);
        if waits.is_none_or(|waits| waits.name != *stage) {
            return Err(AppError::new(Kind::State, format!("stage {stage} does not wait for an approval"))
                .hint("`rollout status` shows what it waits for"));
        }
        controller.write(Fact::Approved { stage: stage.clone(), by })?;
    } else if let Some(reason) = &command.resume {
        if state.halted.is_none() {
            return Err(AppError::new(Kind::State, "the rollout is not halted").hint("without --resume it goes on"));
        }
        controller.write(Fact::Resumed { by, reason: reason.clone() })?;
    }
    Ok(())
}

fn report(end: End, plan: &Plan, state: &State, world: &Surroundings) -> Result<(), AppError> {
    match end {
        End::Stopped => Err(AppError::new(Kind::Interrupted, "stopped on request; nodes may be out of service")
            .hint("give the command again: it goes on from the log")),
        End::At(Rest::Halted) => {
            let reason = state.halted.as_ref().map_or("", |halt| halt.reason.as_str());
            let mut message = format!("the rollout halted: {reason}");
            for (name, why) in state.nodes.iter().filter_map(|(name, node)| Some((name, node.held.as_ref()?))) {
                message.push_str(&format!("\n       {name} needs an operator: {why}"));
            }
            Err(AppError::new(Kind::Halted, message).hint(
                "`rollout review` tells what happened; when it is mended: rollout run --execute --resume REASON --by NAME",
            ))
        }
        End::At(_) => {
            world.output.outcome(&status::value(plan, state), || status::text(plan, state));
            Ok(())
        }
    }
}
