//! sled 0.34: an embedded Rust engine, through its own crate (named nowhere else).
//!
//! Files of a database folder: `conf` (text, below), `db` (the log of pages in segments), `blobs/`
//! (pages too large for a segment, one file each), `snap.*` (the page table at some moment).
//! `conf` is `segment_size: <n>\nuse_compression: <bool>\nversion: <major>.<minor>\n` and four bytes
//! of CRC-32 (sled 0.34.7, `config.rs`).
//!
//! The crate has no read-only mode: opening a folder writes to it. So nothing but a copy may be
//! opened here, and never a node's own folder. The crate also panics on some damaged pages; every
//! call goes through a guard that makes an error of it.

mod live;
mod reader;
mod span;
mod writer;

use std::fs::{File, TryLockError};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use crate::engine::lock::LockedFile;
use crate::store::StoreError;

pub use live::SledLive;
pub use reader::SledStore;
pub use writer::SledWriter;

/// The default tree's name inside sled; every other tree is a keyspace that no ledger uses.
const DEFAULT_TREE: &[u8] = b"__sled__default";
/// `conf` is about sixty bytes; more than this is something else.
const CONF_BYTES_MAX: u64 = 4 << 10;
/// The smallest cache that sled takes, one page for each of its 256 queues. A larger one would be no
/// limit: pages in `blobs/` count for it as some forty bytes each.
const CACHE_BYTES: u64 = 256;
/// What the crate writes by default, and so what every node's database has.
const SEGMENT_BYTES: usize = 512 << 10;

/// What a database was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Conf {
    segment_bytes: usize,
}

impl Conf {
    /// Reads `conf` of a database folder.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for a compressed database or one of another release, by name.
    fn read(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("conf");
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(|source| StoreError::io(&path, source))?;
        file.take(CONF_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|source| StoreError::io(&path, source))?;
        Self::parse(&path, &bytes)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        let corrupt = |reason: &str| StoreError::corrupt(path, None, reason);
        if bytes.len() as u64 > CONF_BYTES_MAX {
            return Err(corrupt("longer than any sled conf"));
        }
        let (text, _checksum) = bytes.split_last_chunk::<4>().ok_or_else(|| corrupt("shorter than its checksum"))?;
        let text = std::str::from_utf8(text).map_err(|_| corrupt("not text"))?;
        let setting = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.ok_or_else(|| corrupt(&format!("no {name}")))
        };
        let unsupported = |feature: String| StoreError::Unsupported { file: path.to_path_buf(), feature };
        let version = setting("version")?;
        if version != "0.34" {
            return Err(unsupported(format!("the format of sled {version}")));
        }
        match setting("use_compression")? {
            "false" => {}
            "true" => return Err(unsupported("sled's zstd compression".to_owned())),
            _ => return Err(corrupt("use_compression is neither true nor false")),
        }
        let segment_bytes = setting("segment_size")?.parse().map_err(|_| corrupt("segment_size is not a number"))?;
        Ok(Self { segment_bytes })
    }
}

/// Opens the database, which writes into the folder. One that was closed a moment ago is waited for.
fn open(dir: &Path, segment_bytes: usize) -> Result<::sled::Db, StoreError> {
    let log = dir.join("db");
    if log.exists() {
        // One that stays locked is refused by the crate, with the system's error.
        await_lock(&log)?;
    }
    guarded(dir, || {
        let config = ::sled::Config::new().path(dir).segment_size(segment_bytes);
        config.cache_capacity(CACHE_BYTES).flush_every_ms(None).open()
    })
}

/// Calls the crate and turns its errors, and its panics, into errors about `dir`.
fn guarded<T>(dir: &Path, call: impl FnOnce() -> ::sled::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| store_error(dir, error)),
        Err(panic) => Err(StoreError::corrupt(&dir.join("db"), None, panic_text(panic.as_ref()))),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("sled gave up: {}", text.unwrap_or("no reason given"))
}

