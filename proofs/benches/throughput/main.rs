//! How fast proofs are made and checked, and in how much memory: `cargo bench -p proofs --profile dev`
//! (or `scripts/bench.sh proofs`) prints one Markdown table. Trees have 10 million leaves.
//!
//! "Wall" needs a machine that does nothing else; processor time counts what the process used on all cores.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod memory;
mod roots;
mod signatures;
mod stored;
mod table;

use proofs::checkpoint::Leaf;
use proofs::commit::BlockId;

/// Leaves of every tree.
const LEAVES: u64 = 10_000_000;

fn main() {
    if memory::is_child() {
        return;
    }
    table::head();
    roots::run();
    stored::run();
    signatures::run();
    memory::run();
}

/// The leaf of a height, as a chain's checkpoint has it: 76 bytes.
fn leaf(height: u64) -> [u8; 76] {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&height.to_le_bytes());
    Leaf { height, block: BlockId { hash, part_count: 1, part_set_hash: [9; 32] } }.to_bytes()
}
