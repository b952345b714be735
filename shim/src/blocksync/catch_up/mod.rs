//! Helps a node that has left block sync and is behind, height by height, with the messages of consensus.
//!
//! ```text
//! node: NewRoundStep {height h}      on 0x20   ─►  the precommits of block h, on 0x22
//! node: NewValidBlock {h, bits}      on 0x20   ─►  the parts of block h that it lacks, on 0x21
//! node: NewRoundStep {height h + 1}            ─►  and so on
//! ```
//! Votes and parts are the chain's own, signed by its validators: the node checks all of them. Without this a node that
//! synced from us alone would stay behind after its last block (lp2p.md, section 5; CometBFT `consensus/reactor.go`).
//! Pure: what is heard and the time go in, what to load and send comes out.

mod parts;
mod votes;

use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message as _;
use proto::cometbft::consensus::message::Sum;
use proto::cometbft::consensus::{Message, NewRoundStep, NewValidBlock};

pub use parts::{PartsError, WantedParts, parts};
pub use votes::{VotesError, precommits};

use crate::source::Offer;

/// After this the same is sent again to a node that has not come on.
const AGAIN: Duration = Duration::from_secs(5);

/// Where a node is, and what it was sent.
#[derive(Debug, Default)]
pub struct CatchUp {
    /// The height that it works on.
    height: Option<u64>,
    wanted: Option<WantedParts>,
    votes_sent: Option<(u64, Instant)>,
    parts_sent: Option<(u64, Instant)>,
}

/// What a node lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The precommits for the block of a height.
    Votes {
        /// The height.
        height: u64,
    },
    /// Parts of a block.
    Parts(WantedParts),
}

/// What of a consensus message matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The node works on a height.
    Height(u64),
    /// It knows which block is the one of a height, and lacks parts of it.
    Wants(WantedParts),
}

impl Heard {
    /// Reads a payload of channel 0x20; `None` when it says nothing that matters.
    ///
    /// # Errors
    /// When it is no message of consensus.
    pub fn decode(payload: Bytes) -> Result<Option<Self>, prost::DecodeError> {
        let heard = match Message::decode(payload)?.sum {
            Some(Sum::NewRoundStep(NewRoundStep { height, .. })) => u64::try_from(height).ok().map(Self::Height),
            Some(Sum::NewValidBlock(NewValidBlock {
                height,
                round,
                block_part_set_header: Some(header),
                block_parts,
                ..
            })) => u64::try_from(height)
                .ok()
                .and_then(|height| WantedParts::new(height, round, header, block_parts))
                .map(Self::Wants),
            _ => None,
        };
        Ok(heard)
    }
}

impl CatchUp {
    /// Takes what was heard. A node may say less than before: after a restart within one session it does not.
    pub fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Height(height) => self.height = Some(height),
            Heard::Wants(wanted) => {
                // New bits of the same block are no reason to begin again.
                if self.wanted.as_ref().is_none_or(|before| !before.is_same_block(&wanted)) {
                    self.parts_sent = None;
                }
                self.height = self.height.max(Some(wanted.height));
                self.wanted = Some(wanted);
            }
        }
    }

    /// What to send next of what is in the offer; it counts as sent from then on.
    pub fn next(&mut self, offer: Option<Offer>, now: Instant) -> Option<Need> {
        let (height, offer) = (self.height?, offer?);
        if height < offer.base || height > offer.top {
            return None;
        }
        let is_due = |sent: Option<(u64, Instant)>| {
            sent.is_none_or(|(at, when)| at != height || now.saturating_duration_since(when) >= AGAIN)
        };
        if let Some(wanted) = self.wanted.as_ref().filter(|wanted| wanted.height == height)
            && is_due(self.parts_sent)
        {
            self.parts_sent = Some((height, now));
            return Some(Need::Parts(wanted.clone()));
        }
        // The votes stand in the block above.
        if height < offer.top && is_due(self.votes_sent) {
            self.votes_sent = Some((height, now));
            return Some(Need::Votes { height });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proto::cometbft::types::PartSetHeader;

    use super::*;

    fn offer(base: u64, top: u64) -> Option<Offer> {
        Some(Offer { base, top })
    }

    fn wants(height: u64, hash: u8) -> WantedParts {
        let header = PartSetHeader { total: 1, hash: vec![hash; 32].into() };
        WantedParts::new(height, 0, header, None).expect("a block of one part")
    }

    #[test]
    fn a_real_node_is_understood() {
        let golden = hex::decode("0a04084d1801").expect("hex");
        assert_eq!(Heard::decode(golden.into()).expect("decodes"), Some(Heard::Height(77)));
        assert_eq!(Heard::decode(Bytes::from_static(&[0x3a, 0x00])).expect("HasVote"), None);
        assert_eq!(Heard::decode(Bytes::from_static(&[0x62, 0x00])).expect("a message of another release"), None);
        assert!(Heard::decode(Bytes::from_static(&[0x0a])).is_err());
    }

    #[test]
    fn votes_then_parts_then_the_next_height() {
        let (mut peer, now) = (CatchUp::default(), Instant::now());
        assert_eq!(peer.next(offer(1, 10), now), None, "nothing was heard");
        peer.hear(Heard::Height(8));
        assert_eq!(peer.next(None, now), None);
        assert_eq!(peer.next(offer(9, 10), now), None, "it is not there any more");
        assert_eq!(peer.next(offer(1, 7), now), None, "it is not there yet");
        assert_eq!(peer.next(offer(1, 8), now), None, "its votes are not there yet");
        assert_eq!(peer.next(offer(1, 9), now), Some(Need::Votes { height: 8 }));
        assert_eq!(peer.next(offer(1, 9), now), None, "once");
        peer.hear(Heard::Wants(wants(8, 1)));
        assert_eq!(peer.next(offer(1, 9), now), Some(Need::Parts(wants(8, 1))));
        assert_eq!(peer.next(offer(1, 9), now), None, "once");
        peer.hear(Heard::Height(9));
        assert_eq!(peer.next(offer(1, 9), now), None);
        assert_eq!(peer.next(offer(1, 10), now), Some(Need::Votes { height: 9 }));
    }

    #[test]
    fn what_was_lost_is_sent_again_after_a_while() {
        let (mut peer, now) = (CatchUp::default(), Instant::now());
        peer.hear(Heard::Wants(wants(8, 1)));
        assert_eq!(peer.next(offer(1, 9), now), Some(Need::Parts(wants(8, 1))));
        assert_eq!(peer.next(offer(1, 9), now), Some(Need::Votes { height: 8 }));
        assert_eq!(peer.next(offer(1, 9), now + AGAIN / 2), None);
        peer.hear(Heard::Wants(wants(8, 2)));
        assert_eq!(
            peer.next(offer(1, 9), now + AGAIN / 2),
            Some(Need::Parts(wants(8, 2))),
            "another block is no repetition"
        );
        assert_eq!(peer.next(offer(1, 9), now + AGAIN), Some(Need::Votes { height: 8 }));
        assert_eq!(peer.next(offer(1, 9), now + AGAIN + AGAIN / 2), Some(Need::Parts(wants(8, 2))));
    }
}
