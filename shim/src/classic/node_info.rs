//! What a node says of itself: `DefaultNodeInfo`, exchanged once, in both directions at the same time.
//!
//! ```text
//! 1 protocol_version { 1 p2p, 2 block, 3 app }   2 default_node_id (40 hex digits)   3 listen_addr
//! 4 network (the chain id)   5 version   6 channels (a byte each)   7 moniker   8 other { 1 tx_index, 2 rpc_address }
//! ```
//! Source: CometBFT `p2p/node_info.go`, the same from 0.34 to 1.0. All of it is a claim; only the id is held against
//! the key of the connection (see [`super::checks`]).

use bytes::Bytes;
use prost::Message;
use proto::cometbft::p2p;

/// Longest message that a node reads (`maxNodeInfoSize`).
pub const NODE_INFO_BYTES_MAX: usize = 10_240;
/// The version of the block protocol of every release from 0.34 on.
pub const BLOCK_PROTOCOL: u64 = 11;
/// The version of the peer protocol that 0.34 to 0.40 name; nobody compares it.
pub const P2P_PROTOCOL: u64 = 8;

/// What a node says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeInfo {
    /// Version of the peer protocol: 8, or 9 in 1.0.
    pub p2p_protocol: u64,
    /// Version of the block protocol: 11.
    pub block_protocol: u64,
    /// Version of the application.
    pub app_protocol: u64,
    /// Its id in hex.
    pub id: String,
    /// Where it listens: `tcp://host:port` or `host:port`.
    pub listen_address: String,
    /// Name of its chain.
    pub network: String,
    /// The release that it says it is.
    pub version: String,
    /// Channels, one byte each.
    pub channels: Bytes,
    /// Its name, for people.
    pub moniker: String,
    /// `on`, `off` or nothing.
    pub tx_index: String,
    /// Where its RPC listens.
    pub rpc_address: String,
}

impl NodeInfo {
    /// The message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let protocol =
            p2p::ProtocolVersion { p2p: self.p2p_protocol, block: self.block_protocol, app: self.app_protocol };
        let other = p2p::NodeInfoOther { tx_index: self.tx_index.clone(), rpc_address: self.rpc_address.clone() };
        let message = p2p::NodeInfo {
            protocol_version: Some(protocol),
            default_node_id: self.id.clone(),
            listen_addr: self.listen_address.clone(),
            network: self.network.clone(),
            version: self.version.clone(),
            channels: self.channels.clone(),
            moniker: self.moniker.clone(),
            other: Some(other),
        };
        message.encode_to_vec()
    }

    /// Reads the message.
    ///
    /// # Errors
    /// When it is no such message.
    pub fn decode(message: &[u8]) -> Result<Self, prost::DecodeError> {
        let message = p2p::NodeInfo::decode(message)?;
        let protocol = message.protocol_version.unwrap_or_default();
        let other = message.other.unwrap_or_default();
        Ok(Self {
            p2p_protocol: protocol.p2p,
            block_protocol: protocol.block,
            app_protocol: protocol.app,
            id: message.default_node_id,
            listen_address: message.listen_addr,
            network: message.network,
            version: message.version,
            channels: message.channels,
            moniker: message.moniker,
            tx_index: other.tx_index,
            rpc_address: other.rpc_address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node of 0.38.26, as it came.
    const GOLDEN: &str = "0a060808100b180112283337643763643366643265643836666132306463323934363939323939626338316135633535\
        66661a157463703a2f2f3132372e302e302e313a3432363536220c636861696e2d5a42683737412a07302e33382e3236\
        32094020212223303860613a056e6f646530421b0a026f6e12157463703a2f2f3132372e302e302e313a3432363537";

    #[test]
    fn the_bytes_of_a_real_node_are_read_and_written_again() {
        let bytes = hex::decode(GOLDEN).expect("hex");
        let info = NodeInfo::decode(&bytes).expect("decodes");
        let expected = NodeInfo {
            p2p_protocol: P2P_PROTOCOL,
            block_protocol: BLOCK_PROTOCOL,
            app_protocol: 1,
            id: "37d7cd3fd2ed86fa20dc294699299bc81a5c55ff".to_owned(),
            listen_address: "tcp://127.0.0.1:42656".to_owned(),
            network: "chain-ZBh77A".to_owned(),
            version: "0.38.26".to_owned(),
            channels: Bytes::from_static(&[0x40, 0x20, 0x21, 0x22, 0x23, 0x30, 0x38, 0x60, 0x61]),
            moniker: "node0".to_owned(),
            tx_index: "on".to_owned(),
            rpc_address: "tcp://127.0.0.1:42657".to_owned(),
        };
        assert_eq!(info, expected);
        assert_eq!(info.encode(), bytes);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        assert!(NodeInfo::decode(&[0x0a, 0x06, 0x08]).is_err());
        assert!(NodeInfo::decode(&[0x3a, 0x01, 0xff]).is_err(), "a moniker that is no UTF-8");
        assert_eq!(NodeInfo::decode(&[]).expect("an empty message"), NodeInfo::default());
    }
}
