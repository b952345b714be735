//! The block stores of all homes: every commitment of every height, recomputed and compared.

use ledger_formats::comet::class::Database;
use ledger_formats::comet::key::BlockKey;
use ledger_formats::comet::{
    Block, BlockId, BlockMeta, BlockStoreState, Commit, Decode, ExtendedCommit, Part, TimeRule, decode_decimal_height,
    median_time, put_extension_sign_bytes,
};
use proofs::commit::{Flag, SignatureBatch};

use super::comet_home::{Home, homes};
use super::comet_state::validators_at;

#[test]
fn every_block_of_every_home_is_what_its_commitments_say() {
    let mut blocks = 0;
    for home in homes() {
        let state = BlockStoreState::decode(home.block(&BlockKey::StoreState).expect("a state")).expect("decodes");
        assert_eq!((state.base, state.height), (home.number("base"), home.number("height")), "{}", home.name);
        assert_eq!(home.blocks().count() as u64, state.height + 1 - state.base, "{}", home.name);
        let mut last_block_id = None;
        for (height, expected) in home.blocks() {
            let place = format!("{} height {height}", home.name);
            let meta = BlockMeta::decode(home.block(&BlockKey::Meta { height }).expect("a meta")).expect("decodes");
            let bytes = assembled(home, &meta, height, &place);
            let block = Block::decode(&bytes).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(block.header, meta.header, "{place}");
            assert_hashes(&block, &meta.block_id, home, &place);
            assert_eq!(hex::encode(meta.block_id.hash), expected["hash"].as_str().expect("a hash"), "{place}");
            assert_eq!(meta.num_txs, expected["txs"].as_u64().expect("a count"), "{place}");
            assert_eq!(block.txs.len() as u64, meta.num_txs, "{place}");
            assert_eq!(block.evidence.len() as u64, expected["evidence"].as_u64().unwrap_or(0), "{place}");
            if let Some(last) = last_block_id {
                assert_eq!(block.header.last_block_id, last, "{place}");
            }
            let before = home.block(&BlockKey::Commit { height: height - 1 });
            assert!(before.is_none_or(|commit| commit == block.last_commit_bytes), "{place}: commit below");
            last_block_id = Some(meta.block_id);
            blocks += 1;
        }
    }
    assert!(blocks >= 4_000, "only {blocks} blocks were looked at");
}

/// Checks the parts of a block and puts them together.
fn assembled(home: &Home, meta: &BlockMeta<'_>, height: u64, place: &str) -> Vec<u8> {
    let header = meta.block_id.part_set_header;
    let mut bytes = Vec::new();
    let mut leaves = Vec::new();
    for part in 0..header.total {
        let value = home.block(&BlockKey::Part { height, part }).unwrap_or_else(|| panic!("{place}: no part {part}"));
        let decoded = Part::decode(value).unwrap_or_else(|error| panic!("{place} part {part}: {error}"));
        let leaf = decoded.verify(part, &header).unwrap_or_else(|error| panic!("{place} part {part}: {error}"));
        leaves.push(leaf);
        bytes.extend_from_slice(decoded.bytes);
    }
    assert_eq!(home.block(&BlockKey::Part { height, part: header.total }), None, "{place}");
    assert_eq!(proofs::merkle::root_of_hashes(&mut leaves), header.hash, "{place}");
    assert_eq!(bytes.len() as u64, meta.block_size, "{place}");
    bytes
}

fn assert_hashes(block: &Block<'_>, id: &BlockId<'_>, home: &Home, place: &str) {
    let hash = block.header.hash().expect("a header has validators");
    assert_eq!(hash, id.hash, "{place}");
    assert_eq!(block.data_hash(), block.header.data_hash, "{place}");
    assert_eq!(block.evidence_hash(), block.header.evidence_hash, "{place}");
    assert_eq!(block.last_commit.hash(), block.header.last_commit_hash, "{place}");
    let found = home.block(&BlockKey::ByHash { hash }).expect("a height of the hash");
    assert_eq!(decode_decimal_height(found), Ok(block.header.height), "{place}");
}

