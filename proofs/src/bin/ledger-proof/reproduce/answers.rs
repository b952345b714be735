//! The JSON of a node's answers, and what it means (CometBFT `rpc/core`, `types` in their Amino-like JSON).
//!
//! Numbers of 64 bits are strings there and those of 32 bits numbers; both are taken everywhere, as releases
//! differ. Hashes are upper-case hex; nothing else of the JSON is used.

use proofs::chain::Header;
use proofs::commit::{BlockId, Timestamp};
use serde::{Deserialize, Deserializer};

/// An answer of JSON-RPC.
#[derive(Deserialize)]
pub(crate) struct Envelope<T> {
    pub(crate) result: Option<T>,
    pub(crate) error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
pub(crate) struct Status {
    pub(crate) node_info: NodeInfo,
    pub(crate) sync_info: SyncInfo,
}

#[derive(Deserialize)]
pub(crate) struct NodeInfo {
    pub(crate) network: String,
}

#[derive(Deserialize)]
pub(crate) struct SyncInfo {
    #[serde(deserialize_with = "number")]
    pub(crate) earliest_block_height: u64,
    #[serde(deserialize_with = "number")]
    pub(crate) latest_block_height: u64,
}

#[derive(Deserialize)]
pub(crate) struct Blockchain {
    pub(crate) block_metas: Vec<Meta>,
}

#[derive(Deserialize)]
pub(crate) struct Meta {
    #[serde(deserialize_with = "block")]
    pub(crate) block_id: BlockId,
    #[serde(deserialize_with = "header")]
    pub(crate) header: Header,
}

#[derive(Deserialize)]
pub(crate) struct Validators {
    #[serde(deserialize_with = "number")]
    pub(crate) total: u64,
    pub(crate) validators: Vec<Validator>,
}

#[derive(Deserialize)]
pub(crate) struct Validator {
    pub(crate) pub_key: Key,
    #[serde(deserialize_with = "number")]
    pub(crate) voting_power: i64,
}

#[derive(Deserialize)]
pub(crate) struct Key {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "base64")]
    pub(crate) value: Vec<u8>,
}

#[derive(Deserialize)]
pub(crate) struct CommitAnswer {
    pub(crate) signed_header: SignedHeader,
}

#[derive(Deserialize)]
pub(crate) struct SignedHeader {
    pub(crate) commit: Commit,
}

#[derive(Deserialize)]
pub(crate) struct Commit {
    #[serde(deserialize_with = "number")]
    pub(crate) height: i64,
    #[serde(deserialize_with = "number")]
    pub(crate) round: i32,
    #[serde(deserialize_with = "block")]
    pub(crate) block_id: BlockId,
    pub(crate) signatures: Vec<Signature>,
}

#[derive(Deserialize)]
pub(crate) struct Signature {
    #[serde(deserialize_with = "number")]
    pub(crate) block_id_flag: i32,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    pub(crate) validator_address: Vec<u8>,
    #[serde(deserialize_with = "time")]
    pub(crate) timestamp: Timestamp,
    #[serde(default, deserialize_with = "optional_base64")]
    pub(crate) signature: Vec<u8>,
}

#[derive(Deserialize)]
struct RawBlockId {
    #[serde(deserialize_with = "hex::serde::deserialize")]
    hash: Vec<u8>,
    parts: RawParts,
}

#[derive(Deserialize)]
struct RawParts {
    #[serde(deserialize_with = "number")]
    total: u32,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    hash: Vec<u8>,
}

#[derive(Default, Deserialize)]
struct RawVersion {
    #[serde(default, deserialize_with = "number")]
    block: u64,
    #[serde(default, deserialize_with = "number")]
    app: u64,
}

#[derive(Deserialize)]
struct RawHeader {
    version: RawVersion,
    chain_id: String,
    #[serde(deserialize_with = "number")]
    height: u64,
    #[serde(deserialize_with = "time")]
    time: Timestamp,
    last_block_id: RawBlockId,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    last_commit_hash: Vec<u8>,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    data_hash: Vec<u8>,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    validators_hash: Vec<u8>,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    next_validators_hash: Vec<u8>,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    consensus_hash: Vec<u8>,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    app_hash: Vec<u8>,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    last_results_hash: Vec<u8>,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    evidence_hash: Vec<u8>,
    #[serde(deserialize_with = "hex::serde::deserialize")]
    proposer_address: Vec<u8>,
}

impl RawBlockId {
    /// The block id; `None` for the empty one, which stands for no block.
    fn block(&self) -> Result<Option<BlockId>, &'static str> {
        if self.hash.is_empty() && self.parts.hash.is_empty() && self.parts.total == 0 {
            return Ok(None);
        }
        let hash = |bytes: &[u8]| bytes.try_into().map_err(|_| "a hash in a block id is not 32 bytes long");
        let (hash, part_set_hash) = (hash(&self.hash)?, hash(&self.parts.hash)?);
        Ok(Some(BlockId { hash, part_count: self.parts.total, part_set_hash }))
    }
}

