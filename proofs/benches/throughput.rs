//! How fast proofs are made and checked on one core: `cargo bench -p proofs --profile dev`.
//!
//! Times are those that the thread spent on a core, so that other work on the machine does not count.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use ed25519_zebra::{SigningKey, VerificationKey};
use proofs::commit::{BlockId, PublicKey, SignatureBatch, Timestamp, VoteTemplate};

fn main() {
    println!("{:<44} {:>14}", "what", "per second");
    signatures();
}

/// Nanoseconds that this thread has been on a core (Linux, `Documentation/scheduler/sched-stats.rst`).
fn core_time_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with scheduler statistics");
    text.split(' ').next().and_then(|first| first.parse().ok()).expect("a number of nanoseconds")
}

/// Prints how many of `count` things a second `run` does.
fn measure(what: &str, count: u64, run: impl FnOnce()) {
    let start = core_time_nanos();
    run();
    let nanos = core_time_nanos() - start;
    println!("{what:<44} {:>14}", u128::from(count) * 1_000_000_000 / u128::from(nanos.max(1)));
}

/// Votes of a validator set over enough heights for 60,000 signatures.
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
        measure(&format!("signatures, {validators} validators"), votes.len() as u64, || {
            let mut batch = SignatureBatch::new();
            for (place, (key, signature, message)) in votes.iter().enumerate() {
                batch.push(*key, message, signature, place);
            }
            batch.finish().expect("all hold");
        });
    }
}
