//! Any bytes, in pieces of any size, as the other side of a handshake: never a panic, and never an end but with the right keys.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use shim::classic::handshake::{Handshake, Identity};
use shim::classic::node_info::NodeInfo;
use shim::classic::node_key::NodeKey;

fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let key = Arc::new(NodeKey::from_seed(&[3; 32]));
    let identity = Identity { key, info: Arc::new(NodeInfo::default()), expected: None };
    let mut handshake = Handshake::new(identity, [1; 32]);
    for piece in bytes.chunks(usize::from(step) + 1) {
        match handshake.receive(piece) {
            // Nobody guesses a tag of 128 bits.
            Ok(established) => assert!(established.is_none()),
            Err(_) => return,
        }
        assert!(handshake.outgoing().len() <= 2 * 1_044 + 35);
    }
});
