//! Layer 3 of the report: what was checked, what is odd, and what no commitment covers.

use std::collections::BTreeMap;

use super::Chain;
use super::tally::{Divergence, Tally};
use crate::verify::findings::Findings;
use crate::verify::report::{Layer, Report};
use crate::verify::survey::Survey;
use crate::verify::text::count;

/// Writes down what the walks checked.
pub(super) fn write(
    chain: &Chain<'_>,
    tally: &Tally,
    surveys: &[Survey],
    findings: &Findings<'_>,
    report: &mut Report,
) {
    report.layers.push(Layer {
        number: 3,
        name: "commitments of the chain",
        checked: BTreeMap::from([
            ("blocks", tally.blocks),
            ("headers", tally.headers),
            ("block parts", tally.parts),
            ("bytes of blocks", tally.block_bytes),
            ("transactions", tally.transactions),
            ("pieces of evidence", tally.evidence),
            ("validator sets", tally.validator_sets),
            ("consensus parameters", tally.params),
            ("results", tally.results),
            ("block times", tally.times),
            ("commits", tally.commits),
            ("seen commits", tally.seen_commits),
            ("extended commits", tally.extended_commits),
            ("signatures", tally.signatures),
        ]),
    });
    remark_on_times(tally, findings);
    for survey in surveys {
        let above = survey.inventory.index_above;
        if above > 0 {
            let rows = count(above, "transaction", "transactions");
            findings
                .remark(format!("the index holds {rows} of heights above the block store, as a rollback leaves them"));
        }
    }
    not_checked(chain, tally, findings);
}

/// Two rules of block time exist; where they differ, releases refuse each other's blocks.
fn remark_on_times(tally: &Tally, findings: &Findings<'_>) {
    let rules = [
        (tally.all_votes_only, "0.34 to 0.39 and 1.0, which count votes for nil"),
        (tally.block_votes_only, "0.40, which counts only votes for the block"),
    ];
    for (Divergence { count: number, first }, releases) in rules {
        if let Some(first) = first {
            let blocks = count(number, "block", "blocks");
            findings.remark(format!(
                "the time of {blocks}, first at height {first}, is right only by the rule of {releases}; releases of the \
                 other rule cannot sync this chain from its blocks"
            ));
        }
    }
}

fn not_checked(chain: &Chain<'_>, tally: &Tally, findings: &Findings<'_>) {
    if tally.unchecked_commits > 0 {
        let reason = tally.unchecked_reason.as_deref().unwrap_or_default();
        let heights = count(tally.unchecked_commits, "height", "heights");
        findings.not_checked(format!("signatures of {heights}: {reason}"));
    }
    if chain.state.is_some() && tally.without_results > 0 {
        let heights = count(tally.without_results, "height", "heights");
        findings.not_checked(format!("results of {heights}: there is no record of them"));
    }
    findings.not_checked(
        "what nothing in the chain binds: events, logs and code spaces of results, index entries by event, the genesis \
         document; a comparison with a source covers them"
            .to_owned(),
    );
}
