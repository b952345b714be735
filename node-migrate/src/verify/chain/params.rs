//! The consensus parameters of every height, found through the sparse records of the state store.
//!
//! The consensus hash covers the size and gas of blocks only. The rest follows from height to height: parameters are
//! those of the height below with the changes of the application.

use std::rc::Rc;

use ledger_formats::comet::key::StateKey;
use ledger_formats::comet::wire::Reader;
use ledger_formats::comet::{BlockParams, ConsensusParams, ConsensusParamsInfo, EvidenceParams, VersionParams};
use proofs::merkle::Hash;

use super::rows::Rows;
use crate::verify::what::What;

/// Parameters, whichever dialect spells them; a part that is `None` is one that an update leaves as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    block: Option<BlockParams>,
    evidence: Option<EvidenceParams>,
    key_types: Option<Vec<Vec<u8>>>,
    version: Option<VersionParams>,
    extensions_from: Option<u64>,
    proposer_times_from: Option<u64>,
}

impl Content {
    /// What a record or an update says.
    pub(super) fn of(params: &ConsensusParams<'_>) -> Self {
        let feature = params.feature.unwrap_or_default();
        let key_types = |names: &[&[u8]]| names.iter().map(|name| name.to_vec()).collect();
        Self {
            block: params.block,
            evidence: params.evidence,
            key_types: params.validator.as_ref().map(|validator| key_types(&validator.pub_key_types)),
            version: params.version,
            extensions_from: feature
                .vote_extensions_enable_height
                .or(params.abci.map(|abci| abci.vote_extensions_enable_height)),
            proposer_times_from: feature.pbts_enable_height,
        }
    }

    /// The parameters after an update.
    pub(super) fn updated(&self, update: &Self) -> Self {
        Self {
            block: update.block.or(self.block),
            evidence: update.evidence.or(self.evidence),
            key_types: update.key_types.clone().or_else(|| self.key_types.clone()),
            version: update.version.or(self.version),
            extensions_from: update.extensions_from.or(self.extensions_from),
            proposer_times_from: update.proposer_times_from.or(self.proposer_times_from),
        }
    }

    /// The parts in which two differ; a part that is absent says the same as one that is empty.
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let key_types = |content: &Self| content.key_types.clone().unwrap_or_default();
        let parts = [
            ("block limits", self.block.unwrap_or_default() == other.block.unwrap_or_default()),
            ("evidence limits", self.evidence.unwrap_or_default() == other.evidence.unwrap_or_default()),
            ("key types", key_types(self) == key_types(other)),
            ("application version", self.version.unwrap_or_default() == other.version.unwrap_or_default()),
            ("vote extensions", self.extensions_from.unwrap_or(0) == other.extensions_from.unwrap_or(0)),
            ("proposer-based time", self.proposer_times_from.unwrap_or(0) == other.proposer_times_from.unwrap_or(0)),
        ];
        parts.into_iter().filter(|(_, equal)| !equal).map(|(name, _)| name).collect()
    }
}

/// The parameters of a height.
#[derive(Clone)]
pub(super) struct Params {
    /// Height of the record that holds them.
    pub stored_at: u64,
    /// The consensus hash.
    pub hash: Hash,
    /// All of them.
    pub content: Rc<Content>,
}

impl Params {
    /// Whether votes of `height` carry extensions.
    pub(super) fn extensions_at(&self, height: u64) -> bool {
        self.content.extensions_from.is_some_and(|from| from > 0 && height >= from)
    }

    /// Whether the time of the block at `height` is its proposer's.
    pub(super) fn proposer_time_at(&self, height: u64) -> bool {
        self.content.proposer_times_from.is_some_and(|from| from > 0 && height >= from)
    }
}

/// The parameters that a walk used last.
#[derive(Default)]
pub(super) struct ParamsRecords {
    last: Option<Params>,
    /// Height of a record that cannot serve, so that it is reported once and not at each height that needs it.
    unusable: Option<u64>,
}

impl ParamsRecords {
    /// The parameters of a height; what is wrong is reported. With `required` a height without a record is wrong.
    pub(super) fn at(&mut self, rows: &Rows<'_>, height: u64, required: bool) -> Option<Params> {
        let key = StateKey::ConsensusParams { height };
        let value = if required { rows.require(&key)? } else { rows.fetch(&key).row()? };
        let info: ConsensusParamsInfo<'_> = rows.decode(&key, &value)?;
        check_fields(rows, &key, &value);
        if !info.consensus_params.is_empty() {
            if info.last_height_changed != height {
                let actual = format!("at {}", info.last_height_changed);
                rows.doubt(
                    &key,
                    Some(height),
                    What::Height,
                    &format!("parameters that last changed at {height}"),
                    &actual,
                );
            }
            return Some(self.keep(height, &info));
        }
        let stored_at = info.last_height_changed;
        if stored_at >= height {
            let expected = format!("parameters that last changed before {height}");
            rows.report(&key, What::Height, &expected, &format!("at {stored_at}"));
            return None;
        }
        if let Some(params) = self.last.as_ref().filter(|params| params.stored_at == stored_at) {
            return Some(params.clone());
        }
        if self.unusable.replace(stored_at) == Some(stored_at) {
            return None;
        }
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
            stored_at: height,
            hash: info.consensus_params.hash(),
            content: Rc::new(Content::of(&info.consensus_params)),
        };
        self.last = Some(params.clone());
        params
    }
}

/// A record has its two fields and no other: damage can make a field into one that nobody reads.
fn check_fields(rows: &Rows<'_>, key: &StateKey, value: &[u8]) {
    let mut reader = Reader::new(value);
    let mut seen = Vec::new();
    while let Ok(Some(field)) = reader.next()
        && seen.len() < 8
    {
        seen.push(field.number);
    }
    if seen != [1, 2] {
        rows.report(key, What::Undecodable, &"the fields 1 and 2", &format!("{seen:?}"));
    }
}
