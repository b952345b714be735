//! A node's RPC: plain HTTP, bounded answers, bounded time; only what a rollout looks at.
//!
//! Numbers of 64 bits are strings there and those of 32 bits numbers; both are taken everywhere, as
//! releases differ (CometBFT `rpc/core`).

use std::time::Duration;

use proofs::commit::BlockId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::rollout::observation::RpcSeen;
use crate::rollout::plan::Address;

/// Longest answer read.
const ANSWER_BYTES_MAX: u64 = 8 << 20;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Signature of a validator that was absent (`BlockIDFlagAbsent`, CometBFT `types/block.go`).
const FLAG_ABSENT: u64 = 1;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum RpcError {
    /// The node is silent.
    #[error("{url}: {source}")]
    Silent { url: String, source: Box<ureq::Error> },
    /// The answer is not of this form, or an error.
    #[error("{url}: {reason}")]
    Answer { url: String, reason: String },
}

/// A node that is asked.
#[derive(Debug)]
pub(super) struct Rpc {
    url: String,
    agent: ureq::Agent,
}

/// A height, who signed it, when it was made.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) time_ms: u64,
    pub(super) signers: Vec<Address>,
}

impl Rpc {
    /// The node at `url`, which must be `http://...`.
    pub(super) fn new(url: &str) -> Option<Self> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .proxy(None)
            .build();
        let url = url.trim_end_matches('/').to_owned();
        url.starts_with("http://").then(|| Self { url, agent: config.into() })
    }

    /// Where the node stands.
    pub(super) fn status(&self) -> Result<RpcSeen, RpcError> {
        let status: Status = self.get("/status")?;
        Ok(RpcSeen {
            height: status.sync_info.latest_block_height,
            catching_up: status.sync_info.catching_up,
            address: status.validator_info.and_then(|own| <[u8; 20]>::try_from(own.address).ok()).map(Address),
        })
    }

    /// The commit of a height, final once the node has the next one.
    pub(super) fn commit(&self, height: u64) -> Result<Commit, RpcError> {
        let answer: CommitAnswer = self.get(&format!("/commit?height={height}"))?;
        let signed = answer.signed_header;
        let time_ms = signed.header.time.parse::<jiff::Timestamp>().ok();
        let time_ms = time_ms.and_then(|time| u64::try_from(time.as_millisecond()).ok());
        let present = signed.commit.signatures.into_iter().filter(|signature| signature.block_id_flag != FLAG_ABSENT);
        let signers = present.filter_map(|signature| <[u8; 20]>::try_from(signature.validator_address).ok());
        Ok(Commit {
            time_ms: time_ms.ok_or_else(|| self.answer("a time that cannot be read"))?,
            signers: signers.map(Address).collect(),
        })
    }

    /// The block ids of the heights from `first` to `last`, at most twenty, ascending.
    pub(super) fn block_ids(&self, first: u64, last: u64) -> Result<Vec<(u64, BlockId)>, RpcError> {
        let answer: Blockchain = self.get(&format!("/blockchain?minHeight={first}&maxHeight={last}"))?;
        let mut ids = Vec::new();
        for meta in answer.block_metas {
            let RawBlockId { hash, parts } = meta.block_id;
            let (Ok(hash), Ok(part_set_hash)) = (hash.try_into(), parts.hash.try_into()) else {
                return Err(self.answer("a block id with hashes that are not 32 bytes"));
            };
            let part_count = u32::try_from(parts.total).map_err(|_| self.answer("a block of too many parts"))?;
            ids.push((meta.header.height, BlockId { hash, part_count, part_set_hash }));
        }
        ids.sort_by_key(|(height, _)| *height);
        Ok(ids)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, RpcError> {
        let fetch = || -> Result<Vec<u8>, ureq::Error> {
            let mut answer = self.agent.get(format!("{}{path}", self.url)).call()?;
            answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()
        };
        let bytes = fetch().map_err(|source| RpcError::Silent { url: self.url.clone(), source: Box::new(source) })?;
        let envelope: Envelope<T> =
            serde_json::from_slice(&bytes).map_err(|error| self.answer(&format!("{path}: {error}")))?;
        let refused = envelope.error.map_or_else(|| "no result".to_owned(), |error| error.to_string());
        envelope.result.ok_or_else(|| self.answer(&format!("{path}: {refused}")))
    }

    fn answer(&self, reason: &str) -> RpcError {
        RpcError::Answer { url: self.url.clone(), reason: reason.to_owned() }
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    result: Option<T>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Status {
    sync_info: SyncInfo,
    validator_info: Option<ValidatorInfo>,
}

#[derive(Deserialize)]
struct SyncInfo {
    #[serde(deserialize_with = "number")]
    latest_block_height: u64,
    catching_up: bool,
}

#[derive(Deserialize)]
struct ValidatorInfo {
    #[serde(deserialize_with = "hex::serde::deserialize")]
    address: Vec<u8>,
}

#[derive(Deserialize)]
struct CommitAnswer {
    signed_header: SignedHeader,
}

#[derive(Deserialize)]
struct SignedHeader {
    header: Header,
    commit: RawCommit,
}

#[derive(Deserialize)]
struct Header {
    #[serde(deserialize_with = "number")]
    height: u64,
    time: String,
}

#[derive(Deserialize)]
struct RawCommit {
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    #[serde(deserialize_with = "number")]
    block_id_flag: u64,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    validator_address: Vec<u8>,
}

#[derive(Deserialize)]
struct Blockchain {
    block_metas: Vec<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    block_id: RawBlockId,
    header: Header,
}

#[derive(Deserialize)]
struct RawBlockId {
    #[serde(deserialize_with = "hex::serde::deserialize")]
    hash: Vec<u8>,
    parts: Parts,
}

#[derive(Deserialize)]
struct Parts {
    #[serde(deserialize_with = "number")]
    total: u64,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    hash: Vec<u8>,
}

/// A number, or a string of digits.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(from)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_real_nodes_are_read() {
        let status = r#"{"jsonrpc":"2.0","id":-1,"result":{"sync_info":{"latest_block_height":"120","catching_up":false},
            "validator_info":{"address":"00112233445566778899AABBCCDDEEFF00112233","voting_power":"10"}}}"#;
        let read: Envelope<Status> = serde_json::from_str(status).expect("reads");
        assert_eq!(read.result.expect("a result").sync_info.latest_block_height, 120);
        let absent =
            r#"{"block_id_flag":1,"validator_address":"","timestamp":"0001-01-01T00:00:00Z","signature":null}"#;
        let read: Signature = serde_json::from_str(absent).expect("reads");
        assert_eq!((read.block_id_flag, read.validator_address.len()), (FLAG_ABSENT, 0));
    }

    #[test]
    fn only_plain_http_is_an_address() {
        assert!(Rpc::new("http://127.0.0.1:26657/").is_some());
        assert!(Rpc::new("https://127.0.0.1:26657").is_none());
        assert!(Rpc::new("tcp://127.0.0.1:26657").is_none());
    }

    #[test]
    fn a_node_that_is_not_there_is_silent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        drop(listener);
        let error = Rpc::new(&url).expect("an address").status().expect_err("nobody answers");
        assert!(matches!(error, RpcError::Silent { .. }), "{error}");
    }
}
