//! Who wrote a state store last, told by the form of its records.
//!
//! The state names a software, but that is the one which began it, from the genesis file or by a state sync: a home that was upgraded in
//! place, or converted, keeps the old name for ever. So the form of the newest records counts:
//!
//! | seen in `stateKey` | dialect |
//! |---|---|
//! | validators with `pub_key_type`, or parameters with field 7 | v1_0 |
//! | parameters with field 6 | v0_40 |
//! | parameters with field 5 | v0_38 |
//! | none of these | v0_37, or v0_34: by the newest sparse parameters, which only v0.34 fills with empty parts |

use super::class::{Database, Kind, class};
use super::dialect::Dialect;
use super::key::{Layout, StateKey, StateRecord};
use super::layout::families;
use super::release::{RELEASES, Release};
use super::wire::{Decode, Reader, Value};
use super::{ConsensusParams, State};
use crate::store::{ReadStore, StoreError};

/// Records looked at for the oldest one that holds validators.
const ROWS_MAX: usize = 64;

/// Who wrote a state store last, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// How it encodes values.
    pub dialect: Dialect,
    /// Whether the oldest validators have another form than the newest: several releases wrote the store.
    pub is_mixed: bool,
    /// What was seen: a line each.
    pub evidence: Vec<String>,
}

impl Writer {
    /// The lines of releases that write so: `cometbft-0.39 or cometbft-0.40`, which nothing on disk tells apart.
    #[must_use]
    pub fn name(&self) -> String {
        let names = RELEASES.iter().filter(|release| release.writes == self.dialect).map(|release| release.name);
        names.collect::<Vec<_>>().join(" or ")
    }
}

/// Tells who wrote a state store last. `None` for an empty store, a state that does not decode, or one that was begun by a software of
/// no known line.
///
/// # Errors
/// When the store cannot be read.
pub fn writer(store: &dyn ReadStore) -> Result<Option<Writer>, StoreError> {
    let Some(value) = store.get(StateRecord::State.key().as_bytes())? else { return Ok(None) };
    let Ok(state) = State::decode(&value) else { return Ok(None) };
    let software = String::from_utf8_lossy(state.software).into_owned();
    let Some(begun) = RELEASES.iter().find(|release| software.starts_with(release.software)) else {
        return Ok(None);
    };
    let is_typed = has(&value, &[7, 1, 6]) || has(&value, &[6, 1, 6]);
    let form = |is_typed| if is_typed { "v1.0" } else { "v0.34 to v0.40" };
    let mut evidence = vec![format!("validators in stateKey have the form of {}", form(is_typed))];
    let dialect = match &state.consensus_params {
        ConsensusParams { feature, .. } if is_typed || feature.is_some() => Dialect::V1_0,
        ConsensusParams { sixth_bytes: Some(_), .. } => Dialect::V0_40,
        ConsensusParams { abci: Some(_), .. } => Dialect::V0_38,
        _ => before_038(store, state.last_block_height, begun)?,
    };
    evidence.push(format!("its parameters have that of {dialect}"));
    let other = oldest(store)?.filter(|oldest| *oldest != is_typed);
    if let Some(other) = other {
        evidence
            .push(format!("the oldest validators have the form of {}: several releases wrote this store", form(other)));
    }
    for record in [
        StateRecord::Version,
        StateRecord::GenesisDocHash,
        StateRecord::GenesisDoc,
        StateRecord::LastAbciResponse,
        StateRecord::OfflineStateSyncHeight,
    ] {
        if store.get(record.key().as_bytes())?.is_some() {
            evidence.push(format!("key {} is there", record.key()));
        }
    }
    evidence.push(format!("software {software} began the state"));
    Ok(Some(Writer { dialect, is_mixed: other.is_some(), evidence }))
}

/// v0.34 or v0.37: by the newest parameters if they are sparse, else by who began the state.
fn before_038(store: &dyn ReadStore, tip: u64, begun: &Release) -> Result<Dialect, StoreError> {
    for layout in Layout::ALL {
        let mut key = Vec::with_capacity(32);
        StateKey::ConsensusParams { height: tip.saturating_add(1) }.encode(layout, &mut key);
        let Some(value) = store.get(&key)? else { continue };
        let params = part(&value, 1).unwrap_or_default();
        if params.is_empty() {
            return Ok(Dialect::V0_37);
        }
        if ConsensusParams::decode(params).is_ok_and(|params| params.is_empty()) {
            return Ok(Dialect::V0_34);
        }
    }
    Ok(begun.writes.min(Dialect::V0_37))
}

/// Whether the first record by key that holds validators has them in the form of v1.0.
fn oldest(store: &dyn ReadStore) -> Result<Option<bool>, StoreError> {
    let Some(family) = families(Database::State).iter().find(|family| family.kind == Kind::Validators) else {
        return Ok(None);
    };
    for layout in Layout::ALL {
        let mut cursor = store.scan(&family.stretch(layout))?;
        for _ in 0..ROWS_MAX {
            let Some((key, value)) = cursor.next()? else { break };
            if class(Database::State, key).kind == Kind::Validators && has(value, &[1, 1]) {
                return Ok(Some(has(value, &[1, 1, 6])));
            }
        }
    }
    Ok(None)
}

/// Whether a message has a field at a path of field numbers.
fn has(bytes: &[u8], path: &[u32]) -> bool {
    let Some((number, rest)) = path.split_first() else { return true };
    let mut reader = Reader::new(bytes);
    while let Ok(Some(field)) = reader.next() {
        let is_there = match field.value {
            _ if field.number != *number => false,
            Value::Bytes(inner) => has(inner, rest),
            _ => rest.is_empty(),
        };
        if is_there {
            return true;
        }
    }
    false
}

/// The content of a field of a message.
fn part(bytes: &[u8], number: u32) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes);
    while let Ok(Some(field)) = reader.next() {
        match field.value {
            Value::Bytes(inner) if field.number == number => return Some(inner),
            _ => {}
        }
    }
    None
}
