//! One peer as block sync sees it: what it was told, and what it is answered. Pure: payload in, payload out.
//!
//! A node takes what it is told for granted: it leaves block sync when it has all heights that it was told of, drops a
//! peer whose heights go down, and stays behind for ever when a height is announced and not there (lp2p.md, section 5).
//! So nothing is told before there is something, and only what the source delivers at once.

use bytes::Bytes;

use super::message::{Word, WordError};
use crate::source::{BlockSource, Offer, SourceError};

/// The state of one peer.
#[derive(Debug, Default)]
pub struct Server {
    told: Option<Offer>,
}

/// What became of a message.
#[derive(Debug)]
pub enum Answer {
    /// Nothing is to be said.
    Nothing,
    /// The heights were told.
    Status(Bytes),
    /// The peer said which heights it has.
    Heard {
        /// The highest; `None` when it has none.
        top: Option<u64>,
    },
    /// A block is delivered.
    Block {
        /// Its height.
        height: u64,
        /// The payload.
        payload: Bytes,
    },
    /// There is no block at the height, which is not in the offer.
    NoBlock {
        /// The height.
        height: u64,
        /// The payload.
        payload: Bytes,
    },
    /// A height of the offer cannot be delivered: its bytes are not the chain's any more.
    Damaged {
        /// What is wrong.
        error: SourceError,
        /// The payload, which says that there is no block.
        payload: Bytes,
    },
}

/// Why a peer is let go.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Misconduct {
    /// It says what cannot be read.
    #[error(transparent)]
    Word(#[from] WordError),
    /// It sends blocks that nobody asked for.
    #[error("a block that nobody asked for")]
    Unsolicited,
}

impl Server {
    /// What to tell the peer because there is more than it was told.
    pub fn announce(&mut self, offer: Option<Offer>) -> Option<Bytes> {
        let offer = self.raised(offer)?;
        (self.told.replace(offer) != Some(offer)).then(|| Word::Status(Some(offer)).encode())
    }

    /// Takes a message of the peer. Blocks the thread while a block is read.
    ///
    /// # Errors
    /// [`Misconduct`]: the session should end.
    pub fn answer(&mut self, payload: Bytes, source: &dyn BlockSource) -> Result<Answer, Misconduct> {
        match Word::decode(payload)? {
            Word::StatusRequest => {
                // A status without heights would tell the node that it has all of them.
                let Some(offer) = self.raised(source.offer()) else { return Ok(Answer::Nothing) };
                self.told = Some(offer);
                Ok(Answer::Status(Word::Status(Some(offer)).encode()))
            }
            Word::BlockRequest { height } => Ok(block(height, source)),
            Word::Status(has) => Ok(Answer::Heard { top: has.map(|offer| offer.top) }),
            Word::NoBlock { .. } => Ok(Answer::Nothing),
            Word::Block { .. } => Err(Misconduct::Unsolicited),
        }
    }

    /// The offer, with neither end below what was told.
    fn raised(&self, offer: Option<Offer>) -> Option<Offer> {
        let told = self.told.unwrap_or(Offer { base: 0, top: 0 });
        offer.or(self.told).map(|offer| Offer { base: offer.base.max(told.base), top: offer.top.max(told.top) })
    }
}

fn block(height: u64, source: &dyn BlockSource) -> Answer {
    let payload = || Word::NoBlock { height }.encode();
    match source.block(height) {
        Ok(Some(found)) => {
            let payload = Word::Block { block: found.block, extended_commit: found.extended_commit }.encode();
            Answer::Block { height, payload }
        }
        Ok(None) => Answer::NoBlock { height, payload: payload() },
        Err(error) => Answer::Damaged { error, payload: payload() },
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Golden, blocks};
    use super::*;

    fn hexed(answer: Answer) -> String {
        match answer {
            Answer::Nothing | Answer::Heard { .. } => "nothing".to_owned(),
            Answer::Status(payload)
            | Answer::Block { payload, .. }
            | Answer::NoBlock { payload, .. }
            | Answer::Damaged { payload, .. } => hex::encode(payload),
        }
    }

    fn answer(server: &mut Server, payload: &str, source: &Golden) -> String {
        hexed(server.answer(hex::decode(payload).expect("hex").into(), source).expect("an answer"))
    }

    #[test]
    fn blocks_are_answered_as_real_nodes_answer_them() {
        for chain in blocks() {
            let source = Golden::of(chain.clone());
            let mut server = Server::default();
            for block in &chain {
                let request = hex::encode(Word::BlockRequest { height: block.height }.encode());
                assert_eq!(answer(&mut server, &request, &source), block.response, "height {}", block.height);
            }
        }
    }

    #[test]
    fn nothing_is_told_before_there_is_something() {
        let source = Golden::of(Vec::new());
        let mut server = Server::default();
        assert_eq!(server.announce(None), None);
        assert_eq!(answer(&mut server, "2200", &source), "nothing");
        assert_eq!(answer(&mut server, "0a020801", &source), "12020801", "no block at height 1");
    }

    #[test]
    fn heights_are_told_when_they_grow_and_never_go_down() {
        let mut server = Server::default();
        let mut told = |base, top| server.announce(Some(Offer { base, top })).map(hex::encode);
        assert_eq!(told(1, 2).as_deref(), Some("2a0408021001"));
        assert_eq!(told(1, 2), None);
        assert_eq!(told(1, 3).as_deref(), Some("2a0408031001"));
        assert_eq!(told(1, 1), None);
        assert_eq!(told(2, 1).as_deref(), Some("2a0408031002"));
        assert_eq!(told(1, 4).as_deref(), Some("2a0408041002"));
        assert_eq!(server.announce(None), None);
    }

    #[test]
    fn a_height_that_cannot_be_delivered_is_said_to_be_missing() {
        let mut source = Golden::of(blocks().remove(0));
        source.damaged = Some(2);
        let answer = Server::default().answer(Word::BlockRequest { height: 2 }.encode(), &source).expect("an answer");
        assert!(matches!(&answer, Answer::Damaged { error, .. } if error.height == 2), "{answer:?}");
        assert_eq!(hexed(answer), "12020802");
    }

    #[test]
    fn who_breaks_the_rules_is_let_go() {
        let source = Golden::of(Vec::new());
        let unasked = Word::Block { block: Bytes::new(), extended_commit: None }.encode();
        let mut server = Server::default();
        assert!(matches!(server.answer(unasked, &source), Err(Misconduct::Unsolicited)));
        assert!(matches!(server.answer(Bytes::from_static(&[0xff]), &source), Err(Misconduct::Word(_))));
        assert_eq!(answer(&mut server, "2a0408051001", &source), "nothing", "what it has is its business");
    }
}
