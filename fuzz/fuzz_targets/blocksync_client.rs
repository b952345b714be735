//! Any sequence of events for a fetch: bounded, no session is ended twice, nothing is delivered that was not asked for.
#![no_main]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use shim::blocksync::client::{Action, Fetch, Patience};
use shim::blocksync::message::Word;
use shim::peering::Session;
use shim::source::Offer;

fuzz_target!(|events: Vec<(u8, u8, Vec<u8>)>| {
    let mut now = Instant::now();
    let mut fetch = Fetch::new(1..=200, Patience::default());
    let mut live = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for (kind, who, bytes) in events {
        let session = Session(u64::from(who % 4));
        let height = bytes.first().copied().map_or(0, u64::from);
        match kind % 8 {
            0 if live.insert(session) => fetch.connected(session),
            0 => {}
            1 => {
                live.remove(&session);
                fetch.closed(session, now);
            }
            2 => fetch.received(session, Bytes::from(bytes), now),
            3 => fetch.received(session, Word::Status(Some(Offer { base: 1, top: height })).encode(), now),
            4 => fetch.received(session, Word::NoBlock { height }.encode(), now),
            5 => {
                let block = Bytes::from([&[0x0a, 0x02, 0x18][..], &[bytes.first().map_or(0, |byte| byte & 0x7f)]].concat());
                fetch.received(session, Word::Block { block, extended_commit: None }.encode(), now);
            }
            6 => fetch.accept(height, now),
            _ => {
                now += Duration::from_secs(height);
                fetch.tick(now);
            }
        }
        for action in fetch.actions() {
            match action {
                Action::Send { session, payload } => {
                    assert!(live.contains(&session));
                    if let Ok(Word::BlockRequest { height }) = Word::decode(payload) {
                        asked.insert((session, height));
                    }
                }
                Action::Block { session, height, .. } => assert!(asked.contains(&(session, height))),
                Action::LetGo { session, .. } => assert!(live.remove(&session)),
            }
        }
    }
});
