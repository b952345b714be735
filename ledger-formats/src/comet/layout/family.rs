//! Families of keys: the kinds whose spelling depends on the layout, with the stretch of keys that each has to itself.

use crate::comet::class::{Database, Kind};
use crate::comet::key::Layout;
use crate::store::KeyRange;

/// One kind of key that has two spellings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Family {
    /// What its records are.
    pub kind: Kind,
    /// How its keys begin in layout v1.
    pub v1: &'static [u8],
    /// With which byte they begin in layout v2.
    pub v2: u8,
    /// Whether a decimal height follows in layout v1, so that key order is not height order. The others (hashes,
    /// evidence) sort alike in both layouts.
    pub decimal: bool,
}

static BLOCK_STORE: [Family; 6] = [
    Family { kind: Kind::BlockMeta, v1: b"H:", v2: 0x80, decimal: true },
    Family { kind: Kind::BlockPart, v1: b"P:", v2: 0x81, decimal: true },
    Family { kind: Kind::Commit, v1: b"C:", v2: 0x82, decimal: true },
    Family { kind: Kind::SeenCommit, v1: b"SC:", v2: 0x83, decimal: true },
    Family { kind: Kind::ExtendedCommit, v1: b"EC:", v2: 0x84, decimal: true },
    Family { kind: Kind::BlockHash, v1: b"BH:", v2: 0x85, decimal: false },
];

static STATE: [Family; 3] = [
    Family { kind: Kind::Validators, v1: b"validatorsKey:", v2: 0x86, decimal: true },
    Family { kind: Kind::ConsensusParams, v1: b"consensusParamsKey:", v2: 0x87, decimal: true },
    Family { kind: Kind::AbciResponses, v1: b"abciResponsesKey:", v2: 0x88, decimal: true },
];

static EVIDENCE: [Family; 2] = [
    Family { kind: Kind::CommittedEvidence, v1: &[0x00], v2: 0x89, decimal: false },
    Family { kind: Kind::PendingEvidence, v1: &[0x01], v2: 0x8a, decimal: false },
];

/// The families of a database.
pub(crate) fn families(database: Database) -> &'static [Family] {
    match database {
        Database::BlockStore => &BLOCK_STORE,
        Database::State => &STATE,
        Database::Evidence => &EVIDENCE,
        // A light client's keys begin with the name of a chain: see `chain`.
        Database::TxIndex | Database::LightStore => &[],
    }
}

/// The family in whose stretch a key of `layout` lies.
pub(crate) fn family_of(database: Database, layout: Layout, key: &[u8]) -> Option<&'static Family> {
    families(database).iter().find(|family| family.has(layout, key))
}

impl Family {
    /// How its keys begin in a layout.
    pub(crate) fn prefix(&self, layout: Layout) -> &[u8] {
        match layout {
            Layout::V1 => self.v1,
            Layout::V2 => std::slice::from_ref(&self.v2),
        }
    }

    /// All keys that begin so.
    pub(crate) fn stretch(&self, layout: Layout) -> KeyRange {
        let start = self.prefix(layout).to_vec();
        let mut end = start.clone();
        if let Some(last) = end.last_mut() {
            // No prefix ends in ff.
            *last += 1;
        }
        KeyRange { start, end: Some(end) }
    }

    fn has(&self, layout: Layout, key: &[u8]) -> bool {
        key.starts_with(self.prefix(layout))
    }
}
