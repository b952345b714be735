//! The words of our own protocols.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use node_migrate::serving::TimeRules;
use proofs::note::VerifierKey;
use proto::hello::{Sunset, Version};
use shim::own::node::StaticPeer;

/// How `shim serve` speaks our own protocols.
#[derive(Debug, Args)]
pub(crate) struct Own {
    /// Listen here, over QUIC (UDP) and over TCP, for nodes of our own protocols: other shims, and `fetch`.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) own: Option<SocketAddr>,
    /// Stay connected with this node of our own protocols, such as /ip4/192.0.2.7/udp/26690/quic-v1/p2p/12D3KooW.. (may be
    /// repeated).
    #[arg(long, value_name = "MULTIADDR")]
    pub(crate) own_peer: Vec<OwnPeer>,
    #[command(flatten)]
    pub(crate) spoken: Spoken,
    /// Attest: sign the checkpoint of every so many heights, send it to those who attest too, and raise an alarm when theirs
    /// differs.
    #[arg(long, value_name = "K")]
    pub(crate) attest_every: Option<NonZeroU64>,
    /// File with the key that signs checkpoints, as `checkpoint create --new-key` makes it [default: one of its own, made in the
    /// home].
    #[arg(long, value_name = "FILE", requires = "attest_every")]
    pub(crate) attest_key: Option<PathBuf>,
    /// Public key of another node that attests to the same tree, as `checkpoint create` prints it (may be repeated).
    #[arg(long, value_name = "VKEY", requires = "attest_every", value_parser = a_key)]
    pub(crate) attest_known: Vec<VerifierKey>,
}

/// What a shim speaks, on which it must agree with another.
#[derive(Debug, Args)]
pub(crate) struct Spoken {
    /// Versions of the block exchange that are spoken.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1, 2])]
    pub(crate) versions: Vec<u32>,
    /// Speak no version below this one.
    #[arg(long, value_name = "VERSION", default_value_t = 0)]
    pub(crate) minimum: u32,
    /// Speak a version up to this height of the chain and not above it (may be repeated).
    #[arg(long, value_name = "VERSION@HEIGHT")]
    pub(crate) sunset: Vec<SunsetAt>,
    /// The rule of block time that the network follows: v0.38, v0.40, or switch@HEIGHT from the first to the second. A
    /// height that only the other rule explains is warned of.
    #[arg(long, value_name = "RULE")]
    pub(crate) time_rule: Option<TimeRules>,
}

fn a_key(text: &str) -> Result<VerifierKey, String> {
    VerifierKey::parse(text).map_err(|error| error.to_string())
}

/// A node of our own protocols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnPeer(pub(crate) StaticPeer);

impl FromStr for OwnPeer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let peer = StaticPeer::parse([text]).map_err(|error| error.to_string())?.pop();
        peer.map(Self).ok_or_else(|| "there is no address".to_owned())
    }
}

/// A version that will be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SunsetAt(pub(crate) Sunset);

impl FromStr for SunsetAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (version, height) = text.split_once('@')?;
            Some(Self(Sunset { version: Version(version.parse().ok()?), last_height: height.parse().ok()? }))
        };
        parse().ok_or_else(|| "a version and its last height are given as 1@5000000".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_given_up_at_a_height() {
        let read: SunsetAt = "1@5000000".parse().expect("a sunset");
        assert_eq!(read.0, Sunset { version: Version(1), last_height: 5_000_000 });
        for wrong in ["", "1", "@5", "1@", "1@-5", "v1@5"] {
            assert!(wrong.parse::<SunsetAt>().is_err(), "{wrong}");
        }
    }
}
