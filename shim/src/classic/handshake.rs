//! The handshake of the classic peer protocol as a state machine: bytes in, bytes out, no socket and no clock.
//!
//! ```text
//! both     22 0a 20 ‖ ephemeral key 32             behind its length, in the clear
//! both     66 0a 22 0a 20 ‖ node key 32 ‖ 12 40 ‖ signature over the challenge 64   in a frame
//! both     NodeInfo behind its length              in frames
//! ```
//! Neither side waits for the other within a step. Source: CometBFT `p2p/conn/secret_connection.go` and
//! `p2p/transport.go`, the same from 0.34 to 0.40. Nothing of us but an ephemeral key and our id is told before the
//! other side has proven who it is and, where we dialled somebody, that it is them. Each step has its limit of bytes;
//! limits of time are the caller's business.

use std::sync::Arc;

use prost::Message;
use proto::cometbft::p2p::{AuthSig, PublicKey, public_key};

use super::delimited::{self, DelimitedError};
use super::node_info::{NODE_INFO_BYTES_MAX, NodeInfo};
use super::node_key::{self, NodeId, NodeKey};
use super::secret::SecretReader;
use super::secret::frame::{FrameError, Sealer};
use super::secret::keys::{self, EphemeralSecret, LowOrderPoint, SessionKeys};

/// The ephemeral key stands behind these bytes: length, tag of `BytesValue.value`, its length.
const HELLO_PREFIX: [u8; 3] = [0x22, 0x0a, 0x20];
const HELLO_BYTES: usize = HELLO_PREFIX.len() + 32;
/// Longest proof of a key: the one kind that nodes take has 102 bytes.
const AUTH_BYTES_MAX: usize = 256;

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The first bytes are not those of the protocol.
    #[error("it does not speak the classic peer protocol: it began with `{}`", .begin.escape_ascii())]
    NotTheProtocol {
        /// What came.
        begin: Vec<u8>,
    },
    /// See [`LowOrderPoint`].
    #[error(transparent)]
    LowOrder(#[from] LowOrderPoint),
    /// See [`FrameError`].
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// See [`DelimitedError`].
    #[error(transparent)]
    Delimited(#[from] DelimitedError),
    /// A message of the handshake that cannot be read.
    #[error("malformed {what}: {source}")]
    Malformed {
        /// Which.
        what: &'static str,
        /// Where reading failed.
        source: prost::DecodeError,
    },
    /// The node key is not one that the protocol takes.
    #[error("its node key is not an ed25519 key of 32 bytes with a signature of 64")]
    KeyKind,
    /// The signature over the challenge does not hold: somebody stands between, or it has not the key it shows.
    #[error("it does not hold the key of {claimed}, whose id it claims")]
    NotTheHolder {
        /// The id of the key that it showed.
        claimed: NodeId,
    },
    /// Somebody else answered than who was dialled.
    #[error("{actual} answered where {expected} was dialled")]
    OtherNode {
        /// Who was dialled.
        expected: NodeId,
        /// Who answered.
        actual: NodeId,
    },
}

/// What a finished handshake leaves.
pub struct Established {
    /// The proven id of the other side.
    pub id: NodeId,
    /// What it says of itself, not checked.
    pub info: NodeInfo,
    /// Seals what we say from here on.
    pub sealer: Sealer,
    /// Reads what it says, with what came behind the handshake already in it.
    pub reader: SecretReader,
}

/// Who we are, and whom we expect.
pub struct Identity {
    /// Our key.
    pub key: Arc<NodeKey>,
    /// What we say of ourselves.
    pub info: Arc<NodeInfo>,
    /// Whom we dialled; `None` for whoever dialled us.
    pub expected: Option<NodeId>,
}

/// A handshake under way.
pub struct Handshake {
    identity: Identity,
    /// Bytes to send, not yet taken.
    outgoing: Vec<u8>,
    state: State,
}

enum State {
    /// Waits for the ephemeral key.
    Hello { secret: EphemeralSecret, received: Vec<u8> },
    /// Waits for the proof of the node key.
    Auth { challenge: [u8; 32], sealer: Sealer, reader: SecretReader },
    /// Waits for what the node says of itself.
    Info { id: NodeId, sealer: Sealer, reader: SecretReader },
    /// Over: established, or failed.
    Over,
}

impl Handshake {
    /// Begins a handshake. `ephemeral`: 32 random bytes that are used for nothing else.
    #[must_use]
    pub fn new(identity: Identity, ephemeral: [u8; 32]) -> Self {
        let secret = EphemeralSecret::new(ephemeral);
        let outgoing = [&HELLO_PREFIX[..], &secret.public()].concat();
        Self { identity, outgoing, state: State::Hello { secret, received: Vec::with_capacity(HELLO_BYTES) } }
    }

    /// The bytes to send now.
    #[must_use]
    pub fn outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    /// Takes bytes as they came. `Some` when the handshake is finished; nothing more may be pushed then, nor after an
    /// error. Look for bytes to send after each call, also after the last.
    ///
    /// # Errors
    /// [`HandshakeError`]: the connection is of no use.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<Established>, HandshakeError> {
        let mut bytes = bytes;
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Hello { secret, mut received } => {
                    let (begin, rest) = bytes.split_at(bytes.len().min(HELLO_BYTES - received.len()));
                    received.extend_from_slice(begin);
                    let Some(theirs) = ephemeral_key(&received)? else {
                        self.state = State::Hello { secret, received };
                        return Ok(None);
                    };
                    let SessionKeys { sealer, opener, challenge } = keys::derive(&secret, theirs)?;
                    self.state = self.prove(challenge, sealer, SecretReader::new(opener))?;
                    bytes = rest;
                }
                State::Auth { challenge, sealer, mut reader } => {
                    reader.push(std::mem::take(&mut bytes))?;
                    let Some(message) = reader.message(AUTH_BYTES_MAX)? else {
                        self.state = State::Auth { challenge, sealer, reader };
                        return Ok(None);
                    };
                    let id = self.proven(message, &challenge)?;
                    self.state = self.introduce(id, sealer, reader)?;
                }
                State::Info { id, sealer, mut reader } => {
                    reader.push(std::mem::take(&mut bytes))?;
                    let Some(message) = reader.message(NODE_INFO_BYTES_MAX)? else {
                        self.state = State::Info { id, sealer, reader };
                        return Ok(None);
                    };
                    let malformed = |source| HandshakeError::Malformed { what: "NodeInfo", source };
                    let info = NodeInfo::decode(message).map_err(malformed)?;
                    return Ok(Some(Established { id, info, sealer, reader }));
                }
                State::Over => return Ok(None),
            }
        }
    }

    /// Queues the proof of our key.
    fn prove(&mut self, challenge: [u8; 32], mut sealer: Sealer, reader: SecretReader) -> Result<State, FrameError> {
        let key = &self.identity.key;
        let public = public_key::Sum::Ed25519(key.public().to_vec().into());
        let proof =
            AuthSig { pub_key: Some(PublicKey { sum: Some(public) }), sig: key.sign(&challenge).to_vec().into() };
        let mut text = Vec::new();
        delimited::put(&mut text, &proof.encode_to_vec());
        sealer.seal(&text, &mut self.outgoing)?;
        Ok(State::Auth { challenge, sealer, reader })
    }

    /// The id of the other side, if it proved it and is whom we dialled.
    fn proven(&self, message: &[u8], challenge: &[u8; 32]) -> Result<NodeId, HandshakeError> {
        let malformed = |source| HandshakeError::Malformed { what: "proof of the node key", source };
        let AuthSig { pub_key, sig } = AuthSig::decode(message).map_err(malformed)?;
        let Some(public_key::Sum::Ed25519(key)) = pub_key.and_then(|key| key.sum) else {
            return Err(HandshakeError::KeyKind);
        };
        let (Ok(key), Ok(signature)) = (key.as_ref().try_into(), sig.as_ref().try_into()) else {
            return Err(HandshakeError::KeyKind);
        };
        let actual = NodeId::of(key);
        if !node_key::signed(key, challenge, signature) {
            return Err(HandshakeError::NotTheHolder { claimed: actual });
        }
        match self.identity.expected {
            Some(expected) if expected != actual => Err(HandshakeError::OtherNode { expected, actual }),
            _ => Ok(actual),
        }
    }

    /// Queues what we say of ourselves.
    fn introduce(&mut self, id: NodeId, mut sealer: Sealer, reader: SecretReader) -> Result<State, FrameError> {
        let mut text = Vec::new();
        delimited::put(&mut text, &self.identity.info.encode());
        sealer.seal(&text, &mut self.outgoing)?;
        Ok(State::Info { id, sealer, reader })
    }
}

