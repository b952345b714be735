//! Consensus parameters in every dialect, and the hash over the two of them that headers carry.
//!
//! ```text
//! 1 block {max_bytes 1, max_gas 2}            2 evidence {max_age_num_blocks 1, max_age_duration 2, max_bytes 3}
//! 3 validator {pub_key_types 1}               4 version {app 1}
//! 5 abci {vote_extensions_enable_height 1}    v0.38 to v0.40
//! 6 authority {authority 1}                   v0.39, v0.40
//! 6 synchrony {precision 1, message_delay 2}  v1.0: another meaning of the same number
//! 7 feature {vote_extensions_enable_height 1 {value 1}, pbts_enable_height 2 {value 1}}   v1.0
//! ```

mod decode;

use proofs::merkle::Hash;
use sha2::{Digest, Sha256};

use super::wire::{Reader, put_int};

/// Consensus parameters; in an update, an absent part means no change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsensusParams<'a> {
    /// Limits of blocks.
    pub block: Option<BlockParams>,
    /// Limits of evidence.
    pub evidence: Option<EvidenceParams>,
    /// Kinds of validator keys.
    pub validator: Option<ValidatorParams<'a>>,
    /// Version of the application.
    pub version: Option<VersionParams>,
    /// Height from which on votes carry extensions, in v0.38 to v0.40; 0 for never.
    pub abci: Option<AbciParams>,
    /// Content of field 6, whose meaning depends on the dialect: see [`ConsensusParams::sixth`].
    pub sixth_bytes: Option<&'a [u8]>,
    /// Heights from which on features are used, in v1.0.
    pub feature: Option<FeatureParams>,
}

/// Limits of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockParams {
    /// Bytes of a block; -1 for the most that is possible.
    pub max_bytes: i64,
    /// Gas of a block; -1 for no limit.
    pub max_gas: i64,
}

/// Limits of evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EvidenceParams {
    /// Blocks after which evidence is too old.
    pub max_age_num_blocks: i64,
    /// Time after which evidence is too old.
    pub max_age_duration: Duration,
    /// Bytes of evidence in a block.
    pub max_bytes: i64,
}

/// A span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duration {
    /// Whole seconds.
    pub seconds: i64,
    /// Nanoseconds, of the same sign.
    pub nanos: i32,
}

/// Kinds of validator keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidatorParams<'a> {
    /// Names of the kinds that may be used.
    pub pub_key_types: Vec<&'a [u8]>,
}

/// Version of the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionParams {
    /// The version.
    pub app: u64,
}

/// Parameters of the interface to the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbciParams {
    /// Height from which on votes carry extensions; 0 for never.
    pub vote_extensions_enable_height: u64,
}

/// Heights from which on features are used; `None` where an update says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeatureParams {
    /// Votes carry extensions; 0 for never.
    pub vote_extensions_enable_height: Option<u64>,
    /// Block times are those of the proposers (PBTS); 0 for never.
    pub pbts_enable_height: Option<u64>,
}

/// What field 6 means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sixth<'a> {
    /// v1.0: bounds of clocks for proposer-based time.
    Synchrony {
        /// How exact clocks are.
        precision: Duration,
        /// How long a proposal may take.
        message_delay: Duration,
    },
    /// v0.39 and v0.40: who may change the parameters.
    Authority(&'a [u8]),
}

/// `consensusParamsKey:<h>`: the parameters of height h, or only since when they are what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsensusParamsInfo<'a> {
    /// The parameters; empty in a sparse record, see [`ConsensusParams::is_empty`].
    pub consensus_params: ConsensusParams<'a>,
    /// Height whose record holds the full parameters.
    pub last_height_changed: u64,
}

impl<'a> ConsensusParams<'a> {
    /// Whether nothing is set. A sparse record of v0.34 has parts that are there and empty, a later one none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.block.unwrap_or_default() == BlockParams::default()
            && self.evidence.unwrap_or_default() == EvidenceParams::default()
            && self.validator.as_ref().is_none_or(|validator| validator.pub_key_types.is_empty())
            && self.version.unwrap_or_default() == VersionParams::default()
            && self.abci.unwrap_or_default() == AbciParams::default()
            && self.sixth_bytes.is_none_or(<[u8]>::is_empty)
            && self.feature.unwrap_or_default() == FeatureParams::default()
    }

    /// The consensus hash: SHA-256 of `HashedParams {block_max_bytes = 1, block_max_gas = 2}`. Nothing else
    /// of the parameters is covered by it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let block = self.block.unwrap_or_default();
        let mut hashed = Vec::with_capacity(24);
        put_int(&mut hashed, 1, block.max_bytes);
        put_int(&mut hashed, 2, block.max_gas);
        Sha256::digest(&hashed).into()
    }

    /// Height from which on votes carry extensions, whichever dialect says it; 0 for never or no change.
    #[must_use]
    pub fn vote_extensions_enable_height(&self) -> u64 {
        let feature = self.feature.and_then(|feature| feature.vote_extensions_enable_height);
        feature.filter(|height| *height > 0).unwrap_or(self.abci.unwrap_or_default().vote_extensions_enable_height)
    }

    /// Height from which on block times are those of the proposers; 0 for never or no change.
    #[must_use]
    pub fn pbts_enable_height(&self) -> u64 {
        self.feature.and_then(|feature| feature.pbts_enable_height).unwrap_or(0)
    }

    /// What field 6 means, `None` if it is absent or empty. Full parameters of v1.0 have field 7 and never 5,
    /// those of v0.40 field 5 and never 7; alone, in an update, it is synchrony if it reads as two spans of
    /// time, which no printable authority does.
    #[must_use]
    pub fn sixth(&self) -> Option<Sixth<'a>> {
        let bytes = self.sixth_bytes.filter(|bytes| !bytes.is_empty())?;
        let authority = || read_authority(bytes).map(Sixth::Authority);
        let synchrony = || read_synchrony(bytes);
        match (self.abci, self.feature) {
            (Some(_), None) => authority(),
            _ => synchrony().or_else(authority),
        }
    }
}

fn read_synchrony<'a>(bytes: &[u8]) -> Option<Sixth<'a>> {
    let (mut precision, mut message_delay) = (Duration::default(), Duration::default());
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next().ok()? {
        match field.number {
            1 => precision = field.message("precision").ok()?,
            2 => message_delay = field.message("message_delay").ok()?,
            _ => return None,
        }
    }
    Some(Sixth::Synchrony { precision, message_delay })
}

fn read_authority(bytes: &[u8]) -> Option<&[u8]> {
    let mut authority = None;
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next().ok()? {
        authority = (field.number == 1).then(|| field.bytes("authority").ok()).flatten();
    }
    authority
}
