//! A node: a disk, and a validator that runs on it or not.

use std::time::Duration;

use proofs::merkle::Hash;

use super::disk::Disk;
use super::scenario::Sabotage;
use crate::chain::{PrivateKey, Time};
use crate::consensus::{Output, Signer, Validator};
use crate::store::Format;

/// A node.
pub(super) struct Node {
    pub(super) key: PrivateKey,
    pub(super) disk: Disk,
    pub(super) validator: Option<Validator>,
    /// Counts the lives: timers of an earlier one are dead.
    pub(super) life: u32,
    /// Effects until it dies.
    pub(super) fuse: Option<u32>,
    /// How long it then stays down.
    pub(super) down: Duration,
    /// Whether its service manager leaves it down.
    pub(super) is_stopped: bool,
    /// The greatest height that it made durable.
    pub(super) tip: u64,
    /// How wrong its clock is, in nanoseconds.
    pub(super) skew: i64,
    /// Whether it attests to another chain than it has.
    pub(super) lies: bool,
    /// Whether its disk is full.
    pub(super) is_full: bool,
    /// Whether an operator gave it older stores back than it had.
    pub(super) has_gone_back: bool,
    /// Complaints in its log.
    pub(super) complaints: u64,
    /// Height, format and root of its last attestation; no root where its store cannot give one.
    pub(super) attested: Option<(u64, Format, Option<Hash>)>,
}

impl Node {
    pub(super) fn new(key: PrivateKey, disk: Disk, skew: i64) -> Self {
        Self {
            key,
            disk,
            validator: None,
            life: 0,
            fuse: None,
            down: Duration::ZERO,
            is_stopped: false,
            tip: 0,
            skew,
            lies: false,
            is_full: false,
            has_gone_back: false,
            complaints: 0,
            attested: None,
        }
    }

    /// Its clock.
    pub(super) fn clock(&self, now: Time) -> Time {
        Time(now.0 + self.skew)
    }

    /// The signer with which it starts.
    pub(super) fn signer(&self) -> Signer {
        Signer::new(self.key.clone(), self.disk.signer.clone())
    }

    /// Whether the next effect is the one it dies before.
    pub(super) fn burns_down(&mut self) -> bool {
        match &mut self.fuse {
            Some(0) => {
                self.fuse = None;
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    /// Carries out an effect on the disk; what concerns others comes back.
    pub(super) fn keep(&mut self, output: Output, sabotage: Sabotage) -> Option<Output> {
        match output {
            Output::AppendWal(record) => self.disk.append(record),
            Output::SyncWal | Output::SaveSigner(_) if sabotage == Sabotage::VotesAreForgotten => {}
            Output::SyncWal => self.disk.sync(),
            Output::ResetWal { height } => self.disk.reset_wal(height),
            Output::SaveSigner(last) => self.disk.signer = last,
            Output::SaveState(decided) => self.disk.save_state(&decided),
            other => return Some(other),
        }
        None
    }
}
