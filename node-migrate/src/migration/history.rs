//! What a journal means: the fold of its events to the state of the migration. Pure.

use std::collections::BTreeMap;

use ledger_formats::engine::EngineKind;
use ledger_formats::store::{FinishedShard, KeyRange};

use crate::event::{Event, Exchange, Quarantined, SettingChange, Statement, Switch};
use crate::journal::Record;
use crate::mending::MendedBlock;
use crate::shard_summary::ShardSummary;

/// The state of one database's copy.
#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseHistory {
    /// The attempt that counts.
    pub epoch: u32,
    /// Engine of the source.
    pub engine: EngineKind,
    /// Fingerprint of the source as snapshotted, hex.
    pub source_fingerprint: String,
    /// How the snapshot was made.
    pub method: String,
    /// All shards.
    pub shards: Vec<KeyRange>,
    /// What was odd when the source was opened.
    pub remarks: Vec<String>,
    /// Those that are done, by number.
    pub copied: BTreeMap<u32, CopiedShard>,
    /// Fingerprint of the target once sealed, hex.
    pub sealed: Option<String>,
    /// The patch through which the source is read, if it was damaged and repaired.
    pub mended: Option<MendedHistory>,
}

/// A repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MendedHistory {
    /// SHA-256 of the patch, hex.
    pub patch_sha256: String,
    /// The blocks in it.
    pub blocks: Vec<MendedBlock>,
}

impl DatabaseHistory {
    /// Damaged places that were left out.
    pub fn quarantined(&self) -> impl Iterator<Item = &Quarantined> {
        self.copied.values().flat_map(|shard| &shard.quarantined)
    }
}

/// A finished shard.
#[derive(Clone, Debug, PartialEq)]
pub struct CopiedShard {
    /// Counts and digest of what was read.
    pub source: ShardSummary,
    /// What was written.
    pub written: FinishedShard,
    /// What was left out.
    pub quarantined: Vec<Quarantined>,
}

/// A switch that has begun.
#[derive(Clone, Debug, PartialEq)]
pub struct SwitchHistory {
    /// Which way.
    pub switch: Switch,
    /// The folders that change places.
    pub exchanges: Vec<Exchange>,
    /// The configuration values it ends with.
    pub settings: Vec<SettingChange>,
    /// Whether it is complete.
    pub complete: bool,
}

/// How the verification of the targets ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not run since the last change of a target.
    Open,
    /// Passed.
    Passed(Statement),
    /// Failed, with so many findings.
    Failed {
        /// The number of findings.
        findings: u64,
    },
}

/// Where a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Being copied.
    Copying,
    /// All databases sealed, not verified.
    Copied,
    /// Verified.
    Verified,
    /// Cut-over begun, not complete.
    CuttingOver,
    /// The node opens the new databases.
    CutOver,
    /// Rollback begun, not complete.
    RollingBack,
    /// The node opens the old databases again.
    RolledBack,
    /// Closed after cut-over or rollback.
    Finalised,
    /// Given up before cut-over.
    Discarded,
}

impl Phase {
    /// The phase in words for people and for `--json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Copying => "copying",
            Self::Copied => "copied",
            Self::Verified => "verified",
            Self::CuttingOver => "cutting over",
            Self::CutOver => "cut over",
            Self::RollingBack => "rolling back",
            Self::RolledBack => "rolled back",
            Self::Finalised => "finalised",
            Self::Discarded => "discarded",
        }
    }

    /// Whether a new migration may begin beside it.
    #[must_use]
    pub fn is_closed(self) -> bool {
        matches!(self, Self::RolledBack | Self::Finalised | Self::Discarded)
    }
}

/// The state of a migration.
#[derive(Clone, Debug)]
pub struct History {
    /// SHA-256 of the plan that was signed off, hex.
    pub plan_sha256: String,
    /// Databases by name.
    pub databases: BTreeMap<String, DatabaseHistory>,
    /// How verification ended.
    pub verdict: Verdict,
    /// The last switch.
    pub switch: Option<SwitchHistory>,
    before_switch: Option<SwitchHistory>,
    finalised: bool,
    discarded: bool,
}

