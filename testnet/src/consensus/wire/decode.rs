//! Reading messages.

use ledger_formats::comet;
use ledger_formats::comet::Decode;
use ledger_formats::comet::wire::{Field, Reader};
use mbft_types::{NilOrVal, PolkaCertificate, Round, RoundCertificate, RoundCertificateType, VoteType};
use proofs::commit::Timestamp;

use super::{Message, WireError};
use crate::chain::{Address, BlockId, Commit, Part, Signature, Time};
use crate::consensus::ballot::{Proposal, SignedProposal, SignedVote, Vote};
use crate::consensus::context::{Height, Testnet};

/// Rounds above this are refused: the engine's numbers have 32 bits, and it counts on from them.
const ROUND_MAX: u32 = 1 << 30;

pub(super) fn message(bytes: &[u8]) -> Result<Message, WireError> {
    let mut reader = Reader::new(bytes);
    let field = reader.next()?.ok_or(WireError::Impossible { field: "an empty message" })?;
    let message = match field.number {
        1 => Message::Vote(vote(&field)?),
        2 => Message::Proposal(proposal(&field)?),
        3 => part(&field)?,
        4 => Message::PolkaCertificate(polka(&field)?),
        5 => Message::RoundCertificate(round_certificate(&field)?),
        6 => Message::BlockRequest { height: Fields::of(&field)?.height },
        7 => block(&field)?,
        8 => Message::Transaction(field.bytes("transaction")?.to_vec()),
        _ => return Err(WireError::Impossible { field: "the kind of a message" }),
    };
    match reader.next()? {
        None => Ok(message),
        Some(_) => Err(WireError::Impossible { field: "a second message" }),
    }
}

pub(super) fn vote(field: &Field<'_>) -> Result<SignedVote, WireError> {
    let vote: comet::Vote<'_> = field.each_message("vote")?;
    let kind = match vote.kind {
        1 => VoteType::Prevote,
        2 => VoteType::Precommit,
        _ => return Err(WireError::Impossible { field: "the type of a vote" }),
    };
    let block = BlockId::from_borrowed(&vote.block_id).map_err(|_| WireError::Impossible { field: "a block id" })?;
    let signed = Vote {
        kind,
        height: Height(vote.height),
        round: round(vote.round)?,
        value: block.map_or(NilOrVal::Nil, NilOrVal::Val),
        address: address(vote.validator_address)?,
    };
    Ok(SignedVote::new(signed, signature(vote.timestamp, vote.signature)?))
}

pub(super) fn proposal(field: &Field<'_>) -> Result<SignedProposal, WireError> {
    let mut fields = field.reader("proposal")?;
    let (mut inner, mut proposer) = (None, None);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => inner = Some(field),
            2 => proposer = Some(address(field.bytes("address")?)?),
            _ => {}
        }
    }
    let (inner, address) = inner.zip(proposer).ok_or(WireError::Impossible { field: "a proposal" })?;
    let mut fields = inner.reader("proposal")?;
    let (mut height, mut number, mut pol, mut id, mut time, mut bytes) = (0, 0, 0, None, Timestamp::default(), &[][..]);
    while let Some(field) = fields.next()? {
        match field.number {
            2 => height = field.natural("height")?,
            3 => number = field.i32("round")?,
            4 => pol = field.i32("pol_round")?,
            5 => id = block_id(&field)?,
            6 => time = field.message("timestamp")?,
            7 => bytes = field.bytes("signature")?,
            _ => {}
        }
    }
    let proposal = Proposal {
        height: Height(height),
        round: round(number)?,
        value: id.ok_or(WireError::Impossible { field: "the block of a proposal" })?,
        pol_round: if pol == -1 { Round::Nil } else { round(pol)? },
        address,
    };
    Ok(SignedProposal::new(proposal, signature(time, bytes)?))
}

pub(super) fn polka(field: &Field<'_>) -> Result<PolkaCertificate<Testnet>, WireError> {
    let Fields { height, round, block, votes, .. } = Fields::of(field)?;
    let block = block.ok_or(WireError::Impossible { field: "the block of a polka" })?;
    Ok(PolkaCertificate::new(Height(height), round, block, votes))
}

