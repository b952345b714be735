//! Layer 3: every block bound by the hashes and signatures of its chain, and the databases of one height.
//!
//! The heights that are there are walked in runs side by side. What two sides must say alike, the index of hashes and
//! the number of parts, is compared by sums, and looked at row by row only where the sums differ.

mod block;
mod header;
mod index;
mod leftovers;
mod params;
mod rotation;
mod rows;
mod sample;
mod stores;
mod summary;
mod tally;
mod tip;
mod turns;
mod validators;
mod votes;
mod walk;

use std::ops::RangeInclusive;

use ledger_formats::comet::class::Kind;
use ledger_formats::comet::key::{BlockKey, StateKey, StateRecord};
use ledger_formats::comet::{BlockMeta, Decode, State};
use rayon::prelude::*;

use super::findings::Findings;
use super::report::{Heights, Report, Signatures};
use super::survey::heights::{gaps, within};
use super::survey::{Inventory, StoreHeights, Survey};
use super::what::What;
use super::{Input, VerifyError, text};
use crate::context::Context;
use crate::home::Role;
use rows::Rows;
use stores::Surveyed;
use tally::Tally;
use walk::{Depth, Walk};

pub(super) use stores::stored_heights;

/// Heights of one walk: enough for full batches of signatures, few enough to keep all threads busy to the end.
const HEIGHTS_MAX: u64 = 1_024;
const HEIGHTS_MIN: u64 = 32;

/// What the walks share.
struct Chain<'a> {
    /// The block store.
    blocks: Rows<'a>,
    /// The state store.
    state: Option<Rows<'a>>,
    /// Name of the chain.
    chain_id: String,
    /// Heights of the block store.
    stored: StoreHeights,
    /// First height of the chain.
    initial_height: u64,
    /// Whether the store holds commits with extensions.
    has_extended: bool,
}

