//! What every transport looks like to the services above it: sessions, channels, messages.
//!
//! CometBFT has two peer-to-peer worlds, the classic one (`classic`) and libp2p's (`lp2p`). Both carry the
//! same payloads on the same channels (lp2p.md, sections 3, 4 and 7), so a service (block sync, tunnel) is
//! written once, against [`Event`] and [`Outbox`]. A transport never looks into a payload; a service
//! never sees a socket.
//!
//! All queues are bounded: a slow service makes its transport stop reading, a slow peer makes
//! [`Outbox::send`] wait and then give the session up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

/// A reactor's channel, by its number on the wire: `0x40` is block sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(pub u8);

impl Channel {
    /// Block sync (`blocksync.Message`).
    pub const BLOCKSYNC: Self = Self(0x40);
    /// The consensus round state of a peer (`consensus.Message`).
    pub const STATE: Self = Self(0x20);
    /// Proposals and block parts.
    pub const DATA: Self = Self(0x21);
    /// Votes.
    pub const VOTE: Self = Self(0x22);
    /// Which votes a peer has.
    pub const VOTE_SET_BITS: Self = Self(0x23);
    /// Every channel that a node of release 0.34 to 0.40 opens on either transport, without peer exchange (`0x00`).
    pub const ALL: [Self; 9] = [
        Self::STATE,
        Self::DATA,
        Self::VOTE,
        Self::VOTE_SET_BITS,
        Self(0x30),
        Self(0x38),
        Self::BLOCKSYNC,
        Self(0x60),
        Self(0x61),
    ];
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#04x}", self.0)
    }
}

/// One connection to one peer, from its beginning to its end; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session(pub u64);

/// Who dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The peer did.
    Inbound,
    /// We did.
    Outbound,
}

/// What is known of the peer of a session when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its identity, proven by the handshake: 40 hex digits on the classic transport, a libp2p peer id otherwise.
    pub id: Arc<str>,
    /// Where it is, `host:port` or a multiaddress.
    pub address: Arc<str>,
    /// Who dialled.
    pub direction: Direction,
    /// What it says that it runs: the release of its `NodeInfo`, or its identify agent. A claim, for people only.
    pub agent: Arc<str>,
    /// The channels that it has.
    pub channels: Vec<Channel>,
}

/// What a transport tells the service above it.
#[derive(Debug)]
pub enum Event {
    /// A session began: both handshakes are done and messages may be sent.
    Connected {
        /// Its number.
        session: Session,
        /// Its peer.
        peer: Peer,
    },
    /// A whole message arrived.
    Message {
        /// From whom.
        session: Session,
        /// On which channel.
        channel: Channel,
        /// Its bytes, unchanged.
        payload: Bytes,
    },
    /// A session ended; no event of it follows.
    Closed {
        /// Which.
        session: Session,
        /// Why, in words for the operator.
        reason: String,
    },
    /// A connection ended before it was a session: refused by us or by the peer, with the reason as far as it can be told.
    Refused {
        /// The address dialled, or the address that dialled.
        address: Arc<str>,
        /// Who dialled.
        direction: Direction,
        /// Why, in words for the operator, with the remedy.
        reason: String,
    },
}

/// Why a message could not be handed to the peer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The session is over.
    #[error("the session is over")]
    Closed,
    /// The peer does not have the channel.
    #[error("the peer has no channel {channel}")]
    NoChannel {
        /// The channel asked for.
        channel: Channel,
    },
    /// The message is larger than the channel carries.
    #[error("a message of {bytes} bytes is larger than channel {channel} carries ({limit} bytes)")]
    TooLarge {
        /// The channel.
        channel: Channel,
        /// The message.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The message is empty, which a node takes for an attack.
    #[error("the message is empty")]
    Empty,
    /// The peer refused it, and would again.
    #[error("the peer refused the message on channel {channel}")]
    Refused {
        /// The channel.
        channel: Channel,
    },
    /// Too many messages of the session wait already.
    #[error("too many messages of the session wait already")]
    QueueFull,
    /// The peer did not take it in time.
    #[error("the peer did not take the message in time")]
    TimedOut,
}

/// What a service asks of its transport.
#[derive(Debug)]
pub enum Command {
    /// Hands a message to the peer; `done` hears of it when the peer has it, as far as the transport can tell (a receipt of
    /// the peer on libp2p, its last byte being on its way on the classic transport).
    Send {
        /// To whom.
        session: Session,
        /// On which channel.
        channel: Channel,
        /// Its bytes.
        payload: Bytes,
        /// Hears of the outcome.
        done: oneshot::Sender<Result<(), SendError>>,
    },
    /// Ends a session.
    Close {
        /// Which.
        session: Session,
        /// Why, for the log.
        reason: String,
    },
}

/// The way to a transport; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    commands: mpsc::Sender<Command>,
}

impl Outbox {
    /// An outbox and the queue that the transport reads, of `capacity` commands.
    #[must_use]
    pub fn new(capacity: usize) -> (Self, mpsc::Receiver<Command>) {
        let (commands, queue) = mpsc::channel(capacity);
        (Self { commands }, queue)
    }

    /// Puts a message into the transport's queue, in the order of the calls, and returns what will be heard of it. Waits while
    /// the queue is full.
    ///
    /// # Errors
    /// [`SendError::Closed`] when the transport has ended.
    pub async fn hand_over(&self, session: Session, channel: Channel, payload: Bytes) -> Result<Outcome, SendError> {
        let (done, outcome) = oneshot::channel();
        let command = Command::Send { session, channel, payload, done };
        self.commands.send(command).await.map_err(|_| SendError::Closed)?;
        Ok(Outcome { outcome })
    }

    /// Sends a message and waits until the transport has handed it over: back-pressure for the caller.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&self, session: Session, channel: Channel, payload: Bytes) -> Result<(), SendError> {
        self.hand_over(session, channel, payload).await?.await
    }

    /// Ends a session; an ended one is no error.
    pub async fn close(&self, session: Session, reason: impl Into<String>) {
        let command = Command::Close { session, reason: reason.into() };
        // The transport being gone has ended the session as well.
        let _ = self.commands.send(command).await;
    }
}

/// What will be heard of a message that was handed over.
#[derive(Debug)]
pub struct Outcome {
    outcome: oneshot::Receiver<Result<(), SendError>>,
}

impl Future for Outcome {
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A transport that drops a message has ended its session.
        Pin::new(&mut self.outcome).poll(cx).map(|outcome| outcome.unwrap_or(Err(SendError::Closed)))
    }
}
