//! What a validator keeps: its databases, the log of the height that is being decided, and what it signed last.
//!
//! # Correctness
//! [`Disk::keep`] returns when an effect lasts. A failure ends the node: what comes after it may rest on it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger_formats::durable::{self, DurableError};
use ledger_formats::engine::EngineKind;
use ledger_formats::store::StoreError;

use super::signer_file::{SignerFile, SignerFileError};
use super::wal::{Wal, WalError};
use crate::chain::{Genesis, Rules};
use crate::consensus::{LastSigned, Output, Recovered};
use crate::store::{Databases, Format, HomeError, LoadError};

/// The databases, which the validator writes and its RPC reads.
pub type SharedDatabases = Arc<Mutex<Databases>>;

/// The disk of a node that runs.
pub struct Disk {
    databases: SharedDatabases,
    wal: Wal,
    signer: SignerFile,
}

/// Why a node cannot begin from its disk, or go on with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The home cannot be opened.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The databases hold no state to begin from.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The log cannot be opened.
    #[error(transparent)]
    Wal(#[from] WalError),
    /// It is not known what was signed last.
    #[error(transparent)]
    Signer(#[from] SignerFileError),
    /// A file cannot be written.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// A database cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the home of a node that has not begun.
///
/// # Errors
/// [`DiskError`].
pub fn create(home: &Path, genesis: &Genesis, format: Format) -> Result<(), DiskError> {
    let engine = match format {
        Format::Old => EngineKind::Sled,
        Format::New => EngineKind::RocksDb,
    };
    durable::create_dir_all(&home.join("data/cs.wal"))?;
    SignerFile::of(home).save(&LastSigned::default())?;
    drop(Databases::create(home, genesis, engine, format)?);
    Ok(())
}

/// Takes the databases, whoever died with them: what is in them is whole after every call.
pub fn lock(databases: &SharedDatabases) -> MutexGuard<'_, Databases> {
    databases.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// Opens a home; gives what a validator begins from.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn open(home: &Path, rules: Rules) -> Result<(Self, Recovered, LastSigned), DiskError> {
        let databases = Databases::open(home)?;
        let stored = databases.load(rules)?;
        let signer = SignerFile::of(home);
        let last = signer.load()?;
        let (log, wal) = Wal::open(&home.join("data/cs.wal/wal"))?;
        let recovered =
            Recovered { state: stored.state, last_commit: stored.last_commit, unapplied: stored.unapplied, wal };
        Ok((Self { databases: Arc::new(Mutex::new(databases)), wal: log, signer }, recovered, last))
    }

    /// The databases.
    #[must_use]
    pub const fn databases(&self) -> &SharedDatabases {
        &self.databases
    }

    /// Carries out an effect on the disk; what concerns others comes back.
    ///
    /// # Errors
    /// When the effect does not last.
    pub fn keep(&mut self, output: Output) -> Result<Option<Output>, DiskError> {
        match output {
            Output::AppendWal(record) => self.wal.append(&record),
            Output::SyncWal => self.wal.sync()?,
            Output::ResetWal { height } => self.wal.reset(height)?,
            Output::SaveSigner(last) => self.signer.save(&last)?,
            Output::SaveBlock(decided) => lock(&self.databases).save_block(&decided)?,
            Output::SaveState(decided) => lock(&self.databases).save_state(&decided)?,
            other => return Ok(Some(other)),
        }
        Ok(None)
    }
}
