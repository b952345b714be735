//! Layouts and dialects of a home: what they are, what is wanted, and what the way there takes.
//!
//! It reads and never writes. A home whose formats nobody wants changed is not looked into at all.

mod found;
pub mod genesis;
mod planned;
mod wanted;

pub use found::{FormatsError, Found};
pub(crate) use planned::{Decided, are_planned, decide};
pub use planned::{PlannedClass, PlannedConversion, PlannedGenesis};
pub use wanted::{TargetSpec, UnknownSpec, Wanted};

use ledger_formats::comet::class::Database;

use crate::home::Role;

/// The database that a role stands for, where it has layouts and dialects.
#[must_use]
pub fn with_formats(role: Role) -> Option<Database> {
    match role {
        Role::BlockStore => Some(Database::BlockStore),
        Role::State => Some(Database::State),
        Role::Evidence => Some(Database::Evidence),
        Role::LightStore => Some(Database::LightStore),
        Role::TxIndex | Role::Opaque => None,
    }
}
