//! Randomness of the operating system for batch coefficients, fetched 4 KiB at a time.
//!
//! A batch draws 16 bytes for each signature; one system call each would cost as much as hashing the votes. It
//! is the one thing in this crate that does not come in as an argument: a caller who could choose it could also
//! choose a constant, and then bad signatures can be made to cancel out. No verdict depends on it.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

const POOL_BYTES: usize = 4_096;

/// A pool of random bytes, each given out once.
pub(super) struct SystemRandom {
    pool: [u8; POOL_BYTES],
    used: usize,
}

impl SystemRandom {
    pub(super) const fn new() -> Self {
        Self { pool: [0; POOL_BYTES], used: POOL_BYTES }
    }
}

impl TryRng for SystemRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        for chunk in target.chunks_mut(POOL_BYTES) {
            if self.pool.len() - self.used < chunk.len() {
                getrandom::fill(&mut self.pool).expect("the operating system gives randomness after it has booted");
                self.used = 0;
            }
            chunk.copy_from_slice(&self.pool[self.used..self.used + chunk.len()]);
            self.used += chunk.len();
        }
        Ok(())
    }
}

impl TryCryptoRng for SystemRandom {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_are_given_out_twice() {
        let mut random = SystemRandom::new();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..3 * POOL_BYTES / 16 {
            let mut bytes = [0; 16];
            let Ok(()) = random.try_fill_bytes(&mut bytes);
            assert!(seen.insert(bytes));
        }
        let mut long = vec![0; 2 * POOL_BYTES + 5];
        let Ok(()) = random.try_fill_bytes(&mut long);
        assert!(long.chunks(16).all(|chunk| chunk.len() < 16 || seen.insert(chunk.try_into().expect("16 bytes"))));
    }
}
