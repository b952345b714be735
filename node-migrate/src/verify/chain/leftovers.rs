//! Rows outside the heights of the stores: what pruning, state sync, an interrupted save or a rollback leave there is
//! legitimate and remarked upon; the rest is a finding.
//!
//! Some of it looks like damage and can be legitimate. Where the copy was shown to equal its source it is a remark: the
//! source must be carried as it is. Where nothing vouches for the rows it is a finding.

use std::ops::RangeInclusive;

use ledger_formats::comet::State;
use ledger_formats::comet::class::Kind;
use ledger_formats::comet::key::{BlockKey, StateKey};

use super::Chain;
use super::rows::{Rows, Spelled};
use super::stores::Surveyed;
use crate::verify::survey::StoreHeights;
use crate::verify::survey::heights::{gaps, within};
use crate::verify::text::{count, heights, total};
use crate::verify::what::What;

/// Looks at all rows that no walk visits.
pub(super) fn check(
    chain: &Chain<'_>,
    blocks: &Surveyed<'_>,
    state: Option<&Surveyed<'_>>,
    record: Option<&State<'_>>,
) {
    let of = |kind| runs_of(blocks, &chain.blocks, kind);
    for (kind, key) in KINDS {
        above_tip(chain, kind, &of(kind), key);
    }
    below_base(chain, of);
    if let (Some(surveyed), Some(rows)) = (state, &chain.state) {
        missing_results(chain, surveyed, rows);
        if let Some(record) = record {
            above_state(surveyed, rows, chain.stored, record.last_block_height);
        }
    }
}

/// A key of a kind at a height.
type KeyOf = fn(u64) -> BlockKey;

const KINDS: [(Kind, KeyOf); 5] = [
    (Kind::BlockMeta, |height| BlockKey::Meta { height }),
    (Kind::BlockPart, |height| BlockKey::Part { height, part: 0 }),
    (Kind::Commit, |height| BlockKey::Commit { height }),
    (Kind::SeenCommit, |height| BlockKey::SeenCommit { height }),
    (Kind::ExtendedCommit, |height| BlockKey::ExtendedCommit { height }),
];

fn runs_of(surveyed: &Surveyed<'_>, rows: &Rows<'_>, kind: Kind) -> Vec<RangeInclusive<u64>> {
    surveyed.survey.inventory.of(kind, rows.layout).map(|heights| heights.runs()).unwrap_or_default()
}

/// Rows above the tip: a save that was cut off leaves some of the next height, a rollback commits with extensions,
/// a state sync the seen commit that it ended with.
fn above_tip(chain: &Chain<'_>, kind: Kind, runs: &[RangeInclusive<u64>], key: KeyOf) {
    let StoreHeights { tip, .. } = chain.stored;
    let Some(next) = tip.checked_add(1) else { return };
    // The commit of the tip comes with the block above it.
    let first = if kind == Kind::Commit && tip > 0 { tip } else { next };
    let above = within(runs, first..=u64::MAX);
    if above.is_empty() {
        return;
    }
    let rows = &chain.blocks;
    let is_legitimate = kind == Kind::ExtendedCommit || (tip == 0 && kind == Kind::SeenCommit);
    let beyond = within(&above, next.saturating_add(1)..=u64::MAX);
    match beyond.first() {
        Some(run) if !is_legitimate => {
            let actual = format!("rows of heights {}", heights(&above));
            rows.report(&key(*run.start()), What::Unexpected, &format!("no row above the tip {tip}"), &actual);
        }
        _ => {
            let name = key_name(rows, &key(first));
            rows.findings.remark(format!(
                "{}: rows like {name} of heights {} lie above the tip {tip}, as an interrupted save, a rollback or a state \
                 sync leaves them",
                rows.name,
                heights(&above)
            ));
        }
    }
}

/// Rows below the base: metas and commits are kept for evidence; more is what an interrupted pruning leaves.
fn below_base(chain: &Chain<'_>, of: impl Fn(Kind) -> Vec<RangeInclusive<u64>>) {
    let StoreHeights { base, .. } = chain.stored;
    let rows = &chain.blocks;
    let Some(below) = base.checked_sub(1).filter(|below| *below > 0) else { return };
    let kept = |kind| within(&of(kind), 1..=below);
    let metas = kept(Kind::BlockMeta);
    if !metas.is_empty() {
        rows.findings.remark(format!(
            "{}: metas and commits of {} below the base are kept for evidence: {}",
            rows.name,
            count(total(&metas), "height", "heights"),
            heights(&metas)
        ));
    }
    let parts = kept(Kind::BlockPart);
    let is_whole = |kind| of(kind).iter().any(|run| run.contains(&below));
    if [Kind::BlockMeta, Kind::BlockPart, Kind::SeenCommit].into_iter().all(is_whole) {
        let actual = format!("block {below} is there in full");
        let expected = format!("no whole block below the base {base}");
        rows.doubt(&BlockKey::StoreState, Some(below), What::StoreState, &expected, &actual);
    } else if !parts.is_empty() {
        rows.findings.remark(format!(
            "{}: parts of blocks below the base {base}, as an interrupted pruning leaves them: {}",
            rows.name,
            heights(&parts)
        ));
    }
}

/// Heights without results between heights with results. A node that is told to discard results leaves such gaps, but
/// hardly one of a single height.
fn missing_results(chain: &Chain<'_>, state: &Surveyed<'_>, rows: &Rows<'_>) {
    let StoreHeights { base, tip } = chain.stored;
    let stored = within(&runs_of(state, rows, Kind::AbciResponses), base.max(1)..=tip);
    let (Some(first), Some(last)) = (stored.first(), stored.last()) else { return };
    let gaps = gaps(&stored, *first.start()..=*last.end()).into_iter();
    let (single, longer): (Vec<_>, Vec<_>) = gaps.partition(|gap| gap.start() == gap.end());
    for gap in single {
        let height = *gap.start();
        let key = StateKey::AbciResponses { height };
        rows.doubt(&key, Some(height), What::Missing, &"results, as the heights below and above have", &"none");
    }
    if !longer.is_empty() {
        rows.findings.remark(format!("{}: no results for heights {}", rows.name, heights(&longer)));
    }
}

/// Rows of the state store above what the state needs: inert, and written over when the node gets there.
fn above_state(surveyed: &Surveyed<'_>, rows: &Rows<'_>, stored: StoreHeights, height: u64) {
    let top = height.max(stored.tip);
    for (kind, ahead) in [(Kind::Validators, 2), (Kind::ConsensusParams, 1), (Kind::AbciResponses, 0)] {
        let first = top.saturating_add(ahead).saturating_add(1);
        let above = within(&runs_of(surveyed, rows, kind), first..=u64::MAX);
        if !above.is_empty() {
            rows.findings.remark(format!(
                "{}: {} of heights {} lie above the state's height {height}, as a rollback leaves them",
                rows.name,
                state_rows(kind),
                heights(&above)
            ));
        }
    }
}

const fn state_rows(kind: Kind) -> &'static str {
    match kind {
        Kind::Validators => "validators",
        Kind::ConsensusParams => "consensus parameters",
        _ => "results",
    }
}

fn key_name(rows: &Rows<'_>, key: &impl Spelled) -> String {
    let mut spelled = Vec::new();
    key.spell(rows.layout, &mut spelled);
    crate::verify::report::printable(&spelled)
}
