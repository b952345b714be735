//! `checkpoint`: signs the tree of a home's heights, proves from it and exports it.

mod key;
mod refusal;

#[cfg(feature = "shim")]
use std::path::Path;
use std::path::PathBuf;

use ledger_formats::durable;
use node_migrate::checkpoint::{self, Blocks, ChainTree, Signer};
use node_migrate::home::{self, Home, Role};
use node_migrate::reading::Reading;
use proofs::checkpoint::{Checkpoint, GrowthFile, LedgerOrigin, ProofFile};
use proofs::note::Note;
use serde_json::{Value, json};

use super::Surroundings;
use crate::cli::checkpoint as cli;
use crate::error::{AppError, Kind};

/// Does what was asked for, from a stopped or a running node's store.
pub(super) fn run(command: &cli::Checkpoint, world: &Surroundings) -> Result<(), AppError> {
    let (cli::Checkpoint::Create(cli::Create { home, .. })
    | cli::Checkpoint::Prove(cli::Prove { home, .. })
    | cli::Checkpoint::Consistency(cli::Consistency { home, .. })
    | cli::Checkpoint::Export(cli::Export { home, .. })) = command;
    let home = world.home(home)?;
    let reading = block_store(&home, world)?;
    let context = world.context();
    let threads = context.workers_in_memory();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| AppError::new(Kind::System, format!("cannot start {threads} threads: {error}")))?;
    let blocks = Blocks::open(reading.store())?;
    let tree = |origin: &str| {
        let first = LedgerOrigin::parse(origin)?.first_height();
        pool.install(|| ChainTree::build(blocks, first, &context))
    };
    match command {
        cli::Checkpoint::Create(words) => {
            let signer = key::signer(words, &home, &blocks)?;
            create(words, &signer, &tree(signer.verifier().name())?, world)
        }
        cli::Checkpoint::Prove(words) => {
            let (note, checkpoint) = key::which(&words.which, &home)?;
            prove(words, note, &checkpoint, &tree(checkpoint.origin())?, world)
        }
        cli::Checkpoint::Consistency(words) => {
            let ((_, old), (note, new)) = (key::read(&words.old)?, key::read(&words.new)?);
            consistency(words, &old, note, &new, &tree(new.origin())?, world)
        }
        cli::Checkpoint::Export(words) => {
            let (note, checkpoint) = key::which(&words.which, &home)?;
            export(words, &note, &checkpoint, &tree(checkpoint.origin())?, world)
        }
    }
}

/// Makes a key for the tree that begins at the lowest height of a home, named after its chain.
#[cfg(feature = "shim")]
pub(super) fn make_key(path: &Path, home: &Home, world: &Surroundings) -> Result<(), AppError> {
    let reading = block_store(home, world)?;
    key::make(path, None, home, &Blocks::open(reading.store())?)
}

/// Opens the home's block store: where it lies if the node is stopped, else by a snapshot.
fn block_store(home: &Home, world: &Surroundings) -> Result<Reading, AppError> {
    let database = home.databases.iter().find(|database| database.role == Role::BlockStore);
    let database = database.ok_or_else(|| AppError::new(Kind::Home, "this home has no block store"))?;
    let running = !home::node_process::running(home).is_empty();
    let open = if running { Reading::open_running } else { Reading::open };
    Ok(open(&database.real_path, database.engine, world.context().cache_bytes(), &world.temporary())?)
}

fn create(words: &cli::Create, signer: &Signer, tree: &ChainTree<'_>, world: &Surroundings) -> Result<(), AppError> {
    let size = match words.height {
        None => tree.size(),
        Some(height) => height.checked_sub(tree.first_height()).map_or(0, |index| index.saturating_add(1)),
    };
    if size == 0 {
        return Err(AppError::new(Kind::Usage, format!("the tree begins at height {}", tree.first_height())));
    }
    let note = signer.sign(tree, size)?;
    let vkey = signer.verifier().to_string();
    let checkpoint = Checkpoint::parse_text(note.unverified_text())
        .map_err(|error| AppError::new(Kind::System, error.to_string()))?;
    let mut value = head(&checkpoint, tree.first_height());
    value["vkey"] = json!(vkey);
    finish(&note.to_string(), &words.out, value, "checkpoint", world, || {
        format!("Others check it with the public key {vkey}")
    })
}

