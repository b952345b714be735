//! What is shown of a scenario: its network rolled out, the same left alone, and rolled out again with the faults that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use ledger_formats::durable;

use super::fault::SceneError;
use super::layout::LayoutError;
use super::network::Network;
use super::report::{self, Row, Times};
use super::rollout::Rollout;
use super::tool::{Roots, Tool};
use crate::chain::Time;
use crate::scenario::NodeSpec;
use crate::store::Format;

/// Blocks before anything is done.
const BEFORE: u64 = 10;

/// Blocks that must follow, of which all validators sign the last ones.
const AFTER: u64 = 8;

/// How much longer a block may take while the rollout goes on than in the network left alone.
const SLOWER_MAX: f64 = 0.05;

/// Exit code of a rollout that halted.
const HALTED: i32 = 9;

/// Where a scenario is played.
pub struct Stage<'a> {
    /// The scenario's text.
    pub scenario: &'a str,
    /// A folder that is not there yet, for the networks.
    pub folder: &'a Path,
    /// Where reviews and comparison go.
    pub report: &'a Path,
    /// This program, which is the nodes.
    pub program: &'a Path,
    /// `node-migrate`.
    pub node_migrate: &'a Path,
    /// What the chains write for now.
    pub now: fn() -> Time,
    /// Tells people a line.
    pub tell: fn(&str),
}

/// Plays all scenes.
///
/// # Errors
/// [`SceneError`]: what does not hold.
pub fn play(stage: &Stage<'_>) -> Result<(), SceneError> {
    durable::create_dir_all(stage.report).map_err(LayoutError::from)?;
    let tool = Tool::new(stage.node_migrate);
    let (busy, spans) = stage.scene("rolled-out", |network| rolled_out(stage, &tool, network))?;
    let blocks = u64::try_from(busy.len()).unwrap_or_default();
    let quiet = stage.scene("left-alone", |network| left_alone(&tool, network, blocks))?;
    let table = report::table(&quiet, &busy, &spans);
    (stage.tell)(&table);
    stage.write("contention.svg", &report::picture(&quiet, &busy, &spans))?;
    let page = format!("# What the rollout cost the network\n\n{table}\n![block time by height](contention.svg)\n");
    stage.write("contention.md", &page)?;
    hold_pace(Times::of(&quiet), Times::of(&busy))?;
    stage.scene("with-fault", |network| with_fault(stage, &tool, network))
}

impl Stage<'_> {
    /// One scene, on a network of its own.
    fn scene<T>(&self, name: &str, play: impl FnOnce(&mut Network) -> Result<T, SceneError>) -> Result<T, SceneError> {
        let begin = Instant::now();
        let mut network = Network::begin(&self.folder.join(name), self.scenario, self.program, (self.now)())?;
        let outcome = play(&mut network)?;
        (self.tell)(&format!("   {name}: ok, {} s", begin.elapsed().as_secs()));
        Ok(outcome)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), SceneError> {
        durable::write_file(&self.file(name), text.as_bytes()).map_err(|error| LayoutError::from(error).into())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.report.join(name)
    }
}

fn hold_pace(quiet: Times, busy: Times) -> Result<(), SceneError> {
    let limit = quiet.median * (1.0 + SLOWER_MAX);
    if busy.median <= limit {
        return Ok(());
    }
    Err(SceneError::NotHeld {
        what: "the median block time during the rollout".to_owned(),
        expected: format!("at most {limit:.3} s"),
        actual: format!("{:.3} s", busy.median),
    })
}

fn rolled_out(
    stage: &Stage<'_>,
    tool: &Tool,
    network: &mut Network,
) -> Result<(Vec<Row>, Vec<report::StageSpan>), SceneError> {
    network.wait_all(BEFORE)?;
    let before = network.history(BEFORE)?;
    hold_versions(network)?;
    let rollout = Rollout::new(&network.layout, stage.program, tool, false)?;
    rollout.run(&[], 0)?;
    SceneError::expect("the rollout's phase", &rollout.status()?["phase"], &"complete".into())?;
    SceneError::expect("the formats", &network.formats()?, &all_new(network))?;
    go_on(network, &before)?;
    hold_versions(network)?;
    rollout.review(&stage.file("rollout.md"))?;
    let spans = report::stages(&rollout.facts()?);
    let last = spans.last().map_or(BEFORE, |span| span.last);
    let rows = report::rows(&network.heights(BEFORE, last)?);
    end_at_one_root(tool, network)?;
    Ok((rows, spans))
}

