//! Which databases hold the chain, and in which layout their keys really are.

use ledger_formats::comet::class::Kind;
use ledger_formats::comet::key::Layout;
use ledger_formats::comet::wire::put_uint;
use ledger_formats::comet::{BlockStoreState, Decode, decode_layout};

use super::rows::Rows;
use crate::home::Role;
use crate::verify::InputDatabase;
use crate::verify::findings::{Findings, Place};
use crate::verify::survey::{Inventory, StoreHeights, Survey};
use crate::verify::what::What;

const STORE_STATE: &[u8] = b"blockStore";
const VERSION: &[u8] = b"version";

/// A database with what the scan saw in it.
pub(super) struct Surveyed<'a> {
    pub database: &'a InputDatabase<'a>,
    pub survey: &'a Survey,
}

/// The first database of a role.
pub(super) fn find<'a>(databases: &'a [InputDatabase<'a>], surveys: &'a [Survey], role: Role) -> Option<Surveyed<'a>> {
    let mut both = databases.iter().zip(surveys);
    both.find(|(database, _)| database.role == role).map(|(database, survey)| Surveyed { database, survey })
}

/// First and last height as the block store says; `None` without a block store or when it does not say.
pub(in crate::verify) fn stored_heights(
    databases: &[InputDatabase<'_>],
    findings: &Findings<'_>,
) -> Option<StoreHeights> {
    let database = databases.iter().find(|database| database.role == Role::BlockStore)?;
    let place = Place { database: &database.name, key: STORE_STATE, height: None };
    let value = match database.store.get(STORE_STATE) {
        Ok(Some(value)) => value,
        // A new node has none; one that should be there is missed when the rows are known.
        Ok(None) => return None,
        Err(error) => {
            findings.report(What::Unreadable, place, &"a readable row", &error);
            return None;
        }
    };
    let state = match BlockStoreState::decode(&value) {
        Ok(state) => state,
        Err(error) => {
            findings.report(What::Undecodable, place, &"base and height", &error);
            return None;
        }
    };
    let BlockStoreState { base, height: tip } = state;
    if base > tip || !is_as_written(&value, state) {
        let actual = format!("base {base} and height {tip} in {}", hex::encode(&value));
        findings.report(What::StoreState, place, &"a base not above the height, spelled as nodes do", &actual);
    }
    (base <= tip).then_some(StoreHeights { base, tip })
}

/// No node writes a number twice, a zero, or a field that this record does not have.
fn is_as_written(value: &[u8], state: BlockStoreState) -> bool {
    let spelled = |base| {
        let mut out = Vec::new();
        put_uint(&mut out, 1, base);
        put_uint(&mut out, 2, state.height);
        out
    };
    value == spelled(state.base) || (state.base == 1 && value == spelled(0))
}

impl<'a> Surveyed<'a> {
    /// The rows of the database in the layout that those of `kinds` have.
    pub(super) fn rows(&self, kinds: &[Kind], findings: &'a Findings<'a>) -> Rows<'a> {
        let vouched = self.survey.equals_source == Some(true);
        Rows::new(self.database, self.layout(kinds, findings), findings, vouched)
    }

    /// The layout of the keys, by the keys; a label that says otherwise is remarked upon.
    pub(super) fn layout(&self, kinds: &[Kind], findings: &Findings<'_>) -> Layout {
        let rows = |layout| rows_of(&self.survey.inventory, kinds, layout);
        let label = self.label(findings);
        let layout = match (rows(Layout::V1), rows(Layout::V2)) {
            (0, 0) => label.unwrap_or(Layout::V1),
            (one, two) if one >= two => Layout::V1,
            _ => Layout::V2,
        };
        let name = &self.database.name;
        // Without a label every release takes the keys to be of layout v1.
        let said = label.unwrap_or(Layout::V1);
        if said != layout {
            findings.remark(format!(
                "{name} is labelled layout {} but its keys are of layout {}: a node of 1.0 does not find its blocks and \
                 exits at start; all rows are read as what they are and carried unchanged",
                said.label(),
                layout.label()
            ));
        }
        let other = if layout == Layout::V1 { Layout::V2 } else { Layout::V1 };
        if rows(other) > 0 {
            findings.not_checked(format!(
                "{name}: {} rows of layout {} beside those of layout {}",
                rows(other),
                other.label(),
                layout.label()
            ));
        }
        layout
    }

    fn label(&self, findings: &Findings<'_>) -> Option<Layout> {
        let place = Place { database: &self.database.name, key: VERSION, height: None };
        match self.database.store.get(VERSION) {
            Ok(value) => {
                let label = decode_layout(&value?);
                label.map_err(|error| findings.report(What::Undecodable, place, &"v1 or v2", &error)).ok()
            }
            Err(error) => {
                findings.report(What::Unreadable, place, &"a readable row", &error);
                None
            }
        }
    }
}

fn rows_of(inventory: &Inventory, kinds: &[Kind], layout: Layout) -> u64 {
    let of = |(class, rows): (&ledger_formats::comet::class::Class, &u64)| {
        if class.layout == Some(layout) && kinds.contains(&class.kind) { *rows } else { 0 }
    };
    inventory.classes.iter().map(of).sum()
}
