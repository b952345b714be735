//! Transactions that wait for a block, in order of arrival.

use std::collections::{BTreeSet, VecDeque};

use proofs::merkle::Hash;
use sha2::{Digest, Sha256};

/// Bytes of waiting transactions at most; more are turned away.
const BYTES_MAX: usize = 64 << 20;
/// Bytes of one transaction at most.
const TX_BYTES_MAX: usize = 1 << 20;

/// Waiting transactions.
#[derive(Debug, Default)]
pub(super) struct Pool {
    waiting: VecDeque<(Hash, Vec<u8>)>,
    known: BTreeSet<Hash>,
    bytes: usize,
}

impl Pool {
    /// Takes a transaction; false if it waits already, or there is no room.
    pub(super) fn add(&mut self, tx: Vec<u8>) -> bool {
        if tx.len() > TX_BYTES_MAX || self.bytes + tx.len() > BYTES_MAX {
            return false;
        }
        let hash = Sha256::digest(&tx).into();
        if !self.known.insert(hash) {
            return false;
        }
        self.bytes += tx.len();
        self.waiting.push_back((hash, tx));
        true
    }

    /// The first transactions, up to so many bytes.
    pub(super) fn first(&self, bytes_max: usize) -> Vec<Vec<u8>> {
        let mut bytes = 0;
        let fits = |tx: &&Vec<u8>| {
            bytes += tx.len();
            bytes <= bytes_max
        };
        self.waiting.iter().map(|(_, tx)| tx).take_while(fits).cloned().collect()
    }

    /// Forgets the transactions of a block.
    pub(super) fn remove(&mut self, txs: &[Vec<u8>]) {
        let gone: BTreeSet<Hash> =
            txs.iter().map(|tx| Sha256::digest(tx).into()).filter(|hash| self.known.remove(hash)).collect();
        if !gone.is_empty() {
            self.waiting.retain(|(hash, _)| !gone.contains(hash));
            self.bytes = self.waiting.iter().map(|(_, tx)| tx.len()).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_wait_once_in_order_until_they_are_in_a_block() {
        let mut pool = Pool::default();
        assert!(pool.add(b"a=1".to_vec()) && pool.add(b"b=2".to_vec()) && pool.add(b"c=3".to_vec()));
        assert!(!pool.add(b"a=1".to_vec()));
        assert_eq!(pool.first(7), [b"a=1".to_vec(), b"b=2".to_vec()]);
        pool.remove(&[b"b=2".to_vec(), b"z=9".to_vec()]);
        assert_eq!(pool.first(100), [b"a=1".to_vec(), b"c=3".to_vec()]);
        assert!(pool.add(b"b=2".to_vec()));
        assert!(!pool.add(vec![0; TX_BYTES_MAX + 1]));
    }
}
