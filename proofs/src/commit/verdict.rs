//! Whether a commit proves its block: one validator set, one commit, one verdict with its reason.
//!
//! Rules (CometBFT `types/validation.go`, `VerifyCommit`): signature i belongs to validator i; a signature for
//! the block counts, one for nil is checked and does not count, an absent one is skipped; strictly more than
//! two thirds of the power must have signed. The address beside signature i must be that of validator i, which
//! releases before 2026 did not check (advisory GHSA-c32p-wcqj-j677): signed bytes do not contain it.

use super::batch::SignatureBatch;
use super::key::Address;
use super::set::ValidatorSet;
use super::vote::{BlockId, Timestamp, VoteTemplate};

/// What a validator did about a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// It sent nothing in time.
    Absent,
    /// It signed the block.
    Commit,
    /// It signed that it saw no block.
    Nil,
}

/// A number that is no `BlockIDFlag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("block id flag {0} is neither 1 (absent), 2 (commit) nor 3 (nil)")]
pub struct UnknownFlag(pub i32);

impl TryFrom<i32> for Flag {
    type Error = UnknownFlag;

    fn try_from(code: i32) -> Result<Self, UnknownFlag> {
        match code {
            1 => Ok(Self::Absent),
            2 => Ok(Self::Commit),
            3 => Ok(Self::Nil),
            other => Err(UnknownFlag(other)),
        }
    }
}

/// One place of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitSignature<'a> {
    /// What the validator did.
    pub flag: Flag,
    /// The address written beside the signature; empty when absent.
    pub address: &'a [u8],
    /// When it signed.
    pub time: Timestamp,
    /// The signature; empty when absent.
    pub signature: &'a [u8],
}

/// A commit: who signed a block, in the order of the validator set of its height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit<'a> {
    /// Height of the block.
    pub height: i64,
    /// Round in which it was decided.
    pub round: i32,
    /// The block.
    pub block: BlockId,
    /// One for each validator.
    pub signatures: &'a [CommitSignature<'a>],
}

/// How much of a validator set's power signed a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Power that signed the block.
    pub signed: u64,
    /// Power of the set.
    pub total: u64,
}

impl Tally {
    /// Whether strictly more than two thirds signed: `3 * signed > 2 * total`.
    #[must_use]
    pub const fn is_enough(self) -> bool {
        3 * self.signed as u128 > 2 * self.total as u128
    }
}

/// The tag of a queued signature: where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignaturePlace {
    /// Height of the commit.
    pub height: i64,
    /// Place in the commit, from 0.
    pub index: usize,
}

/// Why a commit does not prove a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The commit is of another height.
    #[error("commit is of height {actual}, expected {expected}")]
    WrongHeight {
        /// The height to be proven.
        expected: i64,
        /// The commit's.
        actual: i64,
    },
    /// The commit is for another block.
    #[error("commit at height {height} is for block {actual}, expected {expected}")]
    WrongBlock {
        /// The height.
        height: i64,
        /// The block to be proven.
        expected: Box<BlockId>,
        /// The commit's.
        actual: Box<BlockId>,
    },
    /// The commit does not have one place for each validator.
    #[error("commit at height {height} has {actual} places for {expected} validators")]
    SignatureCount {
        /// The height.
        height: i64,
        /// Validators in the set.
        expected: usize,
        /// Places in the commit.
        actual: usize,
    },
    /// The address beside a signature is not that of the validator at its place.
    #[error("signature {index} at height {height} names address {actual}, expected {expected}",
        actual = hex::encode(.actual), expected = hex::encode(.expected))]
    AddressMismatch {
        /// The height.
        height: i64,
        /// Place in the commit, from 0.
        index: usize,
        /// The validator's address.
        expected: Address,
        /// The address in the commit.
        actual: Vec<u8>,
    },
    /// A signature does not hold.
    #[error("signature {index} at height {height} does not hold")]
    BadSignature {
        /// The height.
        height: i64,
        /// Place in the commit, from 0.
        index: usize,
    },
    /// Two thirds or less of the power signed the block.
    #[error("{signed} of {total} power signed height {height}: more than two thirds are needed")]
    NotEnoughPower {
        /// The height.
        height: i64,
        /// Power that signed.
        signed: u64,
        /// Power of the set.
        total: u64,
    },
}

