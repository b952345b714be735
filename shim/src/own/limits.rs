//! Every bound of our protocols in one place; docs/protocol.md states the same numbers.

use std::time::Duration;

/// Bytes of every part of a block but the last (CometBFT, types/params.go).
pub const PART_BYTES: usize = 65_536;

/// Most bytes of a block and its extended commit together: what CometBFT's own block sync can carry.
pub const DELIVERY_BYTES_MAX: usize = 104_857_600;

/// Most heights of one request.
pub const HEIGHTS_MAX: u64 = 1_000_000;

/// Longest request for blocks.
pub const REQUEST_BYTES_MAX: usize = 64;

/// Longest response of `blocks/1`.
pub const RESPONSE_BYTES_MAX: usize = DELIVERY_BYTES_MAX + 1_024;

/// Size at which a sender of `blocks/2` ends a frame, before compression.
pub const FRAME_TARGET_BYTES: usize = 1 << 20;

/// Most bytes of the pieces of a frame, expanded.
pub const FRAME_EXPANDED_MAX: usize = 2 << 20;

/// Longest frame on the wire.
pub const FRAME_BYTES_MAX: usize = FRAME_EXPANDED_MAX + 1_024;

/// Longest attestation, and longest reply.
pub const ATTEST_BYTES_MAX: usize = 16_384;

/// Longest relayed message.
pub const RELAY_BYTES_MAX: usize = 32 << 20;

/// Bytes of relayed messages that wait for one peer at most; beyond that the oldest are given up.
pub const RELAY_WAITING_BYTES_MAX: usize = 64 << 20;

/// Relayed messages that wait for one peer at most.
pub const RELAY_WAITING_MAX: usize = 1_024;

/// Bytes of relayed messages that came and were not let go of by the program above, from all peers.
pub const RELAY_TAKEN_BYTES_MAX: usize = 128 << 20;

/// Longest words of a peer that are kept.
pub const WORDS_BYTES_MAX: usize = 512;

/// How long the next message may be in coming.
pub const IDLE: Duration = Duration::from_secs(30);

/// What the transfer of a message may take beside its bytes.
const TRANSFER_BASE: Duration = Duration::from_secs(10);

/// The slowest transfer that is waited for: 64 KiB a second.
const TRANSFER_BYTES_PER_SECOND: u64 = 65_536;

/// How long the transfer of a message of `bytes` may take once it began.
#[must_use]
pub fn transfer_time(bytes: usize) -> Duration {
    TRANSFER_BASE + Duration::from_secs(bytes as u64 / TRANSFER_BYTES_PER_SECOND)
}
