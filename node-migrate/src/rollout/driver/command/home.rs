//! What a home shows: which databases its node would open, whether the node runs, how much disk is free.

use std::path::Path;

use super::child;
use crate::home::{Home, node_process, space};
use crate::migration::{self, Overview};
use crate::rollout::log::rfc3339;
use crate::rollout::observation::{HomeSeen, Prepared, Process, Side};
use crate::rollout::plan::CommandNode;

/// The home by its migrations since the rollout began at `since_ms`: each that is cut over turns the side.
pub(super) fn seen(command: &CommandNode, since_ms: u64) -> Result<HomeSeen, String> {
    let home = Home::open(&command.home).map_err(|error| error.to_string())?;
    let own = own_migrations(&home, since_ms)?;
    Ok(judge(&own.iter().collect::<Vec<_>>(), home.is_guarded()))
}

/// Whether the home was migrated there and back since `since_ms`, and the second migration is not finalised.
pub(super) fn came_back(command: &CommandNode, since_ms: u64) -> Result<bool, String> {
    let home = Home::open(&command.home).map_err(|error| error.to_string())?;
    let own = own_migrations(&home, since_ms)?;
    let all: Vec<&Overview> = own.iter().collect();
    let is_last_open = all.last().is_some_and(|last| last.phase == "cut over");
    Ok(is_last_open && judge(&all, home.is_guarded()).side == Side::Old)
}

fn own_migrations(home: &Home, since_ms: u64) -> Result<Vec<Overview>, String> {
    let mut all = migration::overview(home).map_err(|error| error.to_string())?;
    let since = rfc3339(since_ms).map_err(|error| error.to_string())?;
    // Ids begin with the digits of the time.
    let since: String = since.chars().filter(char::is_ascii_digit).collect();
    all.retain(|one| one.id.get(..since.len()) >= Some(since.as_str()));
    Ok(all)
}

fn judge(migrations: &[&Overview], guarded: bool) -> HomeSeen {
    let turns = migrations.iter().filter(|one| matches!(one.phase, "cut over" | "finalised")).count();
    let last = migrations.last().map_or("none", |last| last.phase);
    let side = match (last, turns % 2) {
        ("cutting over" | "rolling back", _) => Side::Switching,
        _ if guarded => Side::Switching,
        (_, 0) => Side::Old,
        _ => Side::New,
    };
    let prepared = match last {
        "copied" => Prepared::Copied,
        "verified" => Prepared::Verified,
        _ => Prepared::Nothing,
    };
    let detail = migrations.last().map_or("no migration yet".to_owned(), |last| {
        format!("migration {} to {}: {}, journal {}", last.id, last.target, last.phase, last.journal_head)
    });
    HomeSeen { side, prepared, detail }
}

/// Whether the node's process is there: by the plan's command, else by the locks on its databases.
pub(super) fn process(command: &CommandNode) -> Process {
    if let Some(alive) = &command.alive {
        return match child::ask(alive) {
            Some(true) => Process::Running,
            Some(false) => Process::Stopped,
            None => Process::Unknown,
        };
    }
    let Ok(home) = Home::open(&command.home) else { return Process::Unknown };
    let running = node_process::running(&home);
    if running.iter().any(|use_| matches!(use_, node_process::InUse::Untold { .. })) {
        Process::Unknown
    } else if running.is_empty() {
        Process::Stopped
    } else {
        Process::Running
    }
}

/// Bytes free where the databases are.
pub(super) fn free_bytes(command: &CommandNode) -> Option<u64> {
    let data = command.home.join("data");
    let at: &Path = if data.is_dir() { &data } else { &command.home };
    space::free_bytes(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(phase: &'static str) -> Overview {
        Overview {
            id: "20260101000000-pebbledb".to_owned(),
            target: "pebbledb".to_owned(),
            phase,
            databases: Vec::new(),
            next: "",
            journal_head: String::new(),
        }
    }

    #[test]
    fn every_cut_over_turns_the_side() {
        for (phases, side, prepared) in [
            (&[][..], Side::Old, Prepared::Nothing),
            (&["copying"], Side::Old, Prepared::Nothing),
            (&["verified"], Side::Old, Prepared::Verified),
            (&["cutting over"], Side::Switching, Prepared::Nothing),
            (&["cut over"], Side::New, Prepared::Nothing),
            (&["rolled back"], Side::Old, Prepared::Nothing),
            (&["rolled back", "cut over"], Side::New, Prepared::Nothing),
            (&["finalised", "copied"], Side::New, Prepared::Copied),
            (&["finalised", "cut over"], Side::Old, Prepared::Nothing),
            (&["discarded", "copied"], Side::Old, Prepared::Copied),
        ] {
            let all: Vec<Overview> = phases.iter().map(|phase| one(phase)).collect();
            let seen = judge(&all.iter().collect::<Vec<_>>(), false);
            assert_eq!((seen.side, seen.prepared), (side, prepared), "{phases:?}");
        }
        assert_eq!(judge(&[], true).side, Side::Switching);
    }
}
