//! Writing fields as gogoproto does: ascending numbers (the caller's order), zero numbers and empty byte
//! strings left out, messages written even when empty.

/// Bytes that `value` takes as a varint.
#[must_use]
pub const fn varint_len(value: u64) -> usize {
    (63 - (value | 1).leading_zeros() as usize) / 7 + 1
}

/// Appends a varint.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Appends an unsigned integer field, unless it is 0.
pub fn put_uint(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(number) << 3);
        put_varint(out, value);
    }
}

/// Appends a signed integer field (two's complement), unless it is 0.
pub fn put_int(out: &mut Vec<u8>, number: u32, value: i64) {
    put_uint(out, number, value.cast_unsigned());
}

/// Appends a field of 8 little-endian bytes, unless it is 0.
pub fn put_fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(number) << 3 | 1);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Appends a byte string field, unless it is empty.
pub fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_varint(out, u64::from(number) << 3 | 2);
        put_varint(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }
}

/// Appends a message field whose content `write` appends; written even when empty.
pub fn put_message(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
    put_varint(out, u64::from(number) << 3 | 2);
    let length_at = out.len();
    // Nearly all messages are shorter than 128 bytes: one byte of length, no second move.
    out.push(0);
    write(out);
    let length = (out.len() - length_at - 1) as u64;
    if length < 0x80 {
        out[length_at] = length.to_le_bytes()[0];
        return;
    }
    let mut prefix = Vec::with_capacity(varint_len(length));
    put_varint(&mut prefix, length);
    out.splice(length_at..=length_at, prefix);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comet::wire::{Reader, Value};

    #[test]
    fn a_varint_has_the_announced_length_and_reads_back() {
        let edges = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit]).chain([u64::MAX]);
        for value in edges {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value), "{value}");
            let field = [&[8][..], &out].concat();
            let read = Reader::new(&field).next().expect("decodes").expect("one field");
            assert_eq!(read.value, Value::Varint(value));
        }
    }

    #[test]
    fn messages_of_every_length_around_a_byte_of_length_read_back() {
        for length in [0, 1, 127, 128, 129, 16_383, 16_384, 70_000] {
            let mut out = Vec::new();
            put_message(&mut out, 5, |out| out.resize(out.len() + length, 7));
            let field = Reader::new(&out).next().expect("decodes").expect("one field");
            assert_eq!((field.number, field.value), (5, Value::Bytes(&vec![7; length])));
            assert_eq!(field.raw, out);
        }
    }

    #[test]
    fn zero_and_empty_are_left_out_and_an_empty_message_is_not() {
        let mut out = Vec::new();
        put_uint(&mut out, 1, 0);
        put_int(&mut out, 1, 0);
        put_fixed64(&mut out, 1, 0);
        put_bytes(&mut out, 1, b"");
        assert!(out.is_empty());
        put_message(&mut out, 2, |_| ());
        assert_eq!(out, [0x12, 0]);
    }
}
