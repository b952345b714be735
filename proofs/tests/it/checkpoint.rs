//! A checkpoint with a cosignature, as other programs read it, and files that somebody changed.

use proofs::checkpoint::{Checkpoint, GrowthFile, ProofFile, next_checkpoint};
use proofs::merkle::{MemoryTree, consistency_path, inclusion_path, leaf_hash};
use proofs::note::{Algorithm, Note, SignerKey, VerifierKey};
use proofs::receipt::Receipt;
use proofs::tiles::{TileKind, TilePath, bundle_entries};
use proptest::prelude::*;

const ORIGIN: &str = "example.org/chain/blocks-v1/1";

/// The tree of the numbers below 70,000, eight bytes each, signed with the seed 32 x 0x09 and cosigned with
/// 32 x 0x0a. Opened with `golang.org/x/mod/sumdb/note` v0.42.0 and `github.com/transparency-dev/formats/note`;
/// `golang.org/x/mod/sumdb/tlog` makes the same root and paths from the tiles of this crate.
const NOTE: &str = "\
example.org/chain/blocks-v1/1
70000
B1kWeg+Y416ALUb/fH0p0sPwOmOiVt62q7/zV6kbY7E=

\u{2014} example.org/chain/blocks-v1/1 \
N687Rvd2xvlg55JWN72oO0l9fyuM9EfuyUYFW9NpoIPGqOw00W97pqC9h4u09i1Pa8YScsMPwBppiXgiRQM3LroaqA4=
\u{2014} witness.example/w1 \
nSZnKgAAAABlU/EAyrWFKG0pFqnUHEHCCmIEmcp5gvxevQlJZoXh19xSe3mDmHaqPd8Sw68WsggMUHyepi2hOU1HW662/rXF4+gPBg==
";
const LOG: &str = "example.org/chain/blocks-v1/1+37af3b46+Af0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY";
const WITNESS: &str = "witness.example/w1+9d26672a+BEOnLnFEAXYt9mtowm373yaCquyfJHTspGE+QkoPuv08";

fn log() -> SignerKey {
    SignerKey::from_seed(ORIGIN, Algorithm::Ed25519, &[9; 32]).expect("a name")
}

fn tree(size: u64) -> MemoryTree {
    (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect()
}

fn signed(size: u64) -> Note {
    let head = Checkpoint::new(ORIGIN, size, tree(size).root()).expect("a checkpoint");
    next_checkpoint(None, &[], &head).expect("the first").sign(&log()).expect("its key")
}

#[test]
fn what_go_opens_is_what_is_made_here() {
    let witness = SignerKey::from_seed("witness.example/w1", Algorithm::Cosignature, &[10; 32]).expect("a name");
    let head = Checkpoint::new(ORIGIN, 70_000, tree(70_000).root()).expect("a checkpoint");
    let signable = next_checkpoint(None, &[], &head).expect("the first");
    let mut note = signable.sign(&log()).expect("its key");
    signable.cosign(&mut note, &witness, 1_700_000_000).expect("the same text");
    assert_eq!(note.to_string(), NOTE);
    assert_eq!((log().verifier().to_string(), witness.verifier().to_string()), (LOG.to_owned(), WITNESS.to_owned()));
}

#[test]
fn the_cosignature_and_its_time_are_told() {
    let note = Note::parse(NOTE.as_bytes()).expect("a note");
    let known = [LOG, WITNESS].map(|key| VerifierKey::parse(key).expect("a vkey"));
    let opened = Checkpoint::open(&note, &known).expect("signed by its log");
    assert_eq!(opened.checkpoint().size(), 70_000);
    let witnesses: Vec<_> = opened.witnesses().iter().map(|signer| (signer.key, signer.time)).collect();
    assert_eq!(witnesses, [(&known[1], Some(1_700_000_000))]);
}

/// Files of every kind, each honest.
fn files() -> Vec<String> {
    let (Ok(path), Ok(proof)) = (inclusion_path(7, 50, &tree(50)), consistency_path(20, 50, &tree(50)));
    vec![
        NOTE.to_owned(),
        LOG.to_owned(),
        log().to_secret_text(),
        ProofFile { extra: Some(vec![1, 2]), index: 7, path, checkpoint: signed(50) }.to_string(),
        GrowthFile { old_size: 20, proof, checkpoint: signed(50) }.to_string(),
    ]
}

/// Reads `bytes` by every reader; what one of them takes must be spelled just so.
fn read_by_all(bytes: &[u8]) -> Result<(), TestCaseError> {
    let same = |written: String| -> Result<(), TestCaseError> {
        prop_assert_eq!(written.as_bytes(), bytes);
        Ok(())
    };
    Note::parse(bytes).map_or(Ok(()), |note| same(note.to_string()))?;
    ProofFile::parse(bytes).map_or(Ok(()), |file| same(file.to_string()))?;
    GrowthFile::parse(bytes).map_or(Ok(()), |file| same(file.to_string()))?;
    let path = TilePath::in_tree(TileKind::Entries, 0, 3).expect("in the tree");
    if let Ok(entries) = bundle_entries(path, bytes) {
        prop_assert_eq!(entries.concat().len() + 6, bytes.len());
    }
    let Ok(text) = str::from_utf8(bytes) else { return Ok(()) };
    VerifierKey::parse(text).map_or(Ok(()), |key| same(key.to_string()))?;
    SignerKey::parse(text).map_or(Ok(()), |key| same(key.to_secret_text()))?;
    Checkpoint::parse_text(text).map_or(Ok(()), |head| same(head.to_text()))?;
    Receipt::parse_text(text).map_or(Ok(()), |receipt| same(receipt.to_text().expect("it was read")))
}

proptest! {
    #[test]
    fn changed_files_have_one_spelling_or_none(
        file in prop::sample::select(files()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4), 1..4)
    ) {
        let mut bytes = file.into_bytes();
        for (place, byte, change) in changes {
            let place = place.index(bytes.len());
            match change {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => bytes.insert(place, bytes[place]),
                _ => { bytes.remove(place); }
            }
        }
        read_by_all(&bytes)?;
    }

    #[test]
    fn truncated_files_have_one_spelling_or_none(
        file in prop::sample::select(files()), length in any::<prop::sample::Index>()
    ) {
        read_by_all(&file.as_bytes()[..length.index(file.len())])?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_by_all(&bytes)?;
    }
}
