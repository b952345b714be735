//! Unpacks the real homes of `fixtures/` for tests, each into a folder of its own.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use ruzstd::decoding::StreamingDecoder;

/// The largest window that a packed home may ask for.
const WINDOW_BYTES_MAX: u64 = 128 << 20;

/// A real home in a temporary folder, which goes with the value.
pub struct Fixture {
    folder: tempfile::TempDir,
    name: String,
}

impl Fixture {
    /// Unpacks the home `name`.
    pub fn unpack(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let packed = File::open(fixtures().join(format!("{name}.tar.zst"))).expect("the fixture is there");
        let stream =
            StreamingDecoder::new_with_max_window_size(BufReader::new(packed), WINDOW_BYTES_MAX).expect("is packed");
        tar::Archive::new(stream).unpack(folder.path()).expect("unpacks");
        Self { folder, name: name.to_owned() }
    }

    /// The home.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// The text of a file of the home.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.home().join(file)).expect("reads")
    }

    /// The oracle of upstream's own libraries for the home.
    pub fn oracle(&self) -> serde_json::Value {
        self.oracle_of("oracle")
    }

    /// The same for the home in another layout or dialect.
    pub fn oracle_as(&self, form: &str) -> serde_json::Value {
        self.oracle_of(&format!("as-{form}"))
    }

    fn oracle_of(&self, kind: &str) -> serde_json::Value {
        let text = fs::read(fixtures().join(format!("{}.{kind}.json", self.name))).expect("the oracle is there");
        serde_json::from_slice(&text).expect("is JSON")
    }
}

/// The names of all homes, sorted.
pub fn names() -> Vec<String> {
    let entries = fs::read_dir(fixtures()).expect("lists");
    let files = entries.map(|entry| entry.expect("lists").file_name().into_string().expect("is UTF-8"));
    let mut names: Vec<String> = files.filter_map(|file| file.strip_suffix(".tar.zst").map(str::to_owned)).collect();
    names.sort();
    assert!(!names.is_empty(), "no homes below fixtures/");
    names
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}
