//! What does not hold of a network of processes, or keeps it from running.

use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use super::client::RpcError;
use super::layout::LayoutError;
use super::process::ProcessError;
use crate::scenario::PlanFault;

/// Why a scene did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// The network's folder.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A process.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A node does not answer.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The rollout's plan.
    #[error(transparent)]
    Plan(#[from] PlanFault),
    /// A file.
    #[error("{}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A command ended in another way than it must.
    #[error("`{command}` ended with {actual} instead of {expected}:\n{output}")]
    Command {
        /// The command with its arguments.
        command: String,
        /// The exit code that it must have.
        expected: i32,
        /// How it ended.
        actual: String,
        /// The end of what it said.
        output: String,
    },
    /// An answer of node-migrate is not of this form.
    #[error("`{command}`: {reason}")]
    Answer {
        /// The command with its arguments.
        command: String,
        /// What is wrong.
        reason: String,
    },
    /// A node is too late.
    #[error("{node} is not at height {height} after {limit:?}: {actual}")]
    Late {
        /// The node.
        node: String,
        /// The height that it should have.
        height: u64,
        /// The time that it had.
        limit: Duration,
        /// What it says.
        actual: String,
    },
    /// Something that must hold does not.
    #[error("{what}: {actual} instead of {expected}")]
    NotHeld {
        /// What.
        what: String,
        /// What it must be.
        expected: String,
        /// What it is.
        actual: String,
    },
}

impl SceneError {
    /// Whether something is what it must be.
    ///
    /// # Errors
    /// [`SceneError::NotHeld`].
    pub(super) fn expect<T: PartialEq + Debug>(what: &str, actual: &T, expected: &T) -> Result<(), Self> {
        if actual == expected {
            return Ok(());
        }
        let (expected, actual) = (format!("{expected:?}"), format!("{actual:?}"));
        Err(Self::NotHeld { what: what.to_owned(), expected, actual })
    }
}
