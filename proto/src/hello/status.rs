//! Where a node stands: how far its storage is, which heights it offers, how long its chain is.

use crate::wire;
use crate::wire::status::Storage as WireStorage;

use super::HelloError;

/// The highest height that the chain's own encoding has.
pub const HEIGHT_MAX: u64 = i64::MAX as u64;

/// How far the storage of a node is on its way to a new format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Storage {
    /// Not known, or a state of a later release: not fit to serve blocks.
    #[default]
    Unknown,
    /// In the old format.
    Old,
    /// In the old format, while it is copied.
    Copying {
        /// The last height that was copied and proven.
        copied_to: u64,
    },
    /// In the old format, with a verified copy in the new one.
    Verified,
    /// In the new format.
    CutOver,
    /// Back in the old format.
    RolledBack,
}

/// Heights from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heights {
    base: u64,
    top: u64,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// How far its storage is.
    pub storage: Storage,
    offer: Option<Heights>,
    tip: u64,
}

impl Heights {
    /// The heights from `base` to `top`.
    ///
    /// # Errors
    /// [`HelloError::Height`] or [`HelloError::Range`].
    pub fn new(base: u64, top: u64) -> Result<Self, HelloError> {
        height("the lowest height", base)?;
        height("the highest height", top)?;
        if base > top { Err(HelloError::Range { base, top, tip: top }) } else { Ok(Self { base, top }) }
    }

    /// The lowest.
    #[must_use]
    pub const fn base(self) -> u64 {
        self.base
    }

    /// The highest.
    #[must_use]
    pub const fn top(self) -> u64 {
        self.top
    }

    /// Whether a height is among them.
    #[must_use]
    pub const fn contains(self, height: u64) -> bool {
        self.base <= height && height <= self.top
    }
}

impl std::fmt::Display for Heights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.base, self.top)
    }
}

impl Status {
    /// A status; `tip` is the highest height that the node knows of its chain, 0 for none.
    ///
    /// # Errors
    /// [`HelloError::Range`] for an offer above the tip, [`HelloError::Height`] for a tip past 63 bits.
    pub fn new(storage: Storage, offer: Option<Heights>, tip: u64) -> Result<Self, HelloError> {
        if tip > 0 {
            height("the tip", tip)?;
        }
        match offer {
            Some(Heights { base, top }) if top > tip => Err(HelloError::Range { base, top, tip }),
            _ => Ok(Self { storage, offer, tip }),
        }
    }

    /// The heights that it can serve now.
    #[must_use]
    pub const fn offer(&self) -> Option<Heights> {
        self.offer
    }

    /// The highest height that it knows of its chain.
    #[must_use]
    pub const fn tip(&self) -> u64 {
        self.tip
    }

    pub(super) fn from_wire(wire: wire::status::Status) -> Result<Self, HelloError> {
        let storage = match wire.storage() {
            WireStorage::Unknown => Storage::Unknown,
            WireStorage::Old => Storage::Old,
            WireStorage::Copying => Storage::Copying { copied_to: wire.copied_to },
            WireStorage::Verified => Storage::Verified,
            WireStorage::CutOver => Storage::CutOver,
            WireStorage::RolledBack => Storage::RolledBack,
        };
        let offer = match (wire.base, wire.top) {
            (0, 0) => None,
            (base, top) => Some(Heights::new(base, top)?),
        };
        Self::new(storage, offer, wire.tip)
    }

    pub(super) fn to_wire(self) -> wire::status::Status {
        let (storage, copied_to) = match self.storage {
            Storage::Unknown => (WireStorage::Unknown, 0),
            Storage::Old => (WireStorage::Old, 0),
            Storage::Copying { copied_to } => (WireStorage::Copying, copied_to),
            Storage::Verified => (WireStorage::Verified, 0),
            Storage::CutOver => (WireStorage::CutOver, 0),
            Storage::RolledBack => (WireStorage::RolledBack, 0),
        };
        let (base, top) = self.offer.map_or((0, 0), |offer| (offer.base, offer.top));
        wire::status::Status { storage: storage.into(), copied_to, base, top, tip: self.tip }
    }
}

impl std::fmt::Display for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Old => f.write_str("old"),
            Self::Copying { copied_to } => write!(f, "copying, at height {copied_to}"),
            Self::Verified => f.write_str("verified"),
            Self::CutOver => f.write_str("cut over"),
            Self::RolledBack => f.write_str("rolled back"),
        }
    }
}

/// Checks that a number is a height.
pub(super) fn height(what: &'static str, height: u64) -> Result<(), HelloError> {
    if (1..=HEIGHT_MAX).contains(&height) { Ok(()) } else { Err(HelloError::Height { what, height }) }
}
