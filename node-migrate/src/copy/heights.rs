//! Which heights a damaged stretch of keys hits, in words for the operator.

use ledger_formats::comet::key::{BlockKey, Layout, StateKey};
use ledger_formats::store::ReadStore;

use crate::home::Role;
use crate::tips::{self, Tip};

/// Separate runs of heights that are named; more are only counted.
const RUNS_SHOWN: usize = 8;

/// The heights whose keys may lie between two keys, both inclusive; `None` when the store has no
/// heights, or cannot tell how many.
pub(super) fn hit(role: Role, store: &dyn ReadStore, first: &[u8], last: &[u8]) -> Option<String> {
    // The state reaches two heights above its tip: validators are known so far ahead.
    let top = match tips::of(role, store).ok()?? {
        Tip::Blocks { height, .. } => height + 1,
        Tip::State(height) => height + 2,
        Tip::Version(_) => return None,
    };
    let mut probe = Probe { first, last, key: Vec::new() };
    let hits = (0..=top).filter(|height| Layout::ALL.into_iter().any(|layout| probe.height(role, layout, *height)));
    Some(in_words(hits))
}

struct Probe<'a> {
    first: &'a [u8],
    last: &'a [u8],
    key: Vec<u8>,
}

impl Probe<'_> {
    fn height(&mut self, role: Role, layout: Layout, height: u64) -> bool {
        if role == Role::State {
            return [
                StateKey::Validators { height },
                StateKey::ConsensusParams { height },
                StateKey::AbciResponses { height },
            ]
            .iter()
            .any(|key| self.between(|out| key.encode(layout, out)));
        }
        let single = [
            BlockKey::Meta { height },
            BlockKey::Commit { height },
            BlockKey::SeenCommit { height },
            BlockKey::ExtendedCommit { height },
        ];
        single.iter().any(|key| self.between(|out| key.encode(layout, out))) || self.parts(layout, height)
    }

    fn between(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> bool {
        self.key.clear();
        encode(&mut self.key);
        self.first <= self.key.as_slice() && self.key.as_slice() <= self.last
    }

    /// How many parts a block has is not known here: any key that begins like one of its parts counts.
    fn parts(&mut self, layout: Layout, height: u64) -> bool {
        self.key.clear();
        BlockKey::Part { height, part: 0 }.encode(layout, &mut self.key);
        self.key.pop();
        let prefix = self.key.as_slice();
        let from = self.first.get(..prefix.len()).unwrap_or(self.first);
        let to = self.last.get(..prefix.len()).unwrap_or(self.last);
        from <= prefix && prefix <= to
    }
}

fn in_words(heights: impl Iterator<Item = u64>) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for height in heights {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == height => *end = height,
            _ => runs.push((height, height)),
        }
    }
    if runs.is_empty() {
        return "no height (an index or single record)".to_owned();
    }
    let shown = runs
        .iter()
        .take(RUNS_SHOWN)
        .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") });
    let mut words = shown.collect::<Vec<_>>().join(", ");
    if runs.len() > RUNS_SHOWN {
        words.push_str(&format!(" and {} more stretches", runs.len() - RUNS_SHOWN));
    }
    format!("heights {words}")
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn runs_of_heights_are_joined() {
        assert_eq!(in_words([1, 2, 3, 7, 9, 10].into_iter()), "heights 1-3, 7, 9-10");
        assert_eq!(in_words([].into_iter()), "no height (an index or single record)");
        assert!(in_words((0..100).step_by(2)).ends_with("and 42 more stretches"));
    }
}
