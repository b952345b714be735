//! Receipts: one text for each, and a reason for each text that is none.

use proofs::DecimalError;
use proofs::checkpoint::{Checkpoint, CheckpointError};
use proofs::note::{Algorithm, Note, OpenError, SignerKey};
use proofs::receipt::{DatabaseReceipt, Receipt, ReceiptError, ReceiptNoteError, SideReceipt};
use proptest::prelude::*;

const TEXT: &str = "\
node-migrate-receipt/v1
migration 20260101-000000-blockstore
tool node-migrate 0.1.0
time 1767225600
chain test chain+1
heights 1 240
journal aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
checkpoint example.org/chain 240 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
database blockstore
source-format goleveldb, keys v1, values v0_38
source-keys 10
source-key-bytes 200
source-value-bytes 3000
source-sha256 cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
source-root dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
target-format rocksdb, keys v1, values v0_38
target-keys 10
target-key-bytes 200
target-value-bytes 3000
target-sha256 cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
verified counts
verified digests
exception unknown key 00ff copied as it is
not-checked signatures
";

fn receipt() -> Receipt {
    let side = |format: &str, root| SideReceipt {
        format: format.to_owned(),
        keys: 10,
        key_bytes: 200,
        value_bytes: 3_000,
        sha256: [0xcc; 32],
        root,
    };
    Receipt {
        migration: "20260101-000000-blockstore".to_owned(),
        tool: "node-migrate 0.1.0".to_owned(),
        time: 1_767_225_600,
        chain_id: Some("test chain+1".to_owned()),
        heights: Some((1, 240)),
        journal_head: [0xaa; 32],
        checkpoint: Some(Checkpoint::new("example.org/chain", 240, [0xbb; 32]).expect("a checkpoint")),
        databases: vec![DatabaseReceipt {
            name: "blockstore".to_owned(),
            source: side("goleveldb, keys v1, values v0_38", Some([0xdd; 32])),
            target: side("rocksdb, keys v1, values v0_38", None),
        }],
        verified: vec!["counts".to_owned(), "digests".to_owned()],
        exceptions: vec!["unknown key 00ff copied as it is".to_owned()],
        not_checked: vec!["signatures".to_owned()],
    }
}

fn key(seed: u8) -> SignerKey {
    SignerKey::from_seed("operator.example", Algorithm::Ed25519, &[seed; 32]).expect("a name")
}

#[test]
fn a_receipt_has_one_text() {
    assert_eq!(receipt().to_text().expect("a receipt"), TEXT);
    assert_eq!(Receipt::parse_text(TEXT).expect("a receipt"), receipt());
}

#[test]
fn what_is_left_out_is_no_line() {
    let least = Receipt {
        chain_id: None,
        heights: None,
        checkpoint: None,
        databases: vec![],
        verified: vec![],
        exceptions: vec![],
        not_checked: vec![],
        ..receipt()
    };
    let text = least.to_text().expect("a receipt");
    assert_eq!(text.lines().count(), 5);
    assert_eq!(Receipt::parse_text(&text), Ok(least));
}

#[test]
fn a_signed_receipt_opens_for_who_knows_the_key() {
    let note = receipt().sign(&key(1)).expect("a receipt");
    let read = Note::parse(note.to_string().as_bytes()).expect("a note");
    assert_eq!(Receipt::open(&read, &[key(1).verifier().clone()]), Ok(receipt()));
    let unknown = ReceiptNoteError::Open(OpenError::NoKnownKey { signatures: 1 });
    assert_eq!(Receipt::open(&read, &[key(2).verifier().clone()]), Err(unknown));
    let forged = note.to_string().replace("source-keys 10", "source-keys 11");
    let forged = Note::parse(forged.as_bytes()).expect("a note");
    let verdict = Receipt::open(&forged, &[key(1).verifier().clone()]);
    assert!(matches!(verdict, Err(ReceiptNoteError::Open(OpenError::BadSignature { .. }))));
}

