//! Blocks from nodes in the network: a damaged home is repaired from a node that serves the chain in another format.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ledger_formats::comet::key::BlockKey;
use ledger_formats::engine::EngineKind;
use node_migrate::home::genesis_hash;
use node_migrate::serving::VerifiedBlocks;
use proto::hello::{Heights, Hello, Printable, Status, Storage, Terms, TimeRule, Version, Versions};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use shim::blocksync::service::{Budget, Log, Note, Service, run as serve};
use shim::classic::multiplex::ChannelSpec;
use shim::classic::node_key::NodeKey;
use shim::classic::transport as classic;
use shim::counters::Counters;
use shim::lp2p::Identity;
use shim::own::node::{Config, Event, Handle, listeners, start};
use shim::peering::Channel;
use shim::source::{BlockSource, Offer, OfferedBlock, SourceError};
use tokio::runtime::Runtime;

use crate::fixture::Fixture;
use crate::mending::{key, pair, rewrite, rows};
use crate::program::{command, digests, run, text, tree};
use crate::served::Served;
use crate::serving::swept;

const LOOPBACK: &str = "127.0.0.1:0";

/// Hurts ten blocks in ways that leave the table's checksums valid, and every seen commit as it is.
fn hurt(home: &Path) {
    rewrite(home, |rows| {
        let mut flip = |wanted: BlockKey, from_end: usize| {
            let wanted = key(&wanted);
            let (_, value) = rows.iter_mut().find(|(key, _)| *key == wanted).expect("the row is there");
            let at = value.len() - from_end;
            value[at] ^= 1;
        };
        for height in [3, 4, 7, 9, 11] {
            flip(BlockKey::Part { height, part: 0 }, 40);
        }
        flip(BlockKey::Meta { height: 12 }, 30);
        flip(BlockKey::Commit { height: 17 }, 20);
        flip(BlockKey::Meta { height: 20 }, 30);
        let gone = [key(&BlockKey::Meta { height: 15 }), key(&BlockKey::Part { height: 16, part: 0 })];
        rows.retain(|(key, _)| !gone.contains(key));
    });
}

const HURT: [u64; 10] = [3, 4, 7, 9, 11, 12, 15, 16, 17, 20];

/// Repairs a home from these peers; what the program said.
fn repair(home: &Path, from: &[&str]) -> crate::program::Ended {
    let mut arguments = vec!["run", text(home), "--to", "pebbledb", "--on-corrupt", "repair", "--execute"];
    from.iter().for_each(|peer| arguments.extend(["--from", peer]));
    run(&arguments)
}

/// A home with ten damaged blocks is repaired from `peer` over `protocol`, and is then what the undamaged home is.
fn is_repaired(home: &Path, good: &Path, peer: &str, protocol: &str) {
    hurt(home);
    run(&["verify", text(home)]).failed(6, "FINDING");
    let ended = repair(home, &[peer]).ok();
    for height in HURT {
        let line = ended.err.lines().find(|line| line.contains(&format!("block {height} repaired from ")));
        let line = line.unwrap_or_else(|| panic!("{height}: {}", ended.err));
        assert!(line.contains(protocol) && line.contains("node-migrate"), "{line}");
    }
    run(&["verify", text(home)]).ok();
    run(&["cutover", text(home), "--execute"]).ok();
    assert_eq!(digests(home), digests(good));
    let receipt = run(&["receipt", text(home)]).ok();
    assert!(receipt.out.contains("block 15") && receipt.out.contains(protocol), "{}", receipt.out);
}

#[test]
fn a_home_is_repaired_over_the_classic_protocol() {
    let (fixture, peer) = pair();
    let mut served = Served::start(&peer.home(), &["--classic", LOOPBACK]);
    is_repaired(&fixture.home(), &peer.home(), &served.classic(), "over the classic peer protocol");
}

#[test]
fn a_home_is_repaired_over_the_libp2p_of_cometbft() {
    let (fixture, peer) = pair();
    let mut served = Served::start(&peer.home(), &["--lp2p", LOOPBACK]);
    is_repaired(&fixture.home(), &peer.home(), &served.lp2p(), "over CometBFT's libp2p");
}

