//! A validator set: keys, addresses and power in the order that commits refer to.

use super::key::{Address, PublicKey};

/// The validators of a height, made once and used for every height with the same `validators_hash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    validators: Vec<Validator>,
    total_power: u64,
}

/// A validator at its place in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validator {
    key: PublicKey,
    address: Address,
    power: u64,
}

/// Why validators are not a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidatorSetError {
    /// Voting power is never negative.
    #[error("validator {index} has the negative power {power}")]
    NegativePower {
        /// Place in the set, from 0.
        index: usize,
        /// Its power.
        power: i64,
    },
    /// The sum of the powers passes 64 bits; CometBFT allows an eighth of 2^63 - 1.
    #[error("the power of the validators up to {index} passes 64 bits")]
    PowerOverflow {
        /// Place of the validator whose power does not fit any more.
        index: usize,
    },
}

impl ValidatorSet {
    /// Takes keys and powers in the order of the set.
    ///
    /// # Errors
    /// [`ValidatorSetError`].
    pub fn new(validators: impl IntoIterator<Item = (PublicKey, i64)>) -> Result<Self, ValidatorSetError> {
        let mut set = Self { validators: Vec::new(), total_power: 0 };
        for (index, (key, power)) in validators.into_iter().enumerate() {
            let power = u64::try_from(power).map_err(|_| ValidatorSetError::NegativePower { index, power })?;
            let total = set.total_power.checked_add(power);
            set.total_power = total.ok_or(ValidatorSetError::PowerOverflow { index })?;
            set.validators.push(Validator { key, address: key.address(), power });
        }
        Ok(set)
    }

    /// The validators in the order of the set.
    #[must_use]
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// Power of all validators.
    #[must_use]
    pub const fn total_power(&self) -> u64 {
        self.total_power
    }
}

impl Validator {
    /// Its public key.
    #[must_use]
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    /// Its address, made from its key.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Its voting power.
    #[must_use]
    pub const fn power(&self) -> u64 {
        self.power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PublicKey = PublicKey::Ed25519([7; 32]);

    #[test]
    fn powers_are_added_up_or_refused() {
        let set = ValidatorSet::new([(KEY, i64::MAX), (KEY, i64::MAX), (KEY, 1)]).expect("2^64 - 1");
        assert_eq!(set.total_power(), u64::MAX);
        let overflow = ValidatorSet::new([(KEY, i64::MAX), (KEY, i64::MAX), (KEY, 2)]);
        assert_eq!(overflow, Err(ValidatorSetError::PowerOverflow { index: 2 }));
        let negative = ValidatorSet::new([(KEY, 1), (KEY, -1)]);
        assert_eq!(negative, Err(ValidatorSetError::NegativePower { index: 1, power: -1 }));
    }

    #[test]
    fn addresses_come_from_the_keys() {
        let set = ValidatorSet::new([(KEY, 1)]).expect("a set");
        assert_eq!(set.validators()[0].address(), KEY.address());
    }
}
