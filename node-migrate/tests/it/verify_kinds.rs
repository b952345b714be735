//! Damage in homes of other kinds: pruned, of layout v2, with extensions, with other keys, halted, mislabelled.

use node_migrate::verify::What;

use crate::verify_rows::{Node, assert_found, last_signature};

#[test]
fn what_pruning_keeps_below_the_base_is_bound_too() {
    let whole = Node::of("cometbft-0.38-goleveldb-pruned-evidence");
    assert!(whole.check().remarks.iter().any(|remark| remark.contains("200 heights below the base")));

    let mut commit = whole.clone();
    let at = last_signature(commit.value("blockstore", b"C:50"));
    commit.flip("blockstore", b"C:50", 8 * at);
    assert_found(&commit.check(), ("blockstore", "C:50", Some(50), What::CommitSignature));

    let mut header = whole.clone();
    let at = header.value("blockstore", b"H:50").len() - 30;
    header.flip("blockstore", b"H:50", 8 * at);
    assert_found(&header.check(), ("blockstore", "H:50", Some(50), What::BlockHash));

    // Validators of old heights are kept in full where they changed, and bound by the headers that are kept.
    let mut validators = whole;
    let is_old = |key: &[u8]| key.starts_with(b"validatorsKey:") && key.len() < 17;
    let mut full = validators.rows("state").iter().filter(|(key, value)| is_old(key) && value.len() > 100);
    let key = full.nth(1).expect("validators that changed below height 100").0.clone();
    validators.flip("state", &key, 8 * 40);
    let height = String::from_utf8_lossy(&key["validatorsKey:".len()..]).parse().expect("a height");
    let name = String::from_utf8_lossy(&key).into_owned();
    assert_found(&validators.check(), ("state", &name, Some(height), What::ValidatorsHash));
}

#[test]
fn a_base_that_lost_its_blocks_is_found() {
    // As if pruning had gone on without saying so.
    let mut node = Node::of("cometbft-0.38-goleveldb-pruned");
    node.rows("blockstore").retain(|key, _| !key.starts_with(b"P:191:") && key != b"SC:191" && key != b"H:191");
    let report = node.check();
    assert_found(&report, ("blockstore", "H:191", Some(191), What::Missing));
}

#[test]
fn keys_of_layout_v2_are_walked_alike() {
    let mut node = Node::of("cometbft-1.0-v2-goleveldb");
    // 100 is c064 in ordered code.
    node.flip("blockstore", &[0x81, 0xc0, 0x64, 0x80], 8 * 300);
    node.flip("state", &[0x88, 0xc0, 0x78], 8 * 4);
    let at = last_signature(node.value("blockstore", &[0x83, 0xc0, 0x65]));
    node.flip("blockstore", &[0x83, 0xc0, 0x65], 8 * at);
    let report = node.check();
    assert_found(&report, ("blockstore", "0x81c06480", Some(100), What::PartHash));
    assert_found(&report, ("blockstore", "0x83c065", Some(101), What::CommitSignature));
}

#[test]
fn the_index_of_layout_v2_is_compared_both_ways() {
    let mut node = Node::of("cometbft-1.0-v2-goleveldb");
    let key = node.rows("blockstore").keys().find(|key| key[0] == 0x85).expect("an entry").clone();
    let value = node.rows("blockstore").remove(&key).expect("is there");
    let height = String::from_utf8(value).expect("text").parse().expect("a height");
    let report = node.check();
    let name = format!("0x{}", hex::encode(&key));
    assert_found(&report, ("blockstore", &name, Some(height), What::BlockIndex));
}

