//! The chain's name and first height from `genesis.json`.
//!
//! Genesis files reach hundreds of megabytes, nearly all of it application state behind the two fields that are wanted: the file is
//! read as a stream, nothing but these fields is kept, and reading stops as soon as both are known.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserializer as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use sha2::{Digest, Sha256};

/// What identifies a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The chain's name, part of everything that validators sign.
    pub chain_id: String,
    /// The first block's height, at least 1.
    pub initial_height: u64,
}

/// Why a genesis file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct GenesisError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, with line and column where it has one.
    pub reason: String,
}

/// Reads a genesis file; `None` when there is none.
///
/// # Errors
/// When it cannot be read, is not JSON up to the wanted fields, or has no `chain_id`.
pub(super) fn read(path: &Path) -> Result<Option<Genesis>, GenesisError> {
    let fault = |reason: String| GenesisError { path: path.to_path_buf(), reason };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error.to_string())),
    };
    let mut fields = Fields::default();
    let read =
        serde_json::Deserializer::from_reader(BufReader::with_capacity(64 << 10, file)).deserialize_map(&mut fields);
    if let Err(error) = read
        && !fields.complete()
    {
        return Err(fault(error.to_string()));
    }
    let chain_id = fields.chain_id.ok_or_else(|| fault("it has no `chain_id`".to_owned()))?;
    // Nodes take a missing height and 0 for 1 (`GenesisDoc.ValidateAndComplete`).
    Ok(Some(Genesis { chain_id, initial_height: fields.initial_height.unwrap_or(1).max(1) }))
}

/// SHA-256 of a genesis file, by which nodes of this program know a chain.
///
/// # Errors
/// When it cannot be read.
pub fn genesis_hash(path: &Path) -> Result<[u8; 32], GenesisError> {
    let fault = |error: std::io::Error| GenesisError { path: path.to_path_buf(), reason: error.to_string() };
    let mut file = File::open(path).map_err(fault)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        let count = file.read(&mut buffer).map_err(fault)?;
        if count == 0 {
            return Ok(digest.finalize().into());
        }
        digest.update(&buffer[..count]);
    }
}

#[derive(Default)]
struct Fields {
    chain_id: Option<String>,
    initial_height: Option<u64>,
}

impl Fields {
    fn complete(&self) -> bool {
        self.chain_id.is_some() && self.initial_height.is_some()
    }
}

impl<'de> Visitor<'de> for &mut Fields {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a genesis document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "chain_id" => self.chain_id = Some(map.next_value()?),
                "initial_height" => self.initial_height = Some(map.next_value::<Height>()?.0),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if self.complete() {
                // Leaving a map early is an error to the parser; the caller looks at the fields first.
                return Err(A::Error::custom("enough is known"));
            }
        }
        Ok(())
    }
}

/// A height, written as a string by nodes and as a number by the Cosmos SDK from 0.50.
struct Height(u64);

impl<'de> serde::Deserialize<'de> for Height {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Spelling {
            Number(u64),
            Text(String),
        }
        match serde::Deserialize::deserialize(deserializer)? {
            Spelling::Number(height) => Ok(Self(height)),
            Spelling::Text(text) => text.parse().map(Self).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Genesis, read};

    fn parse(json: &str) -> Result<Option<Genesis>, String> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("genesis.json");
        std::fs::write(&path, json).expect("writes");
        read(&path).map_err(|error| error.reason)
    }

    fn genesis(chain_id: &str, initial_height: u64) -> Option<Genesis> {
        Some(Genesis { chain_id: chain_id.to_owned(), initial_height })
    }

    #[test]
    fn both_spellings_of_the_height_are_read() {
        assert_eq!(parse(r#"{"chain_id":"a","initial_height":"1000"}"#), Ok(genesis("a", 1000)));
        assert_eq!(parse(r#"{"app_name":"x","initial_height":7,"chain_id":"a"}"#), Ok(genesis("a", 7)));
        assert_eq!(parse(r#"{"chain_id":"a","initial_height":"0"}"#), Ok(genesis("a", 1)));
        assert_eq!(parse(r#"{"chain_id":"fx/Ω \"q\""}"#), Ok(genesis("fx/Ω \"q\"", 1)));
    }

    #[test]
    fn fields_behind_the_application_state_are_found() {
        let state = r#"{"balances":[1,2,{"a":"b"}]}"#;
        let json = format!(r#"{{"app_state":{state},"chain_id":"late","initial_height":"5"}}"#);
        assert_eq!(parse(&json), Ok(genesis("late", 5)));
    }

    #[test]
    fn nothing_behind_the_wanted_fields_is_read() {
        assert_eq!(parse(r#"{"chain_id":"a","initial_height":"2","app_state":{"torn"#), Ok(genesis("a", 2)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(parse(r#"{"initial_height":"2"}"#), Err("it has no `chain_id`".to_owned()));
        assert!(parse("{\n\"chain_id\": }").expect_err("must refuse").contains("line 2"));
        assert!(parse(r#"{"chain_id":"a","initial_height":-4}"#).is_err());
        assert!(parse("[]").is_err());
    }

    #[test]
    fn a_missing_file_is_none() {
        assert!(read(std::path::Path::new("/nonexistent/genesis.json")).expect("no fault").is_none());
    }
}
