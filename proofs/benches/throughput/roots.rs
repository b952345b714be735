//! Roots: streamed on one core, in segments on one and two, and by `rs_merkle`, which has one thread.

use std::convert::Infallible;
use std::hint::black_box;

use proofs::merkle::{Hash, frontier_by_segments, leaf_hash, node_hash, root};
use rayon::ThreadPoolBuilder;

use crate::table::{Took, measure, rate, said};
use crate::{LEAVES, leaf};

pub fn run() {
    let (_, hashes) =
        measure(|| (0..LEAVES).fold([0; 32], |below, height| node_hash(&below, &leaf_hash(&leaf(height)))));
    rate("a leaf hash and a node hash, nothing else, one core", LEAVES, hashes, hashes.processor, "pairs/s", "");
    let (expected, streamed) = measure(|| root((0..LEAVES).map(leaf)));
    rate("root, streamed, one core", LEAVES, streamed, streamed.processor, "leaves/s", "4 M");
    let (one, two) = (segments(1, expected), segments(2, expected));
    rate("root in segments, one core", LEAVES, one, one.processor, "leaves/s", "4 M");
    rate("root in segments, two cores", LEAVES, two, two.wall, "leaves/s", "near twice");
    let other = rs_merkle(expected);
    rate("root by `rs_merkle`, with the hash functions of this crate", LEAVES, other, other.wall, "leaves/s", "");

    let ratio = |above: Took, below: Took| above.wall.as_secs_f64() / below.wall.as_secs_f64();
    let share = hashes.processor.as_secs_f64() / streamed.processor.as_secs_f64();
    said("streamed root against the hashes alone", &format!("{:.0} %", 100.0 * share), "90 %");
    said("two cores against one, wall", &format!("{:.2} times", ratio(one, two)), "near 2");
    said("two cores against `rs_merkle`, wall", &format!("{:.1} times", ratio(other, two)), "4 times");
}

fn segments(threads: usize, expected: Hash) -> Took {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let leaves = |range: std::ops::Range<u64>| range.map(|height| Ok::<_, Infallible>(leaf(height)));
    let (Ok(frontier), took) = measure(|| pool.install(|| frontier_by_segments(LEAVES, leaves)));
    assert_eq!(frontier.root(), expected);
    took
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

fn rs_merkle(expected: Hash) -> Took {
    let (found, took) = measure(|| {
        let hashes: Vec<Hash> = (0..LEAVES).map(|height| leaf_hash(&leaf(height))).collect();
        black_box(rs_merkle::MerkleTree::<Rfc6962>::from_leaves(&hashes)).root()
    });
    assert_eq!(found, Some(expected));
    took
}
