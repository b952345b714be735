//! `keygen`: a new key.

use proofs::note::{Algorithm, SignerKey};

use super::cli::Keygen;
use super::failure::Failure;
use super::files;

pub(crate) fn run(arguments: &Keygen) -> Result<String, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(Failure::Randomness)?;
    let algorithm = if arguments.witness { Algorithm::Cosignature } else { Algorithm::Ed25519 };
    let key = SignerKey::from_seed(&arguments.name, algorithm, &seed)?;
    files::create_secret(&arguments.out, &format!("{}\n", key.to_secret_text()))?;
    Ok(key.verifier().to_string())
}
