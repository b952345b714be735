//! `all-homes NODE_MIGRATE FOLDER [NAME...]`: every packed home in FOLDER (or only those named) goes to each engine and back; see
//! [`testnet::journey`].

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use testnet::journey::{self, Program};
use testnet::{oracle, unpack};

const ENGINES: [&str; 4] = ["rocksdb", "pebbledb", "goleveldb", "sled"];

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for scripts: one line for each journey")]
fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [program, folder, names @ ..] = arguments.as_slice() else {
        eprintln!("usage: all-homes NODE_MIGRATE FOLDER [NAME...]");
        return ExitCode::from(2);
    };
    let program = Program::new(PathBuf::from(program));
    let mut homes = packed(Path::new(folder));
    homes.retain(|file| {
        names.is_empty() || names.iter().any(|name| file.ends_with(format!("{}.tar.zst", name.to_string_lossy())))
    });
    let journeys: Vec<_> = homes.iter().flat_map(|file| ENGINES.map(|engine| (file, engine))).collect();
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Most of the time is spent waiting for the disk.
    let workers = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((file, engine)) = journeys.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let start = Instant::now();
                    let shown =
                        format!("{} to {engine} and back", file.file_name().unwrap_or_default().to_string_lossy());
                    match one(&program, file, engine) {
                        Ok(compared) => {
                            println!(
                                "ok: {shown}: {compared} times as the oracle says, {:.1} s",
                                start.elapsed().as_secs_f32()
                            );
                        }
                        Err(error) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            println!("FAILED: {shown}: {error}");
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!("{} homes, {} journeys, {failed} failed", homes.len(), journeys.len());
    if failed == 0 && !homes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The packed homes of a folder that have an oracle, by name.
fn packed(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with(".tar.zst")).collect();
    files.sort();
    files
}

fn one(program: &Program, file: &Path, engine: &str) -> Result<usize, Box<dyn std::error::Error>> {
    let oracle = oracle::of_packed(file)?;
    let folder = tempfile::tempdir()?;
    let home = unpack::unpack_home(file, folder.path())?;
    Ok(journey::travel(program, &home, &oracle, engine)?)
}
