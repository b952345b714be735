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
use super::error::DecodeError;
use super::key::decimal_height;
use super::results::TxOutcome;
use super::wire::{Decode, Reader};

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

/// A transaction with its place and its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TxResult<'a> {
    /// Height of the block.
    pub height: u64,
    /// Place in the block.
    pub index: u32,
    /// The transaction; its SHA-256 is the key.
    pub tx: &'a [u8],
    /// Its result.
    pub result: TxOutcome<'a>,
}

impl<'a> Decode<'a> for TxResult<'a> {
    const NAME: &'static str = "TxResult";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut result = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => result.height = field.natural("height")?,
                2 => result.index = field.u32("index")?,
                3 => result.tx = field.bytes("tx")?,
                4 => result.result = field.message("result")?,
                _ => {}
            }
        }
        Ok(result)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_32_bytes_are_hashes_unless_they_have_the_form_of_an_event() {
        assert_eq!(kind(b"tx.height/1234567/1234567/0$es$0"), Kind::TxHeight);
        assert_eq!(kind(b"app.creator/Cosmoshi/1234/0$es$1"), Kind::TxEvent);
        assert_eq!(kind(b"app.creator/Cosmoshi N/1234567/12"), Kind::TxEvent);
        assert_eq!(kind(&[0x80; 32]), Kind::TxResult);
        assert_eq!(kind(b"H:34567890123456789012345678901/2"), Kind::Unknown);
        assert_eq!(kind(b"H:3456789012345678901234567890/2"), Kind::TxResult);
        let almost = [b"a/\x80", &[0xff; 25][..], b"/1/2"].concat();
        assert_eq!((almost.len(), kind(&almost)), (32, Kind::TxResult));
        assert_eq!(kind(&almost[2..]), Kind::Unknown);
    }

    #[test]
    fn an_event_key_is_taken_apart_from_its_end() {
        let key = EventKey::decode(b"app.key/a/b$es$/1/17/3$es$2").expect("an event key");
        let expected = EventKey { event: b"app.key/a/b$es$/1", height: 17, index: 3, sequence: Some(2) };
        assert_eq!(key, expected);
        let oldest = EventKey::decode(b"tx.height/17/17/3").expect("an event key");
        assert_eq!((oldest.event, oldest.sequence), (&b"tx.height/17"[..], None));
        for bad in ["", "a/1/2", "a/b/01/2", "a/b/1/2$es$", "a/b/1/2$es$x", "a/b/1/", "a/b//2"] {
            assert_eq!(EventKey::decode(bad.as_bytes()), None, "{bad}");
        }
    }
}
