//! Why a value cannot be said in another dialect.

use super::super::error::{DecodeError, Place};
use super::Target;

/// Why a value cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The value is not what it should be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A public key of a kind that releases of the target do not know.
    #[error("{place}: a validator key of type {kind}, which releases of dialect {target} do not know")]
    KeyKind {
        /// The key.
        place: Place,
        /// Its kind.
        kind: &'static str,
        /// The dialect wanted.
        target: Target,
    },
    /// A validator has a key in the form of each dialect, and they differ.
    #[error("{place}: two public keys that differ, one in the form of each dialect")]
    TwoKeys {
        /// The validator.
        place: Place,
    },
    /// Block times are, or will be, those of the proposers: no release before v1.0 accepts such blocks.
    #[error("{place}: proposer-based timestamps from height {height} on, which no release before v1.0 accepts")]
    ProposerTime {
        /// The parameters.
        place: Place,
        /// From which height on.
        height: u64,
    },
    /// The parameters enable vote extensions twice; v1.0 itself refuses such parameters.
    #[error("{place}: vote extensions enabled at height {feature} by field 7 and at height {abci} by field 5")]
    TwoExtensionHeights {
        /// The parameters.
        place: Place,
        /// By field 7.
        feature: u64,
        /// By field 5.
        abci: u64,
    },
}

impl ConvertError {
    /// The same error, one level further in.
    #[must_use]
    pub(super) fn within(mut self, name: &str) -> Self {
        let place = match &mut self {
            Self::Decode(error) => return Self::Decode(error.clone().within(name)),
            Self::KeyKind { place, .. }
            | Self::TwoKeys { place }
            | Self::ProposerTime { place, .. }
            | Self::TwoExtensionHeights { place, .. } => place,
        };
        place.path = if place.path.is_empty() { name.to_owned() } else { format!("{name}.{}", place.path) };
        self
    }
}