#[test]
fn a_home_is_repaired_over_parts_with_proofs() {
    let (fixture, peer) = pair();
    let mut served = Served::start(&peer.home(), &["--own", LOOPBACK]);
    is_repaired(&fixture.home(), &peer.home(), &served.own(), "over blocks/2");
}

#[test]
fn a_home_is_repaired_over_whole_blocks_where_the_peer_speaks_nothing_newer() {
    let (fixture, peer) = pair();
    let mut served = Served::start(&peer.home(), &["--own", LOOPBACK, "--versions", "1"]);
    is_repaired(&fixture.home(), &peer.home(), &served.own_as_libp2p(), "over blocks/1");
}

/// Blocks of which each has one bit changed.
struct Liar(Arc<VerifiedBlocks>);

impl BlockSource for Liar {
    fn chain_id(&self) -> &str {
        self.0.chain_id()
    }

    fn offer(&self) -> Option<Offer> {
        self.0.offer()
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        let block = self.0.block(height)?;
        Ok(block.map(|block| {
            let mut bytes = block.block.to_vec();
            // A byte of a signature in the last commit.
            let at = bytes.len() - 5;
            bytes[at] ^= 1;
            OfferedBlock { block: bytes.into(), ..block }
        }))
    }
}

struct Deaf;

impl Log for Deaf {
    fn note(&self, _: &Note<'_>) {}
}

/// Serves a source on the classic protocol for as long as the runtime lives; the address.
fn serve_classic(runtime: &Runtime, source: Arc<dyn BlockSource>) -> String {
    runtime.block_on(async {
        let config = classic::Config {
            key: Arc::new(NodeKey::from_seed(&[7; 32])),
            network: source.chain_id().to_owned(),
            version: "0.38.0".to_owned(),
            moniker: "liar".to_owned(),
            listen: Some(LOOPBACK.parse().expect("an address")),
            dial: Vec::new(),
            channels: vec![ChannelSpec::of_a_node(Channel::BLOCKSYNC)],
            limits: classic::Limits::default(),
        };
        let transport = classic::start(config).await.expect("listens");
        let address = format!("{}@{}", transport.id, transport.listening.expect("listens"));
        let (outbox, events, keep) = transport.into_parts();
        let (counters, budget) = (Arc::<Counters>::default(), Arc::new(Budget::new(64 << 20)));
        let service = Service { transport: "classic", source, counters, log: Arc::new(Deaf), budget };
        tokio::spawn(async move {
            serve(service, events, outbox).await;
            drop(keep);
        });
        address
    })
}

#[test]
fn a_peer_that_lies_is_not_believed_and_another_one_is_asked() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    let runtime = Runtime::new().expect("a runtime");
    let liar = serve_classic(&runtime, Arc::new(Liar(swept(&peer.home(), None).0)));
    hurt(&home);
    let ended = repair(&home, &[&liar]).failed(5, "10 of 10 damaged blocks could not be had");
    assert!(ended.err.contains("is not the chain's"), "{}", ended.err);
    assert!(ended.err.contains("every peer sent a block that is not the chain's"), "{}", ended.err);
    let mut served = Served::start(&peer.home(), &["--classic", LOOPBACK]);
    repair(&home, &[&liar, &served.classic()]).ok();
    run(&["verify", text(&home)]).ok();
    run(&["cutover", text(&home), "--execute"]).ok();
    assert_eq!(digests(&home), digests(&peer.home()));
}

#[test]
fn a_home_that_keeps_its_engine_has_its_block_store_written_anew_and_nothing_else() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    hurt(&home);
    let mut served = Served::start(&peer.home(), &["--classic", LOOPBACK]);
    let before = tree(&home.join("data/state.db"));
    let classic = served.classic();
    let repair = ["run", text(&home), "--on-corrupt", "repair", "--from", &classic];
    let plan = run(&repair).ok();
    assert!(plan.out.contains("state (goleveldb) stays") && plan.out.contains("blockstore"), "{}", plan.out);
    run(&[&repair[..], &["--execute"]].concat()).ok();
    run(&["verify", text(&home)]).ok();
    run(&["cutover", text(&home), "--execute"]).ok();
    assert_eq!(tree(&home.join("data/state.db")), before);
    assert_eq!(digests(&home)["blockstore.db"], digests(&peer.home())["blockstore.db"]);
    run(&["verify", text(&home), "--live"]).ok();
}

