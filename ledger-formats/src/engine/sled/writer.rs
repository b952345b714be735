//! Writes a new sled database, shard by shard.
//!
//! # Correctness
//! All shards go into one database, `<parts>/db.sled`, a few megabytes at a time; [`super::span`]
//! notes them first, so that an interrupted shard is undone before it is written again and `seal`
//! can undo one that never was. sled itself makes neither its blob files nor their names durable and
//! flushes its log with `sync_file_range`, which leaves the disk's cache and the file's length
//! behind: a finished shard is fsynced here, file by file. `seal` closes the database, fsyncs it and
//! moves it to its final name in one rename.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::span::{self, SpanWriter};
use super::{Conf, Eviction, SEGMENT_BYTES, close, guarded, open};
use crate::durable;
use crate::engine::ascending::{Ascending, shards_ascend};
use crate::store::{BulkWriter, FinishedShard, ShardWriter, StoreError};

/// Rows are collected up to this size, then written and flushed: sled keeps in memory what is not flushed.
const BATCH_BYTES: usize = 4 << 20;
/// Rows that one batch may have, so that its bookkeeping stays below the size of the rows.
const BATCH_ROWS: usize = 64 << 10;

/// Makes a new sled database from shards.
#[derive(Debug)]
pub struct SledWriter {
    parts: PathBuf,
    dir: PathBuf,
    staged: PathBuf,
    db: Mutex<Option<Staged>>,
}

/// The open database and up to which blob its files are durable.
#[derive(Debug)]
struct Staged {
    db: ::sled::Db,
    durable_blob: Option<i64>,
}

impl SledWriter {
    /// Writes in the folder `parts` (created when missing) and seals as `dir`, on the same file system.
    ///
    /// # Errors
    /// When `parts` cannot be created.
    pub fn new(parts: &Path, dir: &Path) -> Result<Self, StoreError> {
        durable::create_dir_all(parts)?;
        let staged = parts.join("db.sled");
        Ok(Self { parts: parts.to_path_buf(), dir: dir.to_path_buf(), staged, db: Mutex::new(None) })
    }

    /// The open database; opened by the first caller, because opening creates it.
    fn staged(&self) -> Result<StagedGuard<'_>, StoreError> {
        let mut guard = self.lock();
        if guard.is_none() {
            if self.dir.exists() {
                return Err(self.fault("is already sealed"));
            }
            if !self.holds_finished()? {
                durable::remove_dir_all(&self.staged)?;
            }
            let segment_bytes = match self.staged.join("conf").exists() {
                true => Conf::read(&self.staged)?.segment_bytes,
                false => SEGMENT_BYTES,
            };
            let db = durable::step("open", &self.staged, || Ok(open(&self.staged, segment_bytes)))??;
            *guard = Some(Staged { db, durable_blob: None });
        }
        Ok(StagedGuard(guard))
    }

    /// Whether an earlier process has finished a shard. A database without one is thrown away: cut
    /// before its log's first flush, sled opens it as empty but trips over the blobs it has left.
    fn holds_finished(&self) -> Result<bool, StoreError> {
        for path in self.spans()? {
            if span::read(&path)?.is_some_and(|span| span.finished.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Staged>> {
        // sled is safe to use after a panic of another thread; its own errors stay with it.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, message: impl Into<String>) -> StoreError {
        StoreError::Engine { engine: "sled", path: self.dir.clone(), message: message.into() }
    }

    /// Removes the rows that an attempt at a shard left behind, and then its span file.
    fn undo(&self, path: &Path) -> Result<(), StoreError> {
        const REMOVALS_PER_FLUSH: usize = 16 << 10;
        let Some(span) = span::read(path)? else { return Ok(()) };
        if let Some((first, last)) = span.keys {
            self.refuse_overlap(path, &first, &last)?;
            let staged = self.staged()?;
            let db = &staged.get().db;
            let mut rows = db.range(first..=last).keys();
            loop {
                let removed = guarded(&self.staged, || {
                    let mut removed = 0;
                    for key in rows.by_ref().take(REMOVALS_PER_FLUSH) {
                        db.remove(key?)?;
                        removed += 1;
                    }
                    db.flush()?;
                    Ok(removed)
                })?;
                if removed < REMOVALS_PER_FLUSH {
                    break;
                }
            }
        }
        Ok(durable::remove_file(path)?)
    }

    /// Rows do not say which shard wrote them: undoing one shard must not reach into another.
    fn refuse_overlap(&self, path: &Path, first: &[u8], last: &[u8]) -> Result<(), StoreError> {
        for other in self.spans()?.into_iter().filter(|other| other != path) {
            let keys = span::read(&other)?.and_then(|span| span.keys);
            if keys.is_some_and(|keys| keys.0.as_slice() <= last && keys.1.as_slice() >= first) {
                let names = (path.display(), other.display());
                return Err(
                    self.fault(format!("shards {} and {} overlap: neither can be undone alone", names.0, names.1))
                );
            }
        }
        Ok(())
    }

    /// Checks the finished shards against their spans, and undoes every shard that is not among them.
    fn settle(&self, shards: &[FinishedShard]) -> Result<(), StoreError> {
        shards_ascend(shards)?;
        let mut order = Ascending::default();
        let mut known = BTreeSet::new();
        for shard in shards {
            let path = span::path(&self.parts, shard.shard);
            let span = span::read(&path)?.unwrap_or_default();
            if span.finished != Some(shard.entries) {
                let FinishedShard { shard, entries, .. } = shard;
                return Err(self.fault(format!("shard {shard} with {entries} entries was not finished here")));
            }
            if let Some((first, last)) = &span.keys {
                order.admit(first)?;
                if last > first {
                    order.admit(last)?;
                }
            }
            known.insert(path);
        }
        for path in self.spans()? {
            if !known.contains(&path) {
                self.undo(&path)?;
            }
        }
        Ok(())
    }

    /// All span files.
    fn spans(&self) -> Result<Vec<PathBuf>, StoreError> {
        let failed = |source| StoreError::io(&self.parts, source);
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.parts).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "span") {
                paths.push(path);
            }
        }
        Ok(paths)
    }
}

