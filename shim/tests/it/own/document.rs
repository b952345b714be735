//! docs/protocol.md against the code: its numbers, its tables and its examples.

use std::num::NonZeroU64;

use bytes::Bytes;
use prost::Message;
use proto::hello::{GREETING_BYTES_MAX, Greeting, HELLO_BYTES_MAX, Heights, Hello, Printable, Status, Storage};
use proto::hello::{Sunset, Terms, TimeRule, Version, Versions};
use proto::wire::blocks2::{Frame, Request};
use shim::own::attest::{Code as VerdictCode, Reply, Verdict};
use shim::own::blocks::{Code, PartSet, Receiver, Refusal, Sender, one, refusal_frame};
use shim::own::limits;
use shim::own::protocol::Protocol;
use shim::source::{BlockSource, Offer, OfferedBlock, SourceError};

use super::pairs::{KINDS, TABLE};
use super::support::Remember;

const PAGE: &str = include_str!("../../../../docs/protocol.md");

/// The bytes of an example of the page.
fn example(name: &str) -> Vec<u8> {
    let after = PAGE.split_once(&format!("```hex {name}\n")).unwrap_or_else(|| panic!("no example {name}")).1;
    let digits: String = after.split("```").next().expect("an end").split_whitespace().collect();
    hex::decode(digits).expect("hex")
}

#[track_caller]
fn check(name: &str, bytes: &[u8]) {
    assert!(example(name) == bytes, "the example {name} should be\n{}", lines(bytes));
}

/// Hex as the page has it: 64 bytes a line.
fn lines(bytes: &[u8]) -> String {
    bytes.chunks(64).map(|line| hex::encode(line) + "\n").collect()
}

/// The cells of the table row that begins with some text.
fn row(first: &str) -> Vec<&str> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells.into_iter().find(|cells| cells[0] == first).unwrap_or_else(|| panic!("no row {first}"))
}

/// One block, whatever height is asked for.
struct One(OfferedBlock);

impl BlockSource for One {
    fn chain_id(&self) -> &str {
        "chain-1"
    }

    fn offer(&self) -> Option<Offer> {
        Some(Offer { base: 1, top: 5 })
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        Ok((height <= 5).then(|| OfferedBlock { height, ..self.0.clone() }))
    }
}

fn source(block: impl Into<Bytes>, extended_commit: Option<&'static [u8]>) -> One {
    let extended_commit = extended_commit.map(Bytes::from_static);
    One(OfferedBlock { height: 0, hash: [0xaa; 32], block: block.into(), extended_commit })
}

#[test]
fn the_greeting_is_that_of_the_page() {
    let versions = || Versions::new([1, 2]).expect("versions");
    let sunset = Sunset { version: Version::ONE, last_height: 5_000_000 };
    let hello = Hello {
        chain_id: Printable::new("chain-1").expect("a chain id"),
        genesis_hash: [7; 32],
        terms: Terms::new(versions(), versions(), Version(0)).with_sunsets([sunset]).expect("terms"),
        time_rule: TimeRule::switch_at(300).expect("a height"),
        attest_every: NonZeroU64::new(1_000),
        status: Status::new(Storage::CutOver, Heights::new(1, 500).ok(), 501).expect("a status"),
        agent: Printable::new("node-migrate/0.1.0").expect("an agent"),
    };
    let greeting = Greeting { sequence: 1, hello };
    check("greeting", &greeting.encode());
    assert_eq!(Greeting::decode(&example("greeting")), Ok(greeting));
}

#[tokio::test]
async fn version_1_is_that_of_the_page() {
    check("blocks1-request", &one::request(3));
    let mut stream = libp2p::futures::io::Cursor::new(Vec::new());
    shim::own::framing::write(&mut stream, &one::request(3)).await.expect("written");
    check("blocks1-request-delimited", stream.get_ref());
    let source = source(&b"block"[..], Some(b"ext"));
    check("blocks1-response", &one::answer(&one::request(3), &source).expect("offered"));
    check("blocks1-refusal", &one::answer(&one::request(9), &source).expect_err("refused").0);
    let mut check = Remember::default();
    one::take(3, example("blocks1-response").into(), &mut check).expect("the block");
    assert_eq!(check.blocks[0], OfferedBlock { height: 3, ..source.0 });
}

#[test]
fn version_2_is_that_of_the_page() {
    let request = Request { first: 3, last: 4, first_part: 0 };
    check("blocks2-request", &request.encode_to_vec());
    check("blocks2-request-resumed", &Request { last: 3, first_part: 7, ..request }.encode_to_vec());
    let source = source(&b"block"[..], Some(b"ext"));
    check("blocks2-refusal", &refusal_frame(&Refusal::not_offered(9, 9, source.offer())));
    let mut receiver = Receiver::new(Heights::new(3, 3).expect("heights"));
    receiver.begin();
    let mut check = Remember::default();
    receiver.take(example("blocks2-frame").into(), &mut check).expect("the block");
    let frame = Frame::decode(&example("blocks2-frame")[..]).expect("a frame");
    assert_eq!(frame.encode_to_vec(), example("blocks2-frame"), "in the usual order of fields");
    assert_eq!(check.blocks[0], OfferedBlock { height: 3, ..source.0 });
}