#[test]
fn texts_that_break_the_format_are_not_written() {
    for text in ["", "two\nlines", "tab\there", "next\u{85}line"] {
        let key = |key: &str| Err(ReceiptError::Text { key: key.to_owned(), text: text.to_owned() });
        assert_eq!(Receipt { tool: text.to_owned(), ..receipt() }.to_text(), key("tool"));
        assert_eq!(Receipt { exceptions: vec![text.to_owned()], ..receipt() }.to_text(), key("exception"));
    }
    let long = Receipt { not_checked: vec!["x".repeat(1_000); 600], ..receipt() };
    assert!(matches!(long.sign(&key(1)), Err(ReceiptNoteError::Note(_))));
}

#[track_caller]
fn refused(from: &str, to: &str, expected: ReceiptError) {
    let text = TEXT.replacen(from, to, 1);
    assert_ne!(text, TEXT, "the change changes something");
    assert_eq!(Receipt::parse_text(&text), Err(expected));
}

fn unexpected(line: usize, expected: &str, actual: &str) -> ReceiptError {
    ReceiptError::Unexpected { line, expected: expected.to_owned(), actual: actual.to_owned() }
}

#[test]
fn lines_out_of_order_missing_or_surplus_are_named() {
    refused("/v1", "/v2", ReceiptError::Header);
    refused("not-checked signatures\n", "not-checked signatures", ReceiptError::Truncated);
    refused("tool node-migrate 0.1.0\n", "", unexpected(3, "tool", "time"));
    refused("time 1767225600\n", "time 1767225600\ntime 1767225600\n", unexpected(5, "journal", "time"));
    refused(
        "chain test chain+1\nheights 1 240\n",
        "heights 1 240\nchain test chain+1\n",
        unexpected(6, "journal", "chain"),
    );
    refused("source-keys 10\n", "", unexpected(11, "source-keys", "source-key-bytes"));
    refused("not-checked signatures\n", "surprise\n", unexpected(24, "not-checked", "surprise"));
    refused("not-checked signatures\n", "\n", unexpected(24, "not-checked", ""));
    refused("time 1767225600\n", "time\n", unexpected(4, "time", "time"));
    let missing = ReceiptError::Missing { key: "tool".to_owned() };
    assert_eq!(Receipt::parse_text("node-migrate-receipt/v1\nmigration a\n"), Err(missing));
}

#[test]
fn values_with_another_spelling_are_named() {
    let number = |line, source| ReceiptError::Number { line, source };
    refused("source-keys 10", "source-keys 010", number(11, DecimalError::LeadingZero));
    refused("source-keys 10", "source-keys  10", number(11, DecimalError::NotDigits));
    refused("source-keys 10", "source-keys ", number(11, DecimalError::Empty));
    refused("time 1767225600", "time 18446744073709551616", number(4, DecimalError::TooLarge));
    refused("heights 1 240", "heights 1", ReceiptError::Values { line: 6, expected: 2 });
    refused("heights 1 240", "heights 1 240 3", ReceiptError::Values { line: 6, expected: 2 });
    refused("journal aa", "journal AA", ReceiptError::Hash { line: 7, text: format!("AA{}", "a".repeat(62)) });
    refused("journal aa", "journal ", ReceiptError::Hash { line: 7, text: "a".repeat(62) });
    let origin = CheckpointError::Origin { origin: "a+b".to_owned() };
    refused("example.org/chain", "a+b", ReceiptError::Checkpoint { line: 8, source: origin });
    refused("tool node-migrate 0.1.0", "tool ", ReceiptError::Text { key: "tool".to_owned(), text: String::new() });
}

proptest! {
    #[test]
    fn a_changed_text_is_refused_or_another_receipt(
        place in 0..TEXT.len(), change in prop_oneof![Just(""), Just("0"), Just(" "), Just("\n"), Just("a")]
    ) {
        let mut text = TEXT.to_owned();
        text.replace_range(place..=place, change);
        if let Ok(read) = Receipt::parse_text(&text) {
            prop_assert_eq!(read.to_text().expect("it was read"), text);
        }
    }
}
