//! Any bytes as an attestation and as its reply: never a panic, and a reply is the same when it is written and read.
#![no_main]

use std::num::NonZeroU64;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use proofs::note::{Algorithm, SignerKey};
use shim::own::attest::{Book, Reply, read_attestation};

fuzz_target!(|bytes: &[u8]| {
    let key = |seed| SignerKey::from_seed("fuzz/blocks-v1/1", Algorithm::Ed25519, &[seed; 32]).expect("a name");
    let mut book = Book::new(key(1).verifier().clone(), vec![key(2).verifier().clone()]).expect("an origin");
    let every = NonZeroU64::MIN;
    let note = read_attestation(Bytes::copy_from_slice(bytes)).unwrap_or_default();
    for note in [&note, bytes] {
        let judged = book.judge(note, every);
        let reply = Reply::of(&judged.verdict);
        assert_eq!(Reply::decode(reply.encode().into()), Ok(reply));
    }
    if let Ok(reply) = Reply::decode(Bytes::copy_from_slice(bytes)) {
        assert_eq!(Reply::decode(reply.encode().into()), Ok(reply));
    }
});
