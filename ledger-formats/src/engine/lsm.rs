//! One LevelDB or Pebble folder as a readable store: the live tables and the replayed logs, merged.
//!
//! Nothing here writes or locks, so it may be pointed at a snapshot or at the folder of a stopped
//! node. What is live comes from the manifest alone: tables that merely lie about (goleveldb leaves
//! them behind) would bring deleted rows back. Which version of a key counts is decided by sequence
//! numbers, without the levels.

use std::path::{Path, PathBuf};

use super::EngineKind;
use super::block_cache::BlockCache;
use super::entry_point::{self, EntryPoint};
use super::log_search;
use super::log_table::LogTable;
use super::manifest::Version;
use super::merge::{MergeCursor, Source, hides, is_live};
use super::names;
use super::open_tables::OpenTables;
use super::replay::{LogNotice, replay};
use super::runs::{self, RunCursor};
use crate::store::{Cursor, KeyRange, Location, ReadStore, StoreError, StoreStats};

/// What the logs may hold unless the caller says otherwise: 256 times what engines let them grow to.
pub const LOG_BYTES_MAX: u64 = 1 << 30;

/// How much memory a store may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LsmLimits {
    /// Bytes of decoded blocks that stay in memory for point reads.
    pub cache_bytes_max: u64,
    /// Bytes that the logs may hold.
    pub log_bytes_max: u64,
}

/// A LevelDB or Pebble database, open for reading.
#[derive(Debug)]
pub struct LsmStore {
    dir: PathBuf,
    engine: EngineKind,
    entry_point: EntryPoint,
    tables: OpenTables,
    runs: Vec<Vec<usize>>,
    logs: LogTable,
    log_numbers: Vec<u64>,
    stats: StoreStats,
    notices: Vec<LogNotice>,
}

impl LsmStore {
    /// Opens the folder `dir` of `engine`, which is [`EngineKind::LevelDb`] or [`EngineKind::Pebble`],
    /// with this many bytes of block cache.
    ///
    /// # Errors
    /// What is damaged or not known in the manifest or in the logs. Tables are opened by reading.
    pub fn open(dir: &Path, engine: EngineKind, cache_bytes: u64) -> Result<Self, StoreError> {
        Self::open_with(dir, engine, LsmLimits { cache_bytes_max: cache_bytes, log_bytes_max: LOG_BYTES_MAX })
    }

    /// Like [`LsmStore::open`], with every limit given.
    ///
    /// # Errors
    /// See [`LsmStore::open`]; [`StoreError::TooLarge`] for logs beyond the limit.
    pub fn open_with(dir: &Path, engine: EngineKind, limits: LsmLimits) -> Result<Self, StoreError> {
        if !matches!(engine, EngineKind::LevelDb | EngineKind::Pebble) {
            return Err(StoreError::Unsupported {
                file: dir.to_path_buf(),
                feature: format!("reading {engine} without its library"),
            });
        }
        let names = names::list(dir)?;
        let entry_point = entry_point::locate(dir, &names, engine)?;
        let manifest = dir.join(&entry_point.manifest);
        let version = Version::read(&manifest)?;
        version.check_comparer(&manifest)?;
        if engine == EngineKind::LevelDb {
            require_numbers(&manifest, &version)?;
        }
        let mut replayed = replay(dir, &names, engine, &version, limits.log_bytes_max)?;
        if let Some(reason) = version.torn {
            let (file, offset) = (manifest.clone(), version.length);
            replayed.notices.push(LogNotice::TornTail { file, offset, reason, valid_after: None });
        }
        let cache = BlockCache::new(usize::try_from(limits.cache_bytes_max).unwrap_or(usize::MAX));
        let stats = StoreStats {
            disk_bytes: version.tables.iter().map(|table| table.size).fold(replayed.bytes, u64::saturating_add),
            tables: version.tables.len() as u64,
            log_entries: replayed.table.len() as u64,
        };
        Ok(Self {
            dir: dir.to_path_buf(),
            engine,
            entry_point,
            runs: runs::group(&version.tables),
            tables: OpenTables::new(dir, engine, version.tables, cache),
            logs: replayed.table,
            log_numbers: replayed.logs,
            stats,
            notices: replayed.notices,
        })
    }

    /// The manifest that was read, and Pebble's format.
    #[must_use]
    pub fn entry_point(&self) -> &EntryPoint {
        &self.entry_point
    }

    /// What a crash left at the ends of the logs and the manifest; no error, but worth telling.
    #[must_use]
    pub fn notices(&self) -> &[LogNotice] {
        &self.notices
    }

    /// Cursors that a full scan has, one of them for the logs.
    #[must_use]
    pub fn scan_width(&self) -> usize {
        self.runs.len() + 1
    }
}

/// Last key and bytes of pieces of the key space.
type Points = Vec<(Vec<u8>, u64)>;

/// goleveldb does not open a folder whose manifest lacks one of these.
fn require_numbers(manifest: &Path, version: &Version) -> Result<(), StoreError> {
    let numbers = [
        ("log number", version.log_number),
        ("next file number", version.next_file),
        ("last sequence", version.last_sequence),
    ];
    match numbers.iter().find(|(_, number)| number.is_none()) {
        Some((name, _)) => Err(StoreError::corrupt(manifest, None, format!("the manifest has no {name}"))),
        None => Ok(()),
    }
}

