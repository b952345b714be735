//! A row as a record: its kind, its canonical key, and whether its value has a canonical form of its own.

use super::kind::RecordKind;
use crate::comet::class::{Database, Kind};
use crate::comet::key::{BlockKey, EvidenceKey, Layout, LightKey, StateKey, StateRecord};
use crate::comet::layout::RecordKey;

/// Where a record stands among those of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// By height, then by a number.
    Height {
        /// The height.
        height: u64,
        /// The number of a block's part; 0 for all others.
        number: u32,
    },
    /// By hash, of which these are the first two bytes.
    Hash(u16),
    /// Behind the record before it.
    Row,
}

/// What a row is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub kind: RecordKind,
    pub place: Place,
    /// How its value is encoded, where dialects differ in that.
    pub encoding: Option<Kind>,
    /// Whether it is not in the root: made from others, or written by one line of releases only.
    pub is_own: bool,
    /// The layout of its key, where layouts differ in that.
    pub layout: Option<Layout>,
}

impl Record {
    const fn new(kind: RecordKind, place: Place) -> Self {
        Self { kind, place, encoding: None, is_own: false, layout: None }
    }

    /// A row whose key is its canonical key.
    pub(super) fn verbatim(kind: RecordKind, key: &[u8], canonical: &mut Vec<u8>) -> Self {
        canonical.extend_from_slice(key);
        Self::new(kind, Place::Row)
    }

    /// The record of a row of `database`; its canonical key goes into `canonical`, which is empty.
    pub(super) fn of(database: Database, key: &[u8], canonical: &mut Vec<u8>) -> Self {
        let layout = match (database, key.first()) {
            (Database::LightStore, _) => crate::comet::class::class(database, key).layout.unwrap_or(Layout::V1),
            // Every key of layout v2 that is no ASCII name begins with a byte from 0x80 on, none of layout v1 does.
            (_, Some(0x80..)) => Layout::V2,
            _ => Layout::V1,
        };
        let record = match RecordKey::decode(database, layout, key) {
            Some(RecordKey::Block(block)) => of_block(block, canonical),
            Some(RecordKey::State(state)) => of_state(state, canonical),
            Some(RecordKey::Evidence(evidence)) => of_evidence(evidence, canonical),
            Some(RecordKey::Light(light)) => of_light(light, canonical),
            None => return Self::verbatim(RecordKind::Unknown, key, canonical),
        };
        match record {
            Some(record) => Self { layout: Some(layout), ..record },
            None => of_name(database, key, canonical),
        }
    }
}

fn at(kind: RecordKind, height: u64, canonical: &mut Vec<u8>) -> Option<Record> {
    canonical.extend_from_slice(&height.to_be_bytes());
    Some(Record::new(kind, Place::Height { height, number: 0 }))
}

fn of_block(key: BlockKey, canonical: &mut Vec<u8>) -> Option<Record> {
    match key {
        BlockKey::Meta { height } => at(RecordKind::BlockMeta, height, canonical),
        BlockKey::Part { height, part } => {
            at(RecordKind::BlockPart, height, canonical);
            canonical.extend_from_slice(&part.to_be_bytes());
            Some(Record::new(RecordKind::BlockPart, Place::Height { height, number: part }))
        }
        BlockKey::Commit { height } => at(RecordKind::Commit, height, canonical),
        BlockKey::SeenCommit { height } => at(RecordKind::SeenCommit, height, canonical),
        BlockKey::ExtendedCommit { height } => at(RecordKind::ExtendedCommit, height, canonical),
        BlockKey::ByHash { hash } => {
            canonical.extend_from_slice(&hash);
            Some(Record::new(RecordKind::BlockHash, Place::Hash(u16::from_be_bytes([hash[0], hash[1]]))))
        }
        BlockKey::StoreState | BlockKey::Version => None,
    }
}

fn of_state(key: StateKey, canonical: &mut Vec<u8>) -> Option<Record> {
    let (kind, encoding, height) = match key {
        StateKey::Validators { height } => (RecordKind::Validators, Kind::Validators, height),
        StateKey::ConsensusParams { height } => (RecordKind::ConsensusParams, Kind::ConsensusParams, height),
        StateKey::AbciResponses { height } => (RecordKind::Results, Kind::AbciResponses, height),
        StateKey::Single(_) => return None,
    };
    at(kind, height, canonical).map(|record| Record { encoding: Some(encoding), ..record })
}

fn of_evidence(key: EvidenceKey, canonical: &mut Vec<u8>) -> Option<Record> {
    let (kind, encoding, height, hash) = match key {
        EvidenceKey::Committed { height, hash } => (RecordKind::CommittedEvidence, None, height, hash),
        EvidenceKey::Pending { height, hash } => {
            (RecordKind::PendingEvidence, Some(Kind::PendingEvidence), height, hash)
        }
        EvidenceKey::Version => return None,
    };
    let record = at(kind, height, canonical);
    canonical.extend_from_slice(&hash);
    record.map(|record| Record { encoding, ..record })
}

fn of_light(key: LightKey, canonical: &mut Vec<u8>) -> Option<Record> {
    let LightKey::Block { chain, height } = key else { return None };
    let name = chain.as_bytes();
    canonical.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes());
    canonical.extend_from_slice(name);
    canonical.extend_from_slice(&height.to_be_bytes());
    Some(Record { encoding: Some(Kind::LightBlock), ..Record::new(RecordKind::LightBlock, Place::Row) })
}

/// A record whose key is a name in both layouts.
fn of_name(database: Database, key: &[u8], canonical: &mut Vec<u8>) -> Record {
    use StateRecord::{
        AppRetainHeight, CompanionBlockRetainHeight, CompanionResultsRetainHeight, GenesisDoc, GenesisDocHash,
        LastAbciResponse, LastAbciResponsesRetainHeight, OfflineStateSyncHeight, State, Version,
    };
    let record = Record::verbatim(RecordKind::Single, key, canonical);
    let class = crate::comet::class::class(database, key).kind;
    match class {
        Kind::State(State) => Record { encoding: Some(class), ..record },
        Kind::LayoutVersion
        | Kind::LightSize
        | Kind::State(
            AppRetainHeight
            | CompanionBlockRetainHeight
            | CompanionResultsRetainHeight
            | GenesisDoc
            | GenesisDocHash
            | LastAbciResponse
            | LastAbciResponsesRetainHeight
            | Version,
        ) => Record { is_own: true, ..record },
        Kind::State(OfflineStateSyncHeight) => record,
        _ => record,
    }
}
