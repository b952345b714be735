//! The signer of a validator: it signs at most one proposal, one prevote and one precommit a round, and never goes back.
//!
//! # Correctness
//! What it signed last is in [`LastSigned`], which the host makes durable before the signature leaves: then no crash,
//! and no log that lost its end, can make it sign the contrary. Asked again for what it signed last, it gives the same
//! signature with the same time. Source: privval/file.go, `CheckHRS` and `checkVotesOnlyDifferByTimestamp`.

use super::ballot::{Proposal, Vote, number};
use crate::chain::{PrivateKey, PublicKey, Signature, Time};

/// What is signed in a round, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing yet.
    #[default]
    None,
    /// The proposal.
    Propose,
    /// The first vote.
    Prevote,
    /// The second vote.
    Precommit,
}

/// What was signed last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastSigned {
    /// Height.
    pub height: u64,
    /// Round.
    pub round: u32,
    /// Which message.
    pub step: Step,
    /// The bytes that were signed, with their time; empty if nothing was.
    pub sign_bytes: Vec<u8>,
    /// The signature; `None` if nothing was signed.
    pub signature: Option<Signature>,
}

/// Why the signer does not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It has signed something later.
    #[error("asked to sign {step:?} of height {height}, round {round}, after something later was signed")]
    Backwards {
        /// Height asked for.
        height: u64,
        /// Round asked for.
        round: u32,
        /// Message asked for.
        step: Step,
    },
    /// It has signed something else there.
    #[error("asked to sign another {step:?} of height {height}, round {round}, than before")]
    Twice {
        /// Height asked for.
        height: u64,
        /// Round asked for.
        round: u32,
        /// Message asked for.
        step: Step,
    },
}

/// A key that never signs twice.
#[derive(Clone, Debug)]
pub struct Signer {
    key: PrivateKey,
    last: LastSigned,
}

impl Signer {
    /// A signer that has last signed this.
    #[must_use]
    pub const fn new(key: PrivateKey, last: LastSigned) -> Self {
        Self { key, last }
    }

    /// The key that checks its signatures.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.key.public()
    }

    /// What it signed last, to be made durable before the signature leaves.
    #[must_use]
    pub const fn last(&self) -> &LastSigned {
        &self.last
    }

    /// Signs a vote at `time`, or gives the signature that it has already.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn vote(&mut self, chain_id: &str, vote: &Vote, time: Time) -> Result<Signature, Refusal> {
        let step = match vote.kind {
            mbft_types::VoteType::Prevote => Step::Prevote,
            mbft_types::VoteType::Precommit => Step::Precommit,
        };
        self.sign(vote.height.0, number(vote.round), step, time, |time| vote.sign_bytes(chain_id, time))
    }

    /// Signs a proposal at `time`, or gives the signature that it has already.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn proposal(&mut self, chain_id: &str, proposal: &Proposal, time: Time) -> Result<Signature, Refusal> {
        let bytes = |time| proposal.sign_bytes(chain_id, time);
        self.sign(proposal.height.0, number(proposal.round), Step::Propose, time, bytes)
    }

    fn sign(
        &mut self,
        height: u64,
        round: u32,
        step: Step,
        time: Time,
        bytes: impl Fn(Time) -> Vec<u8>,
    ) -> Result<Signature, Refusal> {
        let last = &self.last;
        if let Some(signature) = last.signature {
            match (height, round, step).cmp(&(last.height, last.round, last.step)) {
                std::cmp::Ordering::Less => return Err(Refusal::Backwards { height, round, step }),
                std::cmp::Ordering::Equal if bytes(signature.time) == last.sign_bytes => return Ok(signature),
                std::cmp::Ordering::Equal => return Err(Refusal::Twice { height, round, step }),
                std::cmp::Ordering::Greater => {}
            }
        }
        let sign_bytes = bytes(time);
        let signature = Signature { time, bytes: self.key.sign(&sign_bytes) };
        self.last = LastSigned { height, round, step, sign_bytes, signature: Some(signature) };
        Ok(signature)
    }
}

#[cfg(test)]
mod tests {
    use mbft_types::{NilOrVal, Round, VoteType};

    use super::*;
    use crate::chain::{Address, BlockId, Crypto};
    use crate::consensus::Height;

    const BLOCK: BlockId = BlockId { hash: [1; 32], part_count: 1, part_set_hash: [2; 32] };

    fn vote(round: u32, kind: VoteType, value: NilOrVal<BlockId>) -> Vote {
        Vote { kind, height: Height(5), round: Round::new(round), value, address: Address([0; 20]) }
    }

    #[test]
    fn it_signs_forwards_only_and_the_same_only_once() {
        let mut signer = Signer::new(PrivateKey::from_seed([1; 32], Crypto::Checksum), LastSigned::default());
        let first = vote(1, VoteType::Prevote, NilOrVal::Val(BLOCK));
        let signature = signer.vote("chain", &first, Time(10)).expect("signs");
        assert_eq!(signer.vote("chain", &first, Time(99)), Ok(signature), "the first time stays");
        let other = vote(1, VoteType::Prevote, NilOrVal::Nil);
        let twice = Refusal::Twice { height: 5, round: 1, step: Step::Prevote };
        assert_eq!(signer.vote("chain", &other, Time(10)), Err(twice));
        // A signer that starts again from what was kept refuses the same.
        let mut again = Signer::new(PrivateKey::from_seed([1; 32], Crypto::Checksum), signer.last().clone());
        assert_eq!(again.vote("chain", &other, Time(10)), Err(twice));
        again.vote("chain", &vote(1, VoteType::Precommit, NilOrVal::Nil), Time(11)).expect("signs the next step");
        let back = Refusal::Backwards { height: 5, round: 1, step: Step::Prevote };
        assert_eq!(again.vote("chain", &first, Time(12)), Err(back));
        again.vote("chain", &vote(2, VoteType::Prevote, NilOrVal::Nil), Time(13)).expect("signs the next round");
    }

    #[test]
    fn a_proposal_with_another_polka_round_is_another_proposal() {
        let mut signer = Signer::new(PrivateKey::from_seed([1; 32], Crypto::Ed25519), LastSigned::default());
        let address = Address([0; 20]);
        let one = Proposal { height: Height(1), round: Round::new(2), value: BLOCK, pol_round: Round::Nil, address };
        signer.proposal("chain", &one, Time(1)).expect("signs");
        let other = Proposal { pol_round: Round::new(1), ..one };
        assert!(matches!(signer.proposal("chain", &other, Time(1)), Err(Refusal::Twice { .. })));
    }
}
