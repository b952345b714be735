//! One home's way to another engine and back, by the real program as an operator calls it, with the oracle's digests held against the
//! databases after every step, and its store roots, which no engine changes.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::oracle::{self, Digests, Oracle, OracleError};

/// What did not hold on the way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JourneyError {
    /// The program could not be started.
    #[error("cannot start {}: {source}", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What failed.
        source: std::io::Error,
    },
    /// A command failed.
    #[error("`{command}` ended with {status}:\n{output}")]
    Command {
        /// The command with its arguments.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of what it said.
        output: String,
    },
    /// What the program tells of the databases could not be read.
    #[error("`{command}` after {step}: {source}")]
    Answer {
        /// What was asked.
        command: &'static str,
        /// The step before.
        step: String,
        /// Why not.
        source: OracleError,
    },
    /// A database does not hold what the oracle says.
    #[error("{database} after {step}: expected {expected}, found {actual}")]
    Differs {
        /// The step before.
        step: String,
        /// The database's folder.
        database: String,
        /// By the oracle.
        expected: String,
        /// By `digest`.
        actual: String,
    },
    /// The store roots are not what they were.
    #[error("store roots after {step}: expected {expected}, found {actual}")]
    Roots {
        /// The step before.
        step: String,
        /// Before the journey.
        expected: Value,
        /// Now.
        actual: Value,
    },
}

/// The program under test.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
}

impl Program {
    /// The program at `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Runs a command and returns what it wrote to its standard output.
    ///
    /// # Errors
    /// When it cannot be started or fails.
    pub fn run<I: AsRef<OsStr>>(&self, arguments: &[I]) -> Result<Vec<u8>, JourneyError> {
        let done = Command::new(&self.path)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|source| JourneyError::Start { program: self.path.clone(), source })?;
        if done.status.success() {
            return Ok(done.stdout);
        }
        let words: Vec<_> = arguments.iter().map(|word| word.as_ref().to_string_lossy()).collect();
        let mut output = String::from_utf8_lossy(&done.stdout).into_owned();
        output.push_str(&String::from_utf8_lossy(&done.stderr));
        Err(JourneyError::Command { command: words.join(" "), status: done.status, output })
    }

    fn digests(&self, home: &Path, step: &str) -> Result<Digests, JourneyError> {
        let answer = self.answer("digest", home, step)?;
        let unread = |source| JourneyError::Answer { command: "digest", step: step.to_owned(), source };
        oracle::digests(&answer).map_err(unread)
    }

    /// The store roots of all databases and of the home, and what of the rows was not understood.
    fn roots(&self, home: &Path, step: &str) -> Result<Value, JourneyError> {
        let answer = self.answer("root", home, step)?;
        let databases = answer["databases"].as_array().into_iter().flatten();
        let roots = databases.map(|found| json!([found["name"], found["root"], found["not_understood_total"]]));
        Ok(json!({ "home": answer["root"], "databases": roots.collect::<Vec<_>>() }))
    }

    fn answer(&self, command: &'static str, home: &Path, step: &str) -> Result<Value, JourneyError> {
        let out = self.run(&[OsStr::new(command), home.as_os_str(), OsStr::new("--json")])?;
        // The documents before the last one are progress.
        let documents = serde_json::Deserializer::from_slice(&out).into_iter::<Value>();
        let unread =
            |source| JourneyError::Answer { command, step: step.to_owned(), source: OracleError::from(source) };
        documents.last().unwrap_or(Ok(Value::Null)).map_err(unread)
    }
}

/// Takes `home` to `engine` and back to the engine it came from, then undoes the last step. After every step each database must have the
/// oracle's digest, and where the engine is new the store roots must be the old ones. Returns how many times the digests were compared.
///
/// # Errors
/// At the first command that fails and the first digest or root that differs.
pub fn travel(program: &Program, home: &Path, oracle: &Oracle, engine: &str) -> Result<usize, JourneyError> {
    const THERE: &str = "the way there";
    let roots = program.roots(home, "unpacking")?;
    let mut legs = vec![
        ("unpacking", vec![]),
        (THERE, vec!["migrate", "--to", engine, "--execute"]),
        ("a check of the home", vec!["verify"]),
        ("the end of the first migration", vec!["finalise", "--execute"]),
    ];
    // Where the home has this engine already there is no way back.
    if engine != oracle.backend {
        legs.push(("the way back", vec!["migrate", "--to", &oracle.backend, "--execute"]));
        legs.push(("a rollback of the way back", vec!["rollback", "--execute"]));
        legs.push(("the end of the second migration", vec!["finalise", "--execute"]));
    }
    for (step, words) in &legs {
        if let Some((command, options)) = words.split_first() {
            let mut arguments = vec![OsStr::new(command), home.as_os_str()];
            arguments.extend(options.iter().map(OsStr::new));
            program.run(&arguments)?;
        }
        hold(&oracle.digests, &program.digests(home, step)?, step)?;
        if *step == THERE {
            let actual = program.roots(home, step)?;
            if actual != roots {
                return Err(JourneyError::Roots { step: (*step).to_owned(), expected: roots, actual });
            }
        }
    }
    Ok(legs.len())
}

fn hold(expected: &Digests, actual: &Digests, step: &str) -> Result<(), JourneyError> {
    let differs = |database: &String, expected: String, actual: String| JourneyError::Differs {
        step: step.to_owned(),
        database: database.clone(),
        expected,
        actual,
    };
    for (database, digest) in expected {
        match actual.get(database) {
            Some(found) if found == digest => {}
            found => return Err(differs(database, format!("{digest:?}"), format!("{found:?}"))),
        }
    }
    match actual.keys().find(|database| !expected.contains_key(*database)) {
        Some(database) => Err(differs(database, "no such database".to_owned(), "one".to_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{JourneyError, hold};
    use crate::oracle::{Digest, Digests};

    fn one(database: &str, keys: u64) -> Digests {
        Digests::from([(database.to_owned(), Digest { keys, sha256: "00".repeat(32) })])
    }

    #[test]
    fn a_changed_a_missing_and_an_extra_database_are_named() {
        assert!(hold(&one("state.db", 3), &one("state.db", 3), "a step").is_ok());
        for (expected, actual) in [
            (one("state.db", 3), one("state.db", 4)),
            (one("state.db", 3), Digests::new()),
            (Digests::new(), one("state.db", 3)),
        ] {
            let Err(JourneyError::Differs { database, .. }) = hold(&expected, &actual, "a step") else {
                panic!("{expected:?} and {actual:?} must differ");
            };
            assert_eq!(database, "state.db");
        }
    }
}
