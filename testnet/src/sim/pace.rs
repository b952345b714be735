//! How fast simulated networks go, and within which times things must have happened.

use std::time::Duration;

use mbft_types::LinearTimeouts;

use crate::consensus::{Config, Pace};

/// Within this time after the end of all faults every node in service is two heights further than the best one was
/// then; during a rollout the best one is, and when the rollout has ended, every node.
pub const LIVENESS_BOUND: Duration = Duration::from_secs(10);

/// Within this time a rollout is at its end, or has halted and gone back.
pub(super) const ROLLOUT_BOUND: Duration = Duration::from_secs(900);

/// The network runs for a while before a rollout begins.
pub(super) const BEFORE_ROLLOUT: Duration = Duration::from_secs(3);

/// How fast validators go: about twelve blocks a second, or one during a rollout.
pub(super) fn config(rollout: bool) -> Config {
    let millis = Duration::from_millis;
    let delta = millis(30);
    let rounds = LinearTimeouts {
        propose: millis(300),
        propose_delta: delta,
        prevote: millis(100),
        prevote_delta: delta,
        precommit: millis(100),
        precommit_delta: delta,
        rebroadcast: millis(600),
        max_timeout: millis(2_000),
    };
    let pace = Pace { rounds, commit: millis(if rollout { 900 } else { 60 }), catch_up: millis(500) };
    Config { pace, block_tx_bytes_max: 200_000 }
}
