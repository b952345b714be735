//! Which layout a store's keys have, by the keys themselves; its label may say something else.

use crate::comet::class::{Database, class};
use crate::comet::key::Layout;
use crate::store::{KeyRange, ReadStore, StoreError};

use super::families;

/// Rows looked at in one stretch before it counts as having none of the layout.
const ROWS_MAX: usize = 64;

/// What the keys of a store show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spelled {
    /// Whether there are keys of layout v1.
    pub v1: bool,
    /// Whether there are keys of layout v2.
    pub v2: bool,
    /// The value of the key `version`, as it stands.
    pub label: Option<Vec<u8>>,
}

impl Spelled {
    /// The layout of the keys; `None` when there are none that depend on it, or of both.
    #[must_use]
    pub fn layout(&self) -> Option<Layout> {
        match (self.v1, self.v2) {
            (true, false) => Some(Layout::V1),
            (false, true) => Some(Layout::V2),
            _ => None,
        }
    }

    /// The layout that the label names; `None` without one, or with one that no release writes.
    #[must_use]
    pub fn labelled(&self) -> Option<Layout> {
        Layout::from_label(self.label.as_deref()?)
    }

    /// Whether the label names another layout than the keys have: no node finds anything in such a store.
    #[must_use]
    pub fn is_mislabelled(&self) -> bool {
        self.layout().is_some_and(|layout| self.labelled().is_some_and(|labelled| labelled != layout))
    }
}

/// Looks at the beginning of each stretch of keys that only one layout uses.
///
/// # Errors
/// When the store cannot be read.
pub fn spelled(store: &dyn ReadStore, database: Database) -> Result<Spelled, StoreError> {
    let mut spelled = Spelled { label: store.get(b"version")?, ..Spelled::default() };
    for layout in Layout::ALL {
        let mut found = false;
        for stretch in stretches(database, layout) {
            found = found || any(store, database, layout, &stretch)?;
        }
        match layout {
            Layout::V1 => spelled.v1 = found,
            Layout::V2 => spelled.v2 = found,
        }
    }
    Ok(spelled)
}

/// Where keys of a layout are, if there are any.
fn stretches(database: Database, layout: Layout) -> Vec<KeyRange> {
    let light = super::chain::all_v1();
    match (database, layout) {
        (Database::LightStore, Layout::V1) => vec![light],
        // The name of a chain comes first: anywhere else.
        (Database::LightStore, Layout::V2) => {
            let behind = KeyRange { start: light.end.unwrap_or_default(), end: None };
            vec![KeyRange { start: Vec::new(), end: Some(light.start) }, behind]
        }
        _ => families(database).iter().map(|family| family.stretch(layout)).collect(),
    }
}

fn any(store: &dyn ReadStore, database: Database, layout: Layout, stretch: &KeyRange) -> Result<bool, StoreError> {
    let mut cursor = store.scan(stretch)?;
    for _ in 0..ROWS_MAX {
        let Some((key, _)) = cursor.next()? else { return Ok(false) };
        if class(database, key).layout == Some(layout) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::memory::MemoryStore;

    fn of(keys: &[&[u8]], label: Option<&[u8]>) -> Spelled {
        let rows = keys.iter().map(|key| (key.to_vec(), Vec::new()));
        let label = label.map(|label| (b"version".to_vec(), label.to_vec()));
        spelled(&MemoryStore::new(rows.chain(label)), Database::BlockStore).expect("memory reads")
    }

    #[test]
    fn keys_count_and_labels_are_held_against_them() {
        let plain = of(&[b"H:1", b"blockStore"], None);
        assert_eq!((plain.layout(), plain.is_mislabelled()), (Some(Layout::V1), false));
        let trap = of(&[b"H:1"], Some(b"v2"));
        assert_eq!((trap.layout(), trap.labelled(), trap.is_mislabelled()), (Some(Layout::V1), Some(Layout::V2), true));
        let ordered = of(&[&[0x80, 0x81]], Some(b"v2"));
        assert_eq!((ordered.layout(), ordered.is_mislabelled()), (Some(Layout::V2), false));
        assert_eq!(of(&[b"H:1", &[0x80, 0x81]], None).layout(), None);
        assert_eq!(of(&[b"H:01", &[0x80]], Some(b"v9")).layout(), None);
    }
}
