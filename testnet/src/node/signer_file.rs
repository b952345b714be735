//! What a validator signed last, in a file beside its databases: `data/priv_validator_state.json`.
//!
//! # Correctness
//! The file is replaced as a whole and lasts before the signature leaves. A validator does not start without it: with an empty
//! memory it could sign twice.

use std::path::{Path, PathBuf};

use ledger_formats::durable::{self, DurableError};
use serde::{Deserialize, Serialize};

use crate::chain::{Signature, Time};
use crate::consensus::{LastSigned, Step};

/// Longest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why it is not known what was signed last.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {reason}", .path.display())]
pub struct SignerFileError {
    /// The file.
    path: PathBuf,
    /// Why not.
    reason: String,
}

/// The file of one validator.
#[derive(Clone, Debug)]
pub struct SignerFile {
    path: PathBuf,
}

/// Its content: numbers of 64 bits are text, as CometBFT has them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    height: String,
    round: u32,
    step: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed: Option<Signed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    #[serde(with = "hex::serde")]
    sign_bytes: Vec<u8>,
    #[serde(with = "hex::serde")]
    signature: Vec<u8>,
    time_nanos: String,
}

const STEPS: [Step; 4] = [Step::None, Step::Propose, Step::Prevote, Step::Precommit];

impl SignerFile {
    /// That of a home.
    #[must_use]
    pub fn of(home: &Path) -> Self {
        Self { path: home.join("data/priv_validator_state.json") }
    }

    /// Makes last what was signed last.
    ///
    /// # Errors
    /// When the disk fails: then the signature must not leave.
    pub fn save(&self, last: &LastSigned) -> Result<(), DurableError> {
        let signed = |signature: Signature| Signed {
            sign_bytes: last.sign_bytes.clone(),
            signature: signature.bytes.to_vec(),
            time_nanos: signature.time.0.to_string(),
        };
        let step = STEPS.iter().position(|step| *step == last.step).unwrap_or_default();
        let content = Content {
            height: last.height.to_string(),
            round: last.round,
            step: u8::try_from(step).unwrap_or_default(),
            signed: last.signature.map(signed),
        };
        let text = serde_json::to_vec_pretty(&content).expect("numbers and text are JSON");
        durable::write_file(&self.path, &text)
    }

    /// Reads what was signed last.
    ///
    /// # Errors
    /// When the file is missing or not of this form.
    pub fn load(&self) -> Result<LastSigned, SignerFileError> {
        self.read().map_err(|reason| SignerFileError { path: self.path.clone(), reason })
    }

    fn read(&self) -> Result<LastSigned, String> {
        let words = |error: &dyn std::error::Error| error.to_string();
        let bytes = std::fs::metadata(&self.path).map_err(|error| words(&error))?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(format!("it has {bytes} bytes"));
        }
        let text = std::fs::read(&self.path).map_err(|error| words(&error))?;
        let content: Content = serde_json::from_slice(&text).map_err(|error| words(&error))?;
        let (mut sign_bytes, mut signature) = (Vec::new(), None);
        if let Some(signed) = content.signed {
            let bytes = signed.signature.try_into().map_err(|_| "a signature that is not 64 bytes".to_owned())?;
            let time = Time(signed.time_nanos.parse().map_err(|error| words(&error))?);
            (sign_bytes, signature) = (signed.sign_bytes, Some(Signature { time, bytes }));
        }
        let step = STEPS.get(usize::from(content.step)).ok_or("no such step")?;
        let height = content.height.parse().map_err(|error| words(&error))?;
        Ok(LastSigned { height, round: content.round, step: *step, sign_bytes, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_comes_back_and_a_missing_or_torn_file_is_an_error() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join("data")).expect("creates");
        let file = SignerFile::of(home.path());
        assert!(file.load().is_err(), "without a memory it could sign twice");
        let signature = Signature { time: Time(-5), bytes: [7; 64] };
        let signed = LastSigned {
            height: u64::MAX,
            round: 3,
            step: Step::Precommit,
            sign_bytes: vec![1, 2, 3],
            signature: Some(signature),
        };
        for last in [LastSigned::default(), signed] {
            file.save(&last).expect("saves");
            assert_eq!(file.load().expect("loads"), last);
        }
        let text = std::fs::read(&file.path).expect("reads");
        std::fs::write(&file.path, &text[..text.len() / 2]).expect("writes");
        assert!(file.load().is_err());
    }
}
