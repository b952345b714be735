//! The tables of a snapshot: further names of the source's files, or copies where there can be none.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::{Method, SnapshotError};
use crate::durable::{self, DurableError};
use crate::engine::EngineKind;
use crate::engine::manifest::Version;
use crate::engine::open_tables::table_path;

/// The tables that the snapshot has so far.
pub(super) struct Tables {
    source: PathBuf,
    into: PathBuf,
    engine: EngineKind,
    /// By number: file name and size.
    taken: BTreeMap<u64, (PathBuf, u64)>,
    /// Set when the file system refused a link, with the bytes copied since.
    copied: Option<u64>,
}

impl Tables {
    pub(super) fn new(source: &Path, into: &Path, engine: EngineKind) -> Self {
        let (source, into) = (source.to_path_buf(), into.to_path_buf());
        Self { source, into, engine, taken: BTreeMap::new(), copied: None }
    }

    /// Makes the snapshot's tables those of `version`, without the `lost` ones; gives the numbers of others that are gone from
    /// the source. Upper levels, which change soonest, come first.
    pub(super) fn link(&mut self, version: &Version, lost: &BTreeSet<u64>) -> Result<BTreeSet<u64>, SnapshotError> {
        let mut gone = BTreeSet::new();
        for table in &version.tables {
            if self.taken.contains_key(&table.number) || lost.contains(&table.number) {
                continue;
            }
            let from = table_path(&self.source, self.engine, table.number);
            let name = PathBuf::from(from.file_name().unwrap_or_default());
            if self.one(&from, &self.into.join(&name))? {
                self.taken.insert(table.number, (name, table.size));
            } else {
                gone.insert(table.number);
            }
        }
        if !gone.is_empty() {
            return Ok(gone);
        }
        let live: BTreeSet<u64> = version.tables.iter().map(|table| table.number).collect();
        let dead: Vec<u64> = self.taken.keys().copied().filter(|number| !live.contains(number)).collect();
        for number in dead {
            if let Some((name, _)) = self.taken.remove(&number) {
                durable::remove_file(&self.into.join(name))?;
            }
        }
        Ok(gone)
    }

    /// Links or copies one file; `false` when it is gone.
    fn one(&mut self, from: &Path, to: &Path) -> Result<bool, SnapshotError> {
        if self.copied.is_none() {
            match durable::hard_link(from, to) {
                Ok(()) => return Ok(true),
                Err(error) if is_gone(&error) => return Ok(false),
                Err(error) if cannot_link(&error.source) => self.copied = Some(0),
                Err(error) => return Err(error.into()),
            }
        }
        match durable::copy_file(from, to, u64::MAX) {
            Ok(bytes) => {
                self.copied = self.copied.map(|sum| sum + bytes);
                Ok(true)
            }
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.taken.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.taken.values().map(|(_, size)| size).sum()
    }

    pub(super) fn method(&self) -> Method {
        self.copied.map_or(Method::Linked, |bytes| Method::Copied { bytes })
    }
}

fn is_gone(error: &DurableError) -> bool {
    error.source.kind() == io::ErrorKind::NotFound
}

/// Other file system; not permitted for this user (`fs.protected_hardlinks`) or by this file system;
/// no further names possible.
fn cannot_link(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::XDEV | Errno::PERM | Errno::OPNOTSUPP | Errno::MLINK))
}
