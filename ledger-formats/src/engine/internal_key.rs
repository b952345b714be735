//! Internal keys of LevelDB and Pebble: a user key and the version that it names.
//!
//! ```text
//! user key ‖ u64 LE (sequence << 8 | kind)
//! ```
//! Order: user keys ascending by bytes, then the number *descending*, so that the newest version of
//! a key comes first. (LevelDB `doc/impl.md`, `dbformat.h`; Pebble `internal/base/internal.go`.)

use std::cmp::Ordering;

/// Length of what follows the user key.
pub const TRAILER_LEN: usize = 8;

/// The largest sequence number, 2^56 - 1.
pub const SEQUENCE_MAX: u64 = (1 << 56) - 1;

/// What a version does to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The key is gone.
    Delete = 0,
    /// The key has this value.
    Set = 1,
    /// An operand of a merge (Pebble); not read here.
    Merge = 2,
    /// As `Delete`, for a key that was set once (Pebble).
    SingleDelete = 7,
    /// A range of keys is gone (Pebble; in blocks of its own).
    RangeDelete = 15,
    /// As `Set`, over an older deletion (Pebble, format 4 and later).
    SetWithDelete = 18,
    /// Range key operations (Pebble); not read here.
    RangeKeyDelete = 19,
    /// See [`Kind::RangeKeyDelete`].
    RangeKeyUnset = 20,
    /// See [`Kind::RangeKeyDelete`].
    RangeKeySet = 21,
    /// As `Delete`, its value is the size of what it deletes (Pebble, format 15 and later).
    DeleteSized = 23,
}

impl Kind {
    /// The kind of a byte in a table; `None` for one that no table holds.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Delete,
            1 => Self::Set,
            2 => Self::Merge,
            7 => Self::SingleDelete,
            15 => Self::RangeDelete,
            18 => Self::SetWithDelete,
            19 => Self::RangeKeyDelete,
            20 => Self::RangeKeyUnset,
            21 => Self::RangeKeySet,
            23 => Self::DeleteSized,
            _ => return None,
        })
    }

    /// Whether the version gives its key a value.
    #[must_use]
    pub fn is_set(self) -> bool {
        matches!(self, Self::Set | Self::SetWithDelete)
    }

    /// Whether the version hides the key's older ones.
    #[must_use]
    pub fn is_delete(self) -> bool {
        matches!(self, Self::Delete | Self::SingleDelete | Self::DeleteSized)
    }

    /// The name in its engine, for refusals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Set => "SET",
            Self::Merge => "MERGE",
            Self::SingleDelete => "SINGLEDEL",
            Self::RangeDelete => "RANGEDEL",
            Self::SetWithDelete => "SETWITHDEL",
            Self::RangeKeyDelete => "RANGEKEYDEL",
            Self::RangeKeyUnset => "RANGEKEYUNSET",
            Self::RangeKeySet => "RANGEKEYSET",
            Self::DeleteSized => "DELSIZED",
        }
    }
}

/// Splits an internal key into user key, sequence and kind; `None` when it is too short or its kind
/// is unknown.
#[must_use]
pub fn split(internal: &[u8]) -> Option<(&[u8], u64, Kind)> {
    let (user, trailer) = parts(internal)?;
    let [kind, ..] = trailer.to_le_bytes();
    Some((user, trailer >> 8, Kind::from_byte(kind)?))
}

/// The user key of an internal key; `None` when it is too short.
#[must_use]
pub fn user_key(internal: &[u8]) -> Option<&[u8]> {
    parts(internal).map(|(user, _)| user)
}

/// Compares two internal keys. One that is too short to be one counts as a bare user key, newest.
#[must_use]
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (user_a, trailer_a) = parts(a).unwrap_or((a, u64::MAX));
    let (user_b, trailer_b) = parts(b).unwrap_or((b, u64::MAX));
    user_a.cmp(user_b).then_with(|| trailer_b.cmp(&trailer_a))
}

/// Writes an internal key over what `into` held.
pub fn join(into: &mut Vec<u8>, user: &[u8], sequence: u64, kind: Kind) {
    into.clear();
    into.extend_from_slice(user);
    into.extend_from_slice(&(sequence << 8 | kind as u64).to_le_bytes());
}

fn parts(internal: &[u8]) -> Option<(&[u8], u64)> {
    internal.split_last_chunk::<TRAILER_LEN>().map(|(user, trailer)| (user, u64::from_le_bytes(*trailer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(user: &[u8], sequence: u64, kind: Kind) -> Vec<u8> {
        let mut bytes = Vec::new();
        join(&mut bytes, user, sequence, kind);
        bytes
    }

    #[test]
    fn newest_version_comes_first() {
        assert_eq!(compare(&key(b"a", 7, Kind::Set), &key(b"a", 6, Kind::Set)), Ordering::Less);
        assert_eq!(compare(&key(b"a", 7, Kind::Set), &key(b"a", 7, Kind::Delete)), Ordering::Less);
        assert_eq!(compare(&key(b"a", 1, Kind::Set), &key(b"a\0", 9, Kind::Set)), Ordering::Less);
        assert_eq!(compare(&key(b"b", 9, Kind::Set), &key(b"a\xff", 1, Kind::Set)), Ordering::Greater);
    }

    #[test]
    fn split_gives_back_what_was_joined() {
        let bytes = key(b"k", SEQUENCE_MAX, Kind::SetWithDelete);
        assert_eq!(split(&bytes), Some((&b"k"[..], SEQUENCE_MAX, Kind::SetWithDelete)));
        assert_eq!(split(&bytes[..7]), None);
        assert_eq!(split(&[b'k', 17, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
