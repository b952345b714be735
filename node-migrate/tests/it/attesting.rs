//! Shims that attest: equal roots across formats are confirmed, a different one is an alarm with the evidence of both sides.

use std::fs;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use node_migrate::home::{Home, genesis_hash};
use proofs::checkpoint::{Checkpoint, next_checkpoint};
use proofs::note::{Algorithm, Note, SignerKey};
use proto::hello::{Hello, Printable, Status, Storage, Terms, TimeRule, Version, Versions};
use serde_json::Value;
use shim::counters::Counters;
use shim::lp2p::Identity;
use shim::own::attest::Book;
use shim::own::node::{Config, Event, StaticPeer, start};
use shim::source::NoBlocks;
use tokio::runtime::Runtime;

use crate::mending::pair;
use crate::program::text;
use crate::served::Served;

const LOOPBACK: &str = "127.0.0.1:0";

/// The key of a node for the tree of a home's heights.
fn key(home: &Path, seed: u8) -> SignerKey {
    let chain = Home::open(home).expect("opens").genesis.expect("has a genesis file").chain_id;
    SignerKey::from_seed(&format!("{chain}/blocks-v1/1"), Algorithm::Ed25519, &[seed; 32]).expect("a key")
}

/// The same, in a file.
fn key_file(home: &Path, seed: u8) -> PathBuf {
    let path = home.join("attest.key");
    fs::write(&path, format!("{}\n", key(home, seed).to_secret_text())).expect("writes");
    path
}

fn starts(home: &Path, seed: u8, known: &SignerKey, more: &[&str]) -> Served {
    let (file, known) = (key_file(home, seed), known.verifier().to_string());
    let options = ["--own", LOOPBACK, "--attest-every", "100", "--attest-key", text(&file), "--attest-known", &known];
    Served::start(home, &[&options[..], more].concat())
}

fn event(name: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["event"] == name
}

#[test]
fn nodes_of_two_formats_confirm_each_other() {
    let (one, other) = pair();
    let (one, other) = (one.home(), other.home());
    let mut first = starts(&one, 1, &key(&other, 2), &[]);
    let address = first.own();
    let mut second = starts(&other, 2, &key(&one, 1), &["--own-peer", &address]);
    let attested = first.line(event("attested"));
    assert_eq!(attested["height"].as_u64().map(|height| height % 100), Some(0));
    assert_eq!(second.line(event("attested"))["root"], attested["root"]);
    let confirmed = first.line(event("confirmed"));
    let words = confirmed["what"].as_str().expect("words");
    assert!(words.contains("has the same root as ours"), "{words}");
    assert!(!first.lines.iter().chain(&second.lines).any(event("alarm")));
}

/// A node that attests to whatever it is told, connected with the one at `address`.
fn attests(runtime: &Runtime, home: &Path, known: &SignerKey, key: &SignerKey, note: &Note, address: &str) {
    let chain = Home::open(home).expect("opens").genesis.expect("has a genesis file").chain_id;
    let versions = || Versions::new([1, 2]).expect("versions");
    let hello = Hello {
        chain_id: Printable::new(chain.as_str()).expect("a chain id"),
        genesis_hash: genesis_hash(&home.join("config/genesis.json")).expect("reads"),
        terms: Terms::new(versions(), versions(), Version(0)),
        time_rule: TimeRule::V0_38,
        attest_every: NonZeroU64::new(100),
        status: Status::new(Storage::Old, None, 0).expect("a status"),
        agent: Printable::new("test/1").expect("an agent"),
    };
    let book = Book::new(key.verifier().clone(), vec![known.verifier().clone()]).expect("an origin");
    let config = Config {
        identity: Identity::fresh().keypair().clone(),
        listen: Vec::new(),
        peers: StaticPeer::parse([address]).expect("a peer"),
        connections_max: 0,
        hello,
        source: Arc::new(NoBlocks { chain_id: chain }),
        book: Some(book),
        relay: None,
        counters: Arc::<Counters>::default(),
    };
    runtime.block_on(async {
        let (handle, mut events) = start(config).expect("starts");
        handle.attest(note).await.expect("its own");
        // Both sides find the difference.
        while let Some(event) = events.recv().await {
            if matches!(event, Event::Alarm { .. }) {
                return;
            }
        }
        panic!("the node has ended");
    });
}

#[test]
fn a_different_root_is_an_alarm_with_the_notes_of_both() {
    let (one, _) = pair();
    let home = one.home();
    let (ours, theirs) = (key(&home, 1), key(&home, 2));
    let mut served = starts(&home, 1, &theirs, &[]);
    let height = served.line(event("attested"))["height"].as_u64().expect("a height");
    let wrong = Checkpoint::new(theirs.verifier().name(), height, [7; 32]).expect("a checkpoint");
    let note = next_checkpoint(None, &[], &wrong).expect("the first").sign(&theirs).expect("its key");
    let runtime = Runtime::new().expect("a runtime");
    attests(&runtime, &home, &ours, &theirs, &note, &served.own());
    let alarm = served.line(event("alarm"));
    assert_eq!((alarm["level"].as_str(), alarm["height"].as_u64()), (Some("warn"), Some(height)));
    assert_eq!(alarm["second"]["root"], "07".repeat(32));
    assert_eq!(alarm["second"]["note"], note.to_string());
    let own = Note::parse(alarm["first"]["note"].as_str().expect("a note").as_bytes()).expect("is a note");
    let known = [ours.verifier().clone()];
    let opened = Checkpoint::open(&own, &known).expect("signed by the shim's key");
    assert_eq!(hex::encode(opened.checkpoint().root()), alarm["first"]["root"].as_str().expect("a root"));
}

#[test]
fn a_shim_makes_a_key_and_never_contradicts_itself_after_a_restart() {
    let (one, _) = pair();
    let home = one.home();
    let options = ["--own", LOOPBACK, "--attest-every", "50"];
    let mut served = Served::start(&home, &options);
    let (key, attested) = (served.line(event("attesting")), served.line(event("attested")));
    drop(served);
    let mut again = Served::start(&home, &options);
    assert_eq!(again.line(event("attesting"))["vkey"], key["vkey"]);
    assert_eq!(again.line(event("attested"))["root"], attested["root"]);
    let without =
        crate::program::run(&["shim", "serve", "--home", text(&home), "--lp2p", LOOPBACK, "--attest-every", "5"]);
    without.failed(2, "--own or --own-peer is needed");
}
