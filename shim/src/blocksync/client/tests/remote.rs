//! Peers of all kinds: how each answers what a client asks.

use bytes::Bytes;
use prost::Message as _;
use proto::cometbft::types::Block;

use crate::blocksync::client::peers;
use crate::blocksync::message::Word;
use crate::blocksync::server::{Answer, Server};
use crate::source::{BlockSource, Offer, OfferedBlock, SourceError};

/// The last height of the chain that they have.
pub const TOP: u64 = 300;

/// The block of a height: as much of one as a client looks at, and something to tell it from a forged one.
pub fn block(height: u64) -> Bytes {
    let mut header = vec![0x18];
    prost::encoding::encode_varint(height, &mut header);
    let data = vec![7; usize::try_from(height % 50).expect("small")];
    let block = Block { header: Some(header.into()), data: Some(data.into()), evidence: None, last_commit: None };
    block.encode_to_vec().into()
}

/// A chain of such blocks.
struct Chain {
    offer: Offer,
}

impl BlockSource for Chain {
    fn chain_id(&self) -> &str {
        "chain"
    }

    fn offer(&self) -> Option<Offer> {
        Some(self.offer)
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        let offered = OfferedBlock { height, hash: [0; 32], block: block(height), extended_commit: None };
        Ok((self.offer.base..=self.offer.top).contains(&height).then_some(offered))
    }
}

/// How a peer behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Honest,
    /// Has the lower half only.
    Half,
    /// Claims heights that it lacks.
    Boaster,
    /// Answers nothing but its heights.
    Silent,
    /// Sends the block above the one asked for.
    Confused,
    /// Sends blocks with a changed byte.
    Forger,
    /// Says each thing twice.
    Stammerer,
    /// Sends noise.
    Noisy,
}

/// A peer.
pub struct Remote {
    pub kind: Kind,
    server: Server,
}

impl Remote {
    /// One that has said nothing yet.
    pub fn new(kind: Kind) -> Self {
        Self { kind, server: Server::default() }
    }

    /// What it answers to a payload.
    pub fn answers(&mut self, payload: Bytes) -> Vec<Bytes> {
        let offer = match self.kind {
            Kind::Half => Offer { base: 1, top: TOP / 2 },
            _ => Offer { base: 1, top: TOP },
        };
        let chain = Chain { offer };
        let is_status = Word::decode(payload.clone()).ok() == Some(Word::StatusRequest);
        let answer = match self.server.answer(payload, &chain) {
            Ok(Answer::Status(payload) | Answer::Block { payload, .. } | Answer::NoBlock { payload, .. }) => payload,
            _ => return Vec::new(),
        };
        if is_status {
            return vec![answer];
        }
        let asked = |answer: &Bytes| match Word::decode(answer.clone()) {
            Ok(Word::Block { block, .. }) => peers::height_of(&block),
            _ => None,
        };
        match self.kind {
            Kind::Honest | Kind::Half => vec![answer],
            Kind::Boaster => asked(&answer).map(|height| Word::NoBlock { height }.encode()).into_iter().collect(),
            Kind::Silent => Vec::new(),
            Kind::Confused => {
                let other = asked(&answer).map(|height| block(height + 1));
                other.map(|block| Word::Block { block, extended_commit: None }.encode()).into_iter().collect()
            }
            Kind::Forger => {
                let mut bytes = answer.to_vec();
                // The last byte is one of the block's data, or of its height's encoding.
                if let Some(last) = bytes.last_mut() {
                    *last ^= 0x08;
                }
                vec![bytes.into()]
            }
            Kind::Stammerer => vec![answer.clone(), answer],
            Kind::Noisy => vec![Bytes::from_static(&[0xff, 0x00])],
        }
    }
}
