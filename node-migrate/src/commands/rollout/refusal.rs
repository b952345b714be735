//! What the failures of a rollout mean for people.

use std::io::ErrorKind;

use node_migrate::rollout::driver::command::DriverError;
use node_migrate::rollout::lock::LockError;
use node_migrate::rollout::log::LogError;
use node_migrate::rollout::plan::PlanError;

use crate::error::{AppError, Kind};

impl From<PlanError> for AppError {
    fn from(error: PlanError) -> Self {
        Self::new(Kind::Usage, error.to_string()).hint("change the plan; nothing was done")
    }
}

impl From<DriverError> for AppError {
    fn from(error: DriverError) -> Self {
        Self::new(Kind::Usage, error.to_string())
    }
}

impl From<LogError> for AppError {
    fn from(error: LogError) -> Self {
        match &error {
            LogError::Lock(LockError::Busy { .. }) => Self::new(Kind::State, error.to_string())
                .hint("one controller at a time: end that one first, or leave it the work"),
            LogError::Lock(LockError::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied => {
                Self::new(Kind::System, error.to_string()).hint("run as the user that began the rollout")
            }
            LogError::Journal(node_migrate::journal::JournalError::Damaged { .. }) => {
                Self::new(Kind::Damaged, error.to_string())
                    .hint("keep the file as it is; no controller goes on from a damaged log")
            }
            _ => Self::new(Kind::System, error.to_string()).hint("the same command goes on from here"),
        }
    }
}
