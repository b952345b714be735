//! Whether two nodes take each other as peers: every check that a node makes on the other's [`NodeInfo`], in words.
//!
//! A node that refuses closes the connection after the exchange and tells its own log only. Both sides make the same
//! checks on what both have, so the reason can be computed here: [`objections`] is asked in both directions. Source:
//! CometBFT `p2p/node_info.go` (`Validate`, `CompatibleWith`) and `p2p/transport.go` (`upgrade`), 0.34 to 1.0. All
//! objections are given, where a node names the first. Names of hosts are not looked up.

use std::collections::HashSet;
use std::fmt::{self, Display};

use super::node_info::NodeInfo;
use super::node_key::NodeId;

/// Channels that a node may have.
const CHANNELS_MAX: usize = 16;

/// Why a node refuses another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Objection {
    /// The block protocols differ.
    BlockProtocol {
        /// Of the node that refuses.
        expected: u64,
        /// Of the other.
        actual: u64,
    },
    /// The chains differ.
    Network {
        /// Of the node that refuses.
        expected: String,
        /// Of the other.
        actual: String,
    },
    /// There is no channel that both have.
    NoCommonChannel {
        /// Of the node that refuses.
        expected: Vec<u8>,
        /// Of the other.
        actual: Vec<u8>,
    },
    /// More channels than a node may have.
    TooManyChannels {
        /// How many.
        actual: usize,
    },
    /// A channel is there twice.
    RepeatedChannel {
        /// Which.
        channel: u8,
    },
    /// The id is not that of the key by which the node proved itself.
    ForeignId {
        /// The id of the key.
        expected: NodeId,
        /// The id in the claim.
        actual: String,
    },
    /// Both are the same node.
    Itself {
        /// Its id.
        id: NodeId,
    },
    /// The address is not `host:port`.
    ListenAddress {
        /// The address.
        actual: String,
    },
    /// The name is empty, blank or not ASCII.
    Moniker {
        /// The name.
        actual: String,
    },
    /// The release is blank or not ASCII.
    Version {
        /// The release.
        actual: String,
    },
    /// Neither `on` nor `off` nor nothing.
    TxIndex {
        /// What it is.
        actual: String,
    },
    /// The address of the RPC is blank or not ASCII.
    RpcAddress {
        /// The address.
        actual: String,
    },
}

impl Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlockProtocol { expected, actual } => {
                write!(f, "block protocol {actual}, expected {expected}: the releases cannot share a network")
            }
            Self::Network { expected, actual } => {
                write!(f, "chain `{}`, expected `{}`: not the same network", shown(actual), shown(expected))
            }
            Self::NoCommonChannel { expected, actual } => {
                write!(f, "no common channel: {} here, {} there", in_hex(expected), in_hex(actual))
            }
            Self::TooManyChannels { actual } => write!(f, "{actual} channels, at most {CHANNELS_MAX} are allowed"),
            Self::RepeatedChannel { channel } => write!(f, "channel {channel:#04x} is named twice"),
            Self::ForeignId { expected, actual } => {
                write!(f, "it calls itself {}, but its key is that of {expected}", shown(actual))
            }
            Self::Itself { id } => write!(f, "both ends have the id {id}: give each a node key of its own"),
            Self::ListenAddress { actual } => write!(f, "listen address `{}` is not host:port", shown(actual)),
            Self::Moniker { actual } => write!(f, "moniker `{}` is not printable ASCII text", shown(actual)),
            Self::Version { actual } => write!(f, "version `{}` is not printable ASCII text", shown(actual)),
            Self::TxIndex { actual } => write!(f, "tx_index `{}` is neither on nor off", shown(actual)),
            Self::RpcAddress { actual } => write!(f, "rpc_address `{}` is not printable ASCII text", shown(actual)),
        }
    }
}

