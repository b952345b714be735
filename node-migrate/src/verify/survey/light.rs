//! Light blocks: each proves itself, by the validators that it holds.

use ledger_formats::comet::{Decode, DecodeError, LightBlock};

use crate::verify::what::What;

/// What is expected and what is there, where the two differ.
pub(super) struct Difference {
    pub what: What,
    pub expected: String,
    pub actual: String,
}

/// Checks a light block: the height of its key, header, validators, and votes of more than two thirds of their power
/// for it. Whether these are the chain's validators is what a light client knows, not its store.
pub(super) fn difference(height: u64, value: &[u8]) -> Result<Option<Difference>, DecodeError> {
    let block = LightBlock::decode(value)?;
    Ok(checked(height, &block).err())
}

fn checked(height: u64, block: &LightBlock<'_>) -> Result<(), Difference> {
    let equal = |what, expected: String, actual: String| {
        if expected == actual { Ok(()) } else { Err(Difference { what, expected, actual }) }
    };
    let LightBlock { header, commit, validator_set } = block;
    equal(What::Height, format!("a header of height {height}"), format!("a header of height {}", header.height))?;
    let hash = header.hash().map_or_else(|| "no hash".to_owned(), hex::encode);
    equal(What::BlockHash, hash, hex::encode(commit.block_id.hash))?;
    let validators = hex::encode(header.validators_hash);
    equal(What::ValidatorsHash, validators, hex::encode(validator_set.hash()))?;
    let no_proof = |actual: String| Difference {
        what: What::CommitSignature,
        expected: "votes of more than two thirds of the power".to_owned(),
        actual,
    };
    let id = block.commit.block_id.to_proof();
    let (Some(proof), Some(id)) = (commit.to_proof(), id) else {
        return Err(no_proof("a commit for no block".to_owned()));
    };
    let signers = validator_set.to_proof().map_err(|error| no_proof(error.to_string()))?;
    let chain = String::from_utf8_lossy(header.chain_id);
    let verdict = proof.is_for(height.cast_signed(), &id).and_then(|()| proof.verify(&chain, &signers));
    verdict.map(|_| ()).map_err(|error| no_proof(error.to_string()))
}
