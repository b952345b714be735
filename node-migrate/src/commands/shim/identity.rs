//! Who the shim is: a key in the form of a node's, made when it is first needed.
//!
//! The node's own key would not do: a peer that knows the node refuses a second one of the same id.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger_formats::durable;
use node_migrate::home::Home;
use node_migrate::workspace::Workspaces;
use shim::classic::node_key::NodeKey;
use shim::lp2p::Identity;
use zeroize::Zeroizing;

use crate::error::{AppError, Kind};

/// Name of the key made in a home, beside its workspaces, where a migration leaves it.
const OWN_KEY: &str = "shim_node_key.json";

/// The same identity on both protocols.
pub(super) struct Both {
    pub classic: Arc<NodeKey>,
    pub lp2p: Identity,
}

/// Reads the key at `path`, or that of the home, which is made if need be.
pub(super) fn of(path: Option<&Path>, home: &Home) -> Result<Both, AppError> {
    let workspaces = Workspaces::of(&home.db_dir);
    let file = path.map_or_else(|| workspaces.folder().join(OWN_KEY), PathBuf::from);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_none() => make(&workspaces, &file)?,
        Err(error) => return Err(AppError::new(Kind::System, format!("cannot read {}: {error}", file.display()))),
    };
    let fault = |error: String| AppError::new(Kind::Usage, format!("{}: {error}", file.display()));
    let classic = NodeKey::from_json(&text).map_err(|error| fault(error.to_string()))?;
    let lp2p = Identity::from_node_key(&text).map_err(|error| fault(error.to_string()))?;
    Ok(Both { classic: Arc::new(classic), lp2p })
}

fn make(workspaces: &Workspaces, file: &Path) -> Result<Zeroizing<String>, AppError> {
    let text = random_key()?;
    workspaces.create()?;
    durable::write_secret(file, text.as_bytes())?;
    Ok(text)
}

/// A new key, in the form of a `node_key.json`.
pub(super) fn random_key() -> Result<Zeroizing<String>, AppError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed)
        .map_err(|error| AppError::new(Kind::System, format!("the system gives no randomness: {error}")))?;
    Ok(NodeKey::from_seed(&seed).to_json())
}
