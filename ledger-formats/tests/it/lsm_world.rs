//! A LevelDB or Pebble folder in all its states, made from random operations, beside what it holds.
//!
//! Writes go to a log; flushes, compactions and ingestions make tables as the engines do: every
//! version with its sequence, deletions, range deletions, sequences zeroed at the bottom.

use std::collections::BTreeMap;
use std::path::Path;

use ledger_formats::engine::EngineKind;
use ledger_formats::engine::internal_key::Kind;

use crate::lsm_bytes::{self, Tombstone, Version};

pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Random numbers that a seed repeats (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    pub fn key(&mut self) -> Vec<u8> {
        let tail: &[u8] = [b"".as_slice(), b"", b"\0", b"x"][usize::try_from(self.below(4)).expect("small")];
        [format!("k{}", self.below(60)).as_bytes(), tail].concat()
    }
}

/// A live table.
pub struct Table {
    pub level: u64,
    pub number: u64,
    pub versions: Vec<Version>,
    pub tombstones: Vec<Tombstone>,
    /// Replaces the sequences that the table holds.
    pub global: Option<u64>,
}

pub struct World {
    pub engine: EngineKind,
    dice: Dice,
    next_file: u64,
    next_sequence: u64,
    /// Logs that are still needed: number and batches.
    pub logs: Vec<(u64, Vec<Vec<u8>>)>,
    /// What the newest log holds.
    memory: Vec<Version>,
    memory_tombstones: Vec<Tombstone>,
    pub tables: Vec<Table>,
    pub model: Rows,
    /// The model before each batch of the newest log, and behind the last one.
    pub states: Vec<Rows>,
}

impl World {
    pub fn new(engine: EngineKind, seed: u64) -> Self {
        Self {
            engine,
            dice: Dice::new(seed),
            next_file: 3,
            next_sequence: 10,
            logs: vec![(2, Vec::new())],
            memory: Vec::new(),
            memory_tombstones: Vec::new(),
            tables: Vec::new(),
            model: Rows::new(),
            states: vec![Rows::new()],
        }
    }

    pub fn steps(mut self, steps: u32) -> Self {
        for _ in 0..steps {
            match self.dice.below(20) {
                0..=13 => self.write(),
                14..=16 => self.flush(),
                17 => self.compact(1),
                18 => self.compact(6),
                _ => self.ingest(),
            }
        }
        self
    }

    fn pebble(&self) -> bool {
        self.engine == EngineKind::Pebble
    }

    fn write(&mut self) {
        let count = 1 + self.dice.below(6);
        let first = self.next_sequence;
        let mut operations = Vec::new();
        for sequence in first..first + count {
            let key = self.dice.key();
            let kind = self.kind();
            if kind == Kind::RangeDelete {
                let (start, end) = {
                    let other = self.dice.key();
                    (key.clone().min(other.clone()), key.max(other))
                };
                self.model.retain(|key, _| !(start <= *key && *key < end));
                operations.push(Version { key: start.clone(), sequence, kind, value: end.clone() });
                self.memory_tombstones.push(Tombstone { start, end, sequence });
                continue;
            }
            let length = if kind.is_set() { self.dice.below(120) } else { 0 };
            let value: Vec<u8> = (0..length).map(|_| self.dice.below(256).to_le_bytes()[0]).collect();
            if kind.is_set() {
                self.model.insert(key.clone(), value.clone());
            } else {
                self.model.remove(&key);
            }
            let version = Version { key, sequence, kind, value };
            operations.push(version.clone());
            self.memory.push(version);
        }
        self.next_sequence += count;
        let batch = lsm_bytes::batch(first, &operations);
        self.logs.last_mut().expect("a log").1.push(batch);
        self.states.push(self.model.clone());
    }

    fn kind(&mut self) -> Kind {
        match (self.dice.below(24), self.pebble()) {
            (0..=4, _) => Kind::Delete,
            (5, true) => Kind::SetWithDelete,
            (6, true) => Kind::SingleDelete,
            (7, true) => Kind::DeleteSized,
            (8, true) => Kind::RangeDelete,
            _ => Kind::Set,
        }
    }

    fn flush(&mut self) {
        let (mut versions, tombstones) =
            (std::mem::take(&mut self.memory), std::mem::take(&mut self.memory_tombstones));
        versions.sort();
        let log = self.new_file();
        self.logs = vec![(log, Vec::new())];
        self.states = vec![self.model.clone()];
        self.add(0, versions, tombstones, None);
    }

