//! The table: what was measured, how long it took, and what is asked for.

use std::time::{Duration, Instant};

/// What a measurement took.
#[derive(Clone, Copy)]
pub struct Took {
    pub wall: Duration,
    pub processor: Duration,
}

pub fn head() {
    println!("| what | wall s | processor s | result | aim |");
    println!("|---|---|---|---|---|");
}

/// Runs something and says what it took.
pub fn measure<T>(run: impl FnOnce() -> T) -> (T, Took) {
    let (wall, processor) = (Instant::now(), processor_time());
    let made = run();
    (made, Took { wall: wall.elapsed(), processor: processor_time().saturating_sub(processor) })
}

/// A row about `count` things, with how many of them a second of `time` does.
pub fn rate(what: &str, count: u64, took: Took, time: Duration, unit: &str, aim: &str) {
    let rate = count as f64 / time.as_secs_f64();
    let rate = if rate >= 1e6 { format!("{:.2} M", rate / 1e6) } else { format!("{:.0} k", rate / 1e3) };
    row(what, took, &format!("{rate} {unit}"), aim);
}

/// A row with a result in words.
pub fn row(what: &str, took: Took, result: &str, aim: &str) {
    let seconds = |time: Duration| format!("{:.2}", time.as_secs_f64());
    println!("| {what} | {} | {} | {result} | {aim} |", seconds(took.wall), seconds(took.processor));
}

/// A row without times.
pub fn said(what: &str, result: &str, aim: &str) {
    println!("| {what} | | | {result} | {aim} |");
}

/// Time that this process has been on cores (Linux, proc_pid_stat(5), fields 14 and 15, in hundredths of a second).
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = text.rsplit_once(')').expect("the name stands in brackets").1;
    let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().expect("a number"));
    Duration::from_millis(10 * ticks.sum::<u64>())
}
