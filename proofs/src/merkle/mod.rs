//! RFC 6962 Merkle trees over SHA-256: the only tree of CometBFT and of transparency logs.
//!
//! ```text
//! leaf  = SHA-256(0x00 ‖ data)
//! node  = SHA-256(0x01 ‖ left ‖ right)
//! empty = SHA-256("")
//! ```
//! A tree of `n > 1` leaves splits at the largest power of two below `n`. It never recurses over outside
//! data, and every verification gives a reason, not a `bool`.

mod consistency;
mod frontier;
mod hash;
mod inclusion;
mod prove;
mod root;
mod segments;
mod tree;

pub use consistency::{Consistency, ConsistencyError};
pub use frontier::{Frontier, FrontierError};
pub use hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
pub use inclusion::{Inclusion, InclusionError, root_from_path};
pub use prove::{Nodes, consistency_path, inclusion_path, subtree_root};
pub use root::{root, root_of_hashes};
pub use segments::{SEGMENT_LEAVES, frontier_by_segments};
pub use tree::MemoryTree;
