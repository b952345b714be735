//! Which key signs, and which checkpoint is meant.

use std::path::Path;

use ledger_formats::durable;
use node_migrate::checkpoint::{Blocks, ChainError, Signer};
use node_migrate::home::Home;
use proofs::checkpoint::{Checkpoint, LedgerOrigin};
use proofs::note::{Algorithm, Note, SignerKey};

use crate::cli::checkpoint as cli;
use crate::error::{AppError, Kind};

/// The key that signs, made now if that is wished, or if none was named and there is none yet.
pub(super) fn signer(words: &cli::Create, home: &Home, blocks: &Blocks<'_>) -> Result<Signer, AppError> {
    let path = words.key.clone().unwrap_or_else(|| Signer::own_key(home));
    let make = match &words.new_key {
        Some(_) if path.exists() => {
            return Err(AppError::new(Kind::Usage, format!("{} is there already", path.display()))
                .hint("leave out --new-key to sign with it"));
        }
        Some(prefix) => Some(prefix.clone()),
        None => (words.key.is_none() && !path.exists()).then_some(None),
    };
    if let Some(prefix) = make {
        self::make(&path, prefix, home, blocks)?;
    }
    Ok(Signer::open(&path)?)
}

/// Makes a key for the tree over `blocks`, named `prefix` or after the chain of the home.
pub(super) fn make(path: &Path, prefix: Option<String>, home: &Home, blocks: &Blocks<'_>) -> Result<(), AppError> {
    let chain = home.genesis.as_ref().map(|genesis| genesis.chain_id.clone());
    let prefix = prefix.or(chain).ok_or_else(|| {
        AppError::new(Kind::Usage, "this home has no genesis file that would name the chain")
            .hint("give the tree a name with --new-key NAME, such as example.org/chain")
    })?;
    make_key(path, &LedgerOrigin::new(&prefix, blocks.base()).map_err(ChainError::from)?)
}

fn make_key(path: &Path, origin: &LedgerOrigin) -> Result<(), AppError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| AppError::new(Kind::System, format!("no randomness for a key: {error}")))?;
    let key = SignerKey::from_seed(&origin.to_string(), Algorithm::Ed25519, &seed)
        .map_err(|error| AppError::new(Kind::Usage, error.to_string()))?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        durable::create_dir_all(parent)?;
    }
    Ok(durable::write_secret(path, format!("{}\n", key.to_secret_text()).as_bytes())?)
}

/// The checkpoint that is meant. Its signature is the business of those who get the proof.
pub(super) fn which(words: &cli::Which, home: &Home) -> Result<(Note, Checkpoint), AppError> {
    if let Some(path) = &words.checkpoint {
        return read(path);
    }
    let path = words.key.clone().unwrap_or_else(|| Signer::own_key(home));
    let none = || {
        AppError::new(Kind::State, format!("no checkpoint was signed with {} yet", path.display()))
            .hint("sign one with `checkpoint create`, or name one with --checkpoint FILE")
    };
    if words.key.is_none() && !path.exists() {
        return Err(none());
    }
    Signer::last_of(&path)?.ok_or_else(none)
}

pub(super) fn read(path: &Path) -> Result<(Note, Checkpoint), AppError> {
    let bytes = std::fs::read(path)
        .map_err(|error| AppError::new(Kind::System, format!("cannot read {}: {error}", path.display())))?;
    let fault = |error: String| AppError::new(Kind::Usage, format!("{} is not a checkpoint: {error}", path.display()));
    let note = Note::parse(&bytes).map_err(|error| fault(error.to_string()))?;
    let checkpoint = Checkpoint::parse_text(note.unverified_text()).map_err(|error| fault(error.to_string()))?;
    Ok((note, checkpoint))
}
