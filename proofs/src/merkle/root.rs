//! Roots of leaves that are at hand; `Frontier` takes leaves that stream by.

use super::{EMPTY_ROOT, Frontier, Hash, leaf_hash, node_hash};

/// Root over `leaves`, which are raw data, hashed here. State is O(log n), nothing is allocated per leaf.
#[must_use]
pub fn root<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> Hash {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(leaf_hash(leaf.as_ref()));
    }
    frontier.root()
}

/// Root over leaf hashes, level by level in place: what `hashes` holds afterwards has no meaning.
#[must_use]
pub fn root_of_hashes(hashes: &mut [Hash]) -> Hash {
    let mut width = hashes.len();
    if width == 0 {
        return EMPTY_ROOT;
    }
    while width > 1 {
        let pairs = width / 2;
        for pair in 0..pairs {
            hashes[pair] = node_hash(&hashes[2 * pair], &hashes[2 * pair + 1]);
        }
        // A node without a sibling moves up as it is.
        if width % 2 == 1 {
            hashes[pairs] = hashes[width - 1];
        }
        width = width.div_ceil(2);
    }
    hashes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inputs of certificate-transparency-go, `merkle/testonly` (also used by RFC 6962 implementations
    /// and by `golang.org/x/mod/sumdb/tlog`), with the roots of their first n.
    const INPUTS: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn roots_equal_the_vectors_of_certificate_transparency() {
        let leaves: Vec<Vec<u8>> = INPUTS.iter().map(|text| hex::decode(text).expect("hex")).collect();
        for (size, expected) in ROOTS.iter().enumerate() {
            assert_eq!(hex::encode(root(&leaves[..size])), *expected, "streamed, size {size}");
            let mut hashes: Vec<Hash> = leaves[..size].iter().map(|leaf| leaf_hash(leaf)).collect();
            assert_eq!(hex::encode(root_of_hashes(&mut hashes)), *expected, "in place, size {size}");
        }
    }

    #[test]
    fn both_ways_agree_at_every_size() {
        let leaves: Vec<[u8; 4]> = (0..700_u32).map(u32::to_be_bytes).collect();
        for size in 0..leaves.len() {
            let mut hashes: Vec<Hash> = leaves[..size].iter().map(|leaf| leaf_hash(leaf)).collect();
            assert_eq!(root(&leaves[..size]), root_of_hashes(&mut hashes), "size {size}");
        }
    }
}
