//! What is asked of a node, in the walk's terms: block metas in pages, validator sets, commits.
//!
//! A node may page as it likes: what is missing is asked for again, what was not asked for is refused.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use proofs::chain::Header;
use proofs::commit::{
    BlockId, CommitSignature, Flag, KeyType, PublicKey, SignatureBatch, SignaturePlace, ValidatorSet, VoteTemplate,
};

use super::answers::{Blockchain, Commit, CommitAnswer, Key, Meta, Status, Validators};
use super::fault::Fault;
use super::node::Node;

/// Block metas of a page, the most that nodes give.
pub(crate) const PAGE: u64 = 20;

/// Validators of a page, the most that nodes give.
const VALIDATORS_PAGE: u64 = 100;

/// Most validators of a set, as CometBFT limits them.
const VALIDATORS_MAX: u64 = 10_000;

impl Node {
    /// Which chain and heights the node has: name, first, last.
    pub(crate) fn status(&self) -> Result<(String, u64, u64), Fault> {
        let status: Status = self.get("/status")?;
        let (base, tip) = (status.sync_info.earliest_block_height, status.sync_info.latest_block_height);
        Ok((status.node_info.network, base, tip))
    }

    /// Header and block id of each of the `heights`, in order.
    pub(crate) fn metas(&self, heights: RangeInclusive<u64>) -> Result<Vec<(Header, BlockId)>, Fault> {
        let mut found: BTreeMap<u64, (Header, BlockId)> = BTreeMap::new();
        let (first, mut last) = heights.into_inner();
        // Nodes give the topmost heights of what is asked for.
        loop {
            let path = format!("/blockchain?minHeight={first}&maxHeight={last}");
            let page: Blockchain = self.get(&path)?;
            let place = |height| (self.url().to_owned(), path.clone(), height);
            if page.block_metas.is_empty() {
                return Err(Fault::Missing { url: self.url().to_owned(), path });
            }
            for Meta { block_id, header } in page.block_metas {
                let height = header.height;
                if !(first..=last).contains(&height) {
                    let (url, path, height) = place(height);
                    return Err(Fault::NotAsked { url, path, height });
                }
                if found.insert(height, (header, block_id)).is_some() {
                    let (url, path, height) = place(height);
                    return Err(Fault::Twice { url, path, height });
                }
            }
            match (first..=last).rev().find(|height| !found.contains_key(height)) {
                None => return Ok(found.into_values().collect()),
                Some(missing) => last = missing,
            }
        }
    }

    /// The validators of `height`, whose header names them by `hash`.
    pub(crate) fn validators(&self, height: u64, hash: &[u8]) -> Result<ValidatorSet, Fault> {
        let url = || self.url().to_owned();
        let mut keys = Vec::new();
        for page in 1.. {
            let path = format!("/validators?height={height}&page={page}&per_page={VALIDATORS_PAGE}");
            let answer: Validators = self.get(&path)?;
            let empty = answer.validators.is_empty();
            for validator in answer.validators {
                let index = keys.len();
                let key = public_key(&validator.pub_key);
                let key = key.map_err(|reason| Fault::Malformed { url: url(), path: path.clone(), reason })?;
                let key = key.map_err(|source| Fault::Key { url: url(), height, index, source })?;
                keys.push((key, validator.voting_power));
            }
            let (expected, actual) = (answer.total, keys.len() as u64);
            if actual == expected && expected <= VALIDATORS_MAX {
                break;
            }
            if empty || actual > expected || expected > VALIDATORS_MAX {
                return Err(Fault::ValidatorCount { url: url(), height, expected, actual });
            }
        }
        let set = ValidatorSet::new(keys).map_err(|source| Fault::Set { url: url(), height, source })?;
        let actual = set.hash();
        if actual != hash {
            return Err(Fault::Validators { url: url(), height, expected: hash.to_vec(), actual });
        }
        Ok(set)
    }

    /// Queues the signatures of the commit of `height`, which must be for `block`.
    pub(crate) fn commit(
        &self,
        height: u64,
        block: &BlockId,
        set: &ValidatorSet,
        template: &mut VoteTemplate,
        batch: &mut SignatureBatch<SignaturePlace>,
    ) -> Result<(), Fault> {
        let answer: CommitAnswer = self.get(&format!("/commit?height={height}"))?;
        let Commit { height: stated, round, block_id, signatures } = answer.signed_header.commit;
        let url = || self.url().to_owned();
        let mut places = Vec::with_capacity(signatures.len());
        for signature in &signatures {
            let flag = Flag::try_from(signature.block_id_flag);
            let flag = flag.map_err(|source| Fault::Flag { url: url(), height, source })?;
            let (address, time) = (signature.validator_address.as_slice(), signature.timestamp);
            places.push(CommitSignature { flag, address, time, signature: &signature.signature });
        }
        let commit = proofs::commit::Commit { height: stated, round, block: block_id, signatures: &places };
        let wrong = |source| Fault::Commit { url: url(), source };
        commit.is_for(i64::try_from(height).unwrap_or(i64::MAX), block).map_err(wrong)?;
        commit.queue(set, template, batch).map_err(wrong)?;
        Ok(())
    }
}

/// A key by its name in JSON.
fn public_key(key: &Key) -> Result<Result<PublicKey, proofs::commit::KeyError>, String> {
    let kind = match key.kind.as_str() {
        "tendermint/PubKeyEd25519" => KeyType::Ed25519,
        "tendermint/PubKeySecp256k1" => KeyType::Secp256k1,
        "cometbft/PubKeyBls12_381" => KeyType::Bls12381,
        "cometbft/PubKeySecp256k1eth" => KeyType::Secp256k1Eth,
        other => return Err(format!("key of the unknown type {other:?}")),
    };
    Ok(PublicKey::new(kind, &key.value))
}
