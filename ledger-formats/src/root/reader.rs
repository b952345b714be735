//! Rows to leaves: the part of the work that can be done side by side, range by range.

use proofs::merkle::Hash;

use super::assembly::LeafId;
use super::kind::{Content, RecordKind};
use super::leaf;
use super::record::{Place, Record};
use crate::comet::class::Database;
use crate::comet::dialect::{self, Change};
use crate::comet::key::Layout;
use crate::comet::layout::describe;

/// Records that are named as unclear; all are counted.
pub(super) const UNCLEAR_KEPT: usize = 20;

/// One leaf, and where it goes.
pub(super) struct Leaf {
    pub kind: RecordKind,
    pub is_own: bool,
    pub place: Place,
    pub hash: Hash,
}

/// The leaves of a range of rows.
#[derive(Default)]
pub struct Piece {
    pub(super) leaves: Vec<Leaf>,
    /// A key of each layout that was met.
    pub(super) layouts: [Option<Vec<u8>>; 2],
    pub(super) unclear: Vec<String>,
    pub(super) unclear_total: u64,
}

/// Takes rows of one database.
pub struct LeafReader {
    content: Content,
    piece: Piece,
    rows: u64,
    key: Vec<u8>,
    value: Vec<u8>,
    buffer: Vec<u8>,
}

impl LeafReader {
    /// For rows of a database that holds `content`.
    #[must_use]
    pub fn new(content: Content) -> Self {
        let (key, value, buffer) = (Vec::new(), Vec::new(), Vec::new());
        Self { content, piece: Piece::default(), rows: 0, key, value, buffer }
    }

    /// Rows taken.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes a row.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows += 1;
        self.key.clear();
        let record = match self.content {
            Content::Records(database) => Record::of(database, key, &mut self.key),
            Content::Opaque => Record::verbatim(RecordKind::Row, key, &mut self.key),
        };
        self.note_layout(record.layout, key);
        if !record.is_own {
            let is_canonical = self.is_canonical(&record, key, value);
            let canonical = if is_canonical { value } else { &self.value };
            let hash = leaf::record(&self.key, canonical, &mut self.buffer);
            self.push(&record, false, hash);
            if is_canonical {
                return;
            }
        }
        let hash = leaf::record(&self.key, value, &mut self.buffer);
        self.push(&record, true, hash);
    }

    /// The leaves.
    #[must_use]
    pub fn finish(self) -> Piece {
        self.piece
    }

    fn push(&mut self, record: &Record, is_own: bool, hash: Hash) {
        self.piece.leaves.push(Leaf { kind: record.kind, is_own, place: record.place, hash });
    }

    /// Whether a value is its own canonical form; else that is put into the buffer. A value that cannot be understood
    /// is taken as it stands, and named.
    fn is_canonical(&mut self, record: &Record, key: &[u8], value: &[u8]) -> bool {
        let Some(kind) = record.encoding else { return true };
        match dialect::canonical(kind, value, &mut self.value) {
            Ok(change) => change == Change::None,
            Err(error) => {
                self.piece.unclear_total += 1;
                if let Content::Records(database) = self.content
                    && self.piece.unclear.len() < UNCLEAR_KEPT
                {
                    self.piece.unclear.push(unclear(database, key, &error));
                }
                true
            }
        }
    }

    fn note_layout(&mut self, layout: Option<Layout>, key: &[u8]) {
        let seen = match layout {
            None => return,
            Some(Layout::V1) => &mut self.piece.layouts[0],
            Some(Layout::V2) => &mut self.piece.layouts[1],
        };
        if seen.is_none() {
            *seen = Some(key.to_vec());
        }
    }
}

/// The leaf of a row: the one under the root that all formats share, or, where there is none, under the own root.
#[must_use]
pub fn leaf_of(content: Content, key: &[u8], value: &[u8]) -> LeafId {
    let mut reader = LeafReader::new(content);
    reader.add(key, value);
    let leaf = reader.piece.leaves.first().expect("every row has a leaf, the shared one first");
    LeafId { kind: leaf.kind, is_own: leaf.is_own, hash: leaf.hash }
}

fn unclear(database: Database, key: &[u8], error: &dialect::ConvertError) -> String {
    format!("{}, {}: {error}", database.name(), describe(database, key))
}
