//! One node's RPC: plain HTTP/1.1, bounded answers, a bounded rate, a bounded number of attempts.

use std::cell::Cell;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::answers::Envelope;
use super::fault::Fault;

/// Longest answer read: twenty headers, or a hundred validators, take a hundredth of it.
const ANSWER_BYTES_MAX: u64 = 8 << 20;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A node that is asked.
pub(crate) struct Node {
    url: String,
    agent: ureq::Agent,
    attempts: u32,
    /// Between the beginnings of two requests.
    pace: Duration,
    next: Cell<Instant>,
}

impl Node {
    /// The node at `url`, asked at most `rate` times a second, and `retries` times more if it does not answer.
    pub(crate) fn new(url: &str, rate: u32, retries: u32) -> Result<Self, Fault> {
        let url = url.trim_end_matches('/').to_owned();
        if !url.starts_with("http://") {
            return Err(Fault::Address { url });
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .proxy(None)
            .build();
        let pace = Duration::from_secs(1) / rate.max(1);
        Ok(Self {
            url,
            agent: config.into(),
            attempts: retries.saturating_add(1),
            pace,
            next: Cell::new(Instant::now()),
        })
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The result of a request.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        let bytes = self.fetch(path)?;
        let (url, path) = (self.url.clone(), path.to_owned());
        let envelope: Envelope<T> = serde_json::from_slice(&bytes).map_err(|error| Fault::Malformed {
            url: url.clone(),
            path: path.clone(),
            reason: error.to_string(),
        })?;
        match (envelope.result, envelope.error) {
            (Some(result), None) => Ok(result),
            (_, Some(error)) => Err(Fault::Refused { url, path, reason: error.to_string() }),
            (None, None) => Err(Fault::Malformed { url, path, reason: "neither a result nor an error".to_owned() }),
        }
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>, Fault> {
        let mut reason = String::new();
        for attempt in 0..self.attempts {
            if attempt > 0 {
                sleep(Duration::from_secs(1 << (attempt - 1).min(5)));
            }
            self.keep_pace();
            match self.attempt(path) {
                Ok(bytes) => return Ok(bytes),
                Err(ureq::Error::BodyExceedsLimit(bytes_max)) => {
                    return Err(Fault::TooLong { url: self.url.clone(), path: path.to_owned(), bytes_max });
                }
                Err(error) => reason = error.to_string(),
            }
        }
        Err(Fault::Silent { url: self.url.clone(), path: path.to_owned(), attempts: self.attempts, reason })
    }

    /// Bytes of any answer in JSON, errors of the node included; other errors of the server are tried again.
    fn attempt(&self, path: &str) -> Result<Vec<u8>, ureq::Error> {
        let mut answer = self.agent.get(format!("{}{path}", self.url)).call()?;
        let status = answer.status();
        let bytes = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        if !status.is_success() && bytes.first() != Some(&b'{') {
            return Err(ureq::Error::StatusCode(status.as_u16()));
        }
        Ok(bytes)
    }

    fn keep_pace(&self) {
        let now = Instant::now();
        let due = self.next.get();
        if due > now {
            sleep(due - now);
        }
        self.next.set(due.max(now) + self.pace);
    }
}
