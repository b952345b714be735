//! What a chain begins with: its name, validators and parameters, as `genesis.json` says them.

use ledger_formats::comet::wire::{put_bytes, put_int, put_message};
use ledger_formats::comet::{BlockParams, ConsensusParams};
use proofs::merkle::Hash;
use serde_json::{Value, json};

use super::dialect::{Dialect, KEY_TYPE};
use super::keys::PublicKey;
use super::state::Rules;
use super::time::Time;

/// The beginning of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Name of the chain.
    pub chain_id: String,
    /// Height of the first block, at least 1.
    pub initial_height: u64,
    /// Time of the first block.
    pub time: Time,
    /// The validators and their power.
    pub validators: Vec<(PublicKey, u64)>,
    /// How blocks are judged.
    pub rules: Rules,
}

/// Consensus parameters: those with which every testnet begins, and which never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params;

impl Params {
    /// Bytes of a block at most.
    pub const BLOCK_BYTES_MAX: i64 = 22_020_096;
    const AGE_BLOCKS: i64 = 100_000;
    const AGE_SECONDS: i64 = 172_800;
    const EVIDENCE_BYTES: i64 = 1_048_576;

    /// The consensus hash.
    #[must_use]
    pub fn hash() -> Hash {
        let block = BlockParams { max_bytes: Self::BLOCK_BYTES_MAX, max_gas: -1 };
        ConsensusParams { block: Some(block), ..ConsensusParams::default() }.hash()
    }

    /// Appends the fields of `ConsensusParams`. Features of v1.0 are off; its clock bounds, which only one of them uses, are 0.
    pub fn put(dialect: Dialect, out: &mut Vec<u8>) {
        put_message(out, 1, |out| {
            put_int(out, 1, Self::BLOCK_BYTES_MAX);
            put_int(out, 2, -1);
        });
        put_message(out, 2, |out| {
            put_int(out, 1, Self::AGE_BLOCKS);
            put_message(out, 2, |out| put_int(out, 1, Self::AGE_SECONDS));
            put_int(out, 3, Self::EVIDENCE_BYTES);
        });
        put_message(out, 3, |out| put_bytes(out, 1, KEY_TYPE));
        put_message(out, 4, |_| ());
        let (last, parts): (_, &[u32]) = match dialect {
            Dialect::V0_38 => (5, &[]),
            Dialect::V1_0 => (6, &[1, 2]),
        };
        put_message(out, last, |out| parts.iter().for_each(|part| put_message(out, *part, |_| ())));
        if dialect == Dialect::V1_0 {
            put_message(out, 7, |out| parts.iter().for_each(|part| put_message(out, *part, |_| ())));
        }
    }

    fn json(dialect: Dialect) -> Value {
        let text = |number: i64| number.to_string();
        let mut params = json!({
            "block": { "max_bytes": text(Self::BLOCK_BYTES_MAX), "max_gas": "-1" },
            "evidence": {
                "max_age_num_blocks": text(Self::AGE_BLOCKS),
                "max_age_duration": text(Self::AGE_SECONDS * 1_000_000_000),
                "max_bytes": text(Self::EVIDENCE_BYTES),
            },
            "validator": { "pub_key_types": ["ed25519"] },
            "version": { "app": "0" },
        });
        let (part, heights) = match dialect {
            Dialect::V0_38 => ("abci", json!({ "vote_extensions_enable_height": "0" })),
            Dialect::V1_0 => ("feature", json!({ "vote_extensions_enable_height": "0", "pbts_enable_height": "0" })),
        };
        params[part] = heights;
        params
    }
}

impl Genesis {
    /// The text of `genesis.json`, as CometBFT writes and reads it.
    #[must_use]
    pub fn to_json(&self, dialect: Dialect) -> String {
        let validator = |(place, (key, power)): (usize, &(PublicKey, u64))| {
            json!({
                "address": hex::encode_upper(key.address().0),
                "pub_key": { "type": "tendermint/PubKeyEd25519", "value": base64(&key.0) },
                "power": power.to_string(),
                "name": format!("validator-{place}"),
            })
        };
        let document = json!({
            "genesis_time": self.time.to_string(),
            "chain_id": self.chain_id,
            "initial_height": self.initial_height.to_string(),
            "consensus_params": Params::json(dialect),
            "validators": self.validators.iter().enumerate().map(validator).collect::<Vec<_>>(),
            "app_hash": "",
        });
        format!("{document:#}")
    }
}

/// Standard base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for sextet in 0..4_usize {
            let index = (bits >> (18 - 6 * sextet) & 63) as usize;
            text.push(if sextet <= chunk.len() { ALPHABET[index].into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use ledger_formats::comet::Decode;

    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_parameters_are_the_default_ones_of_cometbft() {
        let bytes = |dialect| {
            let mut bytes = Vec::new();
            Params::put(dialect, &mut bytes);
            bytes
        };
        // As v0.38 stores them; the hash is that of every release before v0.40.
        let expected = "0a10 088080c00a 10ffffffffffffffffff01 120e 08a08d06 12040880c60a 18808040 1a090a0765643235353139 2200 2a00";
        assert_eq!(hex::encode(bytes(Dialect::V0_38)), expected.replace(' ', ""));
        let hash = "048091bc7ddc283f77bfbf91d73c44da58c3df8a9cbc867405d8b7f3daada22f";
        assert_eq!(hex::encode(Params::hash()), hash);
        for dialect in [Dialect::V0_38, Dialect::V1_0] {
            assert_eq!(ConsensusParams::decode(&bytes(dialect)).expect("decodes").hash(), Params::hash());
        }
        assert!(hex::encode(bytes(Dialect::V1_0)).ends_with("220032040a0012003a040a001200"));
    }
}