/// Serves a source by our own protocols for as long as the handle lives; the address.
fn serve_own(runtime: &Runtime, source: Arc<dyn BlockSource>, home: &Path) -> (Handle, String) {
    runtime.block_on(async {
        let offer = source.offer().expect("an offer");
        let heights = Heights::new(offer.base, offer.top).expect("heights");
        let versions = || Versions::new([1, 2]).expect("versions");
        let hello = Hello {
            chain_id: Printable::new(source.chain_id()).expect("a chain id"),
            genesis_hash: genesis_hash(&home.join("config/genesis.json")).expect("reads"),
            terms: Terms::new(versions(), versions(), Version(0)),
            time_rule: TimeRule::V0_38,
            attest_every: None,
            status: Status::new(Storage::Old, Some(heights), offer.top).expect("a status"),
            agent: Printable::new("liar/1").expect("an agent"),
        };
        let config = Config {
            identity: Identity::fresh().keypair().clone(),
            listen: listeners(LOOPBACK.parse().expect("an address")).into(),
            peers: Vec::new(),
            connections_max: 8,
            hello,
            source,
            book: None,
            relay: None,
            counters: Arc::<Counters>::default(),
        };
        let (handle, mut events) = start(config).expect("starts");
        let Some(Event::Listening { address }) = events.recv().await else { panic!("does not listen") };
        let address = format!("{address}/p2p/{}", handle.id());
        (handle, address)
    })
}

#[test]
fn a_peer_of_our_own_protocols_that_lies_is_not_believed_either() {
    let (fixture, peer) = pair();
    let (home, peer) = (fixture.home(), peer.home());
    let runtime = Runtime::new().expect("a runtime");
    let (_liar, address) = serve_own(&runtime, Arc::new(Liar(swept(&peer, None).0)), &home);
    let mut served = Served::start(&peer, &["--own", LOOPBACK]);
    hurt(&home);
    let ended = repair(&home, &[&address, &served.own()]).ok();
    assert!(ended.err.contains("that is not the chain's: the chain's block is"), "by its head: {}", ended.err);
    let by_the_liar = ended.err.lines().find(|line| line.contains("repaired from") && line.contains("liar/1"));
    assert_eq!(by_the_liar, None);
    run(&["verify", text(&home)]).ok();
    run(&["cutover", text(&home), "--execute"]).ok();
    assert_eq!(digests(&home), digests(&peer));
}

/// Blocks of a peer that can read only some heights.
struct Half(Arc<VerifiedBlocks>);

impl BlockSource for Half {
    fn chain_id(&self) -> &str {
        self.0.chain_id()
    }

    fn offer(&self) -> Option<Offer> {
        self.0.offer()
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        if height < 10 { Err(SourceError { height, reason: "a bad disk".to_owned() }) } else { self.0.block(height) }
    }
}

#[test]
fn what_one_peer_cannot_give_comes_from_the_next() {
    let (fixture, peer) = pair();
    let (home, peer) = (fixture.home(), peer.home());
    let runtime = Runtime::new().expect("a runtime");
    let (_half, address) = serve_own(&runtime, Arc::new(Half(swept(&peer, None).0)), &home);
    let mut served = Served::start(&peer, &["--own", LOOPBACK]);
    let own = served.own();
    let fetch = ["fetch", "--home", text(&home), "--from", &address, "--from", &own, "--heights", "1..30", "--json"];
    let ended = run(&fetch).ok();
    assert!(ended.err.contains("a bad disk"), "{}", ended.err);
    let report: Value = ended.out.lines().last().map(serde_json::from_str).expect("a line").expect("is JSON");
    let by_half: Vec<u64> = (report["heights"].as_array().expect("lines").iter())
        .filter(|line| line["brought"]["provenance"].as_str().expect("a text").starts_with(&address))
        .map(|line| line["height"].as_u64().expect("a height"))
        .collect();
    assert_eq!(by_half, (10..=30).collect::<Vec<_>>());
    assert_eq!(report["brought"], 30);
}

