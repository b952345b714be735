//! Rows that trip engines up, and the memory store that says what they should read as.

use ledger_formats::engine::memory::MemoryStore;

pub type Row = (Vec<u8>, Vec<u8>);

/// The store of these rows.
pub fn model(rows: &[Row]) -> MemoryStore {
    MemoryStore::new(rows.iter().cloned())
}

/// Bytes without a pattern that a compressor would find, the same ones for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Ascending rows: first and last bytes, keys that begin with other keys, empty values, a value of a
/// megabyte, keys of 210 KB (real nodes have them), and thousands of ordinary ones.
pub fn tricky() -> Vec<Row> {
    let mut rows: Vec<Row> = vec![
        (vec![0x00], b"zero".to_vec()),
        (vec![0x00, 0x00], Vec::new()),
        (vec![0x00, 0xff], vec![0x00]),
        (b"a".to_vec(), Vec::new()),
        (b"a\x00".to_vec(), b"below ab".to_vec()),
        (b"aa".to_vec(), b"1".to_vec()),
        (b"aab".to_vec(), b"2".to_vec()),
        (b"ab".to_vec(), vec![0xff; 300]),
        (b"big".to_vec(), noise(1, 1 << 20)),
        (b"blank".to_vec(), vec![0; 420_000]),
        ([b"key/".as_slice(), &noise(2, 210_000)].concat(), noise(3, 500)),
        ([b"key/".as_slice(), &[b'k'; 210_000], b"1"].concat(), Vec::new()),
        ([b"key/".as_slice(), &[b'k'; 210_000], b"2"].concat(), b"after a long common start".to_vec()),
        (vec![0xff], Vec::new()),
        (vec![0xff; 40], b"last but one".to_vec()),
        (vec![0xff; 41], b"last".to_vec()),
    ];
    rows.extend((1..=6_000_u64).map(|height| (format!("H:{height}").into_bytes(), noise(height, 150))));
    rows.extend((1..=300_u64).map(|height| (format!("P:{height}:0").into_bytes(), noise(height, 9_000))));
    rows.sort();
    rows
}
