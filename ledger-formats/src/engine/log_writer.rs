//! Frames a record as a log holds it, in the legacy form that every MANIFEST has.
//!
//! The byte map is in [`super::log`].

use super::checksum::masked_crc;

const BLOCK: usize = 32 << 10;
const HEADER: usize = 7;

/// The chunk types FULL, FIRST, MIDDLE, LAST.
const CHUNK_TYPES: [u8; 4] = [1, 2, 3, 4];

/// The bytes of a log of these records.
#[must_use]
pub fn frame(records: &[&[u8]]) -> Vec<u8> {
    let mut log = Vec::new();
    for record in records {
        append(&mut log, record);
    }
    log
}

fn append(log: &mut Vec<u8>, record: &[u8]) {
    let [full, first, middle, last] = CHUNK_TYPES;
    let mut rest = record;
    let mut begun = false;
    loop {
        let left = BLOCK - log.len() % BLOCK;
        if left < HEADER {
            log.resize(log.len() + left, 0);
            continue;
        }
        // A chunk may be empty, where just its header fits into the block.
        let (payload, behind) = rest.split_at(rest.len().min(left - HEADER));
        let kind = match (begun, behind.is_empty()) {
            (false, true) => full,
            (false, false) => first,
            (true, false) => middle,
            (true, true) => last,
        };
        put_chunk(log, kind, payload);
        (rest, begun) = (behind, true);
        if rest.is_empty() {
            return;
        }
    }
}

fn put_chunk(log: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    let length = u16::try_from(payload.len()).expect("a chunk is shorter than a block of 32 KiB");
    log.extend_from_slice(&masked_crc(&[&[kind], payload]).to_le_bytes());
    log.extend_from_slice(&length.to_le_bytes());
    log.push(kind);
    log.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::log::{LogForm, LogReader};

    fn read_back(log: &[u8]) -> Vec<Vec<u8>> {
        let mut reader = LogReader::new(log, LogForm::Legacy);
        let mut records = Vec::new();
        while let Some(record) = reader.read().unwrap() {
            records.push(record.bytes.to_vec());
        }
        records
    }

    #[test]
    fn records_around_the_block_size_return() {
        for length in [0, 1, BLOCK - HEADER - 1, BLOCK - HEADER, BLOCK - HEADER + 1, 3 * BLOCK, 100_001] {
            for first in [0, 10, BLOCK - 2 * HEADER - 7, BLOCK - 2 * HEADER, BLOCK - 2 * HEADER + 3] {
                let records = [vec![1; first], vec![2; length], vec![3; 5]];
                let log = frame(&records.each_ref().map(Vec::as_slice));
                assert_eq!(read_back(&log), records, "{first} then {length}");
            }
        }
    }

    #[test]
    fn an_empty_log_has_no_bytes() {
        assert!(frame(&[]).is_empty());
    }
}
