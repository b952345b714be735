//! What differs between the databases that [`super::lsm_writer`] makes.

use super::footer::TableFormat;
use super::manifest_writer::TableTag;
use super::properties::PropertySet;

/// A kind of database made of sorted tables, for the releases that will open it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LsmTarget {
    /// goleveldb and C++ LevelDB.
    LevelDb,
    /// Pebble v1, format 1: all of today's Cosmos nodes.
    PebbleV1,
    /// Pebble v2, format 13. Pebble v2 before 2.1.5 deletes the tables of a format-1 folder, later
    /// ones refuse it.
    PebbleV2,
}

/// How the newest MANIFEST is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryPoint {
    /// The file `CURRENT` names it.
    Current,
    /// An empty file's name names it, another one's the format.
    Markers { format: u32 },
}

impl LsmTarget {
    pub(super) fn table_format(self) -> TableFormat {
        match self {
            Self::LevelDb => TableFormat::LevelDb,
            Self::PebbleV1 => TableFormat::RocksDbV2,
            Self::PebbleV2 => TableFormat::PebbleV1,
        }
    }

    /// LevelDB does not look at properties; with them Pebble v2 can adopt the tables one day.
    pub(super) fn properties(self) -> PropertySet {
        match self {
            Self::LevelDb | Self::PebbleV2 => PropertySet::Pebble2,
            Self::PebbleV1 => PropertySet::Pebble1,
        }
    }

    pub(super) fn table_tag(self) -> TableTag {
        match self {
            Self::LevelDb => TableTag::LevelDb,
            Self::PebbleV1 | Self::PebbleV2 => TableTag::Pebble,
        }
    }

    pub(super) fn entry_point(self) -> EntryPoint {
        match self {
            Self::LevelDb | Self::PebbleV1 => EntryPoint::Current,
            Self::PebbleV2 => EntryPoint::Markers { format: 13 },
        }
    }

    /// A table ends when it has reached this many bytes. goleveldb loads the whole index of a table
    /// for a point read that its cache of 8 MiB does not hold: with tables of 64 MiB that made reads
    /// of a 4 GB database four times slower. Pebble loads a piece of it.
    pub(super) fn table_bytes(self) -> u64 {
        match self {
            Self::LevelDb => 8 << 20,
            Self::PebbleV1 | Self::PebbleV2 => 64 << 20,
        }
    }

    /// Content of the OPTIONS file. Without one, nothing tells an empty Pebble folder of format 1 from
    /// an empty LevelDB folder; its marker tells a folder of a later format. Pebble writes its own at
    /// the first open, and compares no other settings than these.
    pub(super) fn options(self) -> Option<&'static str> {
        match self {
            Self::PebbleV1 => Some(concat!(
                "[Version]\n  pebble_version=0.1\n\n[Options]\n  comparer=leveldb.BytewiseComparator\n",
                "  format_major_version=1\n  merger=pebble.concatenate\n  strict_wal_tail=true\n",
            )),
            Self::LevelDb | Self::PebbleV2 => None,
        }
    }

    pub(super) fn table_name(self, number: u64) -> String {
        let suffix = match self {
            Self::LevelDb => "ldb",
            Self::PebbleV1 | Self::PebbleV2 => "sst",
        };
        format!("{number:06}.{suffix}")
    }
}
