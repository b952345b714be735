//! The words of `shim tunnel`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use shim::{classic, lp2p, tunnel};

/// Arguments of `shim tunnel`.
#[derive(Debug, Args)]
pub(crate) struct Tunnel {
    /// The node on the classic protocol: id@host:port, or host:port@id.
    #[arg(long, value_name = "NODE", value_parser = a_classic_node)]
    pub(crate) classic: classic::transport::Target,
    /// What it runs, for example v0.38.26. You say it because the nodes' own words do not tell all releases apart.
    #[arg(long, value_name = "RELEASE")]
    pub(crate) classic_release: tunnel::Release,
    /// The node on libp2p: host:port@12D3KooW..; `shim id` prints the id of a home.
    #[arg(long, value_name = "NODE")]
    pub(crate) lp2p: lp2p::Target,
    /// What it runs, for example v0.39.4.
    #[arg(long, value_name = "RELEASE")]
    pub(crate) lp2p_release: tunnel::Release,
    /// The chain id, which the classic node asks for.
    #[arg(long, value_name = "ID")]
    pub(crate) chain_id: String,
    /// Listen here (UDP); the libp2p node must be able to reach it.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:0")]
    pub(crate) listen: SocketAddr,
    /// The address at which the libp2p node reaches --listen, where that is another one.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) advertise: Option<SocketAddr>,
    /// The tunnel's key on the classic protocol, in the form of a node_key.json and not a node's own [default: a new one
    /// at every start].
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Tell what is going on here over HTTP: /metrics for Prometheus, /status for `shim status`. There is no password: bind
    /// it where only those can reach it who may know.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) monitor: Option<SocketAddr>,
    /// Seconds between lines that tell what went through; 0 for none.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) status_every: u64,
}

/// Arguments of `shim id`.
#[derive(Debug, Args)]
pub(crate) struct Id {
    /// The node's folder, which holds config/ and data/.
    #[arg(long, value_name = "HOME")]
    pub(crate) home: PathBuf,
}

/// `id@host:port` as nodes have it, or the other way round, as libp2p nodes are written.
fn a_classic_node(text: &str) -> Result<classic::transport::Target, classic::transport::NotATarget> {
    text.parse().or_else(|error| match text.rsplit_once('@') {
        Some((address, id)) => format!("{id}@{address}").parse().map_err(|_| error),
        None => Err(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classic_node_reads_both_ways_round() {
        let id = "9c2e7c7163686b5d05fc84a8f2697bb6cc9d1d63";
        let there = a_classic_node(&format!("{id}@host:1")).expect("as nodes write it");
        assert_eq!(a_classic_node(&format!("host:1@{id}")).expect("as libp2p nodes are written"), there);
        assert!(a_classic_node("host:1").is_err());
    }
}
