//! Whose turn it is to propose: priorities of validators, moved on from height to height as nodes do.
//!
//! No hash covers priorities, but they follow from each other: a stored set is the one of the height below with the
//! application's changes, moved on by one turn. Source: types/validator_set.go, `IncrementProposerPriority`,
//! `UpdateWithChangeSet`; state/execution.go, `updateState`; the same in 0.34 to 1.0.

use ledger_formats::comet::{ValidatorSet, ValidatorUpdate};
use proofs::commit::Address;

/// Priorities of a set lie within this many times its power.
const WINDOW: i64 = 2;

/// Largest total power (`MaxTotalVotingPower`).
const TOTAL_MAX: i64 = i64::MAX / 8;

/// A validator's place in the rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Member {
    address: Address,
    power: i64,
    priority: i64,
}

/// A validator set as far as it matters to whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rotation {
    /// By power, largest first, then by address.
    members: Vec<Member>,
    total: i64,
    proposer: Option<Address>,
}

/// A change of a validator: its new power, 0 to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    address: Address,
    power: i64,
}

/// The changes that the application asked for; `None` if one is of a key whose address cannot be told here.
pub(super) fn changes(updates: &[ValidatorUpdate<'_>]) -> Option<Vec<Change>> {
    let change = |update: &ValidatorUpdate<'_>| {
        let address = update.pub_key.to_proof().ok()?.address();
        Some(Change { address, power: i64::try_from(update.power).ok()? })
    };
    updates.iter().map(change).collect()
}

impl Rotation {
    /// The set as stored; `None` if it is not one that a node could have.
    pub(super) fn of(set: &ValidatorSet<'_>) -> Option<Self> {
        let member = |validator: &ledger_formats::comet::Validator<'_>| {
            Some(Member {
                address: validator.address.try_into().ok()?,
                power: i64::try_from(validator.voting_power).ok()?,
                priority: validator.proposer_priority,
            })
        };
        let members: Vec<Member> = set.validators.iter().map(member).collect::<Option<_>>()?;
        let proposer = set.proposer.as_ref().map(|proposer| proposer.address.try_into()).transpose().ok()?;
        Self { members, total: 0, proposer }.ordered()
    }

    /// The set as it is at the first height: all members new, moved on by one turn.
    pub(super) fn at_genesis(&self) -> Option<Self> {
        let changes: Vec<Change> =
            self.members.iter().map(|member| Change { address: member.address, power: member.power }).collect();
        Self { members: Vec::new(), total: 0, proposer: None }.changed(&changes)?.moved_on(1)
    }

    /// Whose turn it is in the first round.
    pub(super) fn proposer(&self) -> Option<&Address> {
        self.proposer.as_ref()
    }

    /// The set of the next height, after the changes of the application.
    pub(super) fn next(&self, changes: &[Change]) -> Option<Self> {
        if changes.is_empty() { self.moved_on(1) } else { self.changed(changes)?.moved_on(1) }
    }

    /// The set after so many turns.
    pub(super) fn moved_on(&self, turns: u64) -> Option<Self> {
        if turns == 0 {
            return Some(self.clone());
        }
        let mut set = self.clone();
        set.centre();
        for _ in 0..turns {
            set.turn()?;
        }
        Some(set)
    }

    fn turn(&mut self) -> Option<()> {
        for member in &mut self.members {
            member.priority = member.priority.saturating_add(member.power);
        }
        // Of equal priorities the smaller address is first.
        let order = |member: &&mut Member| (member.priority, std::cmp::Reverse(member.address));
        let first = self.members.iter_mut().max_by_key(order)?;
        first.priority = first.priority.saturating_sub(self.total);
        self.proposer = Some(first.address);
        Some(())
    }

    /// Brings priorities into their window and around zero.
    fn centre(&mut self) {
        let (Some(max), Some(min)) = (
            self.members.iter().map(|member| member.priority).max(),
            self.members.iter().map(|member| member.priority).min(),
        ) else {
            return;
        };
        let window = WINDOW.saturating_mul(self.total);
        let spread = max.saturating_sub(min);
        if window > 0 && spread > window {
            let ratio = (spread.saturating_add(window - 1)) / window;
            self.members.iter_mut().for_each(|member| member.priority /= ratio);
        }
        let sum: i128 = self.members.iter().map(|member| i128::from(member.priority)).sum();
        let average = sum.div_euclid(self.members.len() as i128);
        let average = i64::try_from(average).expect("the average of 64-bit numbers has 64 bits");
        self.members.iter_mut().for_each(|member| member.priority = member.priority.saturating_sub(average));
    }

    /// The set with changed powers, new members and without those that leave; `None` where a node would halt.
    fn changed(&self, changes: &[Change]) -> Option<Self> {
        let mut set = self.clone();
        let before_removals = set.total_after(changes)?;
        // A new member begins behind all others, by an eighth more than the power of all.
        let newcomer = -(before_removals + (before_removals >> 3));
        for change in changes {
            let place = set.members.iter().position(|member| member.address == change.address);
            match (place, change.power) {
                (Some(place), 0) => drop(set.members.remove(place)),
                (None, 0) => return None,
                (Some(place), power) => set.members.get_mut(place)?.power = power,
                (None, power) => set.members.push(Member { address: change.address, power, priority: newcomer }),
            }
        }
        let mut set = set.ordered()?;
        set.centre();
        Some(set)
    }

    /// Total power with all changes but removals.
    fn total_after(&self, changes: &[Change]) -> Option<i64> {
        let mut total = self.total;
        for (number, change) in changes.iter().enumerate() {
            if changes.iter().take(number).any(|earlier| earlier.address == change.address) {
                return None;
            }
            let old = self.members.iter().find(|member| member.address == change.address);
            if change.power > 0 {
                total = total.checked_add(change.power)?.checked_sub(old.map_or(0, |member| member.power))?;
            }
        }
        (total <= TOTAL_MAX).then_some(total)
    }

    /// Brings members into their order and adds up their power.
    fn ordered(mut self) -> Option<Self> {
        self.members.sort_unstable_by_key(|member| (std::cmp::Reverse(member.power), member.address));
        self.total = self.members.iter().try_fold(0_i64, |total, member| total.checked_add(member.power))?;
        (!self.members.is_empty() && self.total <= TOTAL_MAX).then_some(self)
    }
}

