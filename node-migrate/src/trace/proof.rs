//! Paths from traced records to roots: to the store root of the database, and from a block to the root over all heights.

use ledger_formats::root::leaf_of;
use proofs::checkpoint::LEAF_BYTES;
use proofs::merkle::{Hash, Inclusion, leaf_hash};

use super::side::Sides;
use super::{TraceError, Traced};
use crate::checkpoint::{Blocks, ChainError, ChainTree};
use crate::context::Context;
use crate::store_root;

/// That a block is in the tree of all heights of its store, which a checkpoint signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockProof {
    /// First height of the tree: the store's base.
    pub first_height: u64,
    /// The height.
    pub height: u64,
    /// Leaves of the tree.
    pub size: u64,
    /// The leaf: height, block hash, number of parts, part-set hash.
    pub leaf: [u8; LEAF_BYTES],
    /// Hashes of the siblings, from the leaf to the root.
    pub path: Vec<Hash>,
    /// The root.
    pub root: Hash,
}

/// Adds to each traced record the path to the root of its database.
pub(super) fn add(sides: &Sides<'_>, traced: &mut [Traced], context: &Context<'_>) -> Result<(), TraceError> {
    let Some(store) = sides.proven() else { return Ok(()) };
    let content = sides.content();
    let leaves: Vec<_> = traced
        .iter()
        .map(|traced| sides.sighting_of(traced).map(|found| leaf_of(content, &found.key, &found.value)))
        .collect();
    let watched: Vec<_> = leaves.iter().flatten().copied().collect();
    if watched.is_empty() {
        return Ok(());
    }
    context.listener.begin(&format!("root of {}", sides.name), 0);
    let roots = store_root::with_proofs(store, content, &watched, context);
    context.listener.end();
    let roots = roots.map_err(|source| TraceError::Root { database: sides.name.to_owned(), source })?;
    for (traced, leaf) in traced.iter_mut().zip(leaves) {
        let is_of = |leaf: &ledger_formats::root::LeafId| {
            roots.proofs.iter().find(|proof| proof.segment_rung.leaf == leaf.hash && proof.is_own == leaf.is_own)
        };
        traced.proof = leaf.as_ref().and_then(is_of).cloned();
        if let Some(proof) = &traced.proof {
            proof.verify().map_err(|source| TraceError::Proof { database: sides.name.to_owned(), source })?;
        }
    }
    Ok(())
}

/// The path of the block of the first traced record that is a block's, in the tree of all heights.
pub(super) fn of_block(
    sides: &Sides<'_>,
    traced: &[Traced],
    context: &Context<'_>,
) -> Result<Option<BlockProof>, TraceError> {
    let height = traced.iter().find_map(|traced| traced.subject.block_height());
    let (Some(store), Some(height)) = (sides.proven(), height) else { return Ok(None) };
    let blocks = match Blocks::open(store) {
        Ok(blocks) => blocks,
        Err(ChainError::NoBlocks) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let first_height = blocks.base();
    if !(first_height..=blocks.tip()).contains(&height) {
        return Ok(None);
    }
    let tree = ChainTree::build(blocks, first_height, context)?;
    let (index, size) = (height - first_height, tree.size());
    let Some(leaf) = tree.leaves(index, index + 1)?.next().transpose()? else { return Ok(None) };
    let (path, root) = (tree.inclusion(index, size)?, tree.root(size)?);
    let claim = Inclusion { total: size, index, leaf_hash: leaf_hash(&leaf), aunts: &path };
    claim.verify(&root).expect("a path that the tree gave leads to the tree's root");
    Ok(Some(BlockProof { first_height, height, size, leaf, path, root }))
}