/// The other side's ephemeral key, when it is there as a whole; what cannot become one is refused at its first byte.
fn ephemeral_key(received: &[u8]) -> Result<Option<[u8; 32]>, HandshakeError> {
    let begin = received.get(..HELLO_PREFIX.len()).unwrap_or(received);
    if !HELLO_PREFIX.starts_with(begin) {
        return Err(HandshakeError::NotTheProtocol { begin: received.to_vec() });
    }
    Ok(received.get(HELLO_PREFIX.len()..).and_then(|key| key.try_into().ok()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// What two sides of CometBFT 0.38.26 said to each other, each from the ephemeral key to its `NodeInfo`: ephemeral
    /// secrets 32 times 01 and 02, seeds of the node keys 32 times 03 and 04.
    const GOLDEN: [&str; 2] = [
        include_str!("../../tests/it/data/classic-handshake-here.hex"),
        include_str!("../../tests/it/data/classic-handshake-there.hex"),
    ];

    fn golden() -> [Vec<u8>; 2] {
        GOLDEN.map(|text| hex::decode(text.replace('\n', "")).expect("hex"))
    }

    fn identity(seed: u8, moniker: &str) -> Identity {
        let key = Arc::new(NodeKey::from_seed(&[seed; 32]));
        let info = NodeInfo {
            p2p_protocol: 8,
            block_protocol: 11,
            app_protocol: 0,
            id: key.id().to_string(),
            listen_address: "tcp://0.0.0.0:26656".to_owned(),
            network: "chain-golden".to_owned(),
            version: "0.38.26".to_owned(),
            channels: Bytes::from_static(&[0x40]),
            moniker: moniker.to_owned(),
            tx_index: "on".to_owned(),
            rpc_address: String::new(),
        };
        Identity { key, info: Arc::new(info), expected: None }
    }

    fn here() -> Handshake {
        Handshake::new(identity(3, "here"), [1; 32])
    }

    #[test]
    fn says_byte_for_byte_what_a_real_node_says_however_the_other_side_arrives() {
        let [ours, theirs] = golden();
        for step in [1, 35, 500, 1_044, theirs.len()] {
            let mut handshake = here();
            let mut said = handshake.outgoing();
            let mut established = None;
            for bytes in theirs.chunks(step) {
                assert!(established.is_none(), "finished before the end");
                established = handshake.receive(bytes).expect("goes on");
                said.extend(handshake.outgoing());
            }
            assert_eq!(hex::encode(&said), hex::encode(&ours), "in steps of {step}");
            let established = established.expect("finished");
            assert_eq!(established.id, NodeKey::from_seed(&[4; 32]).id());
            assert_eq!(established.info, *identity(4, "there").info);
        }
    }

    #[test]
    fn any_changed_bit_ends_it() {
        let [_, theirs] = golden();
        for place in (0..theirs.len()).step_by(13).chain(0..HELLO_BYTES) {
            let mut changed = theirs.clone();
            changed[place] ^= 0x10;
            assert!(here().receive(&changed).is_err(), "byte {place}");
        }
    }

    #[test]
    fn what_is_another_protocol_is_refused_at_its_first_byte() {
        let error = here().receive(b"GET / HTTP/1.1").err().expect("refused");
        assert!(matches!(error, HandshakeError::NotTheProtocol { .. }), "{error}");
        assert!(here().receive(&[0x22, 0x0b]).is_err());
    }

    #[test]
    fn another_node_than_the_dialled_one_is_not_told_who_we_are() {
        let [_, theirs] = golden();
        let expected = NodeKey::from_seed(&[9; 32]).id();
        let mut handshake = Handshake::new(Identity { expected: Some(expected), ..identity(3, "here") }, [1; 32]);
        handshake.receive(&theirs[..HELLO_BYTES]).expect("goes on");
        drop(handshake.outgoing());
        let error = handshake.receive(&theirs[HELLO_BYTES..]).err().expect("refused");
        assert!(matches!(error, HandshakeError::OtherNode { expected: dialled, .. } if dialled == expected), "{error}");
        assert!(handshake.outgoing().is_empty());
    }

    /// Lets a handshake meet one whose messages after the keys are made by `forge` from the challenge.
    fn against(forge: impl FnOnce(&[u8; 32]) -> Vec<u8>) -> HandshakeError {
        let mut handshake = here();
        let hello = handshake.outgoing();
        let theirs = EphemeralSecret::new([2; 32]);
        let ours = hello[HELLO_PREFIX.len()..].try_into().expect("32 bytes");
        let SessionKeys { mut sealer, challenge, .. } = keys::derive(&theirs, ours).expect("keys");
        let mut bytes = [&HELLO_PREFIX[..], &theirs.public()].concat();
        sealer.seal(&forge(&challenge), &mut bytes).expect("seals");
        handshake.receive(&bytes).err().expect("refused")
    }

    fn proof(key: public_key::Sum, sig: &[u8]) -> Vec<u8> {
        let proof = AuthSig { pub_key: Some(PublicKey { sum: Some(key) }), sig: sig.to_vec().into() };
        let mut text = Vec::new();
        delimited::put(&mut text, &proof.encode_to_vec());
        text
    }

    #[test]
    fn a_peer_that_does_not_hold_the_key_it_shows_is_refused() {
        let (shown, held) = (NodeKey::from_seed(&[4; 32]), NodeKey::from_seed(&[5; 32]));
        let ed25519 = || public_key::Sum::Ed25519(shown.public().to_vec().into());
        let error = against(|challenge| proof(ed25519(), &held.sign(challenge)));
        assert!(matches!(error, HandshakeError::NotTheHolder { claimed } if claimed == shown.id()), "{error}");
        let error = against(|challenge| proof(ed25519(), &shown.sign(challenge)[..63]));
        assert!(matches!(error, HandshakeError::KeyKind), "{error}");
        let error = against(|_| proof(public_key::Sum::Secp256k1(vec![2; 33].into()), &[1; 64]));
        assert!(matches!(error, HandshakeError::KeyKind), "{error}");
        let error = against(|_| vec![0xff, 0xff, 0x03]);
        assert!(matches!(error, HandshakeError::Delimited(DelimitedError::TooLong { .. })), "{error}");
        let error = against(|_| vec![2, 0x0a, 0x05]);
        assert!(matches!(error, HandshakeError::Malformed { what: "proof of the node key", .. }), "{error}");
    }
}
