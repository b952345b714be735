//! Any bytes as payloads of block sync and of consensus: read, written again, answered; never more than was asked.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use shim::blocksync::catch_up::{Heard, parts, precommits};
use shim::blocksync::message::Word;
use shim::blocksync::server::{Answer, Server};
use shim::source::{BlockSource, Offer, OfferedBlock, SourceError};

/// Gives the fuzzed bytes as every block.
struct Same(Bytes);

impl BlockSource for Same {
    fn chain_id(&self) -> &str {
        "chain"
    }

    fn offer(&self) -> Option<Offer> {
        Some(Offer { base: 2, top: 9 })
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        let block = || OfferedBlock { height, hash: [0; 32], block: self.0.clone(), extended_commit: None };
        Ok((2..=9).contains(&height).then(block))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(word) = Word::decode(bytes.clone()) {
        assert_eq!(Word::decode(word.clone().encode()).expect("reads"), word);
    }
    match Server::default().answer(bytes.clone(), &Same(bytes.clone())) {
        Ok(Answer::Block { height, .. }) => assert!((2..=9).contains(&height)),
        Ok(Answer::NoBlock { height, .. }) => assert!(!(2..=9).contains(&height)),
        _ => {}
    }
    if let Ok(Some(Heard::Wants(wanted))) = Heard::decode(bytes.clone())
        && let Ok(parts) = parts(&bytes, &wanted)
    {
        assert!(parts.count() <= 1_601);
    }
    let block = |extended_commit| OfferedBlock { height: 1, hash: [0; 32], block: bytes.clone(), extended_commit };
    let _ = precommits(&block(None), &block(None));
    let _ = precommits(&block(Some(bytes.clone())), &block(None));
});