#[test]
fn an_interrupt_ends_a_fetch_at_once() {
    let (fixture, _) = pair();
    let home = fixture.home();
    // Somebody who takes connections and says nothing.
    let silent = std::net::TcpListener::bind(LOOPBACK).expect("listens");
    let peer = format!("9c2e7c7163686b5d05fc84a8f2697bb6cc9d1d63@{}", silent.local_addr().expect("listens"));
    let arguments = ["fetch", "--home", text(&home), "--from", &peer, "--heights", "5"];
    let mut child = command(&arguments).stderr(Stdio::piped()).spawn().expect("the program runs");
    let _connected = silent.accept().expect("it dials");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).expect("is there");
    let code = child.wait().expect("ends").code();
    assert_eq!(code, Some(130));
}

/// What a shim said of a peer's versions, and the peer's log said of its: the event and its words.
fn negotiated(listens: &mut Served, home: &Path, versions: &[&str]) -> [(String, String); 2] {
    let address = listens.own();
    let dials = [&["--own", LOOPBACK, "--own-peer", &address], versions].concat();
    let mut dialler = Served::start(home, &dials);
    let peer = dialler.own().rsplit_once('/').expect("an identity").1.to_owned();
    let of = |served: &mut Served, peer: &str| {
        let is_outcome = |line: &Value| line["event"] == "incompatible" || line["event"] == "agreed";
        let is_about = |line: &Value| line["what"].as_str().is_some_and(|what| what.contains(peer));
        let line = served.line(|line| is_outcome(line) && is_about(line));
        let field = |name: &str| line[name].as_str().expect("a text").to_owned();
        (field("event"), field("what"))
    };
    [of(listens, &peer), of(&mut dialler, "12D3KooW")]
}

#[test]
fn peers_of_other_versions_say_so_on_both_sides() {
    let (one, other) = pair();
    let mut listener = Served::start(&one.home(), &["--own", LOOPBACK, "--versions", "1"]);
    // The identity is the home's: it is another one for each.
    let refused: [(&[&str], &str); 2] =
        [(&["--versions", "2"], "serves 2"), (&["--minimum", "2"], "serves 2, 1, accepts 2, 1, none below 2")];
    for (versions, terms) in refused {
        let key = other.home().join("data/.node-migrate/shim_node_key.json");
        let _ = fs::remove_file(key);
        for (event, words) in negotiated(&mut listener, &other.home(), versions) {
            assert_eq!(event, "incompatible", "{words}");
            assert!(words.contains("serves 1") && words.contains(terms) && words.contains("upgrade "), "{words}");
        }
    }
    fs::remove_file(other.home().join("data/.node-migrate/shim_node_key.json")).expect("is there");
    for (event, words) in negotiated(&mut listener, &other.home(), &[]) {
        assert_eq!(event, "agreed", "{words}");
    }
    // One that speaks both gets on with either, and a version that was given up is not spoken.
    let home = other.home();
    let fetch = |from: &str| run(&["fetch", "--home", text(&home), "--from", from, "--heights", "5..9"]);
    assert!(fetch(&listener.own()).ok().out.contains("5 blocks fetched and proven"));
    let given_up = ["--own", LOOPBACK, "--sunset", "1@5", "--sunset", "2@7"];
    let said = fetch(&Served::start(&one.home(), &given_up).own()).failed(5, "5 of 5 blocks could not be had");
    assert!(said.err.contains("2 up to height 7"), "{}", said.err);
}

/// Removes every row of some heights, as a lost table does.
fn lose(home: &Path, lost: std::ops::RangeInclusive<u64>) {
    rewrite(home, |rows| {
        let of = |height| {
            let parts = (0..4).map(move |part| BlockKey::Part { height, part });
            let others = [BlockKey::Meta { height }, BlockKey::Commit { height }, BlockKey::SeenCommit { height }];
            others.into_iter().chain(parts).map(|each| key(&each))
        };
        let gone: Vec<_> = lost.clone().flat_map(of).collect();
        rows.retain(|(key, _)| !gone.contains(key));
    });
}

/// The rows of the block store but seen commits, which each node has of its own.
fn shared_rows(home: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let all = rows(&home.join("data/blockstore.db"), EngineKind::Pebble);
    all.into_iter().filter(|(key, _)| !key.starts_with(b"SC:")).collect()
}

