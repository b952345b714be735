//! The footer of a table: which family wrote it, and where its index and metaindex are.
//!
//! ```text
//! LevelDB     48 bytes: metaindex handle, index handle, zeros to 40, magic 57fb808b247547db
//! RocksDB v2  53 bytes: u8 checksum type, both handles, zeros to 41, u32 2, magic f7cff485b741e288
//! Pebble v1   as RocksDB v2 with u32 1 and magic f09faab3f09faab3;  v2: with u32 2
//! handle = uv offset, uv length (without the five bytes behind the block)
//! ```
//! (LevelDB `doc/table_format.md`; RocksDB `table/format.h`; Pebble `sstable/format.go`.)
//! Every other version is refused by its name.

use super::block_codec::TRAILER_LEN;
use super::checksum::Checksum;
use super::varint;

/// The longest footer in bytes.
pub const FOOTER_LEN_MAX: usize = 53;

const LEVELDB_LEN: usize = 48;
pub(super) const MAGIC_LEVELDB: [u8; 8] = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
pub(super) const MAGIC_ROCKSDB: [u8; 8] = [0xf7, 0xcf, 0xf4, 0x85, 0xb7, 0x41, 0xe2, 0x88];
pub(super) const MAGIC_PEBBLE: [u8; 8] = [0xf0, 0x9f, 0xaa, 0xb3, 0xf0, 0x9f, 0xaa, 0xb3];

/// Where a block is: its body's offset and length in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handle {
    /// Offset of the body in the file.
    pub offset: u64,
    /// Bytes of the body, without type and checksum.
    pub length: u64,
}

impl Handle {
    /// Takes a handle from the front of `input`.
    pub fn take(input: &mut &[u8]) -> Option<Self> {
        Some(Self { offset: varint::take(input)?, length: varint::take(input)? })
    }

    /// The handle in `value`, if the block with its trailer lies within `limit` bytes.
    #[must_use]
    pub fn parse(mut value: &[u8], limit: u64) -> Option<Self> {
        Self::take(&mut value).filter(|handle| handle.end().is_some_and(|end| end <= limit))
    }

    /// Appends the handle.
    pub fn put(self, output: &mut Vec<u8>) {
        varint::put(output, self.offset);
        varint::put(output, self.length);
    }

    /// Bytes of a written block with its trailer.
    #[must_use]
    pub fn stored_len(self) -> u64 {
        self.length + TRAILER_LEN as u64
    }

    /// First offset behind the block and its trailer.
    #[must_use]
    pub fn end(self) -> Option<u64> {
        self.offset.checked_add(self.length)?.checked_add(TRAILER_LEN as u64)
    }
}

/// The family and version of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// goleveldb and C++ LevelDB.
    LevelDb,
    /// Pebble at format 1, and RocksDB of old.
    RocksDbV2,
    /// Pebble from format 5.
    PebbleV1,
    /// Pebble from format 8.
    PebbleV2,
}

/// What a footer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footer {
    /// Family and version.
    pub format: TableFormat,
    /// How blocks are checked.
    pub checksum: Checksum,
    /// The block that names further blocks.
    pub metaindex: Handle,
    /// The index, or its top level.
    pub index: Handle,
}

/// Why bytes are no footer that is read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FooterError {
    /// Fewer bytes than the family's footer has.
    #[error("{length} bytes are too short for a footer")]
    TooShort {
        /// Bytes that there are.
        length: usize,
    },
    /// No magic number of a table.
    #[error("the last eight bytes are {found}, no table's magic number")]
    Magic {
        /// The bytes in hex.
        found: String,
    },
    /// A handle that is cut off or points outside the table.
    #[error("malformed block handle in the footer")]
    Handle,
    /// A version that is not read here, by name.
    #[error("{0} is not supported")]
    Unsupported(String),
}

impl Footer {
    /// Reads the footer at the end of `tail`, the last bytes of a table of `size` bytes.
    ///
    /// # Errors
    /// See [`FooterError`].
    pub fn parse(tail: &[u8], size: u64) -> Result<Self, FooterError> {
        let too_short = FooterError::TooShort { length: tail.len() };
        let Some((rest, &magic)) = tail.split_last_chunk::<8>() else { return Err(too_short) };
        if magic == MAGIC_LEVELDB {
            let handles = tail.len().checked_sub(LEVELDB_LEN).and_then(|start| rest.get(start..));
            return Self::of(TableFormat::LevelDb, Checksum::Crc32c, handles.ok_or(too_short)?, size);
        }
        let Some((rest, &version)) = rest.split_last_chunk() else { return Err(too_short) };
        let format = versioned(magic, u32::from_le_bytes(version))?;
        let body = tail.len().checked_sub(FOOTER_LEN_MAX).and_then(|start| rest.get(start..));
        let (&checksum, handles) = body.and_then(|body| body.split_first()).ok_or(too_short)?;
        Self::of(format, checksum_type(checksum)?, handles, size)
    }

    fn of(format: TableFormat, checksum: Checksum, mut handles: &[u8], size: u64) -> Result<Self, FooterError> {
        let limit = size.saturating_sub(format.footer_len() as u64);
        let mut handle = || Handle::take(&mut handles).filter(|h| h.end().is_some_and(|end| end <= limit));
        let (metaindex, index) = (handle().ok_or(FooterError::Handle)?, handle().ok_or(FooterError::Handle)?);
        Ok(Self { format, checksum, metaindex, index })
    }

