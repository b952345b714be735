//! Errors for people: what went wrong, what to do, and the exit code.

use std::io;

use ledger_formats::durable::DurableError;
use ledger_formats::engine::detect::DetectError;
use ledger_formats::root::RootError;
use ledger_formats::store::StoreError;
use node_migrate::copy::CopyError;
use node_migrate::cutover::SwitchError;
use node_migrate::home::HomeError;
#[cfg(feature = "shim")]
use node_migrate::mending::{GatherError, PeerError};
use node_migrate::migration::{CloseError, OpenError, VerificationError};
use node_migrate::plan::PlanError;
use node_migrate::reading::ReadingError;
use node_migrate::receipt::ReceiptError;
use node_migrate::store_root::StoreRootError;
use node_migrate::trace::TraceError;
use node_migrate::verify::VerifyError;
use node_migrate::workspace::WorkspaceError;

/// Kinds of failure, each with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The words of the command do not fit.
    Usage,
    /// The home cannot be used.
    Home,
    /// The node is running.
    Running,
    /// Data is damaged.
    Damaged,
    /// Verification failed.
    Verification,
    /// The disk or the permissions.
    System,
    /// The migration is not where this command fits.
    State,
    /// A rollout halted.
    Halted,
    /// A peer refuses us, cannot be reached, or does not have what is asked for.
    #[cfg(feature = "shim")]
    Peer,
    /// Stopped on request.
    Interrupted,
}

impl Kind {
    /// The process's exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Home => 3,
            Self::Running => 4,
            Self::Damaged => 5,
            Self::Verification => 6,
            Self::System => 7,
            Self::State => 8,
            Self::Halted => 9,
            #[cfg(feature = "shim")]
            Self::Peer => 10,
            Self::Interrupted => 130,
        }
    }

    /// Its name in `--json`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Home => "home",
            Self::Running => "running",
            Self::Damaged => "damaged",
            Self::Verification => "verification",
            Self::System => "system",
            Self::State => "state",
            Self::Halted => "halted",
            #[cfg(feature = "shim")]
            Self::Peer => "peer",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A failure as the user sees it.
#[derive(Debug)]
pub(crate) struct AppError {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl AppError {
    /// A failure without a hint.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    /// With what to do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<HomeError> for AppError {
    fn from(error: HomeError) -> Self {
        match &error {
            HomeError::Undetected { source: DetectError::Store(source), .. } => of_store(source, error.to_string()),
            HomeError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Self::new(Kind::System, error.to_string()).hint("run as the user that owns the node's files")
            }
            _ => Self::new(Kind::Home, error.to_string()),
        }
    }
}

impl From<PlanError> for AppError {
    fn from(error: PlanError) -> Self {
        match &error {
            PlanError::Store { source, .. } => of_store(source, error.to_string()),
            PlanError::Formats(_) => Self::new(Kind::State, error.to_string()),
            PlanError::Space { .. } => Self::new(Kind::System, error.to_string()),
            PlanError::Parse { .. } | PlanError::Version { .. } => {
                Self::new(Kind::State, error.to_string()).hint("make the plan again with `node-migrate plan`")
            }
            _ => Self::new(Kind::Usage, error.to_string()),
        }
    }
}

impl From<WorkspaceError> for AppError {
    fn from(error: WorkspaceError) -> Self {
        match &error {
            WorkspaceError::Busy { .. } => {
                Self::new(Kind::State, error.to_string()).hint("wait until it has ended; `status` shows how far it is")
            }
            WorkspaceError::Write(source) => of_durable(source),
            _ => Self::new(Kind::System, error.to_string()),
        }
    }
}

impl From<OpenError> for AppError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Workspace(source) => source.into(),
            OpenError::Plan(source) => source.into(),
            OpenError::Write(source) => of_durable(&source),
            OpenError::Source { ref source, .. } => of_store(source, error.to_string()),
            OpenError::Journal(_) | OpenError::PlanChanged { .. } => Self::new(Kind::Damaged, error.to_string())
                .hint("nothing of the node's is touched; if no cut-over has begun, remove the workspace and run again"),
            OpenError::Stale { .. } => {
                Self::new(Kind::State, error.to_string()).hint("make the plan again with `node-migrate plan`")
            }
            OpenError::Read { .. } => Self::new(Kind::System, error.to_string()),
            _ => Self::new(Kind::State, error.to_string()),
        }
    }
}

