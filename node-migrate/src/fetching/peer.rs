//! How an operator names a node.

use std::fmt::{self, Display};
use std::str::FromStr;

use shim::own::node::StaticPeer;
use shim::{classic, lp2p};

/// A node to ask for blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkPeer {
    /// `id@host:port`: a node on the classic peer protocol.
    Classic(classic::transport::Target),
    /// `host:port@12D3KooW..`: a node on libp2p. Our own protocols are tried first, then `CometBFT`'s.
    Libp2p(lp2p::Target),
    /// `/ip4/../udp/../quic-v1/p2p/12D3KooW..`, or any other multiaddress with an identity: our own protocols alone.
    Own(StaticPeer),
}

/// Not the name of a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no node: {reason}")]
pub struct NotAPeer {
    /// What was given.
    pub text: String,
    /// Why not.
    pub reason: String,
}

impl FromStr for NetworkPeer {
    type Err = NotAPeer;

    fn from_str(text: &str) -> Result<Self, NotAPeer> {
        let fault = |reason: String| NotAPeer { text: text.to_owned(), reason };
        if text.starts_with('/') {
            let mut peers = StaticPeer::parse([text]).map_err(|error| fault(error.to_string()))?;
            return peers.pop().map(Self::Own).ok_or_else(|| fault("there is no address".to_owned()));
        }
        match (text.parse::<classic::transport::Target>(), text.parse::<lp2p::Target>()) {
            (Ok(target), _) => Ok(Self::Classic(target)),
            (_, Ok(target)) => Ok(Self::Libp2p(target)),
            (Err(classic), Err(lp2p)) => Err(fault(format!("{classic}; {lp2p}"))),
        }
    }
}

impl Display for NetworkPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classic(target) => target.fmt(f),
            Self::Libp2p(target) => target.fmt(f),
            Self::Own(peer) => match peer.addresses.first() {
                Some(address) => write!(f, "{address}/p2p/{}", peer.id),
                None => peer.id.fmt(f),
            },
        }
    }
}

impl NetworkPeer {
    /// Where our own protocols may be spoken, if anywhere: over QUIC first, then over TCP on the same port.
    pub(super) fn own(&self) -> Option<StaticPeer> {
        match self {
            Self::Classic(_) => None,
            Self::Own(peer) => Some(peer.clone()),
            Self::Libp2p(target) => {
                let lp2p::Target { host, port, peer } = target;
                let host = match host.parse() {
                    Ok(std::net::IpAddr::V4(ip)) => format!("/ip4/{ip}"),
                    Ok(std::net::IpAddr::V6(ip)) => format!("/ip6/{ip}"),
                    Err(_) => format!("/dns/{host}"),
                };
                let addresses =
                    [format!("{host}/udp/{port}/quic-v1/p2p/{peer}"), format!("{host}/tcp/{port}/p2p/{peer}")];
                StaticPeer::parse(addresses.iter().map(String::as_str)).ok()?.pop()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWHdGxTpRhgPcnUxbW4cQVtb9PGdYWmR9jpdoWaRbwPfHQ";

    #[test]
    fn nodes_of_all_kinds_read_as_they_are_written() {
        let classic = "9c2e7c7163686b5d05fc84a8f2697bb6cc9d1d63@10.0.0.1:26656".to_owned();
        let lp2p = format!("node.example.org:26656@{PEER}");
        let own = format!("/ip4/192.0.2.1/udp/26680/quic-v1/p2p/{PEER}");
        let read = |text: &str| text.parse::<NetworkPeer>().expect("a node");
        for text in [&classic, &lp2p, &own] {
            assert_eq!(read(text).to_string(), *text);
        }
        assert!(matches!(read(&classic), NetworkPeer::Classic(_)));
        assert!(matches!(read(&lp2p), NetworkPeer::Libp2p(_)));
        assert!(matches!(read(&own), NetworkPeer::Own(_)));
        for wrong in ["", "/ip4/192.0.2.1/udp/1/quic-v1", "10.0.0.1:26656", "/home/node"] {
            assert!(wrong.parse::<NetworkPeer>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_node_on_libp2p_is_tried_over_both_transports_of_our_protocols() {
        for (host, expected) in [("node.example.org", "/dns/node.example.org"), ("[2001:db8::1]", "/ip6/2001:db8::1")] {
            let peer: NetworkPeer = format!("{host}:7@{PEER}").parse().expect("a node");
            let own = peer.own().expect("may speak ours");
            let addresses: Vec<_> = own.addresses.iter().map(ToString::to_string).collect();
            assert_eq!(addresses, [format!("{expected}/udp/7/quic-v1"), format!("{expected}/tcp/7")]);
            assert_eq!(own.id.to_string(), PEER);
        }
    }
}
