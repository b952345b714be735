//! `verify`: what holds, against keys given on the command line.

use std::fmt::Write;

use proofs::checkpoint::{Checkpoint, GrowthFile, Leaf, LedgerOrigin, OpenedCheckpoint, ProofFile};
use proofs::commit::BlockId;
use proofs::note::{Note, VerifierKey};
use proofs::receipt::Receipt;

use super::cli::{self, Trust, Verify};
use super::failure::Failure;
use super::files;
use super::inspect::{describe_checkpoint, describe_receipt};

pub(crate) fn run(what: &Verify) -> Result<String, Failure> {
    match what {
        Verify::Checkpoint(arguments) => checkpoint(arguments),
        Verify::Inclusion(arguments) => inclusion(arguments),
        Verify::Consistency(arguments) => consistency(arguments),
        Verify::Receipt(arguments) => receipt(arguments),
    }
}

fn checkpoint(arguments: &cli::Checkpoint) -> Result<String, Failure> {
    let note = Note::parse(&files::read(&arguments.file)?)?;
    let known = arguments.trust.known();
    let opened = Checkpoint::open(&note, &known)?;
    opened.checkpoint().is_of(arguments.trust.log.name())?;
    arguments.trust.describe("checkpoint is signed by its log", &opened)
}

fn inclusion(arguments: &cli::Inclusion) -> Result<String, Failure> {
    let file = ProofFile::parse(&files::read(&arguments.file)?)?;
    let (hash, part_count, part_set_hash) = (arguments.block_hash, arguments.parts, arguments.part_set_hash);
    let leaf = Leaf { height: arguments.height, block: BlockId { hash, part_count, part_set_hash } };
    let (known, origin) = (arguments.trust.known(), arguments.trust.log.name());
    let proven = file.verify(origin, &leaf.to_bytes(), &known)?;
    LedgerOrigin::parse(origin)?.expect_at(proven.index(), &leaf)?;
    arguments.trust.describe(&format!("height {} is leaf {}", leaf.height, proven.index()), proven.checkpoint())
}

fn consistency(arguments: &cli::Consistency) -> Result<String, Failure> {
    let old = Note::parse(&files::read(&arguments.old)?)?;
    let file = GrowthFile::parse(&files::read(&arguments.file)?)?;
    let known = arguments.trust.known();
    let old = Checkpoint::open(&old, &known)?;
    old.checkpoint().is_of(arguments.trust.log.name())?;
    let new = file.verify(Some(old.checkpoint()), &known)?;
    arguments.trust.describe(&format!("tree grew from {} leaves", old.checkpoint().size()), &new)
}

fn receipt(arguments: &cli::Receipt) -> Result<String, Failure> {
    let note = Note::parse(&files::read(&arguments.file)?)?;
    let receipt = Receipt::open(&note, &arguments.key)?;
    let signers = note.open(&arguments.key).map_err(proofs::receipt::ReceiptNoteError::Open)?;
    let mut text = String::from("holds: receipt");
    for signer in signers.signers() {
        let _ = write!(text, "\nsigned by {}", signer.key.name());
    }
    Ok(format!("{text}\n{}", describe_receipt(&receipt)))
}

impl Trust {
    fn known(&self) -> Vec<VerifierKey> {
        std::iter::once(&self.log).chain(&self.witnesses).cloned().collect()
    }

    /// What holds, if enough witnesses cosigned.
    fn describe(&self, what: &str, opened: &OpenedCheckpoint<'_>) -> Result<String, Failure> {
        let cosigned = opened.witnesses().len();
        if cosigned < self.quorum {
            return Err(Failure::Quorum { cosigned, quorum: self.quorum });
        }
        let mut text = format!("holds: {what}\n{}", describe_checkpoint(opened.checkpoint()));
        for witness in opened.witnesses() {
            let _ = write!(text, "\ncosigned by {}", witness.key.name());
            if let Some(time) = witness.time {
                let _ = write!(text, " at {time}");
            }
        }
        Ok(text)
    }
}
