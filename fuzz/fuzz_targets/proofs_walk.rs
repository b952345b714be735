//! Any text as the state of a walk, also with its sum made right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofs::chain::{Walk, WalkState, WalkStateError};

fuzz_target!(|text: &str| {
    let summed = match WalkState::parse(text) {
        Err(WalkStateError::Sum { expected, actual }) => text.replace(&actual, &expected),
        _ => text.to_owned(),
    };
    if let Ok(state) = WalkState::parse(&summed) {
        assert_eq!(state.to_string(), summed);
        if let Ok(walk) = Walk::resume(state.clone()) {
            assert_eq!(walk.state(), state);
        }
    }
});
