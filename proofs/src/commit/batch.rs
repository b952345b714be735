//! Many signatures checked at once, with the bad ones named.
//!
//! Batches of about two thousand cost a fifth of checking one by one, most of all when few keys signed many
//! messages, as a validator set does over many heights. A ZIP-215 batch holds exactly when each signature holds
//! by itself, so success is final; on failure the batch is halved until the bad signatures are found.
//!
//! Never use another Ed25519 verifier for a chain's signatures, nor randomness that a peer could foresee: who
//! knows the coefficients of a batch can make bad signatures cancel out.

use std::collections::HashMap;
use std::ops::Range;

use ed25519_zebra::batch::Item;
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{Signature as EcdsaSignature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::key::PublicKey;
use super::random::SystemRandom;

/// Signatures that make a batch: enough for the gain, few enough for the second-level cache.
const BATCH_SIGNATURES: usize = 2_048;

/// Tags that make a batch, when many signatures are repeated.
const BATCH_TAGS: usize = 4 * BATCH_SIGNATURES;

/// Message bytes that make a batch whatever its count: a bound on memory; 2,048 votes take a quarter of it.
const BATCH_MESSAGE_BYTES: usize = 1 << 20;

/// Below this, checking one by one is cheaper than halving on.
const SINGLES_MAX: usize = 8;

/// Decoded secp256k1 keys kept; more validators than any chain has.
const DECODED_KEYS_MAX: usize = 4_096;

/// Collects signatures and checks them in batches. Each thread of a walk has its own.
///
/// A signature pushed again with the same key and message while it waits, as that of a commit and of the seen
/// commit beside it, is checked once; if it is bad, both tags are named.
///
/// Nothing is proven before [`SignatureBatch::finish`] returned `Ok`: it checks what still waits, and names the
/// bad signatures of the batches before. A walk that should stop early looks at [`SignatureBatch::bad`].
#[derive(Debug)]
pub struct SignatureBatch<T> {
    entries: Vec<Entry>,
    tags: Vec<(usize, T)>,
    messages: Vec<u8>,
    /// From a signature to the entry that has it.
    waiting: HashMap<[u8; 64], usize>,
    decoded: HashMap<[u8; 33], Option<VerifyingKey>>,
    bad: Vec<T>,
    checked: u64,
}

#[derive(Debug)]
struct Entry {
    key: PublicKey,
    signature: [u8; 64],
    message: Range<usize>,
}

/// The tags of all signatures that do not hold, in the order they were pushed. All others hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{count} signatures do not hold", count = .tags.len())]
pub struct BadSignatures<T> {
    /// What each bad signature was pushed with.
    pub tags: Vec<T>,
}

impl<T> Default for SignatureBatch<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> SignatureBatch<T> {
    /// An empty batch.
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
            tags: Vec::new(),
            messages: Vec::new(),
            waiting: HashMap::new(),
            decoded: HashMap::new(),
            bad: Vec::new(),
            checked: 0,
        }
    }

    /// Signatures verified so far, repeated ones counted once.
    #[must_use]
    pub const fn checked(&self) -> u64 {
        self.checked
    }

    /// The tags of the signatures found bad so far.
    #[must_use]
    pub fn bad(&self) -> &[T] {
        &self.bad
    }

    /// Adds a signature by `key` over `message`; checks all that wait when they make a batch. A signature that
    /// is not 64 bytes long is a bad one.
    pub fn push(&mut self, key: PublicKey, message: &[u8], signature: &[u8], tag: T) {
        // Another length becomes bytes that neither scheme accepts: their s is not below the group's order.
        let signature = signature.try_into().unwrap_or([0xff; 64]);
        let entry = match self.waiting.get(&signature) {
            Some(&entry) if self.holds(entry, &key, message) => entry,
            _ => self.insert(key, message, signature),
        };
        self.tags.push((entry, tag));
    }

    /// Checks all signatures that wait and says whether every one pushed since the last call holds. The batch is
    /// empty afterwards and can be used again.
    ///
    /// # Errors
    /// [`BadSignatures`] names those that do not.
    pub fn finish(&mut self) -> Result<(), BadSignatures<T>> {
        self.check_waiting();
        if self.bad.is_empty() { Ok(()) } else { Err(BadSignatures { tags: std::mem::take(&mut self.bad) }) }
    }

    fn check_waiting(&mut self) {
        let mut bad = self.bad_secp256k1();
        find_bad(&self.ed25519_items(), &mut bad);
        bad.sort_unstable();
        let tags = self.tags.drain(..).filter(|(entry, _)| bad.binary_search(entry).is_ok());
        self.bad.extend(tags.map(|(_, tag)| tag));
        self.checked += self.entries.len() as u64;
        self.entries.clear();
        self.messages.clear();
        self.waiting.clear();
    }

    fn holds(&self, entry: usize, key: &PublicKey, message: &[u8]) -> bool {
        self.entries[entry].key == *key && self.messages[self.entries[entry].message.clone()] == *message
    }

    fn insert(&mut self, key: PublicKey, message: &[u8], signature: [u8; 64]) -> usize {
        // Only a new signature ends a batch, so that the seen commit after the last commit finds it waiting.
        if self.entries.len() >= BATCH_SIGNATURES
            || self.tags.len() >= BATCH_TAGS
            || self.messages.len() >= BATCH_MESSAGE_BYTES
        {
            self.check_waiting();
        }
        let start = self.messages.len();
        self.messages.extend_from_slice(message);
        let entry = self.entries.len();
        self.entries.push(Entry { key, signature, message: start..self.messages.len() });
        self.waiting.insert(signature, entry);
        entry
    }

    fn ed25519_items(&self) -> Vec<(usize, Item)> {
        let items = self.entries.iter().enumerate().filter_map(|(place, entry)| match entry.key {
            PublicKey::Ed25519(key) => {
                let message = &self.messages[entry.message.clone()];
                Some((place, Item::from((key.into(), entry.signature.into(), message))))
            }
            PublicKey::Secp256k1(_) => None,
        });
        items.collect()
    }

    fn bad_secp256k1(&mut self) -> Vec<usize> {
        let mut bad = Vec::new();
        for (place, entry) in self.entries.iter().enumerate() {
            let PublicKey::Secp256k1(key) = entry.key else { continue };
            if self.decoded.len() >= DECODED_KEYS_MAX {
                self.decoded.clear();
            }
            let decoded = self.decoded.entry(key).or_insert_with(|| decode_secp256k1(&key));
            let message = &self.messages[entry.message.clone()];
            if !decoded.as_ref().is_some_and(|key| holds_secp256k1(key, message, &entry.signature)) {
                bad.push(place);
            }
        }
        bad
    }
}

