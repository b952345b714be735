//! One record of a MANIFEST: what came, what went, which numbers moved.

use std::collections::BTreeSet;

use super::{Problem, TableMeta};
use crate::engine::internal_key::{self, TRAILER_LEN};
use crate::engine::varint;

/// Levels are few; a larger number is damage.
const LEVEL_MAX: u64 = 255;
/// Tags from here on are RocksDB's that an older release may skip; each is framed by its length.
const ROCKS_SKIPPABLE: u64 = 1 << 13;

/// What a record says.
#[derive(Debug, Default)]
pub(super) struct Edit {
    pub(super) comparer: Option<String>,
    pub(super) log_number: Option<u64>,
    pub(super) previous_log: Option<u64>,
    pub(super) next_file: Option<u64>,
    pub(super) last_sequence: Option<u64>,
    /// Level and number of tables that are not live any more.
    pub(super) gone: Vec<(u32, u64)>,
    pub(super) came: Vec<TableMeta>,
    pub(super) tags: BTreeSet<u64>,
}

/// Decodes one record.
pub(super) fn decode(record: &[u8]) -> Result<Edit, Problem> {
    let mut edit = Edit::default();
    let input = &mut { record };
    while !input.is_empty() {
        let tag = number(input)?;
        edit.tags.insert(tag);
        match tag {
            1 => edit.comparer = Some(String::from_utf8_lossy(bytes(input)?).into_owned()),
            2 => edit.log_number = Some(number(input)?),
            3 => edit.next_file = Some(number(input)?),
            4 => edit.last_sequence = Some(number(input)?),
            5 => {
                level(input)?;
                bytes(input)?;
            }
            6 => edit.gone.push((level(input)?, number(input)?)),
            7 | 100 | 102 | 103 => edit.came.push(table(input, tag)?),
            9 => edit.previous_log = Some(number(input)?),
            _ => rocks(tag, input)?,
        }
    }
    Ok(edit)
}

/// A table that came (tags 7, 100, 102, 103).
fn table(input: &mut &[u8], tag: u64) -> Result<TableMeta, Problem> {
    let level = level(input)?;
    let number_ = number(input)?;
    if tag == 102 {
        path(number(input)?)?;
    }
    let size = number(input)?;
    let (smallest, largest) = (bytes(input)?, bytes(input)?);
    if smallest.len() < TRAILER_LEN || largest.len() < TRAILER_LEN {
        return Err(Problem::Bad("a bound of a table is no internal key"));
    }
    if internal_key::compare(smallest, largest).is_gt() {
        return Err(Problem::Bad("the bounds of a table are in the wrong order"));
    }
    let sequences = if tag == 7 { None } else { Some((number(input)?, number(input)?)) };
    if tag == 103 {
        custom_fields(input)?;
    }
    Ok(TableMeta { level, number: number_, size, smallest: smallest.into(), largest: largest.into(), sequences })
}

/// The open-ended part of tag 103: fields that may be ignored, unless they have bit 0x40.
fn custom_fields(input: &mut &[u8]) -> Result<(), Problem> {
    loop {
        match number(input)? {
            1 => return Ok(()),
            4 => {
                // RocksDB: the oldest blob file that the table refers to.
                bytes(input)?;
                return Err(unknown("blob files"));
            }
            65 => path(take_inner(bytes(input)?)?)?,
            66 => return Err(unknown("virtual tables")),
            67 | 68 => return Err(unknown("synthetic prefixes or suffixes of tables")),
            69 => return Err(unknown("blob files")),
            field if field & 0x40 != 0 => return Err(unknown(&format!("table field {field}"))),
            _ => {
                bytes(input)?;
            }
        }
    }
}

/// Tags of RocksDB, and the names of what is refused.
fn rocks(tag: u64, input: &mut &[u8]) -> Result<(), Problem> {
    match tag {
        // The oldest log to keep; the largest column family.
        10 | 203 => number(input).map(drop),
        // The column family of this record: 0 is `default`.
        200 => match number(input)? {
            0 => Ok(()),
            family => Err(unknown(&format!("column family {family}"))),
        },
        201 => {
            let name = String::from_utf8_lossy(bytes(input)?).into_owned();
            Err(unknown(&format!("column family `{}`", name.escape_debug())))
        }
        202 => Err(unknown("dropping of column families")),
        104 => Err(unknown("range keys (manifest tag 104)")),
        105 | 106 => Err(unknown("backing tables (manifest tag 105, 106)")),
        107 | 108 | 400 | 401 | 8194 | 8195 => Err(unknown("blob files")),
        300 => Err(unknown("atomic groups of manifest records")),
        8196 => log_came(input),
        8197 => number(input).map(drop),
        8198 => Err(unknown("user-defined timestamps")),
        _ if tag > ROCKS_SKIPPABLE => bytes(input).map(drop),
        _ => Err(unknown(&format!("manifest tag {tag}"))),
    }
}

/// RocksDB's record of a log that was closed, in the form without a length.
fn log_came(input: &mut &[u8]) -> Result<(), Problem> {
    number(input)?;
    loop {
        match number(input)? {
            1 => return Ok(()),
            2 => number(input).map(drop)?,
            field => return Err(unknown(&format!("log field {field}"))),
        }
    }
}

fn path(id: u64) -> Result<(), Problem> {
    if id == 0 { Ok(()) } else { Err(unknown("tables in several folders")) }
}

fn unknown(what: &str) -> Problem {
    Problem::Unknown(what.to_owned())
}

fn take_inner(mut field: &[u8]) -> Result<u64, Problem> {
    number(&mut field)
}

fn level(input: &mut &[u8]) -> Result<u32, Problem> {
    match number(input)? {
        level if level <= LEVEL_MAX => u32::try_from(level).map_err(|_| Problem::Bad("a level is out of range")),
        _ => Err(Problem::Bad("a level is out of range")),
    }
}

fn number(input: &mut &[u8]) -> Result<u64, Problem> {
    varint::take(input).ok_or(Problem::Bad("a number is cut off"))
}

fn bytes<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], Problem> {
    varint::take_bytes(input).ok_or(Problem::Bad("a field is cut off"))
}
