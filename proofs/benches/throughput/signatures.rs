//! Ed25519 signatures by ZIP-215, batched over the commits of a validator set.

use ed25519_zebra::{SigningKey, VerificationKey};
use proofs::commit::{BlockId, PublicKey, SignatureBatch, Timestamp, VoteTemplate};

use crate::table::{measure, rate};

const SIGNATURES: u32 = 200_000;

pub fn run() {
    for validators in [50_u8, 100] {
        let keys: Vec<SigningKey> = (0..validators).map(|number| SigningKey::from([number; 32])).collect();
        let mut template = VoteTemplate::new("benchmark-chain-1");
        let mut votes = Vec::new();
        for height in 1..=i64::from(SIGNATURES / u32::from(validators)) {
            template.set(height, 0, &BlockId { hash: [1; 32], part_count: 1, part_set_hash: [2; 32] });
            for (nanos, key) in (1_i32..).zip(&keys) {
                let message = template.for_block(Timestamp { seconds: 1_700_000_000 + height, nanos }).to_vec();
                let public = PublicKey::Ed25519(VerificationKey::from(key).into());
                votes.push((public, key.sign(&message).to_bytes(), message));
            }
        }
        let (verdict, took) = measure(|| {
            let mut batch = SignatureBatch::new();
            for (place, (key, signature, message)) in votes.iter().enumerate() {
                batch.push(*key, message, signature, place);
            }
            batch.finish()
        });
        verdict.expect("all hold");
        let what = format!("signatures of commits of {validators} validators, batched, one core");
        rate(&what, votes.len() as u64, took, took.processor, "signatures/s", "100 k");
    }
}
