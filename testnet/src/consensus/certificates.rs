//! Certificates that come from the network: bundles of votes that prove a polka, or that a round may be entered.

use std::collections::BTreeSet;

use mbft::ThresholdParams;
use mbft_types::{CertificateError, PolkaCertificate, RoundCertificate, RoundCertificateType, VoteType};

use super::ballot::{SignedVote, Vote};
use super::context::{Electorate, Testnet};
use crate::chain::{Address, Crypto, Validator};

/// Why a certificate proves nothing.
type Fault = CertificateError<Testnet>;

/// Power that has signed, each validator counted once.
struct Tally<'a> {
    chain_id: &'a str,
    crypto: Crypto,
    validators: &'a Electorate,
    counted: BTreeSet<Address>,
    signed: u64,
}

impl<'a> Tally<'a> {
    fn new(chain_id: &'a str, crypto: Crypto, validators: &'a Electorate) -> Self {
        Self { chain_id, crypto, validators, counted: BTreeSet::new(), signed: 0 }
    }

    /// Counts a vote; `Err(None)` if its signature does not hold.
    fn count(&mut self, vote: &SignedVote) -> Result<(), Option<Fault>> {
        let address = vote.message.address;
        let Validator { public_key, power, .. } =
            self.validators.0.by_address(&address).ok_or(Some(Fault::UnknownValidator(address)))?;
        if !self.counted.insert(address) {
            return Err(Some(Fault::DuplicateVote(address)));
        }
        if !Vote::holds(vote, self.chain_id, public_key, self.crypto) {
            return Err(None);
        }
        // Each validator is counted once, and the power of all fits.
        self.signed += power;
        Ok(())
    }

    fn finish(&self, threshold: mbft_types::ThresholdParam) -> Result<(), Fault> {
        let total = self.validators.0.total();
        if threshold.is_met(self.signed, total) {
            return Ok(());
        }
        Err(Fault::NotEnoughVotingPower { signed: self.signed, total, expected: threshold.min_expected(total) })
    }
}

/// Checks a polka certificate: prevotes for one block by a quorum.
///
/// # Errors
/// The first thing that does not hold.
pub(super) fn polka(
    certificate: &PolkaCertificate<Testnet>,
    validators: &Electorate,
    thresholds: ThresholdParams,
    chain_id: &str,
    crypto: Crypto,
) -> Result<(), Fault> {
    let mut tally = Tally::new(chain_id, crypto, validators);
    for (vote, signature) in certificate.votes(&Testnet).zip(&certificate.polka_signatures) {
        tally.count(&vote).map_err(|fault| fault.unwrap_or_else(|| Fault::InvalidPolkaSignature(signature.clone())))?;
    }
    tally.finish(thresholds.quorum)
}

/// Checks a round certificate: precommits by a quorum, or any votes by enough that one of them is honest.
///
/// # Errors
/// The first thing that does not hold.
pub(super) fn round(
    certificate: &RoundCertificate<Testnet>,
    validators: &Electorate,
    thresholds: ThresholdParams,
    chain_id: &str,
    crypto: Crypto,
) -> Result<(), Fault> {
    let needs_precommits = certificate.cert_type == RoundCertificateType::Precommit;
    let mut tally = Tally::new(chain_id, crypto, validators);
    for (vote, signature) in certificate.votes(&Testnet).zip(&certificate.round_signatures) {
        if needs_precommits && signature.vote_type == VoteType::Prevote {
            return Err(Fault::InvalidVoteType(signature.address));
        }
        tally.count(&vote).map_err(|fault| fault.unwrap_or_else(|| Fault::InvalidRoundSignature(signature.clone())))?;
    }
    tally.finish(if needs_precommits { thresholds.quorum } else { thresholds.honest })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mbft_types::{NilOrVal, Round};

    use super::*;
    use crate::chain::{BlockId, PrivateKey, Signature, Time, ValidatorSet};
    use crate::consensus::Height;

    const BLOCK: BlockId = BlockId { hash: [1; 32], part_count: 1, part_set_hash: [2; 32] };

    fn key(number: u8) -> PrivateKey {
        PrivateKey::from_seed([number; 32], Crypto::Ed25519)
    }

    fn validators() -> Electorate {
        let members = (1..=4).map(|number| (key(number).public(), 10));
        Electorate(Arc::new(ValidatorSet::genesis(members).expect("a set")))
    }

    fn vote(number: u8, kind: VoteType, value: NilOrVal<BlockId>) -> SignedVote {
        let address = key(number).public().address();
        let vote = Vote { kind, height: Height(3), round: Round::new(1), value, address };
        let bytes = key(number).sign(&vote.sign_bytes("chain", Time(7)));
        SignedVote::new(vote, Signature { time: Time(7), bytes })
    }

    fn of_round(kind: RoundCertificateType, votes: Vec<SignedVote>) -> Result<(), Fault> {
        let certificate = RoundCertificate::new_from_votes(Height(3), Round::new(1), kind, votes);
        round(&certificate, &validators(), ThresholdParams::default(), "chain", Crypto::Ed25519)
    }

    fn of_polka(numbers: &[u8]) -> Result<(), Fault> {
        let votes = numbers.iter().map(|number| vote(*number, VoteType::Prevote, NilOrVal::Val(BLOCK))).collect();
        let certificate = PolkaCertificate::new(Height(3), Round::new(1), BLOCK, votes);
        polka(&certificate, &validators(), ThresholdParams::default(), "chain", Crypto::Ed25519)
    }

    #[test]
    fn a_polka_needs_a_quorum_of_different_validators() {
        assert_eq!(of_polka(&[1, 2, 3]), Ok(()));
        assert!(matches!(of_polka(&[1, 2]), Err(Fault::NotEnoughVotingPower { signed: 20, total: 40, expected: 27 })));
        assert!(matches!(of_polka(&[1, 2, 2]), Err(Fault::DuplicateVote(_))));
        assert!(matches!(of_polka(&[1, 2, 9]), Err(Fault::UnknownValidator(_))));
    }

    #[test]
    fn a_skip_certificate_needs_one_honest_vote_and_a_precommit_certificate_a_quorum() {
        let nil = |number| vote(number, VoteType::Precommit, NilOrVal::Nil);
        let prevote = |number| vote(number, VoteType::Prevote, NilOrVal::Val(BLOCK));
        assert_eq!(of_round(RoundCertificateType::Skip, vec![nil(1), prevote(2)]), Ok(()));
        let alone = of_round(RoundCertificateType::Skip, vec![nil(1)]);
        assert!(matches!(alone, Err(Fault::NotEnoughVotingPower { .. })));
        assert_eq!(of_round(RoundCertificateType::Precommit, vec![nil(1), nil(2), nil(3)]), Ok(()));
        let mixed = of_round(RoundCertificateType::Precommit, vec![nil(1), nil(2), prevote(3)]);
        assert!(matches!(mixed, Err(Fault::InvalidVoteType(_))));
        let mut forged = nil(2);
        forged.signature.time = Time(8);
        let forged = of_round(RoundCertificateType::Skip, vec![nil(1), forged]);
        assert!(matches!(forged, Err(Fault::InvalidRoundSignature(_))));
    }
}
