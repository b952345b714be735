//! Which releases may be joined: those whose validators compute the same blocks.
//!
//! v0.40.0 takes the time of a block from the Commit precommits alone, v0.38 and v0.39 from all that are not absent
//! (`MedianTime` in `state/state.go`; changelog of v0.40.0, #5901, "STATE-BREAKING"). As soon as a commit holds a precommit for
//! nil the two may propose different times, and each refuses the other's block. Validators of both kinds in one
//! network stop it, so such a pair is refused before a byte is moved.
//!
//! The operator states the releases. What a node says of itself does not decide: v0.40.0 may call itself 0.39.0, and libp2p
//! nodes name no release at all. A claim that contradicts the statement is refused where the claim is certainly right.

use std::fmt::{self, Display};
use std::str::FromStr;

use proto::hello::TimeRule;

use crate::lp2p;

/// A release of CometBFT, as far as a tunnel is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// v0.38.x: the classic transport only.
    V0_38,
    /// v0.39.x: either transport.
    V0_39,
    /// v0.40.x: either transport.
    V0_40,
}

/// Every release that can be at an end of a tunnel.
pub const RELEASES: [Release; 3] = [Release::V0_38, Release::V0_39, Release::V0_40];

/// Why a text is not a release that can be at an end of a tunnel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a release that a tunnel joins; it is one of v0.38, v0.39, v0.40 (also as v0.38.26)")]
pub struct NotARelease {
    /// The text.
    pub text: String,
}

impl FromStr for Release {
    type Err = NotARelease;

    fn from_str(text: &str) -> Result<Self, NotARelease> {
        let (major, minor) = numbers(text).ok_or_else(|| NotARelease { text: text.into() })?;
        RELEASES
            .into_iter()
            .find(|each| (0, each.minor()) == (major, minor))
            .ok_or_else(|| NotARelease { text: text.into() })
    }
}

/// The first two numbers of `v0.38.26`, `0.38` and their like.
fn numbers(text: &str) -> Option<(u32, u32)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    // What follows the numbers of a pre-release, or of a chain's own build, is not part of the release.
    let text = text.split(['-', '+']).next()?;
    let mut numbers = text.split('.').map(str::parse);
    match (numbers.next()?, numbers.next()?, numbers.all(|each: Result<u32, _>| each.is_ok())) {
        (Ok(major), Ok(minor), true) => Some((major, minor)),
        _ => None,
    }
}

impl Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v0.{}", self.minor())
    }
}

impl Release {
    fn minor(self) -> u32 {
        match self {
            Self::V0_38 => 38,
            Self::V0_39 => 39,
            Self::V0_40 => 40,
        }
    }

    /// By which rule it computes the time of a block.
    #[must_use]
    pub fn time_rule(self) -> TimeRule {
        match self {
            Self::V0_38 | Self::V0_39 => TimeRule::V0_38,
            Self::V0_40 => TimeRule::V0_40,
        }
    }

    fn on_libp2p(self) -> Option<lp2p::Release> {
        match self {
            Self::V0_38 => None,
            Self::V0_39 => Some(lp2p::Release::V0_39),
            Self::V0_40 => Some(lp2p::Release::V0_40),
        }
    }
}

/// Two releases that may be joined; made by [`Pair::new`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    classic: Release,
    lp2p: Release,
    transport: lp2p::Release,
}

/// Why two releases may not be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedPair {
    /// They compute different blocks.
    #[error(
        "{classic} and {lp2p} compute the time of a block by different rules once a commit holds a precommit for nil, and refuse each \
         other's blocks: move every validator to {later} at one agreed height instead"
    )]
    Rules {
        /// At the classic end.
        classic: Release,
        /// At the libp2p end.
        lp2p: Release,
        /// The later of the two.
        later: Release,
    },
    /// The release at the libp2p end has no libp2p.
    #[error("{lp2p} has no libp2p: its nodes are reached over the classic transport")]
    NoLibp2p {
        /// At the libp2p end.
        lp2p: Release,
    },
}

impl Pair {
    /// Joins a release on the classic transport with one on libp2p.
    ///
    /// # Errors
    /// When their validators would not agree on blocks.
    pub fn new(classic: Release, lp2p: Release) -> Result<Self, RefusedPair> {
        let transport = lp2p.on_libp2p().ok_or(RefusedPair::NoLibp2p { lp2p })?;
        if classic.time_rule() != lp2p.time_rule() {
            return Err(RefusedPair::Rules { classic, lp2p, later: classic.max(lp2p) });
        }
        Ok(Self { classic, lp2p, transport })
    }

