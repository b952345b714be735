//! Two transports that mean well.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use shim::lp2p::{Accept, Identity, Loss, Options, Release, Target};
use shim::peering::{Channel, Direction, SendError};

use super::{End, pair};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_when_both_have_introduced_themselves() {
    let (mut one, mut other) = (End::start().await, End::start().await);
    one.transport.dial(other.target()).await.unwrap();
    let (_, peer) = one.connected().await;
    assert_eq!(*peer.id, other.transport.peer_id().to_string());
    assert_eq!((&*peer.agent, peer.direction, &peer.channels[..]), ("test", Direction::Outbound, &Channel::ALL[..]));
    let (_, peer) = other.connected().await;
    assert_eq!((&*peer.id, peer.direction), (&*one.transport.peer_id().to_string(), Direction::Inbound));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_2000_messages_to_a_slow_service_loses_none() {
    let (one, session, mut other, _) = pair().await;
    let sender = tokio::spawn(async move {
        let sends = (0..2000u32).map(|number| {
            let (outbox, channel) = (one.outbox.clone(), Channel::ALL[number as usize % 9]);
            tokio::spawn(async move { outbox.send(session, channel, payload(number)).await })
        });
        // All at once, but for what a session lets wait.
        let mut outcomes = Vec::new();
        let mut under_way = Vec::new();
        for send in sends {
            under_way.push(send);
            if under_way.len() >= 1000 {
                outcomes.push(under_way.remove(0).await.unwrap());
            }
        }
        for send in under_way {
            outcomes.push(send.await.unwrap());
        }
        (one, outcomes)
    });
    let mut arrived = HashSet::new();
    for number in 0..2000 {
        if number % 500 == 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let (_, channel, bytes) = other.message().await;
        let number = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        assert_eq!((channel, &bytes), (Channel::ALL[number as usize % 9], &payload(number)));
        assert!(arrived.insert(number), "{number} came twice");
    }
    let (one, outcomes) = sender.await.unwrap();
    assert_eq!((outcomes.len(), outcomes.iter().find(|each| each.is_err())), (2000, None));
    let sent: u64 = Channel::ALL.iter().map(|each| one.transport.traffic().channel(*each).sent).sum();
    let received: u64 = Channel::ALL.iter().map(|each| other.transport.traffic().channel(*each).received).sum();
    assert_eq!((sent, received), (2000, 2000));
}

fn payload(number: u32) -> Bytes {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(4 + (number as usize * 37) % 3000, number as u8);
    bytes.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_many_megabytes_arrives_whole() {
    let (one, session, mut other, _) = pair().await;
    let large: Bytes = (0..20_000_000u32).map(|at| (at % 251) as u8).collect();
    let sent = tokio::spawn({
        let (outbox, large) = (one.outbox.clone(), large.clone());
        async move { outbox.send(session, Channel::BLOCKSYNC, large).await }
    });
    assert!(other.message().await.2 == large);
    assert_eq!(sent.await.unwrap(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_channel_does_not_carry_is_refused_here() {
    let (one, session, _other, _) = pair().await;
    let send = |channel, bytes: usize| one.outbox.send(session, channel, vec![1; bytes].into());
    assert_eq!(send(Channel(0), 1).await, Err(SendError::NoChannel { channel: Channel(0) }));
    assert_eq!(send(Channel::VOTE, 0).await, Err(SendError::Empty));
    let too_large = SendError::TooLarge { channel: Channel::VOTE, bytes: 1_048_577, limit: 1_048_576 };
    assert_eq!(send(Channel::VOTE, 1_048_577).await, Err(too_large));
    assert_eq!(one.transport.traffic().lost_for(Loss::NotCarried), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_session_ends_on_both_sides_with_its_reason() {
    let (mut one, session, mut other, _) = pair().await;
    one.outbox.close(session, "enough").await;
    assert_eq!(one.closed().await, "enough");
    assert!(other.closed().await.starts_with("the peer closed the connection"));
    assert_eq!(one.outbox.send(session, Channel::VOTE, Bytes::from_static(b"x")).await, Err(SendError::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_transport_takes_leave() {
    let (one, _, mut other, _) = pair().await;
    one.transport.stop().await;
    assert!(other.closed().await.starts_with("the peer closed the connection"));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused_on_both_sides() {
    let expected = Identity::fresh().peer_id();
    let mut other = End::with(Options::new(Release::V0_40, Accept::Only(vec![expected]))).await;
    let mut one = End::start().await;
    one.transport.dial(other.target()).await.unwrap();
    let id = one.transport.peer_id();
    assert_eq!(other.refused().await, format!("{id} is not among the peers that may connect here"));
    // The dialler's handshake was over before it was refused.
    assert!(one.refused().await.starts_with("the peer closed the connection"));
    assert_eq!(other.transport.traffic().refused_connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_dial_says_why() {
    let (mut one, other) = (End::start().await, End::start().await);
    let wrong = Target { peer: Identity::fresh().peer_id(), ..other.target() };
    one.transport.dial(wrong.clone()).await.unwrap();
    let reason = one.refused().await;
    assert!(
        reason.contains(&other.transport.peer_id().to_string()) && reason.contains(&wrong.peer.to_string()),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn both_may_dial_and_have_one_session() {
    let (mut one, mut other) = (End::start().await, End::start().await);
    let (dial, back) = (one.transport.dial(other.target()), other.transport.dial(one.target()));
    let (dial, back) = tokio::join!(dial, back);
    dial.unwrap();
    back.unwrap();
    let (at_one, _) = one.connected().await;
    other.connected().await;
    assert_eq!(one.outbox.send(at_one, Channel::STATE, Bytes::from_static(b"x")).await, Ok(()));
    // The next event is the message, not a second session.
    assert_eq!(other.message().await.2, &b"x"[..]);
}
