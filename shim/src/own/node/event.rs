//! What a node tells: one event for each thing that is new, however often a peer repeats it. Its text is one log line.

use libp2p::{Multiaddr, PeerId};
use proofs::note::VerifierKey;
use proto::negotiate::{Agreement, Incompatible};

use crate::own::attest::Alarm;
use crate::own::protocol::Protocol;

/// What a node tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// It listens.
    Listening {
        /// Where.
        address: Multiaddr,
    },
    /// A connection began.
    Connected {
        /// With whom.
        peer: PeerId,
        /// Where it is.
        address: Multiaddr,
        /// Whether this node dialled.
        is_outbound: bool,
    },
    /// The two can do something for each other.
    Agreed {
        /// With whom.
        peer: PeerId,
        /// What it says that it runs.
        agent: String,
        /// What they can do.
        agreement: Agreement,
    },
    /// The two can do nothing for each other; the peer tells the same.
    Incompatible {
        /// With whom.
        peer: PeerId,
        /// What it says that it runs.
        agent: String,
        /// Why, with the remedy.
        reason: Incompatible,
    },
    /// A peer does not speak our protocols at all.
    Foreign {
        /// Who.
        peer: PeerId,
        /// What it says that it runs.
        agent: String,
        /// Names near ours that it offers.
        near: Vec<String>,
    },
    /// A peer broke the rules, or could not be understood; told once for each kind on a connection.
    Misbehaved {
        /// Who.
        peer: PeerId,
        /// In which protocol.
        protocol: Protocol,
        /// How.
        reason: String,
    },
    /// A peer refused to serve, or was refused; told once for each kind on a connection.
    Refused {
        /// Who.
        peer: PeerId,
        /// In which protocol.
        protocol: Protocol,
        /// Who refused whom.
        by: Refused,
        /// Why.
        reason: String,
    },
    /// Another node's attestation confirms this node's.
    Confirmed {
        /// Who sent it; `None` where it had come before this node's own.
        peer: Option<PeerId>,
        /// Who signed it.
        signer: VerifierKey,
        /// The height.
        height: u64,
    },
    /// Two signed checkpoints cannot both be right.
    Alarm {
        /// Who sent the second one; `None` where it had come before this node's own.
        peer: Option<PeerId>,
        /// The evidence.
        alarm: Box<Alarm>,
    },
    /// Connections were not taken, since there are as many as there may be.
    ConnectionsRefused {
        /// How many since the last such event.
        count: u64,
        /// Where the last one came from.
        address: Multiaddr,
    },
    /// A static peer cannot be reached; told once until it was.
    Unreachable {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: String,
    },
    /// A connection ended.
    Closed {
        /// With whom.
        peer: PeerId,
        /// Why.
        reason: String,
    },
}

/// Who refused whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// This node refused the peer.
    Peer,
    /// The peer refused this node.
    Us,
}

impl Event {
    /// The peer that can bring such events about as often as it connects; `None` where they are bounded by themselves.
    #[must_use]
    pub const fn repeatable_by(&self) -> Option<PeerId> {
        match self {
            Self::Connected { peer, .. }
            | Self::Agreed { peer, .. }
            | Self::Incompatible { peer, .. }
            | Self::Foreign { peer, .. }
            | Self::Misbehaved { peer, .. }
            | Self::Refused { peer, .. }
            | Self::Closed { peer, .. } => Some(*peer),
            Self::Listening { .. }
            | Self::Confirmed { .. }
            | Self::Alarm { .. }
            | Self::ConnectionsRefused { .. }
            | Self::Unreachable { .. } => None,
        }
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Listening { address } => write!(f, "listening on {address}"),
            Self::Connected { peer, address, is_outbound } => {
                write!(f, "{peer}: connected, {} {address}", if *is_outbound { "to" } else { "from" })
            }
            Self::Agreed { peer, agent, agreement } => agreed(f, *peer, agent, agreement),
            Self::Incompatible { peer, agent, reason } => write!(f, "{peer} ({agent}): incompatible: {reason}"),
            Self::Foreign { peer, agent, near } => foreign(f, *peer, agent, near),
            Self::Misbehaved { peer, protocol, reason } => write!(f, "{peer}: {protocol}: {reason}"),
            Self::Refused { peer, protocol, by: Refused::Peer, reason } => {
                write!(f, "{peer}: {protocol}: refused: {reason}")
            }
            Self::Refused { peer, protocol, by: Refused::Us, reason } => {
                write!(f, "{peer}: {protocol}: the peer refused: {reason}")
            }
            Self::Confirmed { peer, signer, height } => {
                peer.iter().try_for_each(|peer| write!(f, "{peer}: "))?;
                write!(f, "the checkpoint at height {height} by {signer} has the same root as ours")
            }
            Self::Alarm { peer, alarm } => {
                peer.iter().try_for_each(|peer| write!(f, "{peer}: "))?;
                write!(f, "ALARM: {alarm}")
            }
            Self::ConnectionsRefused { count, address } => {
                write!(f, "{count} connections not taken, the last from {address}: there are as many as there may be")
            }
            Self::Unreachable { peer, reason } => write!(f, "{peer}: cannot be reached: {reason}"),
            Self::Closed { peer, reason } => write!(f, "{peer}: connection over: {reason}"),
        }
    }
}

fn agreed(f: &mut std::fmt::Formatter<'_>, peer: PeerId, agent: &str, agreement: &Agreement) -> std::fmt::Result {
    write!(f, "{peer} ({agent}): agreed: ")?;
    match agreement.fetch {
        Ok(version) => write!(f, "we fetch by blocks/{version}")?,
        Err(reason) => write!(f, "we fetch nothing ({reason})")?,
    }
    match agreement.serve {
        Ok(version) => write!(f, ", we serve by blocks/{version}")?,
        Err(reason) => write!(f, ", we serve nothing ({reason})")?,
    }
    if let Some(disputed) = agreement.disputed {
        write!(f, ", but not {disputed}, where the rules of block times differ")?;
    }
    match agreement.attest_every {
        Some(every) => write!(f, ", attestations every {every} heights"),
        None => Ok(()),
    }
}

fn foreign(f: &mut std::fmt::Formatter<'_>, peer: PeerId, agent: &str, near: &[String]) -> std::fmt::Result {
    write!(f, "{peer} ({agent}): does not speak {}", Protocol::Hello.name())?;
    match near {
        [] => f.write_str("; nothing of ours can be done with it"),
        near => write!(f, ", but {}; upgrade the older of the two", near.join(", ")),
    }
}
