//! What the application answered to a block: `abciResponsesKey:<h>` and `lastABCIResponseKey`.
//!
//! ```text
//! up to v0.37: ABCIResponses {deliver_txs 1, end_block 2 {validator_updates 1, consensus_param_updates 2}, begin_block 3}
//! from v0.38:  ResponseFinalizeBlock {events 1, tx_results 2, validator_updates 3, consensus_param_updates 4, app_hash 5}
//! ```
//! Records from before an in-place upgrade keep their form, so that it is decided for each record, as
//! upstream does: what does not decode as the second, or has no app hash as such, is the first.
//! The last-results hash covers code, data, gas wanted and gas used of each transaction; events, logs and
//! code spaces are covered by nothing, and are not decoded here.

use proofs::merkle::{Hash, leaf_hash, root_of_hashes};

use super::error::DecodeError;
use super::params::ConsensusParams;
use super::public_key::PublicKey;
use super::wire::{Decode, Reader, put_bytes, put_int, put_uint};

/// Result of one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TxOutcome<'a> {
    /// 0 for success.
    pub code: u32,
    /// What the transaction returned.
    pub data: &'a [u8],
    /// Text for people; may differ from node to node.
    pub log: &'a [u8],
    /// Gas that the sender was willing to pay.
    pub gas_wanted: i64,
    /// Gas that was used.
    pub gas_used: i64,
}

/// Change of a validator by the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidatorUpdate<'a> {
    /// Its key.
    pub pub_key: PublicKey<'a>,
    /// Its power from now on; 0 removes it.
    pub power: u64,
}

/// The form of a record of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResultsForm {
    /// `ABCIResponses`, up to v0.37.
    Legacy,
    /// `ResponseFinalizeBlock`, from v0.38 on.
    FinalizeBlock,
}

/// The answers to one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results<'a> {
    /// The form of the record.
    pub form: ResultsForm,
    /// One result a transaction, in the order of the block.
    pub tx_results: Vec<TxOutcome<'a>>,
    /// Changes of the validators, valid two heights later.
    pub validator_updates: Vec<ValidatorUpdate<'a>>,
    /// Changes of the parameters, valid one height later.
    pub consensus_param_updates: Option<ConsensusParams<'a>>,
    /// App hash in the header of the next height; `None` in the legacy form, which does not have it.
    pub app_hash: Option<&'a [u8]>,
}

/// `lastABCIResponseKey`: the answers to the last block, for a node that stopped before it saved its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastResults<'a> {
    /// Height of the block.
    pub height: u64,
    /// The answers; `None` in a record without any.
    pub results: Option<Results<'a>>,
}

impl<'a> Results<'a> {
    /// Decodes a record of either form.
    ///
    /// # Errors
    /// What is wrong with a record that has neither form.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        match FinalizeBlock::decode(bytes) {
            Ok(FinalizeBlock(results)) if results.app_hash.is_some() => Ok(results),
            Ok(_) => Legacy::decode(bytes).map(|legacy| legacy.0),
            // Of two errors, the one in the form that all later releases write says more.
            Err(error) => Legacy::decode(bytes).map(|legacy| legacy.0).map_err(|_| error),
        }
    }

    /// The last-results hash of the header of the next height.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut leaf = Vec::with_capacity(64);
        let mut leaves: Vec<Hash> = Vec::with_capacity(self.tx_results.len());
        for result in &self.tx_results {
            leaf.clear();
            put_uint(&mut leaf, 1, result.code.into());
            put_bytes(&mut leaf, 2, result.data);
            put_int(&mut leaf, 5, result.gas_wanted);
            put_int(&mut leaf, 6, result.gas_used);
            leaves.push(leaf_hash(&leaf));
        }
        root_of_hashes(&mut leaves)
    }

    fn new(form: ResultsForm) -> Self {
        Self { form, tx_results: vec![], validator_updates: vec![], consensus_param_updates: None, app_hash: None }
    }
}

struct FinalizeBlock<'a>(Results<'a>);

impl<'a> Decode<'a> for FinalizeBlock<'a> {
    const NAME: &'static str = "ResponseFinalizeBlock";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut results = Results::new(ResultsForm::FinalizeBlock);
        while let Some(field) = reader.next()? {
            match field.number {
                1 => drop(field.each_bytes("events")?),
                2 => results.tx_results.push(field.each_message("tx_results")?),
                3 => results.validator_updates.push(field.each_message("validator_updates")?),
                4 => results.consensus_param_updates = Some(field.message("consensus_param_updates")?),
                5 => results.app_hash = Some(field.bytes("app_hash")?),
                _ => {}
            }
        }
        Ok(Self(results))
    }
}

struct Legacy<'a>(Results<'a>);

impl<'a> Decode<'a> for Legacy<'a> {
    const NAME: &'static str = "ABCIResponses";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut results = Results::new(ResultsForm::Legacy);
        while let Some(field) = reader.next()? {
            match field.number {
                1 => results.tx_results.push(field.each_message("deliver_txs")?),
                2 => {
                    let end_block: EndBlock<'_> = field.message("end_block")?;
                    results.validator_updates = end_block.validator_updates;
                    results.consensus_param_updates = end_block.consensus_param_updates;
                }
                _ => {}
            }
        }
        Ok(Self(results))
    }
}