fn block<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BlockId, D::Error> {
    let raw = RawBlockId::deserialize(deserializer)?;
    raw.block().and_then(|block| block.ok_or("a block id is empty")).map_err(serde::de::Error::custom)
}

fn header<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Header, D::Error> {
    let raw = RawHeader::deserialize(deserializer)?;
    Ok(Header {
        block_version: raw.version.block,
        app_version: raw.version.app,
        chain_id: raw.chain_id,
        height: raw.height,
        time: raw.time,
        last_block: raw.last_block_id.block().map_err(serde::de::Error::custom)?,
        last_commit_hash: raw.last_commit_hash,
        data_hash: raw.data_hash,
        validators_hash: raw.validators_hash,
        next_validators_hash: raw.next_validators_hash,
        consensus_hash: raw.consensus_hash,
        app_hash: raw.app_hash,
        last_results_hash: raw.last_results_hash,
        evidence_hash: raw.evidence_hash,
        proposer_address: raw.proposer_address,
    })
}

/// A number, as a JSON number or as a decimal string.
fn number<'de, D: Deserializer<'de>, T: TryFrom<i128>>(deserializer: D) -> Result<T, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Spelled {
        Number(i64),
        Text(String),
    }
    let value = match Spelled::deserialize(deserializer)? {
        Spelled::Number(value) => Ok(value.into()),
        Spelled::Text(text) => text.parse::<i128>(),
    };
    let value = value.map_err(serde::de::Error::custom)?;
    T::try_from(value).map_err(|_| serde::de::Error::custom(format_args!("{value} is out of range")))
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
    // Go counts nanoseconds upwards from the second before, also before 1970.
    let (seconds, nanos) = (time.as_second(), time.subsec_nanosecond());
    Ok(if nanos < 0 {
        Timestamp { seconds: seconds - 1, nanos: nanos + 1_000_000_000 }
    } else {
        Timestamp { seconds, nanos }
    })
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    proofs::decode_base64(&text).map_err(serde::de::Error::custom)
}

/// Absent signatures are null.
fn optional_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map_or(Ok(Vec::new()), |text| proofs::decode_base64(&text)).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Answers of a real node, two heights of each kind.
    fn recorded() -> [String; 3] {
        let record: serde_json::Value =
            serde_json::from_str(include_str!("../../../../tests/it/data/rpc-0.38.json")).expect("JSON");
        let (metas, set) = (&record["metas"], &record["validators"]["1"]);
        let result = |result: serde_json::Value| serde_json::json!({ "result": result }).to_string();
        [
            result(serde_json::json!({ "block_metas": [metas[0], metas[1]] })),
            result(serde_json::json!({ "signed_header": { "commit": record["commits"][1] } })),
            result(serde_json::json!({ "validators": set, "total": "4" })),
        ]
    }

    fn is_read<T: serde::de::DeserializeOwned>(text: &str) -> bool {
        serde_json::from_str::<Envelope<T>>(text).is_ok_and(|answer| answer.result.is_some())
    }

    fn read(text: &str) -> [bool; 3] {
        [is_read::<Blockchain>(text), is_read::<CommitAnswer>(text), is_read::<Validators>(text)]
    }

    #[test]
    fn answers_of_a_real_node_are_read_each_as_its_own() {
        let [metas, commit, validators] = recorded();
        assert_eq!(read(&metas), [true, false, false]);
        assert_eq!(read(&commit), [false, true, false]);
        assert_eq!(read(&validators), [false, false, true]);
    }

    #[test]
    fn numbers_and_times_outside_of_their_range_are_refused() {
        let number = |text: &str| {
            let result =
                format!(r#"{{"block_id_flag":{text},"validator_address":"","timestamp":"2026-01-01T00:00:00Z"}}"#);
            serde_json::from_str::<Signature>(&result).map(|signature| signature.block_id_flag)
        };
        assert_eq!(number("2").expect("a number"), 2);
        assert_eq!(number("\"2\"").expect("a number"), 2);
        for text in ["2147483648", "\"99999999999999999999999999999999999999999\"", "\"\"", "1.5", "null", "[]"] {
            assert!(number(text).is_err(), "{text}");
        }
        let time = |text: &str| time(serde_json::Value::from(text));
        assert_eq!(time("0001-01-01T00:00:00Z").expect("Go's zero"), Timestamp { seconds: -62_135_596_800, nanos: 0 });
        assert_eq!(time("1969-12-31T23:59:59.5Z").expect("a time"), Timestamp { seconds: -1, nanos: 500_000_000 });
        for text in ["", "2026-13-01T00:00:00Z", "99999-01-01T00:00:00Z", "yesterday"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn changed_answers_are_read_or_refused(
            which in 0..3_usize, place in any::<prop::sample::Index>(), with in r#"[-0-9eE.\[\]{}":,A-Fn ]{0,3}"#
        ) {
            let text = &recorded()[which];
            let place = place.index(text.len());
            let read = read(&format!("{}{with}{}", &text[..place], &text[place + 1..]));
            prop_assert!(!read[(which + 1) % 3] && !read[(which + 2) % 3], "never as another answer");
        }
    }
}
