//! Proven blocks of a range of heights, out of what peers bring: for an auditor, or for a repair elsewhere.
//!
//! The home says what proves them (the block above, the validators of its state), and is not changed. Of each height it
//! is said whether the home's own block is sound.

use std::collections::{BTreeMap, BTreeSet};

use ledger_formats::durable::DurableError;
use ledger_formats::store::ReadStore;
use rayon::prelude::*;
use serde::Serialize;

use super::MendError;
use super::damage::look;
use super::peers::{BlockPeers, Fetched, NotTaken, PeerError};
use super::prover::Prover;
use crate::blocks::{Chain, Proven};
use crate::checkpoint::ChainError;
use crate::context::{Context, Interrupted};

/// Heights that are gathered at a time at most.
pub const HEIGHTS_MAX: u64 = 100_000;

/// What is gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The lowest height.
    pub first: u64,
    /// The highest one.
    pub last: u64,
    /// Whether only heights are asked for whose blocks are damaged here.
    pub is_for_damaged: bool,
}

/// A block that was brought and proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Brought {
    /// Its hash, hex.
    pub hash: String,
    /// Its bytes.
    pub bytes: usize,
    /// Who brought it.
    pub provenance: String,
}

/// What is known of a height.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GatheredHeight {
    /// The height.
    pub height: u64,
    /// What is wrong with the home's own block; `None` where it is sound.
    pub damage: Option<String>,
    /// The block that was brought.
    pub brought: Option<Brought>,
    /// Why none was, where one was asked for.
    pub refused: Option<String>,
}

/// What was gathered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gathered {
    /// All heights of the range, ascending.
    pub heights: Vec<GatheredHeight>,
}

impl Gathered {
    /// Heights whose own blocks are damaged.
    pub fn damaged(&self) -> impl Iterator<Item = &GatheredHeight> {
        self.heights.iter().filter(|height| height.damage.is_some())
    }

    /// Heights that were asked for and could not be had.
    pub fn missing(&self) -> impl Iterator<Item = &GatheredHeight> {
        self.heights.iter().filter(|height| height.refused.is_some())
    }

    /// How many blocks were brought.
    #[must_use]
    pub fn brought(&self) -> usize {
        self.heights.iter().filter(|height| height.brought.is_some()).count()
    }
}

