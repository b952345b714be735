//! Makes finished tables a LevelDB or Pebble database: numbers, MANIFEST, entry point, final name.
//!
//! # Correctness
//! All happens in `<dir>.sealing`; the last step is its rename to `dir`, because an engine that
//! meets a half-made folder takes it for a new database and deletes the tables. Order: tables are
//! moved in, then the MANIFEST, then what names it, each durable before the next. Run again after a
//! crash anywhere, it finishes the same folder: a table that is not among the parts any more must be
//! under its number, with its size; everything else is written anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ascending::shards_ascend;
use super::lsm_target::{EntryPoint, LsmTarget};
use super::manifest_writer::{self, ManifestTable};
use crate::durable::{self, NewFile};
use crate::store::{FinishedShard, FinishedTable, StoreError};

/// Makes the tables of `shards`, files in `parts`, the database `dir`. A `dir` that exists is
/// taken for what an earlier run has finished.
///
/// # Errors
/// [`StoreError::Unsorted`] for shards or tables out of order; [`StoreError::Corrupt`] for a table
/// that is missing or of another size or count; a failed write.
pub(super) fn seal(target: LsmTarget, parts: &Path, dir: &Path, shards: &[FinishedShard]) -> Result<(), StoreError> {
    if exists(dir)? {
        // The rename may have happened without having become durable.
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        return Ok(durable::sync_dir(parent.unwrap_or(Path::new(".")))?);
    }
    let tables: Vec<&FinishedTable> = shards.iter().flat_map(|shard| &shard.tables).collect();
    shards_ascend(shards)?;
    check_keys(&tables)?;
    check_counts(parts, shards)?;
    let sealing = sealing_path(dir);
    let mut names: Vec<String> = (1..).take(tables.len()).map(|number| target.table_name(number)).collect();
    // Nothing is moved before everything was found.
    let mut moves = Vec::new();
    for (table, name) in tables.iter().zip(&names) {
        let (part, place) = (parts.join(&table.file), sealing.join(name));
        if is_part(&part, &place, table.bytes)? {
            moves.push((part, place));
        }
    }
    durable::create_dir_all(&sealing)?;
    for (part, place) in moves {
        durable::rename_unsynced(&part, &place)?;
    }
    durable::sync_dir(&sealing)?;
    durable::sync_dir(parts)?;
    write_manifest(target, &sealing, &tables, &mut names)?;
    remove_others(&sealing, &names)?;
    durable::sync_dir(&sealing)?;
    Ok(durable::rename(&sealing, dir)?)
}

fn sealing_path(dir: &Path) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(".sealing");
    PathBuf::from(name)
}

/// All keys of a table are above those of the table before it.
fn check_keys(tables: &[&FinishedTable]) -> Result<(), StoreError> {
    let bounds = tables.iter().flat_map(|table| [(&table.smallest, true), (&table.largest, false)]);
    let mut last: Option<&Vec<u8>> = None;
    for (bound, first_of_table) in bounds {
        // A table of one entry has equal bounds, two tables share no key.
        if last.is_some_and(|last| if first_of_table { last >= bound } else { last > bound }) {
            let last = last.map(hex::encode).unwrap_or_default();
            return Err(StoreError::Unsorted { key: hex::encode(bound), last });
        }
        last = Some(bound);
    }
    Ok(())
}

fn check_counts(parts: &Path, shards: &[FinishedShard]) -> Result<(), StoreError> {
    for FinishedShard { shard, entries, tables } in shards {
        let sum: u64 = tables.iter().map(|table| table.entries).sum();
        if sum != *entries {
            let reason = format!("shard {shard} has {entries} entries, its tables have {sum}");
            return Err(StoreError::corrupt(parts, None, reason));
        }
    }
    Ok(())
}

/// Whether a table of `bytes` bytes is still among the parts; if not, an earlier run must have moved
/// it to its place.
fn is_part(part: &Path, place: &Path, bytes: u64) -> Result<bool, StoreError> {
    let among_parts = length(part)?;
    let found = among_parts.map_or_else(|| length(place), |length| Ok(Some(length)))?;
    match found {
        Some(length) if length == bytes => Ok(among_parts.is_some()),
        Some(length) => {
            let reason = format!("the table has {length} bytes, {bytes} were written");
            Err(StoreError::corrupt(if among_parts.is_some() { part } else { place }, None, reason))
        }
        None => Err(StoreError::corrupt(part, None, "the table is missing")),
    }
}

/// Writes the MANIFEST and what names it, and adds their names to `names`.
fn write_manifest(
    target: LsmTarget,
    sealing: &Path,
    tables: &[&FinishedTable],
    names: &mut Vec<String>,
) -> Result<(), StoreError> {
    let listed: Vec<ManifestTable<'_>> = tables
        .iter()
        .map(|table| ManifestTable { bytes: table.bytes, smallest: &table.smallest, largest: &table.largest })
        .collect();
    let manifest = format!("MANIFEST-{:06}", manifest_writer::manifest_number(tables.len()));
    write_new(&sealing.join(&manifest), &manifest_writer::encode(&listed, target.table_tag()))?;
    if let Some(options) = target.options() {
        // No log has the number that is kept for the oldest one.
        let name = format!("OPTIONS-{:06}", manifest_writer::manifest_number(tables.len()) + 1);
        write_new(&sealing.join(&name), options.as_bytes())?;
        names.push(name);
    }
    match target.entry_point() {
        EntryPoint::Current => {
            durable::write_file(&sealing.join("CURRENT"), format!("{manifest}\n").as_bytes())?;
            names.push("CURRENT".to_owned());
        }
        EntryPoint::Markers { format } => {
            for name in
                [format!("marker.format-version.000001.{format:03}"), format!("marker.manifest.000001.{manifest}")]
            {
                write_new(&sealing.join(&name), b"")?;
                names.push(name);
            }
        }
    }
    names.push(manifest);
    Ok(())
}

fn write_new(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let mut file = NewFile::create(path)?;
    file.write_all(content)?;
    file.finish()?;
    Ok(())
}

/// Removes what an interrupted run with other tables may have left.
fn remove_others(sealing: &Path, names: &[String]) -> Result<(), StoreError> {
    let failed = |source| StoreError::io(sealing, source);
    let names: std::collections::HashSet<&str> = names.iter().map(String::as_str).collect();
    for entry in fs::read_dir(sealing).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if !name.to_str().is_some_and(|name| names.contains(name)) {
            durable::remove_file(&sealing.join(name))?;
        }
    }
    Ok(())
}

/// A file's length; `None` when it does not exist.
fn length(path: &Path) -> Result<Option<u64>, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::io(path, source)),
    }
}

fn exists(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(|source| StoreError::io(path, source))
}
