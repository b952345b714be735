//! Keys of evidence.db.

use proofs::merkle::Hash;

use super::{Case, HEIGHT_MAX, Layout, ordered_code};

/// A key of the evidence store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceKey {
    /// Evidence that stands in a block; the value is the height of the evidence.
    Committed {
        /// Height of the misbehaviour (for a light-client attack, of the common header).
        height: u64,
        /// Hash of the evidence.
        hash: Hash,
    },
    /// Evidence that is in no block yet; the value is the evidence.
    Pending {
        /// Height of the misbehaviour (for a light-client attack, of the common header).
        height: u64,
        /// Hash of the evidence.
        hash: Hash,
    },
    /// Label of the layout: `version`.
    Version,
}

/// Bytes of a v1 key: kind, 16 digits, `/`, 64 digits.
const V1_BYTES: usize = 1 + 16 + 1 + 64;

impl EvidenceKey {
    /// What `key` says in a layout; `None` if it is not a key of the evidence store there.
    #[must_use]
    pub fn decode(layout: Layout, key: &[u8]) -> Option<Self> {
        if key == b"version" {
            return Some(Self::Version);
        }
        let (kind, height, hash) = match layout {
            Layout::V1 => decode_v1(key)?,
            Layout::V2 => decode_v2(key)?,
        };
        match kind {
            0 => Some(Self::Committed { height, hash }),
            1 => Some(Self::Pending { height, hash }),
            _ => None,
        }
    }

    /// Appends the key in a layout.
    pub fn encode(&self, layout: Layout, out: &mut Vec<u8>) {
        let (kind, height, hash) = match self {
            Self::Committed { height, hash } => (0, height, hash),
            Self::Pending { height, hash } => (1, height, hash),
            Self::Version => return out.extend_from_slice(b"version"),
        };
        match layout {
            Layout::V1 => {
                out.push(kind);
                Case::Upper.put_hex(out, &height.to_be_bytes());
                out.push(b'/');
                Case::Upper.put_hex(out, hash);
            }
            Layout::V2 => {
                ordered_code::put_number(out, 9 + u64::from(kind));
                ordered_code::put_number(out, *height);
                ordered_code::put_string(out, hash);
            }
        }
    }
}

fn decode_v1(key: &[u8]) -> Option<(u64, u64, Hash)> {
    if key.len() != V1_BYTES || *key.get(17)? != b'/' {
        return None;
    }
    let height = u64::from_be_bytes(Case::Upper.hex_array(key.get(1..17)?)?);
    let hash = Case::Upper.hex_array(key.get(18..)?)?;
    (height <= HEIGHT_MAX).then_some((u64::from(*key.first()?), height, hash))
}

fn decode_v2(key: &[u8]) -> Option<(u64, u64, Hash)> {
    let (kind, rest) = ordered_code::take_number(key)?;
    let (height, rest) = ordered_code::take_number(rest)?;
    let (hash, rest) = ordered_code::take_string(rest)?;
    rest.is_empty().then_some((kind.checked_sub(9)?, height, hash))
}
