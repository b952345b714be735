//! Google's ordered code for the two kinds of items that keys of layout v2 have: the byte order of encoded
//! items is the order of the items. Source: github.com/google/orderedcode, which v1.0 links.
//!
//! ```text
//! number n >= 0 in k bytes: k one bits, a zero bit, the number big-endian in the 7k - 1 bits that are left
//!   0 = 80 · 63 = bf · 64 = c040 · 8191 = dfff · 8192 = e02000 · 2^63-1 = ffc07fffffffffffffff
//! string: its bytes with 00 -> 00ff and ff -> ff00, then 0001
//! ```
//! Negative numbers and the infinity item do not occur in keys and are not decoded. The form of a number
//! must be the shortest one.

/// Longest encoding of a number: 10 leading ones and a zero in the first two bytes, then 8 bytes.
const NUMBER_BYTES_MAX: u32 = 10;

/// Appends a number. Go's items are `int64`; numbers above its range get a form that sorts behind them.
pub fn put_number(out: &mut Vec<u8>, value: u64) {
    let bits = 64 - value.leading_zeros();
    let bytes = (bits + 7) / 7;
    let marked = u128::from(value) | ones(bytes);
    let buffer = marked.to_be_bytes();
    out.extend_from_slice(&buffer[buffer.len() - bytes as usize..]);
}

/// `bytes` leading ones of a number of `bytes` bytes.
const fn ones(bytes: u32) -> u128 {
    ((1 << bytes) - 1) << (7 * bytes)
}

/// Takes a number of Go's `int64`, 0 or above, from the front of `input`.
#[must_use]
pub fn take_number(input: &[u8]) -> Option<(u64, &[u8])> {
    let (&first, rest) = input.split_first()?;
    let bytes = match first {
        0xff => 8 + rest.first()?.leading_ones(),
        _ => first.leading_ones(),
    };
    if bytes == 0 || bytes > NUMBER_BYTES_MAX {
        return None;
    }
    let (encoded, rest) = input.split_at_checked(bytes as usize)?;
    let marked = encoded.iter().fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
    let value = i64::try_from(marked ^ ones(bytes)).ok()?.cast_unsigned();
    // Only the shortest form is one that was written: with a byte less, the number would not have fitted.
    let is_shortest = bytes == 1 || value >> (7 * (bytes - 1) - 1) != 0;
    is_shortest.then_some((value, rest))
}

/// Appends a string.
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            0x00 => out.extend_from_slice(&[0x00, 0xff]),
            0xff => out.extend_from_slice(&[0xff, 0x00]),
            _ => out.push(byte),
        }
    }
    out.extend_from_slice(&[0x00, 0x01]);
}

/// Takes a string of exactly `N` bytes from the front of `input`.
#[must_use]
pub fn take_string<const N: usize>(input: &[u8]) -> Option<([u8; N], &[u8])> {
    let mut bytes = [0; N];
    let (length, rest) = take_text(input, &mut bytes)?;
    (length == N).then_some((bytes, rest))
}

/// Takes a string from the front of `input` into `bytes`, and gives its length; `None` when it does not fit.
#[must_use]
pub fn take_text<'a>(input: &'a [u8], bytes: &mut [u8]) -> Option<(usize, &'a [u8])> {
    let mut rest = input;
    let mut length = 0;
    loop {
        let byte = match rest {
            [0x00, 0x01, rest @ ..] => return Some((length, rest)),
            [0x00, 0xff, ..] => 0x00,
            [0xff, 0x00, ..] => 0xff,
            [0x00 | 0xff, ..] | [] => return None,
            [plain, ..] => *plain,
        };
        let escaped = usize::from(matches!(byte, 0x00 | 0xff));
        rest = rest.get(1 + escaped..)?;
        *bytes.get_mut(length)? = byte;
        length += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        put_number(&mut out, value);
        out
    }

    #[test]
    fn numbers_equal_the_table_of_the_go_library() {
        let table: [(u64, &str); 17] = [
            (0, "80"),
            (1, "81"),
            (63, "bf"),
            (64, "c040"),
            (70, "c046"),
            (127, "c07f"),
            (128, "c080"),
            (8191, "dfff"),
            (8192, "e02000"),
            (1_048_575, "efffff"),
            (1_048_576, "f0100000"),
            (12_345_678, "f0bc614e"),
            (134_217_727, "f7ffffff"),
            (134_217_728, "f808000000"),
            (5_000_000_000, "f92a05f200"),
            (1 << 62, "ffc04000000000000000"),
            (i64::MAX as u64, "ffc07fffffffffffffff"),
        ];
        for (value, expected) in table {
            assert_eq!(hex::encode(number(value)), expected, "{value}");
            assert_eq!(take_number(&number(value)), Some((value, &[][..])), "{value}");
        }
    }

    #[test]
    fn other_forms_of_a_number_are_refused() {
        for bad in
            ["", "7f", "00", "c03f", "c0", "e01fff", "ff80", "ffc08000000000000000", "ffe000000000000000000000", "ffff"]
        {
            assert_eq!(take_number(&hex::decode(bad).expect("hex")), None, "{bad}");
        }
    }

    #[test]
    fn strings_escape_zero_and_ff_and_have_one_length() {
        let mut out = Vec::new();
        put_string(&mut out, &[0x00, 0xff, 0xab]);
        assert_eq!(hex::encode(&out), "00ffff00ab0001");
        assert_eq!(take_string::<3>(&out), Some(([0x00, 0xff, 0xab], &[][..])));
        assert_eq!(take_string::<2>(&out), None);
        assert_eq!(take_string::<4>(&out), None);
        for bad in ["", "0001", "ab", "ab00", "ab0002", "ff0001", "00020001"] {
            assert_eq!(take_string::<1>(&hex::decode(bad).expect("hex")), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_number_reads_back_and_keeps_its_order(a in any_height(), b in any_height()) {
            let encoded = number(a);
            prop_assert_eq!(take_number(&encoded), Some((a, &[][..])));
            prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
        }

        #[test]
        fn what_is_taken_is_what_would_be_put(input in proptest::collection::vec(any::<u8>(), 0..14)) {
            if let Some((value, rest)) = take_number(&input) {
                prop_assert_eq!([&number(value), rest].concat(), input.clone());
            }
            if let Some((string, rest)) = take_string::<2>(&input) {
                let mut out = Vec::new();
                put_string(&mut out, &string);
                prop_assert_eq!([&out, rest].concat(), input);
            }
        }

        #[test]
        fn strings_keep_their_order(a in any::<[u8; 4]>(), b in any::<[u8; 4]>()) {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            put_string(&mut left, &a);
            put_string(&mut right, &b);
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        }
    }

    fn any_height() -> impl Strategy<Value = u64> {
        (0_u32..63, any::<u64>()).prop_map(|(bits, value)| value >> (63 - bits) >> 1)
    }
}
