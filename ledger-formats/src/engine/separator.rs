//! Short keys for the index: any key between two blocks serves, so the shortest is taken.
//!
//! LevelDB describes the idea (`util/comparator.cc`, `db/dbformat.cc`): shorten the user key only,
//! and give what was shortened the largest sequence number, so that it comes before every version of
//! the same user key.

use super::block_writer::shared_prefix;
use super::internal_key::{self, Kind, SEQUENCE_MAX};

/// Writes an internal key `k` with `last <= k < next` into `into`, shortened where it can be. Both
/// are user keys of set entries at sequence 0, `last < next`.
pub fn between(last: &[u8], next: &[u8], into: &mut Vec<u8>) {
    let shared = shared_prefix(last, next);
    let (Some(&from), Some(&to)) = (last.get(shared), next.get(shared)) else {
        return whole(last, into);
    };
    // Raising the first different byte stays below `next` if it does not reach `to`, or if it does
    // and `next` goes on behind it.
    let raised = from.checked_add(1).filter(|&raised| raised < to || next.len() > shared + 1);
    // Otherwise the common part and `from` stay, and a later byte of `last` is raised.
    let at = if raised.is_some() { Some(shared) } else { raisable(last, shared + 1) };
    shortened(last, at, into);
}

/// Writes an internal key `k` with `last <= k` into `into`, shortened where it can be.
pub fn after(last: &[u8], into: &mut Vec<u8>) {
    shortened(last, raisable(last, 0), into);
}

/// The first place from `start` on where a byte can be raised.
fn raisable(key: &[u8], start: usize) -> Option<usize> {
    key.iter().skip(start).position(|&byte| byte != u8::MAX).map(|at| start + at)
}

/// `last` cut off behind the byte `at`, which is raised; `last` as it is when that is no shorter.
fn shortened(last: &[u8], at: Option<usize>, into: &mut Vec<u8>) {
    match at.filter(|at| at + 1 < last.len()) {
        Some(at) => {
            internal_key::join(into, &last[..=at], SEQUENCE_MAX, Kind::Set);
            into[at] += 1;
        }
        None => whole(last, into),
    }
}

fn whole(last: &[u8], into: &mut Vec<u8>) {
    internal_key::join(into, last, 0, Kind::Set);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn internal(user: &[u8]) -> Vec<u8> {
        let mut key = Vec::new();
        whole(user, &mut key);
        key
    }

    fn user_between(last: &[u8], next: &[u8]) -> Vec<u8> {
        let mut key = Vec::new();
        between(last, next, &mut key);
        internal_key::user_key(&key).unwrap().to_vec()
    }

    #[test]
    fn is_cut_at_the_first_difference() {
        assert_eq!(user_between(b"abc111111", b"abf"), b"abd");
        assert_eq!(user_between(b"abc111111", b"abd1"), b"abd");
        assert_eq!(user_between(b"abc111111", b"abd"), b"abc2");
        assert_eq!(user_between(b"ab\xff\xff\x01\x01", b"ac"), b"ab\xff\xff\x02");
    }

    #[test]
    fn stays_whole_where_nothing_is_gained() {
        assert_eq!(user_between(b"abc", b"abcd"), b"abc");
        assert_eq!(user_between(b"abc", b"abf"), b"abc");
        assert_eq!(user_between(b"ab\xff\xff", b"ac"), b"ab\xff\xff");
        assert_eq!(user_between(b"", b"a"), b"");
    }

    #[test]
    fn long_tails_leave_the_index() {
        let last = [b"tx.hash/".to_vec(), vec![b'x'; 200_000]].concat();
        let next = [b"tx.hash/".to_vec(), vec![b'y'; 200_000]].concat();
        assert_eq!(user_between(&last, &next), b"tx.hash/y");
    }

    proptest! {
        #[test]
        fn lies_between(a in prop::collection::vec(prop_oneof![Just(0), Just(1), Just(254), Just(255)], 0..6),
                        b in prop::collection::vec(prop_oneof![Just(0), Just(1), Just(254), Just(255)], 0..6)) {
            prop_assume!(a != b);
            let (last, next) = if a < b { (a, b) } else { (b, a) };
            let mut key = Vec::new();
            between(&last, &next, &mut key);
            prop_assert!(internal_key::compare(&internal(&last), &key).is_le());
            prop_assert!(internal_key::compare(&key, &internal(&next)).is_lt());
            prop_assert!(key.len() <= last.len() + internal_key::TRAILER_LEN);
            after(&last, &mut key);
            prop_assert!(internal_key::compare(&internal(&last), &key).is_le());
        }
    }
}