/// Pushes the places of the items that do not hold.
fn find_bad(items: &[(usize, Item)], bad: &mut Vec<usize>) {
    if items.len() <= SINGLES_MAX {
        let failing = items.iter().filter(|(_, item)| item.clone().verify_single().is_err());
        bad.extend(failing.map(|(place, _)| *place));
        return;
    }
    let mut verifier = ed25519_zebra::batch::Verifier::new();
    items.iter().for_each(|(_, item)| verifier.queue(item.clone()));
    if verifier.verify(SystemRandom::new()).is_ok() {
        return;
    }
    let (left, right) = items.split_at(items.len() / 2);
    find_bad(left, bad);
    find_bad(right, bad);
}

fn decode_secp256k1(key: &[u8; 33]) -> Option<VerifyingKey> {
    // SEC 1 also has a compact form of this length, which CometBFT's library does not take.
    matches!(key[0], 0x02 | 0x03).then(|| VerifyingKey::from_sec1_bytes(key).ok()).flatten()
}

/// ECDSA over SHA-256 of the message, `r ‖ s`, with `s` in the lower half of the order (CometBFT
/// `crypto/secp256k1/secp256k1.go`, `VerifySignature`).
fn holds_secp256k1(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    let Ok(signature) = EcdsaSignature::from_slice(signature) else { return false };
    signature.normalize_s() == signature && key.verify_prehash(&Sha256::digest(message), &signature).is_ok()
}