fn left_alone(tool: &Tool, network: &mut Network, blocks: u64) -> Result<Vec<Row>, SceneError> {
    // The last one is final by the block after it.
    network.wait_all(BEFORE + blocks + 1)?;
    let rows = report::rows(&network.heights(BEFORE, BEFORE + blocks)?);
    end_at_one_root(tool, network)?;
    Ok(rows)
}

fn with_fault(stage: &Stage<'_>, tool: &Tool, network: &mut Network) -> Result<(), SceneError> {
    network.wait_all(BEFORE)?;
    let before = network.history(BEFORE)?;
    let rollout = Rollout::new(&network.layout, stage.program, tool, true)?;
    rollout.run(&[], HALTED)?;
    let status = rollout.status()?;
    SceneError::expect("the rollout's phase", &status["phase"], &"halted".into())?;
    let reason = status["halted"].to_string();
    let names_fault =
        network.layout.scenario.faults.iter().any(|fault| reason.contains(&format!("{} failed to start", fault.node)));
    SceneError::expect(&format!("the reason `{reason}` names the fault"), &names_fault, &true)?;
    let held = status["nodes"].as_array().into_iter().flatten().filter(|node| !node["held"].is_null());
    SceneError::expect("nodes that are left to an operator", &held.count(), &0)?;
    SceneError::expect("the formats", &network.formats()?, &new_before_fault(network))?;
    let after = go_on(network, &before)?;
    rollout.review(&stage.file("halted.md"))?;
    rollout.run(&["--resume", "the disk that was damaged is another one now", "--by", "the test"], 0)?;
    SceneError::expect("the rollout's phase", &rollout.status()?["phase"], &"complete".into())?;
    SceneError::expect("the formats", &network.formats()?, &all_new(network))?;
    go_on(network, &after)?;
    rollout.review(&stage.file("resumed.md"))?;
    end_at_one_root(tool, network)
}

/// The network goes on: all nodes have one chain that begins with what was there, and all validators sign its end.
fn go_on(network: &Network, before: &[String]) -> Result<Vec<String>, SceneError> {
    let height = network.height() + AFTER;
    network.wait_all(height + 1)?;
    let history = network.history(height)?;
    SceneError::expect("the first blocks", &history.get(..before.len()), &Some(before))?;
    let seen = network.heights(height - AFTER / 2, height)?;
    let signers: BTreeSet<String> = seen.into_iter().flat_map(|(_, seen)| seen.signers).collect();
    let validators = network.layout.genesis().validators;
    let expected = validators.iter().map(|(key, _)| hex::encode_upper(key.address().0)).collect();
    SceneError::expect("who signs the last blocks", &signers, &expected)?;
    Ok(history)
}

/// Version 2 of the wire is spoken by the nodes in the new format, as soon as there are two, and by no other.
fn hold_versions(network: &Network) -> Result<(), SceneError> {
    let formats = network.formats()?;
    let is_spoken = formats.values().filter(|format| **format == Format::New).count() > 1;
    for (node, [_, new]) in network.sent()? {
        let expected = is_spoken && formats.get(&node) == Some(&Format::New);
        SceneError::expect(&format!("whether {node} speaks version 2"), &(new > 0), &expected)?;
    }
    Ok(())
}

/// All nodes end at one height with one root, whatever their format.
fn end_at_one_root(tool: &Tool, network: &mut Network) -> Result<(), SceneError> {
    network.end_together()?;
    let mut first: Option<Roots> = None;
    for node in network.names() {
        let roots = tool.roots(&network.layout.home(&node))?;
        match &first {
            Some(first) => SceneError::expect(&format!("the roots of {node}"), &roots, first)?,
            None => first = Some(roots),
        }
    }
    Ok(())
}

fn all_new(network: &Network) -> BTreeMap<String, Format> {
    network.names().into_iter().map(|node| (node, Format::New)).collect()
}

/// The formats when the stages before that of the first fault are through, and no other.
fn new_before_fault(network: &Network) -> BTreeMap<String, Format> {
    let scenario = &network.layout.scenario;
    let through = scenario.faults.first().map(|fault| scenario.in_stages_before(&fault.node)).unwrap_or_default();
    let format = |node: &NodeSpec| {
        let is_new = node.format == Format::New || through.contains(&node.name);
        (node.name.clone(), if is_new { Format::New } else { Format::Old })
    };
    scenario.nodes.iter().map(format).collect()
}
