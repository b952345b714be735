//! The scan of one piece of one database.

use ledger_formats::store::{Cursor, StoreError};

use super::digest::Framed;
use super::rows::{RowReader, StoreHeights};
use super::{Expected, Piece, Survey};
use crate::context::Context;
use crate::shard_summary::ShardSummary;
use crate::verify::findings::{Findings, Place};
use crate::verify::what::What;
use crate::verify::{InputDatabase, VerifyError};

/// Rows between two looks at the wish to stop.
const ROWS_AT_ONCE: u64 = 4_096;

/// Scans a piece to its end, past damaged places.
pub(super) fn scan(
    database: &InputDatabase<'_>,
    piece: &Piece<'_>,
    stored: StoreHeights,
    findings: &Findings<'_>,
    context: &Context<'_>,
) -> Result<Survey, VerifyError> {
    let mut rows = RowReader::new(&database.name, database.role, stored, findings);
    let mut digest = matches!(piece.expected, Expected::Shard(_)).then(Framed::new);
    let mut survey = Survey::default();
    match database.store.scan(&piece.range) {
        Err(error) => unreadable(database, piece, findings, &error),
        Ok(mut cursor) => loop {
            context.go_on()?;
            let before = (survey.keys, survey.key_bytes + survey.value_bytes);
            let end = run(cursor.as_mut(), &mut survey, &mut rows, digest.as_mut());
            let read = (survey.keys - before.0, survey.key_bytes + survey.value_bytes - before.1);
            context.listener.advance(read.1, read.0);
            match end {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    unreadable(database, piece, findings, &error);
                    if !goes_on(&error) {
                        break;
                    }
                }
            }
        },
    }
    survey.inventory = rows.finish();
    survey.equals_source = compare(database, piece, &survey, digest, findings);
    survey.shards = u64::from(matches!(piece.expected, Expected::Shard(_)));
    Ok(survey)
}

/// Reads some rows; false at the end.
fn run(
    cursor: &mut (dyn Cursor + Send + '_),
    survey: &mut Survey,
    rows: &mut RowReader<'_>,
    mut digest: Option<&mut Framed>,
) -> Result<bool, StoreError> {
    for _ in 0..ROWS_AT_ONCE {
        let Some((key, value)) = cursor.next()? else { return Ok(false) };
        survey.keys += 1;
        survey.key_bytes += key.len() as u64;
        survey.value_bytes += value.len() as u64;
        if let Some(digest) = &mut digest {
            digest.add(key, value);
        }
        rows.take(key, value);
    }
    Ok(true)
}

/// Whether a cursor goes on behind what it could not read.
fn goes_on(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt(damage) if damage.range.is_some())
}

fn unreadable(database: &InputDatabase<'_>, piece: &Piece<'_>, findings: &Findings<'_>, error: &StoreError) {
    let range = match error {
        StoreError::Corrupt(damage) => damage.range.as_ref(),
        _ => None,
    };
    let key = range.map_or(&piece.range.start, |(first, _)| first);
    findings.report(What::Unreadable, Place { database: &database.name, key, height: None }, &"readable rows", error);
}

/// Compares a piece with what the source had there.
fn compare(
    database: &InputDatabase<'_>,
    piece: &Piece<'_>,
    survey: &Survey,
    digest: Option<Framed>,
    findings: &Findings<'_>,
) -> Option<bool> {
    let place = Place { database: &database.name, key: &piece.range.start, height: None };
    match piece.expected {
        Expected::Unknown => None,
        Expected::Empty => {
            if survey.keys > 0 {
                findings.report(What::Outside, place, &"no rows", &format!("{} rows", survey.keys));
            }
            Some(survey.keys == 0)
        }
        Expected::Shard(expected) => {
            let actual = digest?.finish();
            let counts = |of: &ShardSummary| (of.keys, of.key_bytes, of.value_bytes);
            if counts(expected) != counts(&actual) {
                findings.report(What::Count, place, &in_words(expected), &in_words(&actual));
            } else if *expected != actual {
                findings.report(What::Digest, place, &hex::encode(expected.blake3), &hex::encode(actual.blake3));
            }
            Some(*expected == actual)
        }
    }
}

fn in_words(of: &ShardSummary) -> String {
    format!("{} rows with {} bytes of keys and {} of values", of.keys, of.key_bytes, of.value_bytes)
}
