//! What every engine's writer and reader promise (`ledger_formats::store`), checked on each of them.
//!
//! An engine joins with an [`Adapter`] and one line `contract!(name, Adapter)`.

use std::path::PathBuf;

use ledger_formats::digest::summarise;
use ledger_formats::engine::memory::{MemoryStore, MemoryWriter};
use ledger_formats::store::{BulkWriter, FinishedShard, FinishedTable, KeyRange, ReadStore, ShardWriter, StoreError};

use crate::crash;
use crate::rows::{self, Row};

/// One engine under test. A second `writer` for the same place stands for a second process.
pub trait Adapter: Default {
    /// The writer of a new database.
    fn writer<'a>(&'a self, place: &Place) -> Result<Box<dyn BulkWriter + 'a>, StoreError>;
    /// The sealed database.
    fn open<'a>(&'a self, place: &Place) -> Result<Box<dyn ReadStore + 'a>, StoreError>;
}

/// Where a test writes.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The folder of the parts.
    pub fn parts(&self) -> PathBuf {
        self.folder.path().join("parts")
    }

    /// The database's final name.
    pub fn target(&self) -> PathBuf {
        self.folder.path().join("target.db")
    }
}

fn write_shard(writer: &dyn BulkWriter, shard: u32, rows: &[Row]) -> FinishedShard {
    let mut open = writer.shard(shard).expect("shard");
    put_all(open.as_mut(), rows);
    let finished = open.finish().expect("finish");
    assert_eq!((finished.shard, finished.entries), (shard, rows.len() as u64));
    finished
}

fn put_all(shard: &mut dyn ShardWriter, rows: &[Row]) {
    for (key, value) in rows {
        shard.put(key, value).expect("put");
    }
}

/// Reads everything back, by scan and by digest.
fn assert_holds<A: Adapter>(adapter: &A, place: &Place, rows: &[Row]) {
    let store = adapter.open(place).expect("open");
    let expected = summarise(&rows::model(rows), &KeyRange::all()).expect("model");
    assert_eq!(summarise(store.as_ref(), &KeyRange::all()).expect("scan"), expected);
    for (key, _) in rows.iter().step_by(97) {
        assert!(store.locate(key).expect("locates").is_some(), "{}", key.escape_ascii());
        assert_eq!(store.locate(&[key.as_slice(), b"\0x"].concat()).expect("locates"), None);
    }
}

fn sealed<A: Adapter>(adapter: &A, place: &Place, rows: &[Row]) {
    let writer = adapter.writer(place).expect("writer");
    let (low, high) = rows.split_at(rows.len() / 2);
    let shards = [write_shard(writer.as_ref(), 0, low), write_shard(writer.as_ref(), 1, high)];
    writer.seal(&shards).expect("seal");
}

/// Shards written out of order, in two processes, read as one database.
pub fn round_trip<A: Adapter>() {
    let (adapter, place, rows) = (A::default(), Place::new(), rows::tricky());
    let (low, rest) = rows.split_at(rows.len() / 3);
    let (middle, high) = rest.split_at(rest.len() / 2);
    let first = adapter.writer(&place).expect("writer");
    let mut shards = vec![write_shard(first.as_ref(), 7, high), write_shard(first.as_ref(), 0, low)];
    drop(first);
    let second = adapter.writer(&place).expect("writer of a second process");
    shards.push(write_shard(second.as_ref(), 3, middle));
    shards.sort_by_key(|shard| shard.shard);
    assert!(!place.target().exists(), "nothing may stand under the final name before seal");
    second.seal(&shards).expect("seal");
    drop(second);
    assert_holds(&adapter, &place, &rows);
    let stats = adapter.open(&place).expect("open").stats();
    assert!(stats.disk_bytes > 1 << 20, "{stats:?}");
}

/// No shards, and a shard without rows, are a legal database.
pub fn empty<A: Adapter>() {
    for with_shard in [false, true] {
        let (adapter, place) = (A::default(), Place::new());
        let writer = adapter.writer(&place).expect("writer");
        let shards: Vec<_> = with_shard.then(|| write_shard(writer.as_ref(), 0, &[])).into_iter().collect();
        writer.seal(&shards).expect("seal");
        drop(writer);
        assert_holds(&adapter, &place, &[]);
        let store = adapter.open(&place).expect("open");
        assert_eq!(store.get(b"a").expect("get"), None);
        assert_eq!(store.split_points(1).expect("points"), Vec::<Vec<u8>>::new());
    }
}

/// Equal and lower keys are refused by name.
pub fn unsorted<A: Adapter>() {
    let (adapter, place) = (A::default(), Place::new());
    let writer = adapter.writer(&place).expect("writer");
    for key in [b"b".as_slice(), b"aa", b""] {
        let mut shard = writer.shard(0).expect("shard");
        shard.put(b"b", b"1").expect("first");
        let refused = shard.put(key, b"2");
        assert!(matches!(refused, Err(StoreError::Unsorted { ref last, .. }) if last == "62"), "{refused:?}");
    }
}

