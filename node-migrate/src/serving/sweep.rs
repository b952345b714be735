//! Proves block after block from the base upward, and follows the node.
//!
//! The offer grows by what was proven, in order. A height that no snapshot proves ends it until another snapshot does:
//! what lies above cannot be reached by a node that syncs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ledger_formats::comet::TimeRule;
use proofs::commit::BlockId;
use rayon::prelude::*;
use shim::source::{BlockSource, Offer};

use super::ServingError;
use super::folders::Layers;
use super::times::TimeRules;
use super::told::{Tells, Told};
use super::verified::VerifiedBlocks;
use super::view::{View, checked};
use crate::blocks::Chain;
use crate::context::Context;

/// Heights that are proven side by side.
const CHUNK: u64 = 256;
/// How often the folders are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often the wish to stop is.
const STOP_EVERY: Duration = Duration::from_millis(100);
/// The pause after taking snapshots is so many times as long as that took.
const SNAPSHOTS_SHARE: u32 = 4;

/// The sweep over the blocks of a home.
pub struct Sweep<'a> {
    home: PathBuf,
    blocks: Arc<VerifiedBlocks>,
    context: &'a Context<'a>,
    tells: Tells<'a>,
    seen: Option<Layers>,
    /// The last height that was proven.
    last: Option<(u64, BlockId)>,
}

/// A height that was proven.
struct Link {
    id: BlockId,
    below: Option<BlockId>,
    time: Option<TimeRule>,
}

impl<'a> Sweep<'a> {
    /// A sweep over the home at `path` that fills `blocks`. `rules`: those of the network, if the operator says them.
    #[must_use]
    pub fn new(
        path: &Path,
        blocks: Arc<VerifiedBlocks>,
        rules: Option<TimeRules>,
        context: &'a Context<'a>,
        tell: &'a (dyn Fn(Told) + Sync),
    ) -> Self {
        Self { home: path.to_owned(), blocks, context, tells: Tells::new(rules, tell), seen: None, last: None }
    }

    /// Sweeps and follows the node until the context says stop.
    pub fn run(mut self) {
        // Without threads of its own it goes on with those that are there.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.context.workers).build();
        while self.context.go_on().is_ok() {
            let begin = Instant::now();
            let refreshed = self.refresh();
            // Snapshots of many tables take their time: they must not become all that the disk does.
            let pause = LOOK_EVERY.max(begin.elapsed() * SNAPSHOTS_SHARE);
            self.tells.unreadable(refreshed.err().map(|error| error.to_string()));
            match &pool {
                Ok(pool) => pool.install(|| self.prove()),
                Err(_) => self.prove(),
            }
            let until = Instant::now() + pause;
            while Instant::now() < until && self.context.go_on().is_ok() {
                thread::sleep(STOP_EVERY);
            }
        }
    }

    /// Takes new snapshots if a file has changed.
    fn refresh(&mut self) -> Result<(), ServingError> {
        let layers = Layers::of(&self.home)?;
        if self.seen.as_ref() == Some(&layers) {
            return Ok(());
        }
        layers.workspaces.create()?;
        let scratch = layers.workspaces.folder();
        let mut views = Vec::new();
        for layer in &layers.layers {
            let opened = View::open(layer, scratch, self.blocks.chain_id(), self.context.cache_bytes() / 4)?;
            views.extend(opened.map(Arc::new));
        }
        let top = |views: &[Arc<View>]| views.iter().map(|view| view.top).max();
        // After a rollback of the node the older snapshots go on until it has come as far again.
        if top(&views) < top(&self.blocks.views()) {
            return Ok(());
        }
        self.tells.snapshots(views.iter().map(|view| (view.name, view.base, view.top)).collect());
        self.seen = Some(layers);
        self.blocks.replace(views);
        Ok(())
    }

    /// Proves what is not yet proven.
    fn prove(&mut self) {
        let views = self.blocks.views();
        let (Some(base), Some(top)) =
            (views.iter().map(|view| view.base).min(), views.iter().map(|view| view.top).max())
        else {
            return;
        };
        // Pruning may have overtaken the sweep.
        let before = self.blocks.proven().filter(|offer| offer.top >= base);
        let mut proven = before.map(|offer| Offer { base: offer.base.max(base), ..offer });
        let mut next = proven.map_or(base, |offer| offer.top + 1);
        while next <= top && self.context.go_on().is_ok() {
            let end = next.saturating_add(CHUNK - 1).min(top);
            let failed = self.prove_chunk(&views, next, end);
            if let Some(reached) = self.last.map(|(height, _)| height).filter(|reached| *reached >= next) {
                proven = Some(Offer { base: proven.map_or(next, |offer| offer.base), top: reached });
            }
            self.blocks.extend(proven, false);
            if let Some((height, reason)) = failed {
                self.tells.stuck(height, reason);
                break;
            }
            if end < top {
                self.tells.proven(proven, false);
            }
            next = end + 1;
        }
        if self.context.go_on().is_ok() {
            self.blocks.extend(proven, true);
            self.tells.proven(proven, true);
        }
    }

    /// Proves some heights side by side; the first that cannot be proven, and why.
    fn prove_chunk(&mut self, views: &[Arc<View>], first: u64, last: u64) -> Option<(u64, String)> {
        let mut chains = Vec::new();
        for view in views {
            match view.chain() {
                Ok(chain) => chains.push((&**view, chain)),
                Err(error) => return Some((first, format!("{}: {error}", view.name))),
            }
        }
        let links: Vec<_> = (first..=last).into_par_iter().map(|height| link(&chains, height)).collect();
        for (height, link) in (first..).zip(links) {
            let linked = link.and_then(|link| self.follows(height, &link).map(|()| link));
            match linked {
                Err(reason) => return Some((height, reason)),
                Ok(link) => {
                    self.tells.time(height, link.time);
                    self.last = Some((height, link.id));
                }
            }
        }
        None
    }

    /// Whether a block's header names the block below.
    fn follows(&self, height: u64, link: &Link) -> Result<(), String> {
        match self.last {
            Some((below, id)) if below + 1 == height && link.below != Some(id) => {
                let actual = link.below.map_or_else(|| "none".to_owned(), |id| id.to_string());
                Err(format!("block {height} follows block {actual}, and the block below is {id}"))
            }
            _ => Ok(()),
        }
    }
}

/// Proves a height by the first snapshot that can.
fn link(chains: &[(&View, Chain<'_>)], height: u64) -> Result<Link, String> {
    let mut failed = None;
    for (view, chain) in chains.iter().filter(|(view, _)| view.contains(height)) {
        match checked(chain, height) {
            Ok(checked) => return Ok(Link { id: checked.id, below: checked.below, time: checked.time }),
            Err(error) => failed = Some(format!("{}: {error}", view.name)),
        }
    }
    Err(failed.unwrap_or_else(|| "it is in no snapshot".to_owned()))
}
