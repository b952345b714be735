//! `shim explain` for a node of our own protocols: the hellos are exchanged once, as `serve` would, and what they come to is told.

use std::sync::Arc;
use std::time::Duration;

use node_migrate::home::Home;
use proto::hello::Hello;
use proto::negotiate::{Agreement, Incompatible, Party, spoken};
use serde_json::json;
use shim::counters::Counters;
use shim::lp2p::Identity;
use shim::own::node::{Config, Event, Handle, PeerView, StaticPeer, start};
use shim::source::NoBlocks;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::board::of_own_peer;
use super::explain::{PATIENCE, silent};
use super::own::hello;
use super::serve::chain_id;
use super::words::runtime;
use super::{identity, status};
use crate::cli::shim::Explain;
use crate::commands::Surroundings;
use crate::error::{AppError, Kind};

/// So that the peer hears of the end of the connection: it would keep one of its places for it otherwise.
const FAREWELL: Duration = Duration::from_millis(300);

/// Connects and tells what the hellos came to; a node with which nothing can be done is an error.
pub(super) fn run(words: &Explain, target: &StaticPeer, world: &Surroundings) -> Result<(), AppError> {
    let home = words.home.as_deref().ok_or_else(|| {
        AppError::new(Kind::Usage, "a node of our own protocols asks for the chain and its genesis: give --home")
    })?;
    let home = world.home(home)?;
    let ours = hello(&home, &words.spoken, None)?;
    let config = config(&home, target, &ours)?;
    let agreed = runtime()?.block_on(met(config)).and_then(|view| agreed(view, &ours));
    let mut value =
        of_own_peer(&agreed.map_err(|reason| AppError::new(Kind::Peer, format!("{}: {reason}", words.peer)))?);
    value["taken"] = json!(true);
    world.output.result(&value, || format!("It agrees with us.\n{}", status::text(&value)));
    Ok(())
}

fn config(home: &Home, target: &StaticPeer, ours: &Hello) -> Result<Config, AppError> {
    let identity = Identity::from_node_key(&identity::random_key()?);
    let identity = identity.map_err(|error| AppError::new(Kind::System, error.to_string()))?;
    Ok(Config {
        identity: identity.keypair().clone(),
        listen: Vec::new(),
        peers: vec![target.clone()],
        connections_max: 0,
        hello: ours.clone(),
        source: Arc::new(NoBlocks { chain_id: chain_id(home)?.to_owned() }),
        book: None,
        relay: None,
        counters: Arc::<Counters>::default(),
    })
}

/// Meets the peer and takes leave.
async fn met(config: Config) -> Result<PeerView, String> {
    let (handle, mut events) = start(config).map_err(|error| error.to_string())?;
    let met = timeout(PATIENCE, heard(&handle, &mut events)).await;
    drop(handle);
    sleep(FAREWELL).await;
    met.unwrap_or_else(|_| Err(silent()))
}

/// The peer, once it has said hello; or why it did not.
async fn heard(handle: &Handle, events: &mut mpsc::Receiver<Event>) -> Result<PeerView, String> {
    while let Some(event) = events.recv().await {
        match event {
            Event::Agreed { .. } | Event::Incompatible { .. } => {
                // Without one it has gone meanwhile, which is the next event.
                if let Some(view) = handle.peers().into_iter().find(|view| view.outcome.is_some()) {
                    return Ok(view);
                }
            }
            Event::Unreachable { reason, .. } => return Err(format!("cannot be reached: {reason}")),
            Event::Closed { reason, .. } => return Err(format!("connection over: {reason}")),
            Event::Foreign { .. } | Event::Misbehaved { .. } | Event::Refused { .. } => return Err(event.to_string()),
            _ => {}
        }
    }
    Err("our own node has ended".to_owned())
}

/// What the two could do for each other if this side had its blocks to offer, which only `serve` knows; or why nothing.
fn agreed(mut view: PeerView, ours: &Hello) -> Result<PeerView, String> {
    let (Some(theirs), Some(outcome)) = (&view.hello, view.outcome.take()) else { return Err(silent()) };
    let both = [Party::Remote, Party::Local].map(|speaker| spoken(speaker, ours, theirs));
    let (fetch, serve) = match outcome {
        Ok(Agreement { fetch, serve, .. }) => (fetch, serve),
        Err(Incompatible::Blocks { fetch, serve, .. }) if both != [None, None] => (Err(fetch), Err(serve)),
        Err(reason) => return Err(reason.to_string()),
    };
    let disputed = ours.time_rule.disputed(theirs.time_rule);
    let serve = both[1].map_or(serve, Ok);
    view.outcome = Some(Ok(Agreement { fetch, serve, disputed, attest_every: theirs.attest_every }));
    Ok(view)
}
