//! One row of a real home is damaged at a time: the verification names it.

use std::sync::atomic::AtomicBool;

use ledger_formats::comet::{Decode, TxResult};
use node_migrate::verify::{Report, VerifyError, What};

use crate::verify_rows::{Node, about, assert_found, last_signature};

const HOME: &str = "cometbft-0.38-goleveldb";

/// Damages a home in some way and verifies it.
fn after(damage: impl FnOnce(&mut Node)) -> Report {
    let mut node = Node::of(HOME);
    damage(&mut node);
    node.check()
}

#[test]
fn a_flip_in_a_block_part_is_found() {
    let report = after(|node| node.flip("blockstore", b"P:100:0", 8 * 300));
    assert_eq!(
        report.findings.iter().map(about).collect::<Vec<_>>(),
        [("blockstore", "P:100:0", Some(100), What::PartHash)]
    );
    assert!(report.findings[0].remedy.contains("verify --live"));
}

#[test]
fn a_flip_in_a_later_part_names_that_part() {
    let report = after(|node| node.flip("blockstore", b"P:142:2", 8 * 1_000));
    assert_found(&report, ("blockstore", "P:142:2", Some(142), What::PartHash));
}

#[test]
fn a_flip_in_a_header_is_found() {
    let report = after(|node| {
        let at = node.value("blockstore", b"H:77").len() - 30;
        node.flip("blockstore", b"H:77", 8 * at);
    });
    assert_found(&report, ("blockstore", "H:77", Some(77), What::BlockHash));
    assert_found(&report, ("blockstore", "H:77", Some(77), What::MetaHeader));
}

#[test]
fn a_flip_in_a_commit_signature_is_found() {
    let report = after(|node| {
        let at = last_signature(node.value("blockstore", b"C:55"));
        node.flip("blockstore", b"C:55", 8 * at);
    });
    assert_found(&report, ("blockstore", "C:55", Some(55), What::CommitSignature));
    assert_found(&report, ("blockstore", "C:55", Some(55), What::LastCommit));
}

#[test]
fn a_flip_in_a_seen_commit_signature_is_found() {
    let report = after(|node| {
        let at = last_signature(node.value("blockstore", b"SC:240"));
        node.flip("blockstore", b"SC:240", 8 * at);
    });
    let found: Vec<_> = report.findings.iter().map(about).collect();
    assert_eq!(found, [("blockstore", "SC:240", Some(240), What::CommitSignature)]);
}

#[test]
fn addresses_that_changed_places_are_found() {
    let report = after(|node| {
        let commit = node.value("blockstore", b"SC:60");
        let address = |commit: &[u8], from: usize| {
            from + commit[from..].windows(2).position(|pair| pair == [0x12, 0x14]).expect("an address") + 2
        };
        // The block id holds a field of the same number, but longer.
        let first = address(commit, 70);
        let second = address(commit, first + 20);
        let (one, two) = (commit[first..first + 20].to_vec(), commit[second..second + 20].to_vec());
        assert_ne!(one, two);
        commit[first..first + 20].copy_from_slice(&two);
        commit[second..second + 20].copy_from_slice(&one);
    });
    let found: Vec<_> = report.findings.iter().map(about).collect();
    assert_eq!(found, [("blockstore", "SC:60", Some(60), What::CommitAddress)]);
}

#[test]
fn commits_that_changed_places_are_found() {
    let report = after(|node| {
        let (one, two) = (node.value("blockstore", b"C:80").clone(), node.value("blockstore", b"C:81").clone());
        *node.value("blockstore", b"C:80") = two;
        *node.value("blockstore", b"C:81") = one;
    });
    for (key, height) in [("C:80", 80), ("C:81", 81)] {
        assert_found(&report, ("blockstore", key, Some(height), What::CommitBlock));
        assert_found(&report, ("blockstore", key, Some(height), What::LastCommit));
    }
}

#[test]
fn a_flip_in_a_validator_entry_is_found() {
    // Byte 12 lies in the address of the first validator, byte 40 in its key.
    for (byte, what) in [(12, What::ValidatorAddress), (40, What::ValidatorsHash)] {
        let report = after(|node| node.flip("state", b"validatorsKey:49", 8 * byte));
        assert_found(&report, ("state", "validatorsKey:49", Some(49), what));
    }
}

#[test]
fn a_flip_in_the_priority_of_a_validator_is_found() {
    // No hash covers priorities, but they follow from the set of the height below.
    for (key, height) in [(&b"validatorsKey:1"[..], 1), (b"validatorsKey:49", 49)] {
        let mut node = Node::of(HOME);
        let value = node.value("state", key);
        let at = value.windows(2).position(|pair| pair[0] == 0x18 && pair[1] < 0x80).expect("a power") + 3;
        value[at] ^= 1;
        let name = String::from_utf8_lossy(key).into_owned();
        assert_found(&node.check(), ("state", &name, Some(height), What::ProposerPriority));
    }
}