fn store_error(dir: &Path, error: ::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Io(source) => StoreError::io(dir, source),
        ::sled::Error::Corruption { at, .. } => {
            StoreError::corrupt(&dir.join("db"), at.map(|place| place.lid()), "sled read a damaged page")
        }
        ::sled::Error::Unsupported(feature) => StoreError::Unsupported { file: dir.to_path_buf(), feature },
        other => StoreError::Engine { engine: "sled", path: dir.to_path_buf(), message: other.to_string() },
    }
}

/// Lets sled drop the pages that were read or written, from time to time.
///
/// sled notes accesses in 256 queues (by page) and evicts only when a queue has 64 of them. Pages
/// that are visited once therefore stay in memory, up to 16,384 of them: gigabytes where rows are
/// block parts. Looking a key up often enough fills the queue of its page. What is left is one page
/// a queue, of up to 16 rows each: 256 MiB where rows are block parts of 64 KiB, less for all others.
#[derive(Debug, Default)]
struct Eviction {
    bytes: usize,
}

impl Eviction {
    /// Rows smaller than this are on pages so small that 16,384 of them do no harm.
    const BYTES: usize = 16 << 10;
    const LOOKUPS: u32 = 65;

    /// Notes that the row of `key`, of `bytes` bytes, was passed.
    fn passed(&mut self, db: &::sled::Tree, key: &[u8], bytes: usize) -> ::sled::Result<()> {
        self.bytes += bytes;
        if self.bytes >= Self::BYTES {
            self.bytes = 0;
            for _ in 0..Self::LOOKUPS {
                db.get(key)?;
            }
        }
        Ok(())
    }
}

/// Closes the database and returns when its lock is free.
fn close(dir: &Path, db: ::sled::Db) -> Result<(), StoreError> {
    guarded(dir, || {
        drop(db);
        Ok(())
    })?;
    match await_lock(&dir.join("db"))? {
        true => Ok(()),
        false => Err(StoreError::Engine {
            engine: "sled",
            path: dir.to_path_buf(),
            message: "still holds its lock after it was closed".to_owned(),
        }),
    }
}

/// Waits until nobody holds the lock of a log, and says whether that came to be. After the last handle is
/// gone the crate's own threads hold it a little longer, and so does a child process that is just being
/// started (see [`LockedFile`]); the crate itself asks once and gives up.
fn await_lock(log: &Path) -> Result<bool, StoreError> {
    const ATTEMPTS: u32 = 3_000;
    let io = |source| StoreError::io(log, source);
    for _ in 0..ATTEMPTS {
        match LockedFile::take(File::open(log).map_err(io)?) {
            Ok(_free) => return Ok(true),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Conf, StoreError> {
        Conf::parse(Path::new("conf"), &[text.as_bytes(), &[1, 2, 3, 4]].concat())
    }

    #[test]
    fn conf_of_a_plain_database_is_taken() {
        let conf = parse("segment_size: 524288\nuse_compression: false\nversion: 0.34\n");
        assert_eq!(conf.expect("plain"), Conf { segment_bytes: 524_288 });
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let text = |result: Result<Conf, StoreError>| result.expect_err("refused").to_string();
        let compressed = parse("segment_size: 524288\nuse_compression: true\nversion: 0.34\n");
        assert_eq!(text(compressed), "conf: sled's zstd compression is not supported");
        let newer = parse("segment_size: 524288\nuse_compression: false\nversion: 1.0\n");
        assert_eq!(text(newer), "conf: the format of sled 1.0 is not supported");
    }

    #[test]
    fn damaged_conf_is_corrupt() {
        for text in ["", "version: 0.34\n", "segment_size: x\nuse_compression: false\nversion: 0.34\n"] {
            assert!(matches!(parse(text), Err(StoreError::Corrupt(_))), "{text:?}");
        }
        assert!(matches!(Conf::parse(Path::new("conf"), &[0xff; 5]), Err(StoreError::Corrupt(_))));
        assert!(matches!(Conf::parse(Path::new("conf"), &[b'a'; 5_000]), Err(StoreError::Corrupt(_))));
        assert!(matches!(Conf::parse(Path::new("conf"), b"abc"), Err(StoreError::Corrupt(_))));
    }
}
