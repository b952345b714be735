//! Whose turn it is to propose: priorities of validators, moved on from height to height, and changes of the set.
//!
//! A turn adds to every priority its power; the greatest priority proposes and pays the power of all. Before turns,
//! priorities are scaled into a window of twice the power of all and shifted around zero. Sources: spec/consensus/
//! proposer-selection.md; types/validator_set.go, `IncrementProposerPriority` and `UpdateWithChangeSet`.

use super::keys::PublicKey;
use super::validators::{Validator, ValidatorSet, ValidatorSetFault};

/// A change of the validators that the application asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose power.
    pub public_key: PublicKey,
    /// The power from now on; 0 removes the validator.
    pub power: u64,
}

impl ValidatorSet {
    /// The set after `turns` turns, at least one.
    #[must_use]
    pub fn moved_on(&self, turns: u32) -> Self {
        let mut set = self.clone();
        centre(&mut set.members, set.total);
        for _ in 0..turns.max(1) {
            set.proposer = turn(&mut set.members, set.total);
        }
        set
    }

    /// Place of the proposer of a round: that of the set itself in round 0, and a turn further each round.
    #[must_use]
    pub fn proposer_of(&self, round: u32) -> usize {
        if round == 0 { self.proposer } else { self.moved_on(round).proposer }
    }

    /// The set after the changes of one block, before the turn that follows.
    ///
    /// # Errors
    /// What halts a node: the same validator twice, a removal of none, a set without members, too much power.
    pub fn changed(&self, changes: &[Change]) -> Result<Self, ValidatorSetFault> {
        let mut members = self.members.clone();
        let newcomer = newcomer_priority(&members, changes)?;
        for change in changes {
            let address = change.public_key.address();
            let place = members.iter().position(|member| member.address == address);
            match (place, change.power) {
                (Some(place), 0) => drop(members.remove(place)),
                (None, 0) => return Err(ValidatorSetFault::NoSuchValidator { address }),
                (Some(place), power) => members[place].power = power,
                (None, power) => {
                    members.push(Validator { priority: newcomer, ..Validator::new(change.public_key, power) })
                }
            }
        }
        let mut set = Self::ordered(members)?;
        centre(&mut set.members, set.total);
        Ok(set)
    }
}

/// Priority of a newcomer: behind all others by an eighth more than the power of all, those counted too who leave.
fn newcomer_priority(members: &[Validator], changes: &[Change]) -> Result<i64, ValidatorSetFault> {
    let mut total: u64 = members.iter().map(|member| member.power).sum();
    for (number, change) in changes.iter().enumerate() {
        let address = change.public_key.address();
        if changes.iter().take(number).any(|earlier| earlier.public_key == change.public_key) {
            return Err(ValidatorSetFault::Twice { address });
        }
        let before = members.iter().find(|member| member.address == address).map_or(0, |member| member.power);
        if change.power > 0 {
            total = (total - before).checked_add(change.power).ok_or(ValidatorSetFault::TooMuchPower)?;
        }
    }
    let total = i64::try_from(total).map_err(|_| ValidatorSetFault::TooMuchPower)?;
    Ok(-(total.saturating_add(total >> 3)))
}

/// One turn; says whose it was.
fn turn(members: &mut [Validator], total: u64) -> usize {
    for member in members.iter_mut() {
        member.priority = member.priority.saturating_add(member.power.cast_signed());
    }
    // Of equal priorities the smaller address is first.
    let order = |place: &usize| (members[*place].priority, std::cmp::Reverse(members[*place].address));
    let first = (0..members.len()).max_by_key(order).expect("a set has members");
    members[first].priority = members[first].priority.saturating_sub(total.cast_signed());
    first
}

/// Scales the priorities into the window and shifts them around zero.
fn centre(members: &mut [Validator], total: u64) {
    let window = 2 * total.cast_signed();
    let priorities = || members.iter().map(|member| member.priority);
    let (least, greatest) = (priorities().min().unwrap_or(0), priorities().max().unwrap_or(0));
    let spread = greatest.saturating_sub(least);
    if window > 0 && spread > window {
        let ratio = spread.saturating_add(window - 1) / window;
        members.iter_mut().for_each(|member| member.priority /= ratio);
    }
    let sum: i128 = members.iter().map(|member| i128::from(member.priority)).sum();
    let average = sum.div_euclid(members.len().max(1) as i128);
    let average = i64::try_from(average).expect("the average of 64-bit numbers has 64 bits");
    members.iter_mut().for_each(|member| member.priority = member.priority.saturating_sub(average));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(powers: &[u64]) -> ValidatorSet {
        let members = (1_u8..).zip(powers).map(|(number, power)| (PublicKey([number; 32]), *power));
        ValidatorSet::genesis(members).expect("a set")
    }

    #[test]
    fn turns_are_in_proportion_to_power() {
        // types/validator_set_test.go, TestProposerSelection1: 1 is bar, 2 is baz, 3 is foo.
        let expected = "32313323133233132331".to_owned() + "332313323133233132331";
        let set = set(&[300, 330, 1000]);
        let turns = std::iter::successors(Some(set), |set| Some(set.moved_on(1)));
        let actual: String = turns.take(41).map(|set| set.proposer().public_key.0[0].to_string()).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn rounds_are_further_turns() {
        let set = set(&[300, 330, 1000]);
        let proposer = |round| set.members()[set.proposer_of(round)].public_key.0[0];
        assert_eq!((0..5).map(proposer).collect::<Vec<_>>(), [3, 2, 3, 1, 3]);
    }

    #[test]
    fn a_newcomer_begins_behind_all_others() {
        let grown = set(&[10, 10]).changed(&[Change { public_key: PublicKey([9; 32]), power: 12 }]).expect("grows");
        // One of the two has just proposed (-10 and 10); 32 in all make -36 for the newcomer; then around zero.
        let mut priorities: Vec<i64> = grown.members.iter().map(|member| member.priority).collect();
        priorities.sort_unstable();
        assert_eq!((priorities, grown.total), (vec![-24, 2, 22], 32));
    }

    #[test]
    fn what_halts_a_node_is_a_fault() {
        let two = set(&[10, 10]);
        let change = |number, power| Change { public_key: PublicKey([number; 32]), power };
        assert!(matches!(two.changed(&[change(1, 3), change(1, 4)]), Err(ValidatorSetFault::Twice { .. })));
        assert!(matches!(two.changed(&[change(7, 0)]), Err(ValidatorSetFault::NoSuchValidator { .. })));
        assert!(matches!(two.changed(&[change(1, 0), change(2, 0)]), Err(ValidatorSetFault::Empty)));
        assert!(matches!(two.changed(&[change(7, u64::MAX / 8)]), Err(ValidatorSetFault::TooMuchPower)));
    }
}
