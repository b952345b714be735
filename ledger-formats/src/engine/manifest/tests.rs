//! Vectors of real engines, every tag, torn and damaged ends.

use super::*;
use crate::engine::checksum::masked_crc;
use crate::engine::varint;

fn framed(records: &[Vec<u8>]) -> Vec<u8> {
    let chunk = |record: &Vec<u8>| {
        let crc = masked_crc(&[&[1], record]).to_le_bytes();
        let length = u16::try_from(record.len()).unwrap().to_le_bytes();
        [&crc[..], &length, &[1], record].concat()
    };
    records.iter().flat_map(chunk).collect()
}

fn decode(records: &[Vec<u8>]) -> Result<Version, StoreError> {
    Version::decode(Path::new("MANIFEST-000001"), framed(records).as_slice())
}

fn numbers(values: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.iter().for_each(|value| varint::put(&mut bytes, *value));
    bytes
}

fn came(tag: u64, level: u64, number: u64, keys: [&[u8]; 2], rest: &[u64]) -> Vec<u8> {
    let mut bytes = numbers(&[tag, level, number, 1000]);
    for key in keys {
        let mut internal = Vec::new();
        internal_key::join(&mut internal, key, 5, internal_key::Kind::Set);
        varint::put_bytes(&mut bytes, &internal);
    }
    bytes.extend(numbers(rest));
    bytes
}

#[test]
fn manifests_of_real_engines() {
    let goleveldb = "3eb7622f3a0001011a6c6576656c64622e4279746577697365436f6d70617261746f7202030304040007060172\
                     096b0100000000000000096b0100000000000000";
    let pebble = "02534b9e3e0001011a6c6576656c64622e4279746577697365436f6d70617261746f72020303040400670601ca01\
                  096b0100000000000000096b0100000000000000000001";
    for (hex, size, sequences) in [(goleveldb, 114, None), (pebble, 202, Some((0, 0)))] {
        let bytes = hex::decode(hex).unwrap();
        let version = Version::decode(Path::new("MANIFEST-000002"), bytes.as_slice()).unwrap();
        version.check_comparer(Path::new("MANIFEST-000002")).unwrap();
        assert_eq!((version.log_number, version.next_file, version.last_sequence), (Some(3), Some(4), Some(0)));
        assert_eq!((version.length, version.torn), (bytes.len() as u64, None));
        let [table] = version.tables.as_slice() else { panic!("one table") };
        assert_eq!((table.level, table.number, table.size, table.sequences), (6, 1, size, sequences));
        assert_eq!((table.first_key(), table.last_key(), table.global_sequence()), (&b"k"[..], &b"k"[..], None));
    }
}

#[test]
fn a_table_that_comes_twice_is_one() {
    let twice = [came(7, 0, 13, [b"a", b"b"], &[]), came(7, 0, 13, [b"a", b"b"], &[])].concat();
    assert_eq!(decode(&[twice]).unwrap().tables.len(), 1);
}

#[test]
fn a_record_takes_away_before_it_adds() {
    let first = came(7, 1, 4, [b"a", b"b"], &[]);
    // goleveldb writes additions and removals in either order.
    for record in [
        [numbers(&[6, 1, 4]), came(7, 2, 4, [b"a", b"b"], &[])].concat(),
        [came(7, 2, 4, [b"a", b"b"], &[]), numbers(&[6, 1, 4, 6, 2, 9])].concat(),
    ] {
        let version = decode(&[first.clone(), record]).unwrap();
        assert_eq!(version.tables.iter().map(|table| (table.level, table.number)).collect::<Vec<_>>(), [(2, 4)]);
    }
}

#[test]
fn tables_of_every_tag() {
    let record = [
        came(7, 0, 1, [b"a", b"b"], &[]),
        came(100, 0, 2, [b"a", b"b"], &[3, 9]),
        came(103, 6, 3, [b"a", b"b"], &[7, 7, 2, 1, 1, 6, 1, 9, 1]),
    ]
    .concat();
    let tables = decode(&[record]).unwrap().tables;
    let sequences: Vec<_> = tables.iter().map(|table| (table.sequences, table.global_sequence())).collect();
    assert_eq!(sequences, [(None, None), (Some((3, 9)), None), (Some((7, 7)), Some(7))]);
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let table = |field: &[u64]| came(103, 6, 3, [b"a", b"b"], &[&[0, 0], field, &[1]].concat());
    for (record, name) in [
        (numbers(&[8, 1]), "manifest tag 8"),
        (numbers(&[104]), "range keys (manifest tag 104)"),
        (numbers(&[200, 1]), "column family 1"),
        (numbers(&[201, 1, u64::from(b'x')]), "column family `x`"),
        (numbers(&[400]), "blob files"),
        (table(&[66, 9]), "virtual tables"),
        (table(&[65, 1, 1]), "tables in several folders"),
        (table(&[70, 1, 1]), "table field 70"),
    ] {
        match decode(&[record]) {
            Err(StoreError::Unsupported { feature, .. }) => assert_eq!(feature, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_torn_end_is_nothing_and_damage_before_records_is_an_error() {
    let records = [numbers(&[2, 5]), numbers(&[2, 6]), numbers(&[2, 7])];
    let bytes = framed(&records);
    let path = Path::new("MANIFEST-000001");
    for cut in 19..bytes.len() {
        let version = Version::decode(path, &bytes[..cut]).unwrap();
        assert_eq!((version.log_number, version.length, version.torn.is_some()), (Some(6), 18, true));
    }
    let mut damaged = bytes.clone();
    damaged[12] ^= 1;
    assert!(matches!(Version::decode(path, damaged.as_slice()), Err(StoreError::Corrupt(_))));
    assert!(matches!(Version::decode(path, &b""[..]), Err(StoreError::Corrupt(_))));
}

#[test]
fn logs_from_the_number_on_and_the_previous_one_are_needed() {
    let version = decode(&[numbers(&[2, 5, 9, 3])]).unwrap();
    let needed: Vec<u64> = (0..8).filter(|log| version.needs_log(*log)).collect();
    assert_eq!(needed, [3, 5, 6, 7]);
    assert!(decode(&[numbers(&[3, 5])]).unwrap().needs_log(0));
}

proptest::proptest! {
    #[test]
    fn any_record_decodes_or_is_refused(record: Vec<u8>) {
        let _ = decode(&[record]);
    }
}
