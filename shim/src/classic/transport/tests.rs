//! Two transports, or one and somebody hostile, on real sockets of this machine.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;
use crate::classic::handshake::{Established, Handshake, Identity};
use crate::peering::{Channel, Direction, SendError, Session};

/// Longer than anything here takes on a busy machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

fn config(seed: u8) -> Config {
    Config {
        key: Arc::new(NodeKey::from_seed(&[seed; 32])),
        network: "chain".to_owned(),
        version: "0.38.26".to_owned(),
        moniker: format!("node {seed}"),
        listen: None,
        dial: Vec::new(),
        channels: Channel::ALL.map(ChannelSpec::of_a_node).to_vec(),
        limits: Limits { retry: Duration::from_secs(600), ..Limits::default() },
    }
}

fn listening(seed: u8) -> Config {
    Config { listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))), ..config(seed) }
}

fn dialling(seed: u8, other: &Classic) -> Config {
    let address = other.listening.expect("it listens");
    let target = Target { id: other.id, host: address.ip().to_string(), port: address.port() };
    Config { dial: vec![target], ..config(seed) }
}

async fn begin(config: Config) -> Classic {
    start(config).await.expect("starts")
}

async fn event(transport: &mut Classic) -> Event {
    timeout(PATIENCE, transport.events.recv()).await.expect("an event in time").expect("the transport lives")
}

async fn connected(transport: &mut Classic) -> Session {
    match event(transport).await {
        Event::Connected { session, .. } => session,
        other => panic!("connected expected: {other:?}"),
    }
}

async fn closed(transport: &mut Classic) -> String {
    match event(transport).await {
        Event::Closed { reason, .. } => reason,
        other => panic!("closed expected: {other:?}"),
    }
}

async fn refused(transport: &mut Classic) -> String {
    match event(transport).await {
        Event::Refused { reason, .. } => reason,
        other => panic!("refused expected: {other:?}"),
    }
}

/// A plain connection to a transport.
async fn socket(to: &Classic) -> TcpStream {
    TcpStream::connect(to.listening.expect("it listens")).await.expect("connects")
}

/// Reads until the other side closes.
async fn until_closed(mut stream: TcpStream) -> usize {
    let mut bytes = Vec::new();
    // A reset is a close as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("closes in time");
    bytes.len()
}

/// The handshake of somebody who says of himself what `change` makes of the truth.
async fn shake(stream: &mut TcpStream, seed: u8, change: impl FnOnce(&mut NodeInfo)) -> Established {
    let other = config(seed);
    let mut info = about(&other, other.key.id(), None);
    change(&mut info);
    let mut handshake = Handshake::new(Identity { key: other.key, info: Arc::new(info), expected: None }, [seed; 32]);
    let mut buffer = [0; 4_096];
    loop {
        stream.write_all(&handshake.outgoing()).await.expect("writes");
        let bytes = stream.read(&mut buffer).await.expect("reads");
        assert!(bytes > 0, "closed within the handshake");
        if let Some(established) = handshake.receive(&buffer[..bytes]).expect("goes on") {
            stream.write_all(&handshake.outgoing()).await.expect("writes");
            return established;
        }
    }
}

#[tokio::test]
async fn messages_of_every_size_and_channel_arrive_unchanged() {
    let mut here = begin(listening(1)).await;
    let mut there = begin(dialling(2, &here)).await;
    let Event::Connected { session, peer } = event(&mut here).await else { panic!("connected expected") };
    assert_eq!((&*peer.id, peer.direction), (there.id.to_string().as_str(), Direction::Inbound));
    assert_eq!((&*peer.agent, peer.channels), ("0.38.26", Channel::ALL.to_vec()));
    let back = connected(&mut there).await;
    let payloads = [0_usize, 1, 1_024, 1_025, 1_000_000].map(|length| Bytes::from(vec![0xa5; length]));
    let outbox = here.outbox.clone();
    let expected = payloads.clone();
    let sending = tokio::spawn(async move {
        for channel in Channel::ALL {
            for payload in &payloads {
                outbox.send(session, channel, payload.clone()).await.expect("is taken");
            }
        }
    });
    let mut arrived = std::collections::BTreeMap::<Channel, Vec<Bytes>>::new();
    for _ in 0..Channel::ALL.len() * expected.len() {
        let Event::Message { session, channel, payload } = event(&mut there).await else { panic!("message expected") };
        assert_eq!(session, back);
        arrived.entry(channel).or_default().push(payload);
    }
    sending.await.expect("sent");
    assert_eq!(arrived, Channel::ALL.into_iter().map(|channel| (channel, expected.to_vec())).collect());

    let too_large = Bytes::from(vec![0; 1_048_577]);
    let refused = here.outbox.send(session, Channel::VOTE, too_large).await;
    let limit = 1_048_576;
    assert_eq!(refused, Err(SendError::TooLarge { channel: Channel::VOTE, bytes: limit + 1, limit }));
    here.outbox.close(session, "enough").await;
    assert_eq!(closed(&mut here).await, "enough");
    assert_eq!(closed(&mut there).await, "closed by the peer");
    assert_eq!(here.outbox.send(session, Channel::VOTE, Bytes::new()).await, Err(SendError::Closed));
}

