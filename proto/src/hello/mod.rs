//! Who a node is and what it speaks: the typed form of `/node-migrate/hello/1`.
//!
//! | file | what |
//! |---|---|
//! | `text` | chain ids and agents: short printable texts |
//! | `terms` | which versions of the block exchange a node speaks |
//! | `status` | where it stands |
//! | `time_rule` | by which rule it checks the times of blocks |
//! | `greeting` | a hello as it is sent, with its place among those of a connection |
//! | `error` | why bytes are not a hello |
//!
//! A [`Hello`] cannot be out of bounds, whoever sent it; it stays a claim.

mod error;
mod greeting;
mod status;
mod terms;
mod text;
mod time_rule;

use std::num::NonZeroU64;

use prost::Message;

use crate::wire;

pub use error::HelloError;
pub use greeting::{GREETING_BYTES_MAX, Greeting};
pub use status::{HEIGHT_MAX, Heights, Status, Storage};
pub use terms::{Sunset, Terms, VERSIONS_MAX, Version, Versions};
pub use text::{Agent, ChainId, Printable};
pub use time_rule::{Disputed, TimeRule};

/// Longest hello on the wire, without its length.
pub const HELLO_BYTES_MAX: usize = 4_096;

/// Who a node is and what it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The chain's id.
    pub chain_id: ChainId,
    /// SHA-256 of the genesis document.
    pub genesis_hash: [u8; 32],
    /// Which versions of the block exchange it speaks.
    pub terms: Terms,
    /// By which rule it checks the times of blocks.
    pub time_rule: TimeRule,
    /// It attests to every height that is a multiple of this.
    pub attest_every: Option<NonZeroU64>,
    /// Where it stands.
    pub status: Status,
    /// Its program and release, for people.
    pub agent: Agent,
}

impl Hello {
    /// Reads a hello.
    ///
    /// # Errors
    /// [`HelloError`]: the first thing that is out of bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        if bytes.len() > HELLO_BYTES_MAX {
            return Err(HelloError::TooLong { bytes: bytes.len() });
        }
        let wire = wire::hello::Hello::decode(bytes).map_err(|source| HelloError::Malformed { source })?;
        let length = wire.genesis_hash.len();
        Ok(Self {
            chain_id: Printable::new(wire.chain_id).map_err(|bytes| HelloError::ChainId { bytes })?,
            genesis_hash: wire.genesis_hash[..].try_into().map_err(|_| HelloError::GenesisHash { bytes: length })?,
            terms: Terms::from_wire(wire.terms.unwrap_or_default())?,
            time_rule: TimeRule::from_wire(wire.commit_time_from)?,
            attest_every: NonZeroU64::new(wire.attest_every),
            status: Status::from_wire(wire.status.unwrap_or_default())?,
            agent: Printable::new(wire.agent).map_err(|bytes| HelloError::Agent { bytes })?,
        })
    }

    /// Writes the hello; at most [`HELLO_BYTES_MAX`] bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let wire = wire::hello::Hello {
            chain_id: self.chain_id.as_str().to_owned(),
            genesis_hash: self.genesis_hash.to_vec().into(),
            terms: Some(self.terms.to_wire()),
            commit_time_from: self.time_rule.commit_time_from(),
            attest_every: self.attest_every.map_or(0, NonZeroU64::get),
            status: Some(self.status.to_wire()),
            agent: self.agent.as_str().to_owned(),
        };
        wire.encode_to_vec()
    }
}
