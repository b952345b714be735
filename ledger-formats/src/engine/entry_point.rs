//! Which MANIFEST counts: where the reading of a LevelDB, Pebble or RocksDB folder begins.
//!
//! ```text
//! LevelDB   CURRENT, else CURRENT.bak; a CURRENT.<n> that names a newer manifest wins (goleveldb)
//! Pebble    marker.format-version.<iteration>.<value> of 2 or more: marker.manifest.<iteration>.<name>
//!           otherwise CURRENT (format 1 has no markers; from 3 on CURRENT is a dummy)
//! RocksDB   CURRENT
//! ```
//! `CURRENT` holds `MANIFEST-NNNNNN\n`. Of several markers of one name the highest iteration counts.
//! (goleveldb `storage/file_storage.go`; Pebble `version_set.go`, `vfs/atomicfs/marker.go`.)

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::EngineKind;
use super::names::FileName;
use crate::store::StoreError;

/// Longest content of a `CURRENT` file that is looked at.
const CURRENT_MAX: u64 = 4096;
/// The newest format of Pebble v2.1, the newest release that these rules are known for.
pub const PEBBLE_FORMAT_MAX: u32 = 24;
/// From this format on Pebble's markers count, and `CURRENT` does not.
const MARKERS_SINCE: u32 = 2;

/// Where the reading of a folder begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    /// Name of the manifest.
    pub manifest: String,
    /// Pebble's format major version (1 without a marker); 0 for other engines.
    pub format: u32,
}

/// Finds the manifest that counts in `dir`, whose names are given (see [`super::names::list`]).
///
/// # Errors
/// [`StoreError::Corrupt`] when none is named, or a marker does not parse; [`StoreError::Unsupported`]
/// for a Pebble format from the future.
pub fn locate(dir: &Path, names: &[String], engine: EngineKind) -> Result<EntryPoint, StoreError> {
    match engine {
        EngineKind::Pebble => pebble(dir, names),
        EngineKind::LevelDb => Ok(EntryPoint { manifest: leveldb(dir, names)?, format: 0 }),
        _ => Ok(EntryPoint { manifest: current(dir, "CURRENT")?.1, format: 0 }),
    }
}

/// Pebble's format major version by the markers of a folder; `None` without one, which means 1.
///
/// # Errors
/// [`StoreError::Corrupt`] for a marker that does not parse.
pub fn pebble_format(dir: &Path, names: &[String]) -> Result<Option<u32>, StoreError> {
    let Some(value) = marker(dir, names, "format-version")? else { return Ok(None) };
    let bad =
        || StoreError::corrupt(dir, None, format!("the format version marker `{}` is no number", value.escape_debug()));
    value.parse().map(Some).map_err(|_| bad())
}

fn pebble(dir: &Path, names: &[String]) -> Result<EntryPoint, StoreError> {
    let format = pebble_format(dir, names)?.unwrap_or(1);
    if format > PEBBLE_FORMAT_MAX {
        return Err(StoreError::Unsupported {
            file: dir.to_path_buf(),
            feature: format!("Pebble format major version {format}"),
        });
    }
    if format < MARKERS_SINCE {
        return Ok(EntryPoint { manifest: current(dir, "CURRENT")?.1, format });
    }
    match marker(dir, names, "manifest")? {
        Some(name) if manifest_number(&name).is_some() => Ok(EntryPoint { manifest: name, format }),
        Some(name) => {
            Err(StoreError::corrupt(dir, None, format!("the manifest marker names `{}`", name.escape_debug())))
        }
        None => {
            Err(StoreError::corrupt(dir, None, format!("no manifest marker in a folder of Pebble format {format}")))
        }
    }
}

/// The value of the marker `name` with the highest iteration.
fn marker(dir: &Path, names: &[String], name: &str) -> Result<Option<String>, StoreError> {
    let mut newest: Option<(u64, &str)> = None;
    for file in names.iter().filter(|file| file.starts_with("marker.")) {
        let mut parts = file.splitn(4, '.').skip(1);
        let parsed = match (parts.next(), parts.next().map(str::parse::<u64>), parts.next()) {
            (Some(name), Some(Ok(iteration)), Some(value)) => Some((name, iteration, value)),
            _ => None,
        };
        let Some((found, iteration, value)) = parsed else {
            return Err(StoreError::corrupt(&dir.join(file), None, "a marker of Pebble that does not parse"));
        };
        if found == name && newest.is_none_or(|(last, _)| last < iteration) {
            newest = Some((iteration, value));
        }
    }
    Ok(newest.map(|(_, value)| value.to_owned()))
}

