//! Whether a finding is explained by what the operator agreed to leave out.
//!
//! A finding is explained when its own key lies in a quarantined range, or when any row of the height that it is
//! about does: what hangs on a missing row must not hide what else is wrong, so nothing wider counts.

use ledger_formats::comet::key::{BlockKey, Layout, StateKey};

use super::InputDatabase;
use crate::home::Role;

/// Quarantined key ranges of all databases, both bounds inclusive.
pub(super) struct Quarantine<'a> {
    databases: Vec<Ranges<'a>>,
}

struct Ranges<'a> {
    name: &'a str,
    role: Role,
    ranges: &'a [(Vec<u8>, Vec<u8>)],
}

impl<'a> Quarantine<'a> {
    pub(super) fn of(databases: &'a [InputDatabase<'a>]) -> Self {
        let quarantined = databases.iter().filter(|database| !database.quarantined.is_empty());
        let ranges = quarantined.map(|database| Ranges {
            name: &database.name,
            role: database.role,
            ranges: &database.quarantined,
        });
        Self { databases: ranges.collect() }
    }

    /// Whether the row `key` of `database`, or a row of `height`, was quarantined.
    pub(super) fn explains(&self, database: &str, key: &[u8], height: Option<u64>) -> bool {
        self.databases.iter().any(|ranges| {
            (ranges.name == database && ranges.overlap(key, key)) || height.is_some_and(|height| ranges.hit(height))
        })
    }
}

impl Ranges<'_> {
    fn overlap(&self, first: &[u8], last: &[u8]) -> bool {
        self.ranges.iter().any(|(start, end)| start.as_slice() <= last && first <= end.as_slice())
    }

    fn hit(&self, height: u64) -> bool {
        Layout::ALL.into_iter().any(|layout| match self.role {
            Role::BlockStore => self.hit_block(layout, height),
            Role::State => self.hit_state(layout, height),
            Role::Evidence | Role::TxIndex | Role::LightStore | Role::Opaque => false,
        })
    }

    fn hit_block(&self, layout: Layout, height: u64) -> bool {
        let rows = [
            BlockKey::Meta { height },
            BlockKey::Commit { height },
            BlockKey::SeenCommit { height },
            BlockKey::ExtendedCommit { height },
        ];
        rows.iter().any(|row| self.holds(|key| row.encode(layout, key))) || self.hit_parts(layout, height)
    }

    /// All parts of a height lie between that of number 0 and the largest number, in both layouts.
    fn hit_parts(&self, layout: Layout, height: u64) -> bool {
        let (mut first, mut last) = (Vec::new(), Vec::new());
        BlockKey::Part { height, part: 0 }.encode(layout, &mut first);
        match layout {
            // Decimal numbers of parts sort as text: nine is followed by no digit.
            Layout::V1 => {
                last.extend_from_slice(first.get(..first.len() - 1).unwrap_or_default());
                last.push(b'9' + 1);
            }
            Layout::V2 => BlockKey::Part { height, part: u32::MAX }.encode(layout, &mut last),
        }
        self.overlap(&first, &last)
    }

    fn hit_state(&self, layout: Layout, height: u64) -> bool {
        let rows =
            [StateKey::Validators { height }, StateKey::ConsensusParams { height }, StateKey::AbciResponses { height }];
        rows.iter().any(|row| self.holds(|key| row.encode(layout, key)))
    }

    fn holds(&self, encode: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut key = Vec::new();
        encode(&mut key);
        self.overlap(&key, &key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarantine(role: Role, ranges: &[(Vec<u8>, Vec<u8>)]) -> Quarantine<'_> {
        Quarantine { databases: vec![Ranges { name: "blockstore", role, ranges }] }
    }

    #[test]
    fn a_key_or_a_row_of_its_height_explains_a_finding() {
        let ranges = [(b"P:17:2".to_vec(), b"P:18:0".to_vec())];
        let quarantine = quarantine(Role::BlockStore, &ranges);
        assert!(quarantine.explains("blockstore", b"P:17:2", None));
        assert!(quarantine.explains("blockstore", b"BH:aa", Some(17)));
        assert!(quarantine.explains("state", b"validatorsKey:18", Some(18)));
        assert!(!quarantine.explains("blockstore", b"P:17:1", None));
        assert!(!quarantine.explains("state", b"P:17:2", None), "another database");
        assert!(!quarantine.explains("blockstore", b"BH:aa", Some(16)));
        assert!(!quarantine.explains("blockstore", b"BH:aa", Some(1)));
        assert!(!quarantine.explains("blockstore", b"BH:aa", Some(19)));
    }

    #[test]
    fn rows_of_the_state_count_in_both_layouts() {
        let ranges = [
            (b"consensusParamsKey:5".to_vec(), b"consensusParamsKey:7".to_vec()),
            (vec![0x88, 0x90], vec![0x88, 0x91]),
        ];
        let quarantine = quarantine(Role::State, &ranges);
        assert!(quarantine.explains("state", b"", Some(6)));
        assert!(quarantine.explains("state", b"", Some(16)), "0x10 ^ 0x80 is 0x90");
        assert!(!quarantine.explains("state", b"", Some(18)));
    }
}
