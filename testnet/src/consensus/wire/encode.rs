//! Writing messages.

use ledger_formats::comet::put_timestamp;
use ledger_formats::comet::wire::{put_bytes, put_int, put_message, put_uint, put_varint};
use mbft_types::{PolkaCertificate, RoundCertificate, RoundCertificateType, VoteType};

use super::Message;
use crate::chain::BlockId;
use crate::consensus::ballot::{SignedProposal, SignedVote, number};
use crate::consensus::context::Testnet;

pub(super) fn message(message: &Message, out: &mut Vec<u8>) {
    match message {
        Message::Vote(signed) => put_message(out, 1, |out| vote(out, signed)),
        Message::Proposal(signed) => put_message(out, 2, |out| proposal(out, signed)),
        Message::Part { height, round, block, part } => put_message(out, 3, |out| {
            put_uint(out, 1, *height);
            put_uint(out, 2, (*round).into());
            put_message(out, 3, |out| block.borrowed().put(out));
            put_message(out, 4, |out| part.put(out));
        }),
        Message::PolkaCertificate(certificate) => put_message(out, 4, |out| polka(out, certificate)),
        Message::RoundCertificate(certificate) => put_message(out, 5, |out| round(out, certificate)),
        Message::BlockRequest { height } => put_message(out, 6, |out| put_uint(out, 1, *height)),
        Message::Block { height, block, commit } => put_message(out, 7, |out| {
            put_uint(out, 1, *height);
            put_bytes(out, 2, block);
            put_bytes(out, 3, &commit.encode());
        }),
        Message::Transaction(tx) => {
            // Written even when empty, as it tells what the message is.
            put_varint(out, 8 << 3 | 2);
            put_varint(out, tx.len() as u64);
            out.extend_from_slice(tx);
        }
    }
}

/// `Vote` of CometBFT; the place of the validator is left out.
pub(super) fn vote(out: &mut Vec<u8>, signed: &SignedVote) {
    let (vote, signature) = (&signed.message, &signed.signature);
    put_uint(out, 1, if vote.kind == VoteType::Prevote { 1 } else { 2 });
    put_uint(out, 2, vote.height.0);
    put_uint(out, 3, number(vote.round).into());
    put_message(out, 4, |out| vote.block().map(BlockId::borrowed).unwrap_or_default().put(out));
    put_message(out, 5, |out| put_timestamp(out, signature.time.timestamp()));
    put_bytes(out, 6, &vote.address.0);
    put_bytes(out, 8, &signature.bytes);
}

/// `Proposal` of CometBFT, and who proposes.
pub(super) fn proposal(out: &mut Vec<u8>, signed: &SignedProposal) {
    let (proposal, signature) = (&signed.message, &signed.signature);
    put_message(out, 1, |out| {
        put_uint(out, 1, 32);
        put_uint(out, 2, proposal.height.0);
        put_uint(out, 3, number(proposal.round).into());
        put_int(out, 4, proposal.pol_round.as_i64());
        put_message(out, 5, |out| proposal.value.borrowed().put(out));
        put_message(out, 6, |out| put_timestamp(out, signature.time.timestamp()));
        put_bytes(out, 7, &signature.bytes);
    });
    put_bytes(out, 2, &proposal.address.0);
}

pub(super) fn polka(out: &mut Vec<u8>, certificate: &PolkaCertificate<Testnet>) {
    put_uint(out, 1, certificate.height.0);
    put_uint(out, 2, number(certificate.round).into());
    put_message(out, 3, |out| certificate.value_id.borrowed().put(out));
    certificate.votes(&Testnet).for_each(|signed| put_message(out, 4, |out| vote(out, &signed)));
}

fn round(out: &mut Vec<u8>, certificate: &RoundCertificate<Testnet>) {
    put_uint(out, 1, certificate.height.0);
    put_uint(out, 2, number(certificate.round).into());
    put_uint(out, 3, if certificate.cert_type == RoundCertificateType::Skip { 1 } else { 2 });
    certificate.votes(&Testnet).for_each(|signed| put_message(out, 4, |out| vote(out, &signed)));
}
