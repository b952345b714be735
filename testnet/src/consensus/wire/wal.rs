//! Records of a validator's write-ahead log: what it took in at the height that is being decided.
//!
//! ```text
//! record = one field: 1 vote · 2 proposal · 3 polka certificate (as in messages)
//!   4 value {1 height, 2 round, 3 valid_round + 1, 4 proposer, 5 block_id, 6 valid} · 5 timer {1 kind, 2 round} · 6 block
//! ```
//! A block stands before the value that names it. How records are framed in a file is the host's business.

use ledger_formats::comet::wire::{Field, Reader, put_bytes, put_message, put_uint};
use mbft::ProposedValue;
use mbft_types::{PolkaCertificate, Round, Timeout, TimeoutKind, Validity};

use super::{WireError, decode, encode};
use crate::chain::{Address, BlockId};
use crate::consensus::ballot::{SignedProposal, SignedVote, number};
use crate::consensus::context::{Height, Testnet};

/// A judged block of the engine's.
pub type WalValue = ProposedValue<Testnet>;

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalRecord {
    /// A vote, own ones too.
    Vote(SignedVote),
    /// A proposal, own ones too.
    Proposal(SignedProposal),
    /// Prevotes that make a polka.
    PolkaCertificate(PolkaCertificate<Testnet>),
    /// The judgement on a block.
    Value(WalValue),
    /// A timer that fired.
    Timer(Timeout),
    /// The bytes of a block that is not decided yet.
    Block(Vec<u8>),
}

impl WalRecord {
    /// The record as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        match self {
            Self::Vote(signed) => put_message(&mut out, 1, |out| encode::vote(out, signed)),
            Self::Proposal(signed) => put_message(&mut out, 2, |out| encode::proposal(out, signed)),
            Self::PolkaCertificate(certificate) => put_message(&mut out, 3, |out| encode::polka(out, certificate)),
            Self::Value(value) => put_message(&mut out, 4, |out| put_value(out, value)),
            Self::Timer(timer) => put_message(&mut out, 5, |out| {
                put_uint(out, 1, timer_number(timer.kind));
                put_uint(out, 2, number(timer.round).into());
            }),
            Self::Block(block) => put_bytes(&mut out, 6, block),
        }
        out
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let field = reader.next()?.ok_or(WireError::Impossible { field: "an empty record" })?;
        match field.number {
            1 => decode::vote(&field).map(Self::Vote),
            2 => decode::proposal(&field).map(Self::Proposal),
            3 => decode::polka(&field).map(Self::PolkaCertificate),
            4 => value(&field).map(Self::Value),
            5 => timer(&field).map(Self::Timer),
            6 => Ok(Self::Block(field.bytes("block")?.to_vec())),
            _ => Err(WireError::Impossible { field: "the kind of a record" }),
        }
    }
}

fn put_value(out: &mut Vec<u8>, value: &WalValue) {
    put_uint(out, 1, value.height.0);
    put_uint(out, 2, number(value.round).into());
    put_uint(out, 3, value.valid_round.as_u32().map_or(0, |round| u64::from(round) + 1));
    put_bytes(out, 4, &value.proposer.0);
    put_message(out, 5, |out| value.value.borrowed().put(out));
    put_uint(out, 6, value.validity.is_valid().into());
}

fn value(field: &Field<'_>) -> Result<WalValue, WireError> {
    let mut reader = field.reader("value")?;
    let (mut height, mut round, mut valid_round, mut is_valid) = (0, Round::ZERO, Round::Nil, false);
    let (mut proposer, mut block): (Option<Address>, Option<BlockId>) = (None, None);
    while let Some(field) = reader.next()? {
        match field.number {
            1 => height = field.natural("height")?,
            2 => round = decode::round(field.i32("round")?)?,
            3 => valid_round = decode::round(field.i32("valid_round")?.saturating_sub(1))?,
            4 => proposer = Some(decode::address(field.bytes("proposer")?)?),
            5 => block = decode::block_id(&field)?,
            6 => is_valid = field.u64("valid")? == 1,
            _ => {}
        }
    }
    let (proposer, value) = proposer.zip(block).ok_or(WireError::Impossible { field: "a value" })?;
    let validity = Validity::from_bool(is_valid);
    Ok(WalValue { height: Height(height), round, valid_round, proposer, value, validity })
}

const TIMERS: [TimeoutKind; 4] =
    [TimeoutKind::Propose, TimeoutKind::Prevote, TimeoutKind::Precommit, TimeoutKind::Rebroadcast];

/// The number of a timer: its place among them, from 1; 0 for one that is never logged.
fn timer_number(kind: TimeoutKind) -> u64 {
    TIMERS.iter().position(|timer| *timer == kind).map_or(0, |place| place as u64 + 1)
}

fn timer(field: &Field<'_>) -> Result<Timeout, WireError> {
    let mut reader = field.reader("timer")?;
    let (mut kind, mut round) = (None, Round::ZERO);
    while let Some(field) = reader.next()? {
        match field.number {
            1 => {
                let number = field.u64("kind")?;
                kind = TIMERS.into_iter().find(|kind| timer_number(*kind) == number);
            }
            2 => round = decode::round(field.i32("round")?)?,
            _ => {}
        }
    }
    kind.map(|kind| Timeout::new(round, kind)).ok_or(WireError::Impossible { field: "a timer" })
}
