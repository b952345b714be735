//! Who a node is: an Ed25519 key, and the id made from it.
//!
//! ```text
//! node_key.json   {"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"<base64 of seed 32 ‖ public key 32>"}}
//! id              first 20 bytes of SHA-256(public key), in lower-case hex
//! ```
//! Source: CometBFT `p2p/key.go`. The shim has a key of its own: a node refuses a second peer of the same id, so that
//! its own key would cut it off.

use std::fmt::{self, Display};
use std::str::FromStr;

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a node's id.
const ID_BYTES: usize = 20;

/// A node's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub [u8; ID_BYTES]);

/// Not 40 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no node id, which has 40 hex digits")]
pub struct NotAnId {
    /// What was given.
    pub text: String,
}

impl NodeId {
    /// The id of the holder of `key`.
    #[must_use]
    pub fn of(key: &[u8; 32]) -> Self {
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&Sha256::digest(key)[..ID_BYTES]);
        Self(id)
    }
}

impl Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl FromStr for NodeId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let mut id = [0; ID_BYTES];
        hex::decode_to_slice(text, &mut id).map_err(|_| NotAnId { text: text.to_owned() })?;
        Ok(Self(id))
    }
}

/// The key by which a node proves its id.
pub struct NodeKey {
    key: SigningKey,
}

/// Why text is not a node key file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeKeyError {
    /// It is not the JSON of a node key.
    #[error("not the JSON of a node key: {source}")]
    Json {
        /// The parser's words.
        #[from]
        source: serde_json::Error,
    },
    /// The key is of a type that the peer protocol does not take.
    #[error("a key of type `{actual}`, expected `{KEY_TYPE}`")]
    Type {
        /// The type in the file.
        actual: String,
    },
    /// The key is not base64 of 64 bytes.
    #[error("the key is not base64 of 64 bytes")]
    Length,
    /// The second half is not the public key of the first.
    #[error("the key's public half does not belong to its secret half")]
    Halves,
}

const KEY_TYPE: &str = "tendermint/PrivKeyEd25519";

#[derive(Serialize, Deserialize)]
struct KeyFile {
    priv_key: TypedKey,
}

#[derive(Serialize, Deserialize)]
struct TypedKey {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

impl NodeKey {
    /// The key that grows from `seed`, which should be random and told to nobody.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// Reads the text of a `node_key.json`.
    ///
    /// # Errors
    /// [`NodeKeyError`]; none of them repeats the key.
    pub fn from_json(text: &str) -> Result<Self, NodeKeyError> {
        let TypedKey { kind, value } = serde_json::from_str::<KeyFile>(text)?.priv_key;
        let value = Zeroizing::new(value);
        if kind != KEY_TYPE {
            return Err(NodeKeyError::Type { actual: kind });
        }
        let bytes = Zeroizing::new(BASE64.decode(value.as_bytes()).map_err(|_| NodeKeyError::Length)?);
        let pair = Zeroizing::new(<[u8; 64]>::try_from(bytes.as_slice()).map_err(|_| NodeKeyError::Length)?);
        let key = SigningKey::from_keypair_bytes(&pair).map_err(|_| NodeKeyError::Halves)?;
        Ok(Self { key })
    }

    /// The text of a `node_key.json`.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        let value = BASE64.encode(&*self.pair());
        let mut file = KeyFile { priv_key: TypedKey { kind: KEY_TYPE.to_owned(), value } };
        let text = Zeroizing::new(serde_json::to_string(&file).expect("two strings are JSON"));
        file.priv_key.value.zeroize();
        text
    }

    /// The id of the holder of the key.
    #[must_use]
    pub fn id(&self) -> NodeId {
        NodeId::of(&self.public())
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Seed and public key, as the file has them.
    pub(crate) fn pair(&self) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.key.to_keypair_bytes())
    }

    /// Signs a challenge.
    pub(super) fn sign(&self, challenge: &[u8; 32]) -> [u8; 64] {
        self.key.sign(challenge).to_bytes()
    }
}

/// Whether the holder of `key` signed `challenge`.
pub(super) fn signed(key: &[u8; 32], challenge: &[u8; 32], signature: &[u8; 64]) -> bool {
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(challenge, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_comes_back_and_is_spelled_as_nodes_spell_it() {
        let key = NodeKey::from_seed(&[1; 32]);
        let text = key.to_json();
        let value = BASE64.encode(&[[1; 32], key.public()].concat());
        let expected = format!(r#"{{"priv_key":{{"type":"tendermint/PrivKeyEd25519","value":"{value}"}}}}"#);
        assert_eq!(*text, expected);
        assert_eq!(NodeKey::from_json(&text).expect("reads").id(), key.id());
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_without_telling_the_key() {
        let refused = |text: &str| NodeKey::from_json(text).err().map(|error| error.to_string()).expect("refused");
        let text = NodeKey::from_seed(&[1; 32]).to_json();
        assert_eq!(
            refused(&text.replace("PrivKeyEd25519", "PrivKeySecp256k1")),
            "a key of type `tendermint/PrivKeySecp256k1`, expected `tendermint/PrivKeyEd25519`"
        );
        assert_eq!(refused(&text.replace("AQEB", "AQE")), "the key is not base64 of 64 bytes");
        assert_eq!(
            refused(&text.replacen("AQEB", "AgEB", 1)),
            "the key's public half does not belong to its secret half"
        );
        assert!(refused("{}").starts_with("not the JSON of a node key: missing field"));
    }

    /// The node of golden bytes: validator keys and node keys make addresses in the same way.
    #[test]
    fn an_id_is_the_begin_of_the_hash_of_the_key() {
        let key = hex::decode("8d1a1a62678a83ccd56591f3c6e3a3b3c6ebf9cd8e4f3d6560df31ca7f35eb17").expect("hex");
        let id = NodeId::of(&key.try_into().expect("32 bytes"));
        assert_eq!(id.to_string().to_uppercase(), "9C2E7C7163686B5D05FC84A8F2697BB6CC9D1D63");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("9c2e".parse::<NodeId>().is_err());
        assert!("zz2e7c7163686b5d05fc84a8f2697bb6cc9d1d63".parse::<NodeId>().is_err());
    }
}