impl Commit<'_> {
    /// Checks that this commit is one of `height` for `block`.
    ///
    /// # Errors
    /// [`CommitError::WrongHeight`] or [`CommitError::WrongBlock`].
    pub fn is_for(&self, height: i64, block: &BlockId) -> Result<(), CommitError> {
        if self.height != height {
            return Err(CommitError::WrongHeight { expected: height, actual: self.height });
        }
        if self.block != *block {
            return Err(CommitError::WrongBlock { height, expected: Box::new(*block), actual: Box::new(self.block) });
        }
        Ok(())
    }

    /// Checks all but the signatures, and says how much power they would prove.
    ///
    /// # Errors
    /// [`CommitError::SignatureCount`], [`CommitError::AddressMismatch`] or [`CommitError::NotEnoughPower`].
    pub fn tally(&self, validators: &ValidatorSet) -> Result<Tally, CommitError> {
        let (height, expected) = (self.height, validators.validators().len());
        if self.signatures.len() != expected {
            return Err(CommitError::SignatureCount { height, expected, actual: self.signatures.len() });
        }
        let mut tally = Tally { signed: 0, total: validators.total_power() };
        for (index, (signature, validator)) in self.signatures.iter().zip(validators.validators()).enumerate() {
            if signature.flag == Flag::Absent {
                continue;
            }
            let expected = validator.address();
            if signature.address != expected {
                let actual = signature.address.to_vec();
                return Err(CommitError::AddressMismatch { height, index, expected, actual });
            }
            if signature.flag == Flag::Commit {
                // What signed is a part of the total, which fits.
                tally.signed += validator.power();
            }
        }
        if !tally.is_enough() {
            return Err(CommitError::NotEnoughPower { height, signed: tally.signed, total: tally.total });
        }
        Ok(tally)
    }

    /// Checks all but the signatures, as [`Commit::tally`] does, and queues these.
    ///
    /// What it returns is proven once [`SignatureBatch::finish`] finds no bad signature of this height.
    /// `template` brings the chain id and is set to this commit.
    ///
    /// # Errors
    /// As [`Commit::tally`]; nothing was queued then.
    pub fn queue(
        &self,
        validators: &ValidatorSet,
        template: &mut VoteTemplate,
        batch: &mut SignatureBatch<SignaturePlace>,
    ) -> Result<Tally, CommitError> {
        let tally = self.tally(validators)?;
        template.set(self.height, self.round, &self.block);
        for (index, (signature, validator)) in self.signatures.iter().zip(validators.validators()).enumerate() {
            let message = match signature.flag {
                Flag::Absent => continue,
                Flag::Commit => template.for_block(signature.time),
                Flag::Nil => template.for_nil(signature.time),
            };
            let place = SignaturePlace { height: self.height, index };
            batch.push(validator.key(), message, signature.signature, place);
        }
        Ok(tally)
    }

    /// Checks one commit by itself, signatures included.
    ///
    /// # Errors
    /// Any [`CommitError`] but those of [`Commit::is_for`]; of several bad signatures, the first.
    pub fn verify(&self, chain_id: &str, validators: &ValidatorSet) -> Result<Tally, CommitError> {
        let mut batch = SignatureBatch::new();
        let tally = self.queue(validators, &mut VoteTemplate::new(chain_id), &mut batch)?;
        match batch.finish() {
            Ok(()) => Ok(tally),
            Err(bad) => {
                let index = bad.tags.iter().map(|place| place.index).min().unwrap_or_default();
                Err(CommitError::BadSignature { height: self.height, index })
            }
        }
    }
}
