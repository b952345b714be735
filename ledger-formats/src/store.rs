//! The contracts of reading one database and of writing one anew.
//!
//! [`ReadStore`] has no method that writes: a source cannot be changed through it. [`BulkWriter`]
//! makes a whole new database from strictly ascending entries; it cannot update one.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::durable::DurableError;

/// A half-open range of keys in byte order; `end: None` reaches to the last key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRange {
    /// First key of the range, inclusive; empty means from the first key.
    #[serde(with = "hex::serde")]
    pub start: Vec<u8>,
    /// First key behind the range; `None` means to the end of the database.
    #[serde(with = "optional_hex")]
    pub end: Option<Vec<u8>>,
}

impl KeyRange {
    /// The whole database.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Whether `key` lies in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.start.as_slice() && self.end.as_deref().is_none_or(|end| key < end)
    }
}

/// One row, lent by a cursor until it moves: key and value.
pub type Entry<'a> = (&'a [u8], &'a [u8]);

/// A forward scan in ascending byte order of keys, each key once, deleted keys left out.
///
/// # Correctness
/// `Ok(None)` means that the range was read to its end without a fault; it is never used for "could
/// not go on". After [`StoreError::Corrupt`] whose `range` is given, `next` may be called again and
/// goes on behind that range, from which it yields nothing (an older value could surface there).
/// After any other error the cursor only repeats an error.
pub trait Cursor {
    /// The next entry, or `None` at the end of the range.
    ///
    /// # Errors
    /// What could not be read, see above.
    fn next(&mut self) -> Result<Option<Entry<'_>>, StoreError>;
}

/// Size of a database as far as it can be told without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStats {
    /// Bytes of the live tables and logs on disk (of the tree's files for sled).
    pub disk_bytes: u64,
    /// Live tables (0 where the engine has none).
    pub tables: u64,
    /// Rows held only by the log (0 where not known).
    pub log_entries: u64,
}

/// A consistent, read-only view of one database.
pub trait ReadStore: Send + Sync {
    /// Scans the entries of `range` in ascending key order.
    ///
    /// # Errors
    /// When the scan cannot be started.
    fn scan(&self, range: &KeyRange) -> Result<Box<dyn Cursor + Send + '_>, StoreError>;

    /// The value of `key`, or `None` when there is none.
    ///
    /// # Errors
    /// When the place where the key would be cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Where the value of `key` lies on disk, or `None` when there is none.
    ///
    /// # Errors
    /// As [`ReadStore::get`].
    fn locate(&self, key: &[u8]) -> Result<Option<Location>, StoreError>;

    /// Interior keys, strictly ascending, that cut the database into pieces of about `bytes` on-disk
    /// bytes. May be empty. A hint: correct for any answer.
    ///
    /// # Errors
    /// When the index of the database cannot be read.
    fn split_points(&self, bytes: u64) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Size without a scan.
    fn stats(&self) -> StoreStats;

    /// What was odd when the store was opened and is no error, in sentences: what a crash left that the engine does not read either.
    /// Nothing where the engine's library keeps it to itself.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Where a row lies on disk, as exactly as its engine lets one tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In a block of a table.
    Block {
        /// The table.
        file: PathBuf,
        /// Offset of the block.
        offset: u64,
    },
    /// In a record of a log.
    LogRecord {
        /// The log.
        file: PathBuf,
        /// Offset of the record's first chunk.
        offset: u64,
    },
    /// In one of these files; which one, and where in it, only the engine's library knows. None for a store in memory.
    Within {
        /// The files.
        files: Vec<PathBuf>,
    },
}

/// Makes a new database of one engine from shards that are written side by side.
///
/// # Correctness
/// Nothing exists under the database's final name before [`BulkWriter::seal`] has returned: tables
/// are written and fsynced in a folder of their own, `seal` names them all in a manifest in a
/// second folder and its last step is one rename. `seal` is idempotent: run again after a crash it
/// finishes the same database. A shard that was not finished leaves nothing that `seal` would take.
pub trait BulkWriter: Send + Sync {
    /// Starts shard number `shard`, dropping whatever an interrupted attempt at it left behind.
    ///
    /// # Errors
    /// When the folder cannot be written.
    fn shard(&self, shard: u32) -> Result<Box<dyn ShardWriter + Send + '_>, StoreError>;