impl Drop for SledWriter {
    fn drop(&mut self) {
        if let Some(staged) = self.lock().take() {
            // Closing fails after a failed write; what was finished is durable already.
            let _ = close(&self.staged, staged.db);
        }
    }
}

impl BulkWriter for SledWriter {
    fn shard(&self, shard: u32) -> Result<Box<dyn ShardWriter + Send + '_>, StoreError> {
        drop(self.staged()?);
        let path = span::path(&self.parts, shard);
        self.undo(&path)?;
        let span = SpanWriter::create(&path)?;
        Ok(Box::new(SledShard {
            writer: self,
            shard,
            span,
            batch: Batch::default(),
            order: Ascending::default(),
            entries: 0,
            eviction: Eviction::default(),
        }))
    }

    fn seal(&self, shards: &[FinishedShard]) -> Result<(), StoreError> {
        if self.dir.exists() {
            if self.staged.exists() {
                return Err(self.fault("exists, and so does a database that waits to be sealed under this name"));
            }
        } else {
            self.settle(shards)?;
            drop(self.staged()?);
            if let Some(staged) = self.lock().take() {
                close(&self.staged, staged.db)?;
            }
            sync_files(&self.staged, None)?;
            durable::rename(&self.staged, &self.dir)?;
        }
        for path in self.spans()? {
            durable::remove_file(&path)?;
        }
        Ok(())
    }
}

/// The locked database, known to be open.
struct StagedGuard<'a>(MutexGuard<'a, Option<Staged>>);

impl StagedGuard<'_> {
    fn get(&self) -> &Staged {
        self.0.as_ref().expect("made only around an open database")
    }

    fn get_mut(&mut self) -> &mut Staged {
        self.0.as_mut().expect("made only around an open database")
    }
}

/// Rows that wait to be written, in one buffer.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Lengths of key and value of each row.
    rows: Vec<(usize, usize)>,
}

impl Batch {
    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.rows.push((key.len(), value.len()));
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES || self.rows.len() >= BATCH_ROWS
    }

    fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.rows.iter().map(move |&(key, value)| {
            let (row, next) = rest.split_at(key + value);
            rest = next;
            row.split_at(key)
        })
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
    }
}

struct SledShard<'a> {
    writer: &'a SledWriter,
    shard: u32,
    span: SpanWriter,
    batch: Batch,
    order: Ascending,
    entries: u64,
    eviction: Eviction,
}

impl SledShard<'_> {
    /// Announces the batch, gives it to sled and flushes it.
    fn write_out(&mut self) -> Result<(), StoreError> {
        let Some((first, _)) = self.batch.rows().next() else { return Ok(()) };
        let last = self.order.last().unwrap_or(first);
        self.span.announce(first, last)?;
        let staged = self.writer.staged()?;
        let db = &staged.get().db;
        durable::step("write rows to", &self.writer.staged, || {
            Ok(guarded(&self.writer.staged, || {
                for (key, value) in self.batch.rows() {
                    db.insert(key, value)?;
                    self.eviction.passed(db, key, key.len() + value.len())?;
                }
                db.flush().map(drop)
            }))
        })??;
        self.entries += self.batch.rows.len() as u64;
        self.batch.clear();
        Ok(())
    }
}

impl ShardWriter for SledShard<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.order.admit(key)?;
        self.batch.push(key, value);
        if self.batch.is_full() { self.write_out() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<FinishedShard, StoreError> {
        self.write_out()?;
        let mut staged = self.writer.staged()?;
        let from = staged.get().durable_blob;
        staged.get_mut().durable_blob = sync_files(&self.writer.staged, from)?;
        drop(staged);
        self.span.finish(self.entries)?;
        Ok(FinishedShard { shard: self.shard, entries: self.entries, tables: Vec::new() })
    }
}

/// Fsyncs the files of a database: of the blobs (named by ascending log positions) only those above
/// `from`. Returns the newest blob.
fn sync_files(dir: &Path, from: Option<i64>) -> Result<Option<i64>, StoreError> {
    let blobs = dir.join("blobs");
    let mut newest = from;
    for folder in [dir, blobs.as_path()] {
        let failed = |source| StoreError::io(folder, source);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let blob = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<i64>().ok());
            if path.is_dir() || blob.is_some() && blob <= from {
                continue;
            }
            match File::open(&path) {
                Ok(file) => durable::step("sync", &path, || file.sync_all())?,
                // sled removes blobs and snapshots that it no longer needs from threads of its own.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::io(&path, error)),
            }
            newest = newest.max(blob);
        }
        durable::sync_dir(folder)?;
    }
    Ok(newest)
}
