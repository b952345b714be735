//! `node-migrate` as an operator calls it: the rollout, and the roots of homes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::fault::SceneError;

/// The kind of records that differs from node to node: which votes each saw first.
const SEEN_COMMITS: &str = "seen-commit";

/// Of what a command said, so much is told.
const TOLD_CHARS: usize = 3_000;

/// The program.
#[derive(Clone, Debug)]
pub struct Tool {
    path: PathBuf,
}

/// Roots of a home by database and kind of records.
pub type Roots = BTreeMap<(String, String), String>;

impl Tool {
    /// The program at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Runs a command that must end with `code`; what it wrote to its standard output.
    ///
    /// # Errors
    /// [`SceneError::Command`].
    pub fn run(&self, arguments: &[&str], code: i32) -> Result<Vec<u8>, SceneError> {
        let command = self.words(arguments);
        let failed = |actual: String, output: String| {
            let from = output.chars().count().saturating_sub(TOLD_CHARS);
            let output = output.chars().skip(from).collect();
            SceneError::Command { command: command.clone(), expected: code, actual, output }
        };
        let done = Command::new(&self.path).args(arguments).stdin(Stdio::null()).output();
        let done = done.map_err(|error| failed(error.to_string(), String::new()))?;
        if done.status.code() == Some(code) {
            return Ok(done.stdout);
        }
        let output = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        Err(failed(done.status.to_string(), output))
    }

    /// The last JSON document that a command writes: those before it are progress.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn json(&self, arguments: &[&str]) -> Result<Value, SceneError> {
        let out = self.run(arguments, 0)?;
        let documents = serde_json::Deserializer::from_slice(&out).into_iter::<Value>();
        let last = documents.last().unwrap_or(Ok(Value::Null));
        last.map_err(|error| SceneError::Answer { command: self.words(arguments), reason: error.to_string() })
    }

    /// The roots of a home whose node is stopped, but for what nodes of one chain differ in.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn roots(&self, home: &Path) -> Result<Roots, SceneError> {
        let arguments = ["root", &home.to_string_lossy(), "--json"];
        let answer = self.json(&arguments)?;
        let wrong = || SceneError::Answer { command: self.words(&arguments), reason: format!("no roots in {answer}") };
        let mut roots = Roots::new();
        for database in answer["databases"].as_array().ok_or_else(wrong)? {
            let name = database["name"].as_str().ok_or_else(wrong)?;
            for kind in database["root"]["kinds"].as_array().ok_or_else(wrong)? {
                let (kind, root) = kind["kind"].as_str().zip(kind["sha256"].as_str()).ok_or_else(wrong)?;
                if kind != SEEN_COMMITS {
                    roots.insert((name.to_owned(), kind.to_owned()), root.to_owned());
                }
            }
        }
        if roots.is_empty() { Err(wrong()) } else { Ok(roots) }
    }

    fn words(&self, arguments: &[&str]) -> String {
        format!("{} {}", self.path.display(), arguments.join(" "))
    }
}
