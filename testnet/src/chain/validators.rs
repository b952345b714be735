//! A validator set: keys and powers in the order that commits refer to, and whose turn it is.

use ledger_formats::comet;
use ledger_formats::comet::wire::{put_bytes, put_int, put_message, put_uint};
use proofs::merkle::Hash;

use super::dialect::{Dialect, KEY_TYPE};
use super::keys::{Address, PublicKey};

/// Most power of all, so that priorities never overflow (`MaxTotalVotingPower`).
pub const POWER_MAX: u64 = i64::MAX as u64 / 8;

/// A validator of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validator {
    /// Its address, made from its key.
    pub address: Address,
    /// Its key.
    pub public_key: PublicKey,
    /// Its share of the votes.
    pub power: u64,
    /// When it is its turn; not covered by the hash of the set.
    pub priority: i64,
}

/// Validators by power descending, then by address; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    pub(super) members: Vec<Validator>,
    pub(super) total: u64,
    /// Place of the one whose turn it is.
    pub(super) proposer: usize,
    hash: Hash,
}

/// Why validators are not a set, or cannot become another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidatorSetFault {
    /// Nobody is left.
    #[error("no validator is left")]
    Empty,
    /// A change names a validator twice.
    #[error("validator {address} is changed twice in one block")]
    Twice {
        /// The validator.
        address: Address,
    },
    /// A change removes somebody who is not there.
    #[error("validator {address} is to be removed and is not there")]
    NoSuchValidator {
        /// The validator.
        address: Address,
    },
    /// The powers are more than priorities can bear.
    #[error("the power of all validators exceeds {POWER_MAX}")]
    TooMuchPower,
    /// A stored set names a proposer that is not a member, or has none.
    #[error("the proposer is not one of the validators")]
    Proposer,
}

impl Validator {
    /// A validator that has not had a turn.
    #[must_use]
    pub fn new(public_key: PublicKey, power: u64) -> Self {
        Self { address: public_key.address(), public_key, power, priority: 0 }
    }

    fn put(&self, dialect: Dialect, out: &mut Vec<u8>) {
        put_bytes(out, 1, &self.address.0);
        if dialect == Dialect::V0_38 {
            put_message(out, 2, |out| self.borrowed_key().put(out));
        }
        put_uint(out, 3, self.power);
        put_int(out, 4, self.priority);
        if dialect == Dialect::V1_0 {
            put_bytes(out, 5, &self.public_key.0);
            put_bytes(out, 6, KEY_TYPE);
        }
    }

    fn borrowed_key(&self) -> comet::PublicKey<'_> {
        comet::PublicKey { kind: &comet::KEY_KINDS[0], bytes: &self.public_key.0 }
    }

    fn borrowed(&self) -> comet::Validator<'_> {
        comet::Validator {
            address: &self.address.0,
            pub_key: self.borrowed_key(),
            voting_power: self.power,
            proposer_priority: self.priority,
        }
    }

    fn from_borrowed(validator: &comet::Validator<'_>) -> Option<Self> {
        let public_key = PublicKey(validator.pub_key.bytes.try_into().ok()?);
        Some(Self { priority: validator.proposer_priority, ..Self::new(public_key, validator.voting_power) })
    }
}

impl ValidatorSet {
    /// The set of a genesis file: its first turn is taken.
    ///
    /// # Errors
    /// When it is not a set.
    pub fn genesis(members: impl IntoIterator<Item = (PublicKey, u64)>) -> Result<Self, ValidatorSetFault> {
        let members = members.into_iter().map(|(key, power)| Validator::new(key, power)).collect();
        Ok(Self::ordered(members)?.moved_on(1))
    }

