//! Any bytes, in pieces of any sizes, as the stream of a message. The first two bytes choose the limit, the next the pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shim::lp2p::frame::{Incoming, Progress, prefix};

fuzz_target!(|bytes: &[u8]| {
    let [low, high, piece, stream @ ..] = bytes else { return };
    let limit = usize::from(u16::from_le_bytes([*low, *high])) * 64;
    let mut incoming = Incoming::new(limit);
    let mut rest = stream;
    let mut is_whole = false;
    while !is_whole {
        let space = incoming.space();
        let count = space.len().min(usize::from(*piece) + 1).min(rest.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        // Memory follows what has arrived, not what is claimed.
        assert!(incoming.held() <= 2 * incoming.arrived().max(64 << 10) + 1024);
        match incoming.advance(count) {
            Ok(progress) => is_whole = progress == Progress::Whole,
            Err(_) => return,
        }
        if count == 0 {
            break;
        }
    }
    let finished = incoming.finish();
    assert_eq!(finished.is_ok(), is_whole);
    if let Ok((buffer, payload)) = finished {
        let payload = &buffer[payload];
        assert!(!payload.is_empty() && payload.len() <= limit && stream.starts_with(&buffer));
        // The prefix may be spelled longer than needed, never shorter.
        assert!(prefix(payload.len()).len() + payload.len() <= buffer.len());
    }
});
