//! `SNAPSHOT.json`: what a complete snapshot says about itself, written last.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{DONE, Method, Snapshot, SnapshotError};
use crate::durable;
use crate::engine::EngineKind;
use crate::store::StoreError;

/// The file's version.
const FORMAT: u32 = 1;
/// Real ones have a few hundred bytes.
const LENGTH_MAX: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    source: PathBuf,
    engine: EngineKind,
    #[serde(with = "hex::serde")]
    fingerprint: [u8; 32],
    method: Method,
    log_bytes: u64,
    tables: u64,
    table_bytes: u64,
}

pub(super) fn write(snapshot: &Snapshot, source: &Path) -> Result<(), SnapshotError> {
    let record = Record {
        format: FORMAT,
        source: source.to_path_buf(),
        engine: snapshot.engine,
        fingerprint: snapshot.fingerprint,
        method: snapshot.method,
        log_bytes: snapshot.log_bytes,
        tables: snapshot.tables,
        table_bytes: snapshot.table_bytes,
    };
    let path = snapshot.dir.join(DONE);
    let json = serde_json::to_vec_pretty(&record).map_err(|error| StoreError::io(&path, error.into()))?;
    durable::write_file(&path, &json)?;
    Ok(())
}

pub(super) fn read(dir: &Path) -> Result<Snapshot, SnapshotError> {
    let path = dir.join(DONE);
    let mut json = Vec::new();
    match File::open(&path).and_then(|file| file.take(LENGTH_MAX).read_to_end(&mut json)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SnapshotError::NotASnapshot { dir: dir.to_path_buf() });
        }
        Err(error) => return Err(StoreError::io(&path, error).into()),
    }
    let record: Record =
        serde_json::from_slice(&json).map_err(|error| StoreError::corrupt(&path, None, error.to_string()))?;
    if record.format != FORMAT {
        return Err(
            StoreError::Unsupported { file: path, feature: format!("snapshot format {}", record.format) }.into()
        );
    }
    Ok(Snapshot {
        dir: dir.to_path_buf(),
        engine: record.engine,
        fingerprint: record.fingerprint,
        method: record.method,
        log_bytes: record.log_bytes,
        tables: record.tables,
        table_bytes: record.table_bytes,
    })
}
