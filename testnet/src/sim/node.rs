//! A node: a disk, and a validator that runs on it or not.

use super::disk::Disk;
use super::scenario::Sabotage;
use crate::chain::{PrivateKey, Time};
use crate::consensus::{Output, Signer, Validator, WireVersion};

/// A node.
pub(super) struct Node {
    pub(super) key: PrivateKey,
    pub(super) disk: Disk,
    pub(super) validator: Option<Validator>,
    /// Counts the starts: timers of an earlier life are dead.
    pub(super) life: u32,
    /// Effects until it dies.
    pub(super) fuse: Option<u32>,
    /// How long it then stays down.
    pub(super) down: std::time::Duration,
    /// The newest wire version that it speaks.
    pub(super) wire: WireVersion,
    /// The greatest height that it made durable.
    pub(super) tip: u64,
    pub(super) skew: i64,
}

impl Node {
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

    /// Carries out an effect on the disk; what is for others comes back.
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
