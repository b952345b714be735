//! The words of `shim`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use node_migrate::fetching::NetworkPeer;
use shim::{classic, lp2p};

use super::own::{Own, Spoken};
use super::tunnel::{Id, Tunnel};

/// What to do beside a node.
#[derive(Debug, Subcommand)]
pub(crate) enum Shim {
    /// Give the verified blocks of a home to other nodes, of either peer-to-peer protocol or our own. The home's own node may be
    /// running, and a migration under way.
    Serve(Serve),
    /// Join a classic node and a libp2p node as if they were peers, so that validators can change their transport one at a time.
    Tunnel(Tunnel),
    /// Show what a running shim tells of itself: peers, versions, outcomes.
    Status(Status),
    /// Connect with a node once and tell whether it takes us as a peer, and if not, why and what to change.
    Explain(Explain),
    /// Print the ids by which other nodes know a home's node, on either protocol.
    Id(Id),
}

/// Arguments of `shim serve`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("way").args(["classic", "lp2p", "peer", "own", "own_peer"]).multiple(true).required(true))]
pub(crate) struct Serve {
    /// The node's folder, which holds config/ and data/.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
    /// Listen here for nodes on the classic peer protocol (0.34 to 0.40, the default of every node).
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) classic: Option<SocketAddr>,
    /// Listen here (UDP) for nodes on libp2p (0.39 and 0.40 with p2p.libp2p enabled).
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) lp2p: Option<SocketAddr>,
    /// Stay connected with this node: id@host:port on the classic protocol, host:port@12D3KooW.. on libp2p (may be
    /// repeated).
    #[arg(long, value_name = "PEER")]
    pub(crate) peer: Vec<PeerTarget>,
    #[command(flatten)]
    pub(crate) own: Own,
    /// The key of the shim's identity, in the form of a node_key.json and not the node's own [default: one made in the
    /// home].
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Tell what is going on here over HTTP: /metrics for Prometheus, /status for `shim status`. There is no password: bind
    /// it where only those can reach it who may know.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) monitor: Option<SocketAddr>,
}

/// Arguments of `shim status`.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Where the shim answers: its --monitor.
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: SocketAddr,
}

/// Arguments of `shim explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The node: id@host:port on the classic protocol, host:port@12D3KooW.. on libp2p, a multiaddress that ends in
    /// /p2p/12D3KooW.. on our own protocols.
    #[arg(value_name = "PEER")]
    pub(crate) peer: NetworkPeer,
    /// A home of the chain, for the chain's id and its genesis.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: Option<PathBuf>,
    /// The chain's id.
    #[arg(long, value_name = "ID", conflicts_with = "home")]
    pub(crate) chain_id: Option<String>,
    /// What a shim of our own protocols here would speak.
    #[command(flatten)]
    pub(crate) spoken: Spoken,
}

/// A node to connect with.
#[derive(Clone, Debug)]
pub(crate) enum PeerTarget {
    /// On the classic protocol.
    Classic(classic::transport::Target),
    /// On libp2p.
    Lp2p(lp2p::Target),
}

impl PeerTarget {
    /// The node, if it is on the classic protocol.
    pub(crate) const fn classic(&self) -> Option<&classic::transport::Target> {
        match self {
            Self::Classic(target) => Some(target),
            Self::Lp2p(_) => None,
        }
    }

    /// The node, if it is on libp2p.
    pub(crate) const fn lp2p(&self) -> Option<&lp2p::Target> {
        match self {
            Self::Classic(_) => None,
            Self::Lp2p(target) => Some(target),
        }
    }
}

impl std::str::FromStr for PeerTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text.parse::<classic::transport::Target>(), text.parse::<lp2p::Target>()) {
            (Ok(target), _) => Ok(Self::Classic(target)),
            (_, Ok(target)) => Ok(Self::Lp2p(target)),
            (Err(classic), Err(lp2p)) => Err(format!("{classic}; {lp2p}")),
        }
    }
}
