//! `testnet sim`: many seeds, side by side; of those that fail, the first few with how to replay them.
#![expect(clippy::print_stdout, reason = "a program's output")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use rayon::prelude::*;
use testnet::chain::Crypto;
use testnet::sim::{self, Failure, Scenario, Summary};

use crate::cli::SimArguments;

/// Failures that are shown.
const SHOWN: usize = 10;

fn run_all(arguments: &SimArguments, scenario: &Scenario) -> Vec<Result<Summary, Failure>> {
    let seeds = arguments.seeds.0.clone();
    if arguments.trace {
        return seeds.map(|seed| sim::run_traced(seed, scenario, &mut |line| println!("{seed}: {line}"))).collect();
    }
    seeds.into_par_iter().map(|seed| sim::run(seed, scenario)).collect()
}

fn run_in_pool(arguments: &SimArguments, scenario: &Scenario) -> Vec<Result<Summary, Failure>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.workers.unwrap_or(0)).build();
    match pool {
        Ok(pool) => pool.install(|| run_all(arguments, scenario)),
        // One thread is always there.
        Err(_) => run_all(arguments, scenario),
    }
}

fn to_homes(seed: u64, scenario: &Scenario, folder: &Path) -> ExitCode {
    match sim::run_to_homes(seed, scenario, folder) {
        Ok(Ok(summary)) => {
            println!("{} heights on every node, written below {}", summary.heights, folder.display());
            return ExitCode::SUCCESS;
        }
        Ok(Err(failure)) => println!("{failure}"),
        Err(error) => println!("{error}"),
    }
    ExitCode::FAILURE
}

pub(crate) fn run(arguments: &SimArguments) -> ExitCode {
    let scenario = Scenario {
        nodes: arguments.nodes.into(),
        heights: arguments.heights,
        rollout: arguments.rollout,
        faults: arguments.faults,
        crypto: if arguments.real_signatures { Crypto::Ed25519 } else { Crypto::Checksum },
        ..Scenario::default()
    };
    if let Some(folder) = &arguments.write_homes {
        return to_homes(arguments.seeds.0.start, &scenario, folder);
    }
    let begin = Instant::now();
    let results = run_in_pool(arguments, &scenario);
    let seconds = begin.elapsed().as_secs_f64();
    let (held, failed): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.is_ok());
    for failure in failed.iter().take(SHOWN).filter_map(|result| result.as_ref().err()) {
        println!("{failure}\n  again: testnet sim --seeds {} --trace (with the same options)", failure.seed);
    }
    let sum = |of: fn(&Summary) -> u64| held.iter().filter_map(|result| result.as_ref().ok()).map(of).sum::<u64>();
    println!(
        "{} seeds in {seconds:.1} s: {} held, {} failed; {} heights, {} events, {} restarts, {} nodes migrated, \
         {} rollouts complete",
        results.len(),
        held.len(),
        failed.len(),
        sum(|it| it.heights),
        sum(|it| it.events),
        sum(|it| it.restarts),
        sum(|it| it.migrated),
        sum(|it| u64::from(it.completed)),
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
