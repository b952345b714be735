//! Blocks from outside, held against what this node knows of its chain.

use std::collections::{BTreeMap, BTreeSet};

use ledger_formats::comet::StoredBlock;
use ledger_formats::comet::key::BlockKey;
use proofs::commit::BlockId;
use rayon::prelude::*;

use super::peers::{Fetched, NotTaken, Wanted};
use crate::blocks::{Chain, Proven, Unproven};

/// Proves blocks of a chain of which some heights are hurt here.
pub(super) struct Prover<'a> {
    chain: &'a Chain<'a>,
    hurt: BTreeSet<u64>,
    /// Commits of hurt heights, out of the proven blocks above them.
    commits: BTreeMap<u64, Vec<u8>>,
}

impl<'a> Prover<'a> {
    /// `hurt`: the heights whose blocks cannot be relied on here.
    pub(super) fn new(chain: &'a Chain<'a>, hurt: BTreeSet<u64>) -> Self {
        Self { chain, hurt, commits: BTreeMap::new() }
    }

    /// What is to be asked for to get these heights.
    pub(super) fn wanted(&self, heights: BTreeSet<u64>) -> Wanted {
        let after_above = heights.iter().copied().filter(|height| self.lacks_above(*height)).collect();
        let named = heights.par_iter().filter_map(|height| Some((*height, self.name(*height)?)));
        let names = named.collect::<Vec<_>>().into_iter().collect();
        Wanted { heights, after_above, names }
    }

    /// Tries the commits that may prove a block: those of this store, that of the block above, and the one that came with it.
    pub(super) fn prove(&mut self, fetched: &Fetched) -> Result<Proven, NotTaken> {
        let height = fetched.height;
        let extended = match &fetched.extended_commit {
            Some(extended) => Some(extended.clone()),
            None => self.own_extended(height)?,
        };
        let above = self.commits.get(&height).cloned();
        let is_final = above.is_some() || !self.lacks_above(height);
        let mut last = Unproven::Missing { height, what: "commit" };
        for commit in above.into_iter().chain(self.chain.commits(height)).chain(fetched.commit.clone()) {
            match self.chain.prove(height, fetched.block.clone(), commit, extended.clone()) {
                Ok(proven) => {
                    self.keep_commit(&proven);
                    return Ok(proven);
                }
                Err(error) => last = error,
            }
        }
        if is_final { Err(last.into()) } else { Err(NotTaken::TooEarly { height }) }
    }

    /// Whether the block above, which holds the commit of a height, is hurt here too.
    fn lacks_above(&self, height: u64) -> bool {
        height.checked_add(1).is_some_and(|above| self.hurt.contains(&above))
    }

    fn keep_commit(&mut self, proven: &Proven) {
        self.commits.remove(&proven.height);
        let below = proven.height.saturating_sub(1);
        if self.hurt.contains(&below)
            && let Ok(stored) = StoredBlock::new(&proven.bytes)
        {
            self.commits.insert(below, stored.block.last_commit_bytes.to_vec());
        }
    }

    /// The name of the block of a height, by the block above it.
    fn name(&self, height: u64) -> Option<BlockId> {
        let above = height.checked_add(1).filter(|above| !self.hurt.contains(above))?;
        let proven = self.chain.block(above).ok()?;
        StoredBlock::new(&proven.bytes).ok()?.block.header.last_block_id.to_proof()
    }

    /// The commit with extensions that this store holds. One that must be there and cannot be read is not done without.
    fn own_extended(&self, height: u64) -> Result<Option<Vec<u8>>, Unproven> {
        let key = |height| BlockKey::ExtendedCommit { height };
        if let Ok(own) = self.chain.row(&key(height)) {
            return Ok(own);
        }
        let neighbours = [height.saturating_sub(1), height.saturating_add(1)];
        if neighbours.into_iter().any(|height| matches!(self.chain.row(&key(height)), Ok(Some(_)))) {
            return Err(Unproven::Missing { height, what: "extended commit" });
        }
        Ok(None)
    }
}