#[derive(Default)]
struct EndBlock<'a> {
    validator_updates: Vec<ValidatorUpdate<'a>>,
    consensus_param_updates: Option<ConsensusParams<'a>>,
}

impl<'a> Decode<'a> for EndBlock<'a> {
    const NAME: &'static str = "ResponseEndBlock";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut end_block = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => end_block.validator_updates.push(field.each_message("validator_updates")?),
                2 => end_block.consensus_param_updates = Some(field.message("consensus_param_updates")?),
                _ => {}
            }
        }
        Ok(end_block)
    }
}

impl<'a> Decode<'a> for TxOutcome<'a> {
    const NAME: &'static str = "ExecTxResult";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut outcome = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => outcome.code = field.u32("code")?,
                2 => outcome.data = field.bytes("data")?,
                3 => outcome.log = field.bytes("log")?,
                5 => outcome.gas_wanted = field.i64("gas_wanted")?,
                6 => outcome.gas_used = field.i64("gas_used")?,
                _ => {}
            }
        }
        Ok(outcome)
    }
}

impl<'a> Decode<'a> for ValidatorUpdate<'a> {
    const NAME: &'static str = "ValidatorUpdate";

    /// v0.34 to v0.40: `pub_key` 1, `power` 2. v1.0: `power` 2, `pub_key_bytes` 3, `pub_key_type` 4.
    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let (mut power, mut pub_key, mut key_bytes, mut key_type) = (0, None, &[][..], None);
        while let Some(field) = reader.next()? {
            match field.number {
                1 => pub_key = Some(field.message("pub_key")?),
                2 => power = field.natural("power")?,
                3 => key_bytes = field.bytes("pub_key_bytes")?,
                4 => key_type = Some((field, field.bytes("pub_key_type")?)),
                _ => {}
            }
        }
        let pub_key = match (key_type, pub_key) {
            (Some((field, name)), _) => PublicKey::from_type(name, key_bytes, &field)?,
            (None, Some(pub_key)) => pub_key,
            (None, None) => return Err(DecodeError::Missing { place: reader.place("pub_key") }),
        };
        Ok(Self { pub_key, power })
    }
}

impl<'a> Decode<'a> for LastResults<'a> {
    const NAME: &'static str = "ABCIResponsesInfo";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut last = Self { height: 0, results: None };
        while let Some(field) = reader.next()? {
            match field.number {
                1 => last.results = Some(field.message::<Legacy<'_>>("legacy_abci_responses")?.0),
                2 => last.height = field.natural("height")?,
                3 => last.results = Some(field.message::<FinalizeBlock<'_>>("response_finalize_block")?.0),
                _ => {}
            }
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        hex::decode(hexadecimal.replace(' ', "")).expect("hex")
    }

    #[test]
    fn an_update_is_the_same_in_both_dialects() {
        let v1_0 =
            bytes("1006 1a20949abf7cc91d0ff3de389a1c2daf828442b7ea83fd01ca12e2cb15cac1fb996c 220765643235353139");
        let v0_38 = bytes("0a22 0a20949abf7cc91d0ff3de389a1c2daf828442b7ea83fd01ca12e2cb15cac1fb996c 1006");
        let update = ValidatorUpdate::decode(&v1_0).expect("decodes");
        assert_eq!(update, ValidatorUpdate::decode(&v0_38).expect("decodes"));
        assert_eq!((update.power, update.pub_key.kind.name), (6, "ed25519"));
    }

    #[test]
    fn a_record_with_an_app_hash_is_of_the_later_form_and_one_without_is_legacy() {
        let value = bytes("2a08fa04000000000000");
        let later = Results::decode(&value).expect("decodes");
        assert_eq!((later.form, later.app_hash.map(<[u8]>::len)), (ResultsForm::FinalizeBlock, Some(8)));
        // Two results, of which the second reads as an end of block too, and empty messages.
        let value = bytes("0a04 0801 2802 0a00 1200 1a00");
        let legacy = Results::decode(&value).expect("decodes");
        assert_eq!((legacy.form, legacy.tx_results.len(), legacy.app_hash), (ResultsForm::Legacy, 2, None));
        assert_eq!((legacy.tx_results[0].code, legacy.tx_results[0].gas_wanted), (1, 2));
    }

    #[test]
    fn the_hash_covers_code_data_and_gas_only() {
        let all = bytes("0801 120161 1a0178 220179 2802 3003 3a020a00 42017a");
        let covered = bytes("0801 120161 2802 3003");
        let outcome = TxOutcome::decode(&all).expect("decodes");
        let mut results = Results::new(ResultsForm::FinalizeBlock);
        results.tx_results.push(outcome);
        assert_eq!(results.hash(), leaf_hash(&covered));
        assert_eq!(outcome.log, b"x");
    }

    #[test]
    fn the_last_results_name_their_height() {
        let value = bytes("10f001 1a0a 2a08fa04000000000000");
        let last = LastResults::decode(&value).expect("decodes");
        assert_eq!(last.height, 240);
        assert_eq!(last.results.expect("results").form, ResultsForm::FinalizeBlock);
    }
}
