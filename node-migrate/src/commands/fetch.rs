//! `fetch`: blocks from other nodes, proven by this home's chain.

use node_migrate::home::{Home, Role};
use node_migrate::mending::{Folder, Gathered, GatheredHeight, Range, gather};
use node_migrate::reading::Reading;
use serde_json::{Value, json};

use super::{Surroundings, peers};
use crate::cli::fetch::{Fetch, HeightRange};
use crate::error::{AppError, Kind};
use crate::output;

/// Lines of one kind that are shown in full.
const LINES_SHOWN: usize = 20;

/// Fetches, and says what came of it.
pub(super) fn run(words: &Fetch, world: &Surroundings) -> Result<(), AppError> {
    let home = world.home(&words.home)?;
    let chain_id = home.genesis.as_ref().map(|genesis| genesis.chain_id.clone());
    let chain_id = chain_id.ok_or_else(|| {
        AppError::new(Kind::Home, format!("{} has no genesis file, which names the chain", home.root.display()))
    })?;
    let (blocks, state) =
        (open(&home, Role::BlockStore, "block store", world)?, open(&home, Role::State, "state", world)?);
    let peers = peers::of(&words.from, words.patience, &home, world)?;
    let folder = words.out.as_deref().map(Folder::create).transpose()?;
    let HeightRange { first, last } = words.heights;
    let range = Range { first, last, is_for_damaged: words.damaged };
    let gathered =
        gather(blocks.store(), state.store(), &chain_id, range, &peers, &world.context(), &mut |proven, _| {
            folder.as_ref().map_or(Ok(()), |folder| folder.put(proven))
        })?;
    let value = report(&chain_id, words, &gathered);
    if let Some(folder) = &folder {
        folder.finish(&format!("{value:#}\n"))?;
    }
    world.output.outcome(&value, || text(&home, words, &gathered));
    match gathered.missing().next() {
        None => Ok(()),
        Some(first) => {
            let (missing, asked) = (gathered.missing().count(), gathered.missing().count() + gathered.brought());
            let reason = first.refused.as_deref().unwrap_or_default();
            let message =
                format!("{missing} of {asked} blocks could not be had, the first of height {}: {reason}", first.height);
            Err(AppError::new(Kind::Peer, message).hint("name another peer that has the blocks, by --from"))
        }
    }
}

/// A database of the home, by a snapshot: its node may be running.
fn open(home: &Home, role: Role, name: &str, world: &Surroundings) -> Result<Reading, AppError> {
    let found = home.databases.iter().find(|database| database.role == role);
    let found = found.ok_or_else(|| AppError::new(Kind::Home, format!("this home has no {name} database")))?;
    Ok(Reading::open_running(&found.real_path, found.engine, world.context().cache_bytes(), &world.temporary())?)
}

fn report(chain_id: &str, words: &Fetch, gathered: &Gathered) -> Value {
    json!({
        "chain_id": chain_id, "first": words.heights.first, "last": words.heights.last,
        "brought": gathered.brought(), "missing": gathered.missing().count(), "damaged_here": gathered.damaged().count(),
        "out": words.out, "heights": gathered.heights,
    })
}

fn text(home: &Home, words: &Fetch, gathered: &Gathered) -> String {
    let HeightRange { first, last } = words.heights;
    let damaged = gathered.damaged().count();
    let bytes: usize = gathered.heights.iter().filter_map(|height| Some(height.brought.as_ref()?.bytes)).sum();
    let mut text = format!(
        "Heights {first} to {last}: {} blocks fetched and proven ({}), {} not had; in this home {} are sound and {damaged} damaged.\n",
        gathered.brought(),
        output::bytes(bytes as u64),
        gathered.missing().count(),
        gathered.heights.len() - damaged,
    );
    let brought = |height: &GatheredHeight| height.brought.as_ref().map(|it| format!("from {}", it.provenance));
    let line = |height: &GatheredHeight| {
        let now = brought(height).or_else(|| height.refused.clone()).unwrap_or_default();
        format!("  {}: {}; {now}\n", height.height, height.damage.as_deref().unwrap_or("sound here"))
    };
    let worth_a_line = |height: &&GatheredHeight| height.damage.is_some() || height.refused.is_some();
    text.extend(gathered.heights.iter().filter(worth_a_line).take(LINES_SHOWN).map(line));
    let more = gathered.heights.iter().filter(worth_a_line).count().saturating_sub(LINES_SHOWN);
    if more > 0 {
        text.push_str(&format!("  ... and {more} more (--json has all)\n"));
    }
    if let Some(folder) = &words.out {
        text.push_str(&format!("Written to {}.\n", folder.display()));
    }
    if damaged > 0 {
        let from = words.out.as_ref().map_or_else(|| "PEER".to_owned(), |folder| folder.display().to_string());
        text.push_str(&format!(
            "Nothing was changed in this home. To repair it: stop the node, then\n  node-migrate run {} --on-corrupt repair --from {from} --execute\n",
            home.root.display(),
        ));
    }
    text
}
