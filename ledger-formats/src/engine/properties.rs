//! The properties block of a table: what it was made with, and counts.
//!
//! The block is an ordinary one with a single restart point; names ascend. Numbers are varints, the
//! index type is a `u32` LE, truths are the digits `0` and `1`. (RocksDB
//! `include/rocksdb/table_properties.h`; Pebble `sstable/properties.go`.) LevelDB tables have none.
//! Read are only those that change how a table must be understood; the counts merely help the
//! engines to plan compactions.

use super::block::{BlockBytes, BlockCursor, BlockFault, KeyOrder};
use super::block_codec::Compression;
use super::block_writer::BlockWriter;
use super::varint;

/// The comparator of all databases that are read and written here: plain byte order.
pub const COMPARATOR: &str = "leveldb.BytewiseComparator";

/// The name of the block in the metaindex.
pub const BLOCK_NAME: &str = "rocksdb.properties";

const INDEX_TYPE: &str = "rocksdb.block.based.table.index.type";
const COMPARATOR_NAME: &str = "rocksdb.comparator";

/// Names of counts that must be zero, with the feature that another number means.
const UNREAD_FEATURES: [(&str, &str); 6] = [
    ("rocksdb.index.key.is.user.key", "an index of user keys"),
    ("rocksdb.index.value.is.delta.encoded", "an index of delta-encoded handles"),
    ("pebble.num.value-blocks", "values in value blocks"),
    ("pebble.num.range-key-sets", "range keys"),
    ("pebble.num.range-key-unsets", "range keys"),
    ("pebble.num.range-key-dels", "range keys"),
];

/// How the blocks of a table are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexType {
    /// One index block names the data blocks.
    OneLevel,
    /// One block names index blocks, which name the data blocks.
    TwoLevel,
}

/// Reads the index type out of a properties block, and refuses what would be misread.
///
/// # Errors
/// A malformed block; another comparator; features that are not read.
pub fn parse(bytes: Vec<u8>) -> Result<IndexType, BlockFault> {
    let mut index_type = IndexType::OneLevel;
    let mut cursor = BlockCursor::new(BlockBytes::Own(bytes), KeyOrder::Any)?;
    while cursor.next()? {
        let (name, value) = (cursor.key(), cursor.value());
        if name == INDEX_TYPE.as_bytes() {
            index_type = parse_index_type(value)?;
        } else if name == COMPARATOR_NAME.as_bytes() && value != COMPARATOR.as_bytes() {
            let name = String::from_utf8_lossy(value);
            return Err(BlockFault::Unsupported(format!("the key order of comparator {name}")));
        }
        let feature = UNREAD_FEATURES.iter().find(|(unread, _)| name == unread.as_bytes());
        if let Some((_, feature)) = feature.filter(|_| varint::take(&mut &*value) != Some(0)) {
            return Err(BlockFault::Unsupported((*feature).to_owned()));
        }
    }
    Ok(index_type)
}

fn parse_index_type(value: &[u8]) -> Result<IndexType, BlockFault> {
    match value {
        [0, 0, 0, 0] => Ok(IndexType::OneLevel),
        [2, 0, 0, 0] => Ok(IndexType::TwoLevel),
        other => Err(BlockFault::Unsupported(format!("index type {}", hex::encode(other)))),
    }
}

/// What is counted while a table is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Bytes of the data blocks on disk.
    pub data_bytes: u64,
    /// Bytes of the index on disk.
    pub index_bytes: u64,
    /// Number of data blocks.
    pub data_blocks: u64,
    /// Number of entries.
    pub entries: u64,
    /// Sum of the internal keys' lengths.
    pub key_bytes: u64,
    /// Sum of the values' lengths.
    pub value_bytes: u64,
}

/// Which properties a release of Pebble writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertySet {
    /// Pebble v2 at format 13. It needs them to read a table at all.
    Pebble2,
    /// Pebble v1 at format 1: further ones that are constant.
    Pebble1,
}

/// The properties block of a table with a one-level index and no filter.
#[must_use]
pub fn encode(counts: &Counts, set: PropertySet, compression: Compression) -> Vec<u8> {
    let number = |value: u64| {
        let mut bytes = Vec::new();
        varint::put(&mut bytes, value);
        bytes
    };
    let compression = match compression {
        Compression::None => "NoCompression",
        Compression::Snappy => "Snappy",
    };
    let mut properties = vec![
        (INDEX_TYPE, vec![0; 4]),
        (COMPARATOR_NAME, COMPARATOR.into()),
        ("rocksdb.compression", compression.into()),
        ("rocksdb.compression_options", COMPRESSION_OPTIONS.into()),
        ("rocksdb.data.size", number(counts.data_bytes)),
        ("rocksdb.deleted.keys", number(0)),
        ("rocksdb.filter.size", number(0)),
        ("rocksdb.index.size", number(counts.index_bytes)),
        ("rocksdb.merge.operands", number(0)),
        ("rocksdb.merge.operator", "pebble.concatenate".into()),
        ("rocksdb.num.data.blocks", number(counts.data_blocks)),
        ("rocksdb.num.entries", number(counts.entries)),
        ("rocksdb.num.range-deletions", number(0)),
        ("rocksdb.property.collectors", "[]".into()),
        ("rocksdb.raw.key.size", number(counts.key_bytes)),
        ("rocksdb.raw.value.size", number(counts.value_bytes)),
    ];
    if set == PropertySet::Pebble1 {
        properties.extend([
            ("rocksdb.block.based.table.prefix.filtering", "0".into()),
            ("rocksdb.block.based.table.whole.key.filtering", "0".into()),
            ("rocksdb.column.family.id", number(NO_COLUMN_FAMILY)),
            ("rocksdb.creation.time", number(0)),
            ("rocksdb.fixed.key.length", number(0)),
            ("rocksdb.format.version", number(0)),
            ("rocksdb.index.key.is.user.key", number(0)),
            ("rocksdb.index.value.is.delta.encoded", number(0)),
            ("rocksdb.oldest.key.time", number(0)),
            ("rocksdb.prefix.extractor.name", "nullptr".into()),
        ]);
    }
    properties.sort_unstable();
    let mut block = BlockWriter::new(usize::MAX);
    for (name, value) in properties {
        block.add(name.as_bytes(), &value);
    }
    block.finish().to_vec()
}

/// As RocksDB and Pebble write them whatever the compression is.
const COMPRESSION_OPTIONS: &str =
    "window_bits=-14; level=32767; strategy=0; max_dict_bytes=0; zstd_max_train_bytes=0; enabled=0; ";

/// RocksDB's number for "in no column family".
const NO_COLUMN_FAMILY: u64 = 0x7fff_ffff;
