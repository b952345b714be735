//! Tables, manifests, batches and logs as bytes, with every sequence and kind: what our own writers,
//! which make finished databases only, never write.

use std::cmp::Reverse;

use ledger_formats::engine::EngineKind;
use ledger_formats::engine::block_codec::{Compression, Sealer};
use ledger_formats::engine::block_writer::BlockWriter;
use ledger_formats::engine::checksum::masked_crc;
use ledger_formats::engine::footer::{Footer, Handle, TableFormat};
use ledger_formats::engine::internal_key::{self, Kind, SEQUENCE_MAX};
use ledger_formats::engine::varint;

use crate::lsm_world::Table;

/// One version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub key: Vec<u8>,
    pub sequence: u64,
    pub kind: Kind,
    pub value: Vec<u8>,
}

impl Version {
    fn internal(&self) -> Vec<u8> {
        let mut key = Vec::new();
        internal_key::join(&mut key, &self.key, self.sequence, self.kind);
        key
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.key, Reverse(self.sequence)).cmp(&(&other.key, Reverse(other.sequence)))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Keys from `start` to before `end` are gone, as far as they are older.
#[derive(Clone, Debug)]
pub struct Tombstone {
    pub start: Vec<u8>,
    pub end: Vec<u8>,
    pub sequence: u64,
}

impl Tombstone {
    pub fn hides(&self, version: &Version) -> bool {
        version.sequence < self.sequence && self.start <= version.key && version.key < self.end
    }

