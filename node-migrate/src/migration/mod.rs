//! A migration as a type: what may be done next is what its type has methods for.
//!
//! `Migration<Planned>` can only be copied, `Migration<Copied>` only verified, and nothing but
//! `Migration<Verified>` can be cut over. The state on disk is the journal; [`open`] reads it and
//! hands out the one type that fits.

mod close;
mod core;
mod history;
mod lineage;
mod overview;
mod recorded;
mod targets;
mod verification;

use std::marker::PhantomData;

pub use close::CloseError;
pub use core::{Core, OpenError};
pub use history::{CopiedShard, DatabaseHistory, History, MendedHistory, Phase, SwitchHistory, Verdict};
pub use lineage::{Lineage, lineages};
pub use overview::{DatabaseOverview, Overview, overview, phase};
pub use targets::{Target, targets};
pub use verification::{Failure, VerificationError, VerificationReport};

use crate::context::Context;
use crate::copy::{self, CopyError, OnCorrupt};
use crate::cutover::{self, SwitchError};
use crate::home::Home;
use crate::plan::Plan;
use crate::workspace::{Exclusive, Workspaces};

/// Databases may be missing or unfinished in the target.
#[derive(Debug)]
pub struct Planned;
/// All targets are sealed; nobody has checked them.
#[derive(Debug)]
pub struct Copied;
/// All targets passed all layers.
#[derive(Debug)]
pub struct Verified;
/// A cut-over or rollback has begun and must be finished: folders may have changed places.
#[derive(Debug)]
pub struct Switching;
/// The node opens the new databases.
#[derive(Debug)]
pub struct CutOver;

/// A migration in the state `S`, held exclusively.
#[derive(Debug)]
pub struct Migration<S> {
    pub(crate) core: Core,
    exclusive: Exclusive,
    state: PhantomData<S>,
}

impl<S> Migration<S> {
    /// What all states have: plan, history, workspace.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.core
    }

    fn into_state<T>(self) -> Migration<T> {
        Migration { core: self.core, exclusive: self.exclusive, state: PhantomData }
    }
}

/// An open migration in whatever state it is.
#[derive(Debug)]
pub enum Stage {
    /// To be copied, or copied on.
    Planned(Migration<Planned>),
    /// To be verified.
    Copied(Migration<Copied>),
    /// To be cut over.
    Verified(Migration<Verified>),
    /// Interrupted in the middle of a cut-over or rollback: nothing else may be done before.
    Switching(Migration<Switching>),
    /// Cut over.
    CutOver(Migration<CutOver>),
}

impl Stage {
    /// What all states have.
    #[must_use]
    pub fn core(&self) -> &Core {
        match self {
            Self::Planned(migration) => migration.core(),
            Self::Copied(migration) => migration.core(),
            Self::Verified(migration) => migration.core(),
            Self::Switching(migration) => migration.core(),
            Self::CutOver(migration) => migration.core(),
        }
    }
}

/// The migration of `home` that is under way, held exclusively; `None` when there is none.
///
/// # Errors
/// When another process holds it, or its files cannot be read.
pub fn open(home: &Home) -> Result<Option<Stage>, OpenError> {
    let workspaces = Workspaces::of(&home.db_dir);
    let Some(_) = Core::find_open(&workspaces)? else { return Ok(None) };
    let exclusive = workspaces.lock()?;
    // Again under the lock: the other process may have closed it meanwhile.
    let Some(workspace) = Core::find_open(&workspaces)? else { return Ok(None) };
    let core = Core::open(home, workspace)?;
    Ok(Some(stage(core, exclusive)))
}

/// Begins a migration by `plan`, or goes on with the one under way if it has the same target.
///
/// # Errors
/// [`OpenError::Stale`] when the plan is of another state of a source; [`OpenError::OtherHome`] when it
/// is of another home.
pub fn begin(home: &Home, plan: Plan, context: &Context<'_>) -> Result<Stage, OpenError> {
    let workspaces = Workspaces::of(&home.db_dir);
    let exclusive = workspaces.lock()?;
    let core = match Core::find_open(&workspaces)? {
        Some(workspace) => Core::open(home, workspace)?,
        None => {
            workspaces.remove_torsos(&exclusive)?;
            close::sweep(&workspaces)?;
            Core::create(home, &workspaces, plan, context)?
        }
    };
    Ok(stage(core, exclusive))
}

fn stage(core: Core, exclusive: Exclusive) -> Stage {
    let phase = core.phase();
    let migration = Migration { core, exclusive, state: PhantomData::<()> };
    match phase {
        Phase::Copying => Stage::Planned(migration.into_state()),
        Phase::Copied => Stage::Copied(migration.into_state()),
        Phase::Verified => Stage::Verified(migration.into_state()),
        Phase::CuttingOver | Phase::RollingBack => Stage::Switching(migration.into_state()),
        Phase::CutOver | Phase::RolledBack | Phase::Finalised | Phase::Discarded => {
            Stage::CutOver(migration.into_state())
        }
    }
}

