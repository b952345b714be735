//! Blocks from `CometBFT`'s nodes, over either of its transports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shim::blocksync::client::{Claimed, Client, Fetch, Judge, Patience, Unfit, run};
use shim::classic::multiplex::ChannelSpec;
use shim::classic::transport as classic;
use shim::lp2p::{self, Accept, Options, Release, Transport};
use shim::own::words::words;
use shim::peering::Channel;
use tokio::time::sleep;

use super::NetworkPeers;
use super::court::Court;
use super::told::Teller;
use crate::mending::{Fetched, NotTaken};

/// Bytes of messages that a transport holds; more than the longest one.
const MEMORY_BYTES_MAX: usize = 128 << 20;
/// How often nodes on libp2p are dialled that are not connected.
const DIAL_EVERY: Duration = Duration::from_secs(3);

/// Hands blocks to the court.
struct Bailiff {
    court: Court,
    protocol: &'static str,
}

impl Judge for Bailiff {
    fn judge(&self, claimed: Claimed) -> Result<(), Unfit> {
        let Claimed { height, block, extended_commit, peer } = claimed;
        let fetched = Fetched {
            height,
            block: block.to_vec(),
            commit: None,
            extended_commit: extended_commit.map(|extended| extended.to_vec()),
            provenance: format!("{} ({}) over {}", peer.address, words(&peer.agent), self.protocol),
        };
        self.court.judge(fetched).map_err(|error| match error {
            NotTaken::TooEarly { .. } => Unfit::TooEarly,
            NotTaken::Wrong(wrong) => Unfit::Wrong(wrong.to_string()),
        })
    }
}

/// Whose fetch it is.
fn client(
    network: &NetworkPeers,
    court: &Court,
    peers: usize,
    transport: &'static str,
    protocol: &'static str,
) -> (Client, Fetch) {
    let judge = Arc::new(Bailiff { court: court.clone(), protocol });
    let client = Client { transport, judge, log: Arc::new(Teller::new(court)), peers, idle_max: network.patience };
    // From the top down: what proves a block is in the one above.
    let heights: Vec<u64> = court.left().heights.iter().rev().copied().collect();
    (client, Fetch::new(heights, Patience { answer: network.patience, ..Patience::default() }))
}

/// Asks nodes on the classic transport for what is left.
pub(super) async fn ask_classic(network: &NetworkPeers, targets: Vec<classic::Target>, court: &Court) {
    if targets.is_empty() || court.is_done() {
        return;
    }
    let count = targets.len();
    let config = classic::Config {
        key: Arc::new(network.key("classic")),
        network: network.chain_id.clone(),
        version: network.agent.clone(),
        moniker: "node-migrate-fetch".to_owned(),
        listen: None,
        dial: targets,
        // With this channel alone a node sends nothing of consensus.
        channels: vec![ChannelSpec::of_a_node(Channel::BLOCKSYNC)],
        limits: classic::Limits { memory_bytes_max: MEMORY_BYTES_MAX, ..classic::Limits::default() },
    };
    let transport = match classic::start(config).await {
        Ok(transport) => transport,
        Err(error) => return court.say(format!("the classic transport cannot start: {error}")),
    };
    let (outbox, events, _keep) = transport.into_parts();
    let (client, fetch) = client(network, court, count, "classic", "the classic peer protocol");
    if let Err(error) = run(client, fetch, events, outbox).await {
        court.say(format!("the classic peer protocol: {error}"));
    }
}

/// Asks nodes on `CometBFT`'s libp2p transport for what is left.
pub(super) async fn ask_lp2p(network: &NetworkPeers, targets: Vec<lp2p::Target>, court: &Court) {
    if targets.is_empty() || court.is_done() {
        return;
    }
    let expected = Accept::Only(targets.iter().map(|target| target.peer).collect());
    let config = lp2p::Config {
        identity: network.identity("lp2p"),
        // A node cannot forget a peer that it cannot dial: so we listen.
        listen: SocketAddr::from(([0, 0, 0, 0], 0)),
        advertise: None,
        agent: network.agent.clone(),
        inbound_connections_max: 8,
        options: Options { memory_bytes_max: MEMORY_BYTES_MAX, ..Options::new(Release::V0_40, expected) },
    };
    let (transport, outbox, events) = match Transport::start(config).await {
        Ok(started) => started,
        Err(error) => return court.say(error.to_string()),
    };
    let (client, fetch) = client(network, court, targets.len(), "libp2p", "CometBFT's libp2p");
    let ended = tokio::select! {
        ended = run(client, fetch, events, outbox) => ended,
        never = keep_dialling(&transport, &targets, court) => match never {},
    };
    if let Err(error) = ended {
        court.say(format!("CometBFT's libp2p: {error}"));
    }
    transport.stop().await;
}

/// Dials for ever; a peer that is connected is left alone.
async fn keep_dialling(transport: &Transport, targets: &[lp2p::Target], court: &Court) -> std::convert::Infallible {
    let mut is_first = true;
    loop {
        for target in targets {
            if let Err(error) = transport.dial(target.clone()).await
                && is_first
            {
                court.say(format!("{target}: {error}"));
            }
        }
        is_first = false;
        sleep(DIAL_EVERY).await;
    }
}
