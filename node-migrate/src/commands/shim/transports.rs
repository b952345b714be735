//! The transports that the words of the command ask for, each with the block service on it.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use shim::blocksync::service::{Service, run as give};
use shim::classic::multiplex::{ChannelSpec, Receive};
use shim::classic::transport as classic;
use shim::lp2p::{self, Accept, Options, Release, Transport};
use shim::peering::Channel;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::identity::Both;
use super::words::Lines;
use crate::cli::shim::{PeerTarget, Serve};
use crate::error::{AppError, Kind};
use crate::output::Level;

/// What nodes ask, and say of themselves, is short; a longer message is none that the block service understands.
const QUESTION_BYTES_MAX: usize = 64 * 1024;
/// Connections that others may open, on each transport.
const INBOUND_MAX: u16 = 40;
/// How often nodes on libp2p are dialled that are not connected.
const DIAL_EVERY: Duration = Duration::from_secs(10);
/// What we say that we are.
pub(super) const AGENT: &str = concat!("node-migrate-", env!("CARGO_PKG_VERSION"));

/// Starts the classic transport, if it is asked for.
pub(super) async fn classic(
    words: &Serve,
    identity: &Both,
    service: Service,
    lines: Lines,
    tasks: &mut JoinSet<()>,
) -> Result<(), AppError> {
    let dial: Vec<_> = words.peer.iter().filter_map(PeerTarget::classic).cloned().collect();
    if words.classic.is_none() && dial.is_empty() {
        return Ok(());
    }
    let limits = classic::Limits { inbound_max: INBOUND_MAX.into(), ..classic::Limits::default() };
    let config = classic::Config {
        key: identity.classic.clone(),
        network: service.source.chain_id().to_owned(),
        version: AGENT.to_owned(),
        moniker: "node-migrate-shim".to_owned(),
        listen: words.classic,
        dial,
        channels: channels(),
        limits,
    };
    let transport = classic::start(config).await.map_err(|error| {
        let address = words.classic.map(|address| address.to_string()).unwrap_or_default();
        AppError::new(Kind::System, format!("cannot listen at {address}: {error}"))
    })?;
    let id = transport.id;
    ready(lines, service.transport, &id.to_string(), transport.listening.map(|address| format!("{id}@{address}")));
    let (outbox, events, keep) = transport.into_parts();
    tasks.spawn(async move {
        give(service, events, outbox).await;
        drop(keep);
    });
    Ok(())
}

/// Starts the libp2p transport, if it is asked for.
pub(super) async fn lp2p(
    words: &Serve,
    identity: Both,
    service: Service,
    lines: Lines,
    tasks: &mut JoinSet<()>,
) -> Result<(), AppError> {
    let dial: Vec<_> = words.peer.iter().filter_map(PeerTarget::lp2p).cloned().collect();
    if words.lp2p.is_none() && dial.is_empty() {
        return Ok(());
    }
    let config = lp2p::Config {
        identity: identity.lp2p,
        // A node cannot forget a peer that it cannot dial: so we always listen.
        listen: words.lp2p.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0))),
        advertise: None,
        agent: AGENT.to_owned(),
        inbound_connections_max: INBOUND_MAX.into(),
        options: Options::new(Release::V0_40, Accept::Anyone),
    };
    let (transport, outbox, events) =
        Transport::start(config).await.map_err(|error| AppError::new(Kind::System, error.to_string()))?;
    let listeners: Vec<_> = transport.listeners().iter().map(ToString::to_string).collect();
    ready(lines, service.transport, &transport.peer_id().to_string(), Some(listeners.join(",")));
    tasks.spawn(async move {
        tokio::select! {
            () = give(service, events, outbox) => {}
            () = keep_dialling(&transport, &dial, lines) => {}
        }
    });
    Ok(())
}

/// Dials for ever; a peer that is connected is left alone.
async fn keep_dialling(transport: &Transport, targets: &[lp2p::Target], lines: Lines) {
    loop {
        for target in targets {
            if let Err(error) = transport.dial(target.clone()).await {
                let fields = vec![("address", json!(target.to_string())), ("reason", json!(error.to_string()))];
                lines.write(Level::Warn, "refused", fields);
            }
        }
        sleep(DIAL_EVERY).await;
    }
}

/// The channels of the block service and of catching up.
pub(super) fn channels() -> Vec<ChannelSpec> {
    let questions = [Channel::BLOCKSYNC, Channel::STATE]
        .map(|channel| ChannelSpec::of_a_node(channel).receiving(Receive::UpTo(QUESTION_BYTES_MAX)));
    let swallowed = [Channel::DATA, Channel::VOTE, Channel::VOTE_SET_BITS]
        .map(|channel| ChannelSpec::of_a_node(channel).receiving(Receive::Discard));
    questions.into_iter().chain(swallowed).collect()
}

fn ready(lines: Lines, transport: &'static str, id: &str, address: Option<String>) {
    let address = address.map_or(Value::Null, Value::from);
    let fields = vec![("transport", json!(transport)), ("id", json!(id)), ("address", address)];
    lines.write(Level::Info, "ready", fields);
}
