//! Attestations: equal, different, contradicting, replayed and old ones, in any order.

use std::num::NonZeroU64;

use proofs::checkpoint::{Checkpoint, next_checkpoint};
use proofs::note::{Algorithm, Note, SignerKey, VerifierKey};
use shim::own::attest::{Book, Code, Kind, MessageError, Reply, Verdict, attestation, read_attestation};

use super::support::Random;

const ORIGIN: &str = "example.org/chain-1/blocks-v1/1";

fn key(seed: u8) -> SignerKey {
    SignerKey::from_seed(ORIGIN, Algorithm::Ed25519, &[seed; 32]).expect("a name")
}

pub fn verifier(seed: u8) -> VerifierKey {
    key(seed).verifier().clone()
}

/// The checkpoint of a tree of `size` leaves by the key of `seed`; another `root` is another tree.
pub fn signed(seed: u8, size: u64, root: u8) -> Note {
    let checkpoint = Checkpoint::new(ORIGIN, size, [root; 32]).expect("a checkpoint");
    next_checkpoint(None, &[], &checkpoint).expect("the first").sign(&key(seed)).expect("its key")
}

fn every(heights: u64) -> NonZeroU64 {
    NonZeroU64::new(heights).expect("not 0")
}

fn book() -> Book {
    Book::new(verifier(1), vec![verifier(1), verifier(2), verifier(3)]).expect("an origin")
}

fn judge(book: &mut Book, note: &Note) -> Verdict {
    book.judge(note.to_string().as_bytes(), every(100)).verdict
}

#[test]
fn equal_roots_confirm_and_different_ones_hold_the_evidence_of_both() {
    let mut book = book();
    assert_eq!(book.attest(&signed(1, 100, 5)), Ok(Vec::new()));
    assert_eq!(judge(&mut book, &signed(2, 100, 5)), Verdict::Equal);
    let Verdict::Different(alarm) = judge(&mut book, &signed(3, 100, 6)) else { panic!("no difference") };
    assert_eq!((alarm.kind, alarm.height), (Kind::Difference, 100));
    assert_eq!(alarm.first, ([5; 32], signed(1, 100, 5).to_string()));
    assert_eq!(alarm.second, ([6; 32], signed(3, 100, 6).to_string()));
    assert!(alarm.to_string().contains(&format!("{} here, {} at the peer", "05".repeat(32), "06".repeat(32))));
}

#[test]
fn attestations_that_came_early_are_compared_when_ours_is_there() {
    let mut book = book();
    assert_eq!(judge(&mut book, &signed(2, 100, 5)), Verdict::Pending);
    assert_eq!(judge(&mut book, &signed(3, 100, 6)), Verdict::Pending);
    let judged = book.attest(&signed(1, 100, 5)).expect("ours");
    let signers: Vec<_> = judged.iter().map(|judged| (judged.signer.clone(), judged.height)).collect();
    assert_eq!(signers, [(Some(verifier(2)), Some(100)), (Some(verifier(3)), Some(100))]);
    assert_eq!(judged[0].verdict, Verdict::Equal);
    let alarm = judged[1].verdict.alarm().expect("a difference");
    assert_eq!(alarm.second.1, signed(3, 100, 6).to_string());
    assert_eq!(book.attest(&signed(1, 100, 5)), Ok(Vec::new()), "told once");
    assert_eq!(judge(&mut book, &signed(2, 100, 5)), Verdict::Replayed);
}

#[test]
fn replayed_old_and_contradicting_ones_are_recognised() {
    let mut book = book();
    for size in 1..=300 {
        book.attest(&signed(1, size * 100, 5)).expect("ours");
        assert_eq!(judge(&mut book, &signed(2, size * 100, 5)), Verdict::Equal);
        assert_eq!(judge(&mut book, &signed(2, size * 100, 5)), Verdict::Replayed);
    }
    // 256 are kept: 45 to 300.
    assert_eq!(judge(&mut book, &signed(2, 4_400, 5)), Verdict::Old);
    assert_eq!(judge(&mut book, &signed(3, 4_400, 6)), Verdict::Old);
    assert_eq!(judge(&mut book, &signed(2, 4_500, 5)), Verdict::Replayed);
    let Verdict::Contradicts(alarm) = judge(&mut book, &signed(2, 4_500, 6)) else { panic!("no contradiction") };
    assert_eq!(alarm.kind, Kind::Contradiction);
    assert_eq!((alarm.first.0, alarm.second.0), ([5; 32], [6; 32]));
    assert_eq!(book.newest(every(1_000)), Some(signed(1, 30_000, 5).to_string().as_str()));
    assert_eq!(book.newest(every(70_000)), None);
}

