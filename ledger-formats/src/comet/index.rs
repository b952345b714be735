//! tx_index.db: transactions with their results, and the two indexes of events.
//!
//! ```text
//! <32 bytes: SHA-256 of the transaction>                 -> TxResult
//! tx.height/<height>/<height>/<index>$es$0               -> hash of the transaction
//! <type>.<attribute>/<value>/<height>/<index>$es$<event> -> hash of the transaction
//! block_events · ordered code items                      -> zig-zag varint height
//! ```
//! Up to v0.34.24 keys of events have no `$es$` suffix. Values of events are any bytes, of any length, and
//! may hold `/`. The index can have permanent holes and is no commitment of the chain.

use super::class::Kind;
use super::key::decimal_height;

const BLOCK_EVENTS: &[u8] = b"block_events";
const TX_HEIGHT: &[u8] = b"tx.height/";
const RETAIN_KEYS: [&[u8]; 4] = [
    b"TxIndexerRetainHeightKey",
    b"LastTxIndexerRetainHeightKey",
    b"BlockIndexerRetainHeightKey",
    b"LastBlockIndexerRetainHeightKey",
];
const EVENT_SEPARATOR: &[u8] = b"$es$";
const HASH_BYTES: usize = 32;

/// A key that leads from an event to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKey<'a> {
    /// `<type>.<attribute>/<value>`.
    pub event: &'a [u8],
    /// Height of the block.
    pub height: u64,
    /// Place of the transaction in the block.
    pub index: u64,
    /// Number of the event in the transaction; not there in the oldest releases.
    pub sequence: Option<u64>,
}

impl<'a> EventKey<'a> {
    /// Takes a key apart from its end; `None` if it has another form.
    #[must_use]
    pub fn decode(key: &'a [u8]) -> Option<Self> {
        let (rest, sequence) = match split_last(key, EVENT_SEPARATOR) {
            Some((rest, digits)) => (rest, Some(decimal_height(digits)?)),
            None => (key, None),
        };
        let (rest, index) = split_last(rest, b"/")?;
        let (event, height) = split_last(rest, b"/")?;
        let is_event = event.contains(&b'/');
        is_event.then_some(Self { event, height: decimal_height(height)?, index: decimal_height(index)?, sequence })
    }
}

/// What a key of the index is. A key of 32 bytes is the hash of a transaction unless it has, to its last
/// byte, the form of an event's key, which a hash has but by a chance below 2^-45.
pub(super) fn kind(key: &[u8]) -> Kind {
    // Twelve bytes of text: no hash begins so but by a chance of 2^-96.
    if key.starts_with(BLOCK_EVENTS) {
        return Kind::BlockEvent;
    }
    if RETAIN_KEYS.contains(&key) {
        return Kind::IndexRetainHeight;
    }
    match EventKey::decode(key) {
        Some(event) if key.len() != HASH_BYTES || event.sequence.is_some() || is_printable(key) => {
            if event.event.starts_with(TX_HEIGHT) { Kind::TxHeight } else { Kind::TxEvent }
        }
        _ if key.len() == HASH_BYTES => Kind::TxResult,
        _ => Kind::Unknown,
    }
}

fn is_printable(key: &[u8]) -> bool {
    key.iter().all(|byte| (0x20..0x7f).contains(byte))
}

/// What is before and behind the last `separator`.
fn split_last<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(separator.len()).rposition(|window| window == separator)?;
    Some((bytes.get(..at)?, bytes.get(at + separator.len()..)?))
}
