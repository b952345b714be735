//! Trees larger than memory, on all cores: segments of 2^16 leaves, each hashed from a stream.
//!
//! A segment is one hash of a level-2 tile, the unit of parallel hashing and of partial re-verification. State is
//! O(log n) a segment, and one hash a segment of a window; leaves are never kept.

use std::ops::Range;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::{Frontier, leaf_hash};

/// Height of a segment.
const SEGMENT_LEVEL: u32 = 16;

/// Leaves of a segment.
pub const SEGMENT_LEAVES: u64 = 1 << SEGMENT_LEVEL;

/// Segments hashed between two merges: many times the threads of any machine, and 8 KiB of roots.
const WINDOW_SEGMENTS: usize = 256;

/// Hashes `total` leaves in parallel and gives the frontier, whose root is the tree's.
///
/// `leaves_of` gives the leaves of a range as a stream of raw data; it is called for one segment at a time, from
/// the threads of the rayon pool that the caller is in (`ThreadPool::install` chooses it).
///
/// # Errors
/// The first error of a stream, in order of leaves.
///
/// # Panics
/// When a stream has fewer or more leaves than its range.
pub fn frontier_by_segments<L, E, I>(total: u64, leaves_of: impl Fn(Range<u64>) -> I + Sync) -> Result<Frontier, E>
where
    L: AsRef<[u8]>,
    E: Send,
    I: Iterator<Item = Result<L, E>>,
{
    let segment_frontier = |segment: u64| {
        let range = segment * SEGMENT_LEAVES..total.min((segment + 1) * SEGMENT_LEAVES);
        let mut frontier = Frontier::new();
        for leaf in leaves_of(range.clone()) {
            frontier.push(leaf_hash(leaf?.as_ref()));
        }
        assert_eq!(frontier.size(), range.end - range.start, "a stream gives the leaves of its range");
        Ok(frontier)
    };
    let mut whole = Frontier::new();
    let segments = total.div_ceil(SEGMENT_LEAVES);
    for start in (0..segments).step_by(WINDOW_SEGMENTS) {
        let window = start..segments.min(start + WINDOW_SEGMENTS as u64);
        let frontiers: Vec<Result<Frontier, E>> = window.into_par_iter().map(segment_frontier).collect();
        for frontier in frontiers {
            whole.append(&frontier?).expect("full segments are aligned, and the last one ends the tree");
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::root;

    #[test]
    fn segments_give_the_root_of_all_leaves() {
        let leaves = |range: Range<u64>| range.map(|leaf| Ok::<_, ()>(leaf.to_be_bytes()));
        for total in [0, 1, SEGMENT_LEAVES - 1, SEGMENT_LEAVES, 3 * SEGMENT_LEAVES + 77] {
            let frontier = frontier_by_segments(total, leaves).expect("no stream fails");
            assert_eq!(frontier.size(), total);
            assert_eq!(frontier.root(), root((0..total).map(u64::to_be_bytes)), "{total} leaves");
        }
    }

    #[test]
    fn the_first_error_in_order_is_given() {
        let leaves =
            |range: Range<u64>| range.map(|leaf| if leaf >= 70_000 { Err(leaf) } else { Ok(leaf.to_be_bytes()) });
        assert_eq!(frontier_by_segments(5 * SEGMENT_LEAVES, leaves), Err(70_000));
    }
}