impl ReadStore for LsmStore {
    fn scan(&self, range: &KeyRange) -> Result<Box<dyn Cursor + Send + '_>, StoreError> {
        let end = range.end.as_deref();
        let mut sources = vec![Source::Log { table: &self.logs, next: self.logs.position(&range.start) }];
        for run in &self.runs {
            sources.push(Source::Run(Box::new(RunCursor::new(&self.tables, run, &range.start, end))));
        }
        Ok(Box::new(MergeCursor::new(&self.dir, self.engine, sources, end, self.logs.tombstones())))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.newest(key)?.map(|newest| newest.value))
    }

    fn locate(&self, key: &[u8]) -> Result<Option<Location>, StoreError> {
        let Some(newest) = self.newest(key)? else { return Ok(None) };
        if let Some((table, offset)) = newest.block {
            let path = |meta| self.tables.path(meta);
            let file = self.tables.metas().get(table).map_or_else(|| self.dir.clone(), path);
            return Ok(Some(Location::Block { file, offset }));
        }
        let found = log_search::find(&self.dir, self.engine, &self.log_numbers, key, newest.trailer)?;
        Ok(Some(match found {
            Some((file, offset)) => Location::LogRecord { file, offset },
            // The logs have changed since they were read.
            None => Location::Within { files: log_search::paths(&self.dir, &self.log_numbers) },
        }))
    }

    fn split_points(&self, bytes: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let piece = (bytes / 4).max(1);
        let mut points = self.logs.points(piece);
        for (index, meta) in self.tables.metas().iter().enumerate() {
            let inner = if meta.size > piece { self.index_points(index)? } else { None };
            points.extend(inner.unwrap_or_else(|| vec![(meta.last_key().to_vec(), meta.size)]));
        }
        let tables = self.tables.metas().iter().map(|meta| (meta.first_key(), meta.last_key()));
        let logs = self.logs.bounds();
        let Some((first, last)) = tables.chain(logs).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return Ok(Vec::new());
        };
        points.retain(|(key, _)| first < key.as_slice() && key.as_slice() <= last);
        Ok(cut_at(points, bytes.max(1)))
    }

    fn stats(&self) -> StoreStats {
        self.stats
    }

    fn remarks(&self) -> Vec<String> {
        self.notices.iter().map(ToString::to_string).collect()
    }
}

/// The version of a key that counts, and that is no deletion.
struct Newest {
    /// Sequence << 8 | kind.
    trailer: u64,
    value: Vec<u8>,
    /// Table, by index, and offset of its block; `None` when it is in the logs.
    block: Option<(usize, u64)>,
}

impl LsmStore {
    fn newest(&self, key: &[u8]) -> Result<Option<Newest>, StoreError> {
        let logged = self.logs.get(key);
        let mut newest: Option<(usize, u64, Vec<u8>)> = None;
        let mut trailer = logged.map(|(trailer, _)| trailer);
        let mut tombstones: Vec<_> = self.logs.tombstones().iter().collect();
        let seek = [key, &[0xff; 8]].concat();
        for index in self.runs.iter().filter_map(|run| runs::table_for(run, self.tables.metas(), key)) {
            let global = self.tables.metas().get(index).and_then(|meta| meta.global_sequence());
            let found = self.tables.with_cursor(index, |cursor| {
                if !cursor.seek(&seek)? {
                    return Ok(None);
                }
                let Some((user, number)) = cursor.key().split_last_chunk() else { return Ok(None) };
                let number = u64::from_le_bytes(*number);
                let number = global.map_or(number, |sequence| sequence << 8 | number & 0xff);
                let newer = user == key && trailer.is_none_or(|best| number > best);
                Ok(newer.then(|| (number, cursor.block_offset(), cursor.value().to_vec())))
            })?;
            if let Some((number, offset, value)) = found {
                trailer = Some(number);
                newest = Some((index, offset, value));
            }
            tombstones.extend(self.tables.tombstones(index)?);
        }
        let Some(trailer) = trailer else { return Ok(None) };
        let live = is_live(self.engine, trailer)
            .map_err(|feature| StoreError::Unsupported { file: self.dir.clone(), feature })?;
        if !live || tombstones.iter().any(|tombstone| hides(tombstone, key, trailer)) {
            return Ok(None);
        }
        let in_table = newest.map(|(index, offset, value)| Newest { trailer, value, block: Some((index, offset)) });
        Ok(in_table.or_else(|| Some(Newest { trailer, value: logged?.1.to_vec(), block: None })))
    }

    /// Points inside a table; none when it is damaged, which the scan will tell.
    fn index_points(&self, index: usize) -> Result<Option<Points>, StoreError> {
        match self.tables.table(index).and_then(|table| table.index_points()) {
            Ok(points) => Ok(Some(points)),
            Err(StoreError::Corrupt(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Chooses keys so that about `bytes` lie between two of them.
fn cut_at(mut points: Points, bytes: u64) -> Vec<Vec<u8>> {
    points.sort_unstable();
    // What ends with the largest point is the last piece; a cut there would leave one row behind it.
    points.pop();
    let mut cuts: Vec<Vec<u8>> = Vec::new();
    let mut since = 0_u64;
    for (key, size) in points {
        since = since.saturating_add(size);
        if since >= bytes && cuts.last() < Some(&key) {
            cuts.push(key);
            since = 0;
        }
    }
    cuts
}
