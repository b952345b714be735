//! By which rule a node checks the time of a block: the median over all precommits of the block before (CometBFT
//! v0.38, v0.39), or over its Commit precommits alone (v0.40).
//!
//! Where a commit holds a nil precommit the two may differ, and each release rejects the other's block. A chain
//! that was upgraded changes the rule at a height.

use super::HelloError;
use super::status::{Heights, height};

/// The rule of a chain, by height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRule {
    commit_time_from: Option<u64>,
}

/// Heights for which two rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disputed {
    /// The first of them.
    pub first: u64,
    /// The first after them, where the rules are the same again.
    pub end: Option<u64>,
}

impl TimeRule {
    /// All precommits at every height: CometBFT up to v0.39.
    pub const V0_38: Self = Self { commit_time_from: None };

    /// Commit precommits alone at every height: a chain that began with CometBFT v0.40.
    pub const V0_40: Self = Self { commit_time_from: Some(1) };

    /// Commit precommits alone from a height on: a chain that was upgraded there.
    ///
    /// # Errors
    /// [`HelloError::Height`].
    pub fn switch_at(first: u64) -> Result<Self, HelloError> {
        Self::from_wire(Some(first))
    }

    /// The first height whose time is the median of the Commit precommits alone.
    #[must_use]
    pub const fn commit_time_from(self) -> Option<u64> {
        self.commit_time_from
    }

    /// The heights for which this rule and another differ.
    #[must_use]
    pub fn disputed(self, other: Self) -> Option<Disputed> {
        match (self.commit_time_from, other.commit_time_from) {
            (None, None) => None,
            (Some(first), None) | (None, Some(first)) => Some(Disputed { first, end: None }),
            (Some(a), Some(b)) if a == b => None,
            (Some(a), Some(b)) => Some(Disputed { first: a.min(b), end: Some(a.max(b)) }),
        }
    }

    pub(super) fn from_wire(commit_time_from: Option<u64>) -> Result<Self, HelloError> {
        commit_time_from.map_or(Ok(()), |first| height("the first height of the rule of times", first))?;
        Ok(Self { commit_time_from })
    }
}

impl Disputed {
    /// Whether no height is left.
    #[must_use]
    pub const fn is_everything(self) -> bool {
        self.first <= 1 && self.end.is_none()
    }

    /// Whether any of some heights is disputed.
    #[must_use]
    pub fn meets(self, heights: Heights) -> bool {
        self.first <= heights.top() && self.end.is_none_or(|end| heights.base() < end)
    }

    /// Whether a height is disputed.
    #[must_use]
    pub fn contains(self, height: u64) -> bool {
        self.first <= height && self.end.is_none_or(|end| height < end)
    }
}

impl std::fmt::Display for Disputed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.end {
            None => write!(f, "heights from {}", self.first),
            Some(end) => write!(f, "heights {} to {}", self.first, end.saturating_sub(1)),
        }
    }
}

impl std::fmt::Display for TimeRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.commit_time_from {
            None => f.write_str("v0.38"),
            Some(1) => f.write_str("v0.40"),
            Some(first) => write!(f, "switch@{first}"),
        }
    }
}