impl From<CopyError> for AppError {
    fn from(error: CopyError) -> Self {
        match &error {
            CopyError::Store { source, .. } => of_store(source, error.to_string()),
            CopyError::Damaged { .. } => Self::new(Kind::Damaged, error.to_string()).hint(SKIPPABLE),
            CopyError::Mend { source, .. } if source.is_interruption() => {
                Self::new(Kind::Interrupted, error.to_string()).hint("the same command goes on from here")
            }
            CopyError::Mend { .. } => Self::new(Kind::Damaged, error.to_string())
                .hint("name another peer that has the blocks, by --from; nothing of the source was changed"),
            CopyError::Interrupted(_) => {
                Self::new(Kind::Interrupted, error.to_string()).hint("the same command goes on from here")
            }
            CopyError::DiskLow { .. } => Self::new(Kind::System, error.to_string())
                .hint("free some space and give the same command again: finished shards are kept"),
            CopyError::Durable(source) => of_durable(source),
            _ => Self::new(Kind::System, error.to_string()).hint("the same command goes on from here"),
        }
    }
}

#[cfg(feature = "shim")]
impl From<GatherError> for AppError {
    fn from(error: GatherError) -> Self {
        let message = error.to_string();
        match &error {
            GatherError::Outside { .. } => Self::new(Kind::Usage, message).hint(
                "what proves a block is the commit above it and the validators in the home's state: give a home that holds these heights; \
                 one that is behind gets further ones by block sync, from `shim serve` of another",
            ),
            GatherError::TooMany { .. } => Self::new(Kind::Usage, message).hint("fetch them in several ranges"),
            GatherError::Interrupted(_) | GatherError::Peers(PeerError::Interrupted(_)) => {
                Self::new(Kind::Interrupted, message).hint("what was written is whole; give the command again")
            }
            GatherError::Look(source) if source.is_interruption() => {
                Self::new(Kind::Interrupted, message).hint("give the command again")
            }
            GatherError::Keep(source) => of_durable(source),
            GatherError::Peers(_) => Self::new(Kind::Peer, message),
            _ => Self::new(Kind::Damaged, message),
        }
    }
}

impl From<VerificationError> for AppError {
    fn from(error: VerificationError) -> Self {
        match error {
            VerificationError::Failed(_) => Self::new(Kind::Verification, error.to_string())
                .hint("the node's databases are untouched and no cut-over is possible; `discard --execute` removes the copies"),
            VerificationError::TargetMoved { .. } => Self::new(Kind::Verification, error.to_string())
                .hint("somebody wrote into the workspace: `discard --execute` and run again"),
            VerificationError::Open { source: ReadingError::Store(ref store), .. } => of_store(store, error.to_string()),
            VerificationError::Verify(source) => source.into(),
            _ => Self::new(Kind::System, error.to_string()),
        }
    }
}

impl From<VerifyError> for AppError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Interrupted(_) => {
                Self::new(Kind::Interrupted, error.to_string()).hint("give the command again")
            }
            _ => Self::new(Kind::System, error.to_string()),
        }
    }
}

impl From<ReadingError> for AppError {
    fn from(error: ReadingError) -> Self {
        match &error {
            ReadingError::Store(store) => of_store(store, error.to_string()),
            _ => Self::new(Kind::System, error.to_string()),
        }
    }
}

impl From<TraceError> for AppError {
    fn from(error: TraceError) -> Self {
        let message = error.to_string();
        match error {
            TraceError::NotFound { .. } => Self::new(Kind::Usage, message),
            TraceError::HalfDone => Self::new(Kind::State, message)
                .hint("finish it with `cutover --execute` or go back with `rollback --execute`"),
            TraceError::Migration(source) => source.into(),
            TraceError::Open { source, .. } => Self { message, ..source.into() },
            TraceError::Store { ref source, .. } => of_store(source, message),
            TraceError::Root { source, .. } => Self { message, ..source.into() },
            TraceError::Chain(source) => Self { message, ..source.into() },
            _ => Self::new(Kind::Damaged, message),
        }
    }
}

