//! From one height to the next: what a decision makes of the block, and the votes that the next block carries.

use std::sync::Arc;

use mbft::ThresholdParams;
use mbft_types::{CommitCertificate, NilOrVal, ThresholdParam, VoteExtensionPolicy, VoteType};

use super::host::Host;
use super::output::{Complaint, DecidedBlock, Output};
use super::timers::Armed;
use super::{EngineInput, Validator};
use crate::chain::{Block, BlockId, Commit, CommitSig, PartSet, Quorum};
use crate::consensus::ballot::{SignedVote, number};
use crate::consensus::context::{Electorate, Height, Testnet};

impl Validator {
    /// Ends the wait for late votes and goes on to the next height.
    pub(super) fn next_height(&mut self) {
        let Some(certificate) = self.host.decided.take() else { return };
        let votes = self.engine.driver.votes().per_round(certificate.round);
        let votes = votes.map(|round| round.received_votes().as_slice()).unwrap_or_default();
        self.host.last_commit = Some(commit(&certificate, votes, &self.host.electorate));
        self.begin_height(false);
    }

    /// Goes on to the height after the state's; `is_restart` keeps the log.
    pub(super) fn begin_height(&mut self, is_restart: bool) {
        let height = self.host.state.next_height();
        if !is_restart {
            self.host.outputs.push(Output::ResetWal { height });
        }
        let early = self.host.begin(height);
        let validators = self.host.electorate.clone();
        let policy = VoteExtensionPolicy::Disabled;
        self.feed(EngineInput::StartHeight(Height(height), validators, is_restart, None, policy));
        for whole in early {
            self.host.judge(&whole);
        }
    }
}

impl Host {
    /// Forgets the last height; returns the blocks that came early for this one.
    fn begin(&mut self, height: u64) -> Vec<super::bodies::Whole> {
        self.height = height;
        self.electorate = Electorate(self.state.validators.clone());
        self.decided = None;
        self.own.clear();
        self.wanted = None;
        self.queue.clear();
        self.timers.cancel(|armed| *armed != Armed::CatchUp);
        self.bodies.begin(height)
    }

    /// Takes the engine's decision: stores the block and the state after it.
    pub(super) fn decide(&mut self, certificate: CommitCertificate<Testnet>) {
        let id = certificate.value_id;
        let Some(body) = self.bodies.get(&id) else {
            return self.complain(Complaint::MissingBlock { height: certificate.height.0, block: id });
        };
        let (block, parts) = (body.block.clone(), body.parts.clone());
        let seen_commit = commit(&certificate, &[], &self.electorate);
        self.outputs.push(Output::SyncWal);
        self.store(block, id, parts, seen_commit);
        self.decided = Some(certificate);
    }

    /// Stores a block that is decided, and the state after it.
    pub(super) fn store(&mut self, block: Block, id: BlockId, parts: PartSet, seen_commit: Commit) {
        let (state, outcome) = self.state.apply(&block, id);
        self.pool.remove(&block.txs);
        self.state = state.clone();
        let decided = Arc::new(DecidedBlock { block, id, parts, seen_commit, state, outcome });
        self.outputs.push(Output::SaveBlock(Arc::clone(&decided)));
        self.outputs.push(Output::SaveState(decided));
    }

    /// The parts of the power that the engine asks for.
    pub(super) fn thresholds(&self) -> ThresholdParams {
        let Quorum { numerator, denominator } = self.state.rules.quorum;
        ThresholdParams { quorum: ThresholdParam::new(numerator, denominator), ..ThresholdParams::default() }
    }
}

/// The commit that a certificate and other votes of its round make, in the order of the set. As in CometBFT, the first
/// vote of a validator counts, and one for another block is as good as none.
fn commit(certificate: &CommitCertificate<Testnet>, votes: &[SignedVote], validators: &Electorate) -> Commit {
    let block_id = certificate.value_id;
    let place = |validator: &crate::chain::Validator| {
        let address = validator.address;
        if let Some(signed) = certificate.commit_signatures.iter().find(|signed| signed.address == address) {
            return CommitSig::Block(address, signed.signature);
        }
        let precommit = votes.iter().find(|vote| vote.kind == VoteType::Precommit && vote.address == address);
        match precommit.map(|vote| (&vote.message.value, vote.signature)) {
            Some((NilOrVal::Nil, signature)) => CommitSig::Nil(address, signature),
            Some((NilOrVal::Val(value), signature)) if *value == block_id => CommitSig::Block(address, signature),
            _ => CommitSig::Absent,
        }
    };
    Commit {
        height: certificate.height.0,
        round: number(certificate.round),
        block_id,
        signatures: validators.0.members().iter().map(place).collect(),
    }
}

#[cfg(test)]
mod tests {
    use mbft_types::{CommitSignature, Round};

    use super::*;
    use crate::chain::{Address, PublicKey, Signature, Time, ValidatorSet};
    use crate::consensus::Vote;

    #[test]
    fn late_votes_fill_places_and_votes_for_other_blocks_do_not() {
        let (block, other) =
            ([1, 2]).map(|byte| BlockId { hash: [byte; 32], part_count: 1, part_set_hash: [0; 32] }).into();
        let set = ValidatorSet::genesis((1..=5).map(|number| (PublicKey([number; 32]), 1))).expect("a set");
        let address = |place: usize| set.members()[place].address;
        let signature = |number: i64| Signature { time: Time(number), bytes: [0; 64] };
        let vote = |place: usize, kind, value| {
            let vote = Vote { kind, height: Height(3), round: Round::new(1), value, address: address(place) };
            SignedVote::new(vote, signature(i64::try_from(place).expect("small")))
        };
        let certificate = CommitCertificate {
            height: Height(3),
            round: Round::new(1),
            value_id: block,
            commit_signatures: vec![CommitSignature::new(address(0), signature(100))],
        };
        let late = [
            vote(0, VoteType::Precommit, NilOrVal::Val(block)),
            vote(1, VoteType::Precommit, NilOrVal::Nil),
            vote(2, VoteType::Precommit, NilOrVal::Val(other)),
            vote(3, VoteType::Prevote, NilOrVal::Val(block)),
            vote(4, VoteType::Precommit, NilOrVal::Val(block)),
        ];
        let commit = commit(&certificate, &late, &Electorate(Arc::new(set.clone())));
        let of = |place: usize| -> Address { address(place) };
        let expected = [
            CommitSig::Block(of(0), signature(100)),
            CommitSig::Nil(of(1), signature(1)),
            CommitSig::Absent,
            CommitSig::Absent,
            CommitSig::Block(of(4), signature(4)),
        ];
        assert_eq!((commit.round, commit.signatures.as_slice()), (1, &expected[..]));
    }
}
