//! The forms that a value can be given: that of a dialect, or the canonical one, which no release writes.

use super::{ConvertError, Target};
use crate::comet::error::Place;
use crate::comet::public_key::KeyKind;

/// A form of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As releases of a dialect write it.
    Of(Target),
    /// The same bytes whichever dialect a value was in: see [`super::canonical`].
    Canonical,
}

impl Form {
    /// Whether a key stands in two fields, its bytes and the name of its kind, and not in a message of its own.
    pub(super) const fn has_typed_keys(self) -> bool {
        matches!(self, Self::Of(Target::V1_0) | Self::Canonical)
    }

    /// Refuses a kind of key that cannot be said in the form. The canonical form can say all.
    pub(super) fn expect_key(self, kind: &KeyKind, place: impl FnOnce() -> Place) -> Result<(), ConvertError> {
        match self {
            Self::Of(target) if !target.knows(kind.key_type) => {
                Err(ConvertError::KeyKind { place: place(), kind: kind.name, target })
            }
            Self::Of(_) | Self::Canonical => Ok(()),
        }
    }
}

impl From<Target> for Form {
    fn from(target: Target) -> Self {
        Self::Of(target)
    }
}
