//! What is on disk around a block: compression type and checksum behind the body.
//!
//! ```text
//! body ‖ u8 type (0 raw, 1 Snappy, 7 Zstd) ‖ u32 checksum of body and type
//! Zstd body = uv expanded length ‖ frame
//! ```
//! (LevelDB `doc/table_format.md`; RocksDB `table/format.h`; Pebble `sstable/compression.go`.)
//! An expanded length is believed only as far as the input could possibly expand.

use std::io::Read;

use super::block::BlockFault;
use super::checksum::{Checksum, masked_crc};
use super::varint;

/// Bytes behind the body of a block.
pub const TRAILER_LEN: usize = 5;

/// The largest block that is read or written, on disk as well as expanded, in bytes.
pub const BLOCK_BYTES_MAX: u64 = 1 << 30;

const RAW: u8 = 0;
const SNAPPY: u8 = 1;
const ZSTD: u8 = 7;

/// Snappy's densest element makes 64 bytes of 3.
const SNAPPY_RATIO_MAX: u64 = 22;

/// Checks and expands a block of a table. `stored` is the body with the bytes behind it; the block
/// replaces what `into` holds.
///
/// # Errors
/// A wrong checksum, a body that does not expand, or a compression that is not read.
pub fn open(stored: &[u8], checksum: Checksum, into: &mut Vec<u8>) -> Result<(), BlockFault> {
    let (checked, sum) = stored.split_last_chunk().ok_or(BlockFault::Handle)?;
    let (&method, body) = checked.split_last().ok_or(BlockFault::Handle)?;
    let (stored, computed) = (u32::from_le_bytes(*sum), checksum.of(checked));
    if stored != computed {
        return Err(BlockFault::Checksum { stored, computed });
    }
    match method {
        RAW => {
            into.clear();
            into.extend_from_slice(body);
            Ok(())
        }
        SNAPPY => expand_snappy(body, into),
        ZSTD => expand_zstd(body, into),
        other => Err(BlockFault::Unsupported(format!("{} block compression", method_name(other)))),
    }
}

fn expand_snappy(body: &[u8], into: &mut Vec<u8>) -> Result<(), BlockFault> {
    let fault = |reason: String| BlockFault::Compression { method: "Snappy", compressed: body.len(), reason };
    let length = snap::raw::decompress_len(body).map_err(|error| fault(error.to_string()))?;
    if length as u64 > BLOCK_BYTES_MAX.min(body.len() as u64 * SNAPPY_RATIO_MAX) {
        return Err(fault(format!("it claims {length} bytes")));
    }
    // Only what grows is zeroed: the buffer is used again and again.
    into.resize(length, 0);
    let written = snap::raw::Decoder::new().decompress(body, into).map_err(|error| fault(error.to_string()))?;
    if written == length { Ok(()) } else { Err(fault(format!("{written} bytes instead of {length}"))) }
}

fn expand_zstd(mut body: &[u8], into: &mut Vec<u8>) -> Result<(), BlockFault> {
    let compressed = body.len();
    let fault = |reason: String| BlockFault::Compression { method: "Zstd", compressed, reason };
    let length = varint::take(&mut body).ok_or_else(|| fault("no length".into()))?;
    if length > BLOCK_BYTES_MAX {
        return Err(fault(format!("it claims {length} bytes")));
    }
    let decoder = ruzstd::decoding::StreamingDecoder::new(body).map_err(|error| fault(error.to_string()))?;
    into.clear();
    // Grows with what really comes out, and one byte more than claimed is enough to know.
    let written = decoder.take(length + 1).read_to_end(into).map_err(|error| fault(error.to_string()))?;
    if written as u64 == length { Ok(()) } else { Err(fault(format!("{written} bytes or more instead of {length}"))) }
}

fn method_name(method: u8) -> String {
    let name = match method {
        2 => "zlib",
        3 => "bzip2",
        4 => "LZ4",
        5 => "LZ4HC",
        6 => "XPRESS",
        8 => "MinLZ",
        other => return format!("unknown ({other})"),
    };
    name.to_owned()
}

/// Whether blocks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    None,
    /// Snappy, where it saves an eighth.
    Snappy,
}

/// A block as it goes to disk: first the body, then the trailer.
#[derive(Debug)]
pub struct Sealed<'a> {
    /// The block, compressed or not.
    pub body: &'a [u8],
    /// Type and checksum.
    pub trailer: [u8; TRAILER_LEN],
}

/// Makes blocks ready for the disk, with CRC32c.
#[derive(Debug)]
pub struct Sealer {
    encoder: snap::raw::Encoder,
    compressed: Vec<u8>,
}

