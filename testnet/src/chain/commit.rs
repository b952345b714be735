//! The signatures of the validators on one block, one place for each validator of its height.

use ledger_formats::comet::wire::{put_bytes, put_message, put_uint};
use ledger_formats::comet::{self, GO_ZERO_TIME, put_timestamp};
use proofs::commit::{CommitSignature, Flag};
use proofs::merkle::Hash;

use super::block_id::BlockId;
use super::keys::{Address, Crypto, Signature};
use super::sign_bytes::{VoteKind, vote_sign_bytes};
use super::time::Time;
use super::validators::ValidatorSet;

/// What one validator did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitSig {
    /// Nothing that arrived in time, or a vote for another block.
    Absent,
    /// It signed the block.
    Block(Address, Signature),
    /// It signed that it saw no block.
    Nil(Address, Signature),
}

/// Votes of one height and round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Height that was voted on.
    pub height: u64,
    /// Round in which the votes were cast.
    pub round: u32,
    /// The block.
    pub block_id: BlockId,
    /// One for each validator, in the order of the set.
    pub signatures: Vec<CommitSig>,
}

/// How much of the power must have signed: strictly more than this part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Of the part.
    pub numerator: u64,
    /// Of the part.
    pub denominator: u64,
}

/// Why a commit does not prove its block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitFault {
    /// It is for something else.
    #[error("the commit is for block {actual} of height {height}, expected {expected} of {expected_height}")]
    Other {
        /// The height to prove.
        expected_height: u64,
        /// The height of the commit.
        height: u64,
        /// The block to prove.
        expected: BlockId,
        /// The block of the commit.
        actual: BlockId,
    },
    /// It has not one place for each validator.
    #[error("the commit has {actual} places for {expected} validators")]
    Places {
        /// Validators.
        expected: usize,
        /// Places.
        actual: usize,
    },
    /// A place is that of another validator, or its signature does not hold.
    #[error("signature {place} of the commit does not hold")]
    Signature {
        /// Place, from 0.
        place: usize,
    },
    /// Too little power.
    #[error("{signed} of {total} power signed")]
    Power {
        /// Power that signed the block.
        signed: u64,
        /// Power of all.
        total: u64,
    },
}

impl Quorum {
    /// More than two thirds.
    pub const TWO_THIRDS: Self = Self { numerator: 2, denominator: 3 };

    /// Whether `signed` of `total` is enough.
    #[must_use]
    pub const fn is_met(self, signed: u64, total: u64) -> bool {
        signed as u128 * self.denominator as u128 > total as u128 * self.numerator as u128
    }
}

impl CommitSig {
    fn borrowed(&self) -> CommitSignature<'_> {
        match self {
            Self::Absent => CommitSignature { flag: Flag::Absent, address: &[], time: GO_ZERO_TIME, signature: &[] },
            Self::Block(address, signature) => borrowed(Flag::Commit, address, signature),
            Self::Nil(address, signature) => borrowed(Flag::Nil, address, signature),
        }
    }

    fn from_borrowed(signature: &CommitSignature<'_>) -> Option<Self> {
        if signature.flag == Flag::Absent {
            return Some(Self::Absent);
        }
        let address = Address(signature.address.try_into().ok()?);
        let bytes = signature.signature.try_into().ok()?;
        let own = Signature { time: Time::from_timestamp(signature.time)?, bytes };
        Some(if signature.flag == Flag::Commit { Self::Block(address, own) } else { Self::Nil(address, own) })
    }
}

fn borrowed<'a>(flag: Flag, address: &'a Address, signature: &'a Signature) -> CommitSignature<'a> {
    CommitSignature { flag, address: &address.0, time: signature.time.timestamp(), signature: &signature.bytes }
}

