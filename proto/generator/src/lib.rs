//! `proto/src/gen` is what the generator makes of `proto/schema`, and this test says when it is not. With
//! `PROTO_REGENERATE=1` it is made anew, here in this folder: `PROTO_REGENERATE=1 cargo test`.
#![cfg(test)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema");
const GENERATED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/gen");

/// Every file below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn generate(into: &Path) {
    let descriptors = protox::compile(files_below(Path::new(SCHEMA)), [SCHEMA]).expect("the schema compiles");
    let mut config = prost_build::Config::new();
    config.bytes(["."]).out_dir(into);
    config.compile_fds(descriptors).expect("the code is generated");
}

fn contents(folder: &Path) -> BTreeMap<OsString, String> {
    let read = |path: PathBuf| (path.file_name().expect("a name").to_owned(), std::fs::read_to_string(&path));
    files_below(folder).into_iter().map(read).map(|(name, text)| (name, text.expect("text"))).collect()
}

#[test]
fn the_committed_code_is_what_the_schema_gives() {
    if std::env::var_os("PROTO_REGENERATE").is_some() {
        files_below(Path::new(GENERATED)).iter().for_each(|path| std::fs::remove_file(path).expect("removed"));
        generate(Path::new(GENERATED));
    }
    let made = tempfile::tempdir().expect("a folder");
    generate(made.path());
    let (committed, made) = (contents(Path::new(GENERATED)), contents(made.path()));
    assert!(committed.keys().eq(made.keys()), "{:?} is committed, {:?} is made", committed.keys(), made.keys());
    for (name, text) in made {
        assert!(committed[&name] == text, "{} differs: set PROTO_REGENERATE=1 and run again", name.display());
    }
}
