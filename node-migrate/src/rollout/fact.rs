//! What a rollout's log says: every decision with its evidence, every action's end, every sample.
//!
//! Facts are only added to, never changed in meaning: old logs stay readable.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::observation::{Prepared, Sample, Side};
use super::plan::{Address, NodeName};

/// A fact and when it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The fact.
    pub fact: Fact,
}

/// What is done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Its process ends.
    Stop,
    /// Its databases are copied into the new format, beside the old ones.
    Copy,
    /// The copy is read cold and checked.
    Verify,
    /// The new databases become its own.
    CutOver,
    /// Its process begins.
    Start,
    /// The old databases become its own again, if no height would be lost.
    RollBack,
    /// The databases, new heights included, are migrated into the old format: checked, copied, verified, cut over.
    MigrateBack,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "stop",
            Self::Copy => "copy",
            Self::Verify => "verify",
            Self::CutOver => "cut over",
            Self::Start => "start",
            Self::RollBack => "roll back",
            Self::MigrateBack => "migrate back",
        })
    }
}

/// Which way an action takes a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Into the new format.
    Forward,
    /// Into the old format, or back into service where it stands.
    Back,
}

/// How an action ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done {
        /// What was said.
        report: String,
    },
    /// It was refused, because heights would be lost; nothing was changed. Only a rollback ends so.
    WouldLose {
        /// Which.
        reason: String,
    },
    /// It failed; what it left is looked at before anything else is done.
    Failed {
        /// Why.
        reason: String,
    },
}

/// A condition of a node that may pass, or count as a failure when it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symptom {
    /// It cannot be seen.
    Unreachable,
    /// It is behind the network.
    Lagging,
    /// It was started, and its process is gone.
    Crashed,
}

impl fmt::Display for Symptom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "cannot be reached",
            Self::Lagging => "is behind the network",
            Self::Crashed => "does not stay up",
        })
    }
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fact {
    /// The rollout exists.
    Created {
        /// The tool's version.
        tool: String,
        /// SHA-256 of the plan, hex.
        plan_sha256: String,
        /// The plan, `rollout.toml` as it was.
        plan: String,
    },
    /// A controller begins to work on it. What another one had begun may or may not be done.
    TakenOver {
        /// Who: process and machine.
        controller: String,
    },
    /// A validator's address became known.
    Identified {
        /// The node.
        node: NodeName,
        /// Its address.
        address: Address,
    },
    /// New heights of the chain.
    Sampled {
        /// Which, and who did not sign.
        sample: Sample,
    },
    /// How a node stands, after a beginning, a failure or an interruption.
    Found {
        /// The node.
        node: NodeName,
        /// What it would open.
        side: Side,
        /// The copy beside it.
        prepared: Prepared,
        /// Whether it runs.
        running: bool,
        /// The home's own words.
        detail: String,
    },
    /// An action is about to be taken.
    Begun {
        /// The node.
        node: NodeName,
        /// The action.
        action: Action,
        /// Which way it takes the node.
        way: Way,
        /// The network's height.
        network_height: u64,
        /// Errors in the node's log until now.
        errors_total: Option<u64>,
        /// Why it may be.
        evidence: Vec<Evidence>,
    },
    /// An action has ended.
    Ended {
        /// The node.
        node: NodeName,
        /// The action.
        action: Action,
        /// How.
        outcome: Outcome,
    },
    /// A node that was out of service is back: it follows, and signs if it is a validator.
    InService {
        /// The node.
        node: NodeName,
        /// What shows it.
        evidence: Vec<Evidence>,
    },
    /// Something is wrong with a node; it may pass.
    Suspected {
        /// The node.
        node: NodeName,
        /// What.
        symptom: Symptom,
        /// What shows it.
        evidence: Vec<Evidence>,
    },
    /// It has passed.
    Cleared {
        /// The node.
        node: NodeName,
    },
    /// A node fails its gates; from here it goes back if it can.
    Failed {
        /// The node.
        node: NodeName,
        /// Why.
        reason: String,
        /// What shows it.
        evidence: Vec<Evidence>,
    },
    /// The way back failed: the node goes back into service where it stands.
    GivenUp {
        /// The node.
        node: NodeName,
        /// Why.
        reason: String,
    },
    /// Nothing more is done to the node without an operator.
    Held {
        /// The node.
        node: NodeName,
        /// Why.
        reason: String,
    },
    /// All nodes of a stage are in the new format and in service.
    SoakBegun {
        /// The stage.
        stage: String,
        /// The network's height.
        height: u64,
        /// What shows it.
        evidence: Vec<Evidence>,
    },
    /// A stage has passed its gates and waits for a person's word.
    AwaitingApproval {
        /// The stage.
        stage: String,
        /// What it passed with.
        evidence: Vec<Evidence>,
    },
    /// A person lets the rollout go on.
    Approved {
        /// The stage.
        stage: String,
        /// Who.
        by: String,
    },
    /// A stage is over.
    Promoted {
        /// The stage.
        stage: String,
        /// Who let it; the gates alone where nobody is named.
        by: Option<String>,
        /// What it passed with.
        evidence: Vec<Evidence>,
    },
    /// All stages are over.
    Completed,
    /// No further node is migrated.
    Halted {
        /// Why.
        reason: String,
        /// Whether the stage's nodes go back: the fault is, or may be, in the new format.
        stage_failed: bool,
        /// What shows it.
        evidence: Vec<Evidence>,
    },
    /// A person takes up a halted rollout.
    Resumed {
        /// Who.
        by: String,
        /// Why it may go on.
        reason: String,
    },
}
