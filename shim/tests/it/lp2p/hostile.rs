//! Peers that send what no node sends: bounded cost, a counter, and service for the others goes on.

use std::time::Duration;

use quinn::Connection;
use shim::lp2p::{Accept, Loss, Options, Release};
use shim::peering::Channel;

use super::raw::{BLOCKSYNC, HEADER, Raw, line, open, read_line};
use super::{End, PATIENCE};

const PROTOCOL: &str = "/p2p/cometbft/1.0.0/channel/0x40";

/// An end, and a raw peer with a session to it.
async fn attacked(options: Options) -> (End, Raw, Connection) {
    let mut end = End::with(options).await;
    let raw = Raw::new();
    let connection = raw.dial(end.address()).await;
    raw.introduce(connection.clone(), |_, _| async {});
    let (_, peer) = end.connected().await;
    assert_eq!(*peer.id, raw.peer().to_string());
    (end, raw, connection)
}

fn options() -> Options {
    Options::new(Release::V0_40, Accept::Anyone)
}

/// Sends a message and waits for the receipt.
async fn say(connection: &Connection, payload: &[u8]) {
    let (mut send, mut recv) = open(connection, PROTOCOL).await;
    send.write_all(&[&[payload.len() as u8], payload].concat()).await.unwrap();
    send.finish().unwrap();
    assert_eq!(recv.read_to_end(10).await.unwrap(), b"", "the receipt is an empty close");
}

