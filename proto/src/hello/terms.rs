//! Which versions of the block exchange a node speaks: data, so that a fleet can be moved from one to the next.

use crate::wire;

use super::HelloError;
use super::status::height;

/// Most versions of a list.
pub const VERSIONS_MAX: usize = 16;

/// A version of the block exchange: `n` of `/node-migrate/blocks/n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u32);

impl Version {
    /// Whole blocks.
    pub const ONE: Self = Self(1);
    /// Parts with proofs.
    pub const TWO: Self = Self(2);
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Versions, newest first, none twice, at most [`VERSIONS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions(Vec<Version>);

/// A version that is given up when the chain has grown past a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sunset {
    /// The version.
    pub version: Version,
    /// The last height at which it is spoken.
    pub last_height: u64,
}

/// Which versions of the block exchange a node speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Versions in which it serves blocks.
    pub served: Versions,
    /// Versions in which it takes blocks.
    pub accepted: Versions,
    /// It speaks no version below this one; `Version(0)` is no such limit.
    pub minimum: Version,
    sunsets: Vec<Sunset>,
}

impl Default for Version {
    /// No version.
    fn default() -> Self {
        Self(0)
    }
}

impl Versions {
    /// Versions from any numbers, in any order.
    ///
    /// # Errors
    /// [`HelloError::VersionOrder`] for version 0, [`HelloError::TooManyVersions`].
    pub fn new(versions: impl IntoIterator<Item = u32>) -> Result<Self, HelloError> {
        let mut versions: Vec<u32> = versions.into_iter().collect();
        versions.sort_unstable_by_key(|version| std::cmp::Reverse(*version));
        versions.dedup();
        Self::from_wire("configured", &versions)
    }

    fn from_wire(list: &'static str, versions: &[u32]) -> Result<Self, HelloError> {
        check_order(list, versions.iter().copied())?;
        Ok(Self(versions.iter().copied().map(Version).collect()))
    }

    /// The versions, newest first.
    pub fn iter(&self) -> impl Iterator<Item = Version> + '_ {
        self.0.iter().copied()
    }

    /// Whether a version is among them.
    #[must_use]
    pub fn contains(&self, version: Version) -> bool {
        self.0.contains(&version)
    }

    /// The newest.
    #[must_use]
    pub fn newest(&self) -> Option<Version> {
        self.0.first().copied()
    }

    fn to_wire(&self) -> Vec<u32> {
        self.iter().map(|Version(number)| number).collect()
    }
}

impl std::fmt::Display for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let texts: Vec<String> = self.iter().map(|version| version.to_string()).collect();
        f.write_str(&texts.join(", "))
    }
}

impl Terms {
    /// Terms without sunsets.
    #[must_use]
    pub const fn new(served: Versions, accepted: Versions, minimum: Version) -> Self {
        Self { served, accepted, minimum, sunsets: Vec::new() }
    }

    /// The same terms, with versions that will be given up; a later one for the same version replaces an earlier one.
    ///
    /// # Errors
    /// [`HelloError::VersionOrder`] for version 0, [`HelloError::TooManyVersions`], [`HelloError::Height`].
    pub fn with_sunsets(mut self, sunsets: impl IntoIterator<Item = Sunset>) -> Result<Self, HelloError> {
        for sunset in sunsets {
            height("last height of a version", sunset.last_height)?;
            self.sunsets.retain(|earlier| earlier.version != sunset.version);
            self.sunsets.push(sunset);
        }
        self.sunsets.sort_unstable_by_key(|sunset| std::cmp::Reverse(sunset.version));
        check_order("sunset", self.sunsets.iter().map(|sunset| sunset.version.0))?;
        Ok(self)
    }

    /// The versions that will be given up, newest first.
    #[must_use]
    pub fn sunsets(&self) -> &[Sunset] {
        &self.sunsets
    }

    /// The last height at which a version is spoken, where there is one.
    #[must_use]
    pub fn last_height(&self, version: Version) -> Option<u64> {
        self.sunsets.iter().find(|sunset| sunset.version == version).map(|sunset| sunset.last_height)
    }

    /// The newest version that it speaks in either direction.
    #[must_use]
    pub fn newest(&self) -> Option<Version> {
        self.served.newest().max(self.accepted.newest())
    }

    /// The versions in which it would serve a peer while its chain is at `height`: what it registers with libp2p.
    pub fn servable_at(&self, height: u64) -> impl Iterator<Item = Version> + '_ {
        let is_spoken = move |version: &Version| {
            *version >= self.minimum && self.last_height(*version).is_none_or(|last| height <= last)
        };
        self.served.iter().filter(is_spoken)
    }

    pub(super) fn from_wire(wire: wire::hello::Terms) -> Result<Self, HelloError> {
        let terms = Self::new(
            Versions::from_wire("served", &wire.served)?,
            Versions::from_wire("accepted", &wire.accepted)?,
            Version(wire.minimum),
        );
        check_order("sunset", wire.sunsets.iter().map(|sunset| sunset.version))?;
        let sunset =
            |wire: wire::hello::Sunset| Sunset { version: Version(wire.version), last_height: wire.last_height };
        terms.with_sunsets(wire.sunsets.into_iter().map(sunset))
    }

    pub(super) fn to_wire(&self) -> wire::hello::Terms {
        let sunset = |each: &Sunset| wire::hello::Sunset { version: each.version.0, last_height: each.last_height };
        wire::hello::Terms {
            served: self.served.to_wire(),
            accepted: self.accepted.to_wire(),
            minimum: self.minimum.0,
            sunsets: self.sunsets.iter().map(sunset).collect(),
        }
    }
}

impl std::fmt::Display for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "serves {}, accepts {}", self.served, self.accepted)?;
        if self.minimum > Version(0) {
            write!(f, ", none below {}", self.minimum)?;
        }
        self.sunsets.iter().try_for_each(|each| write!(f, ", {} up to height {}", each.version, each.last_height))
    }
}

/// Checks that a list is bounded, strictly descending and without 0.
fn check_order(list: &'static str, versions: impl ExactSizeIterator<Item = u32>) -> Result<(), HelloError> {
    let count = versions.len();
    if count > VERSIONS_MAX {
        return Err(HelloError::TooManyVersions { list, count });
    }
    let mut before = u64::from(u32::MAX) + 1;
    for version in versions {
        if version == 0 || u64::from(version) >= before {
            return Err(HelloError::VersionOrder { list, version, before });
        }
        before = version.into();
    }
    Ok(())
}
