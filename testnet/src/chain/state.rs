//! The state of the chain after a block: all that is needed to judge and make the next one.

use std::sync::Arc;

use ledger_formats::comet::{ConsensusVersion, TimeRule};
use proofs::merkle::{EMPTY_ROOT, Hash};

use super::app::Outcome;
use super::block::Block;
use super::block_id::BlockId;
use super::commit::Quorum;
use super::genesis::Genesis;
use super::keys::Crypto;
use super::time::Time;
use super::validators::{ValidatorSet, ValidatorSetFault};

/// Versions in every header of a testnet.
pub(super) const VERSION: ConsensusVersion = ConsensusVersion { block: 11, app: 0 };

/// How blocks are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Which votes count for the time of a block.
    pub time: TimeRule,
    /// How much power decides.
    pub quorum: Quorum,
    /// What signatures are.
    pub crypto: Crypto,
}

/// State of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainState {
    /// Name of the chain.
    pub chain_id: Arc<str>,
    /// How blocks are judged.
    pub rules: Rules,
    /// Height of the first block.
    pub initial_height: u64,
    /// Height of the last block; 0 before the first.
    pub last_height: u64,
    /// The last block.
    pub last_block_id: Option<BlockId>,
    /// Its time; before the first block that of the genesis.
    pub last_time: Time,
    /// Validators of the height after the next.
    pub next_validators: Arc<ValidatorSet>,
    /// Validators of the next height.
    pub validators: Arc<ValidatorSet>,
    /// Validators of the last height; `None` before the first block.
    pub last_validators: Option<Arc<ValidatorSet>>,
    /// Height from which on `next_validators` have their powers.
    pub validators_changed: u64,
    /// Last-results hash of the next header.
    pub last_results_hash: Hash,
    /// App hash of the next header.
    pub app_hash: Hash,
}

impl ChainState {
    /// The state before the first block.
    ///
    /// # Errors
    /// When the validators are not a set.
    pub fn genesis(genesis: &Genesis) -> Result<Self, ValidatorSetFault> {
        let validators = ValidatorSet::genesis(genesis.validators.iter().copied())?;
        Ok(Self {
            chain_id: genesis.chain_id.as_str().into(),
            rules: genesis.rules,
            initial_height: genesis.initial_height,
            last_height: 0,
            last_block_id: None,
            last_time: genesis.time,
            next_validators: Arc::new(validators.moved_on(1)),
            validators: Arc::new(validators),
            last_validators: None,
            validators_changed: genesis.initial_height,
            last_results_hash: EMPTY_ROOT,
            app_hash: [0; 32],
        })
    }

    /// Height of the next block.
    #[must_use]
    pub const fn next_height(&self) -> u64 {
        if self.last_height == 0 { self.initial_height } else { self.last_height + 1 }
    }

    /// The state after a block that [`ChainState::validate`] accepted, and what the application answered.
    #[must_use]
    pub fn apply(&self, block: &Block, id: BlockId) -> (Self, Outcome) {
        let height = block.header.height;
        let outcome = Outcome::of(height, &block.txs, &self.app_hash, &self.next_validators);
        let (next, changed) = match outcome.changes.as_slice() {
            [] => (self.next_validators.moved_on(1), self.validators_changed),
            changes => {
                let set = self.next_validators.changed(changes).expect("the application refuses impossible changes");
                (set.moved_on(1), height + 2)
            }
        };
        let state = Self {
            last_height: height,
            last_block_id: Some(id),
            last_time: block.header.time,
            last_validators: Some(Arc::clone(&self.validators)),
            validators: Arc::clone(&self.next_validators),
            next_validators: Arc::new(next),
            validators_changed: changed,
            last_results_hash: outcome.results_hash(),
            app_hash: outcome.app_hash,
            ..self.clone()
        };
        (state, outcome)
    }
}
