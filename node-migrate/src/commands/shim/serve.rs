//! `shim serve`: the blocks of a home for other nodes, until somebody stops it.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use node_migrate::home::Home;
use node_migrate::serving::{Sweep, VerifiedBlocks};
use serde_json::json;
use shim::blocksync::service::{Budget, Log, Service};
use shim::counters::Counters;
use shim::source::BlockSource;
use tokio::task::JoinSet;

use super::board::{Board, of_count};
use super::monitor::Report;
use super::words::{Lines, runtime};
use super::{attest, identity, monitor, own, transports};
use crate::cli::shim::Serve;
use crate::commands::Surroundings;
use crate::error::{AppError, Kind};

/// How often the wish to stop is looked at.
const STOP_EVERY: Duration = Duration::from_millis(100);
/// Time for what is under way to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves until it is stopped.
pub(super) fn run(words: &Serve, world: &Surroundings) -> Result<(), AppError> {
    let home = world.home(&words.home)?;
    let blocks = Arc::new(VerifiedBlocks::new(chain_id(&home)?));
    let identity = identity::of(words.key.as_deref(), &home)?;
    let context = world.context();
    let lines = Lines::new(world.output, context.now);
    let counters = Arc::<Counters>::default();
    let board = Arc::new(Board::new(lines, (context.now)(), Arc::clone(&blocks), Arc::clone(&counters)));
    let budget = Arc::new(Budget::new(usize::try_from(context.memory_bytes / 4).unwrap_or(usize::MAX)));
    let service = |transport| Service {
        transport,
        source: Arc::clone(&blocks) as Arc<dyn BlockSource>,
        counters: Arc::clone(&counters),
        log: Arc::clone(&board) as Arc<dyn Log>,
        budget: Arc::clone(&budget),
    };
    let (attester, book) = attest::of(&words.own, &home, world, lines)?.unzip();
    let runtime = runtime()?;
    let mut tasks = JoinSet::new();
    let node = runtime.block_on(async {
        monitor::listen(words.monitor, Arc::clone(&board) as Arc<dyn Report>, lines, &mut tasks).await?;
        transports::classic(words, &identity, service("classic"), lines, &mut tasks).await?;
        let given = own::Given { blocks: Arc::clone(&blocks), counters: Arc::clone(&counters), book, lines };
        let node = own::begin(words, &home, &identity, given, &mut tasks)?;
        node.iter().for_each(|node| board.set_own(node.clone()));
        transports::lp2p(words, identity, service("lp2p"), lines, &mut tasks).await?;
        Ok::<_, AppError>(node)
    })?;
    let tell = |told| lines.told(told);
    let sweep = Sweep::new(&home.root, Arc::clone(&blocks), words.own.spoken.time_rule, &context, &tell);
    thread::scope(|scope| {
        let sweeping = scope.spawn(|| sweep.run());
        if let (Some(attester), Some(node)) = (attester, &node) {
            scope.spawn(|| attest::run(attester, node, &blocks, &context, runtime.handle(), lines));
        }
        while context.go_on().is_ok() && !sweeping.is_finished() {
            thread::sleep(STOP_EVERY);
        }
    });
    // Peers see the end of their connections; nothing is written that could be cut short.
    drop(tasks);
    runtime.shutdown_timeout(FAREWELL);
    outcome(&counters, world);
    Ok(())
}

/// The chain of a home.
pub(super) fn chain_id(home: &Home) -> Result<&str, AppError> {
    let genesis = home.genesis.as_ref().map(|genesis| genesis.chain_id.as_str());
    genesis.ok_or_else(|| {
        let message =
            format!("{} has no genesis file, which names the chain that peers must be of", home.root.display());
        AppError::new(Kind::Home, message)
    })
}

/// What was done, by transport, peer and outcome.
fn outcome(counters: &Counters, world: &Surroundings) {
    let counts = counters.snapshot();
    let rows: Vec<_> = counts.iter().map(of_count).collect();
    world.output.outcome(&json!({ "counts": rows }), || {
        let line = |count: &shim::counters::Count| {
            format!("{} {} {}: {}\n", count.protocol, count.agent, count.outcome, count.count)
        };
        counts.iter().map(line).collect()
    });
}
