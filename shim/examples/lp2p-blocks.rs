//! Asks a real libp2p node for all its blocks, then floods it with requests: `lp2p-blocks HOST:PORT@PEERID [FLOOD]`.
//!
//! Prints a line `block HEIGHT HEX` for each block, and a last line `flood SENT ANSWERED RETRIED`. testnet/upstream/lp2p.py holds
//! them against what the node says by its RPC.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use proto::cometbft::blocksync::message::Sum;
use proto::cometbft::blocksync::{BlockRequest, Message, StatusRequest, StatusResponse};
use shim::lp2p::{Accept, Config, Identity, Options, Release, Target, Transport};
use shim::peering::{Channel, Event, Outbox, Session};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// As many requests as a node has open.
const IN_FLIGHT: i64 = 20;
const PATIENCE: Duration = Duration::from_secs(30);

type Failure = Box<dyn Error>;

/// A session with the node.
struct Node {
    outbox: Outbox,
    events: mpsc::Receiver<Event>,
    session: Session,
}

impl Node {
    async fn next(&mut self) -> Result<Sum, Failure> {
        loop {
            match timeout(PATIENCE, self.events.recv()).await?.ok_or("the transport has ended")? {
                Event::Message { channel: Channel::BLOCKSYNC, payload, .. } => {
                    return Ok(Message::decode(payload)?.sum.ok_or("an empty message")?);
                }
                // The node tells of its consensus.
                Event::Message { .. } => {}
                other => return Err(format!("{other:?}").into()),
            }
        }
    }

    fn send(&self, sum: Sum) -> impl Future<Output = bool> + use<> {
        let payload = Bytes::from(Message { sum: Some(sum) }.encode_to_vec());
        let (outbox, session) = (self.outbox.clone(), self.session);
        async move { outbox.send(session, Channel::BLOCKSYNC, payload).await.is_ok() }
    }

    async fn status(&mut self) -> Result<StatusResponse, Failure> {
        tokio::spawn(self.send(Sum::StatusRequest(StatusRequest {})));
        loop {
            match self.next().await? {
                Sum::StatusResponse(status) if status.height > 0 => return Ok(status),
                _ => {}
            }
        }
    }

    async fn blocks(&mut self) -> Result<(), Failure> {
        let StatusResponse { height: top, base } = self.status().await?;
        let mut asked = base - 1;
        let mut missing = top - base + 1;
        while missing > 0 {
            while asked < top && asked < top - missing + IN_FLIGHT {
                asked += 1;
                tokio::spawn(self.send(Sum::BlockRequest(BlockRequest { height: asked })));
            }
            if let Sum::BlockResponse(response) = self.next().await? {
                missing -= 1;
                // The height is field 3 of the header, which is field 1: the driver reads it.
                println!("block {}", hex::encode(&response.block));
            }
        }
        Ok(())
    }

    /// Sends `count` requests as fast as they are receipted.
    async fn flood(&mut self, count: usize) -> Result<(usize, usize), Failure> {
        let mut sends = JoinSet::new();
        let (mut sent, mut answered) = (0, 0);
        for _ in 0..count {
            if sends.len() >= 800 {
                sent += usize::from(sends.join_next().await.transpose()?.unwrap_or_default());
            }
            sends.spawn(self.send(Sum::StatusRequest(StatusRequest {})));
            while let Ok(event) = self.events.try_recv() {
                answered += usize::from(is_status(event));
            }
        }
        while let Some(outcome) = sends.join_next().await {
            sent += usize::from(outcome?);
        }
        // What is not answered by now is lost; the node goes on telling of its consensus.
        let rest = async {
            while answered < sent
                && let Some(event) = self.events.recv().await
            {
                answered += usize::from(is_status(event));
            }
        };
        let _ = timeout(PATIENCE, rest).await;
        Ok((sent, answered))
    }
}

fn is_status(event: Event) -> bool {
    let Event::Message { channel: Channel::BLOCKSYNC, payload, .. } = event else { return false };
    Message::decode(payload).is_ok_and(|message| matches!(message.sum, Some(Sum::StatusResponse(_))))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let target: Target = arguments.next().ok_or("usage: lp2p-blocks HOST:PORT@PEERID [FLOOD]")?.parse()?;
    let flood = arguments.next().map_or(Ok(0), |count| count.parse())?;
    let config = Config {
        identity: Identity::fresh(),
        listen: ([127, 0, 0, 1], 0).into(),
        advertise: None,
        agent: "node-migrate-example".into(),
        inbound_connections_max: 4,
        options: Options::new(Release::V0_40, Accept::Anyone),
    };
    let (transport, outbox, mut events) = Transport::start(config).await?;
    transport.dial(target).await?;
    let session = match timeout(PATIENCE, events.recv()).await? {
        Some(Event::Connected { session, .. }) => session,
        other => return Err(format!("{other:?} instead of a session").into()),
    };
    let mut node = Node { outbox, events, session };
    node.blocks().await?;
    let (sent, answered) = node.flood(flood).await?;
    let retries = transport.traffic().channel(Channel::BLOCKSYNC).retries;
    println!("flood {sent} {answered} {retries}");
    transport.stop().await;
    Ok(())
}
