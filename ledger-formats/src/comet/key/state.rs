//! Keys of state.db.

use super::{Layout, decimal_height, ordered_code, put_decimal};

/// A key of the state store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateKey {
    /// Validators of a height, or since when they are what they are.
    Validators {
        /// The height.
        height: u64,
    },
    /// Consensus parameters of a height, or since when they are what they are.
    ConsensusParams {
        /// The height.
        height: u64,
    },
    /// What the application answered to the block of a height.
    AbciResponses {
        /// The height.
        height: u64,
    },
    /// A record that there is once.
    Single(StateRecord),
}

/// Records of the state store that there are once; their keys are ASCII names in both layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateRecord {
    /// The state after the last block: `stateKey`.
    State,
    /// The last answer of the application: `lastABCIResponseKey`, up to v0.40.
    LastAbciResponse,
    /// Where a state sync without a network ended: `offlineStateSyncHeightKey`.
    OfflineStateSyncHeight,
    /// The genesis document in JSON: `genesisDoc`, up to v0.40.
    GenesisDoc,
    /// Hash of the genesis file: `genesisDocHash`, v1.0.
    GenesisDocHash,
    /// `lastABCIResponsesRetainHeight`, v1.0.
    LastAbciResponsesRetainHeight,
    /// Below which height the application needs no block: `AppRetainHeightKey`, v1.0.
    AppRetainHeight,
    /// Below which height the data companion needs no block: `DCBlockRetainHeightKey`, v1.0.
    CompanionBlockRetainHeight,
    /// Below which height the data companion needs no results: `ABCIResRetainHeightKey`, v1.0.
    CompanionResultsRetainHeight,
    /// Label of the layout: `version`, v1.0.
    Version,
}

impl StateRecord {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::State,
        Self::LastAbciResponse,
        Self::OfflineStateSyncHeight,
        Self::GenesisDoc,
        Self::GenesisDocHash,
        Self::LastAbciResponsesRetainHeight,
        Self::AppRetainHeight,
        Self::CompanionBlockRetainHeight,
        Self::CompanionResultsRetainHeight,
        Self::Version,
    ];

    /// The key, which is ASCII.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::State => "stateKey",
            Self::LastAbciResponse => "lastABCIResponseKey",
            Self::OfflineStateSyncHeight => "offlineStateSyncHeightKey",
            Self::GenesisDoc => "genesisDoc",
            Self::GenesisDocHash => "genesisDocHash",
            Self::LastAbciResponsesRetainHeight => "lastABCIResponsesRetainHeight",
            Self::AppRetainHeight => "AppRetainHeightKey",
            Self::CompanionBlockRetainHeight => "DCBlockRetainHeightKey",
            Self::CompanionResultsRetainHeight => "ABCIResRetainHeightKey",
            Self::Version => "version",
        }
    }
}

const VALIDATORS: &[u8] = b"validatorsKey:";
const CONSENSUS_PARAMS: &[u8] = b"consensusParamsKey:";
const ABCI_RESPONSES: &[u8] = b"abciResponsesKey:";

impl StateKey {
    /// What `key` says in a layout; `None` if it is not a key of the state store there.
    #[must_use]
    pub fn decode(layout: Layout, key: &[u8]) -> Option<Self> {
        match layout {
            Layout::V1 => Self::decode_v1(key),
            Layout::V2 => Self::decode_v2(key),
        }
        .or_else(|| StateRecord::ALL.into_iter().find(|record| record.key().as_bytes() == key).map(Self::Single))
    }

    /// Appends the key in a layout.
    pub fn encode(&self, layout: Layout, out: &mut Vec<u8>) {
        let (name, kind, height) = match *self {
            Self::Validators { height } => (VALIDATORS, 6, height),
            Self::ConsensusParams { height } => (CONSENSUS_PARAMS, 7, height),
            Self::AbciResponses { height } => (ABCI_RESPONSES, 8, height),
            Self::Single(record) => return out.extend_from_slice(record.key().as_bytes()),
        };
        match layout {
            Layout::V1 => {
                out.extend_from_slice(name);
                put_decimal(out, height);
            }
            Layout::V2 => {
                ordered_code::put_number(out, kind);
                ordered_code::put_number(out, height);
            }
        }
    }

    /// The height in the key, if it has one.
    #[must_use]
    pub fn height(&self) -> Option<u64> {
        match *self {
            Self::Validators { height } | Self::ConsensusParams { height } | Self::AbciResponses { height } => {
                Some(height)
            }
            Self::Single(_) => None,
        }
    }

    fn decode_v1(key: &[u8]) -> Option<Self> {
        if let Some(digits) = key.strip_prefix(VALIDATORS) {
            return Some(Self::Validators { height: decimal_height(digits)? });
        }
        if let Some(digits) = key.strip_prefix(CONSENSUS_PARAMS) {
            return Some(Self::ConsensusParams { height: decimal_height(digits)? });
        }
        let digits = key.strip_prefix(ABCI_RESPONSES)?;
        Some(Self::AbciResponses { height: decimal_height(digits)? })
    }

    fn decode_v2(key: &[u8]) -> Option<Self> {
        let (kind, rest) = ordered_code::take_number(key)?;
        let (height, rest) = ordered_code::take_number(rest)?;
        let decoded = match kind {
            6 => Self::Validators { height },
            7 => Self::ConsensusParams { height },
            8 => Self::AbciResponses { height },
            _ => return None,
        };
        rest.is_empty().then_some(decoded)
    }
}
