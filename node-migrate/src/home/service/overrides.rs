//! Reads command lines and environments: what in them overrides a storage setting, and which home they run. Pure but for links.
//!
//! Nodes read their settings by a library that takes a flag before an environment variable before the file. A flag is the key with `--`;
//! a variable is the program's name or `CMT`, `TM`, then the key in upper case with `_` for `-`.

use std::fmt;
use std::fs;
use std::path::Path;

/// A setting that is given outside the configuration files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Override {
    /// The flag or variable as written.
    pub name: String,
    /// Its value, empty when it is not told.
    pub value: String,
    /// What it overrides.
    pub setting: &'static str,
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, setting } = self;
        write!(f, "sets {name} to `{value}`, which overrides {setting}")
    }
}

/// Whether a command line runs the home in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// It names this home.
    This,
    /// It names no home, or one that cannot be told from here.
    Perhaps,
    /// It names another home.
    Another,
}

const KEYS: [(&str, &str); 3] = [
    ("app-db-backend", "app-db-backend in app.toml"),
    ("db-backend", "db_backend in config.toml"),
    ("db-dir", "db_dir in config.toml"),
];

/// The words of a command line as written in a unit file or shell: quotes are taken for spaces, which finds flags inside `sh -c "..."`.
pub(super) fn words_of(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_whitespace() || c == '"' || c == '\'').filter(|word| !word.is_empty()).collect()
}

/// Overrides among the words of a command line, as `--flag=value` or `--flag value`.
pub(super) fn in_words(words: &[&str]) -> Vec<Override> {
    flags(words)
        .filter_map(|(name, value)| {
            let key = name.trim_start_matches('-').to_ascii_lowercase().replace('_', "-");
            let (_, setting) = KEYS.into_iter().find(|(flag, _)| *flag == key)?;
            Some(Override { name: name.to_owned(), value: value.to_owned(), setting })
        })
        .collect()
}

/// The override that an environment variable is, if it is one.
pub(super) fn in_variable(name: &str, value: &str) -> Option<Override> {
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let (_, setting) = KEYS.into_iter().find(|(flag, _)| {
        let key = flag.to_ascii_uppercase().replace('-', "_");
        upper.strip_suffix(&key).is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('_'))
    })?;
    Some(Override { name: name.to_owned(), value: value.to_owned(), setting })
}

/// Tells which home a command line with these variables runs.
pub(super) fn runs(home: &Path, words: &[&str], variables: &[(&str, &str)]) -> Runs {
    let flag = flags(words).filter(|(name, _)| *name == "--home").map(|(_, value)| value).last();
    let variable =
        variables.iter().filter(|(name, _)| name.ends_with("HOME") && *name != "HOME").map(|(_, value)| *value);
    let named: Vec<&str> = flag.into_iter().chain(variable).collect();
    if named.iter().any(|path| is_same(home, path)) {
        return Runs::This;
    }
    // `%` and `$` are filled in by systemd or a shell.
    let told = flag.is_some_and(|path| !path.is_empty() && !path.contains(['%', '$', '~']));
    if told { Runs::Another } else { Runs::Perhaps }
}

fn is_same(home: &Path, named: &str) -> bool {
    let named = Path::new(named);
    named == home
        || (named.is_absolute()
            && fs::canonicalize(named).is_ok_and(|path| fs::canonicalize(home).is_ok_and(|home| home == path)))
}

fn flags<'w>(words: &'w [&'w str]) -> impl Iterator<Item = (&'w str, &'w str)> {
    words.iter().enumerate().filter(|(_, word)| word.starts_with("--")).map(|(at, word)| match word.split_once('=') {
        Some((name, value)) => (name, value),
        None => (*word, words.get(at + 1).copied().filter(|next| !next.starts_with("--")).unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::{Runs, in_variable, in_words, runs, words_of};
    use std::path::Path;

    fn found(line: &str) -> Vec<(String, String)> {
        in_words(&words_of(line)).into_iter().map(|found| (found.name, found.value)).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn flags_are_found_in_every_spelling() {
        assert_eq!(found("gaiad start --db_backend pebbledb --x"), [pair("--db_backend", "pebbledb")]);
        assert_eq!(found("/bin/sh -c \"exec gaiad --db-backend=rocksdb\""), [pair("--db-backend", "rocksdb")]);
        assert_eq!(found("g --app-db-backend --db_dir=/x"), [pair("--app-db-backend", ""), pair("--db_dir", "/x")]);
        assert_eq!(found("gaiad start --log_level db_backend --db_backends x"), []);
    }

    #[test]
    fn variables_are_found_by_their_ending() {
        assert_eq!(in_variable("GAIAD_DB_BACKEND", "x").map(|found| found.setting), Some("db_backend in config.toml"));
        assert_eq!(
            in_variable("SIMD_APP_DB_BACKEND", "x").map(|found| found.setting),
            Some("app-db-backend in app.toml")
        );
        assert_eq!(in_variable("CMT_DB_DIR", "x").map(|found| found.setting), Some("db_dir in config.toml"));
        assert_eq!(in_variable("MYDB_BACKEND", "x"), None);
        assert_eq!(in_variable("PATH", "x"), None);
    }

    #[test]
    fn the_home_is_told_from_flag_and_variable() {
        let home = Path::new("/srv/node");
        let told = |line: &str, variables: &[(&str, &str)]| runs(home, &words_of(line), variables);
        assert_eq!(told("d start --home /srv/node", &[]), Runs::This);
        assert_eq!(told("d start --home=/srv/node/", &[]), Runs::This);
        assert_eq!(told("d start --home /srv/other", &[]), Runs::Another);
        assert_eq!(told("d start --home %h/.node", &[]), Runs::Perhaps);
        assert_eq!(told("d start", &[("HOME", "/srv/node")]), Runs::Perhaps);
        assert_eq!(told("cosmovisor run start", &[("DAEMON_HOME", "/srv/node")]), Runs::This);
    }

    #[test]
    fn a_home_named_by_a_link_is_this_home() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (home, link) = (dir.path().join("real"), dir.path().join("link"));
        std::fs::create_dir(&home).expect("creates");
        std::os::unix::fs::symlink(&home, &link).expect("links");
        let link = link.display().to_string();
        assert_eq!(runs(&home, &["d", "--home", &link], &[]), Runs::This);
    }
}
