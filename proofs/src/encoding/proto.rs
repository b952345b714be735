//! Fields of protobuf messages as CometBFT's canonical encodings write them: a zero or empty field is left out.
//! A key is one byte here: field numbers below 16.

pub(crate) fn put_varint_field(target: &mut Vec<u8>, key: u8, value: u64) {
    if value != 0 {
        target.push(key);
        put_varint(target, value);
    }
}

pub(crate) fn put_bytes(target: &mut Vec<u8>, key: u8, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_key_and_length(target, key, bytes.len());
        target.extend_from_slice(bytes);
    }
}

pub(crate) fn put_key_and_length(target: &mut Vec<u8>, key: u8, length: usize) {
    target.push(key);
    put_varint(target, length as u64);
}

pub(crate) fn put_varint(target: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        target.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    target.push(value.to_le_bytes()[0]);
}

pub(crate) const fn varint_field_length(value: u64) -> usize {
    if value == 0 { 0 } else { 1 + varint_length(value) }
}

const fn varint_length(value: u64) -> usize {
    ((value | 1).ilog2() / 7 + 1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_as_long_as_said() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), 1 << 62, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            assert_eq!(bytes.len(), varint_length(value), "{value}");
        }
    }
}