    /// Merges everything down to `level`: the newest version of each key, at the bottom live ones only.
    fn compact(&mut self, level: u64) {
        let (inputs, rest): (Vec<Table>, Vec<Table>) = self.tables.drain(..).partition(|table| table.level <= level);
        self.tables = rest;
        let mut versions = Vec::new();
        let mut tombstones = Vec::new();
        for table in inputs {
            let sequence = |own| table.global.unwrap_or(own);
            versions.extend(table.versions.into_iter().map(|v| Version { sequence: sequence(v.sequence), ..v }));
            tombstones.extend(table.tombstones);
        }
        versions.sort();
        versions.dedup_by(|older, newer| older.key == newer.key);
        versions.retain(|version| !tombstones.iter().any(|tombstone| tombstone.hides(version)));
        if level == 6 {
            versions.retain(|version| version.kind.is_set());
            tombstones.clear();
            if self.pebble() {
                versions.iter_mut().for_each(|version| version.sequence = 0);
            }
        }
        let piece = usize::try_from(1 + self.dice.below(20)).expect("small");
        let pieces: Vec<Vec<Version>> = versions.chunks(piece).map(<[Version]>::to_vec).collect();
        let starts: Vec<Vec<u8>> = pieces.iter().skip(1).map(|piece| piece[0].key.clone()).collect();
        let mut low: Vec<u8> = Vec::new();
        for index in 0..pieces.len().max(1) {
            let high = starts.get(index);
            let cut = tombstones.iter().filter_map(|tombstone| tombstone.cut(&low, high)).collect();
            self.add(level, pieces.get(index).cloned().unwrap_or_default(), cut, None);
            low = high.cloned().unwrap_or_default();
        }
    }

    /// Pebble: a table from elsewhere, whose keys all have one sequence that only the manifest tells.
    fn ingest(&mut self) {
        if !self.pebble() {
            return;
        }
        self.flush();
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let mut rows = BTreeMap::new();
        for _ in 0..self.dice.below(8) {
            rows.insert(self.dice.key(), vec![b'i'; usize::try_from(self.dice.below(30)).expect("small")]);
        }
        let versions = rows.iter().map(|(key, value)| Version {
            key: key.clone(),
            sequence: 0,
            kind: Kind::Set,
            value: value.clone(),
        });
        self.add(0, versions.collect(), Vec::new(), Some(sequence));
        self.model.extend(rows);
        self.states = vec![self.model.clone()];
    }

    fn add(&mut self, level: u64, versions: Vec<Version>, tombstones: Vec<Tombstone>, global: Option<u64>) {
        if !versions.is_empty() || !tombstones.is_empty() {
            let number = self.new_file();
            self.tables.push(Table { level, number, versions, tombstones, global });
        }
    }

    fn new_file(&mut self) -> u64 {
        self.next_file += 1;
        self.next_file
    }

    /// Writes the folder.
    pub fn write_to(&self, dir: &Path) {
        std::fs::create_dir_all(dir).expect("folder");
        let suffix = if self.pebble() { "sst" } else { "ldb" };
        let mut manifest = lsm_bytes::Manifest::new(self.logs[0].0, self.next_file + 1, self.flushed_sequence());
        for table in &self.tables {
            let bytes = lsm_bytes::table(&table.versions, &table.tombstones, self.engine);
            manifest.add(table, bytes.len() as u64, self.engine);
            std::fs::write(dir.join(format!("{:06}.{suffix}", table.number)), bytes).expect("table");
        }
        for (number, batches) in &self.logs {
            let bytes = lsm_bytes::log(self.engine, *number, batches);
            std::fs::write(dir.join(format!("{number:06}.log")), bytes).expect("log");
        }
        std::fs::write(dir.join("MANIFEST-000001"), manifest.bytes()).expect("manifest");
        std::fs::write(dir.join("CURRENT"), "MANIFEST-000001\n").expect("CURRENT");
    }

    /// The last sequence that is in tables.
    fn flushed_sequence(&self) -> u64 {
        let batches = self.logs.iter().flat_map(|(_, batches)| batches);
        let first = batches.map(|batch| u64::from_le_bytes(batch[..8].try_into().expect("8 bytes"))).min();
        first.unwrap_or(self.next_sequence) - 1
    }
}
