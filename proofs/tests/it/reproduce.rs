//! `ledger-proof reproduce` against honest nodes and lying ones.

use proofs::checkpoint::{Checkpoint, LedgerOrigin, next_checkpoint};
use proofs::note::{Algorithm, SignerKey};
use serde_json::{Value, json};

use crate::program::{Said, run};
use crate::rpc::{Answer, FIRST_BLOCK, ROOT, Server, TIP, after, query, recorded};

fn reproduce(url: &str, more: &[&str]) -> Said {
    run(&[&["reproduce", "--rpc", url, "--rate", "100000", "--retries", "0"], more].concat())
}

#[track_caller]
fn holds(said: &Said) {
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let expected = format!("first-block {FIRST_BLOCK}\nchain fx-038\nheights 1 to {TIP}\nsize {TIP}\nroot {ROOT}\n");
    assert!(said.out.ends_with(&expected), "{}", said.out);
}

/// The walk over a node that changes its answers ends with this reason.
#[track_caller]
fn refused(code: i32, reason: &str, lie: impl Fn(&str, &mut Value) -> Answer + Send + Sync + 'static) {
    let said = reproduce(&Server::lying(lie).url, &[]);
    assert!(said.err.contains(reason), "{reason:?} is not in {:?}", said.err);
    assert_eq!((said.code, said.out.as_str()), (code, ""), "{}", said.err);
}