#[test]
fn every_commit_is_signed_and_the_flags_are_those_of_the_oracle() {
    let mut verified = 0;
    for home in homes() {
        let chain_id = home.oracle["chain_id"].as_str().expect("a chain id");
        let top = home.number("height");
        for (height, expected) in home.blocks() {
            let place = format!("{} height {height}", home.name);
            let meta = BlockMeta::decode(home.block(&BlockKey::Meta { height }).expect("a meta")).expect("decodes");
            let validators = validators_at(home, height).to_proof().expect("keys that can be checked");
            for key in [BlockKey::Commit { height }, BlockKey::SeenCommit { height }] {
                let is_seen = matches!(key, BlockKey::SeenCommit { .. });
                let Some(value) = home.block(&key) else {
                    assert!(!is_seen && height == top, "{place}: no {key:?}");
                    continue;
                };
                let commit = Commit::decode(value).unwrap_or_else(|error| panic!("{place}: {error}"));
                assert_eq!(commit.block_id, meta.block_id, "{place}");
                let proof = commit.to_proof().expect("a commit for a block");
                proof.verify(chain_id, &validators).unwrap_or_else(|error| panic!("{place} {key:?}: {error}"));
                verified += 1;
                if is_seen == (height == top) {
                    assert_eq!(flags(&commit), expected["commit_flags"].as_str().expect("flags"), "{place}");
                    assert_eq!(u64::try_from(commit.round).ok(), expected["commit_round"].as_u64(), "{place}");
                }
            }
        }
    }
    assert!(verified >= 8_000, "only {verified} commits were verified");
}

fn flags(commit: &Commit<'_>) -> String {
    let digit = |flag| match flag {
        Flag::Absent => '1',
        Flag::Commit => '2',
        Flag::Nil => '3',
    };
    commit.signatures.iter().map(|signature| digit(signature.flag)).collect()
}

#[test]
fn extended_commits_extend_the_seen_commit_and_their_extensions_are_signed() {
    let mut batch = SignatureBatch::new();
    let mut extended_commits = 0;
    for home in homes() {
        let chain_id = home.oracle["chain_id"].as_str().expect("a chain id").as_bytes();
        for (height, expected) in home.blocks() {
            let value = home.block(&BlockKey::ExtendedCommit { height });
            assert_eq!(value.is_some(), expected["ext_commit"] == true, "{} height {height}", home.name);
            let Some(value) = value else { continue };
            let extended = ExtendedCommit::decode(value).expect("decodes");
            let seen = Commit::decode(home.block(&BlockKey::SeenCommit { height }).expect("seen")).expect("decodes");
            assert!(extended.extends(&seen), "{} height {height}", home.name);
            let validators = validators_at(home, height);
            for (signature, validator) in extended.signatures.iter().zip(&validators.validators) {
                if signature.vote.flag == Flag::Commit {
                    let mut message = Vec::new();
                    put_extension_sign_bytes(&mut message, chain_id, height, extended.round, signature.extension);
                    let key = validator.pub_key.to_proof().expect("a key that can be checked");
                    batch.push(key, &message, signature.extension_signature, (home.name.as_str(), height));
                }
            }
            extended_commits += 1;
        }
    }
    batch.finish().expect("every extension is signed");
    assert!(extended_commits >= 400 && batch.checked() > 1_000, "{extended_commits} extended commits");
}

#[test]
fn block_times_are_the_medians_of_the_last_commit() {
    let mut rules_differ = 0;
    for home in homes() {
        let first = home.number("initial_height").max(home.number("base") + 1);
        for (height, _) in home.blocks().filter(|(height, _)| *height > first) {
            let place = format!("{} height {height}", home.name);
            let meta = BlockMeta::decode(home.block(&BlockKey::Meta { height }).expect("a meta")).expect("decodes");
            let below = home.block(&BlockKey::Commit { height: height - 1 }).expect("a commit");
            let commit = Commit::decode(below).expect("decodes");
            let validators = validators_at(home, height - 1);
            let all = median_time(&commit, &validators, TimeRule::AllVotes);
            let for_block = median_time(&commit, &validators, TimeRule::VotesForBlock);
            let expected = if home.name.starts_with("cometbft-0.40") { for_block } else { all };
            assert_eq!(Some(meta.header.time), expected, "{place}");
            rules_differ += usize::from(all != for_block);
        }
    }
    assert!(rules_differ > 0, "no commit told the two rules apart");
}

#[test]
fn a_store_holds_no_key_that_is_not_known() {
    for home in homes() {
        for key in home.rows(Database::BlockStore).keys() {
            assert!(BlockKey::decode(home.layout, key).is_some(), "{}: {}", home.name, key.escape_ascii());
        }
    }
}