    /// At the classic end.
    #[must_use]
    pub fn classic(self) -> Release {
        self.classic
    }

    /// At the libp2p end.
    #[must_use]
    pub fn lp2p(self) -> Release {
        self.lp2p
    }

    pub(super) fn transport(self) -> lp2p::Release {
        self.transport
    }
}

/// What to make of the release that a node claims in its `NodeInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is what the operator stated.
    Agrees,
    /// It may be so, and the operator should look.
    Doubtful(String),
    /// The node is certainly another release than stated, with other rules.
    Contradicts(String),
}

impl Claim {
    /// Holds a node's claim against what the operator stated.
    #[must_use]
    pub fn check(stated: Release, claim: &str) -> Self {
        let shown: String = claim.chars().filter(|each| !each.is_control()).take(40).collect();
        let Some(numbers) = numbers(claim) else {
            return Self::Doubtful(format!(
                "the node calls itself {shown:?}, which is no release of CometBFT; you stated {stated}"
            ));
        };
        let claimed = RELEASES.into_iter().find(|each| (0, each.minor()) == numbers);
        match (stated, claimed) {
            // Built as a module, v0.40.0 still calls itself 0.39.0.
            (Release::V0_40, Some(Release::V0_39)) => Self::Agrees,
            (Release::V0_39, Some(Release::V0_39)) if claim.trim_start_matches('v') == "0.39.0" => {
                Self::Doubtful(format!(
                    "the node calls itself {shown}, as v0.40.0 also does; you stated {stated}: make sure, the two do not mix"
                ))
            }
            (_, Some(claimed)) if claimed == stated => Self::Agrees,
            (_, Some(claimed)) if claimed.time_rule() == stated.time_rule() => {
                Self::Doubtful(format!("the node calls itself {shown}; you stated {stated}, whose rules are the same"))
            }
            _ => Self::Contradicts(format!(
                "the node calls itself {shown}; you stated {stated}, whose consensus rules are others"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_releases_with_the_same_rules_are_joined() {
        let allowed = |classic: &str, lp2p: &str| Pair::new(classic.parse().unwrap(), lp2p.parse().unwrap()).is_ok();
        assert!(allowed("v0.38.26", "v0.39.4") && allowed("0.39", "0.39") && allowed("0.40", "0.40"));
        for (classic, lp2p) in [("0.38", "0.40"), ("0.39", "0.40"), ("0.40", "0.39"), ("0.38", "0.38")] {
            assert!(!allowed(classic, lp2p), "{classic} {lp2p}");
        }
        let refused = Pair::new(Release::V0_38, Release::V0_40).unwrap_err().to_string();
        assert!(
            refused.contains("precommit for nil") && refused.contains("move every validator to v0.40"),
            "{refused}"
        );
    }

    #[test]
    fn releases_read_with_and_without_their_patch() {
        for text in ["0.38", "v0.38", "0.38.26", "v0.38.26-rc1"] {
            assert_eq!(text.parse(), Ok(Release::V0_38), "{text}");
        }
        for text in ["", "v", "0", "0.37", "1.0.1", "0.38.x", "0.380", "38"] {
            assert!(text.parse::<Release>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_claim_refuses_only_where_it_is_certain() {
        assert_eq!(Claim::check(Release::V0_38, "0.38.26"), Claim::Agrees);
        assert_eq!(Claim::check(Release::V0_40, "0.39.0"), Claim::Agrees);
        assert_eq!(Claim::check(Release::V0_39, "0.39.4"), Claim::Agrees);
        for (stated, claim) in
            [(Release::V0_39, "0.39.0"), (Release::V0_38, "0.39.4"), (Release::V0_38, "mychain"), (Release::V0_38, "")]
        {
            assert!(matches!(Claim::check(stated, claim), Claim::Doubtful(_)), "{stated} {claim}");
        }
        for (stated, claim) in [
            (Release::V0_38, "0.40.0"),
            (Release::V0_40, "0.38.26"),
            (Release::V0_38, "1.0.1"),
            (Release::V0_39, "0.34.24"),
        ] {
            assert!(matches!(Claim::check(stated, claim), Claim::Contradicts(_)), "{stated} {claim}");
        }
    }
}
