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

const ONE_LEVEL: u8 = 0;
const TWO_LEVEL: u8 = 2;

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
        [ONE_LEVEL, 0, 0, 0] => Ok(IndexType::OneLevel),
        [TWO_LEVEL, 0, 0, 0] => Ok(IndexType::TwoLevel),
        other => Err(BlockFault::Unsupported(format!("index type {}", hex::encode(other)))),
    }
}

/// What is counted while a table is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Bytes of the data blocks on disk.
    pub data_bytes: u64,
    /// Of the index.
    pub index: IndexSize,
    /// Number of data blocks.
    pub data_blocks: u64,
    /// Number of entries.
    pub entries: u64,
    /// Sum of the internal keys' lengths.
    pub key_bytes: u64,
    /// Sum of the values' lengths.
    pub value_bytes: u64,
}

/// What is counted while an index is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct IndexSize {
    /// Bytes of its blocks on disk.
    pub bytes: u64,
    /// Of two levels: number of the lower blocks, and bytes of the upper one on disk.
    pub pieces: Option<(u64, u64)>,
}

/// Which properties a release of Pebble writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertySet {
    /// Pebble v2 at format 13. It needs them to read a table at all.
    Pebble2,
    /// Pebble v1 at format 1: further ones that are constant.
    Pebble1,
}

/// The properties block of a table without a filter.
#[must_use]
pub fn encode(counts: &Counts, set: PropertySet, compression: Compression) -> Vec<u8> {
    let compression = match compression {
        Compression::None => "NoCompression",
        Compression::Snappy => "Snappy",
    };
    let mut properties = vec![
        (INDEX_TYPE, vec![if counts.index.pieces.is_some() { TWO_LEVEL } else { ONE_LEVEL }, 0, 0, 0]),
        (COMPARATOR_NAME, COMPARATOR.into()),
        ("rocksdb.compression", compression.into()),
        ("rocksdb.compression_options", COMPRESSION_OPTIONS.into()),
        ("rocksdb.data.size", number(counts.data_bytes)),
        ("rocksdb.deleted.keys", number(0)),
        ("rocksdb.filter.size", number(0)),
        ("rocksdb.index.size", number(counts.index.bytes)),
        ("rocksdb.merge.operands", number(0)),
        ("rocksdb.merge.operator", "pebble.concatenate".into()),
        ("rocksdb.num.data.blocks", number(counts.data_blocks)),
        ("rocksdb.num.entries", number(counts.entries)),
        ("rocksdb.num.range-deletions", number(0)),
        ("rocksdb.property.collectors", "[]".into()),
        ("rocksdb.raw.key.size", number(counts.key_bytes)),
        ("rocksdb.raw.value.size", number(counts.value_bytes)),
    ];
    if let Some((pieces, top_bytes)) = counts.index.pieces {
        properties.push(("rocksdb.index.partitions", number(pieces)));
        properties.push(("rocksdb.top-level.index.size", number(top_bytes)));
    }
    if set == PropertySet::Pebble1 {
        properties.extend(constant_properties());
    }
    properties.sort_unstable();
    let mut block = BlockWriter::new(usize::MAX);
    for (name, value) in properties {
        block.add(name.as_bytes(), &value);
    }
    block.finish().to_vec()
}

