//! Bad input to a conversion: each kind is named by database, height and key before anything is written, and never dropped.

use ledger_formats::comet::class::Database;
use ledger_formats::comet::convert::{Conversion, ConvertedStore, Fate, Survey, survey};
use ledger_formats::comet::dialect::Target;
use ledger_formats::comet::key::{BlockKey, Layout};
use ledger_formats::comet::{BlockMeta, Decode};
use ledger_formats::digest::summarise;
use ledger_formats::engine::memory::MemoryStore;
use ledger_formats::store::KeyRange;

use super::comet_home::{Home, Rows, homes};

const TO_V2: Conversion = Conversion { from: Layout::V1, to: Layout::V2, dialect: None };
const TO_V1: Conversion = Conversion { from: Layout::V2, to: Layout::V1, dialect: None };
const TO_038: Conversion = Conversion { from: Layout::V1, to: Layout::V1, dialect: Some(Target::V0_38) };
const TO_040: Conversion = Conversion { dialect: Some(Target::V0_40), ..TO_038 };
const TO_10: Conversion = Conversion { dialect: Some(Target::V1_0), ..TO_038 };

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal.replace(' ', "")).expect("hex")
}

/// The home that is changed: of v1.0, in the layout that is converted.
fn home_of(conversion: Conversion) -> &'static Home {
    let name = if conversion.from == Layout::V1 { "cometbft-1.0-v1-goleveldb" } else { "cometbft-1.0-v2-goleveldb" };
    homes().iter().find(|home| home.name == name).expect("the home")
}

fn surveyed(rows: &Rows, database: Database, conversion: Conversion) -> Survey {
    let source = MemoryStore::new(rows.iter().map(|(key, value)| (key.clone(), value.clone())));
    let found = survey(&source, database, conversion).expect("surveys");
    assert_eq!(found.refused.len() as u64, found.refused_total);
    found
}

/// What a survey refuses when a row is put in or changed.
fn refused_with(database: Database, key: &[u8], value: &[u8], conversion: Conversion) -> Vec<String> {
    let mut rows = home_of(conversion).rows(database).clone();
    rows.insert(key.to_vec(), value.to_vec());
    let found = surveyed(&rows, database, conversion);
    // What the survey refuses, the copy does not carry over either.
    let source = MemoryStore::new(rows);
    let wrapped = ConvertedStore::new(Box::new(source), database, conversion);
    let scanned = wrapped.and_then(|target| summarise(&target, &KeyRange::all()));
    assert_eq!(scanned.is_err(), !found.refused.is_empty(), "{scanned:?} {:?}", found.refused);
    found.refused.iter().map(ToString::to_string).collect()
}

/// The one refusal of such a row says this.
fn assert_refused(database: Database, key: &[u8], value: &[u8], conversion: Conversion, says: &[&str]) {
    let refused = refused_with(database, key, value, conversion);
    let [line] = refused.as_slice() else { panic!("{}: {refused:?}", key.escape_ascii()) };
    for words in says {
        assert!(line.contains(words), "{words:?} not in {line}");
    }
}

#[test]
fn keys_that_cannot_be_placed_are_refused_by_name() {
    let nearly = "its key begins like those of a known kind, but is none of them";
    let evidence = |height: &str, hash: &str| format!("\u{1}{height}/{hash}").into_bytes();
    let hash = "CAFE".repeat(16);
    for (database, key, conversion, says) in [
        (Database::BlockStore, b"H:01".to_vec(), TO_V2, nearly),
        (Database::BlockStore, b"H:99999999999999999999".to_vec(), TO_V2, nearly),
        (Database::BlockStore, b"H:-1".to_vec(), TO_V2, nearly),
        (Database::BlockStore, b"H:7777777".to_vec(), TO_V2, "its height is far above the last height of the store"),
        (Database::BlockStore, b"BH:00ff".to_vec(), TO_V2, nearly),
        (Database::BlockStore, [b"BH:".as_slice(), &[b'A'; 64]].concat(), TO_V2, nearly),
        (Database::BlockStore, b"P:7".to_vec(), TO_V2, nearly),
        (Database::BlockStore, b"P:7:00".to_vec(), TO_V2, nearly),
        (Database::BlockStore, vec![0x80, 0x81], TO_V2, "another layout"),
        (Database::BlockStore, vec![0x80, 0x81], TO_038, "another layout"),
        (Database::BlockStore, b"SC:7".to_vec(), TO_V1, "another layout"),
        (Database::BlockStore, vec![0x80], TO_V1, nearly),
        (Database::BlockStore, vec![0x80, 0x81, 0x81], TO_V1, nearly),
        (Database::BlockStore, vec![0x85, 0xca, 0xfe, 0x00, 0x01], TO_V1, nearly),
        (Database::State, b"validatorsKey:007".to_vec(), TO_V2, nearly),
        (Database::State, b"abciResponsesKey:".to_vec(), TO_V2, nearly),
        (Database::State, b"validatorsKey:7000000".to_vec(), TO_V2, "its height is far above"),
        (Database::Evidence, evidence("000000000000004D", &hash[2..]), TO_V2, nearly),
        (Database::Evidence, evidence("000000000000004D", &hash.to_lowercase()), TO_V2, nearly),
        (Database::Evidence, evidence("4D", &hash), TO_V2, nearly),
    ] {
        assert_refused(database, &key, b"", conversion, &[says, database.name()]);
    }
}

