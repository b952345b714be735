//! Catching up past the engine: a decided block from a peer is checked by the rules of the chain and stored, and the
//! engine begins at the height after it.

use super::Validator;
use super::host::Host;
use super::output::{AnswerFault, Complaint, Receiver};
use super::timers::Armed;
use crate::chain::{Block, BlockId, Commit, PartSet};
use crate::consensus::wire::Message;

impl Validator {
    /// Takes a peer's answer, and asks it for the next block.
    pub(super) fn catch_up(&mut self, from: u32, height: u64, bytes: &[u8], commit: Commit) {
        // Asked of all peers: the first answer counts.
        if height != self.host.state.next_height() {
            return;
        }
        match self.host.proven(height, bytes, &commit) {
            Ok((block, id, parts)) => {
                self.host.store(block, id, parts, commit.clone());
                self.host.last_commit = Some(commit);
                self.begin_height(false);
                self.host.send(Receiver::Peer(from), Message::BlockRequest { height: height + 1 });
            }
            Err(fault) => self.host.complain(Complaint::BadAnswer { peer: from, height, fault }),
        }
    }
}

impl Host {
    /// Asks a peer that is deciding a later height for the block that is missing here: it has it. Once a height, as others tell the same.
    pub(super) fn ask_if_behind(&mut self, peer: u32, height: u64) {
        let missing = self.state.next_height();
        if height > missing && self.asked_for != missing {
            self.asked_for = missing;
            self.send(Receiver::Peer(peer), Message::BlockRequest { height: missing });
        }
    }

    /// Asks all peers for the next block, if there has been no decision since it was last looked.
    pub(super) fn ask_if_stuck(&mut self) {
        let height = self.state.next_height();
        if height == self.looked_at {
            self.send(Receiver::All, Message::BlockRequest { height });
        }
        self.looked_at = height;
        self.arm(Armed::CatchUp);
    }

    fn proven(&self, height: u64, bytes: &[u8], commit: &Commit) -> Result<(Block, BlockId, PartSet), AnswerFault> {
        let block = Block::decode(bytes)?;
        let parts = PartSet::new(bytes);
        let id = parts.id(block.header.hash());
        let state = &self.state;
        commit.verify(&state.chain_id, height, &id, &state.validators, state.rules.quorum, state.rules.crypto)?;
        state.validate(&block, bytes.len())?;
        Ok((block, id, parts))
    }
}
