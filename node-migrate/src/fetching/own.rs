//! Blocks from nodes of our own protocols: `blocks/2` or `blocks/1`, as the hellos agree.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use proofs::commit::BlockId;
use proto::hello::{Heights, Hello, Printable, Status, Storage, Terms, TimeRule, Version, Versions};
use proto::negotiate::{Agreement, Incompatible, Reason};
use shim::counters::Counters;
use shim::own::blocks::{BlockHead, Check, Code, Fault, Refusal, Rejection};
use shim::own::node::{Config, Download, Event, FetchError, Handle, StaticPeer, start};
use shim::own::protocol::Protocol;
use shim::source::{NoBlocks, OfferedBlock};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::court::Court;
use super::runs::next_run;
use super::{NetworkPeer, NetworkPeers};
use crate::mending::Fetched;

/// How often a peer's offer is looked at while it has nothing of what is wanted.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Heights that a peer may refuse one by one before it is given up.
const LACKING_MAX: usize = 256;

/// What came of asking a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It was asked, or cannot be reached.
    Done,
    /// It does not speak our protocols.
    Foreign,
}

impl Asked {
    pub(super) fn is_foreign(self) -> bool {
        self == Self::Foreign
    }
}

/// A peer with which blocks can be fetched.
struct Met {
    handle: Handle,
    agent: String,
    version: Version,
    // Events that nobody takes are counted by the node; with this the node knows that somebody could.
    _events: mpsc::Receiver<Event>,
}

/// What the hellos came to.
enum Greeted {
    Met(Met),
    /// Its rule of block times is another: to be greeted again with that one, as it does not matter for a proof.
    OtherTimes(TimeRule),
    Foreign,
    /// Nothing can be had of it, for a reason that was told.
    Nothing,
}

/// Asks a peer for what is left, as long as it goes on giving.
pub(super) async fn ask(network: &NetworkPeers, peer: &NetworkPeer, court: &Court) -> Asked {
    let Some(address) = peer.own().filter(|_| !court.is_done()) else { return Asked::Done };
    let mut rule = TimeRule::V0_38;
    loop {
        let before = court.left().heights.len();
        match greet(network, peer, &address, rule, court).await {
            Greeted::Foreign => return Asked::Foreign,
            Greeted::Nothing => return Asked::Done,
            Greeted::OtherTimes(theirs) if theirs == rule => return Asked::Done,
            Greeted::OtherTimes(theirs) => {
                rule = theirs;
                continue;
            }
            Greeted::Met(met) => {
                if let Err(error) = fetch(network, peer, &met, &address, court).await {
                    court.say(format!("{peer}: {error}"));
                    if matches!(error, FetchError::Fault(Fault::Rejected { .. })) {
                        return Asked::Done;
                    }
                }
            }
        }
        // One that broke off in the middle is asked again; one that gave nothing more is not.
        let left = court.left().heights.len();
        if left == 0 || left == before {
            return Asked::Done;
        }
    }
}

/// Connects and exchanges hellos.
async fn greet(
    network: &NetworkPeers,
    peer: &NetworkPeer,
    address: &StaticPeer,
    rule: TimeRule,
    court: &Court,
) -> Greeted {
    let started = hello(network, rule).and_then(|hello| {
        let config = Config {
            identity: network.identity("own").keypair().clone(),
            listen: Vec::new(),
            peers: vec![address.clone()],
            connections_max: 0,
            hello,
            source: Arc::new(NoBlocks { chain_id: network.chain_id.clone() }),
            book: None,
            relay: None,
            counters: Arc::<Counters>::default(),
        };
        start(config).map_err(|error| error.to_string())
    });
    let (handle, mut events) = match started {
        Ok(started) => started,
        Err(reason) => {
            court.say(format!("{peer}: {reason}"));
            return Greeted::Nothing;
        }
    };
    let mut why = "it has not said hello".to_owned();
    let met = timeout(network.patience, async {
        loop {
            let event = events.recv().await?;
            match outcome(&event, &handle) {
                Some(Outcome::Wait(reason)) => why = reason,
                Some(outcome) => return Some(outcome),
                None => {}
            }
        }
    });
    match met.await.ok().flatten() {
        Some(Outcome::Agreed { agent, version }) => Greeted::Met(Met { handle, agent, version, _events: events }),
        Some(Outcome::OtherTimes(rule)) => Greeted::OtherTimes(rule),
        Some(Outcome::Foreign) => Greeted::Foreign,
        Some(Outcome::Wait(reason) | Outcome::Nothing(reason)) => {
            court.say(format!("{peer}: {reason}"));
            Greeted::Nothing
        }
        None => {
            court.say(format!("{peer}: nothing within {} s: {why}", network.patience.as_secs()));
            Greeted::Nothing
        }
    }
}

/// What an event comes to.
enum Outcome {
    Agreed {
        agent: String,
        version: Version,
    },
    OtherTimes(TimeRule),
    Foreign,
    /// Nothing yet, for this reason; that may change.
    Wait(String),
    /// Nothing, for this reason.
    Nothing(String),
}

