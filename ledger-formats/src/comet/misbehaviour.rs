//! The two kinds of evidence, looked into: two votes of one validator, and a header that is not the chain's.

use proofs::commit::Timestamp;
use proofs::merkle::Hash;
use sha2::{Digest, Sha256};

use super::block_id::BlockId;
use super::commit::Commit;
use super::error::DecodeError;
use super::header::Header;
use super::light_block::LightBlock;
use super::validators::{Validator, ValidatorSet};
use super::wire::{Decode, Reader, put_varint};

/// A vote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vote<'a> {
    /// 1 for a prevote, 2 for a precommit.
    pub kind: i32,
    /// Height that is voted on.
    pub height: u64,
    /// Round.
    pub round: i32,
    /// The block; zero for nil.
    pub block_id: BlockId<'a>,
    /// When it was cast.
    pub timestamp: Timestamp,
    /// Who cast it.
    pub validator_address: &'a [u8],
    /// Place of the validator in the set.
    pub validator_index: i32,
    /// Its signature.
    pub signature: &'a [u8],
}

/// Two votes of one validator at one height and round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DuplicateVote<'a> {
    /// The vote with the smaller block id.
    pub vote_a: Vote<'a>,
    /// The other one.
    pub vote_b: Vote<'a>,
    /// Power of all validators at that height.
    pub total_voting_power: u64,
    /// Power of the validator.
    pub validator_power: u64,
    /// Time of the block at that height.
    pub timestamp: Timestamp,
}

/// A header that is not the chain's, with the signatures that were made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightClientAttack<'a> {
    /// The header.
    pub header: Header<'a>,
    /// Its signatures.
    pub commit: Commit<'a>,
    /// Its validators.
    pub validator_set: ValidatorSet<'a>,
    /// Last height at which the two chains agree.
    pub common_height: u64,
    /// Who signed the header against the rules.
    pub byzantine_validators: Vec<Validator<'a>>,
    /// Power of all validators at the common height.
    pub total_voting_power: u64,
    /// Time of the block at the common height.
    pub timestamp: Timestamp,
}

impl LightClientAttack<'_> {
    /// Hash of the evidence: SHA-256 over the first 31 bytes of the header's hash, a zero byte and the common
    /// height as zig-zag varint. The lost byte is upstream's, in every release (types/evidence.go).
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut bytes = self.header.hash().unwrap_or_default().to_vec();
        if let Some(last) = bytes.last_mut() {
            *last = 0;
        }
        put_varint(&mut bytes, self.common_height << 1);
        Sha256::digest(&bytes).into()
    }
}

impl<'a> Decode<'a> for Vote<'a> {
    const NAME: &'static str = "Vote";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut vote = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => vote.kind = field.i32("type")?,
                2 => vote.height = field.natural("height")?,
                3 => vote.round = field.i32("round")?,
                4 => vote.block_id = field.message("block_id")?,
                5 => vote.timestamp = field.message("timestamp")?,
                6 => vote.validator_address = field.bytes("validator_address")?,
                7 => vote.validator_index = field.i32("validator_index")?,
                8 => vote.signature = field.bytes("signature")?,
                _ => {}
            }
        }
        Ok(vote)
    }
}

impl<'a> Decode<'a> for DuplicateVote<'a> {
    const NAME: &'static str = "DuplicateVoteEvidence";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut evidence = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => evidence.vote_a = field.message("vote_a")?,
                2 => evidence.vote_b = field.message("vote_b")?,
                3 => evidence.total_voting_power = field.natural("total_voting_power")?,
                4 => evidence.validator_power = field.natural("validator_power")?,
                5 => evidence.timestamp = field.message("timestamp")?,
                _ => {}
            }
        }
        Ok(evidence)
    }
}

impl<'a> Decode<'a> for LightClientAttack<'a> {
    const NAME: &'static str = "LightClientAttackEvidence";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut block: Option<LightBlock<'_>> = None;
        let (mut common_height, mut total_voting_power) = (0, 0);
        let (mut byzantine_validators, mut timestamp) = (Vec::new(), Timestamp::default());
        while let Some(field) = reader.next()? {
            match field.number {
                1 => block = Some(field.message("conflicting_block")?),
                2 => common_height = field.natural("common_height")?,
                3 => byzantine_validators.push(field.each_message("byzantine_validators")?),
                4 => total_voting_power = field.natural("total_voting_power")?,
                5 => timestamp = field.message("timestamp")?,
                _ => {}
            }
        }
        let missing = || DecodeError::Missing { place: reader.place("conflicting_block") };
        let LightBlock { header, commit, validator_set } = block.ok_or_else(missing)?;
        Ok(Self { header, commit, validator_set, common_height, byzantine_validators, total_voting_power, timestamp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attack_is_hashed_with_upstreams_lost_byte() {
        let header = Header { validators_hash: &[1; 32], height: 7, ..Header::default() };
        let attack = LightClientAttack {
            header,
            commit: Commit::default(),
            validator_set: ValidatorSet::default(),
            common_height: 300,
            byzantine_validators: Vec::new(),
            total_voting_power: 10,
            timestamp: Timestamp::default(),
        };
        let hash = header.hash().expect("a header has validators");
        let expected: Hash = Sha256::digest([&hash[..31], &[0x00, 0xd8, 0x04]].concat()).into();
        assert_eq!(attack.hash(), expected);
    }

    #[test]
    fn an_attack_without_a_block_is_refused() {
        let error = LightClientAttack::decode(&[0x10, 0x01]).expect_err("no block");
        assert_eq!(error.to_string(), "LightClientAttackEvidence.conflicting_block at byte 0: expected, but absent");
    }
}
