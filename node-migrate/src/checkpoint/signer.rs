//! The key of a tree, and the last checkpoint that it signed.
//!
//! Beside the key file `KEY` stands `KEY.last`: the last note signed. A signer that loses it could sign
//! two trees that contradict each other, so both belong into the same backup.
//!
//! # Correctness
//! Under a lock on the key file: the last note is read and must be signed by this key, the new tree must
//! be the last one grown, the new note replaces the last one durably, and only then is it given out.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ledger_formats::durable;
use proofs::checkpoint::{Checkpoint, next_checkpoint};
use proofs::note::{Note, SignerKey, VerifierKey};

use super::error::{LastError, SignerError};
use super::tree::ChainTree;

/// A key that may sign now; nobody else signs with it meanwhile.
#[derive(Debug)]
pub struct Signer {
    key: SignerKey,
    path: PathBuf,
    // Held for the lock.
    _file: File,
}

impl Signer {
    /// Takes up the key in the file at `path`.
    ///
    /// # Errors
    /// [`SignerError::Read`], [`SignerError::Busy`] or [`SignerError::Key`].
    pub fn open(path: &Path) -> Result<Self, SignerError> {
        let read = |source| SignerError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SignerError::Busy { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(read(source)),
        }
        let text = fs::read_to_string(path).map_err(read)?;
        let key = SignerKey::parse(text.trim_end());
        let key = key.map_err(|source| SignerError::Key { path: path.to_owned(), source })?;
        Ok(Self { key, path: path.to_owned(), _file: file })
    }

    /// The public half, which others check with. Its name is the origin of the tree.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// The last note signed, if there is one.
    ///
    /// # Errors
    /// [`SignerError::Read`] or [`SignerError::Last`].
    pub fn last(&self) -> Result<Option<(Note, Checkpoint)>, SignerError> {
        let path = self.last_path();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SignerError::Read { path, source }),
        };
        let last = |source: LastError| SignerError::Last { path: path.clone(), source };
        let note = Note::parse(&bytes).map_err(|source| last(source.into()))?;
        let checkpoint = {
            let known = [self.verifier().clone()];
            let opened = Checkpoint::open(&note, &known).map_err(|source| last(source.into()))?;
            opened.checkpoint().clone()
        };
        Ok(Some((note, checkpoint)))
    }

    /// Signs the head of the first `size` leaves, which must follow the last checkpoint signed. The last one
    /// asked for again is given again.
    ///
    /// # Errors
    /// [`SignerError`]; nothing was signed then.
    pub fn sign(&self, tree: &ChainTree<'_>, size: u64) -> Result<Note, SignerError> {
        let new = Checkpoint::new(self.verifier().name(), size, tree.root(size)?)?;
        let (last, proof) = match self.last()? {
            Some((note, last)) if last == new => return Ok(note),
            Some((_, last)) => {
                let proof = tree.consistency(last.size(), size)?;
                (Some(last), proof)
            }
            None => (None, Vec::new()),
        };
        let note = next_checkpoint(last.as_ref(), &proof, &new)?.sign(&self.key)?;
        durable::write_file(&self.last_path(), note.to_string().as_bytes())?;
        Ok(note)
    }

    fn last_path(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".last");
        name.into()
    }
}
