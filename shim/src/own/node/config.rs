//! What a node is started with.

use std::net::SocketAddr;
use std::sync::Arc;

use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use proto::hello::Hello;
use tokio::sync::mpsc;

use crate::counters::Counters;
use crate::own::attest::Book;
use crate::own::relay::Received;
use crate::source::BlockSource;

/// What a node is started with.
pub struct Config {
    /// Its identity on the network; never a validator's key.
    pub identity: Keypair,
    /// Where it listens: `/ip4/../udp/../quic-v1` first, `/ip4/../tcp/..` second.
    pub listen: Vec<Multiaddr>,
    /// Peers that are dialled, and dialled again.
    pub peers: Vec<StaticPeer>,
    /// Connections that are taken at most, beside those of static peers.
    pub connections_max: u32,
    /// Who this node is and what it speaks.
    pub hello: Hello,
    /// What it serves.
    pub source: Arc<dyn BlockSource>,
    /// Its checkpoints, if it attests.
    pub book: Option<Book>,
    /// Where messages of peers for the program above go, if it relays; its places bound how many wait there.
    pub relay: Option<mpsc::Sender<Received>>,
    /// Where it counts.
    pub counters: Arc<Counters>,
}

/// A peer by its identity, and where it may be: QUIC addresses are tried first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticPeer {
    /// Who it is.
    pub id: PeerId,
    /// Where it may be, in the order of trying.
    pub addresses: Vec<Multiaddr>,
}

/// Why an address does not name a static peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StaticPeerError {
    /// Not a multiaddress.
    #[error("{address:?} is no multiaddress, such as /ip4/192.0.2.1/udp/26680/quic-v1/p2p/12D3KooW..: {reason}")]
    Address {
        /// The text.
        address: String,
        /// Why not.
        reason: String,
    },
    /// Without the peer's identity anybody could answer there.
    #[error("{address} does not end in /p2p/<peer id>")]
    NoIdentity {
        /// The address.
        address: Multiaddr,
    },
}

/// Where a node listens that is to be reached at `address`: over QUIC, and over TCP at the same port.
#[must_use]
pub fn listeners(address: SocketAddr) -> [Multiaddr; 2] {
    let ip = Multiaddr::from(address.ip());
    let quic = ip.clone().with(Protocol::Udp(address.port())).with(Protocol::QuicV1);
    [quic, ip.with(Protocol::Tcp(address.port()))]
}

impl StaticPeer {
    /// One peer for each identity, with the addresses of all that have it.
    #[must_use]
    pub fn merged(peers: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::new();
        for peer in peers {
            match merged.iter_mut().find(|known| known.id == peer.id) {
                Some(known) => known.addresses.extend(peer.addresses),
                None => merged.push(peer),
            }
        }
        let is_tcp = |address: &Multiaddr| address.iter().any(|part| matches!(part, Protocol::Tcp(_)));
        merged.iter_mut().for_each(|peer| peer.addresses.sort_by_key(is_tcp));
        merged
    }

    /// Static peers from addresses that end in `/p2p/<peer id>`; addresses of the same peer belong together.
    ///
    /// # Errors
    /// [`StaticPeerError`] of the first bad address.
    pub fn parse<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>, StaticPeerError> {
        let mut peers = Vec::new();
        for text in addresses {
            let parsed = text.parse::<Multiaddr>();
            let bad = |error: libp2p::multiaddr::Error| StaticPeerError::Address {
                address: text.to_owned(),
                reason: error.to_string(),
            };
            let mut address = parsed.map_err(bad)?;
            match address.pop() {
                Some(Protocol::P2p(id)) => peers.push(Self { id, addresses: vec![address] }),
                last => {
                    last.into_iter().for_each(|last| address.push(last));
                    return Err(StaticPeerError::NoIdentity { address });
                }
            }
        }
        Ok(Self::merged(peers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "12D3KooWHdGxTpRhgPcnUxbW4cQVtb9PGdYWmR9jpdoWaRbwPfHQ";

    #[test]
    fn addresses_of_a_peer_belong_together_and_quic_comes_first() {
        let addresses = [format!("/ip4/192.0.2.1/tcp/1/p2p/{ID}"), format!("/dns4/a.example/udp/2/quic-v1/p2p/{ID}")];
        let peers = StaticPeer::parse(addresses.iter().map(String::as_str)).expect("peers");
        assert_eq!(peers.len(), 1);
        let texts: Vec<String> = peers[0].addresses.iter().map(Multiaddr::to_string).collect();
        assert_eq!(texts, ["/dns4/a.example/udp/2/quic-v1", "/ip4/192.0.2.1/tcp/1"]);
    }

    #[test]
    fn an_address_without_an_identity_is_refused() {
        let address: Multiaddr = "/ip4/192.0.2.1/tcp/1".parse().expect("an address");
        let refused = StaticPeer::parse(["/ip4/192.0.2.1/tcp/1"]);
        assert_eq!(refused, Err(StaticPeerError::NoIdentity { address }));
        assert!(matches!(StaticPeer::parse(["192.0.2.1:1"]), Err(StaticPeerError::Address { .. })));
    }
}
