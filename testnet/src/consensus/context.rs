//! The chain as the engine sees it.
//!
//! The engine knows heights, rounds, addresses, names of blocks and votes; blocks themselves, times and priorities are
//! ours. Its value is the [`BlockId`], and the time of a vote is part of its [`Signature`].

use std::sync::Arc;

use mbft_types as engine;
use mbft_types::{LinearTimeouts, NilOrVal, Round, VoteType};

use super::ballot::{Proposal, Vote};
use crate::chain::{Address, BlockId, PrivateKey, PublicKey, Signature, Time, Validator, ValidatorSet};

/// The types of a testnet, for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Testnet;

/// A height, for the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(
    /// The height.
    pub u64,
);

/// The validators of a height, for the engine, which copies them often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Electorate(
    /// The validators.
    pub Arc<ValidatorSet>,
);

/// Parts are no business of the engine's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPart;

/// Signatures with their time: `i64` nanoseconds, big-endian, then 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme;

impl std::fmt::Display for Height {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl engine::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

impl engine::Address for Address {}

impl engine::Value for BlockId {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

impl engine::Validator<Testnet> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn voting_power(&self) -> u64 {
        self.power
    }
}

impl engine::ValidatorSet<Testnet> for Electorate {
    fn count(&self) -> usize {
        self.0.members().len()
    }

    fn total_voting_power(&self) -> u64 {
        self.0.total()
    }

    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.0.by_address(address)
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.0.members().get(index)
    }
}

impl engine::ProposalPart<Testnet> for NoPart {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

impl engine::SigningScheme for Scheme {
    type DecodingError = &'static str;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = PrivateKey;

    fn decode_signature(bytes: &[u8]) -> Result<Signature, &'static str> {
        let (time, rest) = bytes.split_first_chunk::<8>().ok_or("a signature has 72 bytes")?;
        let bytes = rest.try_into().map_err(|_| "a signature has 72 bytes")?;
        Ok(Signature { time: Time(i64::from_be_bytes(*time)), bytes })
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        [&signature.time.0.to_be_bytes()[..], &signature.bytes].concat()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, &'static str> {
        bytes.try_into().map(PublicKey).map_err(|_| "a key has 32 bytes")
    }

    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.0.to_vec()
    }
}

impl engine::Context for Testnet {
    type Address = Address;
    type Height = Height;
    type ProposalPart = NoPart;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = Electorate;
    type Timeouts = LinearTimeouts;
    type Value = BlockId;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(&self, validators: &'a Electorate, _: Height, round: Round) -> &'a Validator {
        let Electorate(set) = validators;
        &set.members()[set.proposer_of(round.as_u32().unwrap_or(0))]
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: BlockId,
        pol_round: Round,
        address: Address,
    ) -> Proposal {
        Proposal { height, round, value, pol_round, address }
    }

    fn new_prevote(&self, height: Height, round: Round, value: NilOrVal<BlockId>, address: Address) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, value, address }
    }

    fn new_precommit(&self, height: Height, round: Round, value: NilOrVal<BlockId>, address: Address) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, value, address }
    }
}

#[cfg(test)]
mod tests {
    use mbft_types::SigningScheme;

    use super::*;

    #[test]
    fn a_signature_comes_back_with_its_time() {
        let signature = Signature { time: Time(-5), bytes: [7; 64] };
        let bytes = Scheme::encode_signature(&signature);
        assert_eq!(Scheme::decode_signature(&bytes), Ok(signature));
        assert!(Scheme::decode_signature(&bytes[1..]).is_err());
    }
}
