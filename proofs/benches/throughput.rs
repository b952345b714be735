//! How fast proofs are made and checked on one core: `cargo bench -p proofs --profile dev`.
//!
//! Times are those that the thread spent on a core, so that other work on the machine does not count.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Instant;

use ed25519_zebra::{SigningKey, VerificationKey};
use proofs::checkpoint::Leaf;
use proofs::commit::{BlockId, PublicKey, SignatureBatch, Timestamp, VoteTemplate};
use proofs::merkle::{Hash, frontier_by_segments, inclusion_path, leaf_hash, node_hash, root};
use proofs::tiles::{TilePath, TileSink, TileTree, TileWriter};

fn main() {
    println!("{:<44} {:>14}", "what", "per second");
    roots();
    other_root();
    stored_proofs();
    signatures();
}

/// Nanoseconds that this thread has been on a core (Linux, `Documentation/scheduler/sched-stats.rst`).
fn core_time_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with scheduler statistics");
    text.split(' ').next().and_then(|first| first.parse().ok()).expect("a number of nanoseconds")
}

/// Prints how many of `count` things a second `run` does.
fn measure(what: &str, count: u64, run: impl FnOnce()) {
    let start = core_time_nanos();
    run();
    print_rate(what, count, (core_time_nanos() - start).into());
}

fn print_rate(what: &str, count: u64, nanos: u128) {
    println!("{what:<44} {:>14}", u128::from(count) * 1_000_000_000 / nanos.max(1));
}

const LEAVES: u64 = 10_000_000;

/// The leaf of a height, as a chain's checkpoint has it.
fn leaf(height: u64) -> [u8; 76] {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&height.to_le_bytes());
    Leaf { height, block: BlockId { hash, part_count: 1, part_set_hash: [9; 32] } }.to_bytes()
}

fn roots() {
    let mut streamed = [0; 32];
    measure("root of 76-byte leaves, streamed", LEAVES, || streamed = root((0..LEAVES).map(leaf)));
    // On a pool of one thread the time of this one would be another thread's: it is the wall's.
    let start = Instant::now();
    let frontier = frontier_by_segments(LEAVES, |range| range.map(|height| Ok::<_, Infallible>(leaf(height))));
    let nanos = start.elapsed().as_nanos();
    let Ok(frontier) = frontier;
    assert_eq!(frontier.root(), streamed);
    print_rate("the same in segments, all cores (wall clock)", LEAVES, nanos);
}

/// Makes `rs_merkle` an RFC 6962 tree; leaves are hashed by the caller.
#[derive(Clone)]
struct Rfc6962;

impl rs_merkle::Hasher for Rfc6962 {
    type Hash = Hash;

    fn hash(data: &[u8]) -> Hash {
        leaf_hash(data)
    }

    fn concat_and_hash(left: &Hash, right: Option<&Hash>) -> Hash {
        right.map_or(*left, |right| node_hash(left, right))
    }
}

fn other_root() {
    let leaves = LEAVES / 10;
    let mut other = None;
    measure("the same by rs_merkle (1 M leaves)", leaves, || {
        let hashes: Vec<Hash> = (0..leaves).map(|height| leaf_hash(&leaf(height))).collect();
        other = rs_merkle::MerkleTree::<Rfc6962>::from_leaves(&hashes).root();
    });
    assert_eq!(other, Some(root((0..leaves).map(leaf))));
}

/// Tiles in memory, by name.
#[derive(Default)]
struct Folder(HashMap<TilePath, Vec<u8>>);

impl TileSink for &mut Folder {
    type Error = Infallible;

    fn put(&mut self, path: TilePath, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.insert(path, bytes.to_vec());
        Ok(())
    }
}

fn stored_proofs() {
    let mut folder = Folder::default();
    measure("leaves written as tiles", LEAVES, || {
        let mut writer = TileWriter::new(&mut folder);
        (0..LEAVES).for_each(|height| writer.push(&leaf(height)).expect("short leaves"));
        writer.finish().expect("memory takes all");
    });
    let fetch = |path| folder.0.get(&path).cloned().ok_or(std::fmt::Error);
    measure("proofs from tiles of 10 M leaves", 2_000, || {
        for number in 0..2_000 {
            let tree = TileTree::new(LEAVES, fetch);
            let path = inclusion_path(number * 4_999, LEAVES, &tree).expect("all tiles are there");
            assert!(!path.is_empty());
        }
    });
}

/// Votes of a validator set over enough heights for 60,000 signatures.
fn signatures() {
    for validators in [50_u8, 100] {
        let keys: Vec<SigningKey> = (0..validators).map(|number| SigningKey::from([number; 32])).collect();
        let mut template = VoteTemplate::new("benchmark-chain-1");
        let mut votes = Vec::new();
        for height in 1..=60_000 / i64::from(validators) {
            template.set(height, 0, &BlockId { hash: [1; 32], part_count: 1, part_set_hash: [2; 32] });
            for (nanos, key) in (1_i32..).zip(&keys) {
                let message = template.for_block(Timestamp { seconds: 1_700_000_000 + height, nanos }).to_vec();
                let public = PublicKey::Ed25519(VerificationKey::from(key).into());
                votes.push((public, key.sign(&message).to_bytes(), message));
            }
        }
        measure(&format!("signatures, {validators} validators"), votes.len() as u64, || {
            let mut batch = SignatureBatch::new();
            for (place, (key, signature, message)) in votes.iter().enumerate() {
                batch.push(*key, message, signature, place);
            }
            batch.finish().expect("all hold");
        });
    }
}
