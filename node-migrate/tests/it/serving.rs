//! The blocks of real homes as peers are given them: verified, complete, and never more than that.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ledger_formats::comet::TimeRule;
use node_migrate::context::{Context, Silence};
use node_migrate::home::Home;
use node_migrate::serving::{Sweep, Told, VerifiedBlocks, standing};
use proto::hello::Storage;
use shim::source::{BlockSource, Offer};

use crate::fixture::Fixture;
use crate::program::{run, text, tree};

/// Longer than any sweep here takes on a busy machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sweeps over a home until there is nothing more to prove; `rules` as on the command line.
pub fn swept(home: &Path, rules: Option<&str>) -> (Arc<VerifiedBlocks>, Vec<Told>) {
    swept_in(256 << 20, home, rules)
}

fn swept_in(memory_bytes: u64, home: &Path, rules: Option<&str>) -> (Arc<VerifiedBlocks>, Vec<Told>) {
    let chain_id = Home::open(home).expect("opens").genesis.expect("has a genesis file").chain_id;
    let blocks = Arc::new(VerifiedBlocks::new(&chain_id));
    let (stop, told) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let now = || "2026-01-01T00:00:00Z".to_owned();
    let context = Context { now, workers: 2, memory_bytes, stop: &stop, listener: &Silence };
    let hear = |one: Told| {
        let is_last = matches!(one, Told::Proven { is_all: true, .. } | Told::Unreadable { .. });
        stop.fetch_or(is_last, Ordering::Relaxed);
        told.lock().expect("no test panics with it").push(one);
    };
    let rules = rules.map(|rules| rules.parse().expect("rules"));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let sweeping = scope.spawn(|| Sweep::new(home, Arc::clone(&blocks), rules, &context, &hear).run());
        while !sweeping.is_finished() {
            std::thread::sleep(Duration::from_millis(20));
            stop.fetch_or(begin.elapsed() > PATIENCE, Ordering::Relaxed);
        }
    });
    (blocks, told.into_inner().expect("no test panics with it"))
}

/// Holds every block of a home against its oracle; the heights.
fn serves_as_the_oracle_says(fixture: &Fixture) -> Vec<Told> {
    let (blocks, told) = swept(&fixture.home(), None);
    let oracle = fixture.oracle();
    let expected = oracle["blocks"].as_array().expect("blocks");
    let heights: Vec<u64> = expected.iter().map(|block| block["height"].as_u64().expect("a height")).collect();
    let (base, top) = (heights[0], heights[heights.len() - 1]);
    assert_eq!(blocks.offer(), Some(Offer { base, top }), "{told:?}");
    for (block, height) in expected.iter().zip(heights) {
        let given = blocks.block(height).expect("reads").expect("is there");
        assert_eq!(given.height, height);
        assert_eq!(hex::encode(given.hash), block["hash"].as_str().expect("a hash"), "height {height}");
        assert_eq!(given.block.len() as u64, block["size"].as_u64().expect("a size"), "height {height}");
        let has_extended = block["ext_commit"].as_bool().unwrap_or_default();
        assert_eq!(given.extended_commit.is_some(), has_extended, "height {height}");
    }
    assert_eq!(blocks.block(base - 1).expect("reads"), None);
    assert_eq!(blocks.block(top + 1).expect("reads"), None);
    told
}

#[test]
fn every_block_of_homes_of_all_releases_is_given() {
    for name in ["cometbft-0.34-goleveldb", "cometbft-0.37-to-0.38-goleveldb", "cometbft-0.40-goleveldb"] {
        serves_as_the_oracle_says(&Fixture::unpack(name));
    }
}

#[test]
fn every_block_of_both_layouts_and_of_unusual_chains_is_given() {
    for name in ["cometbft-1.0-v2-goleveldb", "cometbft-0.38-initial-height", "cometbft-0.38-goleveldb-pruned"] {
        serves_as_the_oracle_says(&Fixture::unpack(name));
    }
}

#[test]
fn extended_commits_are_given_exactly_where_the_chain_had_them() {
    serves_as_the_oracle_says(&Fixture::unpack("cometbft-0.38-goleveldb-ext"));
}