fn round_certificate(field: &Field<'_>) -> Result<RoundCertificate<Testnet>, WireError> {
    let Fields { height, round, kind, votes, .. } = Fields::of(field)?;
    let kind = match kind {
        1 => RoundCertificateType::Skip,
        2 => RoundCertificateType::Precommit,
        _ => return Err(WireError::Impossible { field: "the kind of a round certificate" }),
    };
    Ok(RoundCertificate::new_from_votes(Height(height), round, kind, votes))
}

/// What certificates and requests have in common.
struct Fields {
    height: u64,
    round: Round,
    block: Option<BlockId>,
    kind: u64,
    votes: Vec<SignedVote>,
}

impl Fields {
    fn of(field: &Field<'_>) -> Result<Self, WireError> {
        let mut reader = field.reader("message")?;
        let mut own = Self { height: 0, round: Round::ZERO, block: None, kind: 0, votes: Vec::new() };
        while let Some(field) = reader.next()? {
            match field.number {
                1 => own.height = field.natural("height")?,
                2 => own.round = round(field.i32("round")?)?,
                3 if matches!(field.value, comet::wire::Value::Varint(_)) => own.kind = field.u64("kind")?,
                3 => own.block = block_id(&field)?,
                4 => own.votes.push(vote(&field)?),
                _ => {}
            }
        }
        Ok(own)
    }
}

fn part(field: &Field<'_>) -> Result<Message, WireError> {
    let mut reader = field.reader("part")?;
    let (mut height, mut number, mut block, mut part) = (0, 0, None, None);
    while let Some(field) = reader.next()? {
        match field.number {
            1 => height = field.natural("height")?,
            2 => number = field.i32("round")?,
            3 => block = block_id(&field)?,
            4 => part = Part::from_borrowed(&field.message("part")?),
            _ => {}
        }
    }
    let (block, part) = block.zip(part).ok_or(WireError::Impossible { field: "a part" })?;
    let round = round(number)?.as_u32().unwrap_or_default();
    Ok(Message::Part { height, round, block, part })
}

fn block(field: &Field<'_>) -> Result<Message, WireError> {
    let mut reader = field.reader("block")?;
    let (mut height, mut block, mut commit) = (0, Vec::new(), None);
    while let Some(field) = reader.next()? {
        match field.number {
            1 => height = field.natural("height")?,
            2 => block = field.bytes("block")?.to_vec(),
            3 => {
                let decoded = comet::Commit::decode(field.bytes("commit")?)?;
                commit = Commit::from_borrowed(&decoded).map_err(|_| WireError::Impossible { field: "a commit" })?;
            }
            _ => {}
        }
    }
    let commit = commit.ok_or(WireError::Impossible { field: "a block without commit" })?;
    Ok(Message::Block { height, block, commit })
}

pub(super) fn block_id(field: &Field<'_>) -> Result<Option<BlockId>, WireError> {
    let id: comet::BlockId<'_> = field.message("block_id")?;
    BlockId::from_borrowed(&id).map_err(|_| WireError::Impossible { field: "a block id" })
}

pub(super) fn round(number: i32) -> Result<Round, WireError> {
    let number = u32::try_from(number).ok().filter(|number| *number <= ROUND_MAX);
    number.map(Round::new).ok_or(WireError::Impossible { field: "a round" })
}

pub(super) fn address(bytes: &[u8]) -> Result<Address, WireError> {
    bytes.try_into().map(Address).map_err(|_| WireError::Impossible { field: "an address" })
}

fn signature(time: Timestamp, bytes: &[u8]) -> Result<Signature, WireError> {
    let time = Time::from_timestamp(time).ok_or(WireError::Impossible { field: "a time" })?;
    let bytes = bytes.try_into().map_err(|_| WireError::Impossible { field: "a signature" })?;
    Ok(Signature { time, bytes })
}