#[test]
fn a_flip_in_parameters_that_no_header_binds_is_found() {
    // Byte 24 lies in the age of evidence.
    let report = after(|node| node.flip("state", b"consensusParamsKey:1", 8 * 24));
    assert_found(&report, ("state", "consensusParamsKey:1", Some(1), What::ConsensusParams));
}

#[test]
fn a_sparse_validator_entry_that_points_elsewhere_is_found() {
    let report = after(|node| *node.value("state", b"validatorsKey:60") = vec![0x10, 24]);
    assert_found(&report, ("state", "validatorsKey:60", Some(60), What::ValidatorsHash));
    let report = after(|node| *node.value("state", b"validatorsKey:60") = vec![0x10, 25]);
    assert_found(&report, ("state", "validatorsKey:25", Some(25), What::Missing));
    let report = after(|node| *node.value("state", b"validatorsKey:60") = vec![0x10, 74]);
    assert_found(&report, ("state", "validatorsKey:60", Some(60), What::Height));
}

#[test]
fn a_flip_in_an_index_entry_is_found() {
    let mut node = Node::of(HOME);
    let rows = node.rows("blockstore");
    let (key, value) = rows.iter().find(|(key, value)| key.starts_with(b"BH:") && value.len() == 3).expect("an entry");
    let (key, height) = (key.clone(), String::from_utf8_lossy(value).parse().expect("a height"));
    node.flip("blockstore", &key, 16);
    let report = node.check();
    let name = String::from_utf8(key.clone()).expect("text");
    let found: Vec<_> = report.findings.iter().map(about).collect();
    assert_eq!(found, [("blockstore", name.as_str(), Some(height), What::BlockIndex)]);

    // Another hash: the right one is missed, and the wrong one is not of a block.
    let value = node.rows("blockstore").remove(&key).expect("is there");
    let mut other = key.clone();
    other[20] = if other[20] == b'0' { b'1' } else { b'0' };
    let text = height.to_string().into_bytes();
    assert_ne!(value, text);
    node.rows("blockstore").insert(other.clone(), text);
    let report = node.check();
    assert_found(&report, ("blockstore", name.as_str(), Some(height), What::BlockIndex));
    let other = String::from_utf8(other).expect("text");
    assert_found(&report, ("blockstore", other.as_str(), Some(height), What::BlockIndex));
}

#[test]
fn a_flip_in_a_results_record_is_found() {
    let mut node = Node::of(HOME);
    let at = node.value("state", b"abciResponsesKey:120").len() - 4;
    node.flip("state", b"abciResponsesKey:120", 8 * at);
    assert_found(&node.check(), ("state", "abciResponsesKey:120", Some(120), What::AppHash));
    // The results of the last block are bound by the state.
    let mut node = Node::of(HOME);
    let at = node.value("state", b"abciResponsesKey:240").len() - 4;
    node.flip("state", b"abciResponsesKey:240", 8 * at);
    assert_found(&node.check(), ("state", "abciResponsesKey:240", Some(240), What::AppHash));
}

#[test]
fn a_flip_in_a_parameters_record_is_found() {
    let report = after(|node| node.flip("state", b"consensusParamsKey:1", 8 * 5));
    assert_found(&report, ("state", "consensusParamsKey:1", Some(1), What::ConsensusHash));
}

#[test]
fn every_flip_in_the_state_of_the_block_store_is_found() {
    let node = Node::of(HOME);
    for bit in 0..8 * 5 {
        let mut node = node.clone();
        node.flip("blockstore", b"blockStore", bit);
        let report = node.check();
        assert!(
            report.findings.iter().any(|finding| finding.database == "blockstore" || finding.what == What::Tip),
            "bit {bit}: {:?}",
            report.remarks
        );
        assert!(report.findings_total < 3_000, "bit {bit}: one finding a row at most");
    }
}

#[test]
fn every_row_that_is_missing_is_named() {
    let keys: [(&str, &str, Option<u64>); 12] = [
        ("blockstore", "H:90", Some(90)),
        ("blockstore", "P:90:0", Some(90)),
        ("blockstore", "P:142:3", Some(142)),
        ("blockstore", "C:90", Some(90)),
        ("blockstore", "SC:90", Some(90)),
        ("blockstore", "blockStore", None),
        ("state", "validatorsKey:90", Some(90)),
        ("state", "validatorsKey:49", Some(49)),
        ("state", "validatorsKey:242", Some(242)),
        ("state", "consensusParamsKey:90", Some(90)),
        ("state", "abciResponsesKey:90", Some(90)),
        ("state", "stateKey", None),
    ];
    let node = Node::of(HOME);
    for (database, key, height) in keys {
        let mut node = node.clone();
        node.rows(database).remove(key.as_bytes()).expect("is there");
        assert_found(&node.check(), (database, key, height, What::Missing));
    }
}

