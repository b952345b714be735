//! The walk's part of what follows from height to height without a hash: whose turn it is, and all parameters.

use std::rc::Rc;

use ledger_formats::comet::Header;
use ledger_formats::comet::key::StateKey;

use super::params::{Content, Params};
use super::rotation::Rotation;
use super::rows::Rows;
use super::validators::Stored;
use super::walk::{Below, Walk};
use crate::verify::what::What;

/// Most rounds that are looked through for the one in which a block was proposed.
const ROUNDS_MAX: u64 = 64;

/// What a walk knows of the height below.
#[derive(Default)]
pub(super) struct Turns {
    rotation: Option<(u64, Rotation)>,
    params: Option<(u64, Rc<Content>)>,
    /// Height of a stored set that was reported.
    reported: Option<u64>,
}

impl Walk<'_> {
    /// The set of a height against the one below, and the proposer of its block against the rotation.
    ///
    /// `rounds`: how many rounds it took to decide, at most; a block can have been proposed in any of them.
    pub(super) fn check_turn(&mut self, height: u64, header: &Header<'_>, set: &Stored, rounds: u64, below: &Below) {
        let (Some(state), chain) = (&self.chain.state, self.chain) else { return };
        let earlier = self.turns.rotation.take();
        let below_set = earlier.filter(|(at, _)| at.checked_add(1) == Some(height)).map(|(_, rotation)| rotation);
        let stored = set.decode().ok().and_then(|set| Rotation::of(&set));
        let is_stored_here = set.height == height;
        let rotation = match (is_stored_here, &below_set) {
            (false, Some(below)) => below.moved_on(1),
            _ => stored.as_ref().and_then(|stored| stored.moved_on(height.saturating_sub(set.height))),
        };
        if is_stored_here && let Some(stored) = &stored {
            let expected = match (&below_set, &below.older_changes) {
                _ if height == chain.initial_height => stored.at_genesis(),
                (Some(below), Some(changes)) => below.next(changes),
                _ => None,
            };
            self.compare(state, height, expected.as_ref(), stored);
        }
        // In the height of its record the proposer is stored, not reckoned: a state-synced node stores another one.
        if let Some(rotation) = rotation.as_ref().filter(|_| !is_stored_here)
            && self.turns.reported != Some(set.height)
            && !was_proposer(rotation, header.proposer_address, rounds)
        {
            let whose = rotation.proposer().map_or_else(|| "none".to_owned(), hex::encode);
            let expected = format!("turns in which {} proposes block {height}", hex::encode(header.proposer_address));
            let key = StateKey::Validators { height: set.height };
            state.doubt(&key, Some(height), What::ProposerPriority, &expected, &format!("the turn of {whose}"));
            self.turns.reported = Some(set.height);
        }
        self.turns.rotation = rotation.map(|rotation| (height, rotation));
    }

    fn compare(&mut self, state: &Rows<'_>, height: u64, expected: Option<&Rotation>, stored: &Rotation) {
        if let Some(expected) = expected.filter(|expected| *expected != stored) {
            let key = StateKey::Validators { height };
            state.doubt(&key, Some(height), What::ProposerPriority, expected, stored);
            self.turns.reported = Some(height);
        }
    }

    /// All parameters of a height against those below and the changes of the application.
    pub(super) fn check_params_follow(&mut self, height: u64, params: &Params, below: &Below) {
        let earlier = self.turns.params.replace((height, Rc::clone(&params.content)));
        let (Some(state), Some((at, earlier)), Some(results)) = (&self.chain.state, earlier, &below.results) else {
            return;
        };
        if params.stored_at != height || at.checked_add(1) != Some(height) {
            return;
        }
        let expected = results.params.as_ref().map_or_else(|| (*earlier).clone(), |update| earlier.updated(update));
        let differences = expected.differences(&params.content);
        if !differences.is_empty() {
            let key = StateKey::ConsensusParams { height };
            let actual = format!("other {}", differences.join(", "));
            let expected = "the parameters of the height below with the application's changes";
            state.doubt(&key, Some(height), What::ConsensusParams, &expected, &actual);
        }
    }
}

/// Whether `address` had the turn in one of the rounds.
fn was_proposer(rotation: &Rotation, address: &[u8], rounds: u64) -> bool {
    let has_turn = |round: u64| {
        rotation.moved_on(round).is_none_or(|set| set.proposer().is_none_or(|proposer| proposer == address))
    };
    rounds > ROUNDS_MAX || (0..=rounds).any(has_turn)
}
