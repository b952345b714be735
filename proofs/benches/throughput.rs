//! How fast proofs are made and checked, one core unless said: `cargo bench -p proofs --profile dev`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::time::{Duration, Instant};

use ed25519_zebra::{SigningKey, VerificationKey};
use proofs::commit::{BlockId, PublicKey, SignatureBatch, Timestamp, VoteTemplate};

fn main() {
    println!("{:<44} {:>14}", "what", "per second");
    signatures();
}

fn report(what: &str, count: u64, time: Duration) {
    println!("{what:<44} {:>14.0}", count as f64 / time.as_secs_f64());
}

/// Votes of `validators` keys over enough heights for 60,000 signatures.
fn signatures() {
    for validators in [50_u8, 100] {
        let keys: Vec<SigningKey> = (0..validators).map(|number| SigningKey::from([number; 32])).collect();
        let mut template = VoteTemplate::new("benchmark-chain-1");
        let mut votes = Vec::new();
        for height in 1..=60_000 / i64::from(validators) {
            template.set(height, 0, &BlockId { hash: [1; 32], part_count: 1, part_set_hash: [2; 32] });
            for (nanos, key) in (1_i32..).zip(&keys) {
                let message = template.for_block(Timestamp { seconds: 1_700_000_000 + height, nanos }).to_vec();
                let public = PublicKey::Ed25519(VerificationKey::from(key).into());
                votes.push((public, key.sign(&message).to_bytes(), message));
            }
        }
        let mut batch = SignatureBatch::new();
        let start = Instant::now();
        for (place, (key, signature, message)) in votes.iter().enumerate() {
            batch.push(*key, message, signature, place);
        }
        batch.finish().expect("all hold");
        report(&format!("signatures, {validators} validators"), batch.checked(), start.elapsed());
    }
}
