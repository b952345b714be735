//! The signs in a folder of the LevelDB family, and what follows from them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{DetectError, Detected, TableFamily};
use crate::engine::EngineKind;
use crate::engine::entry_point;
use crate::engine::footer::{MAGIC_LEVELDB, MAGIC_PEBBLE, MAGIC_ROCKSDB};
use crate::engine::manifest::{BYTEWISE, TableMeta, Version};
use crate::engine::names::{FileName, log_name};
use crate::engine::options::{self, Options, OptionsWriter};
use crate::engine::replay::live_logs;
use crate::store::StoreError;

/// Live tables whose last bytes are looked at.
const SAMPLE: usize = 16;

/// What the files of a folder say. Pure data: [`Evidence::decide`] looks at nothing else.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Name and content of the newest `OPTIONS` of each engine.
    options: Vec<(String, Options)>,
    /// Pebble's format by its marker.
    marker: Option<u32>,
    identity: bool,
    manifest: String,
    tags: BTreeSet<u64>,
    tables: u64,
    /// File name and family of a sample of live tables.
    sample: Vec<(String, TableFamily)>,
    /// A log whose chunks carry its number.
    numbered_log: Option<String>,
}

impl Evidence {
    pub(super) fn gather(dir: &Path, names: &[String]) -> Result<Self, DetectError> {
        let marker = entry_point::pebble_format(dir, names)?;
        // LevelDB's search covers that of the others, which know `CURRENT` only.
        let engine = if marker.is_some() { EngineKind::Pebble } else { EngineKind::LevelDb };
        if marker.is_none() && !names.iter().any(|name| name.starts_with("CURRENT")) {
            let reason = "it has no CURRENT file and no markers".into();
            return Err(DetectError::Unknown { path: dir.to_path_buf(), reason });
        }
        let manifest = entry_point::locate(dir, names, engine)?.manifest;
        let path = dir.join(&manifest);
        let version = Version::read(&path)?;
        version.check_comparer(&path)?;
        let mut evidence = Self {
            options: newest_options(dir, names)?,
            marker,
            identity: names.iter().any(|name| name == "IDENTITY"),
            manifest,
            tables: version.tables.len() as u64,
            numbered_log: numbered_log(dir, names, &version)?,
            tags: version.tags,
            sample: Vec::new(),
        };
        let step = version.tables.len().div_ceil(SAMPLE).max(1);
        for table in version.tables.iter().step_by(step) {
            evidence.sample.extend(family(dir, table)?);
        }
        Ok(evidence)
    }

    /// The engine and why.
    pub(super) fn decide(self, dir: &Path) -> Result<Detected, DetectError> {
        let mut signs = self.signs();
        let Some((engine, first_sign)) = signs.first().cloned() else {
            return Err(DetectError::Unknown {
                path: dir.to_path_buf(),
                reason: "its manifest and logs do not tell the engine".into(),
            });
        };
        if let Some((second, second_sign)) = signs.iter().find(|(other, _)| *other != engine).cloned() {
            let dir = dir.to_path_buf();
            return Err(DetectError::Contradiction { dir, first: engine, first_sign, second, second_sign });
        }
        let mut release = None;
        for (name, options) in &self.options {
            check_options(dir, name, options)?;
            if let OptionsWriter::RocksDb(version) = &options.writer {
                release = Some(version.clone());
            }
        }
        Ok(Detected {
            engine,
            pebble_format: if engine == EngineKind::Pebble { self.marker.unwrap_or(1) } else { 0 },
            release,
            tables: self.tables,
            table_formats: self.sample.iter().map(|(_, family)| *family).collect(),
            signs: signs.drain(..).map(|(_, sign)| sign).collect(),
        })
    }

    /// Signs that decide; where there is none, the one that the weaker ones make.
    fn signs(&self) -> Vec<(EngineKind, String)> {
        let mut signs = Vec::new();
        for (name, options) in &self.options {
            signs.push(match &options.writer {
                OptionsWriter::Pebble => (EngineKind::Pebble, format!("{name} was written by Pebble")),
                OptionsWriter::RocksDb(version) => {
                    (EngineKind::RocksDb, format!("{name} was written by RocksDB {version}"))
                }
            });
        }
        if let Some(format) = self.marker {
            signs.push((EngineKind::Pebble, format!("a marker of Pebble's format {format}")));
        }
        if let Some(tag) = self.tags.iter().find(|tag| matches!(tag, 10 | 200..=203 | 300) || **tag > 8192) {
            signs.push((EngineKind::RocksDb, format!("{} has RocksDB's tag {tag}", self.manifest)));
        }
        if let Some((file, _)) = self.sample.iter().find(|(_, family)| *family == TableFamily::Pebble) {
            signs.push((EngineKind::Pebble, format!("live table {file} ends with Pebble's magic number")));
        }
        if let Some((file, _)) = self.sample.iter().find(|(file, _)| file.ends_with(".ldb")) {
            signs.push((EngineKind::LevelDb, format!("live table {file} has LevelDB's name")));
        }
        if signs.is_empty() {
            signs.push(self.weaker_sign());
        }
        signs
    }

