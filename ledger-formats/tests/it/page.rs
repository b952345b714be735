//! docs/formats.md against the code: every test that the page names is there.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("lists") {
        let path = entry.expect("lists").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The names in backquotes in the last cells of the tables below a heading.
fn named_tests(page: &str, heading: &str) -> Vec<String> {
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).expect("the section is there");
    let rows = section.lines().filter(|line| line.starts_with('|')).filter(|line| line.contains('`'));
    let last = rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit('|').next());
    last.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../docs/formats.md")).expect("reads");
    let mut files = Vec::new();
    ["src", "tests"].iter().for_each(|folder| sources(&root.join(folder), &mut files));
    let text: String = files.iter().map(|file| fs::read_to_string(file).expect("reads")).collect();
    let named = named_tests(&page, "Times, zero, nil, nonces");
    assert!(named.len() >= 15, "{named:?}");
    for name in named {
        assert!(text.contains(&format!("fn {name}(")), "docs/formats.md names the test {name}, which is not there");
    }
}
