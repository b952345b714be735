//! Keys of blockstore.db.

use proofs::merkle::Hash;

use super::{Case, Layout, decimal, decimal_height, ordered_code, put_decimal};

/// A key of the block store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockKey {
    /// Meta of the block at a height.
    Meta {
        /// The height.
        height: u64,
    },
    /// One part of the block at a height.
    Part {
        /// The height.
        height: u64,
        /// Place among the parts, from 0.
        part: u32,
    },
    /// Last commit of the block above a height: the commit for this height.
    Commit {
        /// The height.
        height: u64,
    },
    /// Commit for a height as this node saw it.
    SeenCommit {
        /// The height.
        height: u64,
    },
    /// Commit for a height with vote extensions.
    ExtendedCommit {
        /// The height.
        height: u64,
    },
    /// Height of the block that has a hash.
    ByHash {
        /// The block hash.
        hash: Hash,
    },
    /// Base and height of the store: `blockStore`.
    StoreState,
    /// Label of the layout: `version`.
    Version,
}

impl BlockKey {
    /// What `key` says in a layout; `None` if it is not a key of the block store there.
    #[must_use]
    pub fn decode(layout: Layout, key: &[u8]) -> Option<Self> {
        match key {
            b"blockStore" => return Some(Self::StoreState),
            b"version" => return Some(Self::Version),
            _ => {}
        }
        match layout {
            Layout::V1 => Self::decode_v1(key),
            Layout::V2 => Self::decode_v2(key),
        }
    }

    /// Appends the key in a layout.
    pub fn encode(&self, layout: Layout, out: &mut Vec<u8>) {
        let (name, kind, height): (&[u8], u64, u64) = match *self {
            Self::Meta { height } => (b"H:", 0, height),
            Self::Part { height, .. } => (b"P:", 1, height),
            Self::Commit { height } => (b"C:", 2, height),
            Self::SeenCommit { height } => (b"SC:", 3, height),
            Self::ExtendedCommit { height } => (b"EC:", 4, height),
            Self::ByHash { hash } => return Self::encode_hash(layout, &hash, out),
            Self::StoreState => return out.extend_from_slice(b"blockStore"),
            Self::Version => return out.extend_from_slice(b"version"),
        };
        match layout {
            Layout::V1 => {
                out.extend_from_slice(name);
                put_decimal(out, height);
                if let Self::Part { part, .. } = self {
                    out.push(b':');
                    put_decimal(out, u64::from(*part));
                }
            }
            Layout::V2 => {
                ordered_code::put_number(out, kind);
                ordered_code::put_number(out, height);
                if let Self::Part { part, .. } = self {
                    ordered_code::put_number(out, u64::from(*part));
                }
            }
        }
    }

    /// The height in the key, if it has one.
    #[must_use]
    pub fn height(&self) -> Option<u64> {
        match *self {
            Self::Meta { height }
            | Self::Part { height, .. }
            | Self::Commit { height }
            | Self::SeenCommit { height }
            | Self::ExtendedCommit { height } => Some(height),
            Self::ByHash { .. } | Self::StoreState | Self::Version => None,
        }
    }

    fn encode_hash(layout: Layout, hash: &Hash, out: &mut Vec<u8>) {
        match layout {
            Layout::V1 => {
                out.extend_from_slice(b"BH:");
                Case::Lower.put_hex(out, hash);
            }
            Layout::V2 => {
                ordered_code::put_number(out, 5);
                ordered_code::put_string(out, hash);
            }
        }
    }

    fn decode_v1(key: &[u8]) -> Option<Self> {
        match key {
            [b'H', b':', digits @ ..] => Some(Self::Meta { height: decimal_height(digits)? }),
            [b'P', b':', digits @ ..] => {
                let colon = digits.iter().position(|byte| *byte == b':')?;
                let (height, part) = digits.split_at_checked(colon)?;
                let part = u32::try_from(decimal(part.get(1..)?)?).ok()?;
                Some(Self::Part { height: decimal_height(height)?, part })
            }
            [b'C', b':', digits @ ..] => Some(Self::Commit { height: decimal_height(digits)? }),
            [b'S', b'C', b':', digits @ ..] => Some(Self::SeenCommit { height: decimal_height(digits)? }),
            [b'E', b'C', b':', digits @ ..] => Some(Self::ExtendedCommit { height: decimal_height(digits)? }),
            [b'B', b'H', b':', text @ ..] => Some(Self::ByHash { hash: Case::Lower.hex_array(text)? }),
            _ => None,
        }
    }

    fn decode_v2(key: &[u8]) -> Option<Self> {
        let (kind, rest) = ordered_code::take_number(key)?;
        if kind == 5 {
            let (hash, rest) = ordered_code::take_string(rest)?;
            return rest.is_empty().then_some(Self::ByHash { hash });
        }
        let (height, rest) = ordered_code::take_number(rest)?;
        let (decoded, rest) = match kind {
            0 => (Self::Meta { height }, rest),
            1 => {
                let (part, rest) = ordered_code::take_number(rest)?;
                (Self::Part { height, part: u32::try_from(part).ok()? }, rest)
            }
            2 => (Self::Commit { height }, rest),
            3 => (Self::SeenCommit { height }, rest),
            4 => (Self::ExtendedCommit { height }, rest),
            _ => return None,
        };
        rest.is_empty().then_some(decoded)
    }
}
