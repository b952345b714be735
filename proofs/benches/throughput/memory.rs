//! Peak memory of a streamed root, each in a process of its own that does nothing else.

use std::convert::Infallible;
use std::process::Command;

use proofs::merkle::{frontier_by_segments, root};
use rayon::ThreadPoolBuilder;

use crate::table::said;
use crate::{LEAVES, leaf};

/// Set for a child, to how it hashes.
const VARIABLE: &str = "PROOFS_BENCH_CHILD";

const KINDS: [(&str, &str); 2] = [("stream", "streamed, one core"), ("segments", "in segments, two cores")];

pub fn run() {
    for (kind, what) in KINDS {
        let program = std::env::current_exe().expect("this program");
        let output = Command::new(program).env(VARIABLE, kind).output().expect("it runs again");
        let text = String::from_utf8(output.stdout).expect("text");
        let kibibytes: f64 = text.trim().parse().expect("a number");
        said(&format!("peak resident memory of a root, {what}"), &format!("{:.1} MiB", kibibytes / 1024.0), "64 MiB");
    }
}

/// Whether this process is a child; it has then hashed and said its peak in KiB.
pub fn is_child() -> bool {
    let Ok(kind) = std::env::var(VARIABLE) else { return false };
    if kind == KINDS[0].0 {
        std::hint::black_box(root((0..LEAVES).map(leaf)));
    } else {
        let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
        let leaves = |range: std::ops::Range<u64>| range.map(|height| Ok::<_, Infallible>(leaf(height)));
        let Ok(frontier) = pool.install(|| frontier_by_segments(LEAVES, leaves));
        std::hint::black_box(frontier.root());
    }
    // proc_pid_status(5): the peak resident set.
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    println!("{}", peak.trim().trim_end_matches(" kB"));
    true
}