    /// For a folder without `OPTIONS`, markers and tables that tell.
    fn weaker_sign(&self) -> (EngineKind, String) {
        let newer_tables = self.tags.iter().find(|tag| matches!(tag, 100..=103));
        let manifest = &self.manifest;
        if self.identity {
            return (EngineKind::RocksDb, "an IDENTITY file".into());
        }
        if let Some(log) = &self.numbered_log {
            return (EngineKind::Pebble, format!("the chunks of {log} carry its number"));
        }
        match (newer_tables, self.sample.iter().find(|(_, family)| *family == TableFamily::RocksDb)) {
            // RocksDB always writes a previous log beside these.
            (Some(tag), _) if self.tags.contains(&9) => {
                (EngineKind::RocksDb, format!("{manifest} has tags {tag} and 9"))
            }
            (Some(tag), _) => (EngineKind::Pebble, format!("{manifest} lists tables by tag {tag}")),
            (None, Some((file, _))) => {
                (EngineKind::Pebble, format!("live table {file} has a RocksDB footer, beside LevelDB's tags"))
            }
            (None, None) => (
                EngineKind::LevelDb,
                format!("{manifest} and the logs have LevelDB's form and no other engine's signs"),
            ),
        }
    }
}

/// The newest `OPTIONS` of each writer; an older one of the same writer says nothing new.
fn newest_options(dir: &Path, names: &[String]) -> Result<Vec<(String, Options)>, StoreError> {
    let mut numbered: Vec<(u64, &String)> = names
        .iter()
        .filter_map(|name| match FileName::parse(name) {
            FileName::Options(number) => Some((number, name)),
            _ => None,
        })
        .collect();
    numbered.sort_unstable();
    let mut newest: Vec<(String, Options)> = Vec::new();
    for (_, name) in numbered.into_iter().rev().take(SAMPLE) {
        let options = options::read(&dir.join(name))?;
        if !newest.iter().any(|(_, known)| same_writer(&known.writer, &options.writer)) {
            newest.push((name.clone(), options));
        }
    }
    Ok(newest)
}

fn same_writer(a: &OptionsWriter, b: &OptionsWriter) -> bool {
    matches!(
        (a, b),
        (OptionsWriter::Pebble, OptionsWriter::Pebble) | (OptionsWriter::RocksDb(_), OptionsWriter::RocksDb(_))
    )
}

/// Refuses what would hide rows from a reader of this folder.
fn check_options(dir: &Path, name: &str, options: &Options) -> Result<(), StoreError> {
    let refuse = |feature: String| Err(StoreError::Unsupported { file: dir.join(name), feature });
    if let Some(elsewhere) = options.wal_dir.as_deref().filter(|logs| !same_folder(dir, Path::new(logs))) {
        return refuse(format!("logs in another folder, {}", elsewhere.escape_debug()));
    }
    if let Some(comparer) = options.comparer.as_deref().filter(|comparer| *comparer != BYTEWISE) {
        return refuse(format!("the comparer {}", comparer.escape_debug()));
    }
    match options.column_families.iter().find(|family| *family != "default") {
        Some(family) => refuse(format!("column family `{}`", family.escape_debug())),
        None => Ok(()),
    }
}

fn same_folder(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// File name and family of a live table; `None` when it is not there or ends in no magic number,
/// which is the business of who reads it.
fn family(dir: &Path, table: &TableMeta) -> Result<Option<(String, TableFamily)>, StoreError> {
    for suffix in ["ldb", "sst"] {
        let name = format!("{:06}.{suffix}", table.number);
        let path = dir.join(&name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(StoreError::io(&path, error)),
        };
        let mut magic = [0; 8];
        if file.read_exact_at(&mut magic, table.size.saturating_sub(8)).is_err() {
            return Ok(None);
        }
        let family = match magic {
            MAGIC_LEVELDB => TableFamily::LevelDb,
            MAGIC_ROCKSDB => TableFamily::RocksDb,
            MAGIC_PEBBLE => TableFamily::Pebble,
            _ => return Ok(None),
        };
        return Ok(Some((name, family)));
    }
    Ok(None)
}

/// A live log whose first chunk is of a kind that LevelDB does not write.
fn numbered_log(dir: &Path, names: &[String], version: &Version) -> Result<Option<String>, StoreError> {
    for number in live_logs(dir, names, version)?.into_iter().rev().take(SAMPLE) {
        let name = log_name(number);
        let header = super::foreign::first_bytes(&dir.join(&name), 7)?;
        if header.get(6).is_some_and(|kind| (5..=12).contains(kind)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
