//! `shim explain`: whether a node would take us as a peer, and if not, why and what to change.
//!
//! It makes the connection that `serve` would make, once, and closes it. Nothing is asked of the node beyond the
//! handshake.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use node_migrate::fetching::NetworkPeer;
use serde_json::json;
use shim::classic::node_key::NodeKey;
use shim::classic::transport as classic;
use shim::lp2p::{self, Accept, Identity, Options, Release, Transport};
use shim::peering::{Event, Peer};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::explain_own;
use super::identity::random_key;
use super::transports::{AGENT, channels};
use super::words::runtime;
use crate::cli::shim::Explain;
use crate::commands::Surroundings;
use crate::error::{AppError, Kind};

/// Longer than any handshake that ends well.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How it went.
enum Verdict {
    Taken(Peer),
    Refused(String),
}

/// Connects and tells how it went; a node that refuses is an error.
pub(super) fn run(words: &Explain, world: &Surroundings) -> Result<(), AppError> {
    let key = random_key()?;
    let (transport, verdict) = match &words.peer {
        NetworkPeer::Classic(target) => {
            let chain_id = chain_id(words, world)?;
            ("classic", runtime()?.block_on(over_classic(target.clone(), chain_id, &key))?)
        }
        NetworkPeer::Libp2p(target) => ("lp2p", runtime()?.block_on(over_lp2p(target.clone(), &key))?),
        NetworkPeer::Own(target) => return explain_own::run(words, target, world),
    };
    match verdict {
        Verdict::Taken(peer) => {
            taken(&peer, transport, world);
            Ok(())
        }
        Verdict::Refused(reason) => Err(AppError::new(Kind::Peer, format!("{}: {reason}", words.peer))
            .hint("docs/shim.md says which settings of a node let a shim in")),
    }
}

pub(super) fn silent() -> String {
    format!("nothing was heard within {} s: is the port reachable?", PATIENCE.as_secs())
}

fn chain_id(words: &Explain, world: &Surroundings) -> Result<String, AppError> {
    if let Some(chain_id) = &words.chain_id {
        return Ok(chain_id.clone());
    }
    match &words.home {
        Some(home) => Ok(super::serve::chain_id(&world.home(home)?)?.to_owned()),
        None => Err(AppError::new(Kind::Usage, "a classic node asks for the chain: give --home or --chain-id")),
    }
}

async fn over_classic(target: classic::Target, network: String, key: &str) -> Result<Verdict, AppError> {
    let key = NodeKey::from_json(key).map_err(|error| AppError::new(Kind::System, error.to_string()))?;
    let config = classic::Config {
        key: Arc::new(key),
        network,
        version: AGENT.to_owned(),
        moniker: "node-migrate-explain".to_owned(),
        listen: None,
        dial: vec![target],
        channels: channels(),
        limits: classic::Limits::default(),
    };
    let transport = classic::start(config).await.map_err(|error| AppError::new(Kind::System, error.to_string()))?;
    let (_outbox, events, _keep) = transport.into_parts();
    Ok(first(events).await)
}

async fn over_lp2p(target: lp2p::Target, key: &str) -> Result<Verdict, AppError> {
    let system = |error: String| AppError::new(Kind::System, error);
    let config = lp2p::Config {
        identity: Identity::from_node_key(key).map_err(|error| system(error.to_string()))?,
        listen: SocketAddr::from(([0, 0, 0, 0], 0)),
        advertise: None,
        agent: AGENT.to_owned(),
        inbound_connections_max: 1,
        options: Options::new(Release::V0_40, Accept::Only(vec![target.peer])),
    };
    let (transport, _outbox, events) = Transport::start(config).await.map_err(|error| system(error.to_string()))?;
    if let Err(error) = transport.dial(target).await {
        return Ok(Verdict::Refused(error.to_string()));
    }
    Ok(first(events).await)
}

/// What the first event says.
async fn first(mut events: mpsc::Receiver<Event>) -> Verdict {
    let verdict = async {
        loop {
            match events.recv().await {
                Some(Event::Connected { peer, .. }) => return Verdict::Taken(peer),
                Some(Event::Refused { reason, .. } | Event::Closed { reason, .. }) => return Verdict::Refused(reason),
                Some(Event::Message { .. }) => {}
                None => return Verdict::Refused("the transport has ended".to_owned()),
            }
        }
    };
    timeout(PATIENCE, verdict).await.unwrap_or_else(|_| Verdict::Refused(silent()))
}

fn taken(peer: &Peer, transport: &str, world: &Surroundings) {
    let channels: Vec<String> = peer.channels.iter().map(ToString::to_string).collect();
    let value = json!({
        "transport": transport, "taken": true, "id": &*peer.id, "address": &*peer.address, "agent": &*peer.agent, "channels": channels,
    });
    world.output.result(&value, || {
        format!(
            "It takes us as a peer.\ntransport  {transport}\nid         {}\naddress    {}\nagent      {}\nchannels   {}\n",
            peer.id,
            peer.address,
            peer.agent,
            channels.join(" ")
        )
    });
}