fn leveldb(dir: &Path, names: &[String]) -> Result<String, StoreError> {
    let mut pending: Vec<u64> = names.iter().filter_map(|name| name.strip_prefix("CURRENT.")?.parse().ok()).collect();
    pending.sort_unstable_by(|a, b| b.cmp(a));
    let pending = pending
        .iter()
        .filter_map(|number| {
            names.iter().find(|name| name.strip_prefix("CURRENT.").and_then(|n| n.parse().ok()) == Some(*number))
        })
        .find_map(|name| current(dir, name).ok());
    let settled = current(dir, "CURRENT").or_else(|error| current(dir, "CURRENT.bak").map_err(|_| error));
    match (pending, settled) {
        (Some(pending), Ok(settled)) if pending.0 > settled.0 => Ok(pending.1),
        (_, Ok(settled)) => Ok(settled.1),
        (Some(pending), Err(_)) => Ok(pending.1),
        (None, Err(error)) => Err(error),
    }
}

/// Number and name of the manifest that a file like `CURRENT` names, if it is there.
fn current(dir: &Path, file: &str) -> Result<(u64, String), StoreError> {
    let path = dir.join(file);
    let mut content = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(CURRENT_MAX).read_to_end(&mut content))
        .map_err(|error| StoreError::io(&path, error))?;
    let name = std::str::from_utf8(&content).ok().and_then(|text| text.strip_suffix('\n'));
    let Some((number, name)) = name.and_then(|name| Some((manifest_number(name)?, name))) else {
        return Err(StoreError::corrupt(&path, None, "it does not name a manifest"));
    };
    let manifest = dir.join(name);
    match std::fs::metadata(&manifest) {
        Ok(_) => Ok((number, name.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(StoreError::corrupt(&path, None, format!("it names {name}, which is not there")))
        }
        Err(error) => Err(StoreError::io(&manifest, error)),
    }
}

fn manifest_number(name: &str) -> Option<u64> {
    match FileName::parse(name) {
        FileName::Manifest(number) => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(dir.path().join(name), content).unwrap();
        }
        let names = super::super::names::list(dir.path()).unwrap();
        (dir, names)
    }

    fn check(engine: EngineKind, files: &[(&str, &str)], expected: Option<(&str, u32)>) {
        let (dir, names) = folder(files);
        let found = locate(dir.path(), &names, engine).ok().map(|point| (point.manifest, point.format));
        assert_eq!(found, expected.map(|(name, format)| (name.to_owned(), format)), "{files:?}");
    }

    #[test]
    fn leveldb_falls_back_as_goleveldb_does() {
        let one = ("MANIFEST-000001", "");
        let two = ("MANIFEST-000002", "");
        let name_one = "MANIFEST-000001\n";
        let name_two = "MANIFEST-000002\n";
        let go = |files: &[(&str, &str)], expected: Option<&str>| {
            check(EngineKind::LevelDb, files, expected.map(|name| (name, 0)));
        };
        go(&[one, two, ("CURRENT", name_one), ("CURRENT.bak", name_two)], Some("MANIFEST-000001"));
        go(&[two, ("CURRENT", name_one), ("CURRENT.bak", name_two)], Some("MANIFEST-000002"));
        go(&[one, two, ("CURRENT", name_one), ("CURRENT.2", name_two)], Some("MANIFEST-000002"));
        go(&[one, two, ("CURRENT", name_two), ("CURRENT.1", name_one)], Some("MANIFEST-000002"));
        go(&[one, ("CURRENT", "MANIFEST-000001"), ("CURRENT.000001", name_one)], Some("MANIFEST-000001"));
        go(&[one, ("CURRENT", "MANIFEST-000001")], None);
        go(&[one], None);
    }

    #[test]
    fn pebble_follows_markers_from_format_2_on() {
        let manifests = [("MANIFEST-000001", ""), ("MANIFEST-000007", "")];
        let go = |files: &[(&str, &str)], expected| {
            check(EngineKind::Pebble, &[&manifests[..], files].concat(), expected);
        };
        go(&[("CURRENT", "MANIFEST-000001\n")], Some(("MANIFEST-000001", 1)));
        go(
            &[
                ("CURRENT", "MANIFEST-000000\n"),
                ("marker.format-version.000002.013", ""),
                ("marker.format-version.000001.001", ""),
                ("marker.manifest.000003.MANIFEST-000007", ""),
                ("marker.manifest.000002.MANIFEST-000001", ""),
            ],
            Some(("MANIFEST-000007", 13)),
        );
        go(&[("marker.format-version.000001.013", "")], None);
        go(&[("CURRENT", "MANIFEST-000001\n"), ("marker.x", "")], None);
        go(&[("marker.format-version.000001.025", ""), ("marker.manifest.000001.MANIFEST-000001", "")], None);
    }
}
