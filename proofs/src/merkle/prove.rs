//! Making proofs from the stored nodes of a tree: about 2 log n of them each, never the leaves.

use super::{EMPTY_ROOT, Hash, node_hash};

/// Stored nodes of a tree.
pub trait Nodes {
    /// Why a node cannot be given.
    type Error;

    /// The root of the perfect subtree of `2^level` leaves that begins at leaf `place * 2^level`.
    ///
    /// Asked only for subtrees that lie whole within the tree.
    ///
    /// # Errors
    /// As the store says.
    fn node(&self, level: u32, place: u64) -> Result<Hash, Self::Error>;
}

/// The audit path of the leaf at `index` in the tree of the first `size` leaves, from the leaf to the root; empty
/// unless `index < size`. The stored tree has at least `size` leaves.
///
/// # Errors
/// As `nodes` says.
pub fn inclusion_path<N: Nodes + ?Sized>(index: u64, size: u64, nodes: &N) -> Result<Vec<Hash>, N::Error> {
    if index < size { path(0, index, size, nodes) } else { Ok(Vec::new()) }
}

/// The proof that the tree of the first `old_size` leaves grew into that of the first `new_size`; empty unless
/// `0 < old_size < new_size`. The stored tree has at least `new_size` leaves.
///
/// # Errors
/// As `nodes` says.
pub fn consistency_path<N: Nodes + ?Sized>(old_size: u64, new_size: u64, nodes: &N) -> Result<Vec<Hash>, N::Error> {
    if old_size == 0 || old_size >= new_size {
        return Ok(Vec::new());
    }
    // The proof is the path of the older tree's last perfect subtree, which begins it unless it is the whole tree.
    let height = old_size.trailing_zeros();
    let place = (old_size - 1) >> height;
    let mut proof = path(height, place, new_size, nodes)?;
    if !old_size.is_power_of_two() {
        proof.insert(0, nodes.node(height, place)?);
    }
    Ok(proof)
}

/// Root over the leaves from `start` to before `end`. `start` must be a multiple of the smallest power of two that
/// is not below `end - start`, as where a subtree of the tree begins.
///
/// # Errors
/// As `nodes` says.
pub fn subtree_root<N: Nodes + ?Sized>(start: u64, end: u64, nodes: &N) -> Result<Hash, N::Error> {
    let mut root = None;
    let mut rest = end.saturating_sub(start);
    // The smallest perfect subtree stands rightmost.
    while rest > 0 {
        let level = rest.trailing_zeros();
        rest &= rest - 1;
        let left = nodes.node(level, (start + rest) >> level)?;
        root = Some(root.map_or(left, |right| node_hash(&left, &right)));
    }
    Ok(root.unwrap_or(EMPTY_ROOT))
}

/// The siblings on the way from a node to the root of the tree of the first `size` leaves.
fn path<N: Nodes + ?Sized>(mut level: u32, mut place: u64, size: u64, nodes: &N) -> Result<Vec<Hash>, N::Error> {
    let mut path = Vec::new();
    // The node is the root once nothing of the tree lies outside it.
    while place > 0 || level < u64::BITS && size > 1 << level {
        let sibling = place ^ 1;
        let start = u128::from(sibling) << level;
        if start + (1_u128 << level) <= u128::from(size) {
            path.push(nodes.node(level, sibling)?);
        } else if start < u128::from(size) {
            path.push(subtree_root(sibling << level, size, nodes)?);
        }
        level += 1;
        place >>= 1;
    }
    Ok(path)
}