impl Default for Sealer {
    fn default() -> Self {
        Self::new()
    }
}

impl Sealer {
    /// A sealer without a buffer yet.
    #[must_use]
    pub fn new() -> Self {
        Self { encoder: snap::raw::Encoder::new(), compressed: Vec::new() }
    }

    /// The bytes on disk of a block, lent until the next call.
    pub fn seal<'a>(&'a mut self, block: &'a [u8], compression: Compression) -> Sealed<'a> {
        let (body, method) = match compression {
            Compression::Snappy => self.snappy(block).map_or((block, RAW), |body| (body, SNAPPY)),
            Compression::None => (block, RAW),
        };
        let [a, b, c, d] = masked_crc(&[body, &[method]]).to_le_bytes();
        Sealed { body, trailer: [method, a, b, c, d] }
    }

    /// The compressed block; `None` when that is not worth it.
    fn snappy(&mut self, block: &[u8]) -> Option<&[u8]> {
        let bound = snap::raw::max_compress_len(block.len());
        if self.compressed.len() < bound {
            self.compressed.resize(bound, 0);
        }
        let size = self.encoder.compress(block, &mut self.compressed).ok()?;
        self.compressed.get(..size).filter(|body| body.len() < block.len() - block.len() / 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_disk(block: &[u8], compression: Compression) -> Vec<u8> {
        let mut sealer = Sealer::new();
        let sealed = sealer.seal(block, compression);
        [sealed.body, &sealed.trailer].concat()
    }

    fn opened(stored: &[u8]) -> Result<Vec<u8>, BlockFault> {
        let mut block = b"left over".to_vec();
        open(stored, Checksum::Crc32c, &mut block).map(|()| block)
    }

    fn stored(body: &[u8], method: u8) -> Vec<u8> {
        let mut bytes = [body, &[method]].concat();
        bytes.extend_from_slice(&Checksum::Crc32c.of(&bytes).to_le_bytes());
        bytes
    }

    #[test]
    fn what_was_sealed_opens() {
        for block in [&b""[..], b"short", &[7; 5000]] {
            for compression in [Compression::None, Compression::Snappy] {
                assert_eq!(opened(&on_disk(block, compression)).as_deref(), Ok(block));
            }
        }
        assert!(on_disk(&[7; 5000], Compression::Snappy).len() < 500);
        assert_eq!(on_disk(b"short", Compression::Snappy)[5], RAW);
    }

    #[test]
    fn every_flipped_bit_is_a_checksum_mismatch() {
        let good = on_disk(&[7; 300], Compression::Snappy);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(opened(&bad), Err(BlockFault::Checksum { .. })), "bit {bit}");
        }
    }

    #[test]
    fn opens_a_block_that_goleveldb_compressed() {
        // The empty metaindex block of a table of one key, with its checksum.
        let bytes = hex::decode("081c00000000010000000106349f90").unwrap();
        assert_eq!(opened(&bytes), Ok(vec![0, 0, 0, 0, 1, 0, 0, 0]));
    }

    #[test]
    fn claimed_lengths_are_not_believed() {
        let huge = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
        for method in [SNAPPY, ZSTD] {
            assert!(matches!(opened(&stored(&huge, method)), Err(BlockFault::Compression { .. })));
        }
    }

    #[test]
    fn zstd_must_have_the_length_that_it_claims() {
        // Made by `printf %01000d 0 | zstd -c`: one thousand times the digit zero.
        let frame = hex::decode(ZSTD_FRAME).unwrap();
        let claiming = |length: u64| {
            let mut body = Vec::new();
            varint::put(&mut body, length);
            opened(&stored(&[&body[..], &frame].concat(), ZSTD))
        };
        assert_eq!(claiming(1000), Ok(vec![b'0'; 1000]));
        assert!(matches!(claiming(999), Err(BlockFault::Compression { .. })));
        assert!(matches!(claiming(1001), Err(BlockFault::Compression { .. })));
    }

    const ZSTD_FRAME: &str = "28b52ffd04584d00001030300100e32b8005bd8ecf1a";

    #[test]
    fn other_compressions_are_refused_by_name() {
        let name = |method| opened(&stored(b"body", method)).unwrap_err().to_string();
        assert_eq!(name(4), "LZ4 block compression is not supported");
        assert_eq!(name(8), "MinLZ block compression is not supported");
        assert_eq!(name(99), "unknown (99) block compression is not supported");
    }

    #[test]
    fn blocks_too_short_for_a_trailer_are_refused() {
        for length in 0..TRAILER_LEN {
            assert_eq!(opened(&vec![0; length]), Err(BlockFault::Handle));
        }
    }
}
