//! Layer 4: a few blocks in words, for people to compare with an explorer.

use ledger_formats::comet::key::{BlockKey, StateKey};
use ledger_formats::comet::{Block, BlockMeta, Commit, Decode, Part, ValidatorSet, ValidatorsInfo};
use proofs::commit::Flag;
use sha2::{Digest, Sha256};

use super::Chain;
use crate::verify::text::{count, time};

/// Blocks in a sample.
const BLOCKS: u64 = 5;

/// Bytes of a transaction that are shown.
const SHOWN_BYTES: usize = 32;

/// Some blocks, spread from base to tip.
pub(super) fn blocks(chain: &Chain<'_>) -> Vec<String> {
    let (base, tip) = (chain.stored.base, chain.stored.tip);
    if tip == 0 {
        return Vec::new();
    }
    let span = tip - base;
    let mut heights: Vec<u64> = (0..BLOCKS).map(|step| base + span / (BLOCKS - 1) * step).collect();
    heights.pop();
    heights.push(tip);
    heights.dedup();
    heights.into_iter().filter_map(|height| in_words(chain, height)).collect()
}

fn in_words(chain: &Chain<'_>, height: u64) -> Option<String> {
    let value = chain.blocks.fetch(&BlockKey::Meta { height }).row()?;
    let meta = BlockMeta::decode(&value).ok()?;
    let header = &meta.header;
    let mut text = format!(
        "height {height}: block {} of {}, proposed by {}, {}",
        hex::encode_upper(meta.block_id.hash),
        time(header.time),
        hex::encode_upper(header.proposer_address),
        count(meta.num_txs, "transaction", "transactions"),
    );
    if let Some(first) = first_transaction(chain, height, &meta) {
        text.push_str(&first);
    }
    if let Some(signers) = signers(chain, height) {
        text.push_str(&signers);
    }
    Some(text)
}

fn first_transaction(chain: &Chain<'_>, height: u64, meta: &BlockMeta<'_>) -> Option<String> {
    let mut bytes = Vec::new();
    for part in 0..meta.block_id.part_set_header.total {
        let value = chain.blocks.fetch(&BlockKey::Part { height, part }).row()?;
        bytes.extend_from_slice(Part::decode(&value).ok()?.bytes);
    }
    let block = Block::decode(&bytes).ok()?;
    let first = block.txs.first()?;
    let shown = first.get(..SHOWN_BYTES).unwrap_or(first);
    let is_text = shown.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    let content =
        if is_text { String::from_utf8_lossy(shown).into_owned() } else { format!("0x{}", hex::encode(shown)) };
    let more = if first.len() > SHOWN_BYTES { "..." } else { "" };
    Some(format!(", the first {} ({content}{more})", hex::encode_upper(Sha256::digest(first))))
}

fn signers(chain: &Chain<'_>, height: u64) -> Option<String> {
    let value = chain.blocks.fetch(&BlockKey::SeenCommit { height }).row()?;
    let commit = Commit::decode(&value).ok()?;
    let signed = |index: usize| commit.signatures.get(index).is_some_and(|signature| signature.flag == Flag::Commit);
    let signers = (0..commit.signatures.len()).filter(|index| signed(*index)).count();
    let mut text = format!(", signed by {signers} of {} validators", commit.signatures.len());
    if let Some((power, total)) = power(chain, height, signed) {
        text.push_str(&format!(" with {power} of {total} of the power"));
    }
    Some(text)
}

fn power(chain: &Chain<'_>, height: u64, signed: impl Fn(usize) -> bool) -> Option<(u64, u64)> {
    let rows = chain.state.as_ref()?;
    let value = rows.fetch(&StateKey::Validators { height }).row()?;
    let stored_at = ValidatorsInfo::decode(&value).ok()?.stored_at(height);
    let value = rows.fetch(&StateKey::Validators { height: stored_at }).row()?;
    let set: ValidatorSet<'_> = ValidatorsInfo::decode(&value).ok()?.validator_set?;
    let powers = set.validators.iter().map(|validator| validator.voting_power).enumerate();
    let signed = powers.filter(|(index, _)| signed(*index)).try_fold(0_u64, |sum, (_, power)| sum.checked_add(power));
    Some((signed?, set.total_power()?))
}