impl Migration<Planned> {
    /// Copies and seals all databases.
    ///
    /// # Errors
    /// [`CopyError`]; finished shards are kept.
    pub fn copy(mut self, context: &Context<'_>, on_corrupt: OnCorrupt<'_>) -> Result<Migration<Copied>, CopyError> {
        copy::copy(&mut self.core, context, on_corrupt)?;
        Ok(self.into_state())
    }
}

impl Migration<Copied> {
    /// Looks whether the sources have moved since their snapshots, and copies again what has.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn refresh(self, context: &Context<'_>, on_corrupt: OnCorrupt<'_>) -> Result<Self, CopyError> {
        self.into_state::<Planned>().copy(context, on_corrupt)
    }

    /// Reads the sealed targets cold and checks them, layer by layer.
    ///
    /// # Errors
    /// [`VerificationError::Failed`] with the report when anything is found that quarantine does not explain.
    pub fn verify(
        mut self,
        context: &Context<'_>,
    ) -> Result<(Migration<Verified>, VerificationReport), VerificationError> {
        let report = verification::run(&mut self.core, context)?;
        Ok((self.into_state(), report))
    }
}

impl Migration<Verified> {
    /// Verifies once more.
    ///
    /// # Errors
    /// As [`Migration::<Copied>::verify`].
    pub fn again(self, context: &Context<'_>) -> Result<(Self, VerificationReport), VerificationError> {
        self.into_state::<Copied>().verify(context)
    }

    /// Takes the verdict back when a source has moved since its snapshot, copying that again.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn refresh(self, context: &Context<'_>, on_corrupt: OnCorrupt<'_>) -> Result<Stage, CopyError> {
        let copied = self.into_state::<Planned>().copy(context, on_corrupt)?;
        Ok(stage(copied.core, copied.exclusive))
    }

    /// Makes the new databases the node's own.
    ///
    /// # Errors
    /// [`SwitchError`]; once begun, [`Migration::<Switching>::cut_over`] continues.
    pub fn cut_over(mut self, context: &Context<'_>) -> Result<Migration<CutOver>, SwitchError> {
        cutover::cut_over(&mut self.core, context)?;
        Ok(self.into_state())
    }
}

impl Migration<Switching> {
    /// Finishes a cut-over that was interrupted.
    ///
    /// # Errors
    /// [`SwitchError::Phase`] when it is a rollback that was interrupted; else the same call continues.
    pub fn cut_over(mut self, context: &Context<'_>) -> Result<Migration<CutOver>, SwitchError> {
        cutover::cut_over(&mut self.core, context)?;
        Ok(self.into_state())
    }

    /// Finishes an interrupted rollback, or takes an interrupted cut-over back.
    ///
    /// # Errors
    /// As [`Migration::<CutOver>::roll_back`].
    pub fn roll_back(self, context: &Context<'_>) -> Result<Core, SwitchError> {
        self.into_state::<CutOver>().roll_back(context)
    }
}

impl Migration<CutOver> {
    /// Makes the old databases the node's own again, if no height would be lost.
    ///
    /// # Errors
    /// [`SwitchError`]; the same call continues.
    pub fn roll_back(mut self, context: &Context<'_>) -> Result<Core, SwitchError> {
        cutover::roll_back(&mut self.core, context)?;
        Ok(self.core)
    }

    /// Removes the old databases: there is no way back after this. Gives the bytes freed.
    ///
    /// # Errors
    /// [`CloseError`].
    pub fn finalise(mut self, context: &Context<'_>) -> Result<u64, CloseError> {
        close::finalise(&mut self.core, context)
    }
}

/// Removes what closed migrations left behind (a rolled-back one keeps its copies until then); gives
/// the bytes freed.
///
/// # Errors
/// When a workspace cannot be read or its copies cannot be removed.
pub fn sweep(home: &Home) -> Result<u64, OpenError> {
    let workspaces = Workspaces::of(&home.db_dir);
    if workspaces.list()?.is_empty() {
        return Ok(0);
    }
    let _exclusive = workspaces.lock()?;
    close::sweep(&workspaces)
}

/// Gives up a migration that has not been cut over: its copies are removed, the journal stays.
///
/// # Errors
/// [`CloseError::Switched`] when a cut-over has begun.
pub fn discard(stage: Stage, context: &Context<'_>) -> Result<u64, CloseError> {
    match stage {
        Stage::Planned(mut migration) => close::discard(&mut migration.core, context),
        Stage::Copied(mut migration) => close::discard(&mut migration.core, context),
        Stage::Verified(mut migration) => close::discard(&mut migration.core, context),
        Stage::Switching(_) | Stage::CutOver(_) => Err(CloseError::Switched),
    }
}
