//! The checksums behind blocks and log chunks.

/// What a masked checksum adds after rotating (LevelDB `util/crc32c.h`).
const MASK_DELTA: u32 = 0xa282_ead8;

/// Masked CRC32c of the concatenation of `parts`.
#[must_use]
pub fn masked_crc(parts: &[&[u8]]) -> u32 {
    let crc = parts.iter().fold(0, |crc, part| crc32c::crc32c_append(crc, part));
    crc.rotate_right(15).wrapping_add(MASK_DELTA)
}

/// How the blocks of a table are checked, as its footer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// Masked CRC32c.
    Crc32c,
    /// The low half of XXH64 with seed 0.
    XxHash64,
}

impl Checksum {
    /// The checksum of contiguous bytes.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> u32 {
        match self {
            Self::Crc32c => masked_crc(&[bytes]),
            Self::XxHash64 => {
                let [a, b, c, d, ..] = xxhash_rust::xxh64::xxh64(bytes, 0).to_le_bytes();
                u32::from_le_bytes([a, b, c, d])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_crc_of_a_real_empty_block() {
        // The raw empty metaindex block of a table that goleveldb accepted: body, type, checksum.
        let block = hex::decode("000000000100000000c0f2a1b0").unwrap();
        assert_eq!(Checksum::Crc32c.of(&block[..9]).to_le_bytes(), block[9..]);
        assert_eq!(masked_crc(&[&block[..4], &block[4..9]]), Checksum::Crc32c.of(&block[..9]));
    }

    #[test]
    fn xxhash_is_the_low_half() {
        // XXH64 of nothing with seed 0 is ef46db3751d8e999 (published test vector).
        assert_eq!(Checksum::XxHash64.of(b""), 0x51d8_e999);
    }
}
