//! Keys of a light client's store, `light-client-db`.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::{HEIGHT_MAX, Layout, ordered_code, put_decimal};

/// Longest name of a chain that is read here; upstream allows 50 bytes.
const NAME_BYTES_MAX: usize = 64;

/// Digits of a height in layout v1, with leading zeros.
const DIGITS: usize = 20;

/// The name that one light client of a store has: by default the chain's.
#[derive(Clone, Copy)]
pub struct ChainName {
    length: u8,
    bytes: [u8; NAME_BYTES_MAX],
}

/// A key of a light client's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LightKey {
    /// A light block: a signed header and its validators.
    Block {
        /// Of which chain.
        chain: ChainName,
        /// The height.
        height: u64,
    },
    /// How many light blocks of a chain there are, in layout v2.
    Size {
        /// Of which chain.
        chain: ChainName,
    },
    /// The same in layout v1, where all chains of a store share one record: `size`.
    SharedSize,
    /// Label of the layout: `version`.
    Version,
    /// Address of the node that is asked: `primary`.
    Primary,
    /// Addresses of the nodes that are asked as well: `witnesses`.
    Witnesses,
}

impl LightKey {
    /// What `key` says in a layout; `None` if it is not a key of a light client's store there.
    #[must_use]
    pub fn decode(layout: Layout, key: &[u8]) -> Option<Self> {
        match (key, layout) {
            (b"version", _) => Some(Self::Version),
            (b"primary", _) => Some(Self::Primary),
            (b"witnesses", _) => Some(Self::Witnesses),
            (b"size", Layout::V1) => Some(Self::SharedSize),
            (_, Layout::V1) => decode_v1(key),
            (_, Layout::V2) => decode_v2(key),
        }
    }

    /// Appends the key in a layout. The two forms of the size have one spelling each.
    pub fn encode(&self, layout: Layout, out: &mut Vec<u8>) {
        match self {
            Self::Block { chain, height } => match layout {
                Layout::V1 => {
                    out.extend_from_slice(b"lb/");
                    out.extend_from_slice(chain.as_bytes());
                    out.push(b'/');
                    let digits = height.checked_ilog10().unwrap_or_default() as usize + 1;
                    out.resize(out.len() + (DIGITS - digits), b'0');
                    put_decimal(out, *height);
                }
                Layout::V2 => {
                    ordered_code::put_string(out, chain.as_bytes());
                    ordered_code::put_number(out, 11);
                    ordered_code::put_number(out, *height);
                }
            },
            Self::Size { chain } => {
                ordered_code::put_string(out, chain.as_bytes());
                ordered_code::put_number(out, 12);
            }
            Self::SharedSize => out.extend_from_slice(b"size"),
            Self::Version => out.extend_from_slice(b"version"),
            Self::Primary => out.extend_from_slice(b"primary"),
            Self::Witnesses => out.extend_from_slice(b"witnesses"),
        }
    }

    /// The height in the key, if it has one.
    #[must_use]
    pub fn height(&self) -> Option<u64> {
        match self {
            Self::Block { height, .. } => Some(*height),
            _ => None,
        }
    }
}

/// `lb/<name>/<20 digits>`; a name with a slash is none that upstream reads back.
fn decode_v1(key: &[u8]) -> Option<LightKey> {
    let (name, digits) = key.strip_prefix(b"lb/")?.split_last_chunk::<DIGITS>()?;
    let chain = ChainName::new(name.strip_suffix(b"/")?)?;
    if chain.has_slash() {
        return None;
    }
    let mut height = 0_u64;
    for digit in digits {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        height = height.checked_mul(10)?.checked_add(digit)?;
    }
    (height <= HEIGHT_MAX).then_some(LightKey::Block { chain, height })
}

fn decode_v2(key: &[u8]) -> Option<LightKey> {
    let mut bytes = [0; NAME_BYTES_MAX];
    let (length, rest) = ordered_code::take_text(key, &mut bytes)?;
    let chain = ChainName::new(bytes.get(..length)?)?;
    let (kind, rest) = ordered_code::take_number(rest)?;
    if kind == 12 {
        return rest.is_empty().then_some(LightKey::Size { chain });
    }
    let (height, rest) = ordered_code::take_number(rest)?;
    (kind == 11 && rest.is_empty()).then_some(LightKey::Block { chain, height })
}

impl ChainName {
    /// A name of at most 64 bytes.
    #[must_use]
    pub fn new(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; NAME_BYTES_MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self { length: u8::try_from(name.len()).ok()?, bytes })
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Whether layout v1 cannot spell it so that upstream reads it back.
    #[must_use]
    pub fn has_slash(&self) -> bool {
        self.as_bytes().contains(&b'/')
    }
}

impl fmt::Debug for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl PartialEq for ChainName {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for ChainName {}

impl PartialOrd for ChainName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ChainName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for ChainName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_equal_the_examples_of_upstream() {
        let chain = ChainName::new(b"test-chain").expect("short");
        let block = LightKey::Block { chain, height: 12_345_678 };
        for (key, layout, expected) in [
            (block, Layout::V1, hex::encode("lb/test-chain/00000000000012345678")),
            (block, Layout::V2, "746573742d636861696e00018bf0bc614e".to_owned()),
            (LightKey::Size { chain }, Layout::V2, "746573742d636861696e00018c".to_owned()),
            (LightKey::SharedSize, Layout::V1, hex::encode("size")),
        ] {
            let mut out = Vec::new();
            key.encode(layout, &mut out);
            assert_eq!(hex::encode(&out), expected);
            assert_eq!(LightKey::decode(layout, &out), Some(key));
        }
    }

    #[test]
    fn what_upstream_does_not_write_is_no_key() {
        for key in [
            "lb/a/1",
            "lb/a/000000000000000000001",
            "lb/a/0000000000000000000x",
            "lb/a/99999999999999999999",
            "lb/a/b/00000000000000000001",
            "lb/00000000000000000001",
        ] {
            assert_eq!(LightKey::decode(Layout::V1, key.as_bytes()), None, "{key}");
        }
        assert_eq!(LightKey::decode(Layout::V2, b"size"), None);
        let long = [b"lb/".as_slice(), &[b'a'; NAME_BYTES_MAX + 1], b"/00000000000000000001"].concat();
        assert_eq!(LightKey::decode(Layout::V1, &long), None);
    }
}
