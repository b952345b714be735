//! Snapshots of LevelDB, Pebble and RocksDB folders: logs first, then the manifest, then the tables.
//!
//! Why the order is exact: tables hold a batch only when all earlier ones are in tables or in logs
//! from the manifest's log number on. The manifest is read after the logs, so whatever a copied batch
//! builds on is in the logs or in that manifest's tables. The engine commits the log number before it
//! removes or recycles a log, so a log that went away while it was copied is not needed any more.
//! It removes a table only after the manifest has let go of it: a table that was gone before a manifest
//! was read, and is in that manifest, is lost. The snapshot goes without it; its reader names it when it
//! comes to its keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::tables::Tables;
use super::{SnapshotError, Taken, continuity};
use crate::durable::{self, DurableError};
use crate::engine::EngineKind;
use crate::engine::entry_point::{self, EntryPoint};
use crate::engine::manifest::Version;
use crate::engine::names::{self, FileName, log_name};
use crate::engine::replay::live_logs;
use crate::store::StoreError;

/// How often the procedure may begin again; more than a handful was never seen (live.md section 2).
const ATTEMPTS_MAX: u32 = 1000;
/// The manifest as copied, with whatever is behind its last whole record.
const MANIFEST_COPY: &str = "manifest.copy";

/// One procedure on its way.
struct Procedure<'a> {
    source: &'a Path,
    into: &'a Path,
    engine: EngineKind,
    attempts: u32,
}

/// The true manifest, of which a copy lies in the snapshot.
struct Manifest {
    entry_point: EntryPoint,
    version: Version,
    /// The folder's names when it was found.
    names: Vec<String>,
}

/// Takes the snapshot.
pub(super) fn take(source: &Path, into: &Path, engine: EngineKind) -> Result<Taken, SnapshotError> {
    let mut procedure = Procedure { source, into, engine, attempts: 0 };
    let (manifest, logs, tables) = procedure.run()?;
    procedure.write_entry_point(&manifest)?;
    let live: Vec<u64> = logs.keys().copied().collect();
    continuity::check(into, engine, &manifest.version, &live)?;
    Ok(Taken {
        method: tables.method(),
        log_bytes: logs.values().sum(),
        tables: tables.len(),
        table_bytes: tables.bytes(),
    })
}