/// What Pebble v1 writes besides, always the same.
fn constant_properties() -> [(&'static str, Vec<u8>); 10] {
    [
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
    ]
}

fn number(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint::put(&mut bytes, value);
    bytes
}

/// As RocksDB and Pebble write them whatever the compression is.
const COMPRESSION_OPTIONS: &str =
    "window_bits=-14; level=32767; strategy=0; max_dict_bytes=0; zstd_max_train_bytes=0; enabled=0; ";

/// RocksDB's number for "in no column family".
const NO_COLUMN_FAMILY: u64 = 0x7fff_ffff;

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a table with one entry of a node's evidence database.
    const ONE_LEVEL_BLOCK: &str = "002404726f636b7364622e626c6f636b2e62617365642e7461626c652e696e6465782e74797065000000001a100170726566\
         69782e66696c746572696e67301a130177686f6c652e6b65792e66696c746572696e6730081005636f6c756d6e2e66616d69\
         6c792e6964ffffffff070a081a6d70617261746f726c6576656c64622e4279746577697365436f6d70617261746f720c0706\
         72657373696f6e536e6170707913085f5f6f7074696f6e7377696e646f775f626974733d2d31343b206c6576656c3d333237\
         36373b2073747261746567793d303b206d61785f646963745f62797465733d303b207a7374645f6d61785f747261696e5f62\
         797465733d303b20656e61626c65643d303b20090c0172656174696f6e2e74696d6500080901646174612e73697a6521090b\
         01656c657465642e6b65797300080b0166696c7465722e73697a65000a0e017865642e6b65792e6c656e67746800090d016f\
         726d61742e76657273696f6e00081501696e6465782e6b65792e69732e757365722e6b6579000e040173697a651b0e160176\
         616c75652e69732e64656c74612e656e636f64656400080e016d657267652e6f706572616e647300130312746f7270656262\
         6c652e636f6e636174656e617465080f016e756d2e646174612e626c6f636b73010c0701656e7472696573010c0f0172616e\
         67652d64656c6574696f6e7300080f016f6c646573742e6b65792e74696d65000815077072656669782e657874726163746f\
         722e6e616d656e756c6c7074720a11026f70657274792e636f6c6c6563746f72735b5d080c017261772e6b65792e73697a65\
         0f0c0a0176616c75652e73697a65020000000001000000";
    /// Of a table of a node's application database.
    const TWO_LEVEL_BLOCK: &str = "002404726f636b7364622e626c6f636b2e62617365642e7461626c652e696e6465782e74797065020000001a100170726566\
         69782e66696c746572696e67301a130177686f6c652e6b65792e66696c746572696e6730081005636f6c756d6e2e66616d69\
         6c792e6964ffffffff070a081a6d70617261746f726c6576656c64622e4279746577697365436f6d70617261746f720c0706\
         72657373696f6e536e6170707913085f5f6f7074696f6e7377696e646f775f626974733d2d31343b206c6576656c3d333237\
         36373b2073747261746567793d303b206d61785f646963745f62797465733d303b207a7374645f6d61785f747261696e5f62\
         797465733d303b20656e61626c65643d303b20090c0172656174696f6e2e74696d6500080903646174612e73697a65d5cd1c\
         090b01656c657465642e6b65797300080b0166696c7465722e73697a65000a0e017865642e6b65792e6c656e67746800090d\
         016f726d61742e76657273696f6e00081501696e6465782e6b65792e69732e757365722e6b6579000e0a0170617274697469\
         6f6e73030e040273697a65c8440e160176616c75652e69732e64656c74612e656e636f64656400080e016d657267652e6f70\
         6572616e647300130312746f72706562626c652e636f6e636174656e617465080f026e756d2e646174612e626c6f636b73ce\
         010c0702656e7472696573e9490c0f0172616e67652d64656c6574696f6e7300080f016f6c646573742e6b65792e74696d65\
         000815077072656669782e657874726163746f722e6e616d656e756c6c7074720a11026f70657274792e636f6c6c6563746f\
         72735b5d080c037261772e6b65792e73697a65eeca120c0a0376616c75652e73697a65dbbb29081401746f702d6c6576656c\
         2e696e6465782e73697a65780000000001000000";

    fn two_level_counts() -> Counts {
        Counts {
            data_bytes: 468_693,
            index: IndexSize { bytes: 8776, pieces: Some((3, 120)) },
            data_blocks: 206,
            entries: 9449,
            key_bytes: 304_494,
            value_bytes: 679_387,
        }
    }

    #[test]
    fn what_pebble_v1_wrote_byte_for_byte() {
        let index = IndexSize { bytes: 27, pieces: None };
        let counts = Counts { data_bytes: 33, index, data_blocks: 1, entries: 1, key_bytes: 15, value_bytes: 2 };
        let encoded = |counts| hex::encode(encode(counts, PropertySet::Pebble1, Compression::Snappy));
        assert_eq!(encoded(&counts), ONE_LEVEL_BLOCK);
        assert_eq!(encoded(&two_level_counts()), TWO_LEVEL_BLOCK);
    }

    #[test]
    fn the_index_type_is_found() {
        let parsed = |block: &str| parse(hex::decode(block).unwrap());
        assert_eq!(parsed(ONE_LEVEL_BLOCK), Ok(IndexType::OneLevel));
        assert_eq!(parsed(TWO_LEVEL_BLOCK), Ok(IndexType::TwoLevel));
        let fewer = encode(&two_level_counts(), PropertySet::Pebble2, Compression::Snappy);
        assert!(fewer.len() < TWO_LEVEL_BLOCK.len() / 2);
        assert_eq!(parse(fewer), Ok(IndexType::TwoLevel));
    }

    #[test]
    fn what_would_be_misread_is_refused_by_name() {
        let refused = |name: &str, value: &[u8]| {
            let mut block = BlockWriter::new(1);
            block.add(name.as_bytes(), value);
            parse(block.finish().to_vec()).unwrap_err().to_string()
        };
        assert_eq!(refused(COMPARATOR_NAME, b"cockroach"), "the key order of comparator cockroach is not supported");
        assert_eq!(refused(INDEX_TYPE, &[1, 0, 0, 0]), "index type 01000000 is not supported");
        assert_eq!(refused("pebble.num.value-blocks", &[1]), "values in value blocks is not supported");
        assert_eq!(refused("rocksdb.index.key.is.user.key", &[1]), "an index of user keys is not supported");
    }
}
