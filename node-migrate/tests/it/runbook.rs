//! Runs the commands of docs/runbook.md as they are written, in their order, on shipped homes.
//!
//! ```` ```toml file=NAME ```` is written to that file, ```` ```sh run ```` is run and must end well, ```` ```sh run=9 ````
//! must end so; `<!-- drill: COMMAND -->` is what breaks or mends a node between them. Nodes are stand-ins.

use std::fs;
use std::path::Path;

use crate::fleet::Fleet;

/// What the page asks for.
#[derive(Debug, PartialEq)]
enum Part {
    File { name: String, text: String },
    Shell { code: i32, text: String },
}

fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(command) = line.strip_prefix("<!-- drill: ").and_then(|line| line.strip_suffix(" -->")) {
            parts.push(Part::Shell { code: 0, text: command.to_owned() });
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let text: String = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        match info.split_once(' ') {
            Some(("toml", name)) => {
                let name = name.strip_prefix("file=").expect("a name").to_owned();
                parts.push(Part::File { name, text });
            }
            Some(("sh", "run")) => parts.push(Part::Shell { code: 0, text }),
            Some(("sh", run)) => {
                let code = run.strip_prefix("run=").and_then(|code| code.parse().ok()).expect("an exit code");
                parts.push(Part::Shell { code, text });
            }
            _ => panic!("a block that nobody runs: {line}"),
        }
    }
    parts
}

#[test]
fn the_runbook_s_commands_do_what_it_says() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runbook.md")).expect("reads");
    let fleet = Fleet::new(26);
    let parts = parts(&page);
    for part in &parts {
        match part {
            Part::File { name, text } => fs::write(fleet.at(name), text).expect("writes"),
            Part::Shell { code, text } => {
                let ended = fleet.command("bash", &["-euo", "pipefail", "-c", text]).output().expect("runs");
                let said =
                    String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
                assert_eq!(ended.status.code(), Some(*code), "{text}\n{said}");
            }
        }
    }
    assert!(parts.len() > 10, "the page has lost its commands: {parts:?}");
    assert!(fleet.read("canary.md").contains("waits for a person"));
    let halted = fleet.read("halted.md");
    assert!(halted.contains("val1 failed to start") && halted.contains("| val1 | roll back |"), "{halted}");
    assert!(fleet.read("complete.md").contains("**Grace Hopper** takes the rollout up again"));
    for (node, engine) in [("val0", "pebbledb"), ("val1", "pebbledb"), ("val2", "goleveldb"), ("val3", "goleveldb")] {
        let config = fleet.read(&format!("{node}/config/config.toml"));
        assert!(config.contains(&format!("db_backend = \"{engine}\"")), "{node}");
    }
}