/// What `node` objects to in `other`, whose key has the id `proven`; nothing means that it takes it as a peer.
#[must_use]
pub fn objections(node: &NodeInfo, other: &NodeInfo, proven: NodeId) -> Vec<Objection> {
    let mut found = claims(other);
    if other.id != proven.to_string() {
        found.push(Objection::ForeignId { expected: proven, actual: other.id.clone() });
    }
    if other.id == node.id {
        found.push(Objection::Itself { id: proven });
    }
    if other.block_protocol != node.block_protocol {
        found.push(Objection::BlockProtocol { expected: node.block_protocol, actual: other.block_protocol });
    }
    if other.network != node.network {
        found.push(Objection::Network { expected: node.network.clone(), actual: other.network.clone() });
    }
    if !node.channels.is_empty() && !node.channels.iter().any(|channel| other.channels.contains(channel)) {
        let (expected, actual) = (node.channels.to_vec(), other.channels.to_vec());
        found.push(Objection::NoCommonChannel { expected, actual });
    }
    found
}

/// What is wrong with the claims of a node, whoever looks at them.
fn claims(info: &NodeInfo) -> Vec<Objection> {
    let mut found = Vec::new();
    let mut wrong = |holds: bool, objection: fn(String) -> Objection, actual: &str| {
        if !holds {
            found.push(objection(actual.to_owned()));
        }
    };
    let address = &info.listen_address;
    wrong(is_host_and_port(address), |actual| Objection::ListenAddress { actual }, address);
    wrong(is_text(&info.moniker), |actual| Objection::Moniker { actual }, &info.moniker);
    let version = &info.version;
    wrong(version.is_empty() || is_text(version), |actual| Objection::Version { actual }, version);
    let tx_index = info.tx_index.as_str();
    wrong(matches!(tx_index, "" | "on" | "off"), |actual| Objection::TxIndex { actual }, tx_index);
    let rpc = &info.rpc_address;
    wrong(rpc.is_empty() || is_text(rpc), |actual| Objection::RpcAddress { actual }, rpc);
    if info.channels.len() > CHANNELS_MAX {
        found.push(Objection::TooManyChannels { actual: info.channels.len() });
    }
    let mut seen = HashSet::new();
    if let Some(&channel) = info.channels.iter().find(|channel| !seen.insert(**channel)) {
        found.push(Objection::RepeatedChannel { channel });
    }
    found
}

/// Printable ASCII, and not only spaces.
fn is_text(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.bytes().any(|byte| byte != b' ')
}

/// `host:port` behind an optional scheme; an IPv6 host stands in brackets.
fn is_host_and_port(address: &str) -> bool {
    let address = address.split_once("://").map_or(address, |(_, address)| address);
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_holds = match in_brackets {
        Some(host) => !host.is_empty(),
        None => !host.is_empty() && !host.contains([':', '[', ']', '@']),
    };
    host_holds && !port.starts_with('+') && port.parse::<u16>().is_ok()
}

/// What a peer claims, for a line of a log: cut, and with everything escaped that is no plain text.
fn shown(claim: &str) -> String {
    const CHARACTERS_MAX: usize = 64;
    let text: String = claim.chars().take(CHARACTERS_MAX).flat_map(char::escape_default).collect();
    if claim.chars().nth(CHARACTERS_MAX).is_some() { format!("{text}...") } else { text }
}

