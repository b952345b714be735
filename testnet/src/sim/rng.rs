//! Numbers that follow from a seed: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    /// The stream of a seed; `purpose` makes streams of one seed independent.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let mut rng = Self(seed ^ purpose.wrapping_mul(0xd134_2543_de82_ef95));
        rng.next();
        rng
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number from `low` to below `high`, which is greater.
    pub(super) fn within(&mut self, low: u64, high: u64) -> u64 {
        // The bias is that of a 64-bit number over a small range: none that matters here.
        low + self.next() % (high - low)
    }

    /// A place among `count`, which is not 0.
    pub(super) fn place(&mut self, count: usize) -> usize {
        usize::try_from(self.within(0, count as u64)).expect("below a count")
    }

    /// True so many times of a thousand.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.within(0, 1_000) < per_mille
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_numbers_and_purposes_differ() {
        // The published first outputs for the seed 1234567.
        let mut rng = Rng(1_234_567);
        assert_eq!([rng.next(), rng.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
        let first = |purpose| Rng::new(7, purpose).next();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
