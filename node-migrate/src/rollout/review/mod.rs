//! The written review of a rollout: Markdown, from the log alone, to be shown to people who were not there.
//!
//! It never judges anew: each decision stands with the evidence that it was made on.

mod chain;
mod story;
mod table;

use std::fmt::Write;

use self::chain::Chain;
pub use self::story::headline;
use self::story::{Part, parts};
use super::fact::{Entry, Fact};
use super::log::rfc3339;
use super::plan::Plan;
use super::state::State;
use super::step::{Rest, rest};
use crate::journal::Contents;

/// The review of the rollout that `log` tells of.
#[must_use]
pub fn review(plan: &Plan, log: &Contents<Entry>) -> String {
    let entries: Vec<&Entry> = log.records.iter().map(|record| &record.event).collect();
    let state = State::of(plan, entries.iter().copied());
    let mut text = format!("# Rollout {} (to {}): {}\n\n", plan.name, plan.format.to, verdict(plan, &state));
    summary(&mut text, plan, &state, &entries);
    table::of_nodes(&mut text, plan, &state, &entries);
    for part in parts(plan, &entries) {
        of_part(&mut text, plan, &part);
    }
    let head = hex::encode(log.head);
    let _ = writeln!(
        text,
        "## The log\n\n{} records, each holding the SHA-256 of the one before; the last one's is `{head}`. \
         Whoever has this number can tell whether a record was changed or taken out.",
        log.records.len()
    );
    text
}

fn verdict(plan: &Plan, state: &State) -> String {
    match rest(plan, state) {
        Rest::Complete => "complete".to_owned(),
        Rest::Awaiting => "waiting for a person".to_owned(),
        Rest::Halted => "halted".to_owned(),
        Rest::AtWork if state.halted.is_some() => "halted, nodes on their way back".to_owned(),
        Rest::AtWork => "under way".to_owned(),
    }
}

fn summary(text: &mut String, plan: &Plan, state: &State, entries: &[&Entry]) {
    let mut lines = Vec::new();
    for entry in entries {
        if let Fact::Created { tool, plan_sha256, .. } = &entry.fact {
            lines.push(format!("Begun {} by node-migrate {tool}; plan SHA-256 `{plan_sha256}`.", time(entry.at_ms)));
        }
    }
    if let Some(last) = entries.last() {
        lines.push(format!("This review covers the log up to {}.", time(last.at_ms)));
    }
    lines.push(format!(
        "{} nodes with power {}; never more than {} may be down, {} in flight at once, one for each failure domain.",
        plan.nodes.len(),
        plan.network.total_power,
        plan.power_limit().saturating_sub(1),
        plan.limits.nodes_in_flight_max
    ));
    if let Some(halt) = &state.halted {
        lines.push(format!("**Halted** {}: {}.", time(halt.at_ms), one_line(&halt.reason)));
    }
    for (name, node) in &state.nodes {
        if let Some(why) = &node.held {
            lines.push(format!("**{name} needs an operator**: {}.", one_line(why)));
        }
    }
    for line in lines {
        let _ = writeln!(text, "* {line}");
    }
    text.push('\n');
}

fn of_part(text: &mut String, plan: &Plan, part: &Part<'_>) {
    let _ = writeln!(text, "## {}\n", part.title);
    let _ =
        writeln!(text, "{} to {} ({}).\n", time(part.from_ms), time(part.to_ms), duration(part.to_ms - part.from_ms));
    Chain::of(&part.entries).write(text, plan);
    table::of_actions(text, &part.entries);
    text.push_str("### Decisions and what they rest on\n\n");
    for entry in &part.entries {
        story::decision(text, entry);
    }
    text.push('\n');
}

/// A time for people.
fn time(at_ms: u64) -> String {
    rfc3339(at_ms).unwrap_or_else(|error| error.to_string())
}

/// A duration for people.
fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..=119 => format!("{}.{} s", seconds, ms % 1000 / 100),
        120..=7199 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Text that stays inside its line and its table cell.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
