//! Keys of the stores in both layouts: one codec for each database.
//!
//! | what | layout v1 | layout v2 |
//! |---|---|---|
//! | block meta | `H:<height>` | `80` height |
//! | block part | `P:<height>:<part>` | `81` height part |
//! | commit | `C:<height>` | `82` height |
//! | seen commit | `SC:<height>` | `83` height |
//! | extended commit | `EC:<height>` | `84` height |
//! | height of a hash | `BH:<64 lower-case hex>` | `85` hash |
//! | validators | `validatorsKey:<height>` | `86` height |
//! | parameters | `consensusParamsKey:<height>` | `87` height |
//! | results | `abciResponsesKey:<height>` | `88` height |
//! | committed evidence | `00` `%016X` height `/` 64 upper-case hex | `89` height hash |
//! | pending evidence | `01` `%016X` height `/` 64 upper-case hex | `8a` height hash |
//! | light block | `lb/<chain>/<height in 20 digits>` | chain `8b` height |
//! | number of light blocks | `size` | chain `8c` |
//!
//! Layout v1 spells numbers in decimal without padding, so its key order is not height order; layout v2
//! uses [`ordered_code`]. All other keys are the same ASCII names in both. Decoding is strict: a key is
//! accepted only if encoding what was decoded gives the same bytes.
//! Sources: store/store.go, state/store.go, evidence/pool.go (v0.38); store/db_key_layout.go, light/store/db (v1.0).

mod block;
mod evidence;
mod light;
pub mod ordered_code;
#[cfg(test)]
mod properties;
mod state;

pub use block::BlockKey;
pub use evidence::EvidenceKey;
pub use light::{ChainName, LightKey};
pub use state::{StateKey, StateRecord};

use serde::{Deserialize, Serialize};

/// How keys are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// ASCII with decimal heights: every release.
    V1,
    /// Ordered code: v1.0 and later, by configuration.
    V2,
}

impl Layout {
    /// Both layouts.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// The value of the key `version` that names the layout.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// The layout that a value of the key `version` names.
    #[must_use]
    pub fn from_label(value: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.label().as_bytes() == value)
    }
}

/// Largest height, Go's `int64`.
pub const HEIGHT_MAX: u64 = i64::MAX as u64;

/// Reads a decimal number without sign, padding or leading zeros.
fn decimal(digits: &[u8]) -> Option<u64> {
    let (&first, rest) = digits.split_first()?;
    if first == b'0' && !rest.is_empty() {
        return None;
    }
    let mut value = 0_u64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    Some(value)
}

/// Reads a height in decimal.
pub(super) fn decimal_height(digits: &[u8]) -> Option<u64> {
    decimal(digits).filter(|height| *height <= HEIGHT_MAX)
}

/// Appends a number in decimal.
fn put_decimal(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10).to_le_bytes()[0];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Which letters hex digits above 9 are.
#[derive(Clone, Copy)]
enum Case {
    Lower,
    Upper,
}

impl Case {
    const fn first_letter(self) -> u8 {
        match self {
            Self::Lower => b'a',
            Self::Upper => b'A',
        }
    }

    const fn digit(self, nibble: u8) -> u8 {
        if nibble < 10 { b'0' + nibble } else { self.first_letter() + (nibble - 10) }
    }

    fn nibble(self, digit: u8) -> Option<u8> {
        let letter = digit.wrapping_sub(self.first_letter());
        match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            _ if letter < 6 => Some(letter + 10),
            _ => None,
        }
    }

    fn put_hex(self, out: &mut Vec<u8>, bytes: &[u8]) {
        out.extend(bytes.iter().flat_map(|byte| [self.digit(byte >> 4), self.digit(byte & 15)]));
    }

    /// Reads exactly `2 * N` hex digits.
    fn hex_array<const N: usize>(self, text: &[u8]) -> Option<[u8; N]> {
        if text.len() != 2 * N {
            return None;
        }
        let mut bytes = [0; N];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = self.nibble(*pair.first()?)? << 4 | self.nibble(*pair.get(1)?)?;
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_unpadded_and_bounded() {
        for (text, value) in [("0", 0), ("7", 7), ("10", 10), ("18446744073709551615", u64::MAX)] {
            assert_eq!(decimal(text.as_bytes()), Some(value));
            let mut out = Vec::new();
            put_decimal(&mut out, value);
            assert_eq!(out, text.as_bytes());
        }
        for bad in ["", "01", "00", "+1", "-1", "1 ", "1:", "18446744073709551616", "99999999999999999999999"] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(decimal_height(b"9223372036854775807"), Some(HEIGHT_MAX));
        assert_eq!(decimal_height(b"9223372036854775808"), None);
    }

    #[test]
    fn layouts_have_the_labels_that_nodes_write() {
        assert_eq!(Layout::from_label(b"v1"), Some(Layout::V1));
        assert_eq!(Layout::from_label(b"v2"), Some(Layout::V2));
        assert_eq!(Layout::from_label(b"v3"), None);
    }
}
