//! The two formats that a validator of a testnet can store in.

use ledger_formats::comet::key::Layout;

use crate::chain::Dialect;

/// How a validator stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Layout v1 and the dialect of v0.38.
    Old,
    /// Layout v2 and the dialect of v1.0, the only release line that opens this layout.
    New,
}

impl Format {
    /// How keys are spelled.
    #[must_use]
    pub const fn layout(self) -> Layout {
        match self {
            Self::Old => Layout::V1,
            Self::New => Layout::V2,
        }
    }

    /// How values are encoded.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Old => Dialect::V0_38,
            Self::New => Dialect::V1_0,
        }
    }

    /// The format of a store with this value of the key `version`.
    #[must_use]
    pub fn of_label(label: Option<&[u8]>) -> Self {
        match label.and_then(Layout::from_label) {
            Some(Layout::V2) => Self::New,
            Some(Layout::V1) | None => Self::Old,
        }
    }
}
