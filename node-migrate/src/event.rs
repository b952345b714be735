//! What a migration's journal says: every fact that a later process, or an auditor, must know.
//!
//! From the first release on events are only added to, never changed in meaning: old journals stay readable.

use std::path::PathBuf;

use ledger_formats::engine::EngineKind;
use ledger_formats::store::{FinishedShard, KeyRange};
use serde::{Deserialize, Serialize};

use crate::mending::MendedBlock;
use crate::shard_summary::ShardSummary;

/// One fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The migration exists; its plan is `plan.toml` beside the journal.
    Created {
        /// The tool's version.
        tool: String,
        /// The home, absolute.
        home: PathBuf,
        /// SHA-256 of `plan.toml`.
        plan_sha256: String,
    },
    /// A database's snapshot stands. A second one starts the database over (the source moved).
    Snapshotted {
        /// The database.
        database: String,
        /// Which attempt at this database this is, from 1.
        epoch: u32,
        /// Engine read.
        engine: EngineKind,
        /// Fingerprint of the source as snapshotted, hex.
        fingerprint: String,
        /// How: linked or copied.
        method: String,
        /// The shards that will be copied, in key order.
        shards: Vec<KeyRange>,
        /// What was odd when it was opened.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remarks: Vec<String>,
    },
    /// A shard is written and durable.
    ShardCopied {
        /// The database.
        database: String,
        /// The attempt it belongs to.
        epoch: u32,
        /// Counts and digest of what was read from the source.
        source: ShardSummary,
        /// What was written.
        written: FinishedShard,
        /// Damaged places of the source in this shard that were left out on the operator's word.
        quarantined: Vec<Quarantined>,
    },
    /// Damaged blocks of the source are replaced, while it is copied, by the chain's own, which somebody else had.
    Mended {
        /// The database.
        database: String,
        /// The attempt it belongs to.
        epoch: u32,
        /// SHA-256 of the patch that the copy reads through, hex.
        patch_sha256: String,
        /// The blocks.
        blocks: Vec<MendedBlock>,
    },
    /// A database's target is complete under its staging name.
    Sealed {
        /// The database.
        database: String,
        /// The attempt it belongs to.
        epoch: u32,
        /// Fingerprint of the target as sealed, hex.
        fingerprint: String,
    },
    /// All layers passed over the targets.
    Verified {
        /// SHA-256 of the report file.
        report_sha256: String,
        /// What the receipt will say of it.
        statement: Statement,
    },
    /// Verification found what must not be.
    VerificationFailed {
        /// SHA-256 of the report file.
        report_sha256: String,
        /// Number of findings.
        findings: u64,
    },
    /// A cut-over or rollback has begun, with what it needs to be finished by another process.
    SwitchBegun {
        /// Which way.
        switch: Switch,
        /// The folders to exchange.
        exchanges: Vec<Exchange>,
        /// The configuration values to end with.
        settings: Vec<SettingChange>,
    },
    /// A step of the switch is about to be taken.
    StepBegun {
        /// The step in words, also its identity.
        step: String,
    },
    /// A step of the switch is done.
    StepDone {
        /// The step in words.
        step: String,
    },
    /// The switch is complete: the node opens the databases of this side.
    Switched {
        /// Which way.
        switch: Switch,
    },
    /// A switch that was recorded, and of which nothing was done, is taken for never begun: the node
    /// has written meanwhile.
    SwitchAbandoned {
        /// What had changed.
        reason: String,
    },
    /// What the other side needed is removed; there is no way back.
    Finalised {
        /// Bytes of disk given back.
        freed_bytes: u64,
    },
    /// The migration was given up before cut-over.
    Discarded,
    /// Something a reader of the trail should know: a warning, an error, an interruption, a retry.
    Note {
        /// In words.
        text: String,
    },
}

/// What a verification that passed can be quoted with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// First and last height of the block store.
    pub heights: Option<(u64, u64)>,
    /// What each layer checked, a line each.
    pub verified: Vec<String>,
    /// Findings that quarantine explains, a line each; of very many the first ones and their number.
    pub exceptions: Vec<String>,
    /// What nobody looked at, a line each.
    pub not_checked: Vec<String>,
}

/// Which way a switch goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// From the old databases to the new ones.
    CutOver,
    /// Back to the old ones.
    Rollback,
}

/// Two folders that change places. The inode says which is which after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The database.
    pub database: String,
    /// Where the node looks.
    pub live: PathBuf,
    /// Where the other one waits.
    pub waiting: PathBuf,
    /// Inode of the folder that must end up at `live`.
    pub inode: u64,
}

/// A value of a configuration file, before and after a switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingChange {
    /// The file.
    pub file: PathBuf,
    /// Its key: `db_backend` or `app-db-backend`.
    pub key: String,
    /// The value before.
    pub from: String,
    /// The value after.
    pub to: String,
}

/// A damaged place of the source that was left out, and what it may have held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The damaged file, inside the snapshot.
    pub file: PathBuf,
    /// Byte offset of the damage.
    pub offset: Option<u64>,
    /// What is wrong there.
    pub reason: String,
    /// First key that may be lost, hex.
    pub first_key: String,
    /// Last key that may be lost, hex.
    pub last_key: String,
}