/// Sends `bytes` on block sync, ends the stream or not, and returns what is said to that.
async fn answer(connection: &Connection, bytes: &[u8], finish: bool) -> Vec<u8> {
    let (mut send, mut recv) = open(connection, PROTOCOL).await;
    send.write_all(bytes).await.unwrap();
    if finish {
        send.finish().unwrap();
    }
    tokio::time::timeout(PATIENCE, recv.read_to_end(10)).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_of_real_nodes_are_understood() {
    let (mut end, _raw, connection) = attacked(options()).await;
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    // A node whose peer is known sends all of it at once.
    send.write_all(&hex::decode([HEADER, BLOCKSYNC, "022200"].concat()).unwrap()).await.unwrap();
    send.finish().unwrap();
    let (_, channel, payload) = end.message().await;
    assert_eq!((channel, &payload[..]), (Channel::BLOCKSYNC, &[0x22, 0][..]));
    let answered = hex::encode(recv.read_to_end(100).await.unwrap());
    assert_eq!(answered, [HEADER, BLOCKSYNC].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_and_cuts_are_refused_and_counted_and_the_session_goes_on() {
    let (mut end, _raw, connection) = attacked(options()).await;
    // 104,857,606 bytes: one more than the largest block response.
    assert_eq!(answer(&connection, &[0x86, 0x80, 0x80, 0x32], false).await, [1]);
    assert_eq!(answer(&connection, &[0xff; 12], false).await, [1]);
    assert_eq!(answer(&connection, &[0], false).await, [1]);
    assert_eq!(answer(&connection, &[3, 1, 2], true).await, [1]);
    assert_eq!(answer(&connection, &[], true).await, [1]);
    say(&connection, b"still here").await;
    assert_eq!(end.message().await.2, &b"still here"[..]);
    let traffic = end.transport.traffic().channel(Channel::BLOCKSYNC);
    assert_eq!((traffic.lost(Loss::Malformed), traffic.lost(Loss::Truncated), traffic.received), (3, 2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_without_channels_is_shown_the_door() {
    let mut end = End::start().await;
    let raw = Raw::new();
    let connection = raw.dial(end.address()).await;
    raw.introduce_as(&["/ipfs/id/1.0.0"], connection.clone(), |_, _| async {});
    assert_eq!(end.refused().await, "it offers none of CometBFT's channels on libp2p");
    connection.closed().await;
    assert_eq!(end.transport.traffic().refused_connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_only_answers_questions_takes_no_long_messages() {
    let (mut end, _raw, connection) = attacked(Options { receive_bytes_max: 100, ..options() }).await;
    assert_eq!(answer(&connection, &[101, 1], false).await, [1]);
    say(&connection, &[7; 100]).await;
    assert_eq!(end.message().await.2.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_sender_is_given_up_on() {
    let (mut end, _raw, connection) = attacked(Options { patience: Duration::from_millis(300), ..options() }).await;
    assert_eq!(answer(&connection, &[200, 1, 7], false).await, [2]);
    assert_eq!(answer(&connection, &[], false).await, [2]);
    say(&connection, b"faster").await;
    assert_eq!(end.message().await.2, &b"faster"[..]);
    assert_eq!(end.transport.traffic().lost_for(Loss::TooSlow), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_near_ours_are_refused() {
    let (mut end, _raw, connection) = attacked(options()).await;
    for name in [
        "/p2p/cometbft/1.0.0/channel/0x00",
        "/p2p/cometbft/2.0.0/channel/0x40",
        "/p2p/cometbft/1.0.0/channel/0x400",
        "/",
        "/\u{0}",
    ] {
        let (mut send, mut recv) = connection.open_bi().await.unwrap();
        send.write_all(&[hex::decode(HEADER).unwrap(), line(name)].concat()).await.unwrap();
        assert_eq!(read_line(&mut recv).await.unwrap(), "/multistream/1.0.0");
        assert_eq!(read_line(&mut recv).await.unwrap(), "na", "{name:?}");
    }
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0; 64]] {
        let (mut send, mut recv) = connection.open_bi().await.unwrap();
        send.write_all(garbage).await.unwrap();
        send.finish().unwrap();
        // Dropped, with the answer to a first line at most.
        assert!(recv.read_to_end(100).await.map_or(true, |answer| answer.len() <= 20));
    }
    say(&connection, b"ours").await;
    assert_eq!(end.message().await.2, &b"ours"[..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_streams_that_never_end_do_not_hold_up_another_peer() {
    let (mut end, _raw, connection) = attacked(options()).await;
    // As many as the transport takes from one peer, and the wish for thousands more.
    let greedy = tokio::spawn({
        let connection = connection.clone();
        async move {
            let mut held = Vec::new();
            for _ in 0..5000 {
                let Ok((mut send, recv)) = connection.open_bi().await else { break };
                send.write_all(&hex::decode([HEADER, BLOCKSYNC, "ffff07"].concat()).unwrap()).await.unwrap();
                held.push((send, recv));
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!greedy.is_finished(), "the transport bounds the streams of a peer");
    let mut other = End::start().await;
    other.transport.dial(end.target()).await.unwrap();
    let (session, _) = other.connected().await;
    let sent = tokio::spawn(async move { other.outbox.send(session, Channel::VOTE, vec![7].into()).await });
    end.connected().await;
    assert_eq!(end.message().await.2, &[7][..]);
    sent.await.unwrap().unwrap();
    greedy.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_good_streams_are_all_answered() {
    let (mut end, _raw, connection) = attacked(options()).await;
    let sender = tokio::spawn(async move {
        let mut all = tokio::task::JoinSet::new();
        for number in 0..5000u32 {
            if all.len() >= 200 {
                all.join_next().await.unwrap().unwrap();
            }
            let connection = connection.clone();
            all.spawn(async move { say(&connection, &number.to_le_bytes()).await });
        }
        all.join_all().await;
    });
    let mut sum = 0;
    for _ in 0..5000 {
        sum += u64::from(u32::from_le_bytes(end.message().await.2[..].try_into().unwrap()));
    }
    sender.await.unwrap();
    assert_eq!(sum, 4999 * 5000 / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_is_used_up_refuses_and_comes_back() {
    let (mut end, _raw, connection) = attacked(Options { memory_bytes_max: 300_000, ..options() }).await;
    let large = [&[0xa0, 0x8d, 0x06][..], &[9; 100_000]].concat();
    assert_eq!(answer(&connection, &large, true).await, b"");
    assert_eq!(answer(&connection, &large, true).await, b"");
    // The service holds both.
    let held = (end.message().await, end.message().await);
    assert_eq!(answer(&connection, &large, true).await, [3]);
    drop(held);
    assert_eq!(answer(&connection, &large, true).await, b"");
    assert_eq!(end.transport.traffic().lost_for(Loss::NoRoom), 1);
}