#[test]
fn keys_of_which_nothing_is_known_go_along_and_are_counted_as_such() {
    for key in [&b"J:1"[..], b"zebra", &[0xff, 0x01], &[0x8a]] {
        let mut rows = home_of(TO_V2).rows(Database::BlockStore).clone();
        rows.insert(key.to_vec(), b"value".to_vec());
        let found = surveyed(&rows, Database::BlockStore, TO_V2);
        let unknown = found.classes.iter().find(|count| count.fate == Fate::Unknown).expect("counted");
        assert_eq!((unknown.keys, found.refused_total), (Some(1), 0), "{key:?}");
        assert!(refused_with(Database::BlockStore, key, b"value", TO_V2).is_empty(), "{key:?}");
    }
}

#[test]
fn values_with_trailing_bytes_are_refused_with_their_height() {
    let home = home_of(TO_038);
    for (key, place) in [
        ("validatorsKey:78", "height 78, key validatorsKey:78"),
        ("consensusParamsKey:78", "height 78, key consensusParamsKey:78"),
        ("abciResponsesKey:78", "height 78, key abciResponsesKey:78"),
        ("stateKey", "key stateKey"),
    ] {
        let mut value = home.rows(Database::State)[key.as_bytes()].clone();
        // No field has number 0.
        value.push(0);
        let at = format!("at byte {}", value.len() - 1);
        let mut rows = home.rows(Database::State).clone();
        rows.insert(key.as_bytes().to_vec(), value);
        let refused: Vec<String> =
            surveyed(&rows, Database::State, TO_038).refused.iter().map(ToString::to_string).collect();
        let [line] = refused.as_slice() else { panic!("{key}: {refused:?}") };
        assert!(line.starts_with(&format!("state, {place}: ")) && line.contains(&at), "{line}");
    }
}

#[test]
fn keys_of_validators_that_the_target_does_not_know_are_refused_with_their_height() {
    let with = |kind: &str, length: usize, inner: &str| {
        let validator = [bytes(&format!("1805 2a{length:02x}")), vec![7; length], message(6, kind.as_bytes())].concat();
        [message(1, &message(1, &validator)), bytes(inner)].concat()
    };
    for (value, says) in [
        (with("bls12_381", 96, "1001"), "bls12_381"),
        (with("sr25519", 32, "1001"), "sr25519"),
        (with("ed25519", 31, "1001"), "32"),
        (message(1, &message(1, &bytes("1805"))), "pub_key"),
        (bytes("0a0408051006"), "a length and bytes expected"),
        (bytes("0a7f"), "127 bytes expected"),
    ] {
        assert_refused(Database::State, b"validatorsKey:78", &value, TO_038, &["state, height 78,", says]);
    }
    // An update of a validator, in the results of a block.
    let update =
        [message(3, &[bytes("1006 1a20"), vec![7; 32], message(4, b"sr25519")].concat()), bytes("2a0101")].concat();
    assert_refused(Database::State, b"abciResponsesKey:79", &update, TO_038, &["state, height 79,", "sr25519"]);
}

