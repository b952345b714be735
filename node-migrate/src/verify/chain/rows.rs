//! Rows of one database by what they mean: read, decoded, and reported when they are not what they should be.

use std::fmt::Display;

use ledger_formats::comet::key::{BlockKey, Layout, StateKey};
use ledger_formats::comet::{Decode, DecodeError};
use ledger_formats::store::ReadStore;

use crate::verify::InputDatabase;
use crate::verify::findings::{Findings, Place};
use crate::verify::what::What;

/// A key that is spelled by layout and may have a height.
pub(super) trait Spelled {
    fn spell(&self, layout: Layout, out: &mut Vec<u8>);
    fn of_height(&self) -> Option<u64>;
}

impl Spelled for BlockKey {
    fn spell(&self, layout: Layout, out: &mut Vec<u8>) {
        self.encode(layout, out);
    }

    fn of_height(&self) -> Option<u64> {
        self.height()
    }
}

impl Spelled for StateKey {
    fn spell(&self, layout: Layout, out: &mut Vec<u8>) {
        self.encode(layout, out);
    }

    fn of_height(&self) -> Option<u64> {
        self.height()
    }
}

/// The rows of one database in the layout that its keys have, whatever its label says.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub name: &'a str,
    pub store: &'a dyn ReadStore,
    pub layout: Layout,
    pub findings: &'a Findings<'a>,
    /// Whether the database was shown to equal its source.
    pub vouched: bool,
}

/// The answer to a read.
pub(super) enum Fetched {
    /// The value.
    Row(Vec<u8>),
    /// There is no such row.
    Absent,
    /// It could not be read, which is reported.
    Failed,
}

impl Fetched {
    /// The value, if there is one.
    pub(super) fn row(self) -> Option<Vec<u8>> {
        match self {
            Self::Row(value) => Some(value),
            Self::Absent | Self::Failed => None,
        }
    }
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        database: &'a InputDatabase<'_>,
        layout: Layout,
        findings: &'a Findings<'a>,
        vouched: bool,
    ) -> Self {
        Self { name: &database.name, store: database.store, layout, findings, vouched }
    }

    /// Reads a row.
    pub(super) fn fetch(&self, key: &impl Spelled) -> Fetched {
        let mut spelled = Vec::with_capacity(40);
        key.spell(self.layout, &mut spelled);
        match self.store.get(&spelled) {
            Ok(Some(value)) => Fetched::Row(value),
            Ok(None) => Fetched::Absent,
            Err(error) => {
                self.report(key, What::Unreadable, &"a readable row", &error);
                Fetched::Failed
            }
        }
    }

    /// Reads a row that must be there.
    pub(super) fn require(&self, key: &impl Spelled) -> Option<Vec<u8>> {
        match self.fetch(key) {
            Fetched::Row(value) => Some(value),
            Fetched::Absent => {
                self.report(key, What::Missing, &"a row", &"none");
                None
            }
            Fetched::Failed => None,
        }
    }

    /// Takes what a decoder said about the value of a row; an error is reported.
    pub(super) fn decoded<T>(&self, key: &impl Spelled, decoded: Result<T, DecodeError>) -> Option<T> {
        decoded.map_err(|error| self.report(key, What::Undecodable, &"a value of its kind", &error)).ok()
    }

    /// Decodes the value of a row.
    pub(super) fn decode<'v, T: Decode<'v>>(&self, key: &impl Spelled, value: &'v [u8]) -> Option<T> {
        self.decoded(key, T::decode(value))
    }

    /// Compares two byte strings; a difference is reported in hex.
    pub(super) fn equal(&self, key: &impl Spelled, what: What, expected: &[u8], actual: &[u8]) -> bool {
        let equal = expected == actual;
        if !equal {
            self.report(key, what, &in_hex(expected), &in_hex(actual));
        }
        equal
    }

    /// Compares two values; a difference is reported.
    pub(super) fn same<T: PartialEq + Display>(&self, key: &impl Spelled, what: What, expected: T, actual: T) -> bool {
        let same = expected == actual;
        if !same {
            self.report(key, what, &expected, &actual);
        }
        same
    }

    /// Reports what looks wrong and is bound by no hash.
    pub(super) fn doubt(
        &self,
        key: &impl Spelled,
        height: Option<u64>,
        what: What,
        expected: &dyn Display,
        actual: &dyn Display,
    ) {
        let mut spelled = Vec::new();
        key.spell(self.layout, &mut spelled);
        let place = Place { database: self.name, key: &spelled, height };
        self.findings.doubt(what, place, self.vouched, expected, actual);
    }

    /// Reports a finding about a row.
    pub(super) fn report(&self, key: &impl Spelled, what: What, expected: &dyn Display, actual: &dyn Display) {
        self.report_at(key, key.of_height(), what, expected, actual);
    }

    /// Reports a finding about a row whose key does not tell the height.
    pub(super) fn report_at(
        &self,
        key: &impl Spelled,
        height: Option<u64>,
        what: What,
        expected: &dyn Display,
        actual: &dyn Display,
    ) {
        let mut spelled = Vec::new();
        key.spell(self.layout, &mut spelled);
        self.findings.report(what, Place { database: self.name, key: &spelled, height }, expected, actual);
    }
}

/// Bytes for a report: in hex, long ones cut.
pub(super) fn in_hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 64;
    match bytes.get(..SHOWN) {
        _ if bytes.is_empty() => "nothing".to_owned(),
        Some(shown) if bytes.len() > SHOWN => format!("{}... ({} bytes)", hex::encode(shown), bytes.len()),
        _ => hex::encode(bytes),
    }
}
