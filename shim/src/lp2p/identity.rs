//! Who we are on libp2p: an ed25519 key and the peer id that follows from it.
//!
//! ```text
//! peer id = base58btc(00 24 08 01 12 20 || public key, 32 bytes)    printed as 12D3KooW...
//! ```
//! That is the identity multihash of the key's protobuf form (libp2p specification, peer ids). A node takes the key from
//! its `node_key.json`, the same that makes its id on the classic transport ([`crate::classic::node_key`]).

use libp2p::PeerId;
use libp2p::identity::{Keypair, PublicKey, ed25519};

use crate::classic::node_key::{NodeKey, NodeKeyError};

/// A libp2p identity.
#[derive(Clone)]
pub struct Identity {
    keypair: Keypair,
}

impl std::fmt::Debug for Identity {
    /// The public half only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Identity").field(&self.peer_id()).finish()
    }
}

impl Identity {
    /// A new identity that nobody has seen before.
    #[must_use]
    pub fn fresh() -> Self {
        Self { keypair: Keypair::generate_ed25519() }
    }

    /// The identity that a node has with this `node_key.json`.
    ///
    /// # Errors
    /// When the text is not an ed25519 node key.
    pub fn from_node_key(json: &str) -> Result<Self, NodeKeyError> {
        Ok(Self::of(&NodeKey::from_json(json)?))
    }

    /// The identity that a node has with this key.
    #[must_use]
    pub fn of(key: &NodeKey) -> Self {
        let pair = ed25519::Keypair::try_from_bytes(&mut *key.pair());
        Self { keypair: pair.expect("both halves of a node key belong together").into() }
    }

    /// The peer id.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.keypair.public().to_peer_id()
    }

    /// The key itself, for a network behaviour of another kind with the same identity.
    #[must_use]
    pub const fn keypair(&self) -> &Keypair {
        &self.keypair
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.keypair.public()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 1: seed and public key.
    const NODE_KEY: &str = r#"{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg=="}}"#;

    #[test]
    fn a_node_key_gives_the_peer_id_of_its_public_key() {
        let identity = Identity::from_node_key(NODE_KEY).unwrap();
        let public = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
        let bytes = [&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20][..], &public].concat();
        assert_eq!(identity.peer_id().to_bytes(), bytes);
        assert!(identity.peer_id().to_string().starts_with("12D3KooW"));
        assert_eq!(identity.peer_id().to_string().parse::<PeerId>().unwrap(), identity.peer_id());
    }

    #[test]
    fn other_keys_are_refused() {
        assert!(matches!(
            Identity::from_node_key(&NODE_KEY.replace("Ed25519", "Secp256k1")),
            Err(NodeKeyError::Type { .. })
        ));
        assert!(matches!(Identity::from_node_key("{}"), Err(NodeKeyError::Json { .. })));
    }

    #[test]
    fn a_fresh_identity_is_another_each_time_and_is_not_printed() {
        let identity = Identity::fresh();
        assert_ne!(identity.peer_id(), Identity::fresh().peer_id());
        assert_eq!(format!("{identity:?}"), format!("Identity(PeerId(\"{}\"))", identity.peer_id()));
    }
}
