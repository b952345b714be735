//! What only sled has: one database for all shards, a lock, further trees, compression.

use std::fs;
use std::path::Path;

use ledger_formats::digest::summarise;
use ledger_formats::engine::sled::{SledStore, SledWriter};
use ledger_formats::store::{BulkWriter, KeyRange, ReadStore, StoreError};

use crate::contract::{Adapter, Place};
use crate::rows;

/// sled under the contract.
#[derive(Default)]
pub struct Sled;

impl Adapter for Sled {
    fn writer<'a>(&'a self, place: &Place) -> Result<Box<dyn BulkWriter + 'a>, StoreError> {
        Ok(Box::new(SledWriter::new(&place.parts(), &place.target())?))
    }

    fn open<'a>(&'a self, place: &Place) -> Result<Box<dyn ReadStore + 'a>, StoreError> {
        Ok(Box::new(SledStore::open_copy(&place.target())?))
    }
}

fn write(parts: &Path, target: &Path) {
    let writer = SledWriter::new(parts, target).expect("writer");
    let mut shard = writer.shard(0).expect("shard");
    for (key, value) in rows::tricky() {
        shard.put(&key, &value).expect("put");
    }
    let finished = shard.finish().expect("finish");
    writer.seal(&[finished]).expect("seal");
}

#[test]
fn seal_has_released_the_lock_and_left_no_note() {
    let folder = tempfile::tempdir().expect("folder");
    let target = folder.path().join("target.db");
    write(&folder.path().join("parts"), &target);
    let db = ::sled::open(&target).expect("opens in the process that wrote it");
    assert_eq!(db.len(), rows::tricky().len());
    drop(db);
    assert_eq!(fs::read_dir(folder.path().join("parts")).expect("parts").count(), 0);
}

/// A process that is killed before sled's first flush leaves blobs behind that sled later trips over.
#[test]
fn blobs_of_a_database_that_never_began_are_no_obstacle() {
    let folder = tempfile::tempdir().expect("folder");
    let (parts, target) = (folder.path().join("parts"), folder.path().join("target.db"));
    let stale = parts.join("db.sled/blobs");
    fs::create_dir_all(&stale).expect("blobs");
    // Blobs are named by their position in the log; the first one comes early.
    for position in 0..4_000 {
        fs::write(stale.join(position.to_string()), b"stale").expect("a blob");
    }
    let writer = SledWriter::new(&parts, &target).expect("writer");
    let mut shard = writer.shard(0).expect("shard");
    let value = rows::noise(1, 1 << 20);
    shard.put(b"a", &value).expect("put");
    let finished = shard.finish().expect("finish");
    writer.seal(&[finished]).expect("seal");
    assert_eq!(SledStore::open_copy(&target).expect("open").get(b"a").expect("get"), Some(value));
}

#[test]
fn further_trees_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("folder");
    let db = ::sled::open(folder.path()).expect("open");
    db.open_tree("mempool").expect("tree").insert("a", "b").expect("insert");
    db.flush().expect("flush");
    drop(db);
    let refused = SledStore::open_copy(folder.path()).expect_err("two trees").to_string();
    assert!(refused.ends_with("the further tree `mempool` is not supported"), "{refused}");
}

#[test]
fn a_folder_that_is_no_database_is_not_made_one() {
    let folder = tempfile::tempdir().expect("folder");
    assert!(matches!(SledStore::open_copy(folder.path()), Err(StoreError::Io { .. })));
    assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 0);
}

#[test]
fn other_segment_sizes_are_read() {
    let folder = tempfile::tempdir().expect("folder");
    let db = ::sled::Config::new().path(folder.path()).segment_size(64 << 10).open().expect("open");
    db.insert("a", "b").expect("insert");
    db.flush().expect("flush");
    drop(db);
    let store = SledStore::open_copy(folder.path()).expect("open");
    assert_eq!(store.get(b"a").expect("get"), Some(b"b".to_vec()));
}

/// A child that is just being started holds the files of its parent, and with them their locks.
#[test]
fn a_lock_that_is_let_go_a_little_later_is_waited_for() {
    let folder = tempfile::tempdir().expect("folder");
    let target = folder.path().join("target.db");
    write(&folder.path().join("parts"), &target);
    let late = fs::File::open(target.join("db")).expect("log");
    late.try_lock().expect("lock");
    let store = std::thread::scope(|scope| {
        let opened = scope.spawn(|| SledStore::open_copy(&target));
        std::thread::sleep(std::time::Duration::from_millis(300));
        drop(late);
        opened.join().expect("no panic").expect("open")
    });
    let tricky = rows::tricky();
    assert_eq!(store.get(&tricky[0].0).expect("get").as_ref(), Some(&tricky[0].1));
}

/// Damage must be an error or leave the rows as they were; it must never panic, and never change a row.
#[test]
fn damage_never_panics_and_never_invents_rows() {
    let folder = tempfile::tempdir().expect("folder");
    let target = folder.path().join("target.db");
    write(&folder.path().join("parts"), &target);
    let whole = rows::model(&rows::tricky());
    let clean = fs::read(target.join("db")).expect("log");
    let mut refused = 0;
    for part in 0..24_usize {
        let mut log = clean.clone();
        let at = clean.len() / 24 * part + 700;
        log[at] ^= 0x10;
        fs::remove_dir_all(&target).expect("remove");
        write_copy(&folder.path().join("parts"), &target, &log);
        let opened = SledStore::open_copy(&target);
        let read = opened.and_then(|store| {
            let mut cursor = store.scan(&KeyRange::all())?;
            while let Some((key, value)) = cursor.next()? {
                assert_eq!(whole.get(key)?.as_deref(), Some(value), "row {} was invented", key.escape_ascii());
            }
            drop(cursor);
            summarise(&store, &KeyRange::all())
        });
        refused += usize::from(read.is_err());
    }
    assert!(refused > 0, "no damaged log was noticed");
}

/// The database anew, with another log.
fn write_copy(parts: &Path, target: &Path, log: &[u8]) {
    write(parts, target);
    fs::write(target.join("db"), log).expect("damage");
}
