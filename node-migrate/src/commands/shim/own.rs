//! Our own protocols beside the others: who we are, what we offer as the sweep goes on, what happens.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use node_migrate::cutover::original_genesis;
use node_migrate::home::{Home, genesis_hash};
use node_migrate::serving::{TimeRules, VerifiedBlocks, standing};
use proto::hello::{Hello, Printable, Status, Terms, TimeRule, Version, Versions};
use serde_json::json;
use shim::counters::Counters;
use shim::own::attest::Book;
use shim::own::node::{Config, Event, Handle, StaticPeer, listeners, start};
use shim::source::BlockSource;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use super::identity::Both;
use super::serve::chain_id;
use super::words::Lines;
use crate::cli::own::Spoken;
use crate::cli::shim::Serve;
use crate::error::{AppError, Kind};
use crate::output::Level;

/// Connections that others may open.
const INBOUND_MAX: u32 = 40;
/// How often it is looked whether there is something new to tell.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// What we say that we are.
const AGENT: &str = concat!("node-migrate/", env!("CARGO_PKG_VERSION"));

/// What is given, and where it is counted.
pub(super) struct Given {
    pub blocks: Arc<VerifiedBlocks>,
    pub counters: Arc<Counters>,
    pub book: Option<Book>,
    pub lines: Lines,
}

/// Starts our own protocols, if they are asked for.
pub(super) fn begin(
    words: &Serve,
    home: &Home,
    identity: &Both,
    given: Given,
    tasks: &mut JoinSet<()>,
) -> Result<Option<Handle>, AppError> {
    let own = &words.own;
    if own.own.is_none() && own.own_peer.is_empty() {
        return Ok(None);
    }
    let Given { blocks, counters, book, lines } = given;
    let hello = hello(home, &own.spoken, own.attest_every)?;
    let config = Config {
        identity: identity.lp2p.keypair().clone(),
        listen: own.own.into_iter().flat_map(listeners).collect(),
        peers: StaticPeer::merged(own.own_peer.iter().map(|peer| peer.0.clone())),
        connections_max: INBOUND_MAX,
        hello: hello.clone(),
        source: Arc::clone(&blocks) as Arc<dyn BlockSource>,
        book,
        relay: None,
        counters,
    };
    let (handle, events) = start(config).map_err(|error| AppError::new(Kind::System, error.to_string()))?;
    tasks.spawn(tell(events, handle.id().to_string(), lines));
    tasks.spawn(renew(handle.clone(), hello, home.root.clone(), blocks, lines));
    Ok(Some(handle))
}

/// Who we are: a shim of a home, which has nothing to offer yet.
pub(super) fn hello(home: &Home, spoken: &Spoken, attest_every: Option<NonZeroU64>) -> Result<Hello, AppError> {
    let fault = |error: String| AppError::new(Kind::Usage, error);
    let terms = terms(spoken).map_err(fault)?;
    let time_rule = match spoken.time_rule {
        None | Some(TimeRules::AllVotes) => TimeRule::V0_38,
        Some(TimeRules::VotesForBlock) => TimeRule::V0_40,
        Some(TimeRules::Switch { at }) => TimeRule::switch_at(at).map_err(|error| fault(error.to_string()))?,
    };
    let hash = genesis_hash(&original_genesis(home)?);
    let printable =
        |what: &'static str| move |bytes: usize| fault(format!("{what} of {bytes} bytes cannot be told to a peer"));
    Ok(Hello {
        chain_id: Printable::new(chain_id(home)?).map_err(printable("a chain id"))?,
        genesis_hash: hash.map_err(|error| AppError::new(Kind::Home, error.to_string()))?,
        terms,
        time_rule,
        attest_every,
        status: Status::default(),
        agent: Printable::new(AGENT).map_err(printable("an agent"))?,
    })
}

/// The versions that the words name. They are spoken in both directions, so that two who serve agree, and attest.
fn terms(spoken: &Spoken) -> Result<Terms, String> {
    let known = [Version::ONE, Version::TWO];
    if let Some(other) = spoken.versions.iter().find(|version| !known.contains(&Version(**version))) {
        return Err(format!("there is no version {other} of the block exchange; there are 1 and 2"));
    }
    let versions = Versions::new(spoken.versions.iter().copied()).map_err(|error| error.to_string())?;
    let terms = Terms::new(versions.clone(), versions, Version(spoken.minimum));
    terms.with_sunsets(spoken.sunset.iter().map(|sunset| sunset.0)).map_err(|error| error.to_string())
}

/// Tells the peers where the home stands, whenever that is new.
async fn renew(handle: Handle, mut hello: Hello, root: PathBuf, blocks: Arc<VerifiedBlocks>, lines: Lines) {
    let mut told = None;
    loop {
        let (path, given) = (root.clone(), Arc::clone(&blocks));
        match spawn_blocking(move || look(&path, &given)).await {
            Ok(Ok(status)) if status != hello.status => {
                hello.status = status;
                handle.set_hello(hello.clone()).await;
            }
            Ok(Err(reason)) if told.as_ref() != Some(&reason) => {
                lines.write(Level::Warn, "unreadable", vec![("reason", json!(reason))]);
                told = Some(reason);
            }
            _ => {}
        }
        sleep(LOOK_EVERY).await;
    }
}

fn look(root: &Path, blocks: &VerifiedBlocks) -> Result<Status, String> {
    let home = Home::open(root).map_err(|error| error.to_string())?;
    standing(&home, blocks).map_err(|error| error.to_string())
}

/// Writes what happens into the log.
async fn tell(mut events: mpsc::Receiver<Event>, id: String, lines: Lines) {
    while let Some(event) = events.recv().await {
        write(&event, &id, lines);
    }
}

fn write(event: &Event, id: &str, lines: Lines) {
    let (level, name) = match event {
        Event::Listening { address } => {
            let address = format!("{address}/p2p/{id}");
            let fields = vec![("transport", json!("own")), ("id", json!(id)), ("address", json!(address))];
            return lines.write(Level::Info, "ready", fields);
        }
        Event::Alarm { peer, alarm } => {
            let side = |side: &([u8; 32], String)| json!({ "root": hex::encode(side.0), "note": side.1 });
            let fields = vec![
                ("transport", json!("own")),
                ("peer", json!(peer.map(|peer| peer.to_string()))),
                ("height", json!(alarm.height)),
                ("what", json!(alarm.to_string())),
                ("first", side(&alarm.first)),
                ("second", side(&alarm.second)),
            ];
            return lines.write(Level::Warn, "alarm", fields);
        }
        Event::Connected { .. } => (Level::Info, "connected"),
        Event::Agreed { .. } => (Level::Info, "agreed"),
        Event::Confirmed { .. } => (Level::Info, "confirmed"),
        Event::Closed { .. } => (Level::Info, "closed"),
        // A store that is still looked through is no fault.
        Event::Incompatible { reason, .. } if matches!(reason.name(), "nothing_offered" | "unfit_storage") => {
            (Level::Info, "waiting")
        }
        Event::Incompatible { .. } => (Level::Warn, "incompatible"),
        Event::Foreign { .. } => (Level::Warn, "foreign"),
        Event::Misbehaved { .. } => (Level::Warn, "misbehaved"),
        Event::Refused { .. } | Event::ConnectionsRefused { .. } => (Level::Warn, "refused"),
        Event::Unreachable { .. } => (Level::Warn, "unreachable"),
        // The library may come to say more than this program knows.
        _ => (Level::Info, "told"),
    };
    lines.write(level, name, vec![("transport", json!("own")), ("what", json!(event.to_string()))]);
}
