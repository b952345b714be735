//! Version 1: one request, one whole block. The simplest thing that another program can speak.

use bytes::Bytes;
use prost::Message;
use proto::wire::blocks1 as wire;

use crate::source::{BlockSource, OfferedBlock};

use super::{BlockHead, Check, Code, Fault, PartSet, Refusal};

/// The request for a height.
#[must_use]
pub fn request(height: u64) -> Vec<u8> {
    wire::Request { height }.encode_to_vec()
}

/// Answers a request. Reads from the source, so it may block the thread.
///
/// # Errors
/// The encoded refusal and why it is one.
pub fn answer(request: &[u8], source: &dyn BlockSource) -> Result<Vec<u8>, (Vec<u8>, Refusal)> {
    match block(request, source) {
        Ok(block) => Ok(encode(wire::response::Answer::Block(block))),
        Err(refusal) => Err((refuse(&refusal), refusal)),
    }
}

/// The response that is a refusal.
#[must_use]
pub fn refuse(refusal: &Refusal) -> Vec<u8> {
    encode(wire::response::Answer::Refusal(refusal.to_wire()))
}

fn block(request: &[u8], source: &dyn BlockSource) -> Result<wire::Block, Refusal> {
    let malformed = |_| Refusal::new(Code::BadRequest, "the request does not decode");
    let wire::Request { height } = wire::Request::decode(request).map_err(malformed)?;
    let block = source.block(height).map_err(|error| Refusal::new(Code::Source, error))?;
    let block = block.ok_or_else(|| Refusal::not_offered(height, height, source.offer()))?;
    let OfferedBlock { height, hash, block, extended_commit } = block;
    Ok(wire::Block { height, hash: hash.to_vec().into(), block, extended_commit })
}

fn encode(answer: wire::response::Answer) -> Vec<u8> {
    wire::Response { answer: Some(answer) }.encode_to_vec()
}

/// Takes the response for a height, and hands the block to `check`.
///
/// # Errors
/// [`Fault`].
pub fn take(height: u64, response: Bytes, check: &mut dyn Check) -> Result<(), Fault> {
    let response =
        wire::Response::decode(response).map_err(|_| Fault::Malformed { what: "a response that does not decode" })?;
    let wire = match response.answer {
        Some(wire::response::Answer::Block(block)) => block,
        Some(wire::response::Answer::Refusal(refusal)) => return Err(Fault::Refused(Refusal::from_wire(&refusal))),
        None => return Err(Fault::Malformed { what: "a response without an answer" }),
    };
    if wire.height != height {
        return Err(Fault::Height { expected: height, actual: wire.height });
    }
    let hash =
        wire.hash[..].try_into().map_err(|_| Fault::Malformed { what: "a block hash that is not of 32 bytes" })?;
    let block = OfferedBlock { height, hash, block: wire.block, extended_commit: wire.extended_commit };
    let head = head(&block)?;
    let rejected = |source| Fault::Rejected { height, source };
    check.head(&head).map_err(rejected)?;
    check.block(&head, block).map_err(rejected)
}

fn head(block: &OfferedBlock) -> Result<BlockHead, Fault> {
    let delivery_bytes = block.block.len() + block.extended_commit.as_ref().map_or(0, Bytes::len);
    let size = Fault::Size { height: block.height, part_count: 0, block_bytes: block.block.len(), delivery_bytes };
    PartSet::new(block.block.clone()).head(block).ok_or(size)
}
