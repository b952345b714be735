//! Trees against two other implementations of RFC 6962, `ct-merkle` and `rs_merkle` (with the hasher that makes it
//! one), and proofs that somebody changed.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proofs::merkle::{
    Consistency, EMPTY_ROOT, Frontier, Hash, Inclusion, MemoryTree, consistency_path, inclusion_path, leaf_hash,
    node_hash, root, root_of_hashes,
};
use proptest::prelude::*;
use sha2::Sha256;

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

fn hashes(leaves: &[Vec<u8>]) -> Vec<Hash> {
    leaves.iter().map(|leaf| leaf_hash(leaf)).collect()
}

fn other_tree(leaves: &[Vec<u8>]) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    leaves.iter().for_each(|leaf| tree.push(leaf.clone()));
    tree
}

/// Some leaves, long and short ones.
fn leaves(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..130), count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn roots_are_those_of_two_other_implementations(leaves in leaves(0..200)) {
        let mut hashes = hashes(&leaves);
        let streamed = root(&leaves);
        let other = other_tree(&leaves).root();
        prop_assert_eq!(other.as_bytes().as_slice(), streamed);
        let third = rs_merkle::MerkleTree::<Rfc6962>::from_leaves(&hashes).root();
        prop_assert_eq!(third.unwrap_or(EMPTY_ROOT), streamed);
        prop_assert_eq!(hashes.iter().copied().collect::<MemoryTree>().root(), streamed);
        prop_assert_eq!(root_of_hashes(&mut hashes), streamed);
    }

    #[test]
    fn inclusion_proofs_are_those_of_two_other_implementations(
        leaves in leaves(1..200), place in any::<prop::sample::Index>()
    ) {
        let (hashes, place) = (hashes(&leaves), place.index(leaves.len()));
        let Ok(path) = inclusion_path(place as u64, leaves.len() as u64, &hashes.iter().copied().collect::<MemoryTree>());
        let other = other_tree(&leaves).prove_inclusion(place);
        prop_assert_eq!(other.as_bytes(), path.concat());
        let third = rs_merkle::MerkleTree::<Rfc6962>::from_leaves(&hashes).proof(&[place]);
        prop_assert_eq!(third.proof_hashes(), path);
    }

    #[test]
    fn consistency_proofs_are_those_of_another_implementation(
        leaves in leaves(1..200), place in any::<prop::sample::Index>()
    ) {
        // The other implementation makes none from the empty tree.
        let old_size = 1 + place.index(leaves.len());
        let tree: MemoryTree = hashes(&leaves).into_iter().collect();
        let Ok(path) = consistency_path(old_size as u64, tree.size(), &tree);
        let other = other_tree(&leaves).prove_consistency(leaves.len() - old_size);
        prop_assert_eq!(other.as_bytes(), path.concat());
        let claim = Consistency { old_size: old_size as u64, new_size: tree.size(), path: &path };
        prop_assert_eq!(claim.verify(&root(&leaves[..old_size]), &tree.root()), Ok(()));
    }

    #[test]
    fn a_frontier_grows_as_the_tree_does(leaves in leaves(0..200), place in any::<prop::sample::Index>()) {
        let (before, after) = leaves.split_at(place.index(leaves.len() + 1));
        let mut frontier = Frontier::new();
        before.iter().for_each(|leaf| frontier.push(leaf_hash(leaf)));
        prop_assert_eq!(frontier.root(), root(before));
        let mut resumed = Frontier::from_parts(frontier.size(), frontier.nodes().to_vec()).expect("as stored");
        after.iter().for_each(|leaf| resumed.push(leaf_hash(leaf)));
        prop_assert_eq!(resumed.root(), root(&leaves));
    }

    #[test]
    fn a_changed_inclusion_proof_is_refused(
        total in 1..200_u64, place in any::<prop::sample::Index>(), change in 0..6, at in any::<prop::sample::Index>()
    ) {
        let tree: MemoryTree = (0..total).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
        let index = place.index(usize::try_from(total).expect("small")) as u64;
        let Ok(mut aunts) = inclusion_path(index, total, &tree);
        let (mut leaf, mut claimed) = (leaf_hash(&index.to_be_bytes()), index);
        match change {
            0 => leaf = leaf_hash(b"another"),
            1 => claimed = total + index,
            2 => aunts.push([0; 32]),
            _ if aunts.is_empty() => leaf[0] ^= 1,
            3 => { aunts.pop(); }
            4 => { let at = at.index(aunts.len()); aunts[at][31] ^= 1; }
            _ => { let at = at.index(aunts.len()); aunts.insert(at, aunts[at]); }
        }
        let claim = Inclusion { total, index: claimed, leaf_hash: leaf, aunts: &aunts };
        prop_assert!(claim.verify(&tree.root()).is_err());
    }

    #[test]
    fn claims_of_any_size_never_panic(
        sizes: [u64; 2], index: u64, path in prop::collection::vec(any::<Hash>(), 0..70), roots: [Hash; 2]
    ) {
        let claim = Inclusion { total: sizes[0], index, leaf_hash: roots[0], aunts: &path };
        prop_assert!(claim.verify(&roots[1]).is_err());
        let claim = Consistency { old_size: sizes[0], new_size: sizes[1], path: &path };
        prop_assert!(claim.verify(&roots[0], &roots[1]).is_err());
    }
}
