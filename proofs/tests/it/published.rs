//! Vectors that others published, each named by its source. More stand beside the code they are of: roots of
//! Certificate Transparency (`merkle/root.rs`), tile names of C2SP (`tiles/path.rs`, `tests/it/tiles.rs`), RFC 4648,
//! ZIP 215 (`signatures.rs`), keys and a note of Go (`note/`), addresses and sign bytes of CometBFT (`commit/`).

use proofs::chain::Header;
use proofs::checkpoint::{Checkpoint, GrowthFile};
use proofs::commit::{BlockId, KeyType, PublicKey, Timestamp, ValidatorSet};
use proofs::merkle::{
    Consistency, EMPTY_ROOT, Hash, Inclusion, MemoryTree, consistency_path, inclusion_path, leaf_hash, node_hash, root,
};
use proofs::note::{Note, SignerKey, VerifierKey};
use sha2::{Digest, Sha256};

fn hash(text: &str) -> Hash {
    hex::decode(text).expect("hex").try_into().expect("32 bytes")
}

/// `transparency-dev/merkle` v0.0.2, `testonly/constants.go`: leaves, and all nodes of the tree over them by level.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const NODES: [&[&str]; 4] = [
    &[
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
        "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
    ],
    &[
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    ],
    &[
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    &["5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
];

fn leaves(size: usize) -> MemoryTree {
    LEAVES[..size].iter().map(|leaf| leaf_hash(&hex::decode(leaf).expect("hex"))).collect()
}

fn nodes(places: &[(usize, usize)]) -> Vec<Hash> {
    places.iter().map(|&(level, place)| hash(NODES[level][place])).collect()
}

#[test]
fn nodes_of_transparency_dev_merkle() {
    for level in 1..NODES.len() {
        for (place, expected) in NODES[level].iter().enumerate() {
            let [left, right] = [2 * place, 2 * place + 1].map(|child| hash(NODES[level - 1][child]));
            assert_eq!(hex::encode(node_hash(&left, &right)), *expected, "level {level}, place {place}");
        }
    }
}

#[test]
fn inclusion_proofs_of_transparency_dev_merkle() {
    // proof/verify_test.go, `inclusionProofs`, which counts leaves from 1.
    for (index, size, expected) in [
        (0, 1, nodes(&[])),
        (0, 8, nodes(&[(0, 1), (1, 1), (2, 1)])),
        (5, 8, nodes(&[(0, 4), (1, 3), (2, 0)])),
        (2, 3, nodes(&[(1, 0)])),
        (1, 5, nodes(&[(0, 0), (1, 1), (0, 4)])),
    ] {
        let tree = leaves(size);
        let Ok(path) = inclusion_path(index, tree.size(), &tree);
        assert_eq!(path, expected, "{index} of {size}");
        let leaf_hash = hash(NODES[0][usize::try_from(index).expect("small")]);
        let claim = Inclusion { total: tree.size(), index, leaf_hash, aunts: &expected };
        assert_eq!(claim.verify(&tree.root()), Ok(()));
    }
}

#[test]
fn consistency_proofs_of_transparency_dev_merkle() {
    // proof/verify_test.go, `consistencyProofs`.
    for (old_size, size, expected) in [
        (1, 1, nodes(&[])),
        (1, 8, nodes(&[(0, 1), (1, 1), (2, 1)])),
        (6, 8, nodes(&[(1, 2), (1, 3), (2, 0)])),
        (2, 5, nodes(&[(1, 1), (0, 4)])),
        (6, 7, nodes(&[(1, 2), (0, 6), (2, 0)])),
    ] {
        let (old, new) = (leaves(old_size), leaves(size));
        let Ok(path) = consistency_path(old.size(), new.size(), &new);
        assert_eq!(path, expected, "{old_size} to {size}");
        let claim = Consistency { old_size: old.size(), new_size: new.size(), path: &expected };
        assert_eq!(claim.verify(&old.root(), &new.root()), Ok(()));
    }
}

#[test]
fn the_tree_of_seven_leaves_of_rfc_6962() {
    // Section 2.1.3; C2SP `merkle-tree` has the same tree.
    let [a, b, c, d, e, f, j] = [0, 1, 2, 3, 4, 5, 6_u8].map(|leaf| leaf_hash(&[leaf]));
    let (g, h, i) = (node_hash(&a, &b), node_hash(&c, &d), node_hash(&e, &f));
    let (k, l) = (node_hash(&g, &h), node_hash(&i, &j));
    let tree: MemoryTree = [a, b, c, d, e, f, j].into_iter().collect();
    assert_eq!(tree.root(), node_hash(&k, &l));
    for (index, path) in [(0, vec![b, h, l]), (3, vec![c, g, l]), (4, vec![f, j, k]), (6, vec![i, k])] {
        assert_eq!(inclusion_path(index, 7, &tree), Ok(path), "PATH({index}, D[7])");
    }
    for (old, proof) in [(3, vec![c, d, g, l]), (4, vec![l]), (6, vec![i, j, k])] {
        assert_eq!(consistency_path(old, 7, &tree), Ok(proof), "PROOF({old}, D[7])");
    }
}

#[test]
fn trees_of_cometbft() {
    // crypto/merkle/tree_test.go, TestHashFromByteSlices.
    let vectors: [(&[&[u8]], &str); 5] = [
        (&[], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (&[&[1, 2, 3]], "054edec1d0211f624fed0cbca9d4f9400b0e491c43742af2c5b0abebf0c990d8"),
        (&[&[]], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (&[&[1, 2, 3], &[4, 5, 6]], "82e6cfce00453804379b53962939eaa7906b39904be0813fcadd31b100773c4b"),
        (
            &[&[1, 2], &[3, 4], &[5, 6], &[7, 8], &[9, 10]],
            "f326493eceab4f2d9ffbc78c59432a0a005d6ea98392045c74df5d14a113be18",
        ),
    ];
    for (leaves, expected) in vectors {
        assert_eq!(hex::encode(root(leaves)), expected, "{leaves:?}");
    }
    // crypto/merkle/rfc6962_test.go, TestRFC6962Hasher.
    assert_eq!(hex::encode(leaf_hash(b"L123456")), "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
    assert_eq!(hash(vectors[0].1), EMPTY_ROOT);
}

#[test]
fn the_header_of_cometbft() {
    // types/block_test.go, TestHeaderHash.
    let named = |name: &str| Sha256::digest(name).to_vec();
    let header = Header {
        block_version: 1,
        app_version: 2,
        chain_id: "chainId".to_owned(),
        height: 3,
        time: Timestamp { seconds: 1_570_983_284, nanos: 0 },
        last_block: Some(BlockId { hash: [0; 32], part_count: 6, part_set_hash: [0; 32] }),
        last_commit_hash: named("last_commit_hash"),
        data_hash: named("data_hash"),
        validators_hash: named("validators_hash"),
        next_validators_hash: named("next_validators_hash"),
        consensus_hash: named("consensus_hash"),
        app_hash: named("app_hash"),
        last_results_hash: named("last_results_hash"),
        evidence_hash: named("evidence_hash"),
        proposer_address: named("proposer_address")[..20].to_vec(),
    };
    assert_eq!(hex::encode(header.hash()), "f740121f553b5418c3efbd343c2dbfe9e007bb67b0d020a0741374bab65242a4");
}

#[test]
fn validator_sets_of_cometbft() {
    // Upstream publishes no hash of a set. These were made with CometBFT v0.38.26: types.NewValidatorSet over
    // secp256k1.GenPrivKeySecp256k1 and ed25519.GenPrivKeyFromSecret of "vector-<set>-<validator>" in turn, power
    // 1 + 1000 i², then Hash(). One a line: hash, validators as type:key:power in the order of the set.
    for line in include_str!("data/validator-sets.txt").lines() {
        let (expected, validators) = line.split_once(' ').expect("a hash and a set");
        let validators = validators.split(',').map(|validator| {
            let [kind, key, power] = validator.split(':').collect::<Vec<_>>().try_into().expect("three parts");
            let kind = if kind == "ed25519" { KeyType::Ed25519 } else { KeyType::Secp256k1 };
            let key = PublicKey::new(kind, &hex::decode(key).expect("hex")).expect("a key");
            (key, power.parse().expect("a power"))
        });
        assert_eq!(hex::encode(ValidatorSet::new(validators).expect("a set").hash()), expected, "{line}");
    }
}

/// C2SP `signed-note`, its first example.
const POEM: &str = "Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
";

/// C2SP `tlog-cosignature`, its first example; without the last line that of `tlog-checkpoint`.
const COSIGNED: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

#[test]
fn notes_and_checkpoints_of_c2sp() {
    let poem = Note::parse(POEM.as_bytes()).expect("a note");
    assert!(poem.unverified_text().ends_with("sole:\n\ned è subito sera.\n"), "the last blank line divides");
    assert_eq!(poem.to_string(), POEM);
    let note = Note::parse(COSIGNED.as_bytes()).expect("a note");
    let head = Checkpoint::parse_text(note.unverified_text()).expect("a checkpoint");
    assert_eq!((head.origin(), head.size()), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!((head.to_text(), note.to_string()), (note.unverified_text().to_owned(), COSIGNED.to_owned()));
    // The time is that of the message to be signed, further down in `tlog-cosignature`.
    let [_, cosignature] = note.signatures() else { panic!("two signatures") };
    assert_eq!(cosignature.name, "witness.example.com/w1");
    assert_eq!(cosignature.signature[..8], 1_679_315_147_u64.to_be_bytes());
    assert_eq!(cosignature.signature.len(), 8 + 64);
}

#[test]
fn the_request_of_c2sp_tlog_witness() {
    let request = "old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";
    let file = GrowthFile::parse(request.as_bytes()).expect("a request");
    assert_eq!((file.old_size, file.proof.len(), file.checkpoint.signatures().len()), (20_852_014, 4, 2));
    assert_eq!(file.to_string(), request);
}

#[test]
fn keys_of_go_and_all_their_manglings() {
    // golang.org/x/mod v0.42.0, sumdb/note/note_test.go, TestNewVerifier and TestNewSigner.
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let skey = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    assert_eq!(SignerKey::parse(skey).expect("a key").verifier(), &VerifierKey::parse(vkey).expect("a key"));
    let both = |text: &str| {
        assert!(VerifierKey::parse(text).is_err(), "{text}");
        assert!(SignerKey::parse(text).is_err(), "{text}");
    };
    for key in [vkey, skey] {
        for start in 0..key.len() {
            (start..key.len()).for_each(|end| both(&key[start..end]));
            if start > 0 {
                both(&key[start..]);
            }
            let mut bytes = key.as_bytes().to_vec();
            bytes[start] += 1;
            both(str::from_utf8(&bytes).expect("ASCII"));
        }
    }
    both("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==");
    both("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
}