impl Procedure<'_> {
    /// Steps 1 to 6: the manifest, the copied logs with their lengths, the tables.
    fn run(&mut self) -> Result<(Manifest, BTreeMap<u64, u64>, Tables), SnapshotError> {
        let mut tables = Tables::new(self.source, self.into, self.engine);
        let (mut gone, mut lost) = (BTreeSet::new(), BTreeSet::new());
        loop {
            self.attempt()?;
            let Some((hint, listed)) = self.hint()? else { continue };
            let mut copied = self.copy_logs(&listed, &hint)?;
            loop {
                let manifest = self.copy_manifest()?;
                let version = &manifest.version;
                if listed.iter().any(|log| version.needs_log(*log) && !copied.contains_key(log)) {
                    break;
                }
                lost.extend(version.tables.iter().map(|table| table.number).filter(|number| gone.contains(number)));
                gone = tables.link(version, &lost)?;
                if gone.is_empty() {
                    self.drop_logs(&mut copied, |log| version.needs_log(log))?;
                    return Ok((manifest, copied, tables));
                }
            }
            self.drop_logs(&mut copied, |_| false)?;
        }
    }

    fn drop_logs(&self, copied: &mut BTreeMap<u64, u64>, keep: impl Fn(u64) -> bool) -> Result<(), DurableError> {
        for log in copied.keys().filter(|log| !keep(**log)) {
            durable::remove_file(&self.into.join(log_name(*log)))?;
        }
        copied.retain(|log, _| keep(*log));
        Ok(())
    }

    fn attempt(&mut self) -> Result<(), SnapshotError> {
        self.attempts += 1;
        if self.attempts > ATTEMPTS_MAX {
            return Err(SnapshotError::Restless { source_dir: self.source.to_path_buf(), attempts: ATTEMPTS_MAX });
        }
        Ok(())
    }

    /// Steps 1 and 2: a manifest that tells which logs to copy, and the numbers of all logs there are.
    /// `None` when the manifest went away meanwhile.
    fn hint(&self) -> Result<Option<(Version, Vec<u64>)>, SnapshotError> {
        let names = names::list(self.source)?;
        let Some(version) = unless_gone(self.read_manifest(&names))? else { return Ok(None) };
        let names = names::list(self.source)?;
        // Refuses logs whose order is not known.
        live_logs(self.source, &names, &version)?;
        let mut logs: Vec<u64> = names
            .iter()
            .filter_map(|name| match FileName::parse(name) {
                FileName::Log(number) => Some(number),
                _ => None,
            })
            .collect();
        logs.sort_unstable();
        Ok(Some((version, logs)))
    }

    fn read_manifest(&self, names: &[String]) -> Result<Version, StoreError> {
        let entry_point = entry_point::locate(self.source, names, self.engine)?;
        Version::read(&self.source.join(entry_point.manifest))
    }

    /// Step 3: copies what the hint needs, ascending.
    fn copy_logs(&self, listed: &[u64], hint: &Version) -> Result<BTreeMap<u64, u64>, SnapshotError> {
        let mut copied = BTreeMap::new();
        for log in listed.iter().copied().filter(|log| hint.needs_log(*log)) {
            let (from, to) = (self.source.join(log_name(log)), self.into.join(log_name(log)));
            match copy_log(&from, &to)? {
                Some(length) => {
                    copied.insert(log, length);
                }
                None => durable::remove_file(&to)?,
            }
        }
        Ok(copied)
    }

    /// Step 4: copies the manifest that counts now and reads the copy.
    fn copy_manifest(&mut self) -> Result<Manifest, SnapshotError> {
        loop {
            self.attempt()?;
            let names = names::list(self.source)?;
            let Some(entry_point) = unless_gone(entry_point::locate(self.source, &names, self.engine))? else {
                continue;
            };
            let copy = self.into.join(MANIFEST_COPY);
            let from = self.source.join(&entry_point.manifest);
            if unless_source_gone(durable::copy_file(&from, &copy, u64::MAX))?.is_none() {
                continue;
            }
            let version = Version::decode(&from, File::open(&copy).map_err(|error| StoreError::io(&copy, error))?)?;
            version.check_comparer(&from)?;
            return Ok(Manifest { entry_point, version, names });
        }
    }

    /// Step 7: the manifest up to its last whole record, and what names it.
    fn write_entry_point(&self, manifest: &Manifest) -> Result<(), SnapshotError> {
        let Manifest { entry_point, version, names } = manifest;
        let copy = self.into.join(MANIFEST_COPY);
        durable::copy_file(&copy, &self.into.join(&entry_point.manifest), version.length)?;
        durable::remove_file(&copy)?;
        for name in names.iter().filter(|name| accompanies(name)) {
            unless_source_gone(durable::copy_file(&self.source.join(name), &self.into.join(name), u64::MAX))?;
        }
        if self.engine == EngineKind::Pebble && entry_point.format > 1 {
            let marker = format!("marker.manifest.000001.{}", entry_point.manifest);
            durable::write_file(&self.into.join(marker), b"")?;
        } else {
            let current = format!("{}\n", entry_point.manifest);
            durable::write_file(&self.into.join("CURRENT"), current.as_bytes())?;
        }
        Ok(())
    }
}

/// Small files that a reader of the snapshot needs as they are.
fn accompanies(name: &str) -> bool {
    matches!(FileName::parse(name), FileName::Options(_))
        || name == "IDENTITY"
        || name.starts_with("marker.format-version.")
}

/// Copies as many bytes of a log as it has now; `None` when its name went away or to another file
/// meanwhile (a recycled log is overwritten under another name).
fn copy_log(from: &Path, to: &Path) -> Result<Option<u64>, SnapshotError> {
    let Some(before) = metadata(from)? else { return Ok(None) };
    let Some(copied) = unless_source_gone(durable::copy_file(from, to, before.len()))? else { return Ok(None) };
    let Some(after) = metadata(from)? else { return Ok(None) };
    let same = (before.dev(), before.ino()) == (after.dev(), after.ino()) && copied == before.len();
    Ok(same.then_some(copied))
}

fn metadata(path: &Path) -> Result<Option<Metadata>, StoreError> {
    unless_gone(fs::metadata(path).map_err(|error| StoreError::io(path, error)))
}

fn unless_gone<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Opening the source is the first thing that a copy or link does; nothing of ours can be missing.
fn unless_source_gone<T>(result: Result<T, DurableError>) -> Result<Option<T>, DurableError> {
    match result {
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}
