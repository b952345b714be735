//! A database with a patch over it reads as the map of both, and hides no damage that the patch is not for.

use std::collections::BTreeMap;
use std::path::Path;

use ledger_formats::engine::memory::MemoryStore;
use ledger_formats::patched::{Patch, PatchedStore};
use ledger_formats::store::{Corruption, Cursor, Entry, KeyRange, Location, ReadStore, StoreError, StoreStats};
use proptest::prelude::*;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Rows of which those between two keys cannot be read.
struct Damaged {
    rows: MemoryStore,
    lost: (Vec<u8>, Vec<u8>),
}

fn damage((first, last): &(Vec<u8>, Vec<u8>)) -> StoreError {
    StoreError::Corrupt(Box::new(Corruption {
        file: Path::new("000004.ldb").to_path_buf(),
        offset: Some(0),
        reason: "checksum mismatch".to_owned(),
        range: Some((first.clone(), last.clone())),
    }))
}

struct DamagedCursor<'a> {
    rows: Box<dyn Cursor + Send + 'a>,
    lost: &'a (Vec<u8>, Vec<u8>),
    told: bool,
}

impl Cursor for DamagedCursor<'_> {
    fn next(&mut self) -> Result<Option<Entry<'_>>, StoreError> {
        loop {
            let is_lost = match self.rows.next()? {
                Some((key, _)) => self.lost.0.as_slice() <= key && key <= self.lost.1.as_slice(),
                None => return Ok(None),
            };
            if !is_lost {
                break;
            }
            if !self.told {
                self.told = true;
                return Err(damage(self.lost));
            }
        }
        unreachable!("the test's own rows are all lost")
    }
}

impl ReadStore for Damaged {
    fn scan(&self, range: &KeyRange) -> Result<Box<dyn Cursor + Send + '_>, StoreError> {
        Ok(Box::new(DamagedCursor { rows: self.rows.scan(range)?, lost: &self.lost, told: false }))
    }

    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Err(damage(&self.lost))
    }

    fn locate(&self, _: &[u8]) -> Result<Option<Location>, StoreError> {
        Err(damage(&self.lost))
    }

    fn split_points(&self, bytes: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.rows.split_points(bytes)
    }

    fn stats(&self) -> StoreStats {
        self.rows.stats()
    }
}

fn collect(store: &dyn ReadStore, range: &KeyRange) -> Result<Rows, StoreError> {
    let mut rows = Rows::new();
    let mut cursor = store.scan(range)?;
    while let Some((key, value)) = cursor.next()? {
        assert!(rows.last_key_value().is_none_or(|(last, _)| last.as_slice() < key), "out of order");
        rows.insert(key.to_vec(), value.to_vec());
    }
    Ok(rows)
}

fn some_rows() -> impl Strategy<Value = Rows> {
    let bytes = proptest::collection::vec(0_u8..4, 0..4);
    proptest::collection::btree_map(bytes.clone(), bytes, 0..24)
}

proptest! {
    #[test]
    fn a_patched_store_reads_as_the_map_of_both(base in some_rows(), rows in some_rows(), start in 0_u8..4, end in 0_u8..5) {
        let mut expected = base.clone();
        expected.extend(rows.clone());
        let store = PatchedStore::new(Box::new(MemoryStore::new(base)), Patch { rows, lost: Vec::new() });
        let range = KeyRange { start: vec![start], end: Some(vec![end]) };
        let within: Rows = expected.iter().filter(|(key, _)| range.contains(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
        prop_assert_eq!(collect(&store, &range).expect("scan"), within);
        prop_assert_eq!(&collect(&store, &KeyRange::all()).expect("scan"), &expected);
        for key in expected.keys() {
            prop_assert_eq!(store.get(key).expect("get"), expected.get(key).cloned());
        }
    }
}

#[test]
fn a_lost_range_is_read_from_the_patch_and_any_other_damage_is_told() {
    let row = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    let lost = (b"b".to_vec(), b"d".to_vec());
    let base = || {
        let rows = MemoryStore::new([row(b"b", b"x"), row(b"c", b"x"), row(b"d", b"x")]);
        Box::new(Damaged { rows, lost: lost.clone() })
    };
    let rows = Rows::from([row(b"a", b"0"), row(b"b", b"1"), row(b"d", b"2"), row(b"e", b"3")]);
    let mended = PatchedStore::new(base(), Patch { rows: rows.clone(), lost: vec![lost.clone()] });
    assert_eq!(collect(&mended, &KeyRange::all()).expect("scan"), rows);
    assert_eq!(mended.get(b"b").expect("get"), Some(b"1".to_vec()));
    assert_eq!(mended.get(b"c").expect("get"), None);

    for other in [Vec::new(), vec![(b"b".to_vec(), b"c".to_vec())], vec![(b"c".to_vec(), b"z".to_vec())]] {
        let store = PatchedStore::new(base(), Patch { rows: rows.clone(), lost: other });
        assert!(matches!(collect(&store, &KeyRange::all()), Err(StoreError::Corrupt(_))));
    }
    let unmended = PatchedStore::new(base(), Patch { rows, lost: Vec::new() });
    assert!(matches!(unmended.get(b"c"), Err(StoreError::Corrupt(_))));
}