/// Changes the metas of an answer.
fn metas(lie: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> impl Fn(&str, &mut Value) -> Answer + Send + Sync {
    move |path, answer| {
        if path.starts_with("/blockchain") {
            lie(answer["result"]["block_metas"].as_array_mut().expect("metas"));
        }
        Answer::Send
    }
}

/// Changes the meta of one height.
fn meta(
    height: &'static str,
    lie: impl Fn(&mut Value) + Send + Sync + 'static,
) -> impl Fn(&str, &mut Value) -> Answer + Send + Sync {
    metas(move |metas| metas.iter_mut().filter(|meta| meta["header"]["height"] == height).for_each(&lie))
}

/// Changes the commit of one height.
fn commit(
    height: u64,
    lie: impl Fn(&mut Value) + Send + Sync + 'static,
) -> impl Fn(&str, &mut Value) -> Answer + Send + Sync {
    move |path, answer| {
        if path.starts_with("/commit") && query(path, "height") == height {
            lie(&mut answer["result"]["signed_header"]["commit"]);
        }
        Answer::Send
    }
}

fn validators(
    lie: impl Fn(&str, &mut Value) + Send + Sync + 'static,
) -> impl Fn(&str, &mut Value) -> Answer + Send + Sync {
    move |path, answer| {
        if path.starts_with("/validators") && answer["error"].is_null() {
            lie(path, &mut answer["result"]);
        }
        Answer::Send
    }
}

#[test]
fn an_honest_node_gives_the_root() {
    holds(&reproduce(&Server::honest().url, &[]));
    let (one, two) = (Server::honest(), Server::honest());
    holds(&reproduce(&one.url, &["--rpc2", &two.url, "--chain", "fx-038", "--commit-every", "10"]));
    assert!(two.asked().iter().any(|path| path.starts_with("/blockchain")));
    let commits = one.asked().iter().filter(|path| path.starts_with("/commit")).count();
    let changes = recorded()["metas"].as_array().expect("metas").iter().filter(|meta| changes_validators(meta)).count();
    assert_eq!(commits, 5 + changes, "heights 10, 20, 30, 40, the last, and where validators are announced");
}

fn changes_validators(meta: &Value) -> bool {
    meta["header"]["validators_hash"] != meta["header"]["next_validators_hash"]
}

#[test]
fn the_first_block_is_told_and_compared() {
    let server = Server::honest();
    holds(&reproduce(&server.url, &["--first-block", FIRST_BLOCK]));
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state").to_str().expect("a path of text").to_owned();
    holds(&reproduce(&server.url, &["--state", &state]));
    let other = "ab".repeat(32);
    for more in [&[][..], &["--state", &state]] {
        let said = reproduce(&server.url, &[&["--first-block", &other], more].concat());
        assert_eq!((said.code, said.out.as_str()), (6, ""));
        assert!(said.err.contains(&format!("is {FIRST_BLOCK}, expected {other}")), "{}", said.err);
    }
}

#[test]
fn what_is_put_aside_is_signed_to_its_end() {
    // Nothing above height 40 says yet that its parts are others, and 40 is no multiple of 100.
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state").to_str().expect("a path of text").to_owned();
    let parts = meta("40", |meta| meta["block_id"]["parts"]["hash"] = json!("AB".repeat(32)));
    let said = reproduce(&Server::lying(parts).url, &["--commit-every", "100", "--state", &state]);
    assert_eq!(said.code, 6);
    assert!(said.err.contains("commit at height 40 is for block"), "{}", said.err);
    let said = reproduce(&Server::honest().url, &["--state", &state, "--to", "20", "--commit-every", "100"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "what was put aside before is the chain's");
}

#[test]
fn a_node_may_page_as_it_likes() {
    holds(&reproduce(&Server::lying(metas(|metas| metas.truncate(7))).url, &[]));
    holds(&reproduce(&Server::lying(metas(|metas| metas.reverse())).url, &[]));
    // Validators two a page.
    let paged = validators(|path, result| {
        let set = result["validators"].as_array().expect("a set").clone();
        let page = usize::try_from(query(path, "page")).expect("small");
        result["validators"] = json!(set.chunks(2).nth(page - 1).unwrap_or_default());
    });
    holds(&reproduce(&Server::lying(paged).url, &[]));
}

#[test]
fn a_checkpoint_is_compared_with_the_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("checkpoint");
    let origin = LedgerOrigin::new("example.org/chain", 1).expect("a prefix").to_string();
    let key = SignerKey::from_seed(&origin, Algorithm::Ed25519, &[7; 32]).expect("a key");
    let vkey = key.verifier().to_string();
    let root: [u8; 32] = hex::decode(ROOT).expect("hex").try_into().expect("32 bytes");
    for (root, code, expected) in
        [(root, 0, "holds: the checkpoint is of the chain"), ([1; 32], 6, "the chain has the root c8bb")]
    {
        let head = Checkpoint::new(&origin, TIP, root).expect("a head");
        let note = next_checkpoint(None, &[], &head).expect("the first").sign(&key).expect("its key");
        std::fs::write(&file, note.to_string()).expect("writes");
        let file = file.to_str().expect("a path of text");
        let said = reproduce(&Server::honest().url, &["--checkpoint", file, "--log", &vkey]);
        assert_eq!(said.code, code, "{}", said.err);
        assert!(format!("{}{}", said.out, said.err).contains(expected), "{}{}", said.out, said.err);
    }
}

#[test]
fn changed_headers_and_blocks_are_refused() {
    refused(6, "header of height 7 has the hash", meta("7", |meta| meta["header"]["app_hash"] = json!("00")));
    refused(
        6,
        "header of height 7 has the hash",
        meta("7", |meta| meta["header"]["time"] = json!("2026-11-21T00:00:00Z")),
    );
    let parts = |meta: &mut Value| meta["block_id"]["parts"]["hash"] = json!("AB".repeat(32));
    refused(6, "commit at height 7 is for block", meta("7", parts));
    let unsigned = reproduce(&Server::lying(meta("7", parts)).url, &["--commit-every", "100"]);
    assert!(
        unsigned.err.contains("header of height 8 does not name the block given for the height below"),
        "{}",
        unsigned.err
    );
    refused(
        6,
        "header of height 7 is of chain \"other\"",
        meta("7", |meta| meta["header"]["chain_id"] = json!("other")),
    );
    refused(6, "a hash in a block id is not 32 bytes long", meta("7", |meta| meta["block_id"]["hash"] = json!("AB")));
    refused(
        6,
        "a block id is empty",
        meta("7", |meta| {
            meta["block_id"] = json!({ "hash": "", "parts": { "total": 0, "hash": "" } });
        }),
    );
}

#[test]
fn blocks_of_another_history_are_refused() {
    // Height 9 in place of height 8, with its own valid header.
    let nine = recorded()["metas"][8].clone();
    let lie = metas(move |metas| {
        metas.iter_mut().filter(|meta| meta["header"]["height"] == "8").for_each(|meta| *meta = nine.clone())
    });
    refused(6, "height 9 is there twice", lie);
    refused(6, "height 9999 was not asked for", meta("8", |meta| meta["header"]["height"] = json!("9999")));
    refused(6, "none of the heights asked for is there", metas(Vec::clear));
    let (one, two) =
        (Server::honest(), Server::lying(meta("31", |meta| meta["block_id"]["parts"]["total"] = json!(9))));
    let said = reproduce(&one.url, &["--rpc2", &two.url]);
    assert_eq!(said.code, 6);
    assert!(said.err.contains("disagree at height 31"), "{}", said.err);
}

#[test]
fn commits_that_prove_nothing_are_refused() {
    refused(6, "commit is of height 4, expected 5", commit(5, |commit| commit["height"] = json!("4")));
    refused(6, "signature 0 at height 5 does not hold", commit(5, |commit| commit["round"] = json!(7)));
    let signature =
        commit(5, |commit| commit["signatures"][1]["signature"] = commit["signatures"][0]["signature"].clone());
    refused(6, "signature 1 at height 5 does not hold", signature);
    let absent = commit(5, |commit| {
        for index in [0, 1] {
            commit["signatures"][index] = json!({ "block_id_flag": 1, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": null });
        }
    });
    refused(6, "of 46 power signed height 5: more than two thirds are needed", absent);
    let address = commit(5, |commit| commit["signatures"][0]["validator_address"] = json!("00".repeat(20)));
    refused(6, "signature 0 at height 5 names address 0000", address);
    refused(
        6,
        "commit at height 5 has 3 places for 4 validators",
        commit(5, |commit| {
            commit["signatures"].as_array_mut().expect("a list").pop();
        }),
    );
    refused(6, "block id flag 9 is neither", commit(5, |commit| commit["signatures"][0]["block_id_flag"] = json!(9)));
}

#[test]
fn validators_that_the_header_does_not_name_are_refused() {
    refused(
        6,
        "validators of height 1 have the hash",
        validators(|_, result| result["validators"][0]["voting_power"] = json!("1000")),
    );
    refused(
        6,
        "the pages have 4 of 5",
        validators(|path, result| {
            result["total"] = json!("5");
            if query(path, "page") > 1 {
                result["validators"] = json!([]);
            }
        }),
    );
    refused(6, "the pages have 4 of 3", validators(|_, result| result["total"] = json!("3")));
    refused(
        6,
        "has the negative power -5",
        validators(|_, result| result["validators"][0]["voting_power"] = json!("-5")),
    );
    refused(
        6,
        "key of the unknown type",
        validators(|_, result| result["validators"][0]["pub_key"]["type"] = json!("x")),
    );
    refused(
        6,
        "signatures of bls12_381 keys cannot be checked",
        validators(|_, result| {
            result["validators"][0]["pub_key"]["type"] = json!("cometbft/PubKeyBls12_381");
        }),
    );
}

#[test]
fn nodes_of_other_chains_or_heights_are_refused() {
    let status = |name: &'static str, value: &'static str| {
        move |path: &str, answer: &mut Value| {
            if path == "/status" {
                answer["result"]["sync_info"][name] = json!(value);
            }
            Answer::Send
        }
    };
    let pruned = reproduce(&Server::lying(status("earliest_block_height", "10")).url, &["--from", "1"]);
    assert_eq!(pruned.code, 7);
    assert!(pruned.err.contains("is pruned: its first height is 10, but 1 is needed"), "{}", pruned.err);
    let behind = reproduce(&Server::honest().url, &["--to", "46"]);
    assert_eq!(behind.code, 7);
    assert!(behind.err.contains("has heights up to 45, but 46 is needed"), "{}", behind.err);
    let other = reproduce(&Server::honest().url, &["--chain", "mainnet"]);
    assert_eq!(other.code, 6);
    assert!(other.err.contains("serves chain \"fx-038\", expected \"mainnet\""), "{}", other.err);
    // A name that would make lines of its own among what is printed.
    refused(6, "serves a chain whose name has control characters", |path, answer| {
        if path == "/status" {
            answer["result"]["node_info"]["network"] = json!(format!("fx-038\nroot {ROOT}"));
        }
        Answer::Send
    });
    // Pruned while it is walked.
    refused(7, "the node refuses: ", |path, answer| {
        if path.starts_with("/commit") && query(path, "height") > 30 {
            *answer = json!({ "error": { "data": "height 31 is not available, lowest height is 40" } });
        }
        Answer::Send
    });
}

#[test]
fn answers_that_are_none_are_refused() {
    refused(6, "the answer is not what a node says", |_, _| Answer::Raw(200, b"<html>".to_vec()));
    refused(6, "neither a result nor an error", |_, _| Answer::Raw(200, b"{}".to_vec()));
    refused(7, "no answer after 1 attempts", |_, _| Answer::Raw(502, b"<html>bad gateway".to_vec()));
    refused(7, "no answer after 1 attempts", |_, _| Answer::Close);
    refused(7, "no answer after 1 attempts", |_, _| Answer::Raw(302, Vec::new()));
    refused(6, "the answer is longer than 8388608 bytes", |_, _| Answer::Raw(200, vec![b' '; (8 << 20) + 1]));
    refused(6, "recursion limit exceeded", |_, _| {
        Answer::Raw(200, [br#"{"error":"#.as_slice(), &[b'['; 1 << 20]].concat())
    });
    refused(6, "out of range", meta("7", |meta| meta["block_id"]["parts"]["total"] = json!("99999999999")));
    let said = reproduce("https://127.0.0.1:1", &[]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("is not a plain http:// address"), "{}", said.err);
}

#[test]
fn a_walk_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state").to_str().expect("a path of text").to_owned();
    let gone = after(30);
    let stopping = Server::lying(move |_, _| if gone() { Answer::Close } else { Answer::Send });
    let said = reproduce(&stopping.url, &["--state", &state]);
    assert_eq!(said.code, 7, "{}", said.err);
    let server = Server::honest();
    holds(&reproduce(&server.url, &["--state", &state]));
    assert!(!server.asked().iter().any(|path| path.contains("minHeight=1&")), "{:?}", server.asked());
    // Done is done: nothing is asked but what the node has.
    let server = Server::honest();
    holds(&reproduce(&server.url, &["--state", &state]));
    assert!(server.asked().iter().all(|path| path == "/status"), "{:?}", server.asked());

    let other = reproduce(&server.url, &["--state", &state, "--from", "2"]);
    assert_eq!(other.code, 2);
    assert!(other.err.contains("is the state of another walk"), "{}", other.err);
    let text = std::fs::read_to_string(&state).expect("a state");
    std::fs::write(&state, text.replace("size 45", "size 44")).expect("writes");
    let damaged = reproduce(&server.url, &["--state", &state]);
    assert_eq!(damaged.code, 6);
    assert!(damaged.err.contains("is not the state of a walk"), "{}", damaged.err);
}

#[test]
fn a_checked_range_joins_to_the_same_root() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("segments").to_str().expect("a path of text").to_owned();
    let server = Server::honest();
    let words = ["verify-range", "--rpc", &server.url, "--rate", "100000", "--from", "1", "--to", "45"];
    let said = run(&words);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    std::fs::write(&file, &said.out).expect("writes");
    holds(&run(&["join", &file]));
    let words = ["verify-range", "--rpc", &server.url, "--from", "20", "--to", "45"];
    let said = run(&words);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("which is no multiple of 65536 leaves above 1"), "{}", said.err);
    std::fs::write(&file, "segment nonsense\n").expect("writes");
    let said = run(&["join", &file]);
    assert_eq!(said.code, 6);
    assert!(said.err.contains("line 1: it is not a checked segment"), "{}", said.err);
}
