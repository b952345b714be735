//! CometBFT's stores: keys, values and the hashes that the chain signed.
//!
//! Pure: bytes in, values out. Values borrow from the bytes they were decoded from; nothing is copied but
//! small fixed hashes. It serves v0.34 to v0.40 and v1.0 in both key layouts, and never trusts a
//! length, a count or a hash that it read. It does not read stores, and does not check signatures.

mod block;
mod block_id;
pub mod class;
mod commit;
pub mod convert;
pub mod dialect;
mod error;
mod evidence;
mod extended_commit;
mod header;
mod index;
pub mod key;
pub mod layout;
mod light_block;
mod median_time;
mod meta;
mod misbehaviour;
mod params;
mod part;
mod public_key;
pub mod release;
mod results;
mod scalar;
mod state;
mod store_state;
mod stored_block;
mod timestamp;
mod validators;
pub mod wire;
pub mod writer;

pub use block::Block;
pub use block_id::{BlockId, PartSetHeader};
pub use commit::Commit;
pub use error::{DecodeError, Place};
pub use evidence::{Evidence, EvidenceKind, evidence_hash};
pub use extended_commit::{ExtendedCommit, ExtendedSignature, put_extension_sign_bytes};
pub use header::{ConsensusVersion, Header};
pub use index::{EventKey, TxResult};
pub use light_block::LightBlock;
pub use median_time::{TimeRule, median_time};
pub use meta::BlockMeta;
pub use misbehaviour::{DuplicateVote, LightClientAttack, Vote};
pub use params::{
    AbciParams, BlockParams, ConsensusParams, ConsensusParamsInfo, Duration, EvidenceParams, FeatureParams, Sixth,
    ValidatorParams, VersionParams,
};
pub use part::{PART_BYTES, Part, PartError, Proof};
pub use public_key::{KEY_KINDS, KeyKind, PublicKey};
pub use results::{LastResults, Results, ResultsForm, TxOutcome, ValidatorUpdate};
pub use scalar::{Int64Value, decode_decimal_height, decode_layout, decode_zigzag_height};
pub use state::State;
pub use store_state::BlockStoreState;
pub use stored_block::{StoredBlock, StoredBlockError};
pub use timestamp::{GO_ZERO_TIME, put_timestamp};
pub use validators::{CHECKPOINT_INTERVAL, Validator, ValidatorSet, ValidatorSetError, ValidatorsInfo};
pub use wire::Decode;
