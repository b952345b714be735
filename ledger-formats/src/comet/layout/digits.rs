//! Where heights of one number of digits begin and end among the keys of either layout.
//!
//! Layout v1 spells heights in decimal without padding: `H:1 H:10 H:100 .. H:2`. Among heights of one number of digits
//! its key order is height order, so that each family is walked as up to 19 lanes, one for each number of digits.

use super::Family;
use crate::comet::key::{HEIGHT_MAX, Layout, ordered_code};
use crate::store::KeyRange;

/// Most digits of a height.
pub(crate) const DIGITS_MAX: u32 = 19;

/// Number of digits of a height.
pub(crate) fn digits(height: u64) -> u32 {
    height.checked_ilog10().unwrap_or_default() + 1
}

/// Least and greatest height of a number of digits.
pub(crate) fn heights(digits: u32) -> (u64, u64) {
    let least = if digits == 1 { 0 } else { 10_u64.saturating_pow(digits - 1) };
    (least, 10_u64.saturating_pow(digits).saturating_sub(1).min(HEIGHT_MAX))
}

impl Family {
    /// The keys of layout `from` that a walk over heights of `digits` digits must see, so that it meets every record
    /// whose key in the other layout lies in `wanted`; `None` when there can be none. May be wider than needed.
    pub(crate) fn lane(&self, from: Layout, digits: u32, wanted: &KeyRange) -> Option<KeyRange> {
        let (least, greatest) = heights(digits);
        let (low, high) = match from {
            Layout::V1 => self.ordered_heights(wanted, least, greatest)?,
            Layout::V2 => (self.decimal_from(&wanted.start, digits)?, greatest),
        };
        let mut stretch = self.stretch(from);
        let is_whole = low == least;
        match from {
            // The first lane begins with the stretch, so that keys which are no heights are met as well.
            Layout::V1 if digits == 1 && is_whole => {}
            Layout::V1 => stretch.start.extend_from_slice(low.to_string().as_bytes()),
            Layout::V2 => {
                if !(digits == 1 && is_whole) {
                    ordered_code::put_number(&mut stretch.start, low);
                }
                if high < HEIGHT_MAX {
                    let mut end = vec![self.v2];
                    ordered_code::put_number(&mut end, high + 1);
                    stretch.end = Some(end);
                }
            }
        }
        Some(stretch)
    }

    /// The heights from `least` to `greatest` whose keys in layout v2 may lie in `wanted`.
    fn ordered_heights(&self, wanted: &KeyRange, least: u64, greatest: u64) -> Option<(u64, u64)> {
        let height = |key: &[u8]| {
            let rest = key.strip_prefix(&[self.v2])?;
            ordered_code::take_number(rest).map(|(height, _)| height)
        };
        let stretch = self.stretch(Layout::V2);
        if stretch.end.as_deref().is_some_and(|end| end <= wanted.start.as_slice())
            || wanted.end.as_ref().is_some_and(|end| *end <= stretch.start)
        {
            return None;
        }
        let low = height(&wanted.start).unwrap_or(0).max(least);
        let high = wanted.end.as_deref().and_then(height).unwrap_or(greatest).min(greatest);
        (low <= high).then_some((low, high))
    }

    /// The least height of `digits` digits whose key in layout v1 may be `start` or above.
    fn decimal_from(&self, start: &[u8], digits: u32) -> Option<u64> {
        let (least, greatest) = heights(digits);
        let Some(rest) = start.strip_prefix(self.v1) else {
            return (start <= self.v1).then_some(least);
        };
        let mut height = 0_u64;
        for at in 0..digits as usize {
            let places = digits - u32::try_from(at).ok()?;
            match rest.get(at) {
                Some(digit @ b'0'..=b'9') => height = height.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?,
                // Above all digits: the next number of so many digits, filled up with zeros.
                Some(byte) if *byte > b'9' => {
                    height = height.checked_add(1)?;
                    let is_over = at == 0 || height >= 10_u64.saturating_pow(digits - places);
                    let filled = height.checked_mul(10_u64.checked_pow(places)?)?;
                    return (!is_over && filled <= greatest).then_some(filled.max(least));
                }
                _ => {
                    return Some(height.checked_mul(10_u64.checked_pow(places)?)?.max(least))
                        .filter(|h| *h <= greatest);
                }
            }
        }
        (height <= greatest).then_some(height.max(least))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::comet::class::Database;
    use crate::comet::key::BlockKey;
    use crate::comet::layout::families;

    fn meta(layout: Layout, height: u64) -> Vec<u8> {
        let mut out = Vec::new();
        BlockKey::Meta { height }.encode(layout, &mut out);
        out
    }

    fn any_height() -> impl Strategy<Value = u64> {
        prop_oneof![0..2_000_u64, any::<u64>().prop_map(|height| height & HEIGHT_MAX), Just(HEIGHT_MAX)]
    }

    proptest! {
        #[test]
        fn a_lane_holds_every_height_of_its_digits_that_is_wanted(height in any_height(), start in any_height(), end in any_height()) {
            let family = &families(Database::BlockStore)[0];
            for (from, to) in [(Layout::V1, Layout::V2), (Layout::V2, Layout::V1)] {
                let wanted = KeyRange { start: meta(to, start), end: Some(meta(to, end)) };
                if wanted.contains(&meta(to, height)) {
                    let lane = family.lane(from, digits(height), &wanted).expect("wanted");
                    prop_assert!(lane.contains(&meta(from, height)), "{height} of {from:?} in {lane:?}");
                }
            }
        }

        #[test]
        fn any_bytes_can_begin_a_range(height in any_height(), start in proptest::collection::vec(any::<u8>(), 0..12), is_near in any::<bool>()) {
            let family = &families(Database::BlockStore)[0];
            for (from, to) in [(Layout::V1, Layout::V2), (Layout::V2, Layout::V1)] {
                let start = if is_near { [family.prefix(to), &start].concat() } else { start.clone() };
                let wanted = KeyRange { start, end: None };
                if wanted.contains(&meta(to, height)) {
                    let lane = family.lane(from, digits(height), &wanted).expect("wanted");
                    prop_assert!(lane.contains(&meta(from, height)));
                }
            }
        }
    }

    #[test]
    fn the_bound_in_decimal_is_tight() {
        let family = &families(Database::BlockStore)[0];
        let from = |start: &str, digits| family.decimal_from(start.as_bytes(), digits);
        assert_eq!(from("H:123", 3), Some(123));
        assert_eq!(from("H:123", 5), Some(12_300));
        assert_eq!(from("H:12:", 3), Some(130));
        assert_eq!(from("H:9:", 3), None);
        assert_eq!(from("H:99:", 3), None);
        assert_eq!(from("H::", 3), None);
        assert_eq!(from("H:", 3), Some(100));
        assert_eq!(from("H:0", 3), Some(100));
        assert_eq!(from("C:5", 3), Some(100));
        assert_eq!(from("SC:5", 3), None);
    }
}