impl std::fmt::Display for Rotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "proposer {}", self.proposer.map_or_else(|| "none".to_owned(), hex::encode))?;
        for Member { address, power, priority } in self.members.iter().take(8) {
            write!(f, ", {}.. of {power} at {priority}", hex::encode(address.first_chunk::<4>().unwrap_or(&[0; 4])))?;
        }
        if self.members.len() > 8 {
            write!(f, ", and {} more", self.members.len() - 8)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(powers: &[i64]) -> Rotation {
        let members =
            (1_u8..).zip(powers).map(|(number, power)| Member { address: [number; 20], power: *power, priority: 0 });
        Rotation { members: members.collect(), total: 0, proposer: None }.ordered().expect("a set")
    }

    /// The proposers of the next turns, by the number in their address.
    fn proposers(set: &Rotation, turns: u64) -> Vec<u8> {
        (1..=turns).map(|turn| set.moved_on(turn).and_then(|set| set.proposer).expect("a proposer")[0]).collect()
    }

    #[test]
    fn turns_are_in_proportion_to_power() {
        // types/validator_set_test.go, TestProposerSelection1, its first 41 turns: 1 is bar, 2 is baz, 3 is foo.
        let expected = "32313323133233132331".to_owned() + "332313323133233132331";
        let actual: String = proposers(&set(&[300, 330, 1000]), 41).iter().map(u8::to_string).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn of_equal_validators_the_smaller_address_is_first() {
        assert_eq!(proposers(&set(&[100, 100, 100]), 6), [1, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn a_newcomer_begins_behind_all_others() {
        let grown = set(&[10, 10]).changed(&[Change { address: [9; 20], power: 12 }]).expect("is possible");
        // 32 in all: -36 for the newcomer, then around zero.
        let priorities: Vec<i64> = grown.members.iter().map(|member| member.priority).collect();
        assert_eq!((priorities, grown.total), (vec![-24, 12, 12], 32));
    }

    #[test]
    fn what_halts_a_node_has_no_outcome() {
        let two = set(&[10, 10]);
        let change = Change { address: [1; 20], power: 3 };
        assert_eq!(two.changed(&[change, change]), None, "twice the same");
        assert_eq!(two.changed(&[Change { address: [7; 20], power: 0 }]), None, "none such");
        let leave = |number: u8| Change { address: [number; 20], power: 0 };
        assert_eq!(two.changed(&[leave(1), leave(2)]), None, "none left");
        assert_eq!(two.changed(&[Change { address: [7; 20], power: TOTAL_MAX }]), None, "too much power");
    }

    #[test]
    fn hostile_priorities_do_not_overflow() {
        let mut wild = set(&[1, TOTAL_MAX - 1]);
        wild.members[0].priority = i64::MAX;
        wild.members[1].priority = i64::MIN;
        assert!(wild.moved_on(3).is_some());
        let one = set(&[0]);
        assert!(one.moved_on(1).is_some());
    }
}
