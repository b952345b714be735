//! What `config/config.toml` and `config/app.toml` say about storage. It only reads.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::HomeError;
use super::toml_text::{Found, TomlFault, TomlText, line_of};

/// The largest configuration file that is read; real ones have under 40 KiB.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A configuration file and where it really is: configuration may be a link into a managed folder, and must be rewritten there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// The path below the home.
    pub path: PathBuf,
    /// The path with symlinks resolved.
    pub real_path: PathBuf,
}

/// What `config.toml` says. A key that is missing is `None`; its meaning depends on the node's release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// The file.
    pub file: ConfigFile,
    /// `db_backend`.
    pub db_backend: Option<String>,
    /// `db_dir`, relative to the home or absolute; `data` when missing.
    pub db_dir: PathBuf,
    /// `genesis_file`, relative to the home or absolute; `config/genesis.json` when missing.
    pub genesis_file: PathBuf,
    /// `indexer` in `[tx_index]`.
    pub indexer: Option<String>,
    /// `experimental_db_key_layout` in `[storage]`, known to `CometBFT` from 1.0.
    pub key_layout: Option<String>,
}

/// What `app.toml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppConfig {
    /// The file.
    pub file: ConfigFile,
    /// `app-db-backend`: empty means the fallback of the release; missing in files that a Cosmos SDK before 0.46 wrote.
    pub app_db_backend: Option<String>,
}

/// Reads `config.toml`; `None` when there is none.
pub(super) fn read_node_config(path: &Path) -> Result<Option<NodeConfig>, HomeError> {
    let Some((file, text)) = read_text(path)? else { return Ok(None) };
    let broken = |fault| HomeError::BrokenConfig { path: path.to_path_buf(), fault };
    let toml = TomlText::parse(&text).map_err(broken)?;
    let text_of = |found: Result<Option<Found>, TomlFault>| Ok(found.map_err(broken)?.map(|found| found.value));
    let top = |key| -> Result<Option<String>, HomeError> { text_of(toml.top(key)) };
    let within = |table, key| -> Result<Option<String>, HomeError> { text_of(toml.within(table, key)) };
    Ok(Some(NodeConfig {
        file,
        db_backend: top("db_backend")?,
        db_dir: top("db_dir")?.unwrap_or_else(|| "data".to_owned()).into(),
        genesis_file: top("genesis_file")?.unwrap_or_else(|| "config/genesis.json".to_owned()).into(),
        indexer: within("tx_index", "indexer")?,
        key_layout: within("storage", "experimental_db_key_layout")?,
    }))
}

/// Reads `app.toml`; `None` when there is none.
pub(super) fn read_app_config(path: &Path) -> Result<Option<AppConfig>, HomeError> {
    let Some((file, text)) = read_text(path)? else { return Ok(None) };
    let broken = |fault| HomeError::BrokenConfig { path: path.to_path_buf(), fault };
    let found = TomlText::parse(&text).and_then(|toml| toml.top("app-db-backend")).map_err(broken)?;
    Ok(Some(AppConfig { file, app_db_backend: found.map(|found| found.value) }))
}

fn read_text(path: &Path) -> Result<Option<(ConfigFile, String)>, HomeError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A link that leads nowhere is there, and opening it below says so.
        _ => {}
    }
    let io = |source| HomeError::io(path, source);
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(io)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io(io::Error::other(format!(
            "larger than {FILE_BYTES_MAX} bytes, which no configuration file is"
        ))));
    }
    let text = String::from_utf8(bytes).map_err(|error| HomeError::BrokenConfig {
        path: path.to_path_buf(),
        fault: TomlFault {
            line: line_of(&String::from_utf8_lossy(error.as_bytes()), error.utf8_error().valid_up_to()),
            reason: "not UTF-8".to_owned(),
        },
    })?;
    let real_path = fs::canonicalize(path).map_err(io)?;
    Ok(Some((ConfigFile { path: path.to_path_buf(), real_path }, text)))
}

#[cfg(test)]
mod tests {
    use super::{FILE_BYTES_MAX, HomeError, read_app_config, read_node_config};
    use std::path::{Path, PathBuf};

    fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("config.toml");
        std::fs::write(&path, content).expect("writes");
        (dir, path)
    }

    fn error_of(content: &[u8]) -> HomeError {
        read_node_config(&file(content).1).expect_err("must refuse")
    }

    #[test]
    fn missing_keys_have_the_places_that_nodes_use() {
        let (_dir, path) = file(b"moniker = \"x\"\n");
        let config = read_node_config(&path).expect("reads").expect("is there");
        assert_eq!((config.db_backend, config.indexer, config.key_layout), (None, None, None));
        assert_eq!((config.db_dir, config.genesis_file), ("data".into(), "config/genesis.json".into()));
    }

    #[test]
    fn the_keys_are_read_from_their_tables() {
        let text = "db_backend = \"rocksdb\"\ndb_dir = \"/v/db\"\ngenesis_file = \"g.json\"\n[storage]\n\
                    experimental_db_key_layout = 'v2'\n[tx_index]\nindexer = \"null\"\n";
        let (_dir, path) = file(text.as_bytes());
        let config = read_node_config(&path).expect("reads").expect("is there");
        assert_eq!(config.db_backend.as_deref(), Some("rocksdb"));
        assert_eq!((config.db_dir, config.genesis_file), ("/v/db".into(), "g.json".into()));
        assert_eq!((config.indexer.as_deref(), config.key_layout.as_deref()), (Some("null"), Some("v2")));
    }

    #[test]
    fn broken_files_are_named_with_their_line() {
        let line = |error| match error {
            HomeError::BrokenConfig { fault, .. } => fault.line,
            other => panic!("another error: {other}"),
        };
        assert_eq!(line(error_of(b"a = 1\n[b\n")), 2);
        assert_eq!(line(error_of(b"a = 1\n\ndb_dir = 4\n")), 3);
        assert_eq!(line(error_of(b"a = 1\nb = \"\xff\"\n")), 2);
        let padded = vec![b'\n'; usize::try_from(FILE_BYTES_MAX).expect("fits") + 1];
        assert!(matches!(error_of(&padded), HomeError::Io { .. }));
    }

    #[test]
    fn a_missing_file_is_none_and_a_dead_link_is_an_error() {
        assert!(read_app_config(Path::new("/nonexistent/app.toml")).expect("no fault").is_none());
        let dir = tempfile::tempdir().expect("a temporary folder");
        let link = dir.path().join("app.toml");
        std::os::unix::fs::symlink("nowhere", &link).expect("links");
        assert!(matches!(read_app_config(&link), Err(HomeError::Io { .. })));
    }

    #[test]
    fn an_empty_and_a_missing_application_backend_differ() {
        let (_dir, path) = file(b"app-db-backend = \"\"\n");
        assert_eq!(read_app_config(&path).expect("reads").expect("is there").app_db_backend.as_deref(), Some(""));
        let (_dir, path) = file(b"[api]\napp-db-backend = \"x\"\n");
        assert_eq!(read_app_config(&path).expect("reads").expect("is there").app_db_backend, None);
    }
}
