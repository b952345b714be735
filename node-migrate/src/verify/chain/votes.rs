//! Commits: whether more than two thirds of the power signed each block, signature by signature.
//!
//! A height can have three records of the same votes: the commit in the block above, the commit that the node saw, and
//! that with extensions. A signature that several of them hold is checked once, and if it is bad, each is named.

use ledger_formats::comet::key::BlockKey;
use ledger_formats::comet::{Commit, ExtendedCommit, GO_ZERO_TIME, put_extension_sign_bytes};
use proofs::commit::{
    Address, BlockId, CommitError, CommitSignature, Flag, SignatureBatch, ValidatorSet, VoteTemplate,
};

use super::rows::{Rows, in_hex};
use super::tally::Tally;
use crate::verify::what::What;

/// The records of the votes of one height, as far as they are there.
#[derive(Default)]
pub(super) struct Records<'a> {
    /// `C:`
    pub commit: Option<Commit<'a>>,
    /// `SC:`
    pub seen: Option<Commit<'a>>,
    /// `EC:`
    pub extended: Option<ExtendedCommit<'a>>,
}

/// Which record holds a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    Commit,
    Seen,
    Extended,
}

impl Record {
    const ALL: [Self; 3] = [Self::Commit, Self::Seen, Self::Extended];

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    const fn key(self, height: u64) -> BlockKey {
        match self {
            Self::Commit => BlockKey::Commit { height },
            Self::Seen => BlockKey::SeenCommit { height },
            Self::Extended => BlockKey::ExtendedCommit { height },
        }
    }
}

/// Where a queued signature stands.
#[derive(Clone, Copy)]
struct Place {
    height: u64,
    index: usize,
    address: Address,
    /// Bits of the records that hold it.
    held_by: u8,
    is_extension: bool,
}

/// A record whose votes may be queued.
struct Admitted<'a> {
    record: Record,
    commit: proofs::commit::Commit<'a>,
}

/// Collects the signatures of a walk.
pub(super) struct Votes {
    batch: SignatureBatch<Place>,
    template: VoteTemplate,
    chain_id: Vec<u8>,
    message: Vec<u8>,
}

impl Votes {
    pub(super) fn new(chain_id: &str) -> Self {
        Self {
            batch: SignatureBatch::new(),
            template: VoteTemplate::new(chain_id),
            chain_id: chain_id.as_bytes().to_vec(),
            message: Vec::new(),
        }
    }

    /// Checks all records of a height, and queues their signatures.
    pub(super) fn take(
        &mut self,
        rows: &Rows<'_>,
        height: u64,
        block: &BlockId,
        signers: &ValidatorSet,
        records: &Records<'_>,
        tally: &mut Tally,
    ) {
        let extended = records.extended.as_ref().map(votes_of);
        let commits = [records.commit.as_ref(), records.seen.as_ref(), extended.as_ref()];
        let counts = [&mut tally.commits, &mut tally.seen_commits, &mut tally.extended_commits];
        let mut admitted = Vec::with_capacity(3);
        for ((record, commit), count) in Record::ALL.into_iter().zip(commits).zip(counts) {
            let Some(commit) = commit else { continue };
            *count += 1;
            if let Some(commit) = admit(rows, record.key(height), height, block, signers, commit) {
                admitted.push(Admitted { record, commit });
            }
        }
        tally.deduplicated += self.queue(height, signers, &admitted);
        if let Some(extended) = &records.extended
            && admitted.iter().any(|admitted| admitted.record == Record::Extended)
        {
            self.queue_extensions(rows, height, signers, extended);
        }
    }

    /// Queues each signature once; how many were there again.
    fn queue(&mut self, height: u64, signers: &ValidatorSet, admitted: &[Admitted<'_>]) -> u64 {
        let mut repeated = 0;
        for (number, Admitted { commit, .. }) in admitted.iter().enumerate() {
            self.template.set(commit.height, commit.round, &commit.block);
            for (index, (signature, validator)) in commit.signatures.iter().zip(signers.validators()).enumerate() {
                let holds = |other: &Admitted<'_>| {
                    other.commit.round == commit.round && other.commit.signatures.get(index) == Some(signature)
                };
                let message = match signature.flag {
                    Flag::Absent => continue,
                    Flag::Commit => self.template.for_block(signature.time),
                    Flag::Nil => self.template.for_nil(signature.time),
                };
                let (before, from_here) = admitted.split_at(number);
                if before.iter().any(holds) {
                    repeated += 1;
                    continue;
                }
                let held_by =
                    from_here.iter().filter(|other| holds(other)).fold(0, |bits, other| bits | other.record.bit());
                let place = Place { height, index, address: validator.address(), held_by, is_extension: false };
                self.batch.push(validator.key(), message, signature.signature, place);
            }
        }
        repeated
    }