fn in_hex(channels: &[u8]) -> String {
    const SHOWN_MAX: usize = 2 * CHANNELS_MAX;
    if channels.is_empty() { "none".to_owned() } else { hex::encode(&channels[..channels.len().min(SHOWN_MAX)]) }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::classic::node_key::NodeKey;

    fn id(seed: u8) -> NodeId {
        NodeKey::from_seed(&[seed; 32]).id()
    }

    fn info(seed: u8) -> NodeInfo {
        NodeInfo {
            p2p_protocol: 8,
            block_protocol: 11,
            app_protocol: 0,
            id: id(seed).to_string(),
            listen_address: "tcp://127.0.0.1:26656".to_owned(),
            network: "chain".to_owned(),
            version: "0.38.26".to_owned(),
            channels: Bytes::from_static(&[0x40]),
            moniker: "a name".to_owned(),
            tx_index: String::new(),
            rpc_address: String::new(),
        }
    }

    /// What a good node says about the other after `change`.
    fn check(change: impl FnOnce(&mut NodeInfo)) -> Vec<String> {
        let mut other = info(2);
        change(&mut other);
        objections(&info(1), &other, id(2)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_node_accepts() {
        let channels: Vec<u8> = (0x31..=0x40).collect();
        assert_eq!(check(|_| ()), [""; 0]);
        assert_eq!(check(|other| other.channels = channels.into()), [""; 0], "16 channels, one of them ours");
        assert_eq!(check(|other| other.version = String::new()), [""; 0]);
        assert_eq!(check(|other| other.p2p_protocol = 9), [""; 0]);
        assert_eq!(check(|other| other.app_protocol = 7), [""; 0]);
        for address in ["0.0.0.0:0", "[::1]:26656", "tcp://node.example.org:26656", "udp://h:65535"] {
            assert_eq!(check(|other| other.listen_address = address.to_owned()), [""; 0], "{address}");
        }
    }

    #[test]
    fn what_a_node_refuses() {
        let network = check(|other| other.network = "other".to_owned());
        assert_eq!(network, ["chain `other`, expected `chain`: not the same network"]);
        let block = check(|other| other.block_protocol = 12);
        assert_eq!(block, ["block protocol 12, expected 11: the releases cannot share a network"]);
        assert_eq!(check(|other| other.channels = Bytes::new()), ["no common channel: 40 here, none there"]);
        let channels = check(|other| other.channels = Bytes::from_static(&[0x20, 0x20]));
        assert_eq!(channels, ["channel 0x20 is named twice", "no common channel: 40 here, 2020 there"]);
        let many: Vec<u8> = (0x30..=0x40).collect();
        assert_eq!(check(|other| other.channels = many.into()), ["17 channels, at most 16 are allowed"]);
        for moniker in ["", "  ", "naïve", "a\tb"] {
            let expected = format!("moniker `{}` is not printable ASCII text", shown(moniker));
            assert_eq!(check(|other| other.moniker = moniker.to_owned()), [expected]);
        }
        assert_eq!(check(|other| other.version = " ".to_owned()), ["version ` ` is not printable ASCII text"]);
        assert_eq!(check(|other| other.tx_index = "yes".to_owned()), ["tx_index `yes` is neither on nor off"]);
        let rpc = check(|other| other.rpc_address = "\u{1}".to_owned());
        assert_eq!(rpc, ["rpc_address `\\u{1}` is not printable ASCII text"]);
        for address in ["", "host", ":1", "host:", "host:65536", "host:-1", "::1:26656", "tcp://", "a@b:1"] {
            let expected = format!("listen address `{address}` is not host:port");
            assert_eq!(check(|other| other.listen_address = address.to_owned()), [expected]);
        }
    }

    #[test]
    fn who_a_node_is_is_held_against_its_key() {
        let foreign = objections(&info(1), &info(3), id(2));
        assert_eq!(foreign, [Objection::ForeignId { expected: id(2), actual: id(3).to_string() }]);
        assert_eq!(objections(&info(1), &info(1), id(1)), [Objection::Itself { id: id(1) }]);
    }

    #[test]
    fn a_claim_cannot_forge_a_line_of_the_log() {
        assert_eq!(shown("a\nERROR \u{1b}[2J"), "a\\nERROR \\u{1b}[2J");
        assert_eq!(shown(&"é".repeat(100)).matches("\\u{e9}").count(), 64);
        assert!(shown(&"x".repeat(65)).ends_with("..."));
    }
}