    /// Makes the finished shards (ascending by number, disjoint and ascending by key) the database.
    ///
    /// # Errors
    /// When a table is missing or of another size, shards overlap, or a write fails.
    fn seal(&self, shards: &[FinishedShard]) -> Result<(), StoreError>;
}

/// Takes the entries of one shard.
pub trait ShardWriter {
    /// Adds an entry; keys must be strictly ascending.
    ///
    /// # Errors
    /// [`StoreError::Unsorted`] for a key not above the last one; or a failed write.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Ends the shard: all its bytes are durable when this returns.
    ///
    /// # Errors
    /// When a write or fsync fails; the shard must then be written again.
    fn finish(self: Box<Self>) -> Result<FinishedShard, StoreError>;
}

/// What a finished shard consists of; kept in the journal, so that a later process can seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedShard {
    /// Its number.
    pub shard: u32,
    /// Entries in it.
    pub entries: u64,
    /// Its tables in key order; empty for an engine that writes rows elsewhere (sled).
    pub tables: Vec<FinishedTable>,
}

/// One finished table file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedTable {
    /// File name inside the parts folder.
    pub file: String,
    /// File size in bytes.
    pub bytes: u64,
    /// Entries in it.
    pub entries: u64,
    /// First key.
    #[serde(with = "hex::serde")]
    pub smallest: Vec<u8>,
    /// Last key.
    #[serde(with = "hex::serde")]
    pub largest: Vec<u8>,
}

/// A place on disk that cannot be read as what it claims to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corruption {
    /// The damaged file.
    pub file: PathBuf,
    /// Byte offset of the damaged block or record; `None` when the file as a whole is meant.
    pub offset: Option<u64>,
    /// What is wrong, in lower case without a full stop.
    pub reason: String,
    /// The keys that the place may hold, both bounds inclusive; given when a scan can go on behind it.
    pub range: Option<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Display for Corruption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(offset) = self.offset {
            write!(f, ", offset {offset}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Why a database could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Bytes on disk that are not what they claim to be.
    #[error("{0}")]
    Corrupt(Box<Corruption>),
    /// A well-formed thing of a kind that this tool does not read, named.
    #[error("{file}: {feature} is not supported")]
    Unsupported {
        /// The file that has it.
        file: PathBuf,
        /// The feature's name in its engine.
        feature: String,
    },
    /// The operating system refused a read or write.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A durable effect failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// A writer was given a key that is not above the one before it.
    #[error("key {key} is not above the key before it, {last}")]
    Unsorted {
        /// The offending key in hex.
        key: String,
        /// The key before it in hex.
        last: String,
    },
    /// An engine's library reported an error.
    #[error("{engine} at {path}: {message}")]
    Engine {
        /// The engine's name.
        engine: &'static str,
        /// The database folder.
        path: PathBuf,
        /// The library's words.
        message: String,
    },
    /// A record that cannot be said in the format that the store is converted to.
    #[error("{database}, {record}: {reason}")]
    Refused {
        /// The database.
        database: String,
        /// The record in words: its height and key.
        record: String,
        /// Why not.
        reason: String,
    },
    /// A limit of the tool that the data exceeds.
    #[error("{file}: {what} exceeds the limit of {limit} bytes")]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// What is too large.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },
}

impl StoreError {
    /// An error of the operating system about `path`.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), source }
    }

    /// A damaged place, not skippable.
    pub fn corrupt(file: &Path, offset: Option<u64>, reason: impl Into<String>) -> Self {
        Self::Corrupt(Box::new(Corruption { file: file.to_path_buf(), offset, reason: reason.into(), range: None }))
    }
}

mod optional_hex {
    //! `Option<Vec<u8>>` as a hex string or nothing.
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde's `with` asks for")]
    pub(super) fn serialize<S: Serializer>(value: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(bytes) => serializer.serialize_some(&hex::encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| hex::decode(text).map_err(serde::de::Error::custom))
            .transpose()
    }
}
