//! The receipt of a cut-over: what was read, what was written, what was checked, signed.
//!
//! It is made after the switch, so its reading costs the node no downtime. The digest of a database is
//! that of its whole stream of entries, as `digest` prints it. Where the copy went by several shards
//! the stream is read from the old database; that the new one equals it was shown shard by shard.

use std::path::PathBuf;

use ledger_formats::digest::{Summariser, Summary};
use ledger_formats::durable::{self, DurableError};
use ledger_formats::store::{KeyRange, ReadStore, StoreError};
use proofs::note::SignerKey;
use proofs::receipt::{DatabaseReceipt, Receipt, ReceiptNoteError, SideReceipt};
use rayon::prelude::*;

use crate::context::Context;
use crate::event::Switch;
use crate::migration::{Core, DatabaseHistory, Verdict};
use crate::plan::PlannedDatabase;
use crate::reading::{Reading, ReadingError};

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
/// `time` is in seconds since 1970.
///
/// # Errors
/// [`ReceiptError`].
pub fn write(core: &Core, context: &Context<'_>, key: &SignerKey, time: u64) -> Result<String, ReceiptError> {
    let path = core.workspace().receipt();
    if path.exists() {
        return std::fs::read_to_string(&path).map_err(|source| ReceiptError::Read { path, source });
    }
    let note = make(core, context, time)?.sign(key)?.to_string();
    durable::write_file(&path, note.as_bytes())?;
    Ok(note)
}

fn make(core: &Core, context: &Context<'_>, time: u64) -> Result<Receipt, ReceiptError> {
    let statement = match &core.history().verdict {
        Verdict::Passed(statement) => statement.clone(),
        Verdict::Open | Verdict::Failed { .. } => crate::event::Statement::default(),
    };
    context.listener.begin("digests for the receipt", 0);
    let databases =
        core.plan().databases.par_iter().map(|database| of_database(core, context, database)).collect::<Result<_, _>>();
    context.listener.end();
    let databases = databases?;
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
        exceptions: statement.exceptions,
        not_checked: statement.not_checked,
    })
}

fn of_database(
    core: &Core,
    context: &Context<'_>,
    database: &PlannedDatabase,
) -> Result<DatabaseReceipt, ReceiptError> {
    let history = &core.history().databases[&database.name];
    let target = core.plan().target.clone();
    if let Some(planned) = &database.conversion {
        let source = format!("{}, layout {}", database.engine, planned.conversion.from.label());
        return Ok(DatabaseReceipt {
            name: database.name.clone(),
            source: side(source, &read_side(core, context, database, Side::Old)?),
            target: side(format!("{target}, {}", planned.target()), &read_side(core, context, database, Side::New)?),
        });
    }
    let summary = match whole(history) {
        Some(summary) => summary,
        None => read_side(core, context, database, Side::Old)?,
    };
    Ok(DatabaseReceipt {
        name: database.name.clone(),
        source: side(database.engine.to_string(), &summary),
        target: side(target, &summary),
    })
}

fn side(format: String, summary: &Summary) -> SideReceipt {
    SideReceipt {
        format,
        keys: summary.keys,
        key_bytes: summary.key_bytes,
        value_bytes: summary.value_bytes,
        sha256: summary.sha256,
        root: None,
    }
}

/// Which database of a migration is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

/// The summary of a database that was copied in one piece and without a gap.
fn whole(history: &DatabaseHistory) -> Option<Summary> {
    let mut shards = history.copied.values();
    let only = shards.next()?;
    shards.next().is_none().then(|| only.source.clone())
}

fn read_side(
    core: &Core,
    context: &Context<'_>,
    database: &PlannedDatabase,
    side: Side,
) -> Result<Summary, ReceiptError> {
    let cut_over =
        core.history().switch.as_ref().is_some_and(|switch| switch.switch == Switch::CutOver && switch.complete);
    let is_waiting = cut_over == (side == Side::Old);
    let folder = if is_waiting { core.places(database).waiting } else { database.path.clone() };
    let engine = if side == Side::Old { database.engine } else { core.target.engine };
    let reading = Reading::open(&folder, engine, context.cache_bytes(), core.workspace().root())
        .map_err(|source| ReceiptError::Open { database: database.name.clone(), source })?;
    readable(reading.store()).map_err(|source| ReceiptError::Store { database: database.name.clone(), source })
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