#[test]
fn the_compressed_frame_of_the_page_expands_to_what_it_says() {
    let source = source(vec![0; 300], None);
    let mut receiver = Receiver::new(Heights::new(1, 1).expect("heights"));
    receiver.begin();
    let mut check = Remember::default();
    // The same pieces may be compressed into other bytes by another compressor.
    let mut sender = Sender::new(&Request { first: 1, last: 1, first_part: 0 }, source.offer()).expect("offered");
    let made = sender.next_frame(&source).expect("a frame");
    receiver
        .take(example("blocks2-compressed").into(), &mut check)
        .unwrap_or_else(|fault| panic!("{fault}\n{}", lines(&made)));
    assert_eq!(example("blocks2-compressed")[0], 0x12, "field 2 of the frame");
    assert_eq!(check.blocks[0], OfferedBlock { height: 1, ..source.0 });
}

#[test]
fn parts_and_verdicts_are_those_of_the_page() {
    let block = source(vec![7; 65_539], None).0;
    let parts = PartSet::new(block.block.clone());
    check("part-set-hash", &parts.head(&block).expect("a block").part_set_hash);
    for (name, index) in [("aunts-0", 0), ("aunts-1", 1)] {
        check(name, &parts.part(index).expect("a part").1.concat());
    }
    check("attest-refused", &Reply::of(&Verdict::Refused { reason: "no".to_owned() }).encode());
}

#[test]
fn the_limits_are_those_of_the_page() {
    let limits = [
        ("greeting", GREETING_BYTES_MAX as u64),
        ("hello in it", HELLO_BYTES_MAX as u64),
        ("request for blocks", limits::REQUEST_BYTES_MAX as u64),
        ("response of `blocks/1`", limits::RESPONSE_BYTES_MAX as u64),
        ("frame of `blocks/2`", limits::FRAME_BYTES_MAX as u64),
        ("pieces of a frame, expanded", limits::FRAME_EXPANDED_MAX as u64),
        ("block and extended commit together", limits::DELIVERY_BYTES_MAX as u64),
        ("part", limits::PART_BYTES as u64),
        ("heights of one request", limits::HEIGHTS_MAX),
        ("attestation, and its reply", limits::ATTEST_BYTES_MAX as u64),
        ("relayed message", limits::RELAY_BYTES_MAX as u64),
        ("relayed messages that wait for a peer", limits::RELAY_WAITING_MAX as u64),
        ("their bytes", limits::RELAY_WAITING_BYTES_MAX as u64),
        ("relayed bytes taken and not let go of", limits::RELAY_TAKEN_BYTES_MAX as u64),
        ("words of a refusal or verdict", limits::WORDS_BYTES_MAX as u64),
        ("next message of the block exchange", limits::IDLE.as_secs()),
    ];
    for (what, value) in limits {
        let said: u64 = row(what)[1].split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
        assert_eq!(said, value, "{what}");
    }
    assert_eq!(limits::transfer_time(65_536 * 3 + 1).as_secs(), 13);
}

#[test]
fn the_table_of_pairs_is_that_of_the_page() {
    assert_eq!(row("")[1..], KINDS.map(|(name, _)| name));
    for ((name, _), outcomes) in KINDS.into_iter().zip(TABLE) {
        let said = outcomes.map(|outcome| outcome.map_or_else(str::to_owned, |version| format!("blocks/{version}")));
        assert_eq!(row(&format!("**{name}**"))[1..], said, "{name}");
    }
}

#[test]
fn names_codes_and_verdicts_are_those_of_the_page() {
    for protocol in Protocol::ALL {
        let version = protocol.version().map_or_else(String::new, |version| version.to_string());
        assert_eq!(row(&format!("`{}`", protocol.name()))[2], version);
    }
    let tables =
        PAGE.split_once("| code | name |").expect("codes").1.split_once("| verdict | name |").expect("verdicts");
    let said = |table: &str, number: i32| -> String {
        let line = table.lines().find(|line| line.starts_with(&format!("| {number} | "))).expect("a row");
        line.split('|').nth(2).expect("a name").trim().trim_matches('`').to_owned()
    };
    for number in 0..6 {
        let code = Code::try_from(number).expect("a code");
        assert_eq!(code.as_str_name(), format!("CODE_{}", said(tables.0, number)));
    }
    for number in 0..8 {
        let code = VerdictCode::try_from(number).expect("a verdict");
        assert_eq!(code.as_str_name(), format!("VERDICT_{}", said(tables.1, number)));
    }
    assert!(Code::try_from(6).is_err() && VerdictCode::try_from(8).is_err(), "all are on the page");
}