#[test]
fn heights_that_were_lost_whole_are_proven_from_the_top_down() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    let other = Fixture::unpack("cometbft-0.38-goleveldb");
    let mut served = Served::start(&peer.home(), &["--classic", LOOPBACK, "--own", LOOPBACK]);
    for (home, from) in [(home, served.classic()), (other.home(), served.own())] {
        lose(&home, 40..=139);
        repair(&home, &[&from]).ok();
        run(&["verify", text(&home)]).ok();
        run(&["cutover", text(&home), "--execute"]).ok();
        assert!(shared_rows(&home) == shared_rows(&peer.home()), "{from}");
    }
}

#[test]
fn fetched_blocks_are_written_for_an_auditor_and_a_repair_without_a_network() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    hurt(&home);
    let before = tree(&home);
    let mut served = Served::start(&peer.home(), &["--classic", LOOPBACK]);
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().join("blocks");
    let classic = served.classic();
    let fetch = ["fetch", "--home", text(&home), "--from", &classic, "--heights"];
    let all = run(&[&fetch[..], &["2..21", "--out", text(&folder), "--json"]].concat()).ok();
    let report: Value = all.out.lines().last().map(serde_json::from_str).expect("a line").expect("is JSON");
    let counts = ["brought", "missing", "damaged_here"].map(|name| report[name].as_u64().expect("a number"));
    assert_eq!(counts, [20, 0, 10], "{report}");
    let oracle = fixture.oracle();
    for block in oracle["blocks"]
        .as_array()
        .expect("blocks")
        .iter()
        .filter(|it| (2..=21).contains(&it["height"].as_u64().unwrap_or(0)))
    {
        let height = block["height"].as_u64().expect("a height");
        let line = &report["heights"].as_array().expect("lines")[usize::try_from(height - 2).expect("small")];
        assert_eq!(line["brought"]["hash"], block["hash"], "{line}");
        assert_eq!(line["damage"].is_string(), HURT.contains(&height), "{line}");
        let bytes = fs::read(folder.join(format!("{height}.block"))).expect("is there");
        assert_eq!(bytes.len() as u64, block["size"].as_u64().expect("a size"));
    }
    assert_eq!(tree(&home), before, "nothing in the home changes");
    drop(served);
    let ended = repair(&home, &[text(&folder)]).ok();
    assert!(ended.err.contains("block 15 repaired from the folder"), "{}", ended.err);
    assert!(ended.err.contains("over the classic peer protocol"), "who brought it stays known: {}", ended.err);
    run(&["verify", text(&home)]).ok();
}

#[test]
fn what_cannot_be_fetched_is_said_with_the_remedy() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    let peer = peer.home();
    let fetch = |heights: &str| run(&["fetch", "--home", text(&home), "--from", text(&peer), "--heights", heights]);
    let ended = fetch("5..9").ok();
    assert!(ended.out.contains("5 blocks fetched and proven") && ended.out.contains("5 are sound"), "{}", ended.out);
    let ended = fetch("5..99999").failed(2, "heights 5 to 99999 are asked for, and this home holds 1 to ");
    assert!(ended.err.contains("what to do:"), "{}", ended.err);
    fetch("9..5").failed(2, "the first height is above the last");
    run(&["fetch", "--home", text(&home), "--from", "nobody@nowhere", "--heights", "1"]).failed(2, "is no node");
    // A peer that is not there costs its patience and no more; the next one has the blocks.
    lose(&home, 8..=8);
    let nobody = "9c2e7c7163686b5d05fc84a8f2697bb6cc9d1d63@127.0.0.1:1";
    let from = ["--from", nobody, "--from", text(&peer)];
    let only = ["fetch", "--home", text(&home), "--heights", "5..9", "--damaged"];
    let ended = run(&[&only[..], &from].concat()).ok();
    assert!(ended.out.contains("1 blocks fetched and proven"), "{}", ended.out);
    let begin = std::time::Instant::now();
    run(&[&only[..], &from[..2]].concat()).failed(5, "1 of 1 blocks could not be had, the first of height 8");
    assert!(begin.elapsed() < Duration::from_secs(90));
}
