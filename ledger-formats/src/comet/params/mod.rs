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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comet::wire::Decode;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        hex::decode(hexadecimal.replace(' ', "")).expect("hex")
    }

    const COMMON: &str = "0a0a08808080021080ade204 120e08a08d0612040880c60a18808040 1a090a0765643235353139 2200";

    #[test]
    fn the_default_parameters_have_the_known_hash() {
        let block = Some(BlockParams { max_bytes: 22_020_096, max_gas: -1 });
        let params = ConsensusParams { block, ..ConsensusParams::default() };
        let expected = "048091bc7ddc283f77bfbf91d73c44da58c3df8a9cbc867405d8b7f3daada22f";
        assert_eq!(hex::encode(params.hash()), expected);
    }

    #[test]
    fn sparse_records_of_all_releases_are_empty_and_full_ones_are_not() {
        for sparse in ["0a001001", "0a0a 0a00 1202 1200 1a00 2200 1001", "1001"] {
            let bytes = bytes(sparse);
            let info = ConsensusParamsInfo::decode(&bytes).expect("decodes");
            assert!(info.consensus_params.is_empty(), "{sparse}");
            assert_eq!(info.last_height_changed, 1);
        }
        assert!(!ConsensusParams::decode(&bytes(COMMON)).expect("decodes").is_empty());
    }

    #[test]
    fn the_height_of_extensions_is_found_in_every_dialect() {
        for (last, expected) in [
            ("2a00", 0),
            ("2a020819", 25),
            ("2a020819 3200", 25),
            ("320c0a0610c0e0e6f0011202080f 3a040a001200", 0),
            ("320c0a0610c0e0e6f0011202080f 3a060a0208191200", 25),
        ] {
            let bytes = bytes(&format!("{COMMON} {last}"));
            let params = ConsensusParams::decode(&bytes).expect("decodes");
            assert_eq!(params.vote_extensions_enable_height(), expected, "{last}");
            assert_eq!(params.pbts_enable_height(), 0, "{last}");
        }
    }

    #[test]
    fn field_6_is_told_apart_by_its_neighbours_and_alone_by_its_content() {
        let sixth = |hexadecimal| {
            let bytes = bytes(hexadecimal);
            match ConsensusParams::decode(&bytes).expect("decodes").sixth() {
                None => "nothing",
                Some(Sixth::Synchrony { message_delay, .. }) => {
                    assert_eq!(message_delay, Duration { seconds: 15, nanos: 0 });
                    "synchrony"
                }
                Some(Sixth::Authority(authority)) => {
                    assert_eq!(authority, b"cosmos1");
                    "authority"
                }
            }
        };
        assert_eq!(sixth("2a00 3200"), "nothing");
        assert_eq!(sixth("2a00 3209 0a07 636f736d6f7331"), "authority");
        assert_eq!(sixth("320c 0a0610c0e0e6f001 1202080f 3a040a001200"), "synchrony");
        assert_eq!(sixth("320c 0a0610c0e0e6f001 1202080f"), "synchrony");
        assert_eq!(sixth("3209 0a07 636f736d6f7331"), "authority");
    }

    #[test]
    fn an_update_of_pbts_is_seen() {
        let bytes = bytes("3a041202 0864");
        let params = ConsensusParams::decode(&bytes).expect("decodes");
        assert_eq!((params.pbts_enable_height(), params.vote_extensions_enable_height()), (100, 0));
        assert_eq!(params.feature.expect("a feature").vote_extensions_enable_height, None);
    }
}
