//! Messages of the program above, over real connections.

use std::sync::Arc;

use bytes::Bytes;
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use proto::hello::{Greeting, Status, Storage, Version};
use quinn::{Connection, SendStream};
use shim::own::node::{Event, RelayError};
use shim::own::relay::Received;
use tokio::sync::mpsc;

use super::net::{LONG, Node, QUIC, Setup, Speaks, TCP, hello};
use super::support::Chain;
use crate::lp2p::raw::{self, Raw};

const RELAY: &str = "/node-migrate/relay/1";

/// A node that relays, and what came to it.
struct Talker {
    node: Node,
    inbox: mpsc::Receiver<Received>,
}

/// An address at which nobody is: it makes somebody a peer of the configuration without being dialled.
fn nowhere(peer: libp2p::PeerId) -> Multiaddr {
    let address: Multiaddr = "/ip4/127.0.0.1/udp/9/quic-v1".parse().expect("an address");
    address.with(Protocol::P2p(peer))
}

fn setup(speaks: Speaks, places: usize) -> (Setup, mpsc::Receiver<Received>) {
    let mut setup = Setup::new(speaks, &Arc::new(Chain::new(1, &[9])));
    // What is offered does not matter for what is said.
    setup.hello.status = Status::new(Storage::Old, None, 0).expect("a status");
    let (sender, inbox) = mpsc::channel(places);
    setup.relay = Some(sender);
    (setup, inbox)
}

impl Talker {
    async fn start((setup, inbox): (Setup, mpsc::Receiver<Received>)) -> Self {
        Self { node: setup.start().await, inbox }
    }

    async fn received(&mut self) -> Received {
        tokio::time::timeout(LONG, self.inbox.recv()).await.expect("in time").expect("the node runs")
    }

    fn say(&self, to: &Self, message: impl Into<Bytes>) {
        self.node.handle.relay(to.node.handle.id(), message.into()).expect("queued");
    }
}

