//! Peers that do as they like, over real connections: whatever they send, what it costs is bounded, one event and one
//! counter tell of it, and others are served all the while.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use prost::Message;
use proto::hello::{Greeting, Heights, Version};
use proto::wire::blocks2::{Frame, Request, frame};
use proto::wire::refusal::Code;
use quinn::{Connection, RecvStream, SendStream};
use shim::own::node::{Download, Event};

use super::net::{LONG, Node, Setup, Speaks, TCP, hello};
use super::support::{Chain, Remember};
use crate::lp2p::raw::{self, Raw};

const HELLO: &str = "/node-migrate/hello/1";
const BLOCKS: &str = "/node-migrate/blocks/2";

/// A node with some blocks, a friend that fetches from it, and somebody else.
struct Scene {
    victim: Node,
    friend: Node,
    chain: Arc<Chain>,
    raw: Raw,
    connection: Connection,
}

pub fn socket(address: &Multiaddr) -> SocketAddr {
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    match parts[..] {
        [Protocol::Ip4(ip), Protocol::Udp(port), ..] => (ip, port).into(),
        _ => panic!("{address}"),
    }
}

impl Scene {
    async fn new() -> Self {
        let chain = Arc::new(Chain::new(1, &[9, 70_000, 9]));
        Self::with(chain).await
    }

    async fn with(chain: Arc<Chain>) -> Self {
        let victim = Setup::new(Speaks(&[2, 1], 0), &chain).start().await;
        let friend = Setup::new(Speaks(&[2, 1], 0), &chain).dials(&victim).start().await;
        assert!(friend.handle.connected(victim.handle.id(), LONG).await);
        let raw = Raw::new();
        let connection = raw.dial(socket(&victim.address)).await;
        Self { victim, friend, chain, raw, connection }
    }

    async fn open(&self, protocol: &str) -> (SendStream, RecvStream) {
        raw::open(&self.connection, protocol).await
    }

    /// Says hello as an honest node does.
    async fn greet(&self) {
        let greeting = Greeting { sequence: 1, hello: hello(Speaks(&[2], 0), &self.chain) };
        let (mut send, mut recv) = self.open(HELLO).await;
        send.write_all(&delimited(&greeting.encode())).await.expect("written");
        let reply = recv.read_to_end(10_000).await.expect("a reply");
        assert!(reply.len() > 50);
    }

    /// Others are served all the while.
    async fn friend_is_served(&self) {
        let mut download = Download::new(Heights::new(1, 3).expect("heights"), Remember::default());
        let version = download.from(&self.friend.handle, self.victim.handle.id()).await.expect("served");
        assert_eq!(version, Version::TWO);
        assert_eq!(download.into_check().expect("done").blocks, self.chain.blocks[..3]);
    }

    /// The words of the next event about the raw peer's misbehaviour.
    async fn misbehaviour(&mut self) -> String {
        let peer = self.raw.peer();
        let told = |event: &Event| match event {
            Event::Misbehaved { peer: who, .. } if *who == peer => Some(event.to_string()),
            _ => None,
        };
        self.victim.event(told).await
    }

    /// How many events about misbehaviour are still to be read.
    fn further_misbehaviour(&mut self) -> usize {
        let mut count = 0;
        while let Ok(event) = self.victim.events.try_recv() {
            count += usize::from(matches!(event, Event::Misbehaved { .. }));
        }
        count
    }
}

pub fn delimited(message: &[u8]) -> Vec<u8> {
    [shim::lp2p::frame::prefix(message.len()), message.to_vec()].concat()
}

async fn read_frame(recv: &mut RecvStream) -> Option<Frame> {
    let bytes = recv.read_to_end(1 << 24).await.expect("a message");
    let mut bytes = bytes.as_slice();
    prost::decode_length_delimiter(&mut bytes).ok()?;
    Some(Frame::decode(bytes).expect("a frame"))
}

