//! File names inside a LevelDB, Pebble or RocksDB folder.
//!
//! ```text
//! NNNNNN.log · NNNNNN.ldb · NNNNNN.sst · MANIFEST-NNNNNN · OPTIONS-NNNNNN
//! CURRENT · CURRENT.bak · CURRENT.NNNNNN · LOCK · IDENTITY · marker.NAME.ITERATION.VALUE
//! ```
//! Numbers are decimal, at least six digits wide when written; a reader takes any width.

use std::path::Path;

use crate::store::StoreError;

/// More entries than a database folder of this family ever has.
const ENTRIES_MAX: usize = 50_000_000;

/// What a file is, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileName {
    /// A log of batches.
    Log(u64),
    /// A table named as LevelDB does.
    Ldb(u64),
    /// A table named as Pebble and RocksDB do, and LevelDB once did.
    Sst(u64),
    /// A manifest.
    Manifest(u64),
    /// An options file.
    Options(u64),
    /// Another name.
    Other(String),
}

impl FileName {
    /// Tells what `name` is.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        let known = if let Some(number) = name.strip_prefix("MANIFEST-") {
            number_of(number).map(Self::Manifest)
        } else if let Some(number) = name.strip_prefix("OPTIONS-") {
            number_of(number).map(Self::Options)
        } else {
            match name.split_once('.').map(|(number, kind)| (number_of(number), kind)) {
                Some((Some(number), "log")) => Some(Self::Log(number)),
                Some((Some(number), "ldb")) => Some(Self::Ldb(number)),
                Some((Some(number), "sst")) => Some(Self::Sst(number)),
                _ => None,
            }
        };
        known.unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

/// Name of the log with this number.
#[must_use]
pub fn log_name(number: u64) -> String {
    format!("{number:06}.log")
}

/// Digits only, as the engines write them.
fn number_of(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// The names in `dir`, in order. Names that are no UTF-8 belong to no engine and come out lossy.
///
/// # Errors
/// When the folder cannot be listed.
pub fn list(dir: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |error| StoreError::io(dir, error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)?.take(ENTRIES_MAX) {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_real_folders() {
        for (name, expected) in [
            ("000014.log", FileName::Log(14)),
            ("1234567.ldb", FileName::Ldb(1_234_567)),
            ("000009.sst", FileName::Sst(9)),
            ("MANIFEST-000015", FileName::Manifest(15)),
            ("OPTIONS-000025", FileName::Options(25)),
            ("CURRENT", FileName::Other("CURRENT".into())),
            ("OPTIONS-000025.dbtmp", FileName::Other("OPTIONS-000025.dbtmp".into())),
            ("+1.log", FileName::Other("+1.log".into())),
            (".log", FileName::Other(".log".into())),
            ("MANIFEST-", FileName::Other("MANIFEST-".into())),
        ] {
            assert_eq!(FileName::parse(name), expected, "{name}");
        }
        assert_eq!(log_name(7), "000007.log");
    }
}
