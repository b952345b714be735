//! What single rows tell: their class, their height, and whether their content fits their key.
//!
//! Only rows that no block binds are judged here; the others are noted for layer 3.

use std::collections::BTreeMap;

use ledger_formats::comet::class::{Class, Database, Kind, class};
use ledger_formats::comet::key::{BlockKey, EvidenceKey, Layout, LightKey, StateKey};
use ledger_formats::comet::{
    Decode, DecodeError, DuplicateVote, Evidence, EvidenceKind, Int64Value, LightClientAttack, TxResult,
    decode_decimal_height, decode_zigzag_height,
};
use proofs::merkle::Hash;
use sha2::{Digest, Sha256};

use super::heights::Heights;
use super::index_sum::IndexSum;
use super::light::{self, Difference};
use crate::home::Role;
use crate::verify::findings::{Findings, Place};
use crate::verify::report::printable;
use crate::verify::what::What;

/// Unknown keys that are named in a remark.
const UNKNOWN_SHOWN: usize = 5;

/// First and last height of the block store; both 0 when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::verify) struct StoreHeights {
    /// First height.
    pub base: u64,
    /// Last height.
    pub tip: u64,
}

impl StoreHeights {
    /// Whether the store should hold the block of a height.
    pub(in crate::verify) fn contains(&self, height: u64) -> bool {
        height > 0 && (self.base..=self.tip).contains(&height)
    }
}

/// The rows of a database by class, and the heights they are of.
#[derive(Clone, Debug, Default)]
pub(in crate::verify) struct Inventory {
    /// Rows by class; one entry of [`Kind::Unknown`] for a database without known classes.
    pub classes: BTreeMap<Class, u64>,
    /// Keys of no known class, the first few.
    pub unknown: Vec<String>,
    /// Heights of rows that have one.
    pub heights: BTreeMap<(Kind, Layout), Heights>,
    /// The index from hashes to heights, as far as it is about heights of the store.
    pub index: BTreeMap<Layout, IndexSum>,
    /// Parts of blocks of the store.
    pub parts: BTreeMap<Layout, u64>,
    /// Transactions whose hash was checked.
    pub transactions: u64,
    /// Index rows about heights above the block store.
    pub index_above: u64,
    /// Pieces of evidence that were checked.
    pub evidence: u64,
    /// Light blocks that were checked.
    pub light_blocks: u64,
}

impl Inventory {
    pub(super) fn merge(&mut self, other: Self) {
        for (class, rows) in other.classes {
            *self.classes.entry(class).or_default() += rows;
        }
        self.unknown.extend(other.unknown);
        self.unknown.truncate(UNKNOWN_SHOWN);
        for (of, heights) in other.heights {
            self.heights.entry(of).or_default().merge(heights);
        }
        for (layout, sum) in other.index {
            self.index.entry(layout).or_default().merge(&sum);
        }
        for (layout, rows) in other.parts {
            *self.parts.entry(layout).or_default() += rows;
        }
        self.transactions += other.transactions;
        self.index_above += other.index_above;
        self.evidence += other.evidence;
        self.light_blocks += other.light_blocks;
    }

    /// Rows of a kind in either layout.
    pub(in crate::verify) fn rows(&self, kind: Kind) -> u64 {
        self.classes.iter().filter(|(class, _)| class.kind == kind).map(|(_, rows)| rows).sum()
    }

    /// Heights of the rows of a kind in a layout.
    pub(in crate::verify) fn of(&self, kind: Kind, layout: Layout) -> Option<&Heights> {
        self.heights.get(&(kind, layout))
    }
}

/// Takes the rows of a piece.
pub(super) struct RowReader<'a> {
    name: &'a str,
    database: Option<Database>,
    stored: StoreHeights,
    findings: &'a Findings<'a>,
    inventory: Inventory,
}

impl<'a> RowReader<'a> {
    pub(super) fn new(name: &'a str, role: Role, stored: StoreHeights, findings: &'a Findings<'a>) -> Self {
        let database = match role {
            Role::BlockStore => Some(Database::BlockStore),
            Role::State => Some(Database::State),
            Role::Evidence => Some(Database::Evidence),
            Role::TxIndex => Some(Database::TxIndex),
            Role::LightStore => Some(Database::LightStore),
            Role::Opaque => None,
        };
        Self { name, database, stored, findings, inventory: Inventory::default() }
    }

    pub(super) fn finish(self) -> Inventory {
        self.inventory
    }

    pub(super) fn take(&mut self, key: &[u8], value: &[u8]) {
        let Some(database) = self.database else { return };
        let class = class(database, key);
        *self.inventory.classes.entry(class).or_default() += 1;
        match (class.kind, class.layout) {
            (Kind::Unknown, _) => self.unknown(key),
            (kind, Some(layout)) => self.take_spelled(database, kind, layout, key, value),
            (Kind::TxResult, None) => self.transaction(key, value),
            (Kind::TxHeight | Kind::TxEvent, None) if value.len() != 32 => {
                self.wrong(What::TxIndex, key, None, &"the 32 bytes of a hash", &format!("{} bytes", value.len()));
            }
            (Kind::BlockEvent, None) => {
                if let Err(error) = decode_zigzag_height(value) {
                    self.wrong(What::TxIndex, key, None, &"a height", &error);
                }
            }
            _ => {}
        }
    }

