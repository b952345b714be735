//! The only place that prints: text for people, JSON for programs.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the module that talks to people")]

#[cfg(feature = "shim")]
mod log;
mod progress;

use std::io::IsTerminal;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

#[cfg(feature = "shim")]
pub(crate) use log::{Level, Line};
pub(crate) use progress::Progress;

use crate::error::AppError;

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// Prints JSON or text.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A listener that shows progress in the fitting way.
    pub(crate) fn progress(self) -> Progress {
        if self.json {
            Progress::json()
        } else if std::io::stderr().is_terminal() {
            Progress::bars()
        } else {
            Progress::lines()
        }
    }

    /// A command's result: `text` for people, `value` as one JSON document for programs.
    pub(crate) fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            let value = serde_json::to_value(value).expect("results hold only serialisable values");
            println!("{value:#}");
        } else {
            let text = text();
            print!("{text}");
            if !text.ends_with('\n') {
                println!();
            }
        }
    }

    /// What a step of a longer command found: one line of JSON.
    pub(crate) fn step(self, value: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json { println!("{}", json!({ "type": "step", "report": value })) } else { self.result(value, text) }
    }

    /// The result of a command that shows progress: one line of JSON, marked as the last.
    pub(crate) fn outcome(self, value: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            let mut value = serde_json::to_value(value).expect("results hold only serialisable values");
            if let Value::Object(fields) = &mut value {
                fields.insert("type".to_owned(), json!("result"));
            }
            println!("{value}");
        } else {
            self.result(value, text);
        }
    }

    /// Text that is wanted as it is, whatever the format.
    pub(crate) fn raw(self, text: &str) {
        print!("{text}");
    }

    /// A line of the log of a command that runs on.
    #[cfg(feature = "shim")]
    pub(crate) fn log(self, line: &Line<'_>) {
        eprintln!("{}", if self.json { line.json().to_string() } else { line.text() });
    }

    /// Tells a failure and gives its exit code.
    pub(crate) fn fail(self, error: &AppError) -> ExitCode {
        if self.json {
            let value = json!({
                "type": "error", "kind": error.kind.name(), "code": error.kind.code(),
                "message": error.message, "hint": error.hint,
            });
            println!("{value}");
        } else {
            eprintln!("error: {}", error.message);
            if let Some(hint) = &error.hint {
                eprintln!("  what to do: {hint}");
            }
        }
        ExitCode::from(error.kind.code())
    }
}

/// Tells a fault in the surroundings before there is an output format.
pub(crate) fn fail_usage(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(2)
}

/// Bytes as people read them.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut tenths = u128::from(count) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(unit).unwrap_or(&"PiB"))
}

/// Lines of cells in columns.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::from("  ");
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
