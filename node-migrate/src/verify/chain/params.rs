//! The consensus parameters of every height, found through the sparse records of the state store.

use ledger_formats::comet::ConsensusParamsInfo;
use ledger_formats::comet::key::StateKey;
use proofs::merkle::Hash;

use super::rows::Rows;
use crate::verify::what::What;

/// What of the parameters of a height matters to blocks.
#[derive(Clone, Copy)]
pub(super) struct Params {
    /// The consensus hash.
    pub hash: Hash,
    /// Height from which on votes carry extensions; 0 for never.
    extensions_from: u64,
    /// Height from which on block times are those of the proposers; 0 for never.
    proposer_times_from: u64,
}

impl Params {
    /// Whether votes of `height` carry extensions.
    pub(super) fn extensions_at(&self, height: u64) -> bool {
        self.extensions_from > 0 && height >= self.extensions_from
    }

    /// Whether the time of the block at `height` is its proposer's.
    pub(super) fn proposer_time_at(&self, height: u64) -> bool {
        self.proposer_times_from > 0 && height >= self.proposer_times_from
    }
}

/// The parameters that a walk used last, with the height of their record.
#[derive(Default)]
pub(super) struct ParamsRecords {
    last: Option<(u64, Params)>,
    /// Height of a record that cannot serve, so that it is reported once and not at each height that needs it.
    unusable: Option<u64>,
}

impl ParamsRecords {
    /// The parameters of a height; what is wrong is reported. With `required` a height without a record is wrong.
    pub(super) fn at(&mut self, rows: &Rows<'_>, height: u64, required: bool) -> Option<Params> {
        let key = StateKey::ConsensusParams { height };
        let value = if required { rows.require(&key)? } else { rows.fetch(&key).row()? };
        let info: ConsensusParamsInfo<'_> = rows.decode(&key, &value)?;
        if !info.consensus_params.is_empty() {
            return Some(self.keep(height, &info));
        }
        let stored_at = info.last_height_changed;
        if stored_at >= height {
            let expected = format!("parameters that last changed before {height}");
            rows.report(&key, What::Height, &expected, &format!("at {stored_at}"));
            return None;
        }
        if let Some((_, params)) = self.last.filter(|(kept, _)| *kept == stored_at) {
            return Some(params);
        }
        if self.unusable == Some(stored_at) {
            return None;
        }
        self.unusable = Some(stored_at);
        let key = StateKey::ConsensusParams { height: stored_at };
        let value = if required { rows.require(&key)? } else { rows.fetch(&key).row()? };
        let info: ConsensusParamsInfo<'_> = rows.decode(&key, &value)?;
        if info.consensus_params.is_empty() {
            rows.report(&key, What::Missing, &"the full parameters, which later records refer to", &"an empty record");
            return None;
        }
        self.unusable = None;
        Some(self.keep(stored_at, &info))
    }

    fn keep(&mut self, height: u64, info: &ConsensusParamsInfo<'_>) -> Params {
        let params = Params {
            hash: info.consensus_params.hash(),
            extensions_from: info.consensus_params.vote_extensions_enable_height(),
            proposer_times_from: info.consensus_params.pbts_enable_height(),
        };
        self.last = Some((height, params));
        params
    }
}
