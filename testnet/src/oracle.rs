//! What upstream's libraries say about the databases of a packed home: `<name>.oracle.json` beside the tarball.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Digests of a home's databases by folder name below `data/`. They do not depend on the engine.
pub type Digests = BTreeMap<String, Digest>;

/// One database's content in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// How many keys.
    pub keys: u64,
    /// SHA-256 over `u32be key length, key, u32be value length, value` in the order of keys, in hexadecimal digits.
    pub sha256: String,
}

/// A home's oracle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oracle {
    /// The engine that the configuration names, by its name in `config.toml`.
    pub backend: String,
    /// Its databases.
    pub digests: Digests,
}

/// Why an oracle or a report of digests cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OracleError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", .file.display())]
    Io {
        /// The oracle.
        file: PathBuf,
        /// What failed.
        source: std::io::Error,
    },
    /// It is not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A field is missing or has another type.
    #[error("no usable field {field}")]
    Field {
        /// The field's name.
        field: &'static str,
    },
}

/// Reads the oracle of a packed home (`<name>.tar.zst`).
///
/// # Errors
/// When there is none or it has another form.
pub fn of_packed(tarball: &Path) -> Result<Oracle, OracleError> {
    let name = tarball.to_string_lossy();
    let file = PathBuf::from(format!("{}.oracle.json", name.strip_suffix(".tar.zst").unwrap_or(&name)));
    let text = std::fs::read(&file).map_err(|source| OracleError::Io { file, source })?;
    let value: Value = serde_json::from_slice(&text)?;
    // CometBFT's homes say `engine`, the Cosmos SDK's `db_backend`.
    let backend = value.get("engine").or_else(|| value.get("db_backend")).and_then(Value::as_str);
    Ok(Oracle { backend: backend.ok_or(OracleError::Field { field: "engine" })?.to_owned(), digests: digests(&value)? })
}

/// The digests in an oracle or in the answer of `node-migrate digest --json`: `databases` is a list whose items say `dir`, or a map by
/// folder name; the hash is called `sha256`, or `stream_sha256` in the Cosmos SDK's oracles.
///
/// # Errors
/// When a field is missing.
pub fn digests(value: &Value) -> Result<Digests, OracleError> {
    let missing = |field| OracleError::Field { field };
    let one = |each: &Value| -> Result<Digest, OracleError> {
        let sha256 = each.get("sha256").or_else(|| each.get("stream_sha256")).and_then(Value::as_str);
        Ok(Digest {
            keys: each.get("keys").and_then(Value::as_u64).ok_or(missing("keys"))?,
            sha256: sha256.ok_or(missing("sha256"))?.to_owned(),
        })
    };
    match value.get("databases") {
        Some(Value::Array(list)) => list
            .iter()
            .map(|each| Ok((each.get("dir").and_then(Value::as_str).ok_or(missing("dir"))?.to_owned(), one(each)?)))
            .collect(),
        Some(Value::Object(map)) => map.iter().map(|(dir, each)| Ok((dir.clone(), one(each)?))).collect(),
        _ => Err(missing("databases")),
    }
}

#[cfg(test)]
mod tests {
    use super::{OracleError, digests, of_packed};
    use std::path::Path;

    fn fixture(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/{name}.tar.zst"))
    }

    #[test]
    fn both_forms_of_oracles_are_read() {
        let comet = of_packed(&fixture("cometbft-0.38-pebble")).expect("reads");
        assert_eq!(comet.backend, "pebbledb");
        assert_eq!(comet.digests["blockstore.db"].keys, 1207);
        let sdk = of_packed(&fixture("simapp-0.50-mixed-engines")).expect("reads");
        assert_eq!(sdk.backend, "goleveldb");
        assert_eq!(sdk.digests["application.db"].keys, 7563);
        assert_eq!(sdk.digests["snapshots/metadata.db"].sha256.len(), 64);
    }

    #[test]
    fn a_database_without_a_hash_is_an_error() {
        let value = serde_json::json!({ "databases": [{ "dir": "state.db", "keys": 1 }] });
        assert!(matches!(digests(&value), Err(OracleError::Field { field: "sha256" })));
    }
}