fn outcome(event: &Event, handle: &Handle) -> Option<Outcome> {
    match event {
        Event::Agreed { agreement: Agreement { disputed: Some(_), .. }, .. } => {
            let theirs = handle.peers().into_iter().find_map(|view| view.hello);
            theirs.map(|hello| Outcome::OtherTimes(hello.time_rule))
        }
        Event::Agreed { agent, agreement: Agreement { fetch: Ok(version), .. }, .. } => {
            Some(Outcome::Agreed { agent: agent.clone(), version: *version })
        }
        Event::Incompatible { reason: Incompatible::TimeRule { remote, .. }, .. } => Some(Outcome::OtherTimes(*remote)),
        Event::Incompatible { reason, .. } => Some(match reason {
            // A peer that has just begun to look through its store says so when it has.
            Incompatible::Blocks { fetch: Reason::Unfit { .. } | Reason::NothingOffered { .. }, .. } => {
                Outcome::Wait(reason.to_string())
            }
            _ => Outcome::Nothing(format!("incompatible: {reason}")),
        }),
        Event::Foreign { .. } => Some(Outcome::Foreign),
        Event::Unreachable { reason, .. } => Some(Outcome::Nothing(format!("cannot be reached: {reason}"))),
        Event::Closed { reason, .. } => Some(Outcome::Wait(format!("the connection ended: {reason}"))),
        _ => None,
    }
}

/// Fetches what is left and the peer offers, until it offers nothing of it for too long.
async fn fetch(
    network: &NetworkPeers,
    peer: &NetworkPeer,
    met: &Met,
    address: &StaticPeer,
    court: &Court,
) -> Result<(), FetchError> {
    let protocol = Protocol::of_blocks(met.version).map_or("blocks", Protocol::short);
    let provenance = format!("{peer} ({}) over {protocol}", met.agent);
    court.say(format!("{peer} ({}): connected over {protocol}", met.agent));
    let (mut since, mut lacking) = (Instant::now(), BTreeSet::new());
    while !court.is_done() && since.elapsed() < network.patience {
        let status = status(&met.handle);
        let offer = status.offer();
        let next = offer.and_then(|offer| next_run(&court.left(), offer.base()..=offer.top(), &lacking));
        let Some((first, last)) = next else {
            // One that still looks through its store may come to have more.
            if offer.is_some_and(|offer| offer.top() >= status.tip()) {
                break;
            }
            sleep(LOOK_EVERY).await;
            continue;
        };
        let Ok(heights) = Heights::new(first, last) else { break };
        let check = Clerk { court: court.clone(), provenance: provenance.clone() };
        let mut download = Download::new(heights, check);
        match download.from(&met.handle, address.id).await {
            Ok(_) => since = Instant::now(),
            Err(FetchError::Fault(Fault::Refused(refusal)))
                if is_of_height(&refusal) && lacking.len() < LACKING_MAX =>
            {
                let height = download.next_height();
                court.say(format!("{peer}: height {height} is refused: {}", refusal.reason));
                lacking.insert(height);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether a refusal is about one height, so that others may still be had.
fn is_of_height(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::NotOffered | Code::Source)
}

/// Where the peer stands now.
fn status(handle: &Handle) -> Status {
    handle.peers().into_iter().find_map(|view| view.hello).map(|hello| hello.status).unwrap_or_default()
}

/// Holds heads against the names that are known here, and hands blocks to the court.
struct Clerk {
    court: Court,
    provenance: String,
}

impl Check for Clerk {
    fn head(&mut self, head: &BlockHead) -> Result<(), Rejection> {
        let known = self.court.left().names.get(&head.height).copied();
        let BlockHead { hash, part_count, part_set_hash, .. } = *head;
        let named = BlockId { hash, part_count, part_set_hash };
        match known {
            Some(known) if known != named => {
                Err(Rejection::new(format_args!("the chain's block is {known}, this one is {named}")))
            }
            _ => Ok(()),
        }
    }

    fn block(&mut self, head: &BlockHead, block: OfferedBlock) -> Result<(), Rejection> {
        let fetched = Fetched {
            height: head.height,
            block: block.block.to_vec(),
            commit: None,
            extended_commit: block.extended_commit.map(|extended| extended.to_vec()),
            provenance: self.provenance.clone(),
        };
        self.court.judge(fetched).map_err(Rejection::new)
    }
}

/// Who we are: somebody who takes blocks and gives none.
fn hello(network: &NetworkPeers, time_rule: TimeRule) -> Result<Hello, String> {
    let printable =
        |what: &'static str| move |bytes: usize| format!("{what} of {bytes} bytes cannot be told to a peer");
    let versions = |versions: &[u32]| Versions::new(versions.iter().copied()).map_err(|error| error.to_string());
    Ok(Hello {
        chain_id: Printable::new(network.chain_id.as_str()).map_err(printable("a chain id"))?,
        genesis_hash: network.genesis_hash,
        terms: Terms::new(versions(&[])?, versions(&[1, 2])?, Version(0)),
        time_rule,
        attest_every: None,
        status: Status::new(Storage::Unknown, None, 0).map_err(|error| error.to_string())?,
        agent: Printable::new(network.agent.as_str()).map_err(printable("an agent"))?,
    })
}
