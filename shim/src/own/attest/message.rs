//! Attestations and replies on the wire.

use bytes::Bytes;
use prost::Message;
use proto::wire::attest as wire;

use crate::own::words::words;

use super::Verdict;

pub use proto::wire::attest::Verdict as Code;

/// A reply to an attestation, as it came: a claim of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What the peer makes of the attestation.
    pub code: Code,
    /// The note that shows a difference, unchecked.
    pub note: Bytes,
    /// The reason in words.
    pub reason: String,
}

/// Why bytes are not an attestation or a reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} does not decode: {source}")]
pub struct MessageError {
    /// What it should be.
    pub what: &'static str,
    /// Why not.
    pub source: prost::DecodeError,
}

/// The message of an attestation.
#[must_use]
pub fn attestation(note: &str) -> Vec<u8> {
    wire::Attestation { note: Bytes::copy_from_slice(note.as_bytes()) }.encode_to_vec()
}

/// The note of an attestation, unchecked.
///
/// # Errors
/// [`MessageError`].
pub fn read_attestation(bytes: Bytes) -> Result<Bytes, MessageError> {
    let decoded = wire::Attestation::decode(bytes);
    decoded.map(|attestation| attestation.note).map_err(|source| MessageError { what: "the attestation", source })
}

impl Reply {
    /// The reply that tells a verdict.
    #[must_use]
    pub fn of(verdict: &Verdict) -> Self {
        let code = match verdict {
            Verdict::Equal => Code::Equal,
            Verdict::Different(_) => Code::Different,
            Verdict::Contradicts(_) => Code::Contradicts,
            Verdict::Pending => Code::Pending,
            Verdict::Replayed => Code::Replayed,
            Verdict::Old => Code::Old,
            Verdict::Refused { .. } => Code::Refused,
        };
        let note = verdict.alarm().map_or("", |alarm| &alarm.first.1);
        let reason = match verdict {
            Verdict::Refused { reason } => reason.clone(),
            _ => String::new(),
        };
        Self { code, note: Bytes::copy_from_slice(note.as_bytes()), reason }
    }

    /// Writes the reply.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { code, note, reason } = self;
        wire::Reply { verdict: (*code).into(), note: note.clone(), reason: reason.clone() }.encode_to_vec()
    }

    /// Reads a reply; an unknown verdict is [`Code::Unknown`], and the words are made fit for a log line.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn decode(bytes: Bytes) -> Result<Self, MessageError> {
        let wire = wire::Reply::decode(bytes).map_err(|source| MessageError { what: "the reply", source })?;
        Ok(Self { code: wire.verdict(), reason: words(&wire.reason), note: wire.note })
    }
}
