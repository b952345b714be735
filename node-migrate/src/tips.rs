//! How far a database has come: the height, or application version, that it names itself.

use ledger_formats::comet::wire::{Reader, Value};
use ledger_formats::comet::{BlockStoreState, Decode, DecodeError, State};
use ledger_formats::store::{ReadStore, StoreError};

use crate::home::Role;

/// Why the tip of a database cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TipError {
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record that names the tip is not what it should be.
    #[error("{key}: {source}")]
    Decode {
        /// The record's key.
        key: &'static str,
        /// What is wrong with it.
        source: DecodeError,
    },
}

/// A tip, by what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tip {
    /// Blocks `base..=height` of a block store.
    Blocks {
        /// Lowest height whose block is there.
        base: u64,
        /// Highest one.
        height: u64,
    },
    /// The last height that was applied to the state.
    State(u64),
    /// The last committed version of a Cosmos SDK multi-store.
    Version(u64),
}

impl Tip {
    /// The height or version.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::Blocks { height, .. } | Self::State(height) | Self::Version(height) => height,
        }
    }
}

impl std::fmt::Display for Tip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blocks { base, height } => write!(f, "blocks {base} to {height}"),
            Self::State(height) => write!(f, "state of height {height}"),
            Self::Version(version) => write!(f, "application version {version}"),
        }
    }
}

/// The tip of a database; `None` when it names none (an empty one, or one that has no such thing).
///
/// # Errors
/// When it cannot be read, or names a tip that cannot be understood.
pub fn of(role: Role, store: &dyn ReadStore) -> Result<Option<Tip>, TipError> {
    match role {
        Role::BlockStore => blocks(store),
        Role::State => state(store),
        Role::Opaque => version(store),
        Role::Evidence | Role::TxIndex | Role::LightStore => Ok(None),
    }
}

fn blocks(store: &dyn ReadStore) -> Result<Option<Tip>, TipError> {
    let Some(value) = store.get(b"blockStore")? else { return Ok(None) };
    let state = BlockStoreState::decode(&value).map_err(|source| TipError::Decode { key: "blockStore", source })?;
    Ok(Some(Tip::Blocks { base: state.base, height: state.height }))
}

fn state(store: &dyn ReadStore) -> Result<Option<Tip>, TipError> {
    let Some(value) = store.get(b"stateKey")? else { return Ok(None) };
    let state = State::decode(&value).map_err(|source| TipError::Decode { key: "stateKey", source })?;
    Ok(Some(Tip::State(state.last_block_height)))
}

/// `s/latest` of a multi-store: a protobuf `Int64Value` (formats.md section 5). Databases of other
/// applications may hold anything there, so what does not fit is no version.
fn version(store: &dyn ReadStore) -> Result<Option<Tip>, TipError> {
    let Some(value) = store.get(b"s/latest")? else { return Ok(None) };
    let mut reader = Reader::new(&value);
    Ok(match reader.next() {
        Ok(Some(field)) if field.number == 1 => match field.value {
            Value::Varint(version) => Some(Tip::Version(version)),
            _ => None,
        },
        _ => None,
    })
}
