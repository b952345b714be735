//! Evidence of misbehaviour, as it stands in blocks and in the evidence store.
//!
//! The evidence hash of a block covers the bytes of each piece without the wrapper that names its kind.
//! They are hashed as they stand: an attack on light clients holds validators, which v1.0 encodes in another
//! way than the other releases, so that encoding them anew would change what was signed.

use proofs::merkle::{Hash, root};
use sha2::{Digest, Sha256};

use super::error::DecodeError;
use super::misbehaviour::{DuplicateVote, LightClientAttack};
use super::wire::{Decode, Reader};

/// Kind of misbehaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceKind {
    /// A validator signed two votes of one height and round.
    DuplicateVote,
    /// Validators signed a header that is not the chain's.
    LightClientAttack,
}

/// One piece of evidence, not yet looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence<'a> {
    /// What it is about.
    pub kind: EvidenceKind,
    /// Its encoding without the wrapper.
    pub bytes: &'a [u8],
}

impl<'a> Decode<'a> for Evidence<'a> {
    const NAME: &'static str = "Evidence";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut evidence = None;
        while let Some(field) = reader.next()? {
            let (kind, name) = match field.number {
                1 => (EvidenceKind::DuplicateVote, "duplicate_vote_evidence"),
                2 => (EvidenceKind::LightClientAttack, "light_client_attack_evidence"),
                _ => continue,
            };
            if evidence.is_some() {
                return Err(DecodeError::Repeated { place: field.place(name) });
            }
            evidence = Some(Self { kind, bytes: field.bytes(name)? });
        }
        evidence.ok_or_else(|| DecodeError::Missing { place: reader.place("sum") })
    }
}

impl<'a> Evidence<'a> {
    /// Height of the misbehaviour (for a light-client attack, of the common header) and hash of the evidence:
    /// what its key in the evidence store says.
    ///
    /// # Errors
    /// When the evidence does not decode.
    pub fn identity(&self) -> Result<(u64, Hash), DecodeError> {
        match self.kind {
            EvidenceKind::DuplicateVote => {
                Ok((DuplicateVote::decode(self.bytes)?.vote_a.height, Sha256::digest(self.bytes).into()))
            }
            EvidenceKind::LightClientAttack => {
                let attack = LightClientAttack::decode(self.bytes)?;
                Ok((attack.common_height, attack.hash()))
            }
        }
    }
}

/// The evidence hash of a block: root over the pieces.
#[must_use]
pub fn evidence_hash(evidence: &[Evidence<'_>]) -> Hash {
    root(evidence.iter().map(|piece| piece.bytes))
}