#[test]
fn a_row_too_many_is_named() {
    let node = Node::of(HOME);
    let part = node.clone().value("blockstore", b"P:90:0").clone();
    let mut surplus = node.clone();
    surplus.rows("blockstore").insert(b"P:90:1".to_vec(), part);
    assert_found(&surplus.check(), ("blockstore", "P:90:1", Some(90), What::Unexpected));

    let commit = node.clone().value("blockstore", b"SC:240").clone();
    let mut above = node.clone();
    above.rows("blockstore").insert(b"SC:99999".to_vec(), commit);
    assert_found(&above.check(), ("blockstore", "SC:99999", Some(99_999), What::Unexpected));

    let mut unknown = node.clone();
    unknown.rows("blockstore").insert(b"Q:1".to_vec(), vec![1]);
    let report = unknown.check();
    assert_eq!(report.findings, []);
    assert!(report.remarks.iter().any(|remark| remark.contains("Q:1")), "{:?}", report.remarks);

    // With a source, no row can be too many.
    let mut copied = node.copied();
    copied.rows("blockstore").insert(b"Q:1".to_vec(), vec![1]);
    let report = copied.check();
    assert!(
        report.findings.iter().any(|finding| (finding.database.as_str(), finding.what) == ("blockstore", What::Count))
    );
}

#[test]
fn an_index_row_that_is_not_its_transaction_is_found() {
    let mut node = Node::of(HOME);
    let key = node.rows("tx_index").keys().find(|key| key.len() == 32).expect("a transaction").clone();
    let value = node.value("tx_index", &key);
    let tx = TxResult::decode(value).expect("decodes").tx.to_vec();
    let at = value.windows(tx.len()).position(|window| window == tx).expect("is there");
    value[at] ^= 1;
    let report = node.check();
    let found: Vec<_> = report.findings.iter().map(|finding| (finding.what, finding.key.clone())).collect();
    assert_eq!(found, [(What::TxIndex, format!("0x{}", hex(&key)))]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn any_flip_after_the_copy_is_found_by_the_digests() {
    let node = Node::of(HOME).copied();
    assert_eq!(node.check().findings, []);
    let rows: [(&str, &[u8]); 4] = [
        ("tx_index", b"tx.height/100/100/0$es$0"),
        ("state", b"genesisDoc"),
        ("blockstore", b"SC:9"),
        ("kvstore", b"stateKey"),
    ];
    for (database, key) in rows {
        let mut node = node.clone();
        node.flip(database, key, 3);
        let report = node.check();
        assert!(
            report.findings.iter().any(|finding| (finding.database.as_str(), finding.what) == (database, What::Digest)),
            "{database}: {:?}",
            report.findings
        );
        let counts = report.databases.iter().find(|counts| counts.name == database).expect("is counted");
        assert_eq!(counts.equals_source, Some(false));
    }
}

#[test]
fn what_was_quarantined_is_an_exception_and_the_rest_is_not() {
    let mut node = Node::of(HOME);
    for key in [&b"P:100:0"[..], b"C:33", b"validatorsKey:49"] {
        let database = if key.starts_with(b"v") { "state" } else { "blockstore" };
        node.rows(database).remove(key).expect("is there");
        node.quarantined.entry(database.to_owned()).or_default().push((key.to_vec(), key.to_vec()));
    }
    let report = node.check();
    assert_eq!(report.findings, []);
    let keys: Vec<&str> = report.exceptions.iter().map(|finding| finding.key.as_str()).collect();
    for key in ["P:100:0", "C:33", "validatorsKey:49"] {
        assert!(keys.contains(&key), "{keys:?}");
    }
    let at = last_signature(node.value("blockstore", b"C:34"));
    node.flip("blockstore", b"C:34", 8 * at);
    assert_found(&node.check(), ("blockstore", "C:34", Some(34), What::LastCommit));
}

#[test]
fn databases_of_two_times_are_found() {
    let mut node = Node::of(HOME);
    let mut older = Node::of("cometbft-0.38-goleveldb-killed");
    std::mem::swap(node.rows("state"), older.rows("state"));
    let report = node.check();
    assert_found(&report, ("state", "stateKey", Some(212), What::Tip));
    assert_found(&report, ("state", "stateKey", None, What::ChainId));
}

#[test]
fn without_a_block_store_counts_and_digests_are_all() {
    let report = Node::of("simapp-0.50-mixed-engines").without("blockstore").check();
    assert_eq!((&report.findings[..], report.heights, report.layers.len()), (&[][..], None, 2));
    assert!(report.not_checked.iter().any(|text| text.contains("no block store")));
    assert!(report.databases.iter().any(|database| database.name == "application" && database.keys > 0));
}

#[test]
fn without_a_state_store_blocks_are_still_bound_to_each_other() {
    let mut node = Node::of(HOME).without("state");
    let report = node.check();
    assert_eq!(report.findings, []);
    assert!(report.not_checked.iter().any(|text| text.contains("no state store")));
    node.flip("blockstore", b"P:100:0", 8 * 300);
    assert_found(&node.check(), ("blockstore", "P:100:0", Some(100), What::PartHash));
}

#[test]
fn a_verification_that_is_stopped_says_so() {
    let stopped = Node::of(HOME).check_until(&AtomicBool::new(true));
    assert!(matches!(stopped, Err(VerifyError::Interrupted(_))));
}
