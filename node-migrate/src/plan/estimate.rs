//! What a migration of a database will cost: disk and time, from a sample of its rows.

use std::path::Path;

use ledger_formats::engine::{self, EngineKind, TargetFormat};
use ledger_formats::store::{KeyRange, ReadStore, StoreError};

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

use super::{PlanError, PlannedDatabase};
use crate::home::{Database, Home};

/// Places of a database that are looked at.
const SAMPLE_PLACES: u64 = 16;
/// Rows read at each place.
const SAMPLE_ROWS: usize = 200;
/// Bytes of source a second that copy and verification manage on two modest cores.
const BYTES_PER_SECOND: u64 = 60 << 20;

/// The cost of one or more databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Most bytes of disk in use beside the source.
    pub peak_disk_bytes: u64,
    /// Bytes of rows that will be read.
    pub row_bytes: u64,
}

impl Estimate {
    /// Adds another database: nothing is given back before all are done.
    pub fn add(&mut self, other: &Self) {
        self.peak_disk_bytes = self.peak_disk_bytes.saturating_add(other.peak_disk_bytes);
        self.row_bytes = self.row_bytes.saturating_add(other.row_bytes);
    }

    /// Rough duration in seconds.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.row_bytes / BYTES_PER_SECOND + 1
    }
}

/// A database with its cost.
pub(super) struct Sized {
    pub planned: PlannedDatabase,
    pub estimate: Estimate,
    /// What was odd when it was opened.
    pub remarks: Vec<String>,
}

/// Sizes one database. Only our own readers look into it; for other engines the files' sizes count.
pub(super) fn of(home: &Home, database: &Database, target: TargetFormat) -> Result<Sized, PlanError> {
    let failed = |source: StoreError| PlanError::Store { database: database.name.clone(), source };
    let fingerprint = engine::fingerprint::fingerprint(&database.real_path).map_err(failed)?;
    let store = engine::open_in_place(&database.real_path, database.engine, 4 << 20).map_err(failed)?;
    let mut remarks = store.as_ref().map(|store| store.remarks()).unwrap_or_default();
    let (stats, packing) = match &store {
        Some(store) => (store.stats(), sample(store.as_ref(), &mut remarks).map_err(failed)?),
        None => (engine::folder_stats(&database.real_path).map_err(failed)?, Packing::unknown()),
    };
    let row_bytes = packing.rows_of(stats.disk_bytes);
    // Tables of all our targets but sled are packed with Snappy, block by block.
    let target_bytes = match target.engine {
        EngineKind::Sled => row_bytes.saturating_mul(2),
        _ => packing.packed(row_bytes),
    };
    let copied_source = if database.engine == EngineKind::Sled { stats.disk_bytes } else { 0 };
    let overhead = (target_bytes / 20).saturating_add(8 << 20);
    let planned = PlannedDatabase {
        name: database.name.clone(),
        path: database.real_path.clone(),
        engine: database.engine,
        fingerprint: hex::encode(fingerprint),
        disk_bytes: stats.disk_bytes,
        tables: stats.tables,
        own_mount: on_own_mount(home, database)?,
        target_bytes,
        conversion: None,
    };
    let peak_disk_bytes = target_bytes.saturating_add(copied_source).saturating_add(overhead);
    Ok(Sized { planned, estimate: Estimate { peak_disk_bytes, row_bytes }, remarks })
}

/// Whether renames and links between the home's workspace and the database's folder are impossible.
fn on_own_mount(home: &Home, database: &Database) -> Result<bool, PlanError> {
    let mount = |path: &Path| mount_id(path).map_err(|source| PlanError::Space { path: path.to_path_buf(), source });
    Ok(mount(&home.db_dir)? != mount(&database.real_path)?)
}

/// The mount that holds a path: finer than the device, which a bind mount shares with its origin.
fn mount_id(path: &Path) -> std::io::Result<u64> {
    let told = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID)?;
    Ok(told.stx_mnt_id)
}

/// How rows pack: bytes of rows for bytes packed with Snappy.
struct Packing {
    rows: u64,
    packed: u64,
}

impl Packing {
    /// Without a sample the rows are taken not to pack at all on the way out, and well on the way in.
    fn unknown() -> Self {
        Self { rows: 1, packed: 1 }
    }

    fn rows_of(&self, packed_bytes: u64) -> u64 {
        scale(packed_bytes, self.rows, self.packed)
    }

    fn packed(&self, row_bytes: u64) -> u64 {
        scale(row_bytes, self.packed, self.rows)
    }
}

fn scale(bytes: u64, numerator: u64, denominator: u64) -> u64 {
    let wide = u128::from(bytes) * u128::from(numerator.max(1)) / u128::from(denominator.max(1));
    u64::try_from(wide).unwrap_or(u64::MAX)
}

/// Reads some rows at several places. What to do about damage is for the run to decide: here it ends a place, and is a remark.
fn sample(store: &dyn ReadStore, remarks: &mut Vec<String>) -> Result<Packing, StoreError> {
    let piece = (store.stats().disk_bytes / SAMPLE_PLACES).max(1 << 16);
    let mut starts = vec![Vec::new()];
    starts.extend(store.split_points(piece)?.into_iter().take(4 * usize::try_from(SAMPLE_PLACES).unwrap_or(16)));
    let mut packing = Packing { rows: 0, packed: 0 };
    let mut block = Vec::new();
    for start in starts {
        let mut cursor = store.scan(&KeyRange { start, end: None })?;
        for _ in 0..SAMPLE_ROWS {
            let (key, value) = match cursor.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(StoreError::Corrupt(damage)) => {
                    remarks.push(format!("damaged: {damage}"));
                    break;
                }
                Err(error) => return Err(error),
            };
            block.extend_from_slice(key);
            block.extend_from_slice(value);
            if block.len() >= 4096 {
                packing.take(&mut block);
            }
        }
        packing.take(&mut block);
    }
    remarks.dedup();
    if packing.rows == 0 { Ok(Packing::unknown()) } else { Ok(packing) }
}

impl Packing {
    fn take(&mut self, block: &mut Vec<u8>) {
        self.rows += block.len() as u64;
        self.packed += snap::raw::Encoder::new().compress_vec(block).map_or(block.len(), |packed| packed.len()) as u64;
        block.clear();
    }
}
