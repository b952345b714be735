//! Progress: bars on a terminal, a plain line every five seconds elsewhere, lines of JSON on request.
//!
//! All of it goes to standard error: standard output holds results only, so that it can be piped.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use node_migrate::context::Listener;
use serde_json::json;

/// Time between two lines where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

enum Form {
    Bars,
    Lines,
    Json,
}

/// Shows progress on standard error.
pub(crate) struct Progress {
    form: Form,
    phase: Mutex<Option<Phase>>,
}

struct Phase {
    name: String,
    total: u64,
    bytes: u64,
    rows: u64,
    begun: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Bars that move.
    pub(super) fn bars() -> Self {
        Self { form: Form::Bars, phase: Mutex::new(None) }
    }

    /// A plain line every five seconds.
    pub(super) fn lines() -> Self {
        Self { form: Form::Lines, phase: Mutex::new(None) }
    }

    /// A line of JSON every five seconds and at each turn.
    pub(super) fn json() -> Self {
        Self { form: Form::Json, phase: Mutex::new(None) }
    }

    fn tell(&self, phase: &Phase, event: &str) {
        match self.form {
            Form::Bars => {}
            Form::Lines => eprintln!("{}", phase.line()),
            Form::Json => eprintln!(
                "{}",
                json!({
                    "type": "progress", "event": event, "phase": phase.name, "bytes": phase.bytes, "bytes_total": phase.total,
                    "rows": phase.rows, "seconds": phase.begun.elapsed().as_secs(), "eta_seconds": phase.eta(),
                })
            ),
        }
    }

    fn with_phase(&self, action: impl FnOnce(&mut Option<Phase>)) {
        action(&mut self.phase.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Phase {
    fn eta(&self) -> Option<u64> {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).ok()?;
        let left = self.total.checked_sub(self.bytes)?;
        (self.bytes > 0)
            .then(|| u64::try_from(u128::from(elapsed) * u128::from(left) / u128::from(self.bytes) / 1000).ok())?
    }

    fn line(&self) -> String {
        let mut line = format!("{}: {} in {} rows", self.name, super::bytes(self.bytes), self.rows);
        if let Some(eta) = self.eta().filter(|_| self.total > 0) {
            line.push_str(&format!(", about {eta} s left"));
        }
        line
    }
}

impl Listener for Progress {
    fn begin(&self, phase: &str, bytes: u64) {
        let bar = matches!(self.form, Form::Bars).then(|| bar(phase, bytes));
        let now = Instant::now();
        let phase = Phase { name: phase.to_owned(), total: bytes, bytes: 0, rows: 0, begun: now, told: now, bar };
        if matches!(self.form, Form::Json) {
            self.tell(&phase, "begin");
        }
        self.with_phase(|current| *current = Some(phase));
    }

    fn advance(&self, bytes: u64, rows: u64) {
        self.with_phase(|current| {
            let Some(phase) = current else { return };
            phase.bytes += bytes;
            phase.rows += rows;
            // The size on disk is packed; when more comes out the bar must not stand at the end.
            phase.total = if phase.total == 0 { 0 } else { phase.total.max(phase.bytes) };
            if let Some(bar) = &phase.bar {
                bar.set_length(phase.total);
                bar.set_position(phase.bytes);
                bar.set_message(format!("{} rows", phase.rows));
            } else if phase.told.elapsed() >= LINE_INTERVAL {
                phase.told = Instant::now();
                self.tell(phase, "advance");
            }
        });
    }

    fn end(&self) {
        self.with_phase(|current| {
            let Some(phase) = current.take() else { return };
            if let Some(bar) = &phase.bar {
                bar.finish_and_clear();
            }
            match self.form {
                Form::Bars | Form::Lines if phase.rows > 0 => eprintln!("{}: done, {}", phase.name, phase_size(&phase)),
                Form::Json => self.tell(&phase, "end"),
                _ => {}
            }
        });
    }

    fn say(&self, text: &str) {
        match self.form {
            Form::Json => eprintln!("{}", json!({"type": "note", "text": text})),
            _ => eprintln!("{text}"),
        }
    }
}

fn phase_size(phase: &Phase) -> String {
    format!("{} in {} rows, {} s", super::bytes(phase.bytes), phase.rows, phase.begun.elapsed().as_secs())
}

fn bar(phase: &str, bytes: u64) -> ProgressBar {
    let target = ProgressDrawTarget::stderr();
    let template = "{prefix} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} ETA {eta} {msg}";
    let style = ProgressStyle::with_template(template).map(|style| style.progress_chars("=> "));
    let bar = ProgressBar::with_draw_target(Some(bytes), target).with_prefix(phase.to_owned());
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