/// Two nodes, each in the configuration of the other; the first one dials.
async fn pair(one: Speaks, other: Speaks, transport: &'static str) -> (Talker, Talker) {
    let identity = Keypair::generate_ed25519();
    let (mut theirs, inbox) = setup(other, 64);
    theirs.listen = transport;
    theirs.peers.push(nowhere(identity.public().to_peer_id()));
    let theirs = Talker::start((theirs, inbox)).await;
    let (ours, inbox) = setup(one, 64);
    let ours = Setup { identity, listen: transport, ..ours }.dials(&theirs.node);
    (Talker::start((ours, inbox)).await, theirs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_both_ways_in_order_in_the_version_of_the_hellos() {
    let (old, new) = (Speaks(&[1], 0), Speaks(&[2, 1], 0));
    for (one, other, version) in [(old, new, 1), (new, new, 2), (old, old, 1)] {
        for transport in [QUIC, TCP] {
            let (mut ours, mut theirs) = pair(one, other, transport).await;
            for number in 0..100_u8 {
                ours.say(&theirs, vec![number; usize::from(number) * 1_000]);
                theirs.say(&ours, vec![number]);
            }
            for number in 0..100_u8 {
                let expected = |of: &Talker, message: Vec<u8>| {
                    let (peer, message) = (of.node.handle.id(), message.into());
                    Received { peer, version: Version(version), message }
                };
                let (came, answer) = (theirs.received().await, ours.received().await);
                assert!(came == expected(&ours, vec![number; usize::from(number) * 1_000]), "{number}");
                assert!(answer == expected(&theirs, vec![number]), "{number}");
            }
            assert_eq!(ours.node.handle.relay_version(theirs.node.handle.id()), Some(Version(version)));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_started_again_is_spoken_to_on_its_new_connection() {
    let identity = Keypair::generate_ed25519();
    let (mut first, inbox) = setup(Speaks(&[1], 0), 64);
    first.peers.push(nowhere(identity.public().to_peer_id()));
    let mut listener = Talker::start((first, inbox)).await;
    let life = async |speaks: Speaks| {
        let (setup, inbox) = setup(speaks, 64);
        let setup = Setup { identity: identity.clone(), ..setup }.dials(&listener.node);
        Talker::start((setup, inbox)).await
    };
    let before = life(Speaks(&[1], 0)).await;
    before.say(&listener, &b"before"[..]);
    let came = tokio::time::timeout(LONG, listener.inbox.recv()).await.expect("in time").expect("runs");
    assert_eq!((came.version, &came.message[..]), (Version(1), &b"before"[..]));
    // Both connections stay for a while, as that of a machine without power would.
    let mut again = life(Speaks(&[1], 0)).await;
    again.say(&listener, &b"again"[..]);
    assert_eq!(listener.received().await.message, &b"again"[..]);
    listener.say(&again, &b"welcome"[..]);
    assert_eq!(again.received().await.message, &b"welcome"[..]);
    drop(before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_takes_nothing_costs_the_others_nothing_but_old_messages() {
    let (ours, mut theirs) = pair(Speaks(&[2], 0), Speaks(&[2], 0), QUIC).await;
    let last = 5_000_u32;
    for number in 0..=last {
        let mut message = vec![0; 40_000];
        message[..4].copy_from_slice(&number.to_be_bytes());
        ours.say(&theirs, message);
    }
    ours.node.counted("relay/1", "given_up", 1_000).await;
    let mut before = None;
    loop {
        let message = theirs.received().await.message;
        let number = u32::from_be_bytes(message[..4].try_into().expect("four bytes"));
        assert!(before < Some(number), "{number} after {before:?}");
        before = Some(number);
        if number == last {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_can_be_sent_is_queued() {
    let (ours, theirs) = pair(Speaks(&[2], 0), Speaks(&[2], 0), QUIC).await;
    let peer = libp2p::PeerId::random();
    assert_eq!(ours.node.handle.relay(peer, Bytes::new()), Err(RelayError::Stranger { peer }));
    let bytes = shim::own::limits::RELAY_BYTES_MAX + 1;
    let refused = ours.node.handle.relay(theirs.node.handle.id(), vec![0; bytes].into());
    assert_eq!(refused, Err(RelayError::TooLong { bytes }));
    let mut setup = setup(Speaks(&[2], 0), 1).0;
    setup.relay = None;
    let silent = setup.start().await;
    assert_eq!(silent.handle.relay(peer, Bytes::new()), Err(RelayError::Off));
}

/// A node that relays, and a peer that does as it likes.
struct Scene {
    victim: Talker,
    raw: Raw,
    connection: Connection,
}

impl Scene {
    async fn new(is_configured: bool) -> Self {
        let raw = Raw::new();
        let (mut setup, inbox) = setup(Speaks(&[2, 1], 0), 64);
        setup.peers.extend(is_configured.then(|| nowhere(raw.peer())));
        let victim = Talker::start((setup, inbox)).await;
        let connection = raw.dial(super::hostile::socket(&victim.node.address)).await;
        Self { victim, raw, connection }
    }

    async fn greet(&self, chain_id: &str) {
        let mut hello = hello(Speaks(&[2], 0), &Chain::new(1, &[9]));
        hello.status = Status::new(Storage::Old, None, 0).expect("a status");
        hello.chain_id = proto::hello::Printable::new(chain_id).expect("a chain id");
        let greeting = Greeting { sequence: 1, hello };
        let (mut send, mut recv) = raw::open(&self.connection, "/node-migrate/hello/1").await;
        send.write_all(&super::hostile::delimited(&greeting.encode())).await.expect("written");
        assert!(recv.read_to_end(10_000).await.expect("a reply").len() > 50);
    }

    async fn speak(&self, bytes: &[u8]) -> SendStream {
        let (mut send, _) = raw::open(&self.connection, RELAY).await;
        // A stream that is ended at once takes nothing any more.
        let _ = send.write_all(bytes).await;
        send
    }

    /// The words of the next event of this kind about the peer.
    async fn told(&mut self, is_it: fn(&Event) -> bool) -> String {
        let peer = self.raw.peer();
        let choose = |event: &Event| (event.repeatable_by() == Some(peer) && is_it(event)).then(|| event.to_string());
        self.victim.node.event(choose).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_not_listened_to() {
    let mut scene = Scene::new(false).await;
    scene.greet("chain-1").await;
    let _held = scene.speak(&super::hostile::delimited(b"hear me")).await;
    let words = scene.told(|event| matches!(event, Event::Refused { .. })).await;
    assert!(words.ends_with("relay/1: refused: it is not a peer of the configuration"), "{words}");
    assert!(scene.victim.inbox.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_are_peers_without_a_hello_of_this_chain() {
    let mut scene = Scene::new(true).await;
    let _held = scene.speak(&super::hostile::delimited(b"hear me")).await;
    let words = scene.told(|event| matches!(event, Event::Refused { .. })).await;
    assert!(words.ends_with("relay/1: refused: the hellos agreed on no version"), "{words}");
    let mut scene = Scene::new(true).await;
    scene.greet("chain-2").await;
    let _held = scene.speak(&super::hostile::delimited(b"hear me")).await;
    scene.told(|event| matches!(event, Event::Refused { .. })).await;
    assert!(scene.victim.inbox.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_messages_end_their_stream_and_no_more() {
    let mut scene = Scene::new(true).await;
    scene.greet("chain-1").await;
    let _held = scene.speak(&shim::lp2p::frame::prefix(1 << 31)).await;
    let words = scene.told(|event| matches!(event, Event::Misbehaved { .. })).await;
    assert!(
        words.contains("relay/1: a message of 2147483648 bytes was announced, at most 33554432 are taken"),
        "{words}"
    );
    let mut torn = scene.speak(&shim::lp2p::frame::prefix(100)).await;
    torn.write_all(b"not a hundred").await.expect("written");
    torn.finish().expect("not finished before");
    scene.victim.node.counted("relay/1", "broken", 1).await;
    let good = scene.speak(&super::hostile::delimited(b"hear me")).await;
    let came = scene.victim.received().await;
    assert_eq!((came.peer, came.version, &came.message[..]), (scene.raw.peer(), Version(2), &b"hear me"[..]));
    // A third stream beside two that are read is ended.
    let second = scene.speak(&super::hostile::delimited(b"me too")).await;
    assert_eq!(scene.victim.received().await.message, &b"me too"[..]);
    let third = scene.speak(&super::hostile::delimited(b"and me")).await;
    scene.victim.node.counted("relay/1", "refused_busy", 1).await;
    assert!(scene.victim.inbox.try_recv().is_err());
    drop((good, second, third));
}
