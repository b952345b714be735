//! Attestations of `shim serve`: the key, the book of what others attest to, a new checkpoint when one is due.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use node_migrate::context::Context;
use node_migrate::home::Home;
use node_migrate::serving::{Attester, VerifiedBlocks};
use node_migrate::workspace::Workspaces;
use proofs::checkpoint::Checkpoint;
use serde_json::json;
use shim::own::attest::Book;
use shim::own::node::Handle;
use tokio::runtime::Handle as Runtime;

use super::words::Lines;
use crate::cli::own::Own;
use crate::commands::{Surroundings, checkpoint};
use crate::error::{AppError, Kind};
use crate::output::Level;

/// Name of the key made in a home. Not that of `checkpoint create`, which may sign at any height and so ahead of this one.
const OWN_KEY: &str = "attest.key";
/// How often it is looked whether a checkpoint is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who attests, if the words ask for it, and the book in which others' checkpoints are compared.
pub(super) fn of(
    words: &Own,
    home: &Home,
    world: &Surroundings,
    lines: Lines,
) -> Result<Option<(Attester, Book)>, AppError> {
    let Some(every) = words.attest_every else { return Ok(None) };
    if words.own.is_none() && words.own_peer.is_empty() {
        return Err(AppError::new(Kind::Usage, "attestations are of our own protocols: --own or --own-peer is needed"));
    }
    let fault = |error: String| AppError::new(Kind::Usage, error);
    let key = key(words, home, world)?;
    let attester = Attester::new(key, every).map_err(|error| fault(error.to_string()))?;
    let book = Book::new(attester.verifier().clone(), words.attest_known.clone());
    let book = book.map_err(|error| fault(error.to_string()))?;
    tell(&attester, every, words.attest_known.len(), lines);
    Ok(Some((attester, book)))
}

fn key(words: &Own, home: &Home, world: &Surroundings) -> Result<PathBuf, AppError> {
    if let Some(path) = &words.attest_key {
        return Ok(path.clone());
    }
    let path = Workspaces::of(&home.db_dir).named(OWN_KEY).root().to_owned();
    if !path.exists() {
        checkpoint::make_key(&path, home, world)?;
    }
    Ok(path)
}

fn tell(attester: &Attester, every: NonZeroU64, known: usize, lines: Lines) {
    let fields =
        vec![("vkey", json!(attester.verifier().to_string())), ("every", json!(every.get())), ("known", json!(known))];
    lines.write(Level::Info, "attesting", fields);
}

/// Attests whenever a checkpoint is due, until it should stop.
pub(super) fn run(
    mut attester: Attester,
    node: &Handle,
    blocks: &VerifiedBlocks,
    context: &Context<'_>,
    runtime: &Runtime,
    lines: Lines,
) {
    let mut told = None;
    while context.go_on().is_ok() {
        thread::sleep(LOOK_EVERY);
        let Some(height) = attester.due(blocks) else { continue };
        let done = attester.attest(height, blocks, context).map_err(|error| error.to_string());
        let done = done.and_then(|note| {
            let checkpoint = Checkpoint::parse_text(note.unverified_text()).map_err(|error| error.to_string())?;
            runtime.block_on(node.attest(&note)).map_err(|error| error.to_string())?;
            Ok(checkpoint)
        });
        match done {
            Ok(checkpoint) => {
                let fields = vec![("height", json!(height)), ("root", json!(hex::encode(checkpoint.root())))];
                lines.write(Level::Info, "attested", fields);
                told = None;
            }
            Err(reason) if told.as_ref() != Some(&reason) && context.go_on().is_ok() => {
                lines.write(Level::Warn, "not attested", vec![("height", json!(height)), ("reason", json!(reason))]);
                told = Some(reason);
            }
            Err(_) => {}
        }
    }
}