fn prove(
    words: &cli::Prove,
    note: Note,
    checkpoint: &Checkpoint,
    tree: &ChainTree<'_>,
    world: &Surroundings,
) -> Result<(), AppError> {
    tree.expect_head(checkpoint)?;
    let first = tree.first_height();
    let index = words.height.checked_sub(first).filter(|index| *index < checkpoint.size());
    let index = index.ok_or_else(|| {
        let behind = first + checkpoint.size();
        let message = format!("height {} is not in the checkpoint: it has {first} to before {behind}", words.height);
        AppError::new(Kind::Usage, message)
    })?;
    let path = tree.inclusion(index, checkpoint.size())?;
    let file = ProofFile { extra: None, index, path, checkpoint: note };
    let mut value = head(checkpoint, first);
    value["height"] = json!(words.height);
    finish(&file.to_string(), &words.out, value, "proof", world, String::new)
}

fn consistency(
    words: &cli::Consistency,
    old: &Checkpoint,
    note: Note,
    new: &Checkpoint,
    tree: &ChainTree<'_>,
    world: &Surroundings,
) -> Result<(), AppError> {
    new.is_of(old.origin()).map_err(|error| AppError::new(Kind::Usage, error.to_string()))?;
    tree.expect_head(old)?;
    tree.expect_head(new)?;
    if old.size() > new.size() {
        return Err(AppError::new(Kind::Usage, "the first checkpoint is the larger one"));
    }
    let file = GrowthFile { old_size: old.size(), proof: tree.consistency(old.size(), new.size())?, checkpoint: note };
    let mut value = head(new, tree.first_height());
    value["old_size"] = json!(old.size());
    finish(&file.to_string(), &words.out, value, "growth", world, String::new)
}

fn export(
    words: &cli::Export,
    note: &Note,
    checkpoint: &Checkpoint,
    tree: &ChainTree<'_>,
    world: &Surroundings,
) -> Result<(), AppError> {
    let context = world.context();
    let mut value = head(checkpoint, tree.first_height());
    let mut text = format!("Exported {} heights of {}:\n", checkpoint.size(), checkpoint.origin());
    if let Some(folder) = &words.to.tiles {
        checkpoint::export_tiles(tree, note, checkpoint, folder, &context)?;
        value["tiles"] = json!(folder);
        text.push_str(&format!("  tiles in {}\n", folder.display()));
    }
    #[cfg(feature = "parquet")]
    if let Some(folder) = &words.to.parquet {
        checkpoint::export_parquet(tree, note, checkpoint, folder, &context)?;
        value["parquet"] = json!(folder);
        text.push_str(&format!("  Parquet files in {}\n", folder.display()));
    }
    world.output.outcome(&value, || text);
    Ok(())
}

/// Shows a file that was made, and writes it where it is wished.
fn finish(
    made: &str,
    out: &Option<PathBuf>,
    mut value: Value,
    name: &str,
    world: &Surroundings,
    remark: impl FnOnce() -> String,
) -> Result<(), AppError> {
    if let Some(path) = out {
        durable::write_file(path, made.as_bytes())?;
    }
    value[name] = json!(made);
    world.output.outcome(&value, || made.to_owned());
    if out.is_some() {
        let remark = remark();
        if !remark.is_empty() {
            world.context().listener.say(&remark);
        }
    }
    Ok(())
}

fn head(checkpoint: &Checkpoint, first: u64) -> Value {
    json!({
        "origin": checkpoint.origin(), "size": checkpoint.size(), "root": hex::encode(checkpoint.root()),
        "first_height": first, "last_height": (first + checkpoint.size()).saturating_sub(1),
    })
}
