//! Asks the nodes of a network over their RPC.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

/// Longest answer read.
const ANSWER_BYTES_MAX: u64 = 8 << 20;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RpcError {
    /// The node is silent.
    #[error("{url}: {source}")]
    Silent {
        /// What was asked.
        url: String,
        /// Why not.
        source: Box<ureq::Error>,
    },
    /// The answer is an error, or not of this form.
    #[error("{url}: {reason}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong.
        reason: String,
    },
}

/// A node's RPC.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    agent: ureq::Agent,
}

/// A height as its header and commit say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeightSeen {
    /// The block's hash, in hex.
    pub hash: String,
    /// The block's time.
    pub millis: u64,
    /// Hash of the validators, in hex.
    pub validators_hash: String,
    /// The round in which it was decided.
    pub round: u64,
    /// Addresses of the validators that signed, in hex.
    pub signers: Vec<String>,
    /// How many did not.
    pub missed: usize,
}

impl Client {
    /// The RPC at an address of this machine.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .proxy(None)
            .build();
        Self { address, agent: config.into() }
    }

    /// Its last height.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn height(&self) -> Result<u64, RpcError> {
        let path = "/status";
        self.number(path, &self.get(path)?["sync_info"]["latest_block_height"])
    }

    /// Messages that it sent in each wire version since its start.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn sent(&self) -> Result<[u64; 2], RpcError> {
        let path = "/status";
        let sent = &self.get(path)?["messages_sent"];
        Ok([self.number(path, &sent["v1"])?, self.number(path, &sent["v2"])?])
    }

    /// A height; its commit is final once the node has the next one.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn at(&self, height: u64) -> Result<HeightSeen, RpcError> {
        let path = format!("/commit?height={height}");
        let signed = &self.get(&path)?["signed_header"];
        let (header, commit) = (&signed["header"], &signed["commit"]);
        let missing = |what: &str| self.wrong(&path, format!("no {what}"));
        let text = |value: &Value, what: &str| value.as_str().map(str::to_owned).ok_or_else(|| missing(what));
        let time = text(&header["time"], "time")?.parse::<jiff::Timestamp>();
        let time = time.map_err(|error| self.wrong(&path, error.to_string()))?;
        let signatures = commit["signatures"].as_array().ok_or_else(|| missing("signatures"))?;
        let is_there = |signature: &&Value| signature["block_id_flag"] != 1;
        let signers =
            signatures.iter().filter(is_there).map(|signature| text(&signature["validator_address"], "signer"));
        let signers = signers.collect::<Result<Vec<String>, RpcError>>()?;
        Ok(HeightSeen {
            hash: text(&commit["block_id"]["hash"], "block id")?,
            millis: u64::try_from(time.as_millisecond()).unwrap_or_default(),
            validators_hash: text(&header["validators_hash"], "validators hash")?,
            round: commit["round"].as_u64().ok_or_else(|| missing("round"))?,
            missed: signatures.len() - signers.len(),
            signers,
        })
    }

    /// Gives it a transaction.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn send(&self, transaction: &[u8]) -> Result<(), RpcError> {
        self.get(&format!("/broadcast_tx_async?tx=0x{}", hex::encode(transaction))).map(|_| ())
    }

    /// Has it do nothing but serve blocks from a height on.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn halt_at(&self, height: u64) -> Result<(), RpcError> {
        self.get(&format!("/halt?height={height}")).map(|_| ())
    }

    fn get(&self, path: &str) -> Result<Value, RpcError> {
        let url = format!("http://{}{path}", self.address);
        let fetch = || -> Result<Vec<u8>, ureq::Error> {
            let mut answer = self.agent.get(&url).call()?;
            answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()
        };
        let bytes = fetch().map_err(|source| RpcError::Silent { url: url.clone(), source: source.into() })?;
        let mut answer: Value = serde_json::from_slice(&bytes).map_err(|error| self.wrong(path, error.to_string()))?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(self.wrong(path, answer["error"]["data"].to_string())),
        }
    }

    fn number(&self, path: &str, value: &Value) -> Result<u64, RpcError> {
        let number = value.as_str().and_then(|text| text.parse().ok());
        number.ok_or_else(|| self.wrong(path, format!("{value} is no number")))
    }

    fn wrong(&self, path: &str, reason: String) -> RpcError {
        RpcError::Answer { url: format!("http://{}{path}", self.address), reason }
    }
}