/// Why blocks cannot be gathered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatherError {
    /// What proves blocks is known for other heights only.
    #[error("heights {first} to {last} are asked for, and this home holds {base} to {tip}")]
    Outside {
        /// The lowest height asked for.
        first: u64,
        /// The highest one.
        last: u64,
        /// The lowest height of the home.
        base: u64,
        /// The highest one.
        tip: u64,
    },
    /// Too many at a time.
    #[error("{count} heights are asked for, {limit} can be fetched at a time", limit = HEIGHTS_MAX)]
    TooMany {
        /// How many.
        count: u64,
    },
    /// The store does not say which heights it holds.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The home cannot say what is wrong with it.
    #[error(transparent)]
    Look(#[from] MendError),
    /// Nobody can be asked.
    #[error(transparent)]
    Peers(#[from] PeerError),
    /// A block cannot be kept.
    #[error(transparent)]
    Keep(#[from] DurableError),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Keeps a proven block; the second argument says who brought it.
pub type Keep<'a> = &'a mut dyn FnMut(&Proven, &str) -> Result<(), DurableError>;

/// Gathers the blocks of a range. Each goes to `keep` as soon as it is proven, in no particular order.
///
/// # Errors
/// [`GatherError`]; what was kept by then stays.
pub fn gather(
    blocks: &dyn ReadStore,
    state: &dyn ReadStore,
    chain_id: &str,
    range: Range,
    peers: &dyn BlockPeers,
    context: &Context<'_>,
    keep: Keep<'_>,
) -> Result<Gathered, GatherError> {
    let chain = Chain::open(blocks, state, chain_id)?;
    check(&chain, range)?;
    let damage = look_at(&chain, range, context)?;
    let is_asked = |height: &u64| !range.is_for_damaged || damage.contains_key(height);
    let asked: BTreeSet<u64> = (range.first..=range.last).filter(is_asked).collect();
    let mut desk = Desk {
        prover: Prover::new(&chain, damage.keys().copied().collect()),
        brought: BTreeMap::new(),
        refused: BTreeMap::new(),
        failed: None,
        keep,
    };
    // The commit that proves a damaged height is in the block above, even where that is not asked for.
    let above = (range.last.saturating_add(1)..).take_while(|height| damage.contains_key(height));
    let wanted = desk.prover.wanted(asked.iter().copied().chain(above).collect());
    context.listener.begin(&format!("fetching {} blocks", wanted.heights.len()), 0);
    let ended =
        if wanted.heights.is_empty() { Ok(()) } else { peers.fetch(&wanted, context, &mut |block| desk.take(block)) };
    context.listener.end();
    if let Some(error) = desk.failed {
        return Err(error.into());
    }
    ended?;
    Ok(Gathered { heights: (range.first..=range.last).map(|height| desk.line(height, &damage, &asked)).collect() })
}

fn check(chain: &Chain<'_>, range: Range) -> Result<(), GatherError> {
    let Range { first, last, .. } = range;
    let (base, tip) = (chain.base(), chain.tip());
    if first < base || last > tip || first > last {
        return Err(GatherError::Outside { first, last, base, tip });
    }
    let count = last - first + 1;
    if count > HEIGHTS_MAX { Err(GatherError::TooMany { count }) } else { Ok(()) }
}

/// What is wrong with the home's own blocks of a range, and of those above it up to the first that is sound.
fn look_at(chain: &Chain<'_>, range: Range, context: &Context<'_>) -> Result<BTreeMap<u64, String>, GatherError> {
    context.listener.begin("looking at the home's own blocks", 0);
    let found: Result<Vec<Option<(u64, String)>>, GatherError> = (range.first..=range.last)
        .into_par_iter()
        .map(|height| {
            context.go_on()?;
            Ok(look(chain, height, &[])?)
        })
        .collect();
    context.listener.end();
    let mut damage: BTreeMap<u64, String> = found?.into_iter().flatten().collect();
    let end = chain.tip().min(range.last.saturating_add(HEIGHTS_MAX));
    for height in range.last.saturating_add(1)..=end {
        context.go_on()?;
        match look(chain, height, &[])? {
            // The row of a height below may be what is hurt: then this one is sound.
            Some((of, words)) => drop(damage.insert(of, words)),
            None => break,
        }
        if !damage.contains_key(&height) {
            break;
        }
    }
    Ok(damage)
}

/// Where blocks are proven and handed on.
struct Desk<'a, 'k> {
    prover: Prover<'a>,
    brought: BTreeMap<u64, Brought>,
    refused: BTreeMap<u64, String>,
    failed: Option<DurableError>,
    keep: Keep<'k>,
}

impl Desk<'_, '_> {
    fn take(&mut self, fetched: Fetched) -> Result<(), NotTaken> {
        let height = fetched.height;
        if self.failed.is_some() || self.brought.contains_key(&height) {
            return Ok(());
        }
        let proven = self.prover.prove(&fetched).inspect_err(|error| {
            self.refused.insert(height, format!("{}: {error}", fetched.provenance));
        })?;
        self.failed = (self.keep)(&proven, &fetched.provenance).err();
        self.refused.remove(&height);
        let hash = hex::encode(proven.id.hash);
        self.brought.insert(height, Brought { hash, bytes: proven.bytes.len(), provenance: fetched.provenance });
        Ok(())
    }

    fn line(&mut self, height: u64, damage: &BTreeMap<u64, String>, asked: &BTreeSet<u64>) -> GatheredHeight {
        let brought = self.brought.remove(&height);
        let is_missing = asked.contains(&height) && brought.is_none();
        let refused = is_missing.then(|| self.refused.remove(&height).unwrap_or_else(|| "no peer has it".to_owned()));
        GatheredHeight { height, damage: damage.get(&height).cloned(), brought, refused }
    }
}
