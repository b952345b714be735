//! What a scan must not show: the ranges that damaged places may have held.

use std::collections::VecDeque;

/// Ranges of keys that cannot be read, both bounds inclusive, until the scan has passed them.
#[derive(Debug)]
pub(super) struct Damage {
    /// For each source its ranges ahead, ascending, because a source meets them so.
    ahead: Vec<VecDeque<(Vec<u8>, Vec<u8>)>>,
    any: bool,
}

impl Damage {
    pub(super) fn new(sources: usize) -> Self {
        Self { ahead: vec![VecDeque::new(); sources], any: false }
    }

    /// Takes note of a range that `source` could not read. One that adjoins the range before it
    /// becomes one with it, so that a wholly damaged table is one range.
    pub(super) fn add(&mut self, source: usize, low: &[u8], high: &[u8]) {
        self.any = true;
        let Some(ranges) = self.ahead.get_mut(source) else { return };
        match ranges.back_mut() {
            Some((_, last)) if low <= last.as_slice() => {
                if high > last.as_slice() {
                    last.clear();
                    last.extend_from_slice(high);
                }
            }
            _ => ranges.push_back((low.to_vec(), high.to_vec())),
        }
    }

    /// Whether `user`, which is above all keys asked before, lies in a range.
    pub(super) fn hides(&mut self, user: &[u8]) -> bool {
        if !self.any {
            return false;
        }
        let mut hidden = false;
        self.any = false;
        for ranges in &mut self.ahead {
            while ranges.front().is_some_and(|(_, high)| high.as_slice() < user) {
                ranges.pop_front();
            }
            self.any |= !ranges.is_empty();
            hidden |= ranges.front().is_some_and(|(low, _)| low.as_slice() <= user);
        }
        hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hide_until_they_are_passed_and_gaps_stay_open() {
        let mut damage = Damage::new(2);
        damage.add(0, b"b", b"d");
        damage.add(0, b"d", b"e");
        damage.add(0, b"m", b"n");
        damage.add(1, b"e", b"g");
        let hidden: Vec<u8> = (b'a'..=b'z').filter(|key| damage.hides(&[*key])).collect();
        assert_eq!(hidden, b"bcdefgmn");
        assert!(!damage.any);
    }
}