fn refusal(frame: Option<Frame>) -> (Code, String) {
    match frame.and_then(|frame| frame.kind) {
        Some(frame::Kind::Refusal(refusal)) => (refusal.code(), refusal.reason),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_hellos_are_told_once_counted_each_and_end_the_connection() {
    let mut scene = Scene::new().await;
    for _ in 0..16 {
        let (mut send, mut recv) = scene.open(HELLO).await;
        send.write_all(&delimited(&[0xff; 40])).await.expect("written");
        // The stream ends without a reply, or the connection does.
        assert!(recv.read_to_end(10_000).await.map_or(true, |reply| reply.is_empty()));
    }
    let words = scene.misbehaviour().await;
    assert!(words.contains("hello/1: hello does not decode"), "{words}");
    tokio::time::timeout(LONG, scene.connection.closed()).await.expect("closed by the node");
    scene.friend_is_served().await;
    let counted = scene.victim.count("hello/1", "forged") + scene.victim.count("hello/1", "too_often");
    assert_eq!(counted, 16);
    assert!(scene.further_misbehaviour() <= 1);
    // No ban: the same peer may come back at once, and be understood.
    scene.connection = scene.raw.dial(socket(&scene.victim.address)).await;
    scene.greet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oversized_messages_are_refused_before_they_are_read() {
    let mut scene = Scene::new().await;
    let (mut send, mut recv) = scene.open(HELLO).await;
    send.write_all(&shim::lp2p::frame::prefix(1 << 31)).await.expect("written");
    assert!(recv.read_to_end(10_000).await.map_or(true, |reply| reply.is_empty()));
    let words = scene.misbehaviour().await;
    assert!(words.contains("a message of 2147483648 bytes was announced, at most 4112 are taken"), "{words}");
    scene.greet().await;
    let (mut send, mut recv) = scene.open(BLOCKS).await;
    send.write_all(&delimited(&[0; 65])).await.expect("written");
    assert!(recv.read_to_end(10_000).await.map_or(true, |reply| reply.is_empty()));
    let words = scene.misbehaviour().await;
    assert!(words.contains("blocks/2: a message of 65 bytes was announced, at most 64 are taken"), "{words}");
    scene.friend_is_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_and_those_without_a_hello_are_refused_in_words() {
    let scene = Scene::new().await;
    let ask = async |request: &[u8]| {
        let (mut send, mut recv) = scene.open(BLOCKS).await;
        send.write_all(&delimited(request)).await.expect("written");
        refusal(read_frame(&mut recv).await)
    };
    let honest = Request { first: 1, last: 3, first_part: 0 };
    let (code, words) = ask(&honest.encode_to_vec()).await;
    assert_eq!((code, words.as_str()), (Code::NoAgreement, "no hello came; greet by /node-migrate/hello/1 first"));
    scene.greet().await;
    assert_eq!(ask(&[0xff]).await, (Code::BadRequest, "the request does not decode".to_owned()));
    let (code, words) = ask(&Request { last: u64::MAX, ..honest }.encode_to_vec()).await;
    assert_eq!((code, words.contains("no range of 1 to 1000000 heights")), (Code::BadRequest, true));
    let (code, words) = ask(&Request { last: 4, ..honest }.encode_to_vec()).await;
    assert_eq!((code, words.as_str()), (Code::NotOffered, "heights 1 to 4 are not offered: 1 to 3 are; ask for those"));
    scene.friend_is_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_streams_than_are_served_are_refused_in_words_and_others_go_on() {
    let scene = Scene::new().await;
    scene.greet().await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(scene.open(BLOCKS).await);
    }
    for _ in 0..20 {
        let (_send, mut recv) = scene.open(BLOCKS).await;
        let (code, words) = refusal(read_frame(&mut recv).await);
        assert_eq!((code, words.contains("too many streams are served")), (Code::Busy, true));
    }
    assert_eq!(scene.victim.count("blocks/2", "refused_busy"), 20);
    scene.friend_is_served().await;
    // A place that is free again is given.
    drop(held.pop());
    let request = Request { first: 1, last: 1, first_part: 0 };
    let served = async {
        loop {
            let (mut send, mut recv) = scene.open(BLOCKS).await;
            send.write_all(&delimited(&request.encode_to_vec())).await.expect("written");
            match read_frame(&mut recv).await.expect("a frame").kind {
                Some(frame::Kind::Refusal(_)) => tokio::task::yield_now().await,
                _ => return,
            }
        }
    };
    tokio::time::timeout(LONG, served).await.expect("served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_read_makes_the_node_stop_reading_its_store() {
    let chain = Arc::new(Chain::new(1, &[1 << 20; 200]));
    let scene = Scene::with(Arc::clone(&chain)).await;
    scene.greet().await;
    let (mut send, recv) = scene.open(BLOCKS).await;
    let request = Request { first: 1, last: 200, first_part: 0 };
    send.write_all(&delimited(&request.encode_to_vec())).await.expect("written");
    // Long enough for the store to be read to its end, were it not for the peer.
    scene.friend_is_served().await;
    scene.friend_is_served().await;
    let read = chain.reads.load(Ordering::Relaxed);
    assert!(read < 100, "{read} blocks read");
    drop((send, recv));
    scene.friend_is_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_on_which_nothing_comes_is_given_up() {
    let mut scene = Scene::new().await;
    let _held = scene.open(HELLO).await;
    let words = scene.misbehaviour().await;
    assert!(words.contains("hello/1: the peer was too slow: more than 10 s"), "{words}");
    scene.friend_is_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_another_chain_is_told_so_on_both_sides_and_let_go() {
    let chain = Arc::new(Chain::new(1, &[9, 70_000, 9]));
    let mut theirs = Setup::new(Speaks(&[2], 0), &chain).start().await;
    let mut setup = Setup::new(Speaks(&[2], 0), &chain).dials(&theirs);
    setup.hello.chain_id = proto::hello::Printable::new("chain-2").expect("a chain id");
    let mut ours = setup.start().await;
    let told = |event: &Event| matches!(event, Event::Incompatible { .. }).then(|| event.to_string());
    let words = ours.event(told).await;
    assert!(words.contains("this node is on chain chain-2, the peer on chain-1"), "{words}");
    let words = theirs.event(told).await;
    assert!(words.contains("this node is on chain chain-1, the peer on chain-2"), "{words}");
    for node in [&mut ours, &mut theirs] {
        node.event(|event| matches!(event, Event::Closed { .. }).then_some(())).await;
        assert_eq!(node.count("hello/1", "wrong_chain"), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_near_ours_are_told_with_what_to_do() {
    let mut scene = Scene::new().await;
    let names = ["/ipfs/id/1.0.0", "/node-migrate/hello/2", "/Node-Migrate/blocks/1"];
    scene.raw.introduce_as(&names, scene.connection.clone(), async |_, _| {});
    let peer = scene.raw.peer();
    let told = |event: &Event| match event {
        Event::Foreign { peer: who, .. } if *who == peer => Some(event.to_string()),
        _ => None,
    };
    let words = scene.victim.event(told).await;
    let expected = "(raw): does not speak /node-migrate/hello/1, but /node-migrate/hello/2, /Node-Migrate/blocks/1; upgrade the \
                    older of the two";
    assert!(words.ends_with(expected), "{words}");
    // Asked for by a name that is none of ours, the node says no and stays.
    let (mut send, mut recv) = scene.connection.open_bi().await.expect("a stream");
    let lines = [hex::decode(raw::HEADER).expect("hex"), raw::line("/node-migrate/blocks/3")].concat();
    send.write_all(&lines).await.expect("written");
    assert_eq!(raw::read_line(&mut recv).await.as_deref(), Some("/multistream/1.0.0"));
    assert_eq!(raw::read_line(&mut recv).await.as_deref(), Some("na"));
    scene.friend_is_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_connections_than_there_may_be_are_counted_and_friends_have_their_place() {
    let chain = Arc::new(Chain::new(1, &[9, 70_000, 9]));
    let mut victim = Setup { connections_max: 4, ..Setup::new(Speaks(&[2, 1], 0), &chain) }.start().await;
    let friend = Setup::new(Speaks(&[2, 1], 0), &chain).dials(&victim).start().await;
    assert!(friend.handle.connected(victim.handle.id(), LONG).await);
    let raws: Vec<Raw> = (0..100).map(|_| Raw::new()).collect();
    let mut held = Vec::new();
    for raw in &raws {
        for _ in 0..5 {
            held.push(raw.dial(socket(&victim.address)).await);
        }
    }
    // Of 500, three found the places that were left.
    victim.counted("connections", "refused", 497).await;
    assert_eq!(victim.count("connections", "taken"), 4);
    let told = |event: &Event| match event {
        Event::ConnectionsRefused { count, .. } => Some(*count),
        _ => None,
    };
    victim.event(told).await;
    let scene = Scene { connection: held.remove(0), raw: Raw::new(), victim, friend, chain };
    scene.friend_is_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_handshake_cost_a_tcp_listener_nothing() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let chain = Arc::new(Chain::new(1, &[9, 70_000, 9]));
    let victim = Setup { listen: TCP, ..Setup::new(Speaks(&[2, 1], 0), &chain) }.start().await;
    let parts: Vec<Protocol<'_>> = victim.address.iter().collect();
    let [Protocol::Ip4(ip), Protocol::Tcp(port)] = parts[..] else { panic!("{}", victim.address) };
    let mut sockets = Vec::new();
    for _ in 0..50 {
        let mut socket = tokio::net::TcpStream::connect((ip, port)).await.expect("connected");
        socket.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("written");
        sockets.push(socket);
    }
    let friend = Setup { listen: TCP, ..Setup::new(Speaks(&[2, 1], 0), &chain) }.dials(&victim).start().await;
    assert!(friend.handle.connected(victim.handle.id(), LONG).await);
    let mut download = Download::new(Heights::new(1, 3).expect("heights"), Remember::default());
    download.from(&friend.handle, victim.handle.id()).await.expect("served");
    for mut socket in sockets {
        let mut answer = Vec::new();
        // Closed by the node, whether it sent its own greeting before or not.
        let _ = tokio::time::timeout(LONG, socket.read_to_end(&mut answer)).await.expect("closed");
    }
    victim.counted("connections", "failed", 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_comes_and_goes_does_not_fill_the_log() {
    let mut scene = Scene::new().await;
    for _ in 0..300 {
        let connection = scene.raw.dial(socket(&scene.victim.address)).await;
        connection.close(0_u32.into(), b"");
    }
    scene.victim.counted("events", "withheld", 100).await;
    assert_eq!(scene.victim.count("events", "lost"), 0);
    let mut told = 0;
    while let Ok(event) = scene.victim.events.try_recv() {
        told += usize::from(event.repeatable_by() == Some(scene.raw.peer()));
    }
    assert!((100..300).contains(&told), "{told} events");
    scene.friend_is_served().await;
}
