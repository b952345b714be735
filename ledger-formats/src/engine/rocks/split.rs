//! Where to cut a database into pieces of equal size, from the tables' bounds alone.

use rocksdb::{DB, LiveFile, Range};

/// Halvings of the key space inside one table; 2^-48 of a table is below a block.
const HALVINGS: u32 = 48;
/// Bytes of a key that a halving looks at, behind what the bounds have in common.
const DIGITS: usize = 16;

/// Interior keys, strictly ascending, about `bytes` of table bytes apart.
pub(super) fn split_points(db: &DB, tables: Vec<LiveFile>, bytes: u64) -> Vec<Vec<u8>> {
    let bytes = bytes.max(1);
    let mut spans: Vec<_> = tables.into_iter().filter_map(Span::of).collect();
    spans.sort();
    let Some(smallest) = spans.first().map(|span| span.start.clone()) else { return Vec::new() };
    let mut points = Points { last: smallest, found: Vec::new() };
    let mut piece = 0_u64;
    for span in &spans {
        if piece >= bytes && points.push(&span.start) {
            piece = 0;
        }
        if piece.saturating_add(span.size) > bytes.saturating_mul(2) {
            piece = cut_inside(db, span, bytes, piece, &mut points);
        } else {
            piece += span.size;
        }
    }
    points.found
}

/// One table's bounds, both inclusive, and its size.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    start: Vec<u8>,
    end: Vec<u8>,
    size: u64,
}

impl Span {
    fn of(table: LiveFile) -> Option<Self> {
        Some(Self { start: table.start_key?, end: table.end_key?, size: table.size as u64 })
    }
}

struct Points {
    last: Vec<u8>,
    found: Vec<Vec<u8>>,
}

impl Points {
    /// Takes a key that is above all others; says whether it was.
    fn push(&mut self, key: &[u8]) -> bool {
        let above = key > self.last.as_slice();
        if above {
            self.last = key.to_vec();
            self.found.push(key.to_vec());
        }
        above
    }
}

/// Cuts a table that is larger than a piece; returns what is left of it behind the last cut.
fn cut_inside(db: &DB, span: &Span, bytes: u64, mut piece: u64, points: &mut Points) -> u64 {
    let mut done = 0;
    while span.size - done + piece > bytes.saturating_mul(2) {
        let wanted = done + bytes.saturating_sub(piece).max(1);
        let Some(key) = key_at(db, span, wanted) else { break };
        if !points.push(&key) {
            break;
        }
        done = wanted;
        piece = 0;
    }
    piece + span.size - done
}

/// A key inside the table before which there are about `wanted` bytes of the database's span.
fn key_at(db: &DB, span: &Span, wanted: u64) -> Option<Vec<u8>> {
    let common = span.start.iter().zip(&span.end).take_while(|(a, b)| a == b).count();
    let (mut low, mut high) = (number(&span.start[common..]), number(&span.end[common..]));
    let key = |digits: u128| [&span.start[..common], &digits.to_be_bytes()].concat();
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2;
        if middle == low {
            break;
        }
        let before = db.get_approximate_sizes(&[Range::new(&span.start, &key(middle))]).first().copied()?;
        if before < wanted { low = middle } else { high = middle }
    }
    let found = key(high);
    (found > span.start && found < span.end).then_some(found)
}

/// The first bytes of a key as a number that orders as the key does.
fn number(key: &[u8]) -> u128 {
    let mut digits = [0; DIGITS];
    let length = key.len().min(DIGITS);
    digits[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_order_as_their_keys() {
        let keys = [b"".as_slice(), b"\x00\x01", b"H:1", b"H:10", b"H:2", b"\xff", b"\xff\xff"];
        assert!(keys.map(number).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn points_only_ascend() {
        let mut points = Points { last: b"b".to_vec(), found: Vec::new() };
        assert!(!points.push(b"b"));
        assert!(points.push(b"c"));
        assert!(!points.push(b"bb"));
        assert_eq!(points.found, [b"c".to_vec()]);
    }
}
