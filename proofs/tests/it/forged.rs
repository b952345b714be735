//! A chain of the test's own, whose node lets other validators take over without the consent of the present ones:
//! every header links to the one below and every later commit holds, but nobody signed the change.

use ed25519_zebra::SigningKey;
use proofs::chain::Header;
use proofs::commit::{BlockId, PublicKey, Timestamp, ValidatorSet, VoteTemplate};
use proofs::merkle::Hash;
use serde_json::{Value, json};

use crate::program::{Said, run};
use crate::rpc::{Answer, Server, TIP};
use crate::signatures::{public_key, signing_key};

const CHAIN: &str = "fx-038";
const TIME: (&str, Timestamp) = ("2026-01-01T00:00:00Z", Timestamp { seconds: 1_767_225_600, nanos: 0 });

/// A validator set of one.
struct Owner(SigningKey);

impl Owner {
    fn set(&self) -> ValidatorSet {
        ValidatorSet::new([(public_key(&self.0), 10)]).expect("a set")
    }

    fn address(&self) -> String {
        hex::encode_upper(public_key(&self.0).address())
    }

    fn validators(&self) -> Value {
        let PublicKey::Ed25519(key) = public_key(&self.0) else { panic!("an Ed25519 key") };
        let key = json!({ "type": "tendermint/PubKeyEd25519", "value": base64(&key) });
        json!([{ "address": self.address(), "pub_key": key, "voting_power": "10", "proposer_priority": "0" }])
    }

    fn commit(&self, height: u64, block: &BlockId) -> Value {
        let mut template = VoteTemplate::new(CHAIN);
        template.set(height.cast_signed(), 0, block);
        let signature = base64(&self.0.sign(template.for_block(TIME.1)).to_bytes());
        let signature = json!({ "block_id_flag": 2, "validator_address": self.address(), "timestamp": TIME.0, "signature": signature });
        json!({ "height": height.to_string(), "round": 0, "block_id": id(block), "signatures": [signature] })
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bits = (0..3).fold(0_u32, |bits, place| bits << 8 | u32::from(group.get(place).copied().unwrap_or(0)));
        let letter = |place: usize| match place <= group.len() {
            true => char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]),
            false => '=',
        };
        (0..4).map(letter).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

fn id(block: &BlockId) -> Value {
    let parts = json!({ "total": block.part_count, "hash": hex::encode_upper(block.part_set_hash) });
    json!({ "hash": hex::encode_upper(block.hash), "parts": parts })
}

fn meta(header: &Header, block: &BlockId) -> Value {
    let hash = |bytes: &[u8]| json!(hex::encode_upper(bytes));
    let below = header.last_block.as_ref().map_or(json!({ "hash": "", "parts": { "total": 0, "hash": "" } }), id);
    json!({ "block_id": id(block), "header": {
        "version": { "block": "11" }, "chain_id": header.chain_id, "height": header.height.to_string(), "time": TIME.0,
        "last_block_id": below, "last_commit_hash": "", "data_hash": "", "consensus_hash": "", "app_hash": "",
        "validators_hash": hash(&header.validators_hash), "next_validators_hash": hash(&header.next_validators_hash),
        "last_results_hash": "", "evidence_hash": "", "proposer_address": hash(&header.proposer_address),
    } })
}

/// The chain of `owners`, each with the first height that it signs; the header below announces it.
fn chain(owners: &[(u64, &Owner)], signer: impl Fn(u64) -> usize) -> Value {
    let at = |height: u64| owners.iter().rposition(|(from, _)| *from <= height).expect("from height 1");
    let hash = |height: u64| -> Hash { owners[at(height)].1.set().hash() };
    let (mut metas, mut commits, mut below) = (Vec::new(), Vec::new(), None);
    for height in 1..=TIP {
        let header = Header {
            block_version: 11,
            chain_id: CHAIN.to_owned(),
            height,
            time: TIME.1,
            last_block: below,
            validators_hash: hash(height).to_vec(),
            next_validators_hash: hash(height + 1).to_vec(),
            proposer_address: vec![7; 20],
            ..Header::default()
        };
        let block = BlockId { hash: header.hash(), part_count: 1, part_set_hash: [3; 32] };
        metas.push(meta(&header, &block));
        commits.push(owners[signer(height)].1.commit(height, &block));
        below = Some(block);
    }
    let sets: serde_json::Map<String, Value> =
        owners.iter().map(|(from, owner)| (from.to_string(), owner.validators())).collect();
    json!({ "metas": metas, "commits": commits, "validators": sets })
}

fn reproduce(record: Value, commit_every: &str) -> Said {
    // The server says that a page of validators is one of four: this chain has one.
    let one = |path: &str, answer: &mut Value| {
        if path.starts_with("/validators") {
            answer["result"]["total"] = json!("1");
        }
        Answer::Send
    };
    let server = Server::serving(record, one);
    run(&["reproduce", "--rpc", &server.url, "--rate", "100000", "--retries", "0", "--commit-every", commit_every])
}

#[test]
fn validators_take_over_only_with_the_consent_of_the_present_ones() {
    let (present, other) = (Owner(signing_key(1)), Owner(signing_key(2)));
    let owners = [(1, &present), (11, &other)];
    for commit_every in ["1", "7", "1000"] {
        // Height 10 announces the others. Where the present one signed it, all is well.
        let said = reproduce(chain(&owners, |height| usize::from(height > 10)), commit_every);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "every {commit_every}");
        // Where the others signed it themselves, nothing that they sign afterwards counts.
        let said = reproduce(chain(&owners, |height| usize::from(height > 9)), commit_every);
        assert_eq!((said.code, said.out.as_str()), (6, ""), "every {commit_every}");
        assert!(said.err.contains("signature 0 at height 10 names address"), "{}", said.err);
    }
}
