//! The answers, in the form of CometBFT's (`rpc/core`): numbers of 64 bits are text.

use serde_json::{Value, json};

use super::{Order, View};
use crate::chain::{Block, Commit, CommitSig};

/// Blocks that are named in one answer, as in CometBFT.
const BLOCKS_MAX: u64 = 20;

/// Longest transaction that is taken this way, in bytes; the request is twice as long.
const TX_BYTES_MAX: usize = 100_000;

/// What is said, and what is to be done.
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) order: Option<Order>,
}

/// What is said to a request; `None` to a path that there is not.
pub(super) fn answer(view: &View, path: &str, query: &str) -> Option<Answer> {
    let mut order = None;
    let result = match path {
        "/status" => Ok(status(view)),
        "/commit" => number(query, "height").and_then(|height| commit(view, height)),
        "/blockchain" => blockchain(view, query),
        "/broadcast_tx_async" => transaction(query).map(|tx| {
            order = Some(Order::Transaction(tx));
            json!({ "code": 0 })
        }),
        "/halt" => number(query, "height").map(|height| {
            order = Some(Order::HaltAt(height));
            json!({ "height": height.to_string() })
        }),
        _ => return None,
    };
    let body = match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": -1, "result": result }),
        Err(reason) => {
            json!({ "jsonrpc": "2.0", "id": -1, "error": { "code": -32603, "message": "Internal error", "data": reason } })
        }
    };
    Some(Answer { body, order })
}

fn parameter<'a>(query: &'a str, name: &str) -> Result<&'a str, String> {
    let values = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = values.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    found.ok_or_else(|| format!("the parameter {name} is missing"))
}

fn number(query: &str, name: &str) -> Result<u64, String> {
    parameter(query, name)?.parse().map_err(|error| format!("the parameter {name}: {error}"))
}

fn transaction(query: &str) -> Result<Vec<u8>, String> {
    let text = parameter(query, "tx")?.strip_prefix("0x").ok_or("a transaction is 0x and hex digits")?;
    if text.len() > 2 * TX_BYTES_MAX {
        return Err(format!("a transaction of {} bytes; at most {TX_BYTES_MAX} are taken", text.len() / 2));
    }
    hex::decode(text).map_err(|error| error.to_string())
}

fn status(view: &View) -> Value {
    let [v1, v2] = view.sent().map(|count| count.to_string());
    json!({
        "node_info": { "network": view.chain_id, "moniker": view.name },
        "sync_info": {
            "latest_block_height": view.height().to_string(),
            "catching_up": view.is_catching_up(),
        },
        "validator_info": { "address": hex::encode_upper(view.address.0) },
        "messages_sent": { "v1": v1, "v2": v2 },
    })
}

fn commit(view: &View, height: u64) -> Result<Value, String> {
    let (block, commit) = view.block(height)?;
    Ok(json!({
        "signed_header": {
            "header": header(&block),
            "commit": {
                "height": commit.height.to_string(),
                "round": commit.round,
                "block_id": block_id(&commit),
                "signatures": commit.signatures.iter().map(signature).collect::<Vec<_>>(),
            },
        },
        "canonical": height < view.height(),
    }))
}

fn blockchain(view: &View, query: &str) -> Result<Value, String> {
    let (first, last) = (number(query, "minHeight")?.max(1), number(query, "maxHeight")?.min(view.height()));
    let first = first.max(last.saturating_sub(BLOCKS_MAX - 1));
    let meta = |height| {
        let (block, commit) = view.block(height)?;
        Ok(json!({ "block_id": block_id(&commit), "header": header(&block), "num_txs": block.txs.len().to_string() }))
    };
    let metas: Result<Vec<Value>, String> = (first..=last).rev().map(meta).collect();
    Ok(json!({ "last_height": view.height().to_string(), "block_metas": metas? }))
}

fn header(block: &Block) -> Value {
    let header = &block.header;
    json!({
        "chain_id": header.chain_id,
        "height": header.height.to_string(),
        "time": header.time.to_string(),
        "validators_hash": hex::encode_upper(header.validators_hash),
        "app_hash": hex::encode_upper(header.app_hash),
        "proposer_address": hex::encode_upper(header.proposer_address.0),
    })
}

fn block_id(commit: &Commit) -> Value {
    let id = &commit.block_id;
    let parts = json!({ "total": id.part_count, "hash": hex::encode_upper(id.part_set_hash) });
    json!({ "hash": hex::encode_upper(id.hash), "parts": parts })
}

fn signature(signature: &CommitSig) -> Value {
    let (flag, signed) = match signature {
        CommitSig::Absent => (1, None),
        CommitSig::Block(address, signature) => (2, Some((address, signature))),
        CommitSig::Nil(address, signature) => (3, Some((address, signature))),
    };
    let address = signed.map_or_else(String::new, |(address, _)| hex::encode_upper(address.0));
    let time = signed.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |(_, signature)| signature.time.to_string());
    json!({ "block_id_flag": flag, "validator_address": address, "timestamp": time })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_what_is_wrong_with_them_is_said() {
        assert_eq!(number("a=1&height=7", "height"), Ok(7));
        assert_eq!(number("height=", "height").map_err(|error| error.contains("height")), Err(true));
        assert_eq!(number("weight=7", "height"), Err("the parameter height is missing".to_owned()));
        assert_eq!(transaction("tx=0x613d31"), Ok(b"a=1".to_vec()));
        assert!(transaction("tx=613d31").is_err() && transaction("tx=0x6").is_err());
        let long = format!("tx=0x{}", "00".repeat(TX_BYTES_MAX + 1));
        assert!(transaction(&long).is_err_and(|reason| reason.contains("at most 100000")));
    }
}
