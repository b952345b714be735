//! The receipt of a cut-over: what was read, what was written, what was checked, signed.
//!
//! It is made after the switch, so its reading costs the node no downtime. The digest of a database is
//! that of its whole stream of entries, as `digest` prints it. Where the copy went by several shards
//! the stream is read from the old database; that the new one equals it was shown shard by shard.
//!
//! The store root of each side stands beside it: where keys or values were converted, it is what both have in common.
//!
//! Where heights of a migrated block store were signed, the receipt names the last checkpoint, after recomputing
//! its root from the old database.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ledger_formats::digest::{Summariser, Summary};
use ledger_formats::durable::{self, DurableError};
use ledger_formats::root::Content;
use ledger_formats::store::{KeyRange, ReadStore, StoreError};
use proofs::merkle::Hash;
use proofs::note::SignerKey;
use proofs::receipt::{DatabaseReceipt, Receipt, ReceiptNoteError, SideReceipt};
use rayon::prelude::*;

use crate::checkpoint::{Signer, Stated, stated};
use crate::context::{Context, Interrupted};
use crate::event::Switch;
use crate::formats::with_formats;
use crate::home::Role;
use crate::mending::MendedBlock;
use crate::migration::{Core, Verdict};
use crate::plan::PlannedDatabase;
use crate::reading::{Reading, ReadingError};
use crate::store_root::{self, StoreRootError};

/// Why there is no receipt. The cut-over stands; the same command tries again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The old database cannot be read for its digest.
    #[error("the receipt's digest of {database}: {source}")]
    Open {
        /// The database.
        database: String,
        /// What is wrong.
        source: ReadingError,
    },
    /// As above, while reading.
    #[error("the receipt's digest of {database}: {source}")]
    Store {
        /// The database.
        database: String,
        /// What is wrong.
        source: StoreError,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The store root has no threads to be computed by.
    #[error("cannot start {threads} threads: {source}")]
    Threads {
        /// How many.
        threads: usize,
        /// Why not.
        source: rayon::ThreadPoolBuildError,
    },
    /// The receipt cannot be signed.
    #[error(transparent)]
    Sign(#[from] ReceiptNoteError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] DurableError),
    /// The one that is there cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

/// Writes the receipt of a migration that is cut over, unless it is there; gives its text.
/// `time` is in seconds since 1970. The checkpoint is the last one signed with the key in the file `log`, or if
/// there is none with the home's own.
///
/// # Errors
/// [`ReceiptError`].
pub fn write(
    core: &Core,
    context: &Context<'_>,
    key: &SignerKey,
    log: Option<&Path>,
    time: u64,
) -> Result<String, ReceiptError> {
    let path = core.workspace().receipt();
    if path.exists() {
        return std::fs::read_to_string(&path).map_err(|source| ReceiptError::Read { path, source });
    }
    let mut receipt = make(core, context, time)?;
    let own = Signer::own_key(&core.home);
    put_checkpoint(&mut receipt, core, context, log.into_iter().chain([own.as_path()]))?;
    let note = receipt.sign(key)?.to_string();
    durable::write_file(&path, note.as_bytes())?;
    Ok(note)
}

fn make(core: &Core, context: &Context<'_>, time: u64) -> Result<Receipt, ReceiptError> {
    let statement = match &core.history().verdict {
        Verdict::Passed(statement) => statement.clone(),
        Verdict::Open | Verdict::Failed { .. } => crate::event::Statement::default(),
    };
    context.listener.begin("digests and roots for the receipt", 0);
    let stated = stated_databases(core, context);
    context.listener.end();
    let (databases, without_root): (_, Vec<_>) = stated?.into_iter().unzip();
    let mut not_checked = statement.not_checked;
    not_checked.extend(without_root.into_iter().flatten());
    let mut exceptions = statement.exceptions;
    exceptions.extend(repaired(core));
    Ok(Receipt {
        migration: core.workspace().id(),
        tool: format!("node-migrate {}", env!("CARGO_PKG_VERSION")),
        time,
        chain_id: core.chain_id().map(str::to_owned),
        heights: statement.heights,
        journal_head: core.journal_head(),
        checkpoint: None,
        databases,
        verified: statement.verified,
        exceptions,
        not_checked,
    })
}

/// The receipt of each database, and what keeps its root from being told.
fn stated_databases(core: &Core, context: &Context<'_>) -> Result<Vec<(DatabaseReceipt, Vec<String>)>, ReceiptError> {
    let threads = context.workers_in_memory();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|source| ReceiptError::Threads { threads, source })?;
    pool.install(|| core.plan().databases.par_iter().map(|database| of_database(core, context, database)).collect())
}

/// The blocks that the source did not have as the chain has them, and where they come from.
fn repaired(core: &Core) -> Vec<String> {
    let line = |name: &str, block: &MendedBlock| {
        let MendedBlock { height, hash, damage, provenance } = block;
        format!("{name}: block {height} ({hash}) was damaged ({damage}), repaired from {provenance}")
    };
    let histories = core.history().databases.iter();
    let mended = histories.filter_map(|(name, history)| Some((name, history.mended.as_ref()?)));
    mended.flat_map(|(name, mended)| mended.blocks.iter().map(move |block| line(name, block))).collect()
}

/// States the last checkpoint of the first of the `keys` that signed one.
fn put_checkpoint<'a>(
    receipt: &mut Receipt,
    core: &Core,
    context: &Context<'_>,
    keys: impl Iterator<Item = &'a Path>,
) -> Result<(), ReceiptError> {
    let blocks = core.plan().databases.iter().find(|database| core.role(&database.name) == Role::BlockStore);
    let signed = keys.filter(|key| key.exists()).find_map(|key| Signer::last_of(key).transpose());
    let (Some(blocks), Some(signed)) = (blocks, signed) else { return Ok(()) };
    let said = match signed {
        Ok((_, checkpoint)) => stated(&checkpoint, open_side(core, context, blocks, Side::Old)?.store(), context)?,
        Err(error) => Stated::Exception(error.to_string()),
    };
    match said {
        Stated::Head(checkpoint) => receipt.checkpoint = Some(checkpoint),
        Stated::Exception(text) => receipt.exceptions.push(text),
        Stated::NotChecked(text) => receipt.not_checked.push(text),
    }
    Ok(())
}

