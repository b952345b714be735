//! Rows that a conversion makes: the label of the layout, and the last results where the target looks for them.

use super::Conversion;
use crate::comet::class::{Database, Kind};
use crate::comet::dialect::{Change, ConvertError, Target, convert, last_response, split_last_response};
use crate::comet::error::DecodeError;
use crate::comet::key::{ChainName, Layout, LightKey, StateKey, StateRecord};
use crate::comet::layout::{self, digits};
use crate::comet::wire::Decode;
use crate::comet::{BlockStoreState, State};
use crate::store::{ReadStore, StoreError};

type Row = (Vec<u8>, Vec<u8>);

/// Heights above the tip that a store can hold: validators are known two heights ahead.
const AHEAD: u64 = 2;

/// Digits of the greatest height that the store says it can hold; of any height when it says nothing.
pub(super) fn digits(source: &dyn ReadStore, database: Database) -> Result<u32, StoreError> {
    let tip = match database {
        Database::BlockStore => block_tip(source)?,
        Database::State => state_tip(source)?,
        Database::Evidence | Database::TxIndex | Database::LightStore => None,
    };
    Ok(tip.map_or(digits::DIGITS_MAX, |tip| digits::digits(tip.saturating_add(AHEAD))))
}

/// The chain of a light client whose keys change their spelling.
pub(super) fn chain(
    source: &dyn ReadStore,
    database: Database,
    conversion: Conversion,
) -> Result<Option<ChainName>, StoreError> {
    if database != Database::LightStore || conversion.from == conversion.to {
        return Ok(None);
    }
    layout::chain::first(source, conversion.from)
}

/// The number of light blocks, as the target keeps it.
fn light_size(source: &dyn ReadStore, conversion: Conversion) -> Result<Option<Row>, StoreError> {
    let Some(chain) = chain(source, Database::LightStore, conversion)? else { return Ok(None) };
    if conversion.to == Layout::V1 && chain.has_slash() {
        return Err(StoreError::Refused {
            database: Database::LightStore.name().to_owned(),
            record: format!("the chain {chain:?}"),
            reason: "its name has a slash, with which no release reads keys of layout v1".to_owned(),
        });
    }
    let spelled = |layout| {
        let key = if layout == Layout::V1 { LightKey::SharedSize } else { LightKey::Size { chain } };
        let mut out = Vec::new();
        key.encode(layout, &mut out);
        out
    };
    Ok(source.get(&spelled(conversion.from))?.map(|value| (spelled(conversion.to), value)))
}

/// The rows, by target key.
pub(super) fn rows(source: &dyn ReadStore, database: Database, conversion: Conversion) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    if database != Database::TxIndex && matches!(conversion.dialect, None | Some(Target::V1_0)) {
        rows.push((b"version".to_vec(), conversion.to.label().as_bytes().to_vec()));
    }
    if let (Database::State, Some(dialect)) = (database, conversion.dialect) {
        rows.extend(match dialect {
            Target::V0_38 | Target::V0_40 => last(source, conversion.from, dialect)?,
            Target::V1_0 => results_of_last(source, conversion)?,
        });
    }
    if database == Database::LightStore {
        rows.extend(light_size(source, conversion)?);
    }
    rows.sort_unstable();
    Ok(rows)
}

/// `lastABCIResponseKey`: the results of the highest block that has some, from where else they are; a node of v0.38
/// that stopped between a block and its state starts only with it.
fn last(source: &dyn ReadStore, from: Layout, to: Target) -> Result<Option<Row>, StoreError> {
    let Some(tip) = state_tip(source)? else { return Ok(None) };
    let key = StateRecord::LastAbciResponse.key().as_bytes();
    for height in [tip.saturating_add(1), tip] {
        let Some(response) = source.get(&results_key(height, from))? else { continue };
        let response = converted(response, height, to)?;
        return Ok(Some((key.to_vec(), last_response(height, &response))));
    }
    // A node that discards results keeps only the last ones, here.
    let Some(value) = source.get(key)? else { return Ok(None) };
    let (height, response) = split_last_response(&value).map_err(|error| refused(key, &error))?;
    let Some(response) = response.filter(|_| height >= tip) else { return Ok(None) };
    let response = converted(response.to_vec(), height, to)?;
    Ok(Some((key.to_vec(), last_response(height, &response))))
}

/// The results that only `lastABCIResponseKey` has, as a record of their own.
fn results_of_last(source: &dyn ReadStore, conversion: Conversion) -> Result<Option<Row>, StoreError> {
    let key = StateRecord::LastAbciResponse.key().as_bytes();
    let Some(value) = source.get(key)? else { return Ok(None) };
    let (height, response) = split_last_response(&value).map_err(|error| refused(key, &error))?;
    let Some(response) = response else { return Ok(None) };
    let is_stale = state_tip(source)?.is_none_or(|tip| height < tip);
    if is_stale || source.get(&results_key(height, conversion.from))?.is_some() {
        return Ok(None);
    }
    let response = converted(response.to_vec(), height, Target::V1_0)?;
    Ok(Some((results_key(height, conversion.to), response)))
}

fn converted(mut response: Vec<u8>, height: u64, to: Target) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::new();
    let change = convert(Kind::AbciResponses, &response, to, &mut out)
        .map_err(|error| refused(&results_key(height, Layout::V1), &error))?;
    if change == Change::Rewritten {
        std::mem::swap(&mut response, &mut out);
    }
    Ok(response)
}

fn results_key(height: u64, layout: Layout) -> Vec<u8> {
    let mut key = Vec::with_capacity(32);
    StateKey::AbciResponses { height }.encode(layout, &mut key);
    key
}

fn block_tip(source: &dyn ReadStore) -> Result<Option<u64>, StoreError> {
    let Some(value) = source.get(b"blockStore")? else { return Ok(None) };
    let state =
        BlockStoreState::decode(&value).map_err(|error| undecodable(Database::BlockStore, b"blockStore", error))?;
    Ok(Some(state.height))
}

fn state_tip(source: &dyn ReadStore) -> Result<Option<u64>, StoreError> {
    let key = StateRecord::State.key().as_bytes();
    let Some(value) = source.get(key)? else { return Ok(None) };
    let state = State::decode(&value).map_err(|error| undecodable(Database::State, key, error))?;
    Ok(Some(state.last_block_height))
}

fn refused(key: &[u8], error: &ConvertError) -> StoreError {
    StoreError::Refused {
        database: Database::State.name().to_owned(),
        record: crate::comet::layout::describe(Database::State, key),
        reason: error.to_string(),
    }
}

fn undecodable(database: Database, key: &[u8], error: DecodeError) -> StoreError {
    StoreError::Refused {
        database: database.name().to_owned(),
        record: crate::comet::layout::describe(database, key),
        reason: error.to_string(),
    }
}
