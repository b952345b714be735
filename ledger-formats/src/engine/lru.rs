//! A map that forgets what was not used for longest once its weight exceeds a bound.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A least-recently-used map, bounded by the sum of its values' weights.
#[derive(Debug)]
pub struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Keys by the time of their last use.
    by_use: BTreeMap<u64, K>,
    weight: usize,
    weight_max: usize,
    /// Counts uses.
    time: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<K: Copy + Eq + Hash, V: Clone> Lru<K, V> {
    /// An empty map for values of at most `weight_max` together.
    #[must_use]
    pub fn new(weight_max: usize) -> Self {
        Self { entries: HashMap::new(), by_use: BTreeMap::new(), weight: 0, weight_max, time: 0 }
    }

    /// The value of `key`, which is now the last one to be forgotten.
    pub fn get(&mut self, key: K) -> Option<V> {
        let entry = self.entries.get_mut(&key)?;
        self.time += 1;
        self.by_use.remove(&entry.used);
        entry.used = self.time;
        self.by_use.insert(self.time, key);
        Some(entry.value.clone())
    }

    /// Remembers a value. One that is heavier than the whole map is allowed is not kept.
    pub fn insert(&mut self, key: K, value: V, weight: usize) {
        self.remove(key);
        if weight > self.weight_max {
            return;
        }
        while self.weight + weight > self.weight_max {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            self.remove(oldest);
        }
        self.time += 1;
        self.weight += weight;
        self.by_use.insert(self.time, key);
        self.entries.insert(key, Entry { value, weight, used: self.time });
    }

    fn remove(&mut self, key: K) {
        if let Some(entry) = self.entries.remove(&key) {
            self.by_use.remove(&entry.used);
            self.weight -= entry.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_was_not_used_for_longest() {
        let mut lru = Lru::new(10);
        lru.insert(1, "one", 4);
        lru.insert(2, "two", 4);
        assert_eq!(lru.get(1), Some("one"));
        lru.insert(3, "three", 4);
        assert_eq!((lru.get(1), lru.get(2), lru.get(3)), (Some("one"), None, Some("three")));
        assert_eq!(lru.weight, 8);
    }

    #[test]
    fn weight_stays_right_when_a_key_is_replaced() {
        let mut lru = Lru::new(10);
        lru.insert(1, "a", 9);
        lru.insert(1, "b", 3);
        lru.insert(2, "c", 7);
        assert_eq!((lru.get(1), lru.get(2), lru.weight), (Some("b"), Some("c"), 10));
    }

    #[test]
    fn what_is_too_heavy_is_not_kept_and_drives_nothing_out() {
        let mut lru = Lru::new(10);
        lru.insert(1, "a", 9);
        lru.insert(2, "b", 11);
        assert_eq!((lru.get(1), lru.get(2)), (Some("a"), None));
    }
}
