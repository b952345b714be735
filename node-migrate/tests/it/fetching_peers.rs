//! Peers that lie, break off, or speak otherwise: none is believed, none stops a fetch, and what is wrong is said.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use node_migrate::home::genesis_hash;
use node_migrate::serving::VerifiedBlocks;
use proto::hello::{Heights, Hello, Printable, Status, Storage, Terms, TimeRule, Version, Versions};
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

use crate::fetching::{PATIENCE, hurt, repair};
use crate::fixture::Fixture;
use crate::mending::pair;
use crate::program::{Ended, digests, run, text};
use crate::served::Served;
use crate::serving::swept;

const LOOPBACK: &str = "127.0.0.1:0";

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
    let fetch = [
        "fetch",
        "--home",
        text(&home),
        "--from",
        &address,
        "--from",
        &own,
        "--heights",
        "1..30",
        "--patience",
        PATIENCE,
        "--json",
    ];
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

/// Fetches some heights from a peer by the chain of a home.
fn fetch(home: &Path, from: &str, heights: &str) -> Ended {
    run(&["fetch", "--home", text(home), "--from", from, "--heights", heights, "--patience", PATIENCE])
}

#[test]
fn the_rule_of_block_times_does_not_matter_for_a_proof() {
    let (fixture, peer) = pair();
    for rule in ["v0.40", "switch@7"] {
        let mut served = Served::start(&peer.home(), &["--own", LOOPBACK, "--time-rule", rule]);
        let ended = fetch(&fixture.home(), &served.own(), "5..9").ok();
        assert!(ended.out.contains("5 blocks fetched and proven"), "{rule}: {}{}", ended.out, ended.err);
    }
}

#[test]
fn a_converted_home_is_still_of_its_chain_and_another_genesis_is_not() {
    let (fixture, peer) = (Fixture::unpack("cometbft-1.0-v2-goleveldb"), Fixture::unpack("cometbft-1.0-v2-goleveldb"));
    let (home, peer) = (fixture.home(), peer.home());
    run(&["migrate", text(&peer), "--for", "cometbft-0.40", "--execute"]).ok();
    let genesis = |home: &Path| fs::read(home.join("config/genesis.json")).expect("reads");
    assert_ne!(genesis(&home), genesis(&peer), "the conversion rewrites it");
    let mut served = Served::start(&peer, &["--own", LOOPBACK]);
    let ended = fetch(&home, &served.own(), "5..9").ok();
    assert!(ended.out.contains("5 blocks fetched and proven"), "{}{}", ended.out, ended.err);
    let other = [&genesis(&home)[..], b"\n"].concat();
    fs::write(home.join("config/genesis.json"), other).expect("writes");
    let ended = fetch(&home, &served.own(), "5..9").failed(10, "5 of 5 blocks could not be had");
    assert!(ended.err.contains("genesis"), "{}", ended.err);
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
    assert!(fetch(&home, &listener.own(), "5..9").ok().out.contains("5 blocks fetched and proven"));
    let given_up = ["--own", LOOPBACK, "--sunset", "1@5", "--sunset", "2@7"];
    let said =
        fetch(&home, &Served::start(&one.home(), &given_up).own(), "5..9").failed(10, "5 of 5 blocks could not be had");
    assert!(said.err.contains("2 up to height 7"), "{}", said.err);
}