#[test]
fn the_first_height_that_only_one_rule_of_time_explains_is_told() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let divergence = |rules| {
        let (_, told) = swept(&fixture.home(), rules);
        told.into_iter().find(|told| matches!(told, Told::OneTimeRule { .. }))
    };
    let told = |is_unexpected| Some(Told::OneTimeRule { height: 208, rule: TimeRule::AllVotes, is_unexpected });
    assert_eq!(divergence(None), told(false));
    assert_eq!(divergence(Some("v0.38")), told(false));
    assert_eq!(divergence(Some("v0.40")), told(true));
    assert_eq!(divergence(Some("switch@209")), told(false));
    assert_eq!(divergence(Some("switch@208")), told(true));
}

#[test]
fn other_nodes_are_told_where_a_migration_stands() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let home = fixture.home();
    let (blocks, _) = swept(&home, None);
    let told = || standing(&Home::open(&home).expect("opens"), &blocks).expect("reads");
    let steps: [(&[&str], Storage); 5] = [
        (&["inspect"], Storage::Old),
        (&["run", "--to", "pebbledb", "--execute"], Storage::Copying { copied_to: 0 }),
        (&["verify"], Storage::Verified),
        (&["cutover", "--execute"], Storage::CutOver),
        (&["rollback", "--execute"], Storage::RolledBack),
    ];
    for (step, storage) in steps {
        run(&[&[step[0], text(&home)], &step[1..]].concat()).ok();
        assert_eq!(told().storage, storage, "{step:?}");
    }
    let offer = blocks.offer().expect("an offer");
    assert_eq!(told().offer().map(|heights| (heights.base(), heights.top())), Some((offer.base, offer.top)));
    assert!(told().tip() >= offer.top);
}

/// Flips a bit in the value of block part 0 of a height, under a checksum that stays valid: the height of a log file.
fn damage(home: &Path) -> PathBuf {
    let folder = home.join("data/blockstore.db");
    let files = fs::read_dir(&folder).expect("lists").map(|entry| entry.expect("lists").path());
    let table = files.filter(|path| path.extension().is_some_and(|extension| extension == "ldb")).max();
    let table = table.expect("has tables");
    let mut bytes = fs::read(&table).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&table, bytes).expect("writes");
    table
}

#[test]
fn nothing_is_offered_from_a_damaged_height_on() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let table = damage(&fixture.home());
    let (blocks, told) = swept(&fixture.home(), None);
    let stuck = told.iter().find_map(|told| match told {
        Told::Stuck { height, reason } => Some((*height, reason.clone())),
        _ => None,
    });
    let (height, reason) = stuck.expect("a height cannot be proven");
    assert!(reason.starts_with("the node's databases: "), "{reason}");
    assert!(reason.contains(&*table.file_name().expect("a name").to_string_lossy()), "{reason}");
    assert!((2..240).contains(&height), "{height}");
    assert_eq!(blocks.offer(), Some(Offer { base: 1, top: height - 1 }));
    assert!(blocks.block(height - 1).expect("reads").is_some());
    assert_eq!(blocks.block(height).expect("reads"), None);
}

#[test]
fn a_height_that_is_damaged_later_is_not_given_any_more() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    // So little memory that every block is read again.
    let (blocks, _) = swept_in(1 << 10, &fixture.home(), None);
    damage(&fixture.home());
    // The snapshot in use has links to the same tables.
    let refused = (1..=240).filter_map(|height| blocks.block(height).err()).collect::<Vec<_>>();
    assert!(!refused.is_empty() && refused.len() < 240, "{} heights", refused.len());
    assert!(refused[0].reason.contains("checksum"), "{}", refused[0]);
}

#[test]
fn during_a_migration_the_new_databases_come_first_and_the_old_ones_fill_in() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let home = fixture.home();
    run(&["run", text(&home), "--to", "pebbledb", "--execute"]).ok();
    run(&["verify", text(&home)]).ok();
    let told = serves_as_the_oracle_says(&fixture);
    let views: Vec<_> = told
        .iter()
        .filter_map(|told| match told {
            Told::Snapshot { of, .. } => Some(*of),
            _ => None,
        })
        .collect();
    assert_eq!(views, ["the new databases", "the node's databases"]);
    // What the old one has lost is given out of the new one.
    damage(&home);
    serves_as_the_oracle_says(&fixture);
}

#[test]
fn what_is_read_leaves_the_home_as_it_was() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let before = tree(&fixture.home());
    swept(&fixture.home(), None);
    assert_eq!(tree(&fixture.home()), before);
}
