//! What a run is like, apart from its seed.

use std::str::FromStr;

use crate::chain::Crypto;

/// Which faults there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Messages are lost and late, and the network parts.
    pub network: bool,
    /// Nodes die between any two effects, lose the end of their log, and start again.
    pub crashes: bool,
    /// In a rollout: copies end, are wrong or damaged after their verification, nodes do not start or lie in their
    /// attestations, disks fill, the controller dies.
    pub migrations: bool,
}

/// A fault of the program itself, put in on purpose: the checks must see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sabotage {
    /// The program as it is.
    #[default]
    None,
    /// Every vote counts twice, so that a third of the power decides.
    VotesCountTwice,
    /// Neither the signer's state nor the log is made durable.
    VotesAreForgotten,
    /// The gate that compares attestations is removed: whatever a node has, it attests to what all others do.
    AttestationsAreNotCompared,
    /// Copies are cut over without having been verified.
    CopiesAreNotVerified,
}

/// A kind of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Nodes, all of them validators.
    pub nodes: usize,
    /// Heights that every node must reach.
    pub heights: u64,
    /// Whether the new format is rolled out meanwhile.
    pub rollout: bool,
    /// Faults.
    pub faults: Faults,
    /// What signatures are.
    pub crypto: Crypto,
    /// What is wrong with the program.
    pub sabotage: Sabotage,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            nodes: 4,
            heights: 15,
            rollout: false,
            faults: Faults::default(),
            crypto: Crypto::Checksum,
            sabotage: Sabotage::None,
        }
    }
}

/// A word that names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of faults: use none, all, or some of network, crashes and migrations, joined by commas")]
pub struct UnknownFault(String);

impl Faults {
    /// All of them.
    pub const ALL: Self = Self { network: true, crashes: true, migrations: true };
}

impl FromStr for Faults {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let mut faults = Self::default();
        for word in text.split(',') {
            match word {
                "none" => {}
                "all" => faults = Self::ALL,
                "network" => faults.network = true,
                "crashes" => faults.crashes = true,
                "migrations" => faults.migrations = true,
                other => return Err(UnknownFault(other.to_owned())),
            }
        }
        Ok(faults)
    }
}
