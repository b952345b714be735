//! Damage to stored rows, as disks and memory do it: a row is gone, holds another row's value, or has a byte changed.

use ledger_formats::comet::key::{BlockKey, StateRecord};
use ledger_formats::engine::memory::MemoryStore;

use super::migration::{Stores, rows};
use super::rng::Rng;
use crate::store::Rows;

/// Bytes of a part's value before those of the block, and behind them, at most.
const BEFORE: usize = 8;
const BEHIND: usize = 48;

/// Damages one row; says what was done to which.
pub(super) fn damage(stores: &mut Stores, rng: &mut Rng) -> String {
    if rng.chance(100) {
        let key = StateRecord::State.key();
        let rows = rows_of(&stores.states);
        stores.states = MemoryStore::new(rows.into_iter().filter(|(row, _)| row != key.as_bytes()));
        return format!("{key} is gone");
    }
    let layout = stores.format.layout();
    let mut rows = rows_of(&stores.blocks);
    let is = |key: &[u8], part: bool| match BlockKey::decode(layout, key) {
        Some(BlockKey::Part { .. }) => part,
        Some(BlockKey::Meta { .. }) => !part,
        _ => false,
    };
    let places = |part| -> Vec<usize> { (0..rows.len()).filter(|place| is(&rows[*place].0, part)).collect() };
    let (parts, metas) = (places(true), places(false));
    let (place, other) = (parts[rng.place(parts.len())], parts[rng.place(parts.len())]);
    let value = rows[place].1.clone();
    let (gone, what) = match rng.within(0, 4) {
        0 => (Some(metas[rng.place(metas.len())]), "is gone"),
        1 if rows[other].1 != value => {
            rows[place].1 = rows[other].1.clone();
            (None, "holds another part")
        }
        2 if value.len() > BEFORE + BEHIND => {
            let at = BEFORE + rng.place(value.len() - BEFORE - BEHIND);
            rows[place].1[at] ^= 1 << rng.within(0, 8);
            (None, "has a flipped bit")
        }
        _ => (Some(place), "is gone"),
    };
    let key = rows[gone.unwrap_or(place)].0.escape_ascii().to_string();
    let rows = rows.into_iter().enumerate().filter(|(at, _)| Some(*at) != gone);
    stores.blocks = MemoryStore::new(rows.map(|(_, row)| row));
    format!("row {key} {what}")
}

fn rows_of(store: &MemoryStore) -> Rows {
    rows(store).expect("memory can be read")
}
