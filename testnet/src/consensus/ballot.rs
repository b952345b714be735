//! Votes and proposals, and what is signed in them.

use mbft_types as engine;
use mbft_types::{NilOrVal, Round, SignedExtension, VoteType};

use super::context::{Height, Testnet};
use crate::chain::{Address, BlockId, Crypto, PublicKey, Time, VoteKind, proposal_sign_bytes, vote_sign_bytes};

/// A vote with its signature.
pub type SignedVote = engine::SignedVote<Testnet>;
/// A proposal with its signature.
pub type SignedProposal = engine::SignedProposal<Testnet>;

/// A vote. Its time is part of its signature, see [`crate::chain::Signature`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Prevote or precommit.
    pub kind: VoteType,
    /// Height that is voted on.
    pub height: Height,
    /// Round.
    pub round: Round,
    /// The block, or nil.
    pub value: NilOrVal<BlockId>,
    /// Who votes.
    pub address: Address,
}

/// A proposal of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Height of the block.
    pub height: Height,
    /// Round.
    pub round: Round,
    /// The block.
    pub value: BlockId,
    /// Round of the polka that it rests on, or nil.
    pub pol_round: Round,
    /// Who proposes.
    pub address: Address,
}

impl Vote {
    /// The bytes that are signed at `time`.
    #[must_use]
    pub fn sign_bytes(&self, chain_id: &str, time: Time) -> Vec<u8> {
        let kind = match self.kind {
            VoteType::Prevote => VoteKind::Prevote,
            VoteType::Precommit => VoteKind::Precommit,
        };
        vote_sign_bytes(chain_id, kind, self.height.0, number(self.round), self.block(), time)
    }

    /// The block that is voted for; `None` for nil.
    #[must_use]
    pub const fn block(&self) -> Option<&BlockId> {
        match &self.value {
            NilOrVal::Nil => None,
            NilOrVal::Val(block) => Some(block),
        }
    }

    /// Whether a signature holds for it.
    #[must_use]
    pub fn holds(signed: &SignedVote, chain_id: &str, key: &PublicKey, crypto: Crypto) -> bool {
        let bytes = signed.message.sign_bytes(chain_id, signed.signature.time);
        crypto.holds(key, &bytes, &signed.signature.bytes)
    }
}

impl Proposal {
    /// The bytes that are signed at `time`.
    #[must_use]
    pub fn sign_bytes(&self, chain_id: &str, time: Time) -> Vec<u8> {
        proposal_sign_bytes(chain_id, self.height.0, number(self.round), self.pol_round.as_i64(), &self.value, time)
    }
}

/// The number of a round; what is signed always has one.
pub(super) fn number(round: Round) -> u32 {
    round.as_u32().unwrap_or(0)
}

impl engine::Vote<Testnet> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<BlockId> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<BlockId> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.address
    }

    fn extension(&self) -> Option<&SignedExtension<Testnet>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Testnet>> {
        None
    }

    fn extend(self, _: SignedExtension<Testnet>) -> Self {
        self
    }
}

impl engine::Proposal<Testnet> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &BlockId {
        &self.value
    }

    fn take_value(self) -> BlockId {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Address {
        &self.address
    }
}
