//! Vectors of real engines, every form, every way in which a log can end.

use super::*;

/// A chunk with a right checksum.
fn chunk(kind: u8, extra: &[u8], payload: &[u8]) -> Vec<u8> {
    let crc = masked_crc(&[&[kind], extra, payload]).to_le_bytes();
    let length = u16::try_from(payload.len()).unwrap().to_le_bytes();
    [&crc[..], &length, &[kind], extra, payload].concat()
}

fn all(bytes: &[u8], form: LogForm) -> (Vec<(u64, Vec<u8>)>, LogEnd) {
    let mut reader = LogReader::new(bytes, form);
    let mut records = Vec::new();
    while let Some(record) = reader.read().unwrap() {
        records.push((record.offset, record.bytes.to_vec()));
    }
    (records, reader.end().unwrap().clone())
}

#[test]
fn a_journal_that_goleveldb_wrote() {
    let bytes = hex::decode("e75a4d00110001010000000000000001000000 01016b0176".replace(' ', "")).unwrap();
    let (records, end) = all(&bytes, LogForm::Legacy);
    assert_eq!(records, [(0, bytes[7..].to_vec())]);
    assert_eq!(end, LogEnd::Whole);
}

#[test]
fn a_log_that_pebble_wrote_ends_at_its_mark() {
    let record = "7dc17aed110005020000000a000000000000000100000001016b0176";
    let bytes = hex::decode(format!("{record}0000000000000503000000")).unwrap();
    let (records, end) = all(&bytes, LogForm::Pebble(2));
    assert_eq!(records, [(0, bytes[11..28].to_vec())]);
    assert_eq!(end, LogEnd::OtherLog { offset: 28 });
    assert_eq!(all(&bytes, LogForm::Pebble(3)), (vec![], LogEnd::OtherLog { offset: 0 }));
    // Another number without a checksum for it is damage, not the end.
    let mut damaged = bytes.clone();
    damaged[7] = 3;
    assert!(matches!(all(&damaged, LogForm::Pebble(2)).1, LogEnd::Torn { offset: 0, .. }));
    assert!(matches!(all(&bytes, LogForm::Legacy).1, LogEnd::Torn { offset: 0, .. }));
}

#[test]
fn records_over_blocks_in_every_form() {
    let forms: [(LogForm, u8, Vec<u8>); 3] = [
        (LogForm::Legacy, 0, vec![]),
        (LogForm::RocksDb(7), 4, 7_u32.to_le_bytes().to_vec()),
        (LogForm::Pebble(7), 8, [&7_u32.to_le_bytes()[..], &[9; 8]].concat()),
    ];
    for (form, base, extra) in forms {
        let room = BLOCK - HEADER - extra.len();
        let mut bytes = chunk(base + 2, &extra, &vec![1; room]);
        bytes.extend(chunk(base + 3, &extra, &vec![2; room]));
        bytes.extend(chunk(base + 4, &extra, &[3; 5]));
        bytes.extend(chunk(base + 1, &extra, b"last"));
        let (records, end) = all(&bytes, form);
        assert_eq!(end, LogEnd::Whole, "{form:?}");
        let joined = [vec![1; room], vec![2; room], vec![3; 5]].concat();
        let second = (2 * BLOCK + HEADER + extra.len() + 5) as u64;
        assert_eq!(records, [(0, joined), (second, b"last".to_vec())], "{form:?}");
    }
}

#[test]
fn padding_before_a_block_border_is_skipped() {
    for (form, base, extra, left) in
        [(LogForm::Legacy, 0, vec![], 6), (LogForm::Pebble(7), 4, 7_u32.to_le_bytes().to_vec(), 10)]
    {
        let mut bytes = chunk(base + 1, &extra, &vec![1; BLOCK - HEADER - extra.len() - left]);
        bytes.resize(BLOCK, 0);
        bytes.extend(chunk(base + 1, &extra, b"next"));
        let (records, end) = all(&bytes, form);
        assert_eq!((records.len(), end), (2, LogEnd::Whole), "{form:?}");
    }
}

#[test]
fn torn_ends_say_what_is_there() {
    let good = chunk(1, &[], b"good");
    let cases: [(&[u8], &str); 5] = [
        (&[0; 4096], "zeroes"),
        (&chunk(1, &[], b"x")[..6], "a header that is cut off"),
        (&chunk(1, &[], b"xyz")[..9], "a chunk that is cut off"),
        (&[1, 2, 3, 4, 0, 0, 1], "a chunk with a wrong checksum"),
        (&chunk(2, &[], b"only a start"), "a record that is cut off"),
    ];
    for (tail, reason) in cases {
        let (records, end) = all(&[&good[..], tail].concat(), LogForm::Legacy);
        assert_eq!(records, [(0, b"good".to_vec())]);
        assert_eq!(end, LogEnd::Torn { offset: 11, reason, valid_after: None });
    }
}

#[test]
fn damage_before_valid_records_is_no_torn_end() {
    let (a, b) = (chunk(1, &[], b"first"), chunk(1, &[], b"second"));
    for at in 0..a.len() {
        let mut bytes = [&a[..], &b].concat();
        bytes[at] ^= 0x10;
        let (records, end) = all(&bytes, LogForm::Legacy);
        assert_eq!(records, []);
        let after = matches!(end, LogEnd::Torn { offset: 0, valid_after: Some(12), .. });
        assert!(after, "byte {at}: {end:?}");
    }
    // In the next block too.
    let mut bytes = chunk(1, &[], &vec![7; BLOCK - HEADER]);
    bytes[100] ^= 1;
    bytes.extend(&b);
    let (_, end) = all(&bytes, LogForm::Legacy);
    assert!(matches!(end, LogEnd::Torn { offset: 0, valid_after: Some(32768), .. }), "{end:?}");
}

#[test]
fn a_recycled_log_ends_where_the_old_one_goes_on() {
    let chunk = |number: u32, kind, payload| chunk(kind, &number.to_le_bytes(), payload);
    let bytes = [chunk(9, 5, b"new"), chunk(4, 5, b"old"), chunk(9, 5, b"never")].concat();
    let (records, end) = all(&bytes, LogForm::Pebble(9));
    assert_eq!((records.len(), end), (1, LogEnd::OtherLog { offset: 14 }));
    // Inside a record it is a torn one.
    let bytes = [chunk(9, 6, b"start"), chunk(4, 7, b"old")].concat();
    let (records, end) = all(&bytes, LogForm::Pebble(9));
    assert_eq!(records, []);
    assert!(matches!(end, LogEnd::Torn { offset: 0, valid_after: None, .. }), "{end:?}");
}

#[test]
fn parts_in_the_wrong_order_are_torn() {
    for kinds in [[3, 1], [4, 1], [2, 1], [2, 2]] {
        let bytes = kinds.map(|kind| chunk(kind, &[], b"part")).concat();
        let (records, end) = all(&bytes, LogForm::Legacy);
        assert_eq!(records, [], "{kinds:?}");
        assert!(matches!(end, LogEnd::Torn { offset: 0, valid_after: Some(_), .. }), "{kinds:?} {end:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_end(bytes: Vec<u8>, number: u32) {
        for form in [LogForm::Legacy, LogForm::RocksDb(number), LogForm::Pebble(number)] {
            let (records, _) = all(&bytes, form);
            let sum: usize = records.iter().map(|record| record.1.len() + HEADER).sum();
            proptest::prop_assert!(sum <= bytes.len());
        }
    }
}
