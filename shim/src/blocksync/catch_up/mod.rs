//! Helps a node that has left block sync and is behind, height by height, with the messages of consensus.
//!
//! ```text
//! node: NewRoundStep {height h}      on 0x20   ─►  the precommits of block h, on 0x22
//! node: NewValidBlock {h, bits}      on 0x20   ─►  the parts of block h that it lacks, on 0x21
//! node: NewRoundStep {height h + 1}            ─►  and so on
//! ```
//! A node that knows which block it waits for says so once, perhaps to another session than ours: one that does not come on
//! gets all parts unasked. Nor does a node of libp2p that has not noticed the end of a session say its height in the next one of
//! the same identity: one that is silent is asked on the channel of block sync which heights it has. What it says there twice is where
//! it stands; during block sync it would have moved.
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
/// After this a node that has said nothing new is asked which heights it has.
const ASK: Duration = Duration::from_secs(5);

/// Where a node is, and what it was sent.
#[derive(Debug, Default)]
pub struct CatchUp {
    /// The height that it works on.
    height: Option<u64>,
    /// The last height that it has, as it said on the channel of block sync.
    tip: Option<u64>,
    /// When it was asked, or last came on.
    asked: Option<Instant>,
    wanted: Option<WantedParts>,
    /// The height whose votes were sent more than once.
    stands_still: Option<u64>,
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
    /// Its last block is of this height.
    Tip(u64),
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
            Heard::Height(height) => {
                if self.height != Some(height) {
                    self.asked = None;
                }
                self.height = Some(height);
            }
            Heard::Tip(tip) => {
                if self.tip == Some(tip) {
                    self.height = self.height.max(tip.checked_add(1));
                }
                self.tip = Some(tip);
            }
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

    /// Whether to ask the node now which heights it has; it counts as asked from then on.
    pub fn asks(&mut self, now: Instant) -> bool {
        let is_due = self.asked.is_some_and(|asked| now.saturating_duration_since(asked) >= ASK);
        if is_due || self.asked.is_none() {
            self.asked = Some(now);
        }
        is_due
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
            self.stands_still = self.votes_sent.map(|(at, _)| at).filter(|at| *at == height);
            self.votes_sent = Some((height, now));
            return Some(Need::Votes { height });
        }
        if self.stands_still == Some(height) && is_due(self.parts_sent) {
            self.parts_sent = Some((height, now));
            return Some(Need::Parts(WantedParts::all(height)));
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
    fn a_node_that_named_its_block_to_somebody_else_gets_the_parts_unasked() {
        let (mut peer, now) = (CatchUp::default(), Instant::now());
        peer.hear(Heard::Height(8));
        assert_eq!(peer.next(offer(1, 9), now), Some(Need::Votes { height: 8 }));
        assert_eq!(peer.next(offer(1, 9), now), None, "it may still say what it lacks");
        assert_eq!(peer.next(offer(1, 9), now + AGAIN), Some(Need::Votes { height: 8 }));
        assert_eq!(peer.next(offer(1, 9), now + AGAIN), Some(Need::Parts(WantedParts::all(8))));
        assert_eq!(peer.next(offer(1, 9), now + AGAIN), None, "once");
        peer.hear(Heard::Height(9));
        assert_eq!(peer.next(offer(1, 10), now + AGAIN), Some(Need::Votes { height: 9 }));
        assert_eq!(peer.next(offer(1, 10), now + AGAIN), None, "another height begins anew");
    }

    #[test]
    fn a_silent_node_is_asked_where_it_stands() {
        let (mut peer, begin) = (CatchUp::default(), Instant::now());
        assert!(!peer.asks(begin), "it may speak by itself");
        assert!(!peer.asks(begin + ASK / 2));
        assert!(peer.asks(begin + ASK));
        assert!(!peer.asks(begin + ASK), "once");
        peer.hear(Heard::Tip(7));
        assert_eq!(peer.next(offer(1, 10), begin), None, "it may be in block sync");
        peer.hear(Heard::Tip(8));
        assert_eq!(peer.next(offer(1, 10), begin), None, "it is");
        peer.hear(Heard::Tip(8));
        assert_eq!(peer.next(offer(1, 10), begin), Some(Need::Votes { height: 9 }));
        assert!(peer.asks(begin + ASK * 2));
        peer.hear(Heard::Height(10));
        assert!(!peer.asks(begin + ASK * 3), "it has come on");
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