impl Default for History {
    fn default() -> Self {
        Self {
            plan_sha256: String::new(),
            databases: BTreeMap::new(),
            verdict: Verdict::Open,
            switch: None,
            before_switch: None,
            finalised: false,
            discarded: false,
        }
    }
}

impl History {
    /// Folds a journal's records.
    #[must_use]
    pub fn of(records: &[Record]) -> Self {
        let mut history = Self::default();
        for record in records {
            history.apply(&record.event);
        }
        history
    }

    /// Takes one more event into account.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Created { plan_sha256, .. } => self.plan_sha256.clone_from(plan_sha256),
            Event::Snapshotted { database, epoch, engine, fingerprint, method, shards, remarks } => {
                self.verdict = Verdict::Open;
                let fresh = DatabaseHistory {
                    epoch: *epoch,
                    engine: *engine,
                    source_fingerprint: fingerprint.clone(),
                    method: method.clone(),
                    shards: shards.clone(),
                    remarks: remarks.clone(),
                    copied: BTreeMap::new(),
                    sealed: None,
                    mended: None,
                };
                self.databases.insert(database.clone(), fresh);
            }
            Event::ShardCopied { database, epoch, source, written, quarantined } => {
                if let Some(history) = self.current(database, *epoch) {
                    let shard = CopiedShard {
                        source: source.clone(),
                        written: written.clone(),
                        quarantined: quarantined.clone(),
                    };
                    history.copied.insert(written.shard, shard);
                }
            }
            Event::Mended { database, epoch, patch_sha256, blocks } => {
                if let Some(history) = self.current(database, *epoch) {
                    // What was copied before was read without the patch.
                    history.copied.clear();
                    let (patch_sha256, blocks) = (patch_sha256.clone(), blocks.clone());
                    history.mended = Some(MendedHistory { patch_sha256, blocks });
                }
            }
            Event::Sealed { database, epoch, fingerprint } => {
                self.verdict = Verdict::Open;
                if let Some(history) = self.current(database, *epoch) {
                    history.sealed = Some(fingerprint.clone());
                }
            }
            Event::Verified { statement, .. } => self.verdict = Verdict::Passed(statement.clone()),
            Event::VerificationFailed { findings, .. } => self.verdict = Verdict::Failed { findings: *findings },
            Event::SwitchBegun { switch, exchanges, settings } => {
                self.before_switch = self.switch.take();
                self.switch = Some(SwitchHistory {
                    switch: *switch,
                    exchanges: exchanges.clone(),
                    settings: settings.clone(),
                    complete: false,
                });
            }
            Event::Switched { .. } => {
                if let Some(switch) = &mut self.switch {
                    switch.complete = true;
                }
            }
            Event::SwitchAbandoned { .. } => self.switch = self.before_switch.take(),
            Event::Finalised { .. } => self.finalised = true,
            Event::Discarded => self.discarded = true,
            Event::StepBegun { .. } | Event::StepDone { .. } | Event::Note { .. } => {}
        }
    }

    fn current(&mut self, database: &str, epoch: u32) -> Option<&mut DatabaseHistory> {
        self.databases.get_mut(database).filter(|history| history.epoch == epoch)
    }

    /// Where the migration of `databases` (the names in the plan) stands.
    #[must_use]
    pub fn phase<'a>(&self, mut databases: impl Iterator<Item = &'a str>) -> Phase {
        if self.finalised {
            return Phase::Finalised;
        }
        if self.discarded {
            return Phase::Discarded;
        }
        match &self.switch {
            Some(SwitchHistory { switch: Switch::CutOver, complete: false, .. }) => return Phase::CuttingOver,
            Some(SwitchHistory { switch: Switch::CutOver, complete: true, .. }) => return Phase::CutOver,
            Some(SwitchHistory { switch: Switch::Rollback, complete: false, .. }) => return Phase::RollingBack,
            Some(SwitchHistory { switch: Switch::Rollback, complete: true, .. }) => return Phase::RolledBack,
            None => {}
        }
        if !databases.all(|name| self.databases.get(name).is_some_and(|history| history.sealed.is_some())) {
            return Phase::Copying;
        }
        if matches!(self.verdict, Verdict::Passed(_)) { Phase::Verified } else { Phase::Copied }
    }
}
