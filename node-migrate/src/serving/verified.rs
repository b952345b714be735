//! What peers are given: the blocks of the latest snapshots, as far as the sweep has proven them.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use shim::source::{BlockSource, Offer, OfferedBlock, SourceError};

use super::view::{View, checked};

/// Heights that must be proven before the first offer, unless there are fewer: a node leaves block sync when it has all
/// that it was told of, so it must not come to the end of an offer that is still growing.
const LEAD: u64 = 1_000;

/// The verified blocks of a home.
pub struct VerifiedBlocks {
    chain_id: String,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    views: Vec<Arc<View>>,
    proven: Option<Offer>,
    /// Whether peers may know.
    is_offered: bool,
}

impl VerifiedBlocks {
    /// Nothing yet: a [`super::Sweep`] fills it.
    #[must_use]
    pub fn new(chain_id: &str) -> Self {
        Self { chain_id: chain_id.to_owned(), state: RwLock::default() }
    }

    /// The snapshots in use, those to be preferred first.
    pub(super) fn views(&self) -> Vec<Arc<View>> {
        self.read().views.clone()
    }

    /// The highest height of the snapshots, proven or not; 0 before there is one.
    #[must_use]
    pub fn tip(&self) -> u64 {
        self.read().views.iter().map(|view| view.top).max().unwrap_or_default()
    }

    /// Goes over to newer snapshots.
    pub(super) fn replace(&self, views: Vec<Arc<View>>) {
        self.write().views = views;
    }

    /// What has been proven, whether it is offered or not.
    pub(super) fn proven(&self) -> Option<Offer> {
        self.read().proven
    }

    /// Lets the offer grow by heights that were proven. `is_all`: nothing more is there to prove now.
    pub(super) fn extend(&self, proven: Option<Offer>, is_all: bool) {
        let mut state = self.write();
        let before = state.proven;
        // Pruning moves the base; neither end ever goes down.
        state.proven = proven.map(|new| match before {
            Some(old) => Offer { base: new.base.max(old.base), top: new.top.max(old.top) },
            None => new,
        });
        let lead = state.proven.map_or(0, |offer| offer.top - offer.base);
        state.is_offered |= state.proven.is_some() && (is_all || lead >= LEAD);
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlockSource for VerifiedBlocks {
    fn chain_id(&self) -> &str {
        &self.chain_id
    }

    fn offer(&self) -> Option<Offer> {
        let state = self.read();
        state.proven.filter(|_| state.is_offered)
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        if !self.offer().is_some_and(|offer| (offer.base..=offer.top).contains(&height)) {
            return Ok(None);
        }
        let mut failed = None;
        for view in self.views().iter().filter(|view| view.contains(height)) {
            match view.chain().and_then(|chain| checked(&chain, height)) {
                Ok(checked) => return Ok(Some(checked.block)),
                Err(error) => failed = Some(format!("{}: {error}", view.name)),
            }
        }
        failed.map_or(Ok(None), |reason| Err(SourceError { height, reason }))
    }
}