fn of_database(
    core: &Core,
    context: &Context<'_>,
    database: &PlannedDatabase,
) -> Result<(DatabaseReceipt, Vec<String>), ReceiptError> {
    let history = &core.history().databases[&database.name];
    let (name, engine, target) = (database.name.clone(), database.engine.to_string(), core.plan().target.clone());
    let read = |side| Stand::read(core, context, database, side);
    let both = || Ok::<_, ReceiptError>((read(Side::Old)?, read(Side::New)?));
    let (source, target) = match &database.conversion {
        Some(planned) => {
            let (old, new) = both()?;
            let from = format!("{engine}, layout {}", planned.conversion.from.label());
            ((old, from), (new, format!("{target}, {}", planned.target())))
        }
        None if history.mended.is_some() => {
            let (old, new) = both()?;
            ((old, engine), (new, target))
        }
        // The verification has shown that the target holds the same.
        None => {
            let stand = read(Side::Old)?;
            ((stand.clone(), engine), (stand, target))
        }
    };
    let remarks: BTreeSet<String> =
        [&source.0, &target.0].into_iter().filter_map(|stand| stand.remark(&name)).collect();
    let receipt = DatabaseReceipt { source: source.0.side(source.1), target: target.0.side(target.1), name };
    Ok((receipt, remarks.into_iter().collect()))
}

/// What one side holds.
#[derive(Clone)]
struct Stand {
    summary: Summary,
    /// The store root, or why there is none.
    root: Result<Hash, String>,
}

impl Stand {
    /// Reads a side.
    fn read(core: &Core, context: &Context<'_>, database: &PlannedDatabase, side: Side) -> Result<Self, ReceiptError> {
        let reading = open_side(core, context, database, side)?;
        let content = with_formats(core.role(&database.name)).map_or(Content::Opaque, Content::Records);
        // The one is a single stream, the other takes what threads there are.
        let (summary, root) =
            rayon::join(|| readable(reading.store()), || store_root::of_database(reading.store(), content, context));
        let summary = summary.map_err(|source| ReceiptError::Store { database: database.name.clone(), source })?;
        let root = match root {
            Ok(roots) => Ok(roots.shared.root),
            Err(StoreRootError::Interrupted(interrupted)) => return Err(interrupted.into()),
            Err(error) => Err(error.to_string()),
        };
        Ok(Self { summary, root })
    }

    fn side(&self, format: String) -> SideReceipt {
        let Summary { keys, key_bytes, value_bytes, sha256 } = self.summary;
        SideReceipt { format, keys, key_bytes, value_bytes, sha256, root: self.root.as_ref().ok().copied() }
    }

    /// Why there is no root, in a line of the receipt.
    fn remark(&self, database: &str) -> Option<String> {
        self.root.as_ref().err().map(|reason| format!("the store root of {database}: {reason}"))
    }
}

/// Which database of a migration is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

fn open_side(
    core: &Core,
    context: &Context<'_>,
    database: &PlannedDatabase,
    side: Side,
) -> Result<Reading, ReceiptError> {
    let cut_over =
        core.history().switch.as_ref().is_some_and(|switch| switch.switch == Switch::CutOver && switch.complete);
    let is_waiting = cut_over == (side == Side::Old);
    let folder = if is_waiting { core.places(database).waiting } else { database.path.clone() };
    let engine = if side == Side::Old { database.engine } else { core.target.engine };
    Reading::open(&folder, engine, context.cache_bytes(), core.workspace().root())
        .map_err(|source| ReceiptError::Open { database: database.name.clone(), source })
}

/// The summary of all that can be read: what the operator quarantined is missing on both sides.
fn readable(store: &dyn ReadStore) -> Result<Summary, StoreError> {
    let mut cursor = store.scan(&KeyRange::all())?;
    let mut summariser = Summariser::default();
    loop {
        match cursor.next() {
            Ok(Some((key, value))) => summariser.add(key, value),
            Ok(None) => return Ok(summariser.finish()),
            Err(StoreError::Corrupt(damage)) if damage.range.is_some() => {}
            Err(error) => return Err(error),
        }
    }
}