    /// Puts members in order. Whose turn it is is not known before the next one.
    pub(super) fn ordered(mut members: Vec<Validator>) -> Result<Self, ValidatorSetFault> {
        members.sort_unstable_by_key(|member| (std::cmp::Reverse(member.power), member.address));
        let total = members.iter().try_fold(0_u64, |total, member| total.checked_add(member.power));
        let total = total.filter(|total| *total <= POWER_MAX).ok_or(ValidatorSetFault::TooMuchPower)?;
        if members.is_empty() {
            return Err(ValidatorSetFault::Empty);
        }
        let validators = members.iter().map(Validator::borrowed).collect();
        let hash = comet::ValidatorSet { validators, ..comet::ValidatorSet::default() }.hash();
        Ok(Self { members, total, proposer: 0, hash })
    }

    /// Takes up a stored set.
    ///
    /// # Errors
    /// When it is not a set, or its proposer is not one of it.
    pub fn from_borrowed(set: &comet::ValidatorSet<'_>) -> Result<Self, ValidatorSetFault> {
        let members = set.validators.iter().map(Validator::from_borrowed).collect::<Option<Vec<_>>>();
        let mut own = Self::ordered(members.ok_or(ValidatorSetFault::Proposer)?)?;
        let proposer = set.proposer.as_ref().map(|proposer| proposer.address);
        let place = own.members.iter().position(|member| Some(&member.address.0[..]) == proposer);
        own.proposer = place.ok_or(ValidatorSetFault::Proposer)?;
        Ok(own)
    }

    /// The same, lent to the codecs.
    #[must_use]
    pub fn borrowed(&self) -> comet::ValidatorSet<'_> {
        comet::ValidatorSet {
            validators: self.members.iter().map(Validator::borrowed).collect(),
            proposer: Some(self.proposer().borrowed()),
            total_voting_power: 0,
        }
    }

    /// Appends the fields of the message.
    pub fn put(&self, dialect: Dialect, out: &mut Vec<u8>) {
        for member in &self.members {
            put_message(out, 1, |out| member.put(dialect, out));
        }
        put_message(out, 2, |out| self.proposer().put(dialect, out));
    }

    /// The validators in the order of the set.
    #[must_use]
    pub fn members(&self) -> &[Validator] {
        &self.members
    }

    /// Power of all.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The validators hash.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// Whose turn it is in round 0.
    #[must_use]
    pub fn proposer(&self) -> &Validator {
        &self.members[self.proposer]
    }

    /// The member of an address.
    #[must_use]
    pub fn by_address(&self, address: &Address) -> Option<&Validator> {
        self.members.iter().find(|member| member.address == *address)
    }
}

#[cfg(test)]
mod tests {
    use ledger_formats::comet::Decode;

    use super::*;
    use crate::chain::{Crypto, PrivateKey};

    #[test]
    fn a_set_comes_back_from_its_bytes_with_priorities_and_turn() {
        let keys = (1..=5).map(|number| PrivateKey::from_seed([number; 32], Crypto::Ed25519).public());
        let set = ValidatorSet::genesis(keys.zip([10, 30, 10, 20, 7])).expect("a set").moved_on(3);
        for dialect in [Dialect::V0_38, Dialect::V1_0] {
            let mut bytes = Vec::new();
            set.put(dialect, &mut bytes);
            let decoded = comet::ValidatorSet::decode(&bytes).expect("decodes");
            assert_eq!(ValidatorSet::from_borrowed(&decoded), Ok(set.clone()));
            assert_eq!((decoded.hash(), decoded.total_power()), (set.hash(), Some(77)));
        }
        let powers: Vec<u64> = set.members().iter().map(|member| member.power).collect();
        assert_eq!(powers, [30, 20, 10, 10, 7]);
        assert!(set.members()[2].address < set.members()[3].address);
    }

    #[test]
    fn a_set_without_its_proposer_is_refused() {
        let set = ValidatorSet::genesis([(PublicKey([1; 32]), 1)]).expect("a set");
        let stranger = Validator::new(PublicKey([2; 32]), 1);
        let other = comet::ValidatorSet { proposer: Some(stranger.borrowed()), ..set.borrowed() };
        assert_eq!(ValidatorSet::from_borrowed(&other), Err(ValidatorSetFault::Proposer));
    }
}