/// What a dropped attempt wrote is gone, also where the second attempt has no row, and so are the
/// rows of a shard that was begun and never finished.
pub fn rewritten<A: Adapter>() {
    let (adapter, place, rows) = (A::default(), Place::new(), rows::tricky());
    let writer = adapter.writer(&place).expect("writer");
    let (low, high) = rows.split_at(rows.len() / 2);
    let mut torso = writer.shard(1).expect("shard");
    put_all(torso.as_mut(), high);
    drop(torso);
    let [low, high] = [low, high].map(|half| half.iter().skip(1).step_by(3).cloned().collect::<Vec<_>>());
    let shards = [write_shard(writer.as_ref(), 0, &low), write_shard(writer.as_ref(), 1, &high)];
    let mut abandoned = writer.shard(2).expect("shard");
    put_all(abandoned.as_mut(), &[(vec![0xff; 50], rows::noise(5, 9 << 20)), (vec![0xff; 51], Vec::new())]);
    drop(abandoned);
    writer.seal(&shards).expect("seal");
    drop(writer);
    assert_holds(&adapter, &place, &[low, high].concat());
}

/// A finished shard that is begun again loses its first content.
pub fn finished_twice<A: Adapter>() {
    let (adapter, place, rows) = (A::default(), Place::new(), rows::tricky());
    let writer = adapter.writer(&place).expect("writer");
    write_shard(writer.as_ref(), 0, &rows);
    drop(writer);
    let writer = adapter.writer(&place).expect("writer of a second process");
    let again = write_shard(writer.as_ref(), 0, &rows[5..9]);
    writer.seal(&[again]).expect("seal");
    drop(writer);
    assert_holds(&adapter, &place, &rows[5..9]);
}

/// Sealing again, by the same writer and by another process, changes nothing.
pub fn sealed_twice<A: Adapter>() {
    let (adapter, place, rows) = (A::default(), Place::new(), rows::tricky());
    let writer = adapter.writer(&place).expect("writer");
    let shards = [write_shard(writer.as_ref(), 0, &rows)];
    writer.seal(&shards).expect("seal");
    writer.seal(&shards).expect("seal again");
    drop(writer);
    adapter.writer(&place).expect("writer of a second process").seal(&shards).expect("seal there");
    assert_holds(&adapter, &place, &rows);
}

/// Wherever `seal` is cut, running it again finishes the same database.
pub fn sealed_after_a_crash<A: Adapter>() {
    let rows: Vec<Row> = rows::tricky().into_iter().step_by(2).collect();
    let mut step = 0;
    loop {
        let (adapter, place) = (A::default(), Place::new());
        let writer = adapter.writer(&place).expect("writer");
        let (low, high) = rows.split_at(rows.len() / 2);
        let shards = [write_shard(writer.as_ref(), 0, low), write_shard(writer.as_ref(), 4, high)];
        let (result, cut) = crash::at_step(step, || writer.seal(&shards));
        drop(writer);
        assert_eq!(result.is_err(), cut, "step {step}: {result:?}");
        if cut && place.target().exists() {
            assert_holds(&adapter, &place, &rows);
        }
        adapter.writer(&place).expect("writer of a second process").seal(&shards).expect("seal again");
        assert_holds(&adapter, &place, &rows);
        if !cut {
            return;
        }
        step += 1;
    }
}

/// Shards that overlap, come in the wrong order or are not there are refused, and nothing is made.
pub fn unsealable<A: Adapter>() {
    let (adapter, place, rows) = (A::default(), Place::new(), rows::tricky());
    let writer = adapter.writer(&place).expect("writer");
    let low = write_shard(writer.as_ref(), 0, &rows[..20]);
    let overlapping = write_shard(writer.as_ref(), 1, &rows[19..40]);
    let high = write_shard(writer.as_ref(), 2, &rows[40..60]);
    let other_count = FinishedShard { entries: 19, ..high.clone() };
    let absent = FinishedTable {
        file: "00009-000.absent".to_owned(),
        bytes: 100,
        entries: 1,
        smallest: vec![0xff],
        largest: vec![0xff],
    };
    let absent = FinishedShard { shard: 9, entries: 1, tables: vec![absent] };
    for shards in [[&low, &overlapping], [&high, &low], [&low, &low], [&low, &absent], [&low, &other_count]] {
        let refused = writer.seal(&shards.map(FinishedShard::clone));
        assert!(refused.is_err(), "{shards:?}");
        assert!(!place.target().exists());
    }
}

