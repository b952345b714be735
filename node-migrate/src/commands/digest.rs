//! `digest`: counts and SHA-256 of each database, the same whatever its engine.

use ledger_formats::digest::Summariser;
use ledger_formats::store::{KeyRange, ReadStore, StoreError};
use node_migrate::context::{Context, Interrupted};
use node_migrate::home::Database;
use node_migrate::reading::Reading;
use rayon::prelude::*;
use serde::Serialize;

use super::Surroundings;
use crate::cli::DigestArguments;
use crate::error::{AppError, Kind};
use crate::output::table;

/// Rows between two reports of progress.
const ROWS_BETWEEN_REPORTS: u64 = 8192;

/// One database's digest, in the words of the oracles.
#[derive(Serialize)]
struct DatabaseDigest {
    name: String,
    dir: String,
    engine: String,
    keys: u64,
    key_bytes: u64,
    value_bytes: u64,
    sha256: String,
}

/// Prints the digests.
pub(super) fn run(command: &DigestArguments, world: &Surroundings) -> Result<(), AppError> {
    let home = world.stopped_home(&command.home)?;
    let wanted = super::chosen(&home.databases, &command.db)?;
    let context = world.context();
    context.listener.begin("digest", 0);
    let digests = wanted.par_iter().map(|database| digest(database, world, &context)).collect::<Result<Vec<_>, _>>();
    context.listener.end();
    let digests = digests?;
    let value = serde_json::json!({ "home": home.root, "databases": digests });
    world.output.result(&value, || text(&digests));
    Ok(())
}

fn digest(database: &Database, world: &Surroundings, context: &Context<'_>) -> Result<DatabaseDigest, AppError> {
    let reading = Reading::open(&database.real_path, database.engine, context.cache_bytes(), &world.temporary())
        .map_err(|error| named(database, error.into()))?;
    let summary = summarise(reading.store(), context)
        .map_err(|error| named(database, node_migrate::reading::ReadingError::from(error).into()))?
        .map_err(|stopped| AppError::new(Kind::Interrupted, stopped.to_string()))?
        .finish();
    Ok(DatabaseDigest {
        name: database.name.clone(),
        dir: database.dir_name.clone(),
        engine: database.engine.to_string(),
        keys: summary.keys,
        key_bytes: summary.key_bytes,
        value_bytes: summary.value_bytes,
        sha256: hex::encode(summary.sha256),
    })
}

fn named(database: &Database, error: AppError) -> AppError {
    AppError { message: format!("{}: {}", database.name, error.message), ..error }
}

fn summarise(store: &dyn ReadStore, context: &Context<'_>) -> Result<Result<Summariser, Interrupted>, StoreError> {
    let mut cursor = store.scan(&KeyRange::all())?;
    let mut summariser = Summariser::default();
    let (mut rows, mut bytes) = (0, 0);
    while let Some((key, value)) = cursor.next()? {
        summariser.add(key, value);
        rows += 1;
        bytes += (key.len() + value.len()) as u64;
        if rows == ROWS_BETWEEN_REPORTS {
            context.listener.advance(bytes, rows);
            (rows, bytes) = (0, 0);
            if let Err(stopped) = context.go_on() {
                return Ok(Err(stopped));
            }
        }
    }
    context.listener.advance(bytes, rows);
    Ok(Ok(summariser))
}

fn text(digests: &[DatabaseDigest]) -> String {
    let mut rows = vec![["database", "engine", "keys", "value bytes", "sha256"].map(str::to_owned).to_vec()];
    for digest in digests {
        rows.push(vec![
            digest.name.clone(),
            digest.engine.clone(),
            digest.keys.to_string(),
            digest.value_bytes.to_string(),
            digest.sha256.clone(),
        ]);
    }
    table(&rows)
}
