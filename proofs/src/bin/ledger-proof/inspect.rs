//! `inspect`: what a file says, with nothing checked but its form.

use std::fmt::Write;

use proofs::checkpoint::{Checkpoint, GrowthFile, LedgerOrigin, ProofFile};
use proofs::note::{Note, VerifierKey};
use proofs::receipt::{Receipt, ReceiptNoteError};

use super::cli::Inspect;
use super::failure::Failure;
use super::files;

pub(crate) fn run(arguments: &Inspect) -> Result<String, Failure> {
    let bytes = files::read(&arguments.file)?;
    let begins = |word: &str| bytes.starts_with(word.as_bytes());
    let path = || arguments.file.clone();
    let text = if begins("PRIVATE+KEY+") {
        return Err(Failure::PrivateKey { path: path() });
    } else if begins("c2sp.org/tlog-proof@") {
        describe_proof(&ProofFile::parse(&bytes)?)?
    } else if begins("old ") {
        let file = GrowthFile::parse(&bytes)?;
        let head = format!("growth from {} leaves, {} hashes", file.old_size, file.proof.len());
        format!("{head}\n{}", describe_head(&file.checkpoint)?)
    } else if begins("node-migrate-receipt/") {
        let note = Note::parse(&bytes)?;
        let receipt = Receipt::parse_text(note.unverified_text()).map_err(ReceiptNoteError::Receipt)?;
        format!("receipt\n{}\n{}", describe_receipt(&receipt), describe_signatures(&note))
    } else if let Some(key) = str::from_utf8(&bytes).ok().and_then(|text| VerifierKey::parse(text.trim_end()).ok()) {
        return Ok(format!("public key of {}, {:?}, id {:08x}", key.name(), key.algorithm(), key.id()));
    } else {
        let note = Note::parse(&bytes).map_err(|_| Failure::UnknownFile { path: path() })?;
        format!("checkpoint\n{}", describe_head(&note)?)
    };
    Ok(format!("NOT CHECKED: {text}"))
}

fn describe_proof(file: &ProofFile) -> Result<String, Failure> {
    let mut text = format!("proof of leaf {}, {} hashes", file.index, file.path.len());
    if let Some(extra) = &file.extra {
        let _ = write!(text, "\nextra {}", hex::encode(extra));
    }
    Ok(format!("{text}\n{}", describe_head(&file.checkpoint)?))
}

fn describe_head(note: &Note) -> Result<String, Failure> {
    let checkpoint = Checkpoint::parse_text(note.unverified_text())?;
    Ok(format!("{}\n{}", describe_checkpoint(&checkpoint), describe_signatures(note)))
}

/// A checkpoint in words.
pub(crate) fn describe_checkpoint(checkpoint: &Checkpoint) -> String {
    let root = hex::encode(checkpoint.root());
    let mut text = format!("origin {}\nsize {}\nroot {root}", checkpoint.origin(), checkpoint.size());
    let last = LedgerOrigin::parse(checkpoint.origin()).ok().and_then(|origin| {
        let last = origin.first_height().checked_add(checkpoint.size())?.checked_sub(1)?;
        (checkpoint.size() > 0).then_some((origin.first_height(), last))
    });
    if let Some((first, last)) = last {
        let _ = write!(text, "\nheights {first} to {last}");
    }
    text
}

/// A receipt in words: its own text, which is made for people too.
pub(crate) fn describe_receipt(receipt: &Receipt) -> String {
    receipt.to_text().unwrap_or_default().trim_end().to_owned()
}

fn describe_signatures(note: &Note) -> String {
    let lines = note.signatures().iter().map(|line| format!("signature by {}, id {:08x}", line.name, line.id));
    lines.collect::<Vec<_>>().join("\n")
}
