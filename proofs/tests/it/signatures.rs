//! Batches of signatures: what they accept, and which they name when some are bad.

use ed25519_zebra::{SigningKey, VerificationKey};
use proofs::commit::{BadSignatures, PublicKey, SignatureBatch};

/// A key of a test, made from a number.
pub fn signing_key(number: u8) -> SigningKey {
    SigningKey::from([number + 1; 32])
}

/// Its public half.
pub fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey::Ed25519(VerificationKey::from(key).into())
}

fn push_honest(batch: &mut SignatureBatch<usize>, tag: usize) {
    let key = signing_key(u8::try_from(tag % 7).expect("small"));
    let message = tag.to_be_bytes();
    batch.push(public_key(&key), &message, &key.sign(&message).to_bytes(), tag);
}

fn push_bad(batch: &mut SignatureBatch<usize>, tag: usize) {
    let key = signing_key(u8::try_from(tag % 7).expect("small"));
    batch.push(public_key(&key), b"another message", &key.sign(&tag.to_be_bytes()).to_bytes(), tag);
}

/// All encodings of points of small order, the last six not canonical (ZIP 215, "test vectors").
const SMALL_ORDER: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[test]
fn all_196_small_order_vectors_of_zip_215_hold_alone_and_together() {
    let encodings = SMALL_ORDER.map(|text| <[u8; 32]>::try_from(hex::decode(text).expect("hex")).expect("32 bytes"));
    let mut together = SignatureBatch::new();
    for (a, key) in encodings.iter().enumerate() {
        for (r, nonce) in encodings.iter().enumerate() {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(nonce);
            let mut alone = SignatureBatch::new();
            alone.push(PublicKey::Ed25519(*key), b"Zcash", &signature, (a, r));
            assert_eq!(alone.finish(), Ok(()));
            together.push(PublicKey::Ed25519(*key), b"Zcash", &signature, (a, r));
        }
    }
    assert_eq!(together.finish(), Ok(()));
    assert_eq!(together.checked(), 196);
}

#[test]
fn a_batch_with_one_bad_signature_names_exactly_it() {
    for bad in [0, 1, 1_000, 2_047] {
        let mut batch = SignatureBatch::new();
        (0..2_049).for_each(|tag| if tag == bad { push_bad(&mut batch, tag) } else { push_honest(&mut batch, tag) });
        assert_eq!(batch.bad(), [bad], "a full batch is checked when the next begins");
        assert_eq!(batch.finish(), Err(BadSignatures { tags: vec![bad] }));
        assert_eq!(batch.finish(), Ok(()), "what was named is not named again");
    }
}

#[test]
fn bad_signatures_of_several_batches_are_named_in_order() {
    let bad = [3, 4, 2_050, 4_500];
    let mut batch = SignatureBatch::new();
    (0..4_600)
        .for_each(|tag| if bad.contains(&tag) { push_bad(&mut batch, tag) } else { push_honest(&mut batch, tag) });
    assert_eq!(batch.finish(), Err(BadSignatures { tags: bad.to_vec() }));
    assert_eq!(batch.checked(), 4_600);
}

#[test]
fn a_repeated_signature_is_checked_once_and_named_twice() {
    let mut batch = SignatureBatch::new();
    let key = signing_key(0);
    let good = key.sign(b"vote").to_bytes();
    batch.push(public_key(&key), b"vote", &good, "commit");
    batch.push(public_key(&key), b"vote", &good, "seen commit");
    assert_eq!(batch.finish(), Ok(()));
    assert_eq!(batch.checked(), 1);

    batch.push(public_key(&key), b"other", &good, "commit");
    batch.push(public_key(&key), b"other", &good, "seen commit");
    assert_eq!(batch.finish(), Err(BadSignatures { tags: vec!["commit", "seen commit"] }));
}

#[test]
fn the_same_signature_under_another_key_or_message_is_another_one() {
    let (key, other) = (signing_key(0), signing_key(1));
    let good = key.sign(b"vote").to_bytes();
    let mut batch = SignatureBatch::new();
    batch.push(public_key(&key), b"vote", &good, "honest");
    batch.push(public_key(&key), b"veto", &good, "other message");
    batch.push(public_key(&other), b"vote", &good, "other key");
    batch.push(public_key(&key), b"vote", &good, "honest again");
    assert_eq!(batch.finish(), Err(BadSignatures { tags: vec!["other message", "other key"] }));
}

#[test]
fn malformed_signatures_and_keys_are_bad_and_nothing_more() {
    let key = signing_key(0);
    let good = key.sign(b"vote").to_bytes();
    let no_point = PublicKey::Ed25519(std::array::from_fn(|place| u8::from(place == 0) * 2));
    let mut batch = SignatureBatch::new();
    batch.push(public_key(&key), b"vote", &good, "good");
    batch.push(public_key(&key), b"vote", &good[..63], "short");
    batch.push(public_key(&key), b"vote", &[&good[..], &[0]].concat(), "long");
    batch.push(public_key(&key), b"vote", &[], "empty");
    batch.push(no_point, b"vote", &good, "no point");
    batch.push(PublicKey::Secp256k1([0; 33]), b"vote", &good, "no secp256k1 point");
    let bad = batch.finish().expect_err("five are bad").tags;
    assert_eq!(bad, ["short", "long", "empty", "no point", "no secp256k1 point"]);
}

#[test]
fn s_above_the_order_is_refused() {
    // Adding the group's order to s keeps the equation true; RFC 8032 and ZIP 215 refuse it.
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").expect("hex");
    let key = signing_key(0);
    let mut signature = key.sign(b"vote").to_bytes();
    let mut carry = 0;
    for (byte, added) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let mut batch = SignatureBatch::new();
    batch.push(public_key(&key), b"vote", &signature, ());
    assert_eq!(batch.finish(), Err(BadSignatures { tags: vec![()] }));
}

mod secp256k1 {
    use k256::ecdsa::signature::hazmat::PrehashSigner;
    use k256::ecdsa::{Signature, SigningKey};
    use proofs::commit::{BadSignatures, KeyType, PublicKey, SignatureBatch};
    use sha2::{Digest, Sha256};

    fn key() -> (SigningKey, PublicKey) {
        let key = SigningKey::from_slice(&[5; 32]).expect("below the order");
        let public = key.verifying_key().to_sec1_point(true);
        (key, PublicKey::new(KeyType::Secp256k1, public.as_bytes()).expect("33 bytes"))
    }

    fn sign(key: &SigningKey, message: &[u8]) -> Signature {
        key.sign_prehash(&Sha256::digest(message)).expect("signs")
    }

    #[test]
    fn signatures_are_checked_beside_ed25519() {
        let (secret, public) = key();
        let mut batch = SignatureBatch::new();
        for tag in 0..20 {
            super::push_honest(&mut batch, tag);
        }
        batch.push(public, b"vote", &sign(&secret, b"vote").to_bytes(), 20);
        batch.push(public, b"veto", &sign(&secret, b"vote").to_bytes(), 21);
        assert_eq!(batch.finish(), Err(BadSignatures { tags: vec![21] }));
    }

    #[test]
    fn s_in_the_upper_half_is_refused_as_cometbft_does() {
        let (secret, public) = key();
        let low = sign(&secret, b"vote");
        let high = Signature::from_scalars(*low.r(), -*low.s()).expect("not zero");
        let mut batch = SignatureBatch::new();
        batch.push(public, b"vote", &low.to_bytes(), "low");
        batch.push(public, b"vote", &high.to_bytes(), "high");
        assert_eq!(batch.finish(), Err(BadSignatures { tags: vec!["high"] }));
    }
}
