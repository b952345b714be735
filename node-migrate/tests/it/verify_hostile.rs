//! Databases that were ruined in many places, or are something else than they are called.

use node_migrate::verify::What;

use crate::verify_rows::{Node, Rows, assert_found};

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("is below")
    }
}

#[test]
fn ruined_rows_are_findings_and_never_a_panic() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for home in ["cometbft-0.38-halted", "cometbft-1.0-v2-goleveldb", "cometbft-0.38-goleveldb-ext"] {
        let whole = Node::of(home);
        for round in 0..12 {
            let mut node = whole.clone();
            for database in ["blockstore", "state", "evidence", "tx_index"] {
                let rows = node.rows(database);
                let keys: Vec<Vec<u8>> = rows.keys().cloned().collect();
                let count = if keys.is_empty() { 0 } else { (keys.len() / 20).max(1) };
                for _ in 0..count {
                    ruin(rows, &keys[numbers.below(keys.len())], &mut numbers);
                }
            }
            let report = node.check();
            assert!(report.findings_total > 10, "{home}, round {round}");
            assert!(report.findings.len() < 10_000);
        }
    }
}

/// Changes a row in one of several ways.
fn ruin(rows: &mut Rows, key: &[u8], numbers: &mut Numbers) {
    let Some(mut value) = rows.remove(key) else { return };
    let mut key = key.to_vec();
    match numbers.below(6) {
        0 => return,
        1 => value.truncate(numbers.below(value.len() + 1)),
        2 => value.extend(
            (0..numbers.below(40)).map(|_| u8::try_from(numbers.below(256)).expect("a byte")).collect::<Vec<_>>(),
        ),
        3 => {
            let at = numbers.below(key.len());
            key[at] ^= 1 << numbers.below(8);
        }
        _ if value.is_empty() => return,
        _ => {
            for _ in 0..=numbers.below(4) {
                let at = numbers.below(value.len());
                value[at] = u8::try_from(numbers.below(256)).expect("a byte");
            }
        }
    }
    rows.insert(key, value);
}

#[test]
fn databases_that_are_not_what_they_are_called_are_findings() {
    let mut node = Node::of("cometbft-0.38-goleveldb");
    let state = node.rows("state").clone();
    let blocks = std::mem::replace(node.rows("blockstore"), state);
    *node.rows("state") = blocks;
    let report = node.check();
    assert_found(&report, ("blockstore", "blockStore", None, What::Missing));
    assert_eq!(report.heights, None);
    assert!(
        report.not_checked.iter().any(|text| text.contains("does not say which heights")),
        "{:?}",
        report.not_checked
    );
}