    /// A row whose key is spelled by layout.
    fn take_spelled(&mut self, database: Database, kind: Kind, layout: Layout, key: &[u8], value: &[u8]) {
        let height = match database {
            Database::BlockStore => match BlockKey::decode(layout, key) {
                Some(BlockKey::ByHash { hash }) => return self.by_hash(layout, key, &hash, value),
                Some(key) => key.height(),
                None => None,
            },
            Database::State => StateKey::decode(layout, key).and_then(|key| key.height()),
            Database::Evidence => return self.evidence(layout, key, value),
            Database::LightStore => return self.light_block(layout, key, value),
            Database::TxIndex => None,
        };
        let Some(height) = height else { return };
        self.inventory.heights.entry((kind, layout)).or_default().add(height);
        if kind == Kind::BlockPart && self.stored.contains(height) {
            *self.inventory.parts.entry(layout).or_default() += 1;
        }
    }

    fn unknown(&mut self, key: &[u8]) {
        if self.inventory.unknown.len() < UNKNOWN_SHOWN {
            self.inventory.unknown.push(printable(key));
        }
    }

    fn by_hash(&mut self, layout: Layout, key: &[u8], hash: &Hash, value: &[u8]) {
        match decode_decimal_height(value) {
            Ok(height) => {
                self.inventory.heights.entry((Kind::BlockHash, layout)).or_default();
                if self.stored.contains(height) {
                    self.inventory.index.entry(layout).or_default().add(hash, height);
                }
            }
            Err(error) => self.wrong(What::BlockIndex, key, None, &"a height", &error),
        }
    }

    fn transaction(&mut self, key: &[u8], value: &[u8]) {
        self.inventory.transactions += 1;
        match TxResult::decode(value) {
            Ok(result) => {
                let hash: Hash = Sha256::digest(result.tx).into();
                let height = Some(result.height);
                if key != hash {
                    let expected = format!("a transaction with hash {}", hex::encode(key));
                    self.wrong(What::TxIndex, key, height, &expected, &format!("one with hash {}", hex::encode(hash)));
                }
                if result.height == 0 {
                    self.wrong(What::TxIndex, key, height, &"a height above 0", &0);
                }
                self.inventory.index_above += u64::from(result.height > self.stored.tip);
            }
            Err(error) => self.wrong(What::TxIndex, key, None, &"a transaction and its result", &error),
        }
    }

    fn evidence(&mut self, layout: Layout, key: &[u8], value: &[u8]) {
        self.inventory.evidence += 1;
        let (height, checked) = match EvidenceKey::decode(layout, key) {
            Some(EvidenceKey::Committed { height, .. }) => (height, committed(height, value)),
            Some(EvidenceKey::Pending { height, hash }) => (height, pending(height, &hash, value)),
            Some(EvidenceKey::Version) | None => return,
        };
        match checked {
            Ok(None) => {}
            Ok(Some((expected, actual))) => self.wrong(What::Evidence, key, Some(height), &expected, &actual),
            Err(error) => self.wrong(What::Evidence, key, Some(height), &"evidence", &error),
        }
        // Evidence of the height that is just being decided can be there already.
        let top = self.stored.tip.saturating_add(1);
        if self.stored.tip > 0 && !(1..=top).contains(&height) {
            self.wrong(What::Evidence, key, Some(height), &format!("a height from 1 to {top}"), &height);
        }
    }

    fn light_block(&mut self, layout: Layout, key: &[u8], value: &[u8]) {
        let Some(LightKey::Block { height, .. }) = LightKey::decode(layout, key) else { return };
        self.inventory.light_blocks += 1;
        match light::difference(height, value) {
            Ok(None) => {}
            Ok(Some(Difference { what, expected, actual })) => self.wrong(what, key, Some(height), &expected, &actual),
            Err(error) => self.wrong(What::Undecodable, key, Some(height), &"a light block", &error),
        }
    }

    fn wrong(
        &self,
        what: What,
        key: &[u8],
        height: Option<u64>,
        expected: &dyn std::fmt::Display,
        actual: &dyn std::fmt::Display,
    ) {
        self.findings.report(what, Place { database: self.name, key, height }, expected, actual);
    }
}

/// What is expected and what is there, when the two differ.
type Differing = Option<(String, String)>;

/// The value of committed evidence repeats the height of its key.
fn committed(height: u64, value: &[u8]) -> Result<Differing, DecodeError> {
    let actual = Int64Value::decode(value)?.0;
    Ok((actual != height).then(|| (format!("height {height}"), format!("height {actual}"))))
}

/// Pending evidence has the height and the hash of its key.
fn pending(height: u64, hash: &Hash, value: &[u8]) -> Result<Differing, DecodeError> {
    let evidence = Evidence::decode(value)?;
    let (actual_height, actual_hash): (u64, Hash) = match evidence.kind {
        EvidenceKind::DuplicateVote => {
            (DuplicateVote::decode(evidence.bytes)?.vote_a.height, Sha256::digest(evidence.bytes).into())
        }
        EvidenceKind::LightClientAttack => {
            let attack = LightClientAttack::decode(evidence.bytes)?;
            (attack.common_height, attack.hash())
        }
    };
    let in_words = |height: u64, hash: &Hash| format!("evidence of height {height} with hash {}", hex::encode(hash));
    let differs = (height, *hash) != (actual_height, actual_hash);
    Ok(differs.then(|| (in_words(height, hash), in_words(actual_height, &actual_hash))))
}
