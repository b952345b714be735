//! The merged reader against a map: whole folders, ranges, single keys; and with damage.

use std::path::Path;

use ledger_formats::engine::EngineKind;
use ledger_formats::engine::lsm::LsmStore;
use ledger_formats::store::{KeyRange, ReadStore, StoreError};

use crate::lsm_world::{Dice, Rows, World};

/// A range of keys that could not be read, both bounds inclusive.
type Lost = (Vec<u8>, Vec<u8>);

fn worlds(count: u64) -> impl Iterator<Item = (u64, World, tempfile::TempDir)> {
    let engines = [EngineKind::LevelDb, EngineKind::Pebble];
    engines.into_iter().flat_map(move |engine| {
        (0..count).map(move |seed| {
            let world = World::new(engine, seed).steps(10 + u32::try_from(seed % 150).expect("small"));
            let dir = tempfile::tempdir().expect("a temporary folder");
            world.write_to(dir.path());
            (seed, world, dir)
        })
    })
}

/// Everything that a scan gives, checked for order, with the ranges that it could not read.
fn rows(store: &LsmStore, range: &KeyRange) -> Result<(Rows, Vec<Lost>), StoreError> {
    let (mut rows, mut lost) = (Rows::new(), Vec::<Lost>::new());
    let mut cursor = store.scan(range)?;
    for _ in 0..100_000 {
        match cursor.next() {
            Ok(None) => return Ok((rows, lost)),
            Ok(Some((key, value))) => {
                assert!(range.contains(key));
                assert!(rows.last_key_value().is_none_or(|(last, _)| last.as_slice() < key));
                assert!(!lost.iter().any(|(low, high)| low.as_slice() <= key && key <= high.as_slice()), "a lost key");
                rows.insert(key.to_vec(), value.to_vec());
            }
            Err(StoreError::Corrupt(place)) if place.range.is_some() => lost.extend(place.range),
            Err(error) => return Err(error),
        }
    }
    panic!("the scan does not end");
}

#[test]
fn scans_and_reads_agree_with_the_model() {
    for (seed, world, dir) in worlds(200) {
        let place = format!("{} {seed}", world.engine);
        let store =
            LsmStore::open(dir.path(), world.engine, 1 << 20).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(rows(&store, &KeyRange::all()).expect("scan"), (world.model.clone(), vec![]), "{place}");
        let mut dice = Dice::new(seed);
        for _ in 0..20 {
            let (start, end) = (dice.key(), dice.key());
            let expected: Rows = world
                .model
                .iter()
                .filter(|(key, _)| start <= **key && **key < end)
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            let range = KeyRange { start, end: Some(end) };
            assert_eq!(rows(&store, &range).expect("scan"), (expected, vec![]), "{place} {range:?}");
            let key = dice.key();
            assert_eq!(store.get(&key).expect("get").as_ref(), world.model.get(&key), "{place} {}", key.escape_ascii());
        }
        let points = store.split_points(200).expect("points");
        assert!(points.is_sorted_by(|a, b| a < b), "{place}");
    }
}

#[test]
fn behind_damage_nothing_old_surfaces_and_nothing_else_is_lost() {
    let (mut met, mut tables) = (0, 0);
    for (seed, world, dir) in worlds(60) {
        let suffix = if world.engine == EngineKind::Pebble { "sst" } else { "ldb" };
        let path = |number: u64| dir.path().join(format!("{number:06}.{suffix}"));
        for pair in world.tables.windows(2) {
            let files: Vec<_> = pair.iter().map(|table| path(table.number)).collect();
            let bytes: Vec<_> = files.iter().map(|file| std::fs::read(file).expect("table")).collect();
            files.iter().for_each(|file| std::fs::remove_file(file).expect("remove"));
            assert!(check_damaged(&world, dir.path()), "two missing tables are told");
            files.iter().zip(bytes).for_each(|(file, bytes)| std::fs::write(file, bytes).expect("restore"));
        }
        for table in &world.tables {
            let path = path(table.number);
            let bytes = std::fs::read(&path).expect("table");
            let mut dice = Dice::new(seed ^ table.number);
            for _ in 0..4 {
                let mut damaged = bytes.clone();
                let at = usize::try_from(dice.below(bytes.len() as u64)).expect("small");
                damaged[at] ^= 1 << dice.below(8);
                std::fs::write(&path, &damaged).expect("damage");
                met += usize::from(check_damaged(&world, dir.path()));
            }
            std::fs::remove_file(&path).expect("remove");
            assert!(check_damaged(&world, dir.path()), "a missing table is told");
            std::fs::write(&path, &bytes).expect("restore");
            tables += 1;
        }
    }
    assert!(tables > 100 && met > tables, "{met} of {tables} tables");
}

/// Checks a scan of a folder with a damaged table; whether the damage was told.
fn check_damaged(world: &World, dir: &Path) -> bool {
    let store = LsmStore::open(dir, world.engine, 0).expect("tables are opened later");
    let (found, lost) = match rows(&store, &KeyRange::all()) {
        Ok(found) => found,
        // A flipped bit may name a format or feature that does not exist; then nothing more is read.
        Err(StoreError::Unsupported { .. }) => return true,
        Err(error) => panic!("{} {error}", world.engine),
    };
    for (key, value) in &found {
        assert_eq!(world.model.get(key), Some(value), "{} {}", world.engine, key.escape_ascii());
    }
    for key in world.model.keys().filter(|key| !found.contains_key(*key)) {
        assert!(lost.iter().any(|(low, high)| low <= key && key <= high), "{} lost silently", key.escape_ascii());
    }
    !lost.is_empty()
}

#[test]
fn no_flip_or_cut_of_any_file_passes_unseen_or_panics() {
    for engine in [EngineKind::LevelDb, EngineKind::Pebble] {
        let world = World::new(engine, 5).steps(16);
        let dir = tempfile::tempdir().expect("a temporary folder");
        world.write_to(dir.path());
        let files: Vec<_> = std::fs::read_dir(dir.path()).expect("folder").map(|e| e.expect("entry").path()).collect();
        for path in files {
            let bytes = std::fs::read(&path).expect("file");
            for at in 0..bytes.len() {
                let mut flipped = bytes.clone();
                flipped[at] ^= 0x21;
                std::fs::write(&path, &flipped).expect("damage");
                check_hostile(&world, dir.path(), &path, Hostile::Flip, at);
                std::fs::write(&path, &bytes[..at]).expect("damage");
                check_hostile(&world, dir.path(), &path, Hostile::Cut, at);
            }
            std::fs::write(&path, &bytes).expect("restore");
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Hostile {
    Flip,
    Cut,
}

/// A damaged log gives an earlier state or an error. Other damage is told, or changes nothing; a
/// manifest that is cut between two records is a manifest.
fn check_hostile(world: &World, dir: &Path, path: &Path, how: Hostile, at: usize) {
    let Ok(store) = LsmStore::open(dir, world.engine, 0) else { return };
    let Ok((found, lost)) = rows(&store, &KeyRange::all()) else { return };
    let name = path.file_name().expect("a name").to_string_lossy();
    let told = !lost.is_empty() || !store.notices().is_empty();
    if name.ends_with(".log") {
        assert!(world.states.contains(&found), "{name} {how:?} {at}: a state that never was");
        assert!(told || found == world.model || how == Hostile::Cut, "{name} {how:?} {at}: not told");
    } else if !(name.starts_with("MANIFEST") && how == Hostile::Cut) {
        assert!(told || found == world.model, "{name} {how:?} {at}: rows went silently");
    }
}