/// Ranges begin and end where they say.
pub fn ranges<A: Adapter>() {
    let (adapter, place, rows) = (A::default(), Place::new(), rows::tricky());
    sealed(&adapter, &place, &rows);
    let store = adapter.open(&place).expect("open");
    let model = rows::model(&rows);
    let bounds: Vec<Vec<u8>> = [
        b"".as_slice(),
        b"\x00",
        b"H",
        b"H:17",
        b"H:170",
        b"H:9999",
        b"a",
        b"a\x00",
        b"key/",
        b"key/kk",
        b"\xff",
        b"\xff\xff\xff",
    ]
    .iter()
    .map(|key| key.to_vec())
    .chain([vec![0xff; 41], vec![0xff; 60]])
    .collect();
    for start in &bounds {
        for end in bounds.iter().map(Some).chain([None]) {
            let range = KeyRange { start: start.clone(), end: end.cloned() };
            let expected = summarise(&model, &range).expect("model");
            assert_eq!(summarise(store.as_ref(), &range).expect("scan"), expected, "{range:?}");
        }
    }
    let mut cursor = store.scan(&KeyRange { start: vec![0xff; 41], end: None }).expect("scan");
    assert_eq!(cursor.next().expect("last row"), Some((vec![0xff; 41].as_slice(), b"last".as_slice())));
    assert_eq!(cursor.next().expect("end"), None);
    assert_eq!(cursor.next().expect("still the end"), None);
}

/// Every key is found with its value, neighbours of keys are not.
pub fn gets<A: Adapter>() {
    let (adapter, place, rows) = (A::default(), Place::new(), rows::tricky());
    sealed(&adapter, &place, &rows);
    let store = adapter.open(&place).expect("open");
    for (key, value) in rows.iter().step_by(7).chain(&rows[..16]).chain(&rows[rows.len() - 10..]) {
        assert_eq!(store.get(key).expect("get").as_ref(), Some(value), "{}", key.escape_ascii());
    }
    for key in [b"H:".as_slice(), b"H:0", b"H:6001", b"P:12", b"key/", b"b", b"\xff\xff", b"\x01"] {
        assert_eq!(store.get(key).expect("get"), None, "{}", key.escape_ascii());
    }
}

/// Split points ascend, lie inside, and the pieces between them are the whole.
pub fn split_points<A: Adapter>() {
    let (adapter, place, rows) = (A::default(), Place::new(), rows::tricky());
    sealed(&adapter, &place, &rows);
    let store = adapter.open(&place).expect("open");
    for bytes in [0, 1, 100_000, 1 << 20, u64::MAX] {
        let points = store.split_points(bytes).expect("points");
        assert!(points.is_sorted_by(|a, b| a < b), "{bytes}");
        assert!(points.iter().all(|point| *point > rows[0].0 && *point <= rows[rows.len() - 1].0), "{bytes}");
        let starts = std::iter::once(Vec::new()).chain(points.clone());
        let ends = points.iter().cloned().map(Some).chain([None]);
        let pieces = starts.zip(ends).map(|(start, end)| KeyRange { start, end });
        let keys: u64 = pieces.map(|piece| summarise(store.as_ref(), &piece).expect("piece").keys).sum();
        assert_eq!(keys, rows.len() as u64, "{bytes}");
    }
    assert_eq!(store.split_points(u64::MAX).expect("points"), Vec::<Vec<u8>>::new());
}

macro_rules! contract {
    ($engine:ident, $adapter:ty) => {
        mod $engine {
            contract!(@tests $adapter: round_trip empty unsorted rewritten finished_twice sealed_twice
                sealed_after_a_crash unsealable ranges gets split_points);
        }
    };
    (@tests $adapter:ty: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::contract::$name::<$adapter>();
            }
        )*
    };
}

/// The memory store; its "processes" share the writer.
#[derive(Default)]
pub struct Memory {
    writer: MemoryWriter,
}

struct Lent<'a>(&'a MemoryWriter);

impl BulkWriter for Lent<'_> {
    fn shard(&self, shard: u32) -> Result<Box<dyn ShardWriter + Send + '_>, StoreError> {
        self.0.shard(shard)
    }

    fn seal(&self, shards: &[FinishedShard]) -> Result<(), StoreError> {
        self.0.seal(shards)
    }
}

impl Adapter for Memory {
    fn writer<'a>(&'a self, _place: &Place) -> Result<Box<dyn BulkWriter + 'a>, StoreError> {
        Ok(Box::new(Lent(&self.writer)))
    }

    fn open<'a>(&'a self, _place: &Place) -> Result<Box<dyn ReadStore + 'a>, StoreError> {
        Ok(Box::new(self.writer.sealed().unwrap_or_else(|| MemoryStore::new([]))))
    }
}

contract!(memory, super::Memory);

contract!(leveldb, crate::lsm_writer::LevelDb);
contract!(pebble_v1, crate::lsm_writer::PebbleV1);
contract!(pebble_v2, crate::lsm_writer::PebbleV2);

#[cfg(feature = "rocks")]
contract!(rocks, crate::rocks::Rocks);

#[cfg(feature = "sled")]
contract!(sled, crate::sled::Sled);