#[tokio::test]
async fn a_channel_that_the_peer_lacks_is_named() {
    let mut here = begin(listening(1)).await;
    let only_blocks = vec![ChannelSpec::of_a_node(Channel::BLOCKSYNC)];
    let _there = begin(Config { channels: only_blocks, ..dialling(2, &here) }).await;
    let session = connected(&mut here).await;
    let sent = here.outbox.send(session, Channel::VOTE, Bytes::new()).await;
    assert_eq!(sent, Err(SendError::NoChannel { channel: Channel::VOTE }));
    here.outbox.send(session, Channel::BLOCKSYNC, Bytes::new()).await.expect("is taken");
}

#[tokio::test]
async fn both_sides_explain_why_they_are_no_peers() {
    let mut here = begin(listening(1)).await;
    let mut there = begin(Config { network: "other".to_owned(), ..dialling(2, &here) }).await;
    assert_eq!(refused(&mut here).await, "refused: chain `other`, expected `chain`: not the same network");
    assert_eq!(refused(&mut there).await, "refused: chain `chain`, expected `other`: not the same network");
}

#[tokio::test]
async fn a_node_is_held_to_its_id_and_its_claims() {
    let mut here = begin(listening(1)).await;
    let [expected, own] = [7, 2].map(|seed| NodeKey::from_seed(&[seed; 32]).id());
    let mut dial = dialling(2, &here);
    dial.dial[0].id = expected;
    let mut there = begin(dial).await;
    let reason = refused(&mut there).await;
    assert_eq!(reason, format!("{} answered where {expected} was dialled", here.id));
    let reason = refused(&mut here).await;
    assert!(reason.starts_with("the peer closed within the handshake") || reason.contains("reset"), "{reason}");

    let mut liar = socket(&here).await;
    shake(&mut liar, 2, |info| info.id = expected.to_string()).await;
    let reason = refused(&mut here).await;
    assert_eq!(reason, format!("refused: it calls itself {expected}, but its key is that of {own}"));
    let mut itself = socket(&here).await;
    shake(&mut itself, 1, |_| ()).await;
    let reason = refused(&mut here).await;
    assert_eq!(reason, format!("refused: both ends have the id {}: give each a node key of its own", here.id));
}

#[tokio::test]
async fn a_second_session_with_the_same_peer_is_refused_and_the_first_goes_on() {
    let mut here = begin(listening(1)).await;
    let mut there = begin(dialling(2, &here)).await;
    let session = connected(&mut here).await;
    connected(&mut there).await;
    let mut twin = socket(&here).await;
    shake(&mut twin, 2, |_| ()).await;
    assert_eq!(refused(&mut here).await, format!("a session with {} is there already", there.id));
    here.outbox.send(session, Channel::DATA, Bytes::from_static(b"on")).await.expect("is taken");
    assert!(matches!(event(&mut there).await, Event::Message { payload, .. } if payload == "on"));
    here.outbox.close(session, "end").await;
    closed(&mut here).await;
    let mut again = socket(&here).await;
    shake(&mut again, 2, |_| ()).await;
    assert_ne!(connected(&mut here).await, session, "the peer may come back, under a new number");
}

#[tokio::test]
async fn who_says_nothing_or_nonsense_loses_the_connection_and_its_place() {
    let limits =
        Limits { handshake: Duration::from_millis(300), inbound_max: 3, per_address_max: 2, ..Limits::default() };
    let mut here = begin(Config { limits, ..listening(1) }).await;
    let (silent, mut garbage) = (socket(&here).await, socket(&here).await);
    let third = socket(&here).await;
    assert_eq!(refused(&mut here).await, "its address has all of its 2 places already");
    assert_eq!(until_closed(third).await, 0, "no byte is spent on it");
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("writes");
    let reason = refused(&mut here).await;
    let expected = r"it does not speak the classic peer protocol: it began with `GET / HTTP/1.1\r\n\r\n`";
    assert_eq!(reason, expected);
    assert_eq!(refused(&mut here).await, "the handshake was not finished within 0 s");
    until_closed(silent).await;
    let mut good = socket(&here).await;
    shake(&mut good, 2, |_| ()).await;
    connected(&mut here).await;
}