impl Commit {
    /// The same, lent to the codecs.
    #[must_use]
    pub fn borrowed(&self) -> comet::Commit<'_> {
        comet::Commit {
            height: self.height,
            round: i32::try_from(self.round).expect("rounds are few"),
            block_id: self.block_id.borrowed(),
            signatures: self.signatures.iter().map(CommitSig::borrowed).collect(),
        }
    }

    /// Takes up a decoded commit; `Ok(None)` for the empty one before the first block.
    ///
    /// # Errors
    /// The decoded one, if it has not the form that this chain's commits have.
    pub fn from_borrowed<'a>(commit: &comet::Commit<'a>) -> Result<Option<Self>, comet::Commit<'a>> {
        if *commit == comet::Commit::default() {
            return Ok(None);
        }
        let own = || {
            Some(Self {
                height: commit.height,
                round: u32::try_from(commit.round).ok()?,
                block_id: BlockId::from_borrowed(&commit.block_id).ok()??,
                signatures: commit.signatures.iter().map(CommitSig::from_borrowed).collect::<Option<_>>()?,
            })
        };
        own().map(Some).ok_or_else(|| commit.clone())
    }

    /// The last-commit hash of the next block.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.borrowed().hash()
    }

    /// Appends the fields of the message; `None` is the empty commit.
    pub fn put(commit: Option<&Self>, out: &mut Vec<u8>) {
        let Some(commit) = commit else { return put_message(out, 3, |out| comet::BlockId::default().put(out)) };
        put_uint(out, 1, commit.height);
        put_uint(out, 2, commit.round.into());
        put_message(out, 3, |out| commit.block_id.borrowed().put(out));
        for signature in &commit.signatures {
            let CommitSignature { flag, address, time, signature } = signature.borrowed();
            put_message(out, 4, |out| {
                put_uint(out, 1, flag_number(flag));
                put_bytes(out, 2, address);
                put_message(out, 3, |out| put_timestamp(out, time));
                put_bytes(out, 4, signature);
            });
        }
    }

    /// The message as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + 112 * self.signatures.len());
        Self::put(Some(self), &mut out);
        out
    }

    /// Checks that this is a commit of `height` for `block` by `validators`, as `VerifyCommit` of CometBFT does: every
    /// signature, those for nil too, belongs to the validator at its place and holds.
    ///
    /// # Errors
    /// [`CommitFault`].
    pub fn verify(
        &self,
        chain_id: &str,
        height: u64,
        block: &BlockId,
        validators: &ValidatorSet,
        quorum: Quorum,
        crypto: Crypto,
    ) -> Result<(), CommitFault> {
        if self.height != height || self.block_id != *block {
            let (expected, actual) = (*block, self.block_id);
            return Err(CommitFault::Other { expected_height: height, height: self.height, expected, actual });
        }
        let members = validators.members();
        if self.signatures.len() != members.len() {
            return Err(CommitFault::Places { expected: members.len(), actual: self.signatures.len() });
        }
        let mut signed = 0;
        for (place, (entry, validator)) in self.signatures.iter().zip(members).enumerate() {
            let (address, signature, voted) = match entry {
                CommitSig::Absent => continue,
                CommitSig::Block(address, signature) => (address, signature, Some(block)),
                CommitSig::Nil(address, signature) => (address, signature, None),
            };
            let message = vote_sign_bytes(chain_id, VoteKind::Precommit, height, self.round, voted, signature.time);
            if *address != validator.address || !crypto.holds(&validator.public_key, &message, &signature.bytes) {
                return Err(CommitFault::Signature { place });
            }
            signed += voted.map_or(0, |_| validator.power);
        }
        let total = validators.total();
        if quorum.is_met(signed, total) { Ok(()) } else { Err(CommitFault::Power { signed, total }) }
    }
}

const fn flag_number(flag: Flag) -> u64 {
    match flag {
        Flag::Absent => 1,
        Flag::Commit => 2,
        Flag::Nil => 3,
    }
}

#[cfg(test)]
mod tests {
    use ledger_formats::comet::Decode;

