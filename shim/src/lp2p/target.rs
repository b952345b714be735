//! Where a libp2p node is: `host:port@peerid`, as the operator writes it.

use std::net::IpAddr;
use std::str::FromStr;

use libp2p::PeerId;
use libp2p::multiaddr::{Multiaddr, Protocol};

/// A node's address and the identity that it must prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A host name or an IP address, without brackets.
    pub host: String,
    /// Its UDP port.
    pub port: u16,
    /// Its libp2p peer id.
    pub peer: PeerId,
}

/// Why a text is not a [`Target`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is not host:port@peerid: {reason}")]
pub struct TargetError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let error = |reason| TargetError { text: text.into(), reason };
        let (address, id) = text.rsplit_once('@').ok_or_else(|| error("there is no @"))?;
        let (host, port) = address.rsplit_once(':').ok_or_else(|| error("there is no port"))?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_name =
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if !is_name && host.parse::<IpAddr>().is_err() {
            return Err(error("the host is neither a name nor an IP address"));
        }
        let port = port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(|| error("the port is not a number from 1 to 65535"))?;
        if id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(error("the id is the one of the classic transport; a libp2p peer id begins with 12D3KooW"));
        }
        let peer = id.parse().map_err(|_| error("the id is not a libp2p peer id, which begins with 12D3KooW"))?;
        Ok(Self { host: host.into(), port, peer })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", host_and_port(&self.host, self.port), self.peer)
    }
}

fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

impl Target {
    /// The entry of a node's `bootstrap_peers` (`config.toml`, `[p2p.libp2p]`) that makes it dial this target and keep to it.
    #[must_use]
    pub fn bootstrap_peer(&self) -> String {
        format!(r#"{{ host = "{}", id = "{}", persistent = true }}"#, host_and_port(&self.host, self.port), self.peer)
    }
}

/// The address of a QUIC listener, as libp2p writes it.
#[must_use]
pub fn quic_address(ip: IpAddr, port: u16) -> Multiaddr {
    Multiaddr::from(ip).with(Protocol::Udp(port)).with(Protocol::QuicV1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust";

    #[test]
    fn targets_read_as_they_are_written() {
        for text in
            [format!("127.0.0.1:26656@{ID}"), format!("node-3.example.org:1@{ID}"), format!("[2001:db8::1]:26656@{ID}")]
        {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_bootstrap_entry_is_what_a_node_reads() {
        let target: Target = format!("[::1]:26656@{ID}").parse().unwrap();
        assert_eq!(target.bootstrap_peer(), format!(r#"{{ host = "[::1]:26656", id = "{ID}", persistent = true }}"#));
    }

    #[test]
    fn a_wrong_target_says_what_is_wrong() {
        let reason = |text: &str| text.parse::<Target>().unwrap_err().reason;
        assert_eq!(reason("127.0.0.1:26656"), "there is no @");
        assert_eq!(reason(&format!("127.0.0.1@{ID}")), "there is no port");
        assert_eq!(reason(&format!("127.0.0.1:0@{ID}")), "the port is not a number from 1 to 65535");
        // A line of a configuration file is made of it.
        assert_eq!(reason(&format!("a\"\n:1@{ID}")), "the host is neither a name nor an IP address");
        assert_eq!(reason(&format!("tcp://127.0.0.1:26656@{ID}")), "the host is neither a name nor an IP address");
        assert!(
            reason("127.0.0.1:1@27ad6cd3fd2ed86fa20db3924699299b81a5c5ef")
                .starts_with("the id is the one of the classic")
        );
        assert!(reason("127.0.0.1:1@12D3KooW").starts_with("the id is not a libp2p peer id"));
    }

    #[test]
    fn listeners_are_quic() {
        assert_eq!(quic_address(IpAddr::from([127, 0, 0, 1]), 7).to_string(), "/ip4/127.0.0.1/udp/7/quic-v1");
    }
}
