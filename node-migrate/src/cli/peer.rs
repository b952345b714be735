//! Who is asked for blocks: a folder on this machine, or a node in the network.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
#[cfg(feature = "shim")]
use node_migrate::fetching::NetworkPeer;

/// How long a node is waited for.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Patience {
    /// How long to wait for a node that gives nothing, in seconds; its heights are asked of the others then.
    #[arg(long = "patience", value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
}

impl Patience {
    pub(crate) fn duration(self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// Who is asked for blocks.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    /// Another home, or a folder of fetched blocks.
    Folder(PathBuf),
    /// A node in the network.
    #[cfg(feature = "shim")]
    Node(NetworkPeer),
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        #[cfg(feature = "shim")]
        match text.parse::<NetworkPeer>() {
            Ok(node) => return Ok(Self::Node(node)),
            // A folder may be named like anything, but then it is there.
            Err(error) if (text.contains('@') || text.contains("/p2p/")) && !path.exists() => {
                return Err(error.to_string());
            }
            Err(_) => {}
        }
        if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(Self::Folder(path)) }
    }
}
