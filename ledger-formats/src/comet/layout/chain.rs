//! The stretch of keys that the light blocks of one chain have, and whose they are. Layout v2 spells the chain's name
//! first, so that where they begin is known only when the store has been looked into.

use crate::comet::class::Database;
use crate::comet::key::{ChainName, Layout, LightKey};
use crate::comet::layout::RecordKey;
use crate::store::{KeyRange, ReadStore, StoreError};

/// How all light blocks begin in layout v1.
const V1: &[u8] = b"lb/";

/// The keys of all light blocks of layout v1, whatever the chain.
pub(super) fn all_v1() -> KeyRange {
    KeyRange { start: V1.to_vec(), end: Some(b"lb0".to_vec()) }
}

/// The keys of the light blocks of a chain.
pub(crate) fn stretch(chain: ChainName, layout: Layout) -> KeyRange {
    let mut start = Vec::new();
    LightKey::Block { chain, height: 0 }.encode(layout, &mut start);
    // Behind the name: 20 digits, or a number of one byte for height 0.
    start.truncate(start.len() - if layout == Layout::V1 { 20 } else { 1 });
    let mut end = start.clone();
    if let Some(last) = end.last_mut() {
        // Both end in a byte below ff: a slash, or the number 11.
        *last += 1;
    }
    KeyRange { start, end: Some(end) }
}

/// The chain of the first light block of a store; `None` without any.
pub(crate) fn first(store: &dyn ReadStore, layout: Layout) -> Result<Option<ChainName>, StoreError> {
    let range = if layout == Layout::V1 { all_v1() } else { KeyRange::all() };
    let mut cursor = store.scan(&range)?;
    while let Some((key, _)) = cursor.next()? {
        if let Some(chain) = of(layout, key) {
            return Ok(Some(chain));
        }
    }
    Ok(None)
}

/// The chain whose light block a key of `layout` names.
pub(crate) fn of(layout: Layout, key: &[u8]) -> Option<ChainName> {
    match RecordKey::decode(Database::LightStore, layout, key)? {
        RecordKey::Light(LightKey::Block { chain, .. }) => Some(chain),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::memory::MemoryStore;

    #[test]
    fn a_stretch_holds_the_blocks_of_its_chain_and_no_others() {
        let name = |name: &[u8]| ChainName::new(name).expect("short");
        let chains = [&b"a"[..], b"a-b", b"ab", b"", &[0xff, 0x00]].map(name);
        for layout in Layout::ALL {
            for chain in chains {
                for height in [0, 1, 9, 10, 64, 8_192, i64::MAX.cast_unsigned()] {
                    let mut key = Vec::new();
                    LightKey::Block { chain, height }.encode(layout, &mut key);
                    let holders: Vec<_> = chains.iter().filter(|own| stretch(**own, layout).contains(&key)).collect();
                    assert_eq!(holders, [&chain], "{}", key.escape_ascii());
                    let store = MemoryStore::new([(key, Vec::new()), (b"primary".to_vec(), Vec::new())]);
                    assert_eq!(first(&store, layout).expect("reads"), Some(chain));
                }
            }
        }
    }
}
