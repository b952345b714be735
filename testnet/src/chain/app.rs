//! The application: a store of keys and values whose whole state is a hash and the validators.
//!
//! | transaction | what it does |
//! |---|---|
//! | `key=value` | sets a key |
//! | `val:<64 hex digits>!<power>` | gives a validator this power, 0 removes it |
//!
//! Everything else fails with code 1; a change of validators that a node could not follow with code 2, and changes
//! nothing. The app hash covers every key and value ever set, in order, so that two nodes with one app hash executed
//! the same transactions. It keeps no values: nothing in a testnet asks for them.

use ledger_formats::comet::wire::{put_bytes, put_int, put_message, put_uint};
use proofs::merkle::{Hash, leaf_hash, root_of_hashes};
use sha2::{Digest, Sha256};

use super::dialect::{Dialect, KEY_TYPE};
use super::keys::PublicKey;
use super::turns::Change;
use super::validators::ValidatorSet;

/// Most power that one validator may get.
const POWER_MAX: u64 = 1_000_000_000;

const CODE_MALFORMED: u32 = 1;
const CODE_IMPOSSIBLE: u32 = 2;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxResult {
    /// 0 for success.
    pub code: u32,
    /// Gas used: the bytes of the transaction.
    pub gas_used: i64,
}

/// What the application answers to a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One result a transaction.
    pub results: Vec<TxResult>,
    /// Changes of the validators.
    pub changes: Vec<Change>,
    /// The app hash of the next header.
    pub app_hash: Hash,
}

impl TxResult {
    fn put(self, out: &mut Vec<u8>) {
        put_uint(out, 1, self.code.into());
        put_int(out, 6, self.gas_used);
    }
}

impl Outcome {
    /// Executes the transactions of a block on the state with `app_hash`; `validators` are those that changes apply to.
    #[must_use]
    pub fn of(height: u64, txs: &[Vec<u8>], app_hash: &Hash, validators: &ValidatorSet) -> Self {
        let mut digest = Sha256::new().chain_update(app_hash).chain_update(height.to_be_bytes());
        let (mut results, mut changes) = (Vec::with_capacity(txs.len()), Vec::new());
        for tx in txs {
            let code = match Command::parse(tx) {
                None => CODE_MALFORMED,
                Some(Command::Set { key, value }) => {
                    for bytes in [key, value] {
                        digest.update((bytes.len() as u64).to_be_bytes());
                        digest.update(bytes);
                    }
                    0
                }
                Some(Command::Power(change)) => {
                    changes.push(change);
                    if change.power <= POWER_MAX && validators.changed(&changes).is_ok() {
                        0
                    } else {
                        changes.pop();
                        CODE_IMPOSSIBLE
                    }
                }
            };
            results.push(TxResult { code, gas_used: i64::try_from(tx.len()).unwrap_or(i64::MAX) });
        }
        Self { results, changes, app_hash: digest.finalize().into() }
    }

    /// The last-results hash of the next header.
    #[must_use]
    pub fn results_hash(&self) -> Hash {
        let leaf = |result: &TxResult| {
            let mut leaf = Vec::with_capacity(8);
            result.put(&mut leaf);
            leaf_hash(&leaf)
        };
        root_of_hashes(&mut self.results.iter().map(leaf).collect::<Vec<_>>())
    }

    /// Appends the fields of `ResponseFinalizeBlock`.
    pub fn put(&self, dialect: Dialect, out: &mut Vec<u8>) {
        self.results.iter().for_each(|result| put_message(out, 2, |out| result.put(out)));
        for Change { public_key, power } in &self.changes {
            put_message(out, 3, |out| {
                if dialect == Dialect::V0_38 {
                    put_message(out, 1, |out| put_bytes(out, 1, &public_key.0));
                }
                put_uint(out, 2, *power);
                if dialect == Dialect::V1_0 {
                    put_bytes(out, 3, &public_key.0);
                    put_bytes(out, 4, KEY_TYPE);
                }
            });
        }
        put_bytes(out, 5, &self.app_hash);
    }
}

/// What a transaction asks for.
enum Command<'a> {
    Set { key: &'a [u8], value: &'a [u8] },
    Power(Change),
}

impl<'a> Command<'a> {
    fn parse(tx: &'a [u8]) -> Option<Self> {
        if let Some(change) = tx.strip_prefix(b"val:") {
            let (key, power) = std::str::from_utf8(change).ok()?.split_once('!')?;
            let mut public_key = [0; 32];
            hex::decode_to_slice(key, &mut public_key).ok()?;
            return Some(Self::Power(Change { public_key: PublicKey(public_key), power: power.parse().ok()? }));
        }
        let at = tx.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
        Some(Self::Set { key: &tx[..at], value: &tx[at + 1..] })
    }
}

/// The transaction that gives a validator this power.
#[must_use]
pub fn power_transaction(change: &Change) -> Vec<u8> {
    format!("val:{}!{}", hex::encode(change.public_key.0), change.power).into_bytes()
}

#[cfg(test)]
mod tests {
    use ledger_formats::comet::Results;

    use super::*;

    fn set() -> ValidatorSet {
        ValidatorSet::genesis((1..=3).map(|number| (PublicKey([number; 32]), 10))).expect("a set")
    }

    fn run(txs: &[&[u8]]) -> Outcome {
        let txs: Vec<Vec<u8>> = txs.iter().map(|tx| tx.to_vec()).collect();
        Outcome::of(7, &txs, &[0; 32], &set())
    }

    #[test]
    fn what_cannot_be_done_fails_and_changes_nothing() {
        let change = |number, power| power_transaction(&Change { public_key: PublicKey([number; 32]), power });
        let outcome =
            run(&[b"a=1", b"=1", b"a", b"val:zz!1", &change(9, 5), &change(9, 6), &change(8, 0), &change(1, 0)]);
        let codes: Vec<u32> = outcome.results.iter().map(|result| result.code).collect();
        assert_eq!(codes, [0, 1, 1, 1, 0, 2, 2, 0]);
        let changed = set().changed(&outcome.changes).expect("can be followed");
        assert_eq!(changed.total(), 25);
        assert_eq!(run(&[&change(1, 0), &change(2, 0), &change(3, 0)]).changes.len(), 2, "one stays");
    }

    #[test]
    fn the_app_hash_covers_what_was_set() {
        let hash = |txs: &[&[u8]]| run(txs).app_hash;
        assert_eq!(hash(&[b"a=1", b"junk"]), hash(&[b"a=1"]));
        assert_ne!(hash(&[b"a=1"]), hash(&[b"a=2"]));
        assert_ne!(hash(&[b"a=1", b"b=2"]), hash(&[b"b=2", b"a=1"]));
        assert_ne!(hash(&[b"a=1b=2"]), hash(&[b"a=1", b"b=2"]));
    }

    #[test]
    fn the_record_is_that_of_each_dialect() {
        let outcome = run(&[b"a=1", b"junk", &power_transaction(&Change { public_key: PublicKey([9; 32]), power: 5 })]);
        for dialect in [Dialect::V0_38, Dialect::V1_0] {
            let mut bytes = Vec::new();
            outcome.put(dialect, &mut bytes);
            let results = Results::decode(&bytes).expect("decodes");
            assert_eq!(results.hash(), outcome.results_hash());
            assert_eq!(results.app_hash, Some(&outcome.app_hash[..]));
            let update = results.validator_updates[0];
            assert_eq!((update.power, update.pub_key.bytes), (5, &[9; 32][..]));
        }
    }
}
