//! All homes: those of the repository, and those in the folder that `NODE_MIGRATE_FIXTURES` names.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// One packed home.
pub struct Home {
    pub name: String,
    packed: PathBuf,
    oracle: PathBuf,
}

/// What the upstream library says about one database.
pub struct Expected {
    pub path: PathBuf,
    pub engine: String,
    pub keys: u64,
    pub sha256: String,
}

/// A home in a folder of its own.
pub struct Unpacked {
    folder: tempfile::TempDir,
    name: String,
}

/// Every home with an oracle, by name.
pub fn all() -> Vec<Home> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let more = std::env::var_os("NODE_MIGRATE_FIXTURES").map(PathBuf::from);
    let mut homes: Vec<Home> = [own].into_iter().chain(more).flat_map(|folder| homes_in(&folder)).collect();
    homes.sort_by(|a, b| a.name.cmp(&b.name));
    homes.dedup_by(|a, b| a.name == b.name);
    assert!(homes.len() >= 10, "the homes are there");
    homes
}

/// The home of this name.
pub fn named(name: &str) -> Home {
    all().into_iter().find(|home| home.name == name).expect("a home of this name")
}

fn homes_in(folder: &Path) -> Vec<Home> {
    let entries = std::fs::read_dir(folder).expect("the folder of homes");
    let names = entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned());
    names
        .filter_map(|file| file.strip_suffix(".tar.zst").map(str::to_owned))
        .map(|name| Home {
            packed: folder.join(format!("{name}.tar.zst")),
            oracle: folder.join(format!("{name}.oracle.json")),
            name,
        })
        .collect()
}

/// A home of the repository that is no node's, for example `light-client/v0_38`.
pub fn unpack_from(name: &str) -> Unpacked {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let packed = folder.join(format!("{name}.tar.zst"));
    Home { name: name.to_owned(), oracle: packed.clone(), packed }.unpack()
}

impl Home {
    pub fn unpack(&self) -> Unpacked {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let packed = BufReader::new(File::open(&self.packed).expect("the packed home"));
        let unpacked = ruzstd::decoding::StreamingDecoder::new(packed).expect("zstd");
        tar::Archive::new(unpacked).unpack(folder.path()).expect("tar");
        Unpacked { folder, name: self.name.clone() }
    }

    /// What the upstream libraries say about it.
    pub fn oracle(&self) -> serde_json::Value {
        json(&self.oracle)
    }

    /// What the upstream libraries say about it once it is converted, for example to `v2`, if that is known.
    pub fn oracle_as(&self, form: &str) -> Option<serde_json::Value> {
        let file = self.oracle.with_file_name(format!("{}.as-{form}.json", self.name));
        file.exists().then(|| json(&file))
    }

    /// The databases by the oracle; CometBFT homes list them, SDK homes name them.
    pub fn databases(&self) -> Vec<Expected> {
        let oracle = self.oracle();
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let one = |database: &serde_json::Value, path: PathBuf, sha256: &str| Expected {
            path,
            engine: text(&database["engine"]),
            keys: database["keys"].as_u64().expect("a number"),
            sha256: text(&database[sha256]),
        };
        match &oracle["databases"] {
            serde_json::Value::Array(list) => list
                .iter()
                .map(|database| one(database, Path::new("data").join(text(&database["dir"])), "sha256"))
                .collect(),
            serde_json::Value::Object(named) => named
                .values()
                .map(|database| one(database, PathBuf::from(text(&database["path"])), "stream_sha256"))
                .collect(),
            other => panic!("databases of {}: {other}", self.name),
        }
    }
}

impl Unpacked {
    pub fn path(&self, inside: &Path) -> PathBuf {
        self.folder.path().join(&self.name).join(inside)
    }
}

fn json(path: &Path) -> serde_json::Value {
    let file = BufReader::new(File::open(path).expect("the oracle"));
    serde_json::from_reader(file).expect("JSON")
}
