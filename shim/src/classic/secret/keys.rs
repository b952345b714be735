//! From two ephemeral keys to the keys of a connection.
//!
//! ```text
//! shared            = X25519(own ephemeral secret, the other's ephemeral key)
//! challenge         = merlin transcript "TENDERMINT_SECRET_CONNECTION_TRANSCRIPT_HASH" over
//!                     EPHEMERAL_LOWER_PUBLIC_KEY, EPHEMERAL_UPPER_PUBLIC_KEY, DH_SECRET,
//!                     32 bytes of SECRET_CONNECTION_MAC
//! keys (64 bytes)   = HKDF-SHA256(shared, no salt, "TENDERMINT_SECRET_CONNECTION_KEY_AND_CHALLENGE_GEN")
//! ```
//! The side whose ephemeral key is the lower one receives with the first half and sends with the second.
//! Source: CometBFT `p2p/conn/secret_connection.go`, the same from 0.34 to 0.40. An ephemeral key of low order, which
//! would make the shared secret public, is refused.

use hkdf::Hkdf;
use merlin::Transcript;
use sha2::Sha256;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};
use zeroize::Zeroizing;

use super::frame::{Opener, Sealer};

/// The other side's ephemeral key is a point of low order: anybody could know the shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ephemeral key of the other side is a point of low order")]
pub struct LowOrderPoint;

/// What two ephemeral keys make.
pub struct SessionKeys {
    /// Seals what we say.
    pub sealer: Sealer,
    /// Opens what the other side says.
    pub opener: Opener,
    /// What each side signs with its node key, to show who holds the other end.
    pub challenge: [u8; 32],
}

/// 32 random bytes that serve one connection; forgotten when dropped.
pub struct EphemeralSecret(Zeroizing<[u8; 32]>);

impl EphemeralSecret {
    /// Takes random bytes that are used for nothing else.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// What the other side is told.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        x25519(*self.0, X25519_BASEPOINT_BYTES)
    }
}

/// Makes the keys of a connection.
///
/// # Errors
/// [`LowOrderPoint`].
pub fn derive(secret: &EphemeralSecret, theirs: [u8; 32]) -> Result<SessionKeys, LowOrderPoint> {
    let ours = secret.public();
    let shared = Zeroizing::new(x25519(*secret.0, theirs));
    if *shared == [0; 32] {
        return Err(LowOrderPoint);
    }
    let (lower, upper) = if ours < theirs { (ours, theirs) } else { (theirs, ours) };
    let mut transcript = Transcript::new(b"TENDERMINT_SECRET_CONNECTION_TRANSCRIPT_HASH");
    transcript.append_message(b"EPHEMERAL_LOWER_PUBLIC_KEY", &lower);
    transcript.append_message(b"EPHEMERAL_UPPER_PUBLIC_KEY", &upper);
    transcript.append_message(b"DH_SECRET", &*shared);
    let mut challenge = [0; 32];
    transcript.challenge_bytes(b"SECRET_CONNECTION_MAC", &mut challenge);

    let mut keys = Zeroizing::new([[0; 32]; 2]);
    Hkdf::<Sha256>::new(None, &*shared)
        .expand(b"TENDERMINT_SECRET_CONNECTION_KEY_AND_CHALLENGE_GEN", keys.as_flattened_mut())
        .expect("64 bytes are far below the limit of HKDF-SHA256");
    let [first, second] = &*keys;
    let (receive, send) = if ours == lower { (first, second) } else { (second, first) };
    Ok(SessionKeys { sealer: Sealer::new(send), opener: Opener::new(receive), challenge })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_make_the_same_keys() {
        let [one, two] = [[1; 32], [2; 32]].map(EphemeralSecret::new);
        let [of_one, of_two] = [&one, &two].map(EphemeralSecret::public);
        let mut here = derive(&one, of_two).expect("keys");
        let mut there = derive(&two, of_one).expect("keys");
        assert_eq!(here.challenge, there.challenge);
        for (sealer, opener) in [(&mut here.sealer, &mut there.opener), (&mut there.sealer, &mut here.opener)] {
            let (mut sealed, mut opened) = (Vec::new(), Vec::new());
            sealer.seal(b"text", &mut sealed).expect("seals");
            opener.open(&sealed.try_into().expect("one frame"), &mut opened).expect("opens");
            assert_eq!(opened, b"text");
        }
    }

    /// The points of low order on Curve25519 and its twist, with their spellings at or above 2^255 - 19
    /// (<https://cr.yp.to/ecdh.html>, "validate"). X25519 ignores the highest bit (RFC 7748, section 5).
    #[test]
    fn points_of_low_order_are_refused() {
        let points = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ];
        for point in points {
            let mut bytes: [u8; 32] = hex::decode(point).expect("hex").try_into().expect("32 bytes");
            for _ in 0..2 {
                assert_eq!(derive(&EphemeralSecret::new([9; 32]), bytes).err(), Some(LowOrderPoint), "{point}");
                bytes[31] ^= 0x80;
            }
        }
    }
}