#[test]
fn proposer_based_time_is_refused_wherever_it_is_scheduled() {
    let time = "proposer-based timestamps from height 100 on";
    let params = bytes("0a0c 0a0408051006 3a04 12020864 1001");
    assert_refused(Database::State, b"consensusParamsKey:77", &params, TO_038, &["state, height 77,", time]);
    let update = bytes("2206 3a04 12020864 2a0101");
    assert_refused(Database::State, b"abciResponsesKey:77", &update, TO_040, &["state, height 77,", time]);
    let mut state = home_of(TO_038).tip().to_vec();
    let before = bytes("3a040a001200");
    let at = state.windows(before.len()).position(|window| window == before).expect("parameters with features");
    // The message of the parameters grows by two bytes, and so does its length.
    let length = state[..at].iter().rposition(|byte| *byte == 0x52).expect("the parameters") + 1;
    state[length] += 2;
    state.splice(at..at + before.len(), bytes("3a060a0012020864"));
    assert_refused(Database::State, b"stateKey", &state, TO_040, &["state, key stateKey", time]);
}

#[test]
fn sparse_records_whose_base_is_missing_are_named_and_stay() {
    let home = home_of(TO_038);
    let mut rows = home.rows(Database::State).clone();
    let whole = surveyed(&rows, Database::State, TO_038);
    // Nodes leave no such records, pruned ones neither.
    for home in homes() {
        let conversion = Conversion { from: home.layout, ..TO_038 };
        assert_eq!(surveyed(home.rows(Database::State), Database::State, conversion).remarks, Vec::<String>::new());
    }
    for key in [&b"validatorsKey:1"[..], b"consensusParamsKey:1"] {
        rows.remove(key).expect("was there");
    }
    let found = surveyed(&rows, Database::State, TO_038);
    assert_eq!(found.refused, []);
    let first_change = home.oracle["validator_change_heights"][0].as_u64().expect("a height");
    let expected = format!(
        "{} records of validators, heights 2 to {}, stand on that of height 1, which is not there",
        first_change - 2,
        first_change - 1
    );
    assert!(found.remarks[0].starts_with(&expected), "{expected}: {:?}", found.remarks);
    assert!(found.remarks[1].contains("records of parameters, heights 2 to"), "{:?}", found.remarks);
    assert_eq!(found.rows_after, whole.rows_after.map(|rows| rows - 2));
    // A base that is itself sparse is none.
    rows.insert(b"validatorsKey:1".to_vec(), bytes("1001"));
    assert!(surveyed(&rows, Database::State, TO_038).remarks[0].contains("stand on that of height 1"));
}

/// A length-delimited field.
fn message(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).expect("seven bits"));
    [out, content.to_vec()].concat()
}

/// Evidence of an attack on light clients with one validator, whose key is encoded so.
fn attack(validator: &[u8]) -> Vec<u8> {
    let light_block = message(2, &message(1, validator));
    message(2, &[message(1, &light_block), bytes("1007")].concat())
}

#[test]
fn an_attack_on_light_clients_in_a_block_is_refused_where_the_target_reads_other_bytes() {
    let key = vec![7; 32];
    let old = [message(2, &message(1, &key)), bytes("1805")].concat();
    let typed = [bytes("1805"), message(5, &key), message(6, b"ed25519")].concat();
    let home = home_of(TO_038);
    let with_evidence = home.blocks().filter(|(_, block)| block["evidence"].as_u64() > Some(0) && block["parts"] == 1);
    let height = with_evidence.map(|(height, _)| height).next().expect("a block with evidence");
    let value = home.block(&BlockKey::Meta { height }).expect("a meta");
    assert_eq!(BlockMeta::decode(value).expect("decodes").block_id.part_set_header.total, 1);
    for (validator, conversion, is_refused) in [
        (&typed, TO_038, true),
        (&typed, TO_040, true),
        (&typed, TO_10, false),
        (&old, TO_10, true),
        (&old, TO_038, false),
        (&old, TO_040, false),
    ] {
        let block = [message(1, b""), message(3, &message(1, &attack(validator))), message(4, b"")].concat();
        let mut rows = home.rows(Database::BlockStore).clone();
        let part = rows.get_mut(format!("P:{height}:0").as_bytes()).expect("a part");
        *part = [message(2, &block), bytes("1a00")].concat();
        let refused = surveyed(&rows, Database::BlockStore, conversion).refused;
        assert_eq!(!refused.is_empty(), is_refused, "{conversion:?}: {refused:?}");
        for line in refused.iter().map(ToString::to_string) {
            assert!(
                line.starts_with(&format!("blockstore, height {height}, key H:{height}: Block.evidence: ")),
                "{line}"
            );
        }
    }
}