    use super::*;
    use crate::chain::PrivateKey;

    const BLOCK: BlockId = BlockId { hash: [1; 32], part_count: 1, part_set_hash: [2; 32] };

    fn keys() -> Vec<PrivateKey> {
        (1..=4).map(|number| PrivateKey::from_seed([number; 32], Crypto::Ed25519)).collect()
    }

    fn set() -> ValidatorSet {
        ValidatorSet::genesis(keys().iter().map(|key| (key.public(), 10))).expect("a set")
    }

    /// Votes by place: `b` for the block, `n` for nil, `-` for none.
    fn commit(votes: &str) -> Commit {
        let sign = |place: usize, block: Option<&BlockId>| {
            let address = set().members()[place].address;
            let key = keys().into_iter().find(|key| key.public().address() == address).expect("a member");
            let time = Time(1_000 + i64::try_from(place).expect("small"));
            let message = vote_sign_bytes("chain", VoteKind::Precommit, 5, 1, block, time);
            (address, Signature { time, bytes: key.sign(&message) })
        };
        let place = |(place, vote)| match vote {
            'b' => {
                let (address, signature) = sign(place, Some(&BLOCK));
                CommitSig::Block(address, signature)
            }
            'n' => {
                let (address, signature) = sign(place, None);
                CommitSig::Nil(address, signature)
            }
            _ => CommitSig::Absent,
        };
        Commit { height: 5, round: 1, block_id: BLOCK, signatures: votes.chars().enumerate().map(place).collect() }
    }

    fn verdict(commit: &Commit) -> Result<(), CommitFault> {
        commit.verify("chain", 5, &BLOCK, &set(), Quorum::TWO_THIRDS, Crypto::Ed25519)
    }

    #[test]
    fn more_than_two_thirds_are_needed_and_nil_does_not_count() {
        assert_eq!(verdict(&commit("bbbb")), Ok(()));
        assert_eq!(verdict(&commit("bnbb")), Ok(()));
        assert_eq!(verdict(&commit("-bbb")), Ok(()));
        assert_eq!(verdict(&commit("bbn-")), Err(CommitFault::Power { signed: 20, total: 40 }));
    }

    #[test]
    fn every_signature_must_hold_at_its_place() {
        let mut swapped = commit("bbbb");
        swapped.signatures.swap(0, 1);
        assert_eq!(verdict(&swapped), Err(CommitFault::Signature { place: 0 }));
        let mut later = commit("bbbn");
        if let CommitSig::Nil(_, signature) = &mut later.signatures[3] {
            signature.time.0 += 1;
        }
        assert_eq!(verdict(&later), Err(CommitFault::Signature { place: 3 }));
        assert!(matches!(verdict(&commit("bbb")), Err(CommitFault::Places { expected: 4, actual: 3 })));
    }

    #[test]
    fn the_checker_of_proofs_agrees_and_the_bytes_come_back() {
        let set = set();
        let signers = set.borrowed().to_proof().expect("a set");
        for votes in ["bbbb", "bn-b", "nbbb", "-bbb", "bb--"] {
            let commit = commit(votes);
            let borrowed = commit.borrowed();
            let theirs = borrowed.to_proof().expect("a commit").verify("chain", &signers);
            assert_eq!(verdict(&commit).is_ok(), theirs.is_ok(), "{votes}");
            let bytes = commit.encode();
            let decoded = comet::Commit::decode(&bytes).expect("decodes");
            assert_eq!(Commit::from_borrowed(&decoded), Ok(Some(commit)));
        }
    }

    #[test]
    fn the_empty_commit_is_that_of_cometbft() {
        let mut out = Vec::new();
        Commit::put(None, &mut out);
        assert_eq!(out, [0x1a, 0x02, 0x12, 0x00]);
        assert_eq!(Commit::from_borrowed(&comet::Commit::decode(&out).expect("decodes")), Ok(None));
    }
}
