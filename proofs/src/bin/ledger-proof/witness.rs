//! `witness`: cosigns a checkpoint after checking that its tree only grew.
//!
//! # Correctness
//! The state file holds the last note cosigned. Under a lock: read it, check the growth from it, replace it
//! durably, and only then give the cosignature out. A crash between the two loses a cosignature, which can be
//! asked for again; it never lets two inconsistent checkpoints be cosigned.

use std::time::{SystemTime, UNIX_EPOCH};

use proofs::checkpoint::{Checkpoint, GrowthFile, next_checkpoint};
use proofs::note::{Note, SignerKey, VerifierKey};

use super::cli::Witness;
use super::failure::Failure;
use super::files;

pub(crate) fn run(arguments: &Witness) -> Result<String, Failure> {
    let key = read_key(arguments)?;
    let file = GrowthFile::parse(&files::read(&arguments.file)?)?;
    let _lock = files::lock(&arguments.state)?;
    let last = read_state(arguments, key.verifier())?;
    let known = [arguments.log.clone()];
    let opened = file.verify(last.as_ref(), &known)?;
    opened.checkpoint().is_of(arguments.log.name())?;
    let signable = next_checkpoint(last.as_ref(), &file.proof, opened.checkpoint())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Failure::Clock)?.as_secs();
    let mut note = file.checkpoint.clone();
    signable.cosign(&mut note, &key, now)?;
    files::replace(&arguments.state, note.to_string().as_bytes())?;
    let made =
        note.signatures().iter().find(|line| line.id == key.verifier().id() && line.name == key.verifier().name());
    Ok(made.map(ToString::to_string).unwrap_or_default())
}

fn read_key(arguments: &Witness) -> Result<SignerKey, Failure> {
    let text = String::from_utf8(files::read(&arguments.key)?).unwrap_or_default();
    SignerKey::parse(text.trim_end()).map_err(|source| Failure::Key { path: arguments.key.clone(), source })
}

fn read_state(arguments: &Witness, own: &VerifierKey) -> Result<Option<Checkpoint>, Failure> {
    let path = || arguments.state.clone();
    match (files::read_if_exists(&arguments.state)?, arguments.first) {
        (None, true) => Ok(None),
        (None, false) => Err(Failure::NoState { path: path() }),
        (Some(_), true) => Err(Failure::StateExists { path: path() }),
        (Some(bytes), false) => {
            let note = Note::parse(&bytes)?;
            let known = [arguments.log.clone(), own.clone()];
            Ok(Some(Checkpoint::open(&note, &known)?.checkpoint().clone()))
        }
    }
}
