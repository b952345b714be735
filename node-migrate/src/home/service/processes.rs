//! Overrides in the command lines and environments of running processes, as far as this user may read them.

use std::path::Path;

use super::overrides::{Runs, in_variable, in_words, runs};
use super::{Finding, finding, names_in, text_of};

/// Looks at every process below `proc` and returns what overrides the settings of `home`.
pub(super) fn find(home: &Path, proc: &Path) -> Vec<Finding> {
    let pids = names_in(proc).into_iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    pids.flat_map(|pid| look_at(home, proc, &pid)).collect()
}

fn look_at(home: &Path, proc: &Path, pid: &str) -> Vec<Finding> {
    let (command_file, environment_file) = (proc.join(pid).join("cmdline"), proc.join(pid).join("environ"));
    let command = text_of(&command_file).unwrap_or_default();
    let environment = text_of(&environment_file).unwrap_or_default();
    let words: Vec<&str> = command.split('\0').filter(|word| !word.is_empty()).collect();
    let variables: Vec<(&str, &str)> = environment.split('\0').filter_map(|pair| pair.split_once('=')).collect();
    let runs = runs(home, &words, &variables);
    if runs == Runs::Another {
        return Vec::new();
    }
    let name = words.first().and_then(|first| first.rsplit('/').next()).unwrap_or_default();
    let who = format!("process {pid} ({name})");
    let flags = in_words(&words).into_iter().map(|found| finding(&command_file, None, &who, runs, &found));
    // Every child of a shell inherits its variables: they count only where the home is named.
    let inherited =
        variables.iter().filter(|_| runs == Runs::This).filter_map(|(name, value)| in_variable(name, value));
    flags.chain(inherited.map(|found| finding(&environment_file, None, &who, runs, &found))).collect()
}

#[cfg(test)]
mod tests {
    use super::find;
    use std::fs;
    use std::path::Path;

    fn found(command: &str, environment: &str) -> Vec<String> {
        let proc = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(proc.path().join("77")).expect("creates");
        fs::create_dir_all(proc.path().join("self")).expect("creates");
        fs::write(proc.path().join("77/cmdline"), command).expect("writes");
        fs::write(proc.path().join("77/environ"), environment).expect("writes");
        find(Path::new("/srv/node"), proc.path()).into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn flags_and_variables_of_a_running_node_are_found() {
        let lines =
            found("/bin/gaiad\0start\0--home\0/srv/node\0--db_backend\0rocksdb\0", "A=b\0GAIAD_APP_DB_BACKEND=x\0");
        assert_eq!(
            lines,
            [
                "process 77 (gaiad) sets --db_backend to `rocksdb`, which overrides db_backend in config.toml",
                "process 77 (gaiad) sets GAIAD_APP_DB_BACKEND to `x`, which overrides app-db-backend in app.toml",
            ]
        );
    }

    #[test]
    fn inherited_variables_of_others_do_not_count() {
        assert_eq!(found("bash\0", "GAIAD_DB_BACKEND=x\0"), [""; 0]);
        assert_eq!(found("gaiad\0start\0--home=/srv/b\0--db_backend=x\0", ""), [""; 0]);
    }

    #[test]
    fn the_real_process_file_system_can_be_read() {
        let named = Path::new("/a home that no process of this machine runs");
        assert!(find(named, Path::new("/proc")).iter().all(|finding| finding.text.ends_with("if it runs this home")));
    }
}
