//! Overrides in systemd units: `ExecStart`, `Environment`, `EnvironmentFile`, and drop-ins (`<unit>.d/*.conf`).
//!
//! Source: systemd.unit(5), systemd.service(5), systemd.exec(5). Specifiers and shell variables are not filled in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::overrides::{Runs, in_variable, in_words, runs, words_of};
use super::{Finding, finding, names_in, text_of};

/// Reads every service below `unit_dirs` and returns what overrides the settings of `home`.
pub(super) fn find(home: &Path, unit_dirs: &[PathBuf]) -> Vec<Finding> {
    let services = services(unit_dirs);
    services.iter().flat_map(|(name, files)| Unit::read(files).findings(home, name)).collect()
}

/// The files of each service: the unit itself from the first folder that has it, and all of its drop-ins.
fn services(unit_dirs: &[PathBuf]) -> BTreeMap<String, Vec<PathBuf>> {
    let mut services: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for dir in unit_dirs {
        for name in names_in(dir).into_iter().filter(|name| name.ends_with(".service")) {
            let files = services.entry(name.clone()).or_default();
            if files.is_empty() {
                files.push(dir.join(name));
            }
        }
    }
    for (name, files) in &mut services {
        for dir in unit_dirs.iter().map(|dir| dir.join(format!("{name}.d"))) {
            files.extend(names_in(&dir).iter().filter(|name| name.ends_with(".conf")).map(|name| dir.join(name)));
        }
    }
    services
}

/// A value and where it stands.
struct At {
    file: PathBuf,
    line: usize,
    value: String,
}

#[derive(Default)]
struct Unit {
    commands: Vec<At>,
    /// `NAME=value`
    variables: Vec<At>,
}

impl Unit {
    fn read(files: &[PathBuf]) -> Self {
        let mut unit = Self::default();
        for file in files {
            for (line, text) in text_of(file).map(|text| logical_lines(&text)).unwrap_or_default() {
                unit.take(file, line, &text);
            }
        }
        unit
    }

    fn take(&mut self, file: &Path, line: usize, text: &str) {
        let Some((key, value)) = text.split_once('=') else { return };
        let at = |value: &str| At { file: file.to_path_buf(), line, value: value.to_owned() };
        match key.trim() {
            "ExecStart" | "ExecStartPre" => self.commands.push(at(value)),
            "Environment" => self.variables.extend(words_of(value).into_iter().map(at)),
            "EnvironmentFile" => self.environment_file(Path::new(value.trim().trim_start_matches('-'))),
            _ => {}
        }
    }

    fn environment_file(&mut self, file: &Path) {
        for (line, text) in text_of(file).map(|text| logical_lines(&text)).unwrap_or_default() {
            self.variables.push(At { file: file.to_path_buf(), line, value: text.trim().replace(['"', '\''], "") });
        }
    }

    fn findings(&self, home: &Path, name: &str) -> Vec<Finding> {
        let variables: Vec<(&str, &str)> = self.variables.iter().filter_map(|at| at.value.split_once('=')).collect();
        let commands: Vec<Vec<&str>> = self.commands.iter().map(|at| words_of(&at.value)).collect();
        let all_words: Vec<&str> = commands.iter().flatten().copied().collect();
        let runs = runs(home, &all_words, &variables);
        if runs == Runs::Another {
            return Vec::new();
        }
        let who = format!("the service {name}");
        let flags = self.commands.iter().zip(&commands).flat_map(|(at, words)| {
            in_words(words)
                .into_iter()
                .map(|found| finding(&at.file, Some(at.line), &who, runs, &found))
                .collect::<Vec<_>>()
        });
        let variables = self.variables.iter().filter_map(|at| {
            let (variable, value) = at.value.split_once('=')?;
            Some(finding(&at.file, Some(at.line), &who, runs, &in_variable(variable, value)?))
        });
        flags.chain(variables).collect()
    }
}

/// Lines without comments, those that end in `\` joined with the next, each with its number from 1.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        if line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let (part, goes_on) = line.trim_end().strip_suffix('\\').map_or((line, false), |part| (part, true));
        match lines.last_mut() {
            Some((_, last)) if open => last.extend([" ", part]),
            _ => lines.push((number, part.to_owned())),
        }
        open = goes_on;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::find;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Writes files below a temporary folder with the unit folders `etc` and `lib`.
    fn units(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("has a parent")).expect("creates");
            fs::write(path, text).expect("writes");
        }
        let dirs = vec![dir.path().join("etc"), dir.path().join("lib")];
        (dir, dirs)
    }

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let (dir, dirs) = units(files);
        let root = format!("{}/", dir.path().display());
        find(Path::new("/srv/node"), &dirs).iter().map(|finding| finding.to_string().replace(&root, "")).collect()
    }

    #[test]
    fn a_flag_of_this_home_is_found_with_its_line() {
        let unit = "[Service]\n# --db_backend x\nExecStart=/usr/bin/gaiad start \\\n  --home /srv/node \\\n  --db_backend goleveldb\n";
        assert_eq!(
            found(&[("etc/gaiad.service", unit)]),
            [
                "etc/gaiad.service:3: the service gaiad.service sets --db_backend to `goleveldb`, which overrides db_backend in config.toml"
            ]
        );
    }

    #[test]
    fn another_home_is_not_reported_and_an_unknown_one_with_a_condition() {
        assert_eq!(found(&[("etc/a.service", "ExecStart=a --home /srv/b --db_backend x\n")]), [""; 0]);
        let lines = found(&[("etc/a.service", "ExecStart=a start --db_backend x\n")]);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].ends_with(", if it runs this home"), "{}", lines[0]);
    }

    #[test]
    fn variables_of_drop_ins_and_environment_files_count() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let environment = dir.path().join("node.env");
        fs::write(&environment, "A=1\nNODE_APP_DB_BACKEND='pebbledb'\n").expect("writes");
        let main = format!("ExecStart=x --home=/srv/node\nEnvironmentFile=-{}\n", environment.display());
        let lines = found(&[
            ("lib/n.service", &main),
            ("etc/n.service.d/10.conf", "[Service]\nEnvironment=\"NODE_DB_BACKEND=rocksdb\" B=2\n"),
        ]);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].contains("node.env:2: the service n.service sets NODE_APP_DB_BACKEND to `pebbledb`"),
            "{lines:?}"
        );
        assert!(lines[1].starts_with("etc/n.service.d/10.conf:2: "), "{lines:?}");
    }

    #[test]
    fn the_unit_of_the_first_folder_hides_the_others() {
        let files = [
            ("etc/n.service", "ExecStart=x --home /srv/node\n"),
            ("lib/n.service", "ExecStart=x --home /srv/node --db_dir y\n"),
        ];
        assert_eq!(found(&files), [""; 0]);
    }

    #[test]
    fn folders_that_are_not_there_are_passed_by() {
        assert!(find(Path::new("/srv/node"), &[PathBuf::from("/nonexistent")]).is_empty());
    }
}
