//! The key of a tree, and the last checkpoint that it signed.
//!
//! Beside the key file `KEY` stands `KEY.last`: the last note signed. A signer that loses it could sign
//! two trees that contradict each other, so both belong into the same backup.
//!
//! # Correctness
//! Under a lock on the key file: the last note is read and must be signed by this key, the new tree must
//! be the last one grown and its last leaf bound by what stands above it, the new note replaces the last one durably, and only then is it given out.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ledger_formats::durable;
use ledger_formats::engine::lock::LockedFile;
use proofs::checkpoint::{Checkpoint, next_checkpoint};
use proofs::note::{Note, SignerKey, VerifierKey};

use super::error::{LastError, SignerError};
use super::tree::ChainTree;
use crate::home::Home;
use crate::workspace::Workspaces;

/// A key that may sign now; nobody else signs with it meanwhile.
#[derive(Debug)]
pub struct Signer {
    key: SignerKey,
    path: PathBuf,
    // Held for the lock.
    _file: LockedFile,
}

impl Signer {
    /// Takes up the key in the file at `path`.
    ///
    /// # Errors
    /// [`SignerError::Read`], [`SignerError::Busy`] or [`SignerError::Key`].
    pub fn open(path: &Path) -> Result<Self, SignerError> {
        let read = |source| SignerError::Read { path: path.to_owned(), source };
        let file = LockedFile::take(File::open(path).map_err(read)?).map_err(|error| match error {
            TryLockError::WouldBlock => SignerError::Busy { path: path.to_owned() },
            TryLockError::Error(source) => read(source),
        })?;
        Ok(Self { key: read_key(path)?, path: path.to_owned(), _file: file })
    }

    /// The last note signed with the key in the file at `path`, if there is one, also while somebody signs.
    ///
    /// # Errors
    /// [`SignerError::Read`], [`SignerError::Key`] or [`SignerError::Last`].
    pub fn last_of(path: &Path) -> Result<Option<(Note, Checkpoint)>, SignerError> {
        read_last(path, read_key(path)?.verifier())
    }

    /// Where the key made in a home lies: beside its workspaces, where a migration leaves it.
    #[must_use]
    pub fn own_key(home: &Home) -> PathBuf {
        Workspaces::of(&home.db_dir).named("checkpoint.key").root().to_owned()
    }

    /// The public half, which others check with. Its name is the origin of the tree.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// Signs the head of the first `size` leaves, which must follow the last checkpoint signed. The last one
    /// asked for again is given again.
    ///
    /// # Errors
    /// [`SignerError`]; nothing was signed then.
    pub fn sign(&self, tree: &ChainTree<'_>, size: u64) -> Result<Note, SignerError> {
        let new = Checkpoint::new(self.verifier().name(), size, tree.root(size)?)?;
        let (last, proof) = match read_last(&self.path, self.verifier())? {
            Some((note, last)) if last == new => return Ok(note),
            Some((_, last)) => {
                let proof = tree.consistency(last.size(), size)?;
                (Some(last), proof)
            }
            None => (None, Vec::new()),
        };
        tree.expect_bound(size)?;
        let note = next_checkpoint(last.as_ref(), &proof, &new)?.sign(&self.key)?;
        durable::write_file(&last_path(&self.path), note.to_string().as_bytes())?;
        Ok(note)
    }
}

fn read_key(path: &Path) -> Result<SignerKey, SignerError> {
    let text = fs::read_to_string(path).map_err(|source| SignerError::Read { path: path.to_owned(), source })?;
    SignerKey::parse(text.trim_end()).map_err(|source| SignerError::Key { path: path.to_owned(), source })
}

fn read_last(key: &Path, verifier: &VerifierKey) -> Result<Option<(Note, Checkpoint)>, SignerError> {
    let path = last_path(key);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SignerError::Read { path, source }),
    };
    let last = |source: LastError| SignerError::Last { path: path.clone(), source };
    let note = Note::parse(&bytes).map_err(|source| last(source.into()))?;
    let checkpoint = {
        let known = [verifier.clone()];
        let opened = Checkpoint::open(&note, &known).map_err(|source| last(source.into()))?;
        opened.checkpoint().clone()
    };
    Ok(Some((note, checkpoint)))
}

fn last_path(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".last");
    name.into()
}
