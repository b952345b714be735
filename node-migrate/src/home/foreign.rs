//! Tells the engines that this tool does not read by how they lie on disk: `BadgerDB` and bolt.
//!
//! Source: `cometbft-db` 0.9.5 to 1.0.4, `badger_db.go` and `boltdb.go`.

use std::fs::Metadata;
use std::path::Path;

/// The engine, as `db_backend` spells it, of the file or folder `dir/dir_name`: bolt keeps `<name>.db` as one file, `BadgerDB` a folder
/// `<name>` without `.db`, with a key registry in it.
pub(super) fn engine(dir: &Path, dir_name: &str, meta: &Metadata) -> Option<&'static str> {
    let is_db = dir_name.ends_with(".db");
    let path = dir.join(dir_name);
    match (meta.is_dir(), is_db) {
        (false, true) => Some("boltdb"),
        (true, false) if path.join("KEYREGISTRY").is_file() && path.join("MANIFEST").is_file() => Some("badgerdb"),
        _ => None,
    }
}
