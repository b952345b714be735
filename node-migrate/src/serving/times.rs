//! Which rule of block time the network follows, as the operator says.

use std::fmt::{self, Display};
use std::str::FromStr;

use ledger_formats::comet::TimeRule;

/// The rule of each height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeRules {
    /// That of releases 0.34 to 0.39 and 1.0, which count every vote.
    AllVotes,
    /// That of 0.40, which counts votes for the block.
    VotesForBlock,
    /// The first below a height, the second from there on.
    Switch {
        /// The height.
        at: u64,
    },
}

/// Not the name of rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is none of v0.38, v0.40, switch@<height>")]
pub struct NotATimeRule {
    /// What was given.
    pub text: String,
}

impl TimeRules {
    /// The rule of a height.
    #[must_use]
    pub const fn at(self, height: u64) -> TimeRule {
        match self {
            Self::AllVotes => TimeRule::AllVotes,
            Self::VotesForBlock => TimeRule::VotesForBlock,
            Self::Switch { at } if height < at => TimeRule::AllVotes,
            Self::Switch { .. } => TimeRule::VotesForBlock,
        }
    }
}

impl FromStr for TimeRules {
    type Err = NotATimeRule;

    fn from_str(text: &str) -> Result<Self, NotATimeRule> {
        let switch = || text.strip_prefix("switch@").and_then(|height| height.parse().ok());
        match text {
            "v0.38" => Ok(Self::AllVotes),
            "v0.40" => Ok(Self::VotesForBlock),
            _ => switch().map(|at| Self::Switch { at }).ok_or_else(|| NotATimeRule { text: text.to_owned() }),
        }
    }
}

impl Display for TimeRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllVotes => f.write_str("v0.38"),
            Self::VotesForBlock => f.write_str("v0.40"),
            Self::Switch { at } => write!(f, "switch@{at}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_say_which_one_a_height_has() {
        for (text, rules) in [("v0.38", [TimeRule::AllVotes; 2]), ("v0.40", [TimeRule::VotesForBlock; 2])] {
            let read: TimeRules = text.parse().expect("rules");
            assert_eq!((read.to_string().as_str(), [9, 10].map(|height| read.at(height))), (text, rules));
        }
        let read: TimeRules = "switch@10".parse().expect("rules");
        assert_eq!([9, 10].map(|height| read.at(height)), [TimeRule::AllVotes, TimeRule::VotesForBlock]);
        for wrong in ["", "v0.39", "switch@", "switch@-1", "switch@x"] {
            assert!(wrong.parse::<TimeRules>().is_err(), "{wrong}");
        }
    }
}