impl From<StoreRootError> for AppError {
    fn from(error: StoreRootError) -> Self {
        match &error {
            StoreRootError::Root(RootError::Store(store)) => of_store(store, error.to_string()),
            StoreRootError::Root(_) => Self::new(Kind::Damaged, error.to_string()),
            StoreRootError::Interrupted(_) => {
                Self::new(Kind::Interrupted, error.to_string()).hint("give the command again")
            }
            _ => Self::new(Kind::System, error.to_string()),
        }
    }
}

impl From<SwitchError> for AppError {
    fn from(error: SwitchError) -> Self {
        let message = error.to_string();
        match error {
            SwitchError::Phase { .. } => {
                Self::new(Kind::State, message).hint("`node-migrate status` shows what comes next")
            }
            SwitchError::SourceMoved { .. } => {
                Self::new(Kind::State, message).hint("`run` copies what has changed; then `verify` and `cutover` again")
            }
            SwitchError::TargetMoved { .. } => Self::new(Kind::Verification, message)
                .hint("somebody wrote into the workspace: `discard --execute` and run again"),
            SwitchError::FolderUnknown { .. } => Self::new(Kind::State, message).hint(
                "have the folders been replaced, from a backup for instance? nothing was changed: put back those that the journal names",
            ),
            SwitchError::WouldLose { .. } => Self::new(Kind::State, message).hint(
                "stay on the new databases, or migrate them on to the old engine with `run`: nothing is lost that way",
            ),
            SwitchError::NewUnreadable { .. } => Self::new(Kind::Damaged, message).hint(
                "nothing was changed, and the old databases still wait in the workspace: docs/runbook.md says how to decide",
            ),
            SwitchError::Lock(_) => {
                Self::new(Kind::Running, message).hint("stop the node and its service, then give the command again")
            }
            SwitchError::Store { ref source, .. } => of_store(source, message),
            SwitchError::Durable(ref source) => of_durable(source),
            _ => Self::new(Kind::System, message)
                .hint("the same command goes on from here; the start guard keeps the node from starting meanwhile"),
        }
    }
}

impl From<CloseError> for AppError {
    fn from(error: CloseError) -> Self {
        match &error {
            CloseError::Remove(source) => of_durable(source),
            CloseError::Journal(_) => Self::new(Kind::System, error.to_string()),
            _ => Self::new(Kind::State, error.to_string()),
        }
    }
}

impl From<ReceiptError> for AppError {
    fn from(error: ReceiptError) -> Self {
        let kind = if matches!(error, ReceiptError::Interrupted(_)) { Kind::Interrupted } else { Kind::System };
        Self::new(kind, error.to_string())
            .hint("the cut-over stands and the node may start; the same command writes the receipt")
    }
}

impl From<DurableError> for AppError {
    fn from(error: DurableError) -> Self {
        of_durable(&error)
    }
}

/// What to do about damage that a scan can go on behind.
const SKIPPABLE: &str = "restore the file from a backup or another node; or `run --on-corrupt repair --from PEER` takes damaged blocks from another node, proven; or `run --on-corrupt quarantine` leaves the damaged keys out and records them";

fn of_durable(error: &DurableError) -> AppError {
    let hint = match error.source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: free some space and give the same command again; finished work is kept"
        }
        io::ErrorKind::PermissionDenied => "run as the user that owns the node's files",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is mounted read-only",
        io::ErrorKind::CrossesDevices => "the places are on different file systems",
        _ => "the same command goes on from here",
    };
    AppError::new(Kind::System, error.to_string()).hint(hint)
}

fn of_store(error: &StoreError, message: String) -> AppError {
    match error {
        StoreError::Corrupt(damage) if damage.range.is_some() => AppError::new(Kind::Damaged, message).hint(SKIPPABLE),
        StoreError::Corrupt(_) => {
            AppError::new(Kind::Damaged, message).hint("restore the file from a backup or another node")
        }
        StoreError::Durable(source) => AppError { message, ..of_durable(source) },
        StoreError::Unsupported { .. } => AppError::new(Kind::Home, message),
        StoreError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            AppError::new(Kind::System, message).hint("run as the user that owns the node's files")
        }
        _ => AppError::new(Kind::System, message),
    }
}