#[test]
fn what_says_nothing_is_refused_in_words() {
    let mut book = book();
    let mut refused = |note: &[u8]| match book.judge(note, every(100)).verdict {
        Verdict::Refused { reason } => reason,
        other => panic!("{other:?}"),
    };
    let unknown = "none of the 1 signatures is by a known key";
    assert_eq!(refused(signed(4, 100, 5).to_string().as_bytes()), unknown);
    // A peer cannot confirm this node with its own words.
    assert_eq!(refused(signed(1, 100, 5).to_string().as_bytes()), unknown);
    assert_eq!(refused(signed(2, 101, 5).to_string().as_bytes()), "height 101 is no multiple of 100, as agreed");
    assert_eq!(refused(b"hello"), "note has no blank line before its signatures");
    let changed = signed(2, 100, 5).to_string().replace("\n100\n", "\n200\n");
    assert!(refused(changed.as_bytes()).contains("does not hold"));
    assert!(book.attest(&signed(2, 100, 5)).is_err(), "only this node's key makes its checkpoints");

    let other = SignerKey::from_seed("example.org/other/blocks-v1/1", Algorithm::Ed25519, &[2; 32]).expect("a name");
    assert!(
        Book::new(
            SignerKey::from_seed("other", Algorithm::Ed25519, &[2; 32]).expect("a name").verifier().clone(),
            vec![]
        )
        .is_err()
    );
    let mut both = Book::new(verifier(1), vec![other.verifier().clone()]).expect("an origin");
    let checkpoint = Checkpoint::new("example.org/other/blocks-v1/1", 100, [5; 32]).expect("a checkpoint");
    let note = next_checkpoint(None, &[], &checkpoint).expect("the first").sign(&other).expect("its key");
    assert!(matches!(judge(&mut both, &note), Verdict::Refused { .. }));
}

#[test]
fn in_any_order_every_difference_is_found_once() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut book = book();
        // Ours and those of two peers at 30 heights, a quarter of the peers' with another root.
        let mut notes: Vec<(u8, u64, u8)> = Vec::new();
        for height in 1..=30 {
            notes.extend(
                [1, 2, 3].map(|signer| (signer, height * 100, if signer > 1 && random.below(4) == 0 { 6 } else { 5 })),
            );
        }
        let expected = notes.iter().filter(|note| note.2 == 6).count();
        // Late by up to 20 places; ours stay in order, as they are made.
        let mut places: Vec<(usize, usize)> =
            (0..notes.len()).map(|at| (at + random.below(20) * usize::from(notes[at].0 > 1), at)).collect();
        places.sort_unstable();
        let mut found = 0;
        for (_, at) in places {
            let (signer, size, root) = notes[at];
            let note = signed(signer, size, root);
            if signer == 1 {
                let judged = book.attest(&note).expect("ours");
                found += judged.iter().filter(|judged| judged.verdict.alarm().is_some()).count();
            } else {
                found += usize::from(matches!(judge(&mut book, &note), Verdict::Different(_)));
            }
            if random.below(3) == 0 && signer > 1 {
                assert!(matches!(judge(&mut book, &note), Verdict::Replayed | Verdict::Old));
            }
        }
        assert_eq!(found, expected, "seed {seed}");
    }
}

#[test]
fn messages_are_read_as_they_are_written() {
    let note = signed(1, 100, 5).to_string();
    assert_eq!(read_attestation(attestation(&note).into()).expect("an attestation"), note);
    let mut book = book();
    book.attest(&signed(1, 100, 5)).expect("ours");
    let verdict = judge(&mut book, &signed(2, 100, 6));
    let reply = Reply::of(&verdict);
    assert_eq!((reply.code, &reply.note[..]), (Code::Different, note.as_bytes()));
    assert_eq!(Reply::decode(reply.encode().into()), Ok(reply));
    let refused = Reply::of(&Verdict::Refused { reason: "no".to_owned() });
    assert_eq!(Reply::decode(refused.encode().into()), Ok(refused));
    assert!(matches!(Reply::decode(vec![0xff].into()), Err(MessageError { what: "the reply", .. })));
}