#[tokio::test]
async fn a_flood_of_connections_leaves_the_sessions_alone() {
    let mut here = begin(listening(1)).await;
    let mut there = begin(dialling(2, &here)).await;
    let session = connected(&mut here).await;
    connected(&mut there).await;
    for _ in 0..300 {
        let mut garbage = socket(&here).await;
        let _ = garbage.write_all(&[0xff; 64]).await;
    }
    here.outbox.send(session, Channel::DATA, Bytes::from_static(b"on")).await.expect("is taken");
    assert!(matches!(event(&mut there).await, Event::Message { payload, .. } if payload == "on"));
    let mut lines = 0;
    while let Ok(Some(event)) = timeout(Duration::from_millis(300), here.events.recv()).await {
        assert!(matches!(event, Event::Refused { .. }), "{event:?}");
        lines += 1;
    }
    assert!((1..300).contains(&lines), "{lines} lines");
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_given_up_and_its_sender_told() {
    let limits = Limits { stall: Duration::from_millis(300), ..Limits::default() };
    let mut here = begin(Config { limits, ..listening(1) }).await;
    let mut deaf = socket(&here).await;
    shake(&mut deaf, 2, |_| ()).await;
    let session = connected(&mut here).await;
    let outcome = loop {
        let sent = here.outbox.send(session, Channel::BLOCKSYNC, Bytes::from(vec![0; 1 << 20])).await;
        if let Err(error) = sent {
            break error;
        }
    };
    assert_eq!(outcome, SendError::Closed);
    assert_eq!(closed(&mut here).await, "the peer took no bytes for 0 s");
}

#[tokio::test]
async fn pings_keep_a_quiet_session_and_silence_ends_it() {
    let limits = Limits { ping_every: Duration::from_millis(50), silence: Duration::from_secs(5), ..Limits::default() };
    let mut here = begin(Config { limits, ..listening(1) }).await;
    // It answers pings, and sends none itself within this test.
    let mut there = begin(dialling(2, &here)).await;
    connected(&mut here).await;
    connected(&mut there).await;
    assert!(timeout(Duration::from_secs(8), here.events.recv()).await.is_err(), "the session goes on");
    drop(there);
    assert_eq!(closed(&mut here).await, "closed by the peer");

    let mut mute = socket(&here).await;
    shake(&mut mute, 3, |_| ()).await;
    connected(&mut here).await;
    assert_eq!(closed(&mut here).await, "nothing came for 5 s, not even a pong");
}

#[tokio::test]
async fn what_breaks_the_protocol_later_ends_the_session_with_the_reason() {
    let mut here = begin(listening(1)).await;
    for (packet, reason) in [
        (&[0x04, 0x1a, 0x02, 0x08, 0x77][..], "a packet on channel 119, which was not agreed upon"),
        (&[0xff, 0xff, 0xff, 0xff, 0x0f], "a message of 4294967295 bytes, at most 65568 are allowed here"),
        (&[0x02, 0x22, 0x00], "a packet that is neither ping nor pong nor message"),
    ] {
        let mut rude = socket(&here).await;
        let mut sealer = shake(&mut rude, 2, |_| ()).await.sealer;
        connected(&mut here).await;
        let mut sealed = Vec::new();
        sealer.seal(packet, &mut sealed).expect("seals");
        rude.write_all(&sealed).await.expect("writes");
        assert_eq!(closed(&mut here).await, reason);
    }
    let mut forger = socket(&here).await;
    shake(&mut forger, 2, |_| ()).await;
    connected(&mut here).await;
    forger.write_all(&[0; 1_044]).await.expect("writes");
    assert_eq!(closed(&mut here).await, "frame 2 was not sealed with the key of this connection");
}

#[tokio::test]
async fn a_peer_that_closes_at_once_is_explained_as_far_as_it_can_be() {
    let mut here = begin(listening(1)).await;
    let mut shy = socket(&here).await;
    shake(&mut shy, 2, |_| ()).await;
    drop(shy);
    connected(&mut here).await;
    let reason = closed(&mut here).await;
    assert!(reason.contains("right after the handshake") && reason.contains("allow_duplicate_ip"), "{reason}");
}