    /// The part that lies from `low` to before `high`.
    pub fn cut(&self, low: &[u8], high: Option<&Vec<u8>>) -> Option<Self> {
        let start = self.start.clone().max(low.to_vec());
        let end = high.map_or_else(|| self.end.clone(), |high| self.end.clone().min(high.clone()));
        (start < end).then_some(Self { start, end, sequence: self.sequence })
    }
}

struct File {
    bytes: Vec<u8>,
    sealer: Sealer,
}

impl File {
    fn block(&mut self, block: &[u8], compression: Compression) -> Vec<u8> {
        let offset = self.bytes.len() as u64;
        let sealed = self.sealer.seal(block, compression);
        self.bytes.extend_from_slice(sealed.body);
        let length = sealed.body.len() as u64;
        self.bytes.extend_from_slice(&sealed.trailer);
        let mut handle = Vec::new();
        Handle { offset, length }.put(&mut handle);
        handle
    }
}

/// A table of small blocks.
pub fn table(versions: &[Version], tombstones: &[Tombstone], engine: EngineKind) -> Vec<u8> {
    let mut file = File { bytes: Vec::new(), sealer: Sealer::new() };
    let (mut data, mut index, mut meta) = (BlockWriter::new(3), BlockWriter::new(1), BlockWriter::new(1));
    for (at, version) in versions.iter().enumerate() {
        data.add(&version.internal(), &version.value);
        if at % 5 == 4 || at + 1 == versions.len() {
            let handle = file.block(data.finish(), Compression::Snappy);
            index.add(&version.internal(), &handle);
            data.reset();
        }
    }
    if !tombstones.is_empty() {
        let mut block = BlockWriter::new(1);
        let mut sorted: Vec<Version> = tombstones
            .iter()
            .map(|t| Version {
                key: t.start.clone(),
                sequence: t.sequence,
                kind: Kind::RangeDelete,
                value: t.end.clone(),
            })
            .collect();
        sorted.sort();
        sorted.iter().for_each(|tombstone| block.add(&tombstone.internal(), &tombstone.value));
        let handle = file.block(block.finish(), Compression::None);
        meta.add(b"rocksdb.range_del2", &handle);
    }
    let index = file.block(index.finish(), Compression::Snappy);
    let meta = file.block(meta.finish(), Compression::None);
    let format = if engine == EngineKind::Pebble { TableFormat::RocksDbV2 } else { TableFormat::LevelDb };
    let handle = |bytes: &[u8]| Handle::take(&mut { bytes }).expect("a handle");
    Footer::put(format, handle(&meta), handle(&index), &mut file.bytes);
    file.bytes
}

/// A batch of these operations.
pub fn batch(first: u64, operations: &[Version]) -> Vec<u8> {
    let mut bytes = first.to_le_bytes().to_vec();
    bytes.extend(u32::try_from(operations.len()).expect("few").to_le_bytes());
    for operation in operations {
        bytes.push(operation.kind as u8);
        varint::put_bytes(&mut bytes, &operation.key);
        if !matches!(operation.kind, Kind::Delete | Kind::SingleDelete) {
            varint::put_bytes(&mut bytes, &operation.value);
        }
    }
    bytes
}

/// A log of these records, with Pebble's mark of a clean close.
pub fn log(engine: EngineKind, number: u64, records: &[Vec<u8>]) -> Vec<u8> {
    let number = u32::try_from(number).expect("small");
    let (base, extra) = if engine == EngineKind::Pebble { (4, number.to_le_bytes().to_vec()) } else { (0, vec![]) };
    let mut bytes = records.iter().fold(Vec::new(), |bytes, record| framed(bytes, base, &extra, record));
    if engine == EngineKind::Pebble {
        bytes.extend([0, 0, 0, 0, 0, 0, 5]);
        bytes.extend((number + 1).to_le_bytes());
    }
    bytes
}

fn framed(mut bytes: Vec<u8>, base: u8, extra: &[u8], mut record: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 32768;
    let header = 7 + extra.len();
    let mut first = true;
    loop {
        let mut room = BLOCK - bytes.len() % BLOCK;
        if room < header {
            bytes.resize(bytes.len() + room, 0);
            room = BLOCK;
        }
        let (payload, rest) = record.split_at(record.len().min(room - header));
        let kind = base
            + match (first, rest.is_empty()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
        bytes.extend(masked_crc(&[&[kind], extra, payload]).to_le_bytes());
        bytes.extend(u16::try_from(payload.len()).expect("fits a block").to_le_bytes());
        bytes.push(kind);
        bytes.extend([extra, payload].concat());
        if rest.is_empty() {
            return bytes;
        }
        (record, first) = (rest, false);
    }
}

/// A manifest in the making: one record a table.
pub struct Manifest {
    records: Vec<Vec<u8>>,
}

impl Manifest {
    pub fn new(log: u64, next_file: u64, last_sequence: u64) -> Self {
        let mut record = vec![1];
        varint::put_bytes(&mut record, b"leveldb.BytewiseComparator");
        [2, log, 3, next_file, 4, last_sequence].iter().for_each(|value| varint::put(&mut record, *value));
        Self { records: vec![record] }
    }

    pub fn add(&mut self, table: &Table, size: u64, engine: EngineKind) {
        let mut keys: Vec<Version> =
            [table.versions.first(), table.versions.last()].into_iter().flatten().cloned().collect();
        for tombstone in &table.tombstones {
            let end = |key: &Vec<u8>, sequence| Version {
                key: key.clone(),
                sequence,
                kind: Kind::RangeDelete,
                value: vec![],
            };
            keys.extend([end(&tombstone.start, tombstone.sequence), end(&tombstone.end, SEQUENCE_MAX)]);
        }
        keys.sort();
        let tag = if engine == EngineKind::Pebble { 103 } else { 7 };
        let mut record = Vec::new();
        [tag, table.level, table.number, size].iter().for_each(|value| varint::put(&mut record, *value));
        for key in [&keys[0], &keys[keys.len() - 1]] {
            varint::put_bytes(&mut record, &key.internal());
        }
        if engine == EngineKind::Pebble {
            let own = table.versions.iter().map(|v| v.sequence).chain(table.tombstones.iter().map(|t| t.sequence));
            let (low, high) = own.fold((u64::MAX, 0), |(low, high), s| (low.min(s), high.max(s)));
            let (low, high) = table.global.map_or((low, high), |sequence| (sequence, sequence));
            [low, high, 1].iter().for_each(|value| varint::put(&mut record, *value));
        }
        self.records.push(record);
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.records.iter().fold(Vec::new(), |bytes, record| framed(bytes, 0, &[], record))
    }
}
