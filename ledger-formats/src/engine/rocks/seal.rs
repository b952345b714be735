//! Makes a database of finished tables.
//!
//! # Correctness
//! Beside the final name two folders may exist: `.ingest` with hard links of the tables, from which
//! the library moves them, and `.sealing`, the database that is being made. Both are thrown away and
//! made anew whenever `seal` begins, so it can be cut anywhere; the tables under their own names stay
//! until the rename, which is the last step that counts. Before it, and again when the database is
//! there already, the version in its manifest must list exactly the tables of the shards.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rocksdb::{DB, IngestExternalFileOptions, Options};

use super::error::step;
use super::reader::{RocksReadOptions, RocksStore};
use crate::durable;
use crate::engine::ascending::{Ascending, shards_ascend};
use crate::store::{FinishedShard, FinishedTable, StoreError};

/// Seals the tables in `parts` as the database `dir`, or finishes an earlier attempt at it.
///
/// # Errors
/// See [`crate::store::BulkWriter::seal`].
pub(super) fn seal(parts: &Path, dir: &Path, options: &Options, shards: &[FinishedShard]) -> Result<(), StoreError> {
    let tables = tables_in_order(dir, shards)?;
    let (ingest, sealing) = (beside(dir, ".ingest"), beside(dir, ".sealing"));
    if !dir.exists() {
        for scratch in [&ingest, &sealing] {
            durable::remove_dir_all(scratch)?;
        }
        let links = link_all(parts, &ingest, &tables)?;
        make(&sealing, options, links)?;
        remove_options(&sealing)?;
        sync_files(&sealing)?;
        refuse_other_tables(&sealing, &tables)?;
        durable::rename(&sealing, dir)?;
    } else {
        refuse_other_tables(dir, &tables)?;
    }
    for scratch in [&ingest, &sealing] {
        durable::remove_dir_all(scratch)?;
    }
    for table in tables {
        durable::remove_file(&parts.join(&table.file))?;
    }
    Ok(())
}

/// All tables of the shards, found to ascend without overlap.
fn tables_in_order<'a>(dir: &Path, shards: &'a [FinishedShard]) -> Result<Vec<&'a FinishedTable>, StoreError> {
    shards_ascend(shards)?;
    let mut order = Ascending::default();
    for shard in shards {
        if shard.tables.iter().map(|table| table.entries).sum::<u64>() != shard.entries {
            return Err(fault(dir, format!("shard {} and its tables differ in entries", shard.shard)));
        }
        for table in &shard.tables {
            if table.file.contains('/') {
                return Err(fault(dir, format!("`{}` is not the name of a table", table.file)));
            }
            order.admit(&table.smallest)?;
            if table.largest > table.smallest {
                order.admit(&table.largest)?;
            }
        }
    }
    Ok(shards.iter().flat_map(|shard| &shard.tables).collect())
}

/// Links the tables into a new folder, each found to be there in its size.
fn link_all(parts: &Path, ingest: &Path, tables: &[&FinishedTable]) -> Result<Vec<PathBuf>, StoreError> {
    durable::create_dir_all(ingest)?;
    let mut links = Vec::with_capacity(tables.len());
    for table in tables {
        let part = parts.join(&table.file);
        let size = fs::metadata(&part).map_err(|source| StoreError::io(&part, source))?.len();
        if size != table.bytes {
            return Err(StoreError::corrupt(
                &part,
                None,
                format!("has {size} bytes, was finished with {}", table.bytes),
            ));
        }
        let link = ingest.join(&table.file);
        durable::hard_link(&part, &link)?;
        links.push(link);
    }
    durable::sync_dir(ingest)?;
    Ok(links)
}

/// Creates the database and lets it take in the tables by name, in one atomic call.
fn make(sealing: &Path, options: &Options, links: Vec<PathBuf>) -> Result<(), StoreError> {
    step("make a database of tables in", sealing, || {
        let db = DB::open(options, sealing)?;
        if !links.is_empty() {
            let mut ingest = IngestExternalFileOptions::default();
            ingest.set_move_files(true);
            // The tables do not overlap: each keeps sequence number 0, and no byte of it changes.
            ingest.set_allow_global_seqno(false);
            ingest.set_allow_blocking_flush(false);
            db.ingest_external_file_opts(&ingest, links)?;
        }
        db.cancel_all_background_work(true);
        Ok(())
    })
}

/// Removes the options files: they name settings that older releases refuse when asked to load them,
/// and the release that opens the database next writes its own.
fn remove_options(dir: &Path) -> Result<(), StoreError> {
    for path in files(dir)? {
        if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("OPTIONS-")) {
            durable::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Fsyncs all files of the folder, and the folder.
fn sync_files(dir: &Path) -> Result<(), StoreError> {
    for path in files(dir)? {
        durable::step("sync", &path, || File::open(&path)?.sync_all())?;
    }
    Ok(durable::sync_dir(dir)?)
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |source| StoreError::io(dir, source);
    fs::read_dir(dir).map_err(failed)?.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
}

/// Refuses a database whose manifest lists anything but these tables.
fn refuse_other_tables(dir: &Path, tables: &[&FinishedTable]) -> Result<(), StoreError> {
    let store = RocksStore::open_snapshot(dir, &RocksReadOptions::default())?;
    let mut found = store.tables()?;
    found.sort_by(|a, b| a.start_key.cmp(&b.start_key));
    let same = found.len() == tables.len()
        && found.iter().zip(tables).all(|(found, table)| {
            found.size as u64 == table.bytes
                && found.start_key.as_ref() == Some(&table.smallest)
                && found.end_key.as_ref() == Some(&table.largest)
        });
    if same { Ok(()) } else { Err(fault(dir, "holds other tables than the finished shards".to_owned())) }
}

fn beside(dir: &Path, suffix: &str) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn fault(dir: &Path, message: String) -> StoreError {
    StoreError::Engine { engine: "rocksdb", path: dir.to_path_buf(), message }
}
