//! Starting again: from the store, and from the log of the height that was being decided.

use mbft_types::{Round, ValueOrigin};

use super::bodies::Whole;
use super::host::Host;
use super::output::{DecidedBlock, Output};
use super::{EngineInput, Validator};
use crate::chain::{Block, BlockId, ChainState, Commit, PartSet};
use crate::consensus::ballot::number;
use crate::consensus::wire::WalRecord;

/// What a validator starts from.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The state that is stored.
    pub state: ChainState,
    /// The commit of the last stored block, as it was seen; `None` if there is none.
    pub last_commit: Option<Commit>,
    /// The last stored block, if the state after it was not stored any more.
    pub unapplied: Option<Unapplied>,
    /// The log and the height that it is of.
    pub wal: (u64, Vec<WalRecord>),
}

/// A block without the state after it.
#[derive(Clone, Debug)]
pub struct Unapplied {
    /// The block.
    pub block: Block,
    /// Its name.
    pub id: BlockId,
}

impl Validator {
    /// Begins the next height, from the log if it is of that height.
    pub(super) fn resume(&mut self, (height, wal): (u64, Vec<WalRecord>)) {
        let is_of_next = height == self.host.state.next_height();
        self.host.replayed = is_of_next.then(|| wal.iter().map(WalRecord::encode).collect());
        self.begin_height(is_of_next);
        if is_of_next {
            let entries = self.host.take_bodies(wal);
            self.engine.index_wal_entries(entries.iter());
            for entry in entries {
                self.feed(entry);
            }
            self.engine.reset_entries_index();
            self.host.replayed = None;
            self.host.after_replay();
        }
        self.drain();
    }
}

impl Host {
    /// Applies a block that was stored without the state after it.
    pub(super) fn apply_stored(&mut self, unapplied: Unapplied) {
        let Unapplied { block, id } = unapplied;
        let Some(seen_commit) = self.last_commit.clone() else { return };
        let (state, outcome) = self.state.apply(&block, id);
        self.state = state.clone();
        let parts = PartSet::new(&block.encode());
        self.outputs.push(Output::SaveState(DecidedBlock { block, id, parts, seen_commit, state, outcome }.into()));
    }

    /// Takes the blocks out of the log; the rest is for the engine.
    fn take_bodies(&mut self, wal: Vec<WalRecord>) -> Vec<EngineInput> {
        let mut entries = Vec::with_capacity(wal.len());
        for record in wal {
            entries.push(match record {
                WalRecord::Vote(vote) => EngineInput::Vote(vote),
                WalRecord::Proposal(proposal) => EngineInput::Proposal(proposal),
                WalRecord::PolkaCertificate(certificate) => EngineInput::PolkaCertificate(certificate),
                WalRecord::Timer(timer) => EngineInput::TimeoutElapsed(timer),
                WalRecord::Value(value) => {
                    self.bodies.all().filter(|(id, _)| **id == value.value).for_each(|(_, body)| body.is_fed = true);
                    if value.proposer == self.address {
                        self.own.insert(number(value.round), value.value);
                    }
                    EngineInput::ProposedValue(value, ValueOrigin::Consensus)
                }
                WalRecord::Block(bytes) => {
                    self.recall(bytes);
                    continue;
                }
            });
        }
        entries
    }

    /// Takes up a block from the log.
    fn recall(&mut self, bytes: Vec<u8>) {
        let Ok(block) = Block::decode(&bytes) else { return };
        let id = PartSet::new(&bytes).id(block.header.hash());
        if let Ok(body) = (Whole { round: 0, id, bytes }).judge(&self.state) {
            self.bodies.keep(id, body);
        }
    }

    /// Tells the engine of blocks whose judgement the log has lost, and makes the block that it asked for meanwhile.
    fn after_replay(&mut self) {
        let untold: Vec<BlockId> = self.bodies.all().filter(|(_, body)| !body.is_fed).map(|(id, _)| *id).collect();
        for id in untold {
            self.tell_engine(id, Round::ZERO);
        }
        if let Some(round) = self.wanted.take() {
            self.propose(round);
        }
    }
}
