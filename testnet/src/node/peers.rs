//! Who the others are, and what this node says of itself: all of it follows from the scenario.

use proto::hello::{Heights, Hello, HelloError, Printable, Status, Storage, Terms, TimeRule, Version, Versions};
use sha2::{Digest, Sha256};

use crate::chain::{Dialect, Genesis};
use crate::consensus::WireVersion;
use crate::store::Format;

/// Why a node cannot say who it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelloFault {
    /// A number that no hello has.
    #[error(transparent)]
    Hello(#[from] HelloError),
    /// A name that no hello has.
    #[error("{what} of {bytes} bytes is no printable name")]
    Name {
        /// Which.
        what: &'static str,
        /// Its bytes.
        bytes: usize,
    },
}

/// SHA-256 of the genesis document as the chain distributes it: in the dialect of its oldest release, whatever a home has by now.
#[must_use]
pub fn genesis_hash(genesis: &Genesis) -> [u8; 32] {
    Sha256::digest(genesis.to_json(Dialect::V0_38)).into()
}

/// What a node says of itself: in the new format it speaks both versions, in the old one the first alone; it offers all its blocks.
pub(super) fn hello(genesis: &Genesis, format: Format, height: u64) -> Result<Hello, HelloFault> {
    let (storage, versions): (_, &[u32]) = match format {
        Format::Old => (Storage::Old, &[1]),
        Format::New => (Storage::CutOver, &[2, 1]),
    };
    let versions = Versions::new(versions.iter().copied())?;
    let first = genesis.initial_height;
    let offer = if height < first { None } else { Some(Heights::new(first, height)?) };
    let name = |what| move |bytes| HelloFault::Name { what, bytes };
    Ok(Hello {
        chain_id: Printable::new(&genesis.chain_id).map_err(name("the chain"))?,
        genesis_hash: genesis_hash(genesis),
        terms: Terms::new(versions.clone(), versions, Version::ONE),
        time_rule: TimeRule::V0_38,
        attest_every: None,
        status: Status::new(storage, offer, height)?,
        agent: Printable::new(concat!("testnet/", env!("CARGO_PKG_VERSION"))).map_err(name("the agent"))?,
    })
}

/// How messages are written in a version of the hellos.
pub(super) const fn wire_version(version: Version) -> Option<WireVersion> {
    match version {
        Version::ONE => Some(WireVersion::V1),
        Version::TWO => Some(WireVersion::V2),
        Version(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use ledger_formats::comet::TimeRule as BlockTimeRule;
    use proto::negotiate::{Party, spoken};

    use super::*;
    use crate::chain::{Crypto, PublicKey, Quorum, Rules, Time};

    #[test]
    fn two_nodes_speak_the_newest_version_that_both_stores_allow() {
        let rules = Rules { time: BlockTimeRule::AllVotes, quorum: Quorum::TWO_THIRDS, crypto: Crypto::Ed25519 };
        let genesis = Genesis {
            chain_id: "chain".to_owned(),
            initial_height: 1,
            time: Time(0),
            validators: vec![(PublicKey([1; 32]), 1)],
            rules,
        };
        for (one, other, expected) in [
            (Format::Old, Format::Old, WireVersion::V1),
            (Format::Old, Format::New, WireVersion::V1),
            (Format::New, Format::New, WireVersion::V2),
        ] {
            let [one, other] = [one, other].map(|format| hello(&genesis, format, 0).expect("a hello"));
            for (from, to) in [(&one, &other), (&other, &one)] {
                let version = spoken(Party::Local, from, to).and_then(wire_version);
                assert_eq!(version, Some(expected));
            }
        }
    }
}
