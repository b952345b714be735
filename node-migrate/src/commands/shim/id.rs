//! `shim id`: by which names other nodes know a node, on either protocol.

use serde_json::json;
use shim::classic::node_key::NodeKey;
use shim::lp2p::{Identity, Target};
use zeroize::Zeroizing;

use crate::cli::tunnel::Id;
use crate::commands::Surroundings;
use crate::error::{AppError, Kind};

/// Where a node's settings say that its key is, unless they were changed.
const NODE_KEY: &str = "config/node_key.json";

/// Prints the ids that follow from the node's key, which stays where it is.
pub(super) fn run(words: &Id, world: &Surroundings) -> Result<(), AppError> {
    let file = words.home.join(NODE_KEY);
    let text = std::fs::read_to_string(&file).map(Zeroizing::new);
    let text = text.map_err(|error| AppError::new(Kind::Home, format!("cannot read {}: {error}", file.display())))?;
    let fault = |error: shim::classic::node_key::NodeKeyError| {
        AppError::new(Kind::Home, format!("{}: {error}", file.display()))
    };
    let classic = NodeKey::from_json(&text).map_err(fault)?.id().to_string();
    let peer = Identity::from_node_key(&text).map_err(fault)?.peer_id();
    let entry = Target { host: "HOST".to_owned(), port: 26_656, peer }.bootstrap_peer();
    let value = json!({ "classic": classic, "lp2p": peer.to_string(), "bootstrap_peer": entry });
    world.output.result(&value, || {
        format!("classic  {classic}@HOST:26656\nlibp2p   HOST:26656@{peer}\nbootstrap_peers entry for other libp2p nodes:\n  {entry}\n")
    });
    Ok(())
}