/// Checks all commitments and writes layers 3 and 4 of the report.
pub(super) fn run(
    input: &Input<'_>,
    surveys: &[Survey],
    stored: Option<StoreHeights>,
    findings: &Findings<'_>,
    context: &Context<'_>,
    report: &mut Report,
) -> Result<(), VerifyError> {
    let Some(blocks) = stores::find(&input.databases, surveys, Role::BlockStore) else {
        findings.not_checked("layer 3 and 4: there is no block store here".to_owned());
        return Ok(());
    };
    let block_rows = blocks.rows(&[Kind::BlockMeta, Kind::BlockPart, Kind::SeenCommit], findings);
    let state = stores::find(&input.databases, surveys, Role::State);
    let state_rows = state.as_ref().map(|state| state.rows(&[Kind::Validators, Kind::ConsensusParams], findings));
    if let Some(evidence) = stores::find(&input.databases, surveys, Role::Evidence) {
        evidence.layout(&[Kind::CommittedEvidence, Kind::PendingEvidence], findings);
    }
    let state_key = StateKey::Single(StateRecord::State);
    let state_value = state_rows.as_ref().and_then(|rows| rows.fetch(&state_key).row());
    let state_record = state_value
        .as_deref()
        .zip(state_rows.as_ref())
        .and_then(|(value, rows)| rows.decode::<State<'_>>(&state_key, value));
    let Some(stored) = stored else {
        let height = state_record.as_ref().map_or(0, |state| state.last_block_height);
        missing_store_state(&blocks, &block_rows, height, findings);
        return Ok(());
    };
    let chain = Chain {
        blocks: block_rows,
        state: state_rows,
        chain_id: chain_id(input, state_record.as_ref(), &block_rows, stored),
        stored,
        initial_height: state_record.as_ref().map_or(1, |state| state.initial_height.max(1)),
        has_extended: blocks.survey.inventory.rows(Kind::ExtendedCommit) > 0,
    };
    let tally = walk_all(&chain, &blocks.survey.inventory, context, &blocks)?;
    index::compare(&chain, &blocks.survey.inventory, &tally, context)?;
    leftovers::check(&chain, &blocks, state.as_ref(), state_record.as_ref());
    tip::check(&chain, input.chain_id.as_deref(), state_value.is_some(), state_record.as_ref());
    report.heights = Some(Heights {
        base: stored.base,
        tip: stored.tip,
        state: state_record.as_ref().map(|state| state.last_block_height),
    });
    report.signatures = Signatures { checked: tally.signatures, deduplicated: tally.deduplicated };
    summary::write(&chain, &tally, surveys, findings, report);
    report.sample = sample::blocks(&chain);
    Ok(())
}

/// The name of the chain: of the genesis file, else of the state, else of the first block.
fn chain_id(input: &Input<'_>, state: Option<&State<'_>>, blocks: &Rows<'_>, stored: StoreHeights) -> String {
    if let Some(chain_id) = &input.chain_id {
        return chain_id.clone();
    }
    if let Some(state) = state {
        return String::from_utf8_lossy(state.chain_id).into_owned();
    }
    let value = blocks.fetch(&BlockKey::Meta { height: stored.base }).row().unwrap_or_default();
    let name = |meta: BlockMeta<'_>| String::from_utf8_lossy(meta.header.chain_id).into_owned();
    BlockMeta::decode(&value).map(name).unwrap_or_default()
}

/// A block store that does not say what it holds is new, or just state-synced, which leaves a seen commit in it; or it has lost
/// its one record, or everything. `state`: the height of the state, 0 when there is none.
fn missing_store_state(blocks: &Surveyed<'_>, rows: &Rows<'_>, state: u64, findings: &Findings<'_>) {
    let [seen, labels] = [Kind::SeenCommit, Kind::LayoutVersion].map(|kind| blocks.survey.inventory.rows(kind));
    let others = blocks.survey.keys - seen - labels;
    let is_absent = || matches!(rows.fetch(&BlockKey::StoreState), rows::Fetched::Absent);
    if others > 0 && is_absent() {
        let actual = format!("none, beside {others} rows");
        rows.report(&BlockKey::StoreState, What::Missing, &"base and height of the store", &actual);
    } else if others + seen == 0 && state > 0 && is_absent() {
        let expected = format!("the blocks of a node whose state is of height {state}");
        rows.report(&BlockKey::StoreState, What::Missing, &expected, &"an empty store");
    }
    findings.not_checked(format!("layers 3 and 4: {} does not say which heights it holds", rows.name));
}

/// Walks over all heights that are there, and reports those that are not.
fn walk_all(
    chain: &Chain<'_>,
    inventory: &Inventory,
    context: &Context<'_>,
    blocks: &Surveyed<'_>,
) -> Result<Tally, VerifyError> {
    let chunks = plan(chain, inventory);
    context.listener.begin("verify: commitments and signatures", blocks.survey.value_bytes);
    let tally = chunks
        .into_par_iter()
        .with_max_len(1)
        .map(|(heights, depth)| Walk::new(chain, depth).run(heights, context))
        .try_reduce(Tally::default, |one, two| Ok(one.merge(two)));
    context.listener.end();
    tally
}

/// Cuts the heights that are there into walks. Heights come from rows that were seen, never from a number that was
/// read, so that a damaged tip cannot make the walk endless.
fn plan(chain: &Chain<'_>, inventory: &Inventory) -> Vec<(RangeInclusive<u64>, Depth)> {
    let layout = chain.blocks.layout;
    let mut seen = inventory.of(Kind::BlockMeta, layout).cloned().unwrap_or_default();
    let metas = seen.runs();
    for kind in [Kind::BlockPart, Kind::SeenCommit] {
        if let Some(heights) = inventory.of(kind, layout) {
            seen.merge(heights.clone());
        }
    }
    if seen.is_cut() {
        let findings = chain.blocks.findings;
        findings.not_checked(format!("{}: some heights, whose rows lie in too many pieces", chain.blocks.name));
    }
    let StoreHeights { base, tip } = chain.stored;
    let seen = seen.runs();
    let mut chunks = Vec::new();
    if tip > 0 {
        for gap in gaps(&seen, base..=tip) {
            let expected = format!("the blocks {}..{}, as {base}..{tip} are said to be there", gap.start(), gap.end());
            chain.blocks.report(&BlockKey::Meta { height: *gap.start() }, What::Missing, &expected, &"none");
        }
        cut(&within(&seen, base..=tip), Depth::Block, &mut chunks);
    }
    if base > 1 {
        cut(&within(&metas, 1..=base - 1), Depth::Header, &mut chunks);
    }
    chunks
}

fn cut(runs: &[RangeInclusive<u64>], depth: Depth, chunks: &mut Vec<(RangeInclusive<u64>, Depth)>) {
    let threads = rayon::current_num_threads() as u64;
    let size = (text::total(runs) / (8 * threads)).clamp(HEIGHTS_MIN, HEIGHTS_MAX);
    for run in runs {
        let mut first = *run.start();
        loop {
            let last = first.saturating_add(size - 1).min(*run.end());
            chunks.push((first..=last, depth));
            match last.checked_add(1).filter(|next| next <= run.end()) {
                Some(next) => first = next,
                None => break,
            }
        }
    }
}
