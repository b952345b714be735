//! Why bytes are not a hello.

use super::{Agent, ChainId, HELLO_BYTES_MAX, VERSIONS_MAX};

/// The first thing of a hello that is out of bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// Longer than a hello may be.
    #[error("hello of {bytes} bytes is longer than {HELLO_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not a message at all.
    #[error("hello does not decode: {source}")]
    Malformed {
        /// Why.
        source: prost::DecodeError,
    },
    /// The chain id is empty, too long, or has characters that are not printable.
    #[error("chain id of {bytes} bytes is not 1 to {} printable ASCII characters", ChainId::MAX)]
    ChainId {
        /// Its length.
        bytes: usize,
    },
    /// The agent is empty, too long, or has characters that are not printable.
    #[error("agent of {bytes} bytes is not 1 to {} printable ASCII characters", Agent::MAX)]
    Agent {
        /// Its length.
        bytes: usize,
    },
    /// The genesis hash is no hash.
    #[error("genesis hash has {bytes} bytes instead of 32")]
    GenesisHash {
        /// Its length.
        bytes: usize,
    },
    /// A list of versions is too long.
    #[error("{count} {list} versions are more than {VERSIONS_MAX}")]
    TooManyVersions {
        /// Which list.
        list: &'static str,
        /// Its length.
        count: usize,
    },
    /// A list of versions is not strictly descending, or has version 0.
    #[error("{list} versions are not descending numbers from 1: {version} follows {before}")]
    VersionOrder {
        /// Which list.
        list: &'static str,
        /// The version out of order.
        version: u32,
        /// The version before it; one more than the largest for the first.
        before: u64,
    },
    /// A height is 0 where none can be, or does not fit into 63 bits.
    #[error("{what} {height} is not a height from 1 to 2^63 - 1")]
    Height {
        /// Which height.
        what: &'static str,
        /// What it says.
        height: u64,
    },
    /// The heights offered do not make a range below the tip.
    #[error("heights {base} to {top} are no range up to the tip {tip}")]
    Range {
        /// The lowest height offered.
        base: u64,
        /// The highest height offered.
        top: u64,
        /// The highest height known.
        tip: u64,
    },
}
