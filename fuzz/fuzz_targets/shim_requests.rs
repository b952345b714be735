//! Any bytes as what a client asks: never a panic, always an answer, and frames that come to an end.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use prost::Message;
use proto::wire::blocks2::Request;
use shim::own::blocks::{Sender, one};
use shim::source::{BlockSource, Offer, OfferedBlock, SourceError};

/// Blocks of all sizes around a part, one of them unreadable.
struct Few;

impl BlockSource for Few {
    fn chain_id(&self) -> &str {
        "fuzz"
    }

    fn offer(&self) -> Option<Offer> {
        Some(Offer { base: 1, top: 6 })
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        let length = match height {
            1 => 1,
            2 => 65_536,
            3 => 65_537,
            4 => 0,
            5 => return Err(SourceError { height, reason: "damaged".to_owned() }),
            _ => 200_000,
        };
        let block: Bytes = vec![7; length].into();
        Ok((height <= 6).then(|| OfferedBlock { height, hash: [1; 32], extended_commit: Some(block.clone()), block }))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (Ok(response) | Err((response, _))) = one::answer(bytes, &Few);
    assert!(!response.is_empty());
    if let Ok(request) = Request::decode(bytes)
        && let Ok(mut sender) = Sender::new(&request, Few.offer())
    {
        assert!((1..10).contains(&std::iter::from_fn(|| sender.next_frame(&Few)).count()));
    }
});
