//! Any bytes as a greeting: never a panic, and what is a hello is one again when it is written, and negotiates with
//! itself and with another without a panic and with mirrored outcomes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::hello::Greeting;
use proto::negotiate;
use proto::negotiate::{Agreement, Incompatible};

fuzz_target!(|bytes: &[u8]| {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    for bytes in [bytes, first, second] {
        if let Ok(greeting) = Greeting::decode(bytes) {
            assert_eq!(Greeting::decode(&greeting.encode()), Ok(greeting));
        }
    }
    if let (Ok(first), Ok(second)) = (Greeting::decode(first), Greeting::decode(second)) {
        let ours = negotiate(&first.hello, &second.hello);
        let theirs = negotiate(&second.hello, &first.hello);
        assert_eq!(ours.map(Agreement::mirrored).map_err(Incompatible::mirrored), theirs);
    }
});
