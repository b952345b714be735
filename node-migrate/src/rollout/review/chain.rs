//! What the chain did meanwhile: block time, missed signatures.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::rollout::fact::{Entry, Fact};
use crate::rollout::plan::{NodeName, Plan};

/// The samples of a part of the log.
#[derive(Debug, Default)]
pub(super) struct Chain {
    first_height: Option<u64>,
    to_height: u64,
    blocks: u64,
    block_ms: u64,
    /// The longest mean block time of one sample.
    slowest_ms: u64,
    skipped: u64,
    missed: BTreeMap<NodeName, u64>,
}

impl Chain {
    pub(super) fn of(entries: &[&Entry]) -> Self {
        let mut chain = Self::default();
        for entry in entries {
            let Fact::Sampled { sample } = &entry.fact else { continue };
            chain.first_height.get_or_insert(sample.after_height + 1);
            chain.to_height = sample.to_height;
            chain.skipped += sample.skipped_heights;
            let (blocks, ms) = (sample.blocks_timed(), sample.to_time_ms.saturating_sub(sample.from_time_ms));
            chain.blocks += blocks;
            chain.block_ms += ms;
            chain.slowest_ms = chain.slowest_ms.max(ms.checked_div(blocks).unwrap_or_default());
            for (node, missed) in &sample.missed {
                *chain.missed.entry(node.clone()).or_default() += missed;
            }
        }
        chain
    }

    pub(super) fn write(&self, text: &mut String, plan: &Plan) {
        let Some(first) = self.first_height else {
            text.push_str("The chain was not sampled in this part.\n\n");
            return;
        };
        let _ = write!(text, "Heights {first} to {}", self.to_height);
        if let Some(mean) = self.block_ms.checked_div(self.blocks) {
            let _ = write!(
                text,
                ", mean block time {mean} ms (slowest sample {} ms; usual {} ms)",
                self.slowest_ms, plan.network.block_time_ms
            );
        }
        text.push_str(". ");
        let missed: Vec<String> = self
            .missed
            .iter()
            .filter(|(_, missed)| **missed > 0)
            .map(|(node, missed)| format!("{node} {missed}"))
            .collect();
        if missed.is_empty() {
            text.push_str("No signature of the plan's validators was missed.");
        } else {
            let _ = write!(
                text,
                "Signatures missed: {} (gate {}, jailed above {}, of {} blocks).",
                missed.join(", "),
                plan.gates.missed_blocks_max,
                plan.jail.missed_blocks_max,
                plan.jail.window_blocks
            );
        }
        if self.skipped > 0 {
            let _ = write!(text, " {} heights were not looked at: no controller was at work.", self.skipped);
        }
        text.push_str("\n\n");
    }
}