#[test]
fn extensions_are_checked_like_votes() {
    let whole = Node::of("cometbft-0.38-goleveldb-ext");
    let mut missing = whole.clone();
    missing.rows("blockstore").remove(&b"EC:100"[..]).expect("is there");
    assert_found(&missing.check(), ("blockstore", "EC:100", Some(100), What::Missing));

    let mut signature = whole.clone();
    let value = signature.value("blockstore", b"EC:100");
    // Field 6, 64 bytes long, is the signature over the extension.
    let at = value.windows(2).rposition(|pair| pair == [0x32, 64]).expect("an extension signature") + 2;
    signature.flip("blockstore", b"EC:100", 8 * at);
    let report = signature.check();
    assert_found(&report, ("blockstore", "EC:100", Some(100), What::ExtensionSignature));
    assert_eq!(report.findings_total, 1);

    // A vote that all three records of a height hold is bad in each of them.
    let mut vote = whole;
    for key in [&b"EC:240"[..], b"SC:240"] {
        let at = last_signature(vote.value("blockstore", key));
        vote.flip("blockstore", key, 8 * at);
    }
    let report = vote.check();
    assert_found(&report, ("blockstore", "EC:240", Some(240), What::CommitSignature));
    assert_found(&report, ("blockstore", "SC:240", Some(240), What::CommitSignature));
}

#[test]
fn pending_evidence_is_what_its_key_says() {
    let mut node = Node::of("cometbft-0.38-halted");
    let key = node.rows("evidence").keys().find(|key| key[0] == 1).expect("pending evidence").clone();
    node.flip("evidence", &key, 8 * 40);
    let report = node.check();
    assert_eq!(report.findings.iter().map(|finding| finding.what).collect::<Vec<_>>(), [What::Evidence]);
    assert!(report.remarks.iter().any(|remark| remark.contains("one height behind")), "{:?}", report.remarks);
}

#[test]
fn committed_evidence_is_of_the_height_in_its_key() {
    let mut node = Node::of("cometbft-0.38-evidence");
    let key = node.rows("evidence").keys().find(|key| key[0] == 0).expect("committed evidence").clone();
    node.flip("evidence", &key, 8);
    let report = node.check();
    assert_eq!(report.findings.iter().map(|finding| finding.what).collect::<Vec<_>>(), [What::Evidence]);
}

#[test]
fn a_mislabelled_store_is_read_as_what_it_is() {
    let mut node = Node::of("cometbft-1.0-mislabelled");
    let report = node.check();
    assert_eq!(report.findings, []);
    let named = |remark: &String| remark.contains("blockstore is labelled layout v2 but its keys are of layout v1");
    assert!(report.remarks.iter().any(named), "{:?}", report.remarks);
    node.flip("blockstore", b"P:100:0", 8 * 300);
    assert_found(&node.check(), ("blockstore", "P:100:0", Some(100), What::PartHash));
}

#[test]
fn the_state_of_the_tip_is_bound() {
    let whole = Node::of("cometbft-0.38-goleveldb");
    let state = whole.clone().value("state", b"stateKey").clone();
    // From the end: initial height, app hash of 8 bytes, last-results hash of 32 bytes.
    for (from_end, what) in [(4, What::AppHash), (20, What::ResultsHash)] {
        let mut node = whole.clone();
        node.flip("state", b"stateKey", 8 * (state.len() - from_end));
        let report = node.check();
        assert!(report.findings.iter().any(|finding| finding.what == what), "{:?}", report.findings);
    }
}

#[test]
fn a_time_that_neither_rule_gives_is_found() {
    // A node cannot have such a header: its hash is wrong too, but the time by itself must be seen.
    let mut node = Node::of("cometbft-0.40-goleveldb");
    let value = node.value("blockstore", b"H:100");
    // Field 4 is a message that begins with field 1: seconds in five bytes, then the nanoseconds.
    let at = value.windows(3).position(|bytes| matches!(bytes, [0x22, 10..=13, 0x08])).expect("a time") + 9;
    value[at] ^= 1;
    assert_found(&node.check(), ("blockstore", "H:100", Some(100), What::HeaderTime));
}

#[test]
fn a_rule_of_time_that_only_some_releases_know_is_told() {
    let told = |name: &str, releases: &str| {
        let report = Node::of(name).check();
        report.remarks.iter().any(|remark| remark.contains("right only by the rule of") && remark.contains(releases))
    };
    assert!(told("cometbft-0.38-goleveldb", "0.34 to 0.39"));
    assert!(!told("cometbft-0.40-goleveldb", "0.34 to 0.39"));
}