    /// Appends the footer, with CRC32c as the checksum.
    pub fn put(format: TableFormat, metaindex: Handle, index: Handle, output: &mut Vec<u8>) {
        let start = output.len();
        let (version, magic) = match format {
            TableFormat::LevelDb => (None, MAGIC_LEVELDB),
            TableFormat::RocksDbV2 => (Some(2_u32), MAGIC_ROCKSDB),
            TableFormat::PebbleV1 => (Some(1), MAGIC_PEBBLE),
            TableFormat::PebbleV2 => (Some(2), MAGIC_PEBBLE),
        };
        if version.is_some() {
            output.push(CHECKSUM_CRC32C);
        }
        metaindex.put(output);
        index.put(output);
        let fixed = magic.len() + version.map_or(0, |_| 4);
        output.resize(start + format.footer_len() - fixed, 0);
        if let Some(version) = version {
            output.extend_from_slice(&version.to_le_bytes());
        }
        output.extend_from_slice(&magic);
    }
}

impl TableFormat {
    /// Whether a large index has two levels.
    #[must_use]
    pub fn is_index_cut(self) -> bool {
        self != Self::LevelDb
    }

    /// Bytes of its footer.
    #[must_use]
    pub fn footer_len(self) -> usize {
        if self == Self::LevelDb { LEVELDB_LEN } else { FOOTER_LEN_MAX }
    }
}

const CHECKSUM_CRC32C: u8 = 1;

fn checksum_type(byte: u8) -> Result<Checksum, FooterError> {
    match byte {
        CHECKSUM_CRC32C => Ok(Checksum::Crc32c),
        3 => Ok(Checksum::XxHash64),
        0 => Err(FooterError::Unsupported("a table without checksums".into())),
        2 => Err(FooterError::Unsupported("checksum XXH32".into())),
        4 => Err(FooterError::Unsupported("checksum XXH3".into())),
        other => Err(FooterError::Unsupported(format!("checksum type {other}"))),
    }
}

fn versioned(magic: [u8; 8], version: u32) -> Result<TableFormat, FooterError> {
    match (magic, version) {
        (MAGIC_ROCKSDB, 2) => Ok(TableFormat::RocksDbV2),
        (MAGIC_PEBBLE, 1) => Ok(TableFormat::PebbleV1),
        (MAGIC_PEBBLE, 2) => Ok(TableFormat::PebbleV2),
        (MAGIC_ROCKSDB, other) => Err(FooterError::Unsupported(format!("table format RocksDB v{other}"))),
        (MAGIC_PEBBLE, other) => Err(FooterError::Unsupported(format!("table format Pebble v{other}"))),
        _ => Err(FooterError::Magic { found: hex::encode(magic) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: Handle = Handle { offset: 113, length: 31 };
    const INDEX: Handle = Handle { offset: 26, length: 22 };

    fn written(format: TableFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        Footer::put(format, META, INDEX, &mut bytes);
        bytes
    }

    #[test]
    fn footers_of_real_tables_byte_for_byte() {
        let rocks = "01711f1a160000000000000000000000000000000000000000000000000000000000000000000000000\
                     2000000f7cff485b741e288";
        assert_eq!(hex::encode(written(TableFormat::RocksDbV2)), rocks);
        let level = "711f1a160000000000000000000000000000000000000000000000000000000000000000000000005\
                     7fb808b247547db";
        assert_eq!(hex::encode(written(TableFormat::LevelDb)), level);
        assert!(hex::encode(written(TableFormat::PebbleV1)).ends_with("01000000f09faab3f09faab3"));
    }

    #[test]
    fn every_format_returns() {
        for format in [TableFormat::LevelDb, TableFormat::RocksDbV2, TableFormat::PebbleV1, TableFormat::PebbleV2] {
            let mut tail = b"something before it".to_vec();
            tail.extend_from_slice(&written(format));
            let footer = Footer { format, checksum: Checksum::Crc32c, metaindex: META, index: INDEX };
            assert_eq!(Footer::parse(&tail, 202), Ok(footer));
            assert_eq!(Footer::parse(&tail, 150), Err(FooterError::Handle), "handles outside the table");
        }
    }

    #[test]
    fn other_versions_are_refused_by_name() {
        let refused = |magic: [u8; 8], version: u8| {
            let mut tail = written(TableFormat::RocksDbV2);
            tail[41] = version;
            tail[45..].copy_from_slice(&magic);
            Footer::parse(&tail, 202).unwrap_err().to_string()
        };
        assert_eq!(refused(MAGIC_PEBBLE, 3), "table format Pebble v3 is not supported");
        assert_eq!(refused(MAGIC_PEBBLE, 7), "table format Pebble v7 is not supported");
        assert_eq!(refused(MAGIC_ROCKSDB, 5), "table format RocksDB v5 is not supported");
        assert_eq!(refused(*b"no magic", 2), "the last eight bytes are 6e6f206d61676963, no table's magic number");
    }

    #[test]
    fn other_checksums_are_refused_by_name() {
        let mut tail = written(TableFormat::PebbleV2);
        tail[0] = 3;
        assert_eq!(Footer::parse(&tail, 202).map(|footer| footer.checksum), Ok(Checksum::XxHash64));
        tail[0] = 4;
        assert_eq!(Footer::parse(&tail, 202).unwrap_err().to_string(), "checksum XXH3 is not supported");
    }

    #[test]
    fn cut_off_footers_are_refused() {
        for format in [TableFormat::LevelDb, TableFormat::PebbleV1] {
            let whole = written(format);
            for start in 1..whole.len() {
                let tail = &whole[start..];
                assert_eq!(Footer::parse(tail, 202), Err(FooterError::TooShort { length: tail.len() }));
            }
        }
    }
}
