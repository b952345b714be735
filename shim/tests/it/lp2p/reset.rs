//! A node that is busy resets streams with code 4098: the transport waits and tries again, and loses nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shim::lp2p::{Loss, Target};
use shim::peering::{Channel, SendError};

use super::End;
use super::raw::{Raw, ask};

/// An end with a session to a raw peer that resets the first `resets` messages with `code` and takes the rest.
async fn against(resets: usize, code: u32) -> (End, shim::peering::Session, Arc<AtomicUsize>) {
    let mut end = End::start().await;
    let raw = Raw::new();
    end.transport
        .dial(Target { host: "127.0.0.1".into(), port: raw.address().port(), peer: raw.peer() })
        .await
        .unwrap();
    let connection = raw.accept().await;
    let streams = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&streams);
    raw.introduce(connection.clone(), move |mut send, mut recv| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            if number < resets {
                if code == 0 {
                    // As a node that has read a message and does not like it.
                    recv.read_to_end(100).await.unwrap();
                }
                send.reset(code.into()).unwrap();
                // Read to its end, perhaps.
                let _ = recv.stop(code.into());
                return;
            }
            assert_eq!(recv.read_to_end(100).await.unwrap(), [2, 0x22, 0]);
            send.finish().unwrap();
            // Until the sender has the receipt.
            let _ = send.stopped().await;
        }
    });
    ask(&connection).await;
    let (session, peer) = end.connected().await;
    assert_eq!(&*peer.agent, "raw");
    // The endpoint goes on serving its connection without its handle.
    std::mem::forget(raw);
    (end, session, streams)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_limit_is_waited_out() {
    let (end, session, streams) = against(5, 4098).await;
    assert_eq!(end.outbox.send(session, Channel::BLOCKSYNC, vec![0x22, 0].into()).await, Ok(()));
    assert_eq!(streams.load(Ordering::Relaxed), 6);
    assert_eq!(end.transport.traffic().channel(Channel::BLOCKSYNC).retries, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_reset_is_final() {
    let (end, session, streams) = against(1, 0).await;
    let outcome = end.outbox.send(session, Channel::BLOCKSYNC, vec![0x22, 0].into()).await;
    assert_eq!(outcome, Err(SendError::Refused { channel: Channel::BLOCKSYNC }));
    assert_eq!((streams.load(Ordering::Relaxed), end.transport.traffic().lost_for(Loss::Refused)), (1, 1));
}
