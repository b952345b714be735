//! The key `stateKey`: the state of the chain after the last block that was applied.

use proofs::commit::Timestamp;

use super::block_id::BlockId;
use super::error::DecodeError;
use super::header::ConsensusVersion;
use super::params::ConsensusParams;
use super::validators::ValidatorSet;
use super::wire::{Decode, Reader};

/// `State` of CometBFT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State<'a> {
    /// Protocol versions of the next block.
    pub version: ConsensusVersion,
    /// Release that began it, from the genesis file or by a state sync, as it names itself: v0.40.0 says 0.39.0. Later
    /// releases that go on with the state leave this as it is.
    pub software: &'a [u8],
    /// Name of the chain.
    pub chain_id: &'a [u8],
    /// Height of the first block.
    pub initial_height: u64,
    /// Height of the last block; 0 before the first.
    pub last_block_height: u64,
    /// The last block.
    pub last_block_id: BlockId<'a>,
    /// Its time.
    pub last_block_time: Timestamp,
    /// Validators of the height after the next.
    pub next_validators: Option<ValidatorSet<'a>>,
    /// Validators of the next height.
    pub validators: Option<ValidatorSet<'a>>,
    /// Validators of the last height; absent or empty before the first block.
    pub last_validators: Option<ValidatorSet<'a>>,
    /// Height from which on `next_validators` is valid.
    pub last_height_validators_changed: u64,
    /// Parameters of the next height.
    pub consensus_params: ConsensusParams<'a>,
    /// Height from which on they are valid.
    pub last_height_consensus_params_changed: u64,
    /// Last-results hash of the next header.
    pub last_results_hash: &'a [u8],
    /// App hash of the next header.
    pub app_hash: &'a [u8],
}

impl<'a> Decode<'a> for State<'a> {
    const NAME: &'static str = "State";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut state = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => {
                    let version: Version<'_> = field.message("version")?;
                    (state.version, state.software) = (version.consensus, version.software);
                }
                2 => state.chain_id = field.bytes("chain_id")?,
                3 => state.last_block_height = field.natural("last_block_height")?,
                4 => state.last_block_id = field.message("last_block_id")?,
                5 => state.last_block_time = field.message("last_block_time")?,
                6 => state.next_validators = Some(field.message("next_validators")?),
                7 => state.validators = Some(field.message("validators")?),
                8 => state.last_validators = Some(field.message("last_validators")?),
                9 => state.last_height_validators_changed = field.natural("last_height_validators_changed")?,
                10 => state.consensus_params = field.message("consensus_params")?,
                11 => {
                    state.last_height_consensus_params_changed =
                        field.natural("last_height_consensus_params_changed")?;
                }
                12 => state.last_results_hash = field.bytes("last_results_hash")?,
                13 => state.app_hash = field.bytes("app_hash")?,
                14 => state.initial_height = field.natural("initial_height")?,
                _ => {}
            }
        }
        Ok(state)
    }
}

#[derive(Default)]
struct Version<'a> {
    consensus: ConsensusVersion,
    software: &'a [u8],
}

impl<'a> Decode<'a> for Version<'a> {
    const NAME: &'static str = "Version";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut version = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => version.consensus = field.message("consensus")?,
                2 => version.software = field.bytes("software")?,
                _ => {}
            }
        }
        Ok(version)
    }
}
