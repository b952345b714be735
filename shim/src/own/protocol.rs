//! The names of our protocols on the wire.

use proto::hello::Version;

/// What every name of ours begins with.
pub const PREFIX: &str = "/node-migrate/";

/// One of our protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Who a node is and what it speaks.
    Hello,
    /// Whole blocks.
    Blocks1,
    /// Parts with their proofs.
    Blocks2,
    /// Signed checkpoints.
    Attest,
    /// Messages of the program above.
    Relay,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Hello, Self::Blocks2, Self::Blocks1, Self::Attest, Self::Relay];

    /// Its name in multistream-select.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hello => "/node-migrate/hello/1",
            Self::Blocks1 => "/node-migrate/blocks/1",
            Self::Blocks2 => "/node-migrate/blocks/2",
            Self::Attest => "/node-migrate/attest/1",
            Self::Relay => "/node-migrate/relay/1",
        }
    }

    /// Its name in logs and counters.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Hello => "hello/1",
            Self::Blocks1 => "blocks/1",
            Self::Blocks2 => "blocks/2",
            Self::Attest => "attest/1",
            Self::Relay => "relay/1",
        }
    }

    /// The block exchange of a version.
    #[must_use]
    pub const fn of_blocks(version: Version) -> Option<Self> {
        match version {
            Version::ONE => Some(Self::Blocks1),
            Version::TWO => Some(Self::Blocks2),
            Version(_) => None,
        }
    }

    /// The version of the block exchange that it is.
    #[must_use]
    pub const fn version(self) -> Option<Version> {
        match self {
            Self::Blocks1 => Some(Version::ONE),
            Self::Blocks2 => Some(Version::TWO),
            Self::Hello | Self::Attest | Self::Relay => None,
        }
    }
}

impl AsRef<str> for Protocol {
    fn as_ref(&self) -> &str {
        self.name()
    }
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.short())
    }
}

/// Whether a name is not ours but looks as if it were meant to be: another version, or spelled in another way.
#[must_use]
pub fn is_near(name: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|each| each.to_ascii_lowercase()).collect()
    };
    let is_ours = Protocol::ALL.iter().any(|protocol| protocol.name() == name);
    !is_ours && letters(name.get(..name.len().min(64)).unwrap_or_default()).starts_with(&letters(PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_near_ours_are_told_from_ours_and_from_others() {
        assert!(Protocol::ALL.iter().all(|protocol| !is_near(protocol.name())));
        assert!(
            ["/node-migrate/hello/2", "/Node-Migrate/hello/1", "/node_migrate/blocks/1", "/node-migrate/x"]
                .iter()
                .all(|name| is_near(name))
        );
        assert!(["/ipfs/id/1.0.0", "/p2p/cometbft/1.0.0/channel/0x40", "", "/node"].iter().all(|name| !is_near(name)));
        assert!(!is_near(&"\u{1f600}".repeat(1_000)));
    }

    #[test]
    fn each_version_of_the_block_exchange_has_its_protocol() {
        for protocol in Protocol::ALL {
            assert_eq!(protocol.version().and_then(Protocol::of_blocks), protocol.version().map(|_| protocol));
        }
        assert_eq!(Protocol::of_blocks(Version(3)), None);
    }
}