    /// Queues the signatures over extensions: one for each vote for the block, none for others.
    fn queue_extensions(&mut self, rows: &Rows<'_>, height: u64, signers: &ValidatorSet, commit: &ExtendedCommit<'_>) {
        for (index, (signature, validator)) in commit.signatures.iter().zip(signers.validators()).enumerate() {
            if signature.vote.flag != Flag::Commit {
                if !(signature.extension.is_empty() && signature.extension_signature.is_empty()) {
                    let actual = format!("one of {} bytes in place {index}", signature.extension.len());
                    let key = BlockKey::ExtendedCommit { height };
                    rows.report(
                        &key,
                        What::ExtensionSignature,
                        &"no extension where no vote is for the block",
                        &actual,
                    );
                }
                continue;
            }
            self.message.clear();
            put_extension_sign_bytes(&mut self.message, &self.chain_id, height, commit.round, signature.extension);
            let held_by = Record::Extended.bit();
            let place = Place { height, index, address: validator.address(), held_by, is_extension: true };
            self.batch.push(validator.key(), &self.message, signature.extension_signature, place);
        }
    }

    /// Checks what still waits, and reports every signature that does not hold.
    pub(super) fn finish(mut self, rows: &Rows<'_>, tally: &mut Tally) {
        let bad = self.batch.finish().err().map(|bad| bad.tags).unwrap_or_default();
        for place in bad {
            for record in Record::ALL.into_iter().filter(|record| place.held_by & record.bit() != 0) {
                let what = if place.is_extension { What::ExtensionSignature } else { What::CommitSignature };
                let expected =
                    format!("a signature by validator {} in place {}", hex::encode(place.address), place.index);
                rows.report(&record.key(place.height), what, &expected, &"one that does not hold");
            }
        }
        tally.signatures += self.batch.checked();
    }
}

/// The votes of a commit with extensions.
fn votes_of<'a>(extended: &ExtendedCommit<'a>) -> Commit<'a> {
    let signatures = extended.signatures.iter().map(|signature| signature.vote).collect();
    Commit { height: extended.height, round: extended.round, block_id: extended.block_id, signatures }
}

/// Checks all of a commit but its signatures.
fn admit<'c>(
    rows: &Rows<'_>,
    key: BlockKey,
    height: u64,
    block: &BlockId,
    signers: &ValidatorSet,
    commit: &'c Commit<'_>,
) -> Option<proofs::commit::Commit<'c>> {
    let Some(proof) = commit.to_proof() else {
        rows.report(&key, What::CommitBlock, &format!("a commit for block {block}"), &in_hex(commit.block_id.hash));
        return None;
    };
    match proof.is_for(height.cast_signed(), block).and_then(|()| proof.tally(signers)) {
        Ok(_) => {
            check_absent(rows, &key, &proof);
            Some(proof)
        }
        Err(error) => {
            report(rows, &key, &error);
            None
        }
    }
}

/// The place of an absent validator is empty, with Go's zero time.
fn check_absent(rows: &Rows<'_>, key: &BlockKey, commit: &proofs::commit::Commit<'_>) {
    let is_empty = |signature: &&CommitSignature<'_>| {
        signature.address.is_empty() && signature.signature.is_empty() && signature.time == GO_ZERO_TIME
    };
    let mut absent = commit.signatures.iter().filter(|signature| signature.flag == Flag::Absent);
    if let Some(wrong) = absent.find(|signature| !is_empty(signature)) {
        let actual = format!("address {}, time {}", in_hex(wrong.address), crate::verify::text::time(wrong.time));
        rows.report(key, What::CommitSignature, &"an empty place for an absent validator", &actual);
    }
}

fn report(rows: &Rows<'_>, key: &BlockKey, error: &CommitError) {
    match error {
        CommitError::WrongHeight { expected, actual } => {
            rows.report(key, What::CommitBlock, &format!("a commit of height {expected}"), &format!("one of {actual}"));
        }
        CommitError::WrongBlock { expected, actual, .. } => {
            rows.report(
                key,
                What::CommitBlock,
                &format!("a commit for block {expected}"),
                &format!("one for {actual}"),
            );
        }
        CommitError::SignatureCount { expected, actual, .. } => {
            rows.report(key, What::CommitSize, &format!("{expected} places"), &format!("{actual}"));
        }
        CommitError::AddressMismatch { index, expected, actual, .. } => {
            let expected = format!("address {} in place {index}", hex::encode(expected));
            rows.report(key, What::CommitAddress, &expected, &in_hex(actual));
        }
        CommitError::NotEnoughPower { signed, total, .. } => {
            let actual = format!("{signed} of {total}");
            rows.report(key, What::CommitPower, &"votes of more than two thirds of the power", &actual);
        }
        other => rows.report(key, What::CommitSignature, &"a commit that proves its block", other),
    }
}
