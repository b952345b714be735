//! Homes made for tests, and the tests of opening one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ledger_formats::engine::EngineKind;

use super::{Database, Home, HomeError, Role, Setting};

/// The manifest of an empty goleveldb database, as goleveldb writes it.
const EMPTY_MANIFEST: &[u8] = b"\xb8\x30\x54\x46\x22\x00\x01\x01\x1aleveldb.BytewiseComparator\x02\x00\x03\x01\x04\x00\
                                \xa6\x91\xc7\x08\x06\x00\x01\x02\x01\x03\x02\x04\x00";

/// A home in a temporary folder.
pub(super) struct HomeDir(tempfile::TempDir);

impl HomeDir {
    /// A home with these folders below `data`, each an empty goleveldb database.
    pub(super) fn with_databases(names: &[&str]) -> Self {
        let home = Self(tempfile::tempdir().expect("a temporary folder"));
        for name in names {
            home.database(&format!("data/{name}"));
        }
        home
    }

    /// Writes `config.toml`.
    pub(super) fn config(self, text: &str) -> Self {
        self.write("config/config.toml", text);
        self
    }

    /// Writes `app.toml`.
    pub(super) fn app(self, text: &str) -> Self {
        self.write("config/app.toml", text);
        self
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn open(&self) -> Result<Home, HomeError> {
        Home::open(self.path())
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("reads")
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("creates");
        fs::write(path, content).expect("writes");
    }

    fn database(&self, name: &str) -> PathBuf {
        self.write(&format!("{name}/MANIFEST-000000"), EMPTY_MANIFEST);
        self.write(&format!("{name}/CURRENT"), "MANIFEST-000000\n");
        self.write(&format!("{name}/000001.log"), "");
        self.path().join(name)
    }

    fn error(&self) -> HomeError {
        self.open().expect_err("must refuse")
    }
}

fn names(home: &Home) -> Vec<&str> {
    home.databases.iter().map(|database| database.name.as_str()).collect()
}

fn left_out(home: &Home) -> Vec<String> {
    home.left_out
        .iter()
        .map(|left| left.path.strip_prefix(&home.root).unwrap_or(&left.path).display().to_string())
        .collect()
}

fn database<'h>(home: &'h Home, name: &str) -> &'h Database {
    home.databases.iter().find(|database| database.name == name).expect("is there")
}

const ALL: [&str; 9] = [
    "application.db",
    "blockstore.db",
    "evidence.db",
    "evmindexer.db",
    "kvstore.db",
    "light-client-db",
    "snapshots/metadata.db",
    "state.db",
    "tx_index.db",
];

#[test]
fn every_database_has_its_role_and_its_setting() {
    let home = HomeDir::with_databases(&ALL).config("").app("").open().expect("opens");
    let seen: Vec<_> = home.databases.iter().map(|db| (db.name.as_str(), db.role, db.governed_by)).collect();
    let (node, app) = (Some(Setting::DbBackend), Some(Setting::AppDbBackend));
    assert_eq!(
        seen,
        [
            ("application", Role::Opaque, app),
            ("blockstore", Role::BlockStore, node),
            ("evidence", Role::Evidence, node),
            ("evmindexer", Role::Opaque, app),
            ("kvstore", Role::Opaque, None),
            ("light-client-db", Role::Opaque, None),
            ("snapshots/metadata", Role::Opaque, app),
            ("state", Role::State, node),
            ("tx_index", Role::TxIndex, node),
        ]
    );
    assert_eq!(database(&home, "snapshots/metadata").dir_name, "snapshots/metadata.db");
    assert!(
        home.databases
            .iter()
            .all(|db| db.engine == EngineKind::LevelDb && db.real_path.is_absolute() && db.device != 0)
    );
}

#[test]
fn without_app_toml_the_application_follows_the_node_and_without_any_nothing_governs() {
    let home = HomeDir::with_databases(&ALL).config("").open().expect("opens");
    assert_eq!(database(&home, "application").governed_by, Some(Setting::DbBackend));
    assert_eq!(database(&home, "kvstore").governed_by, None);
    assert_eq!(home.setting(Setting::AppDbBackend), None);

    let bare = HomeDir::with_databases(&["application.db"]).open().expect("opens");
    assert_eq!((names(&bare), bare.databases[0].governed_by), (vec!["application"], None));
    assert_eq!(bare.setting(Setting::DbBackend), None);
}

#[test]
fn a_setting_is_given_with_its_file() {
    let dir = HomeDir::with_databases(&["state.db"]).config("db_backend = 'goleveldb'").app("");
    let home = dir.open().expect("opens");
    let file = |name: &str| fs::canonicalize(dir.path().join(name)).expect("is there");
    assert_eq!(home.setting(Setting::DbBackend), Some((file("config/config.toml"), "goleveldb".to_owned())));
    assert_eq!(home.setting(Setting::AppDbBackend), Some((file("config/app.toml"), String::new())));
}

#[test]
fn what_is_no_database_is_passed_by() {
    let dir = HomeDir::with_databases(&["state.db", ".node-migrate/1/waiting.db"]).config("");
    for name in ["cs.wal/wal", "snapshots/100/3/0", "priv_validator_state.json", "upgrade-info.json", "wasm/state/x"] {
        dir.write(&format!("data/{name}"), "x");
    }
    fs::create_dir(dir.path().join("data/blockstore")).expect("creates");
    let home = dir.open().expect("opens");
    assert_eq!((names(&home), left_out(&home)), (vec!["state"], vec![]));
}

#[test]
fn signing_state_is_never_opened() {
    let dir = HomeDir::with_databases(&["state.db"]).config("");
    // A folder of that name would be listed if anything looked into it.
    dir.database("data/priv_validator_state.db");
    assert_eq!(names(&dir.open().expect("opens")), ["state"]);
}

#[test]
fn a_db_folder_of_unknown_content_is_left_out_with_a_reason() {
    let dir = HomeDir::with_databases(&["state.db"]).config("");
    dir.write("data/memiavl.db/snapshot-1/metadata", "x");
    fs::create_dir(dir.path().join("data/versiondb.db")).expect("creates");
    symlink("nowhere", dir.path().join("data/dangling.db")).expect("links");
    let home = dir.open().expect("opens");
    assert_eq!(
        (names(&home), left_out(&home)),
        (vec!["state"], vec!["data/dangling.db".into(), "data/memiavl.db".into(), "data/versiondb.db".into()])
    );
}

#[test]
fn a_custom_db_dir_is_searched_and_the_application_stays_in_data() {
    let dir = HomeDir::with_databases(&["application.db", "state.db"]).config("db_dir = \"volume/db\"").app("");
    dir.database("volume/db/state.db");
    dir.database("volume/db/application.db");
    let home = dir.open().expect("opens");
    assert_eq!(names(&home), ["application", "state"]);
    assert_eq!(database(&home, "application").path, dir.path().join("data/application.db"));
    assert_eq!(database(&home, "state").path, dir.path().join("volume/db/state.db"));
    assert_eq!(left_out(&home), ["data/state.db", "volume/db/application.db"]);
}

#[test]
fn an_absolute_db_dir_is_taken_as_it_is() {
    let elsewhere = HomeDir::with_databases(&["state.db"]);
    let dir = HomeDir::with_databases(&[]).config(&format!("db_dir = '{}'", elsewhere.path().join("data").display()));
    let home = dir.open().expect("opens");
    assert_eq!(home.db_dir, fs::canonicalize(elsewhere.path().join("data")).expect("is there"));
    assert_eq!(database(&home, "state").path, elsewhere.path().join("data/state.db"));
}

#[test]
fn links_are_followed_and_resolved() {
    let elsewhere = HomeDir::with_databases(&["state.db"]);
    let dir = HomeDir::with_databases(&[]).config("");
    symlink(elsewhere.path().join("data"), dir.path().join("data")).expect("links");
    let blocks = elsewhere.database("blocks");
    symlink(&blocks, elsewhere.path().join("data/blockstore.db")).expect("links");
    let home = dir.open().expect("opens");
    let blockstore = database(&home, "blockstore");
    assert_eq!(blockstore.path, dir.path().join("data/blockstore.db"));
    assert_eq!(blockstore.real_path, fs::canonicalize(&blocks).expect("is there"));
}

#[test]
fn a_link_of_a_governed_database_that_leads_nowhere_is_an_error() {
    let dir = HomeDir::with_databases(&["state.db"]).config("");
    symlink("unmounted", dir.path().join("data/blockstore.db")).expect("links");
    assert!(matches!(dir.error(), HomeError::Io { path, .. } if path.ends_with("data/blockstore.db")));
}

#[test]
fn two_names_of_one_folder_are_refused() {
    let dir = HomeDir::with_databases(&["state.db"]).config("");
    symlink("state.db", dir.path().join("data/blockstore.db")).expect("links");
    assert!(matches!(dir.error(), HomeError::SamePlace { real_path, .. } if real_path.ends_with("data/state.db")));
}

#[test]
fn foreign_engines_are_named() {
    let engine = |error| match error {
        HomeError::ForeignEngine { database, engine, .. } => (database, engine),
        other => panic!("another error: {other}"),
    };
    let bolt = HomeDir::with_databases(&["state.db"]).config("");
    bolt.write("data/blockstore.db", [[0; 16].as_slice(), &0xED0C_DAED_u32.to_le_bytes(), &[0; 60]].concat());
    assert_eq!(engine(bolt.error()), ("blockstore".to_owned(), "BoltDB"));

    let badger = HomeDir::with_databases(&["evidence.db"]).config("db_backend = \"badgerdb\"");
    badger.write("data/state/KEYREGISTRY", "x");
    badger.write("data/state/MANIFEST", "x");
    assert_eq!(engine(badger.error()), ("state".to_owned(), "BadgerDB"));
    badger.database("data/state.db");
    assert_eq!(engine(badger.error()), ("state".to_owned(), "BadgerDB"));
    badger.write("config/config.toml", "db_backend = \"goleveldb\"");
    assert_eq!(left_out(&badger.open().expect("opens")), ["data/state"]);
}

#[test]
fn a_governed_folder_of_unknown_content_is_an_error_and_an_empty_one_is_not() {
    let dir = HomeDir::with_databases(&["state.db"]).config("");
    fs::create_dir(dir.path().join("data/evidence.db")).expect("creates");
    assert_eq!(left_out(&dir.open().expect("opens")), ["data/evidence.db"]);
    dir.write("data/evidence.db/CURRENT", "nonsense");
    assert!(matches!(dir.error(), HomeError::Undetected { database, .. } if database == "evidence"));
}

#[test]
fn what_was_given_instead_of_a_home_is_told() {
    let dir = HomeDir::with_databases(&["state.db", "snapshots/metadata.db"]).config("");
    let error = |name: &str| Home::open(&dir.path().join(name)).expect_err("must refuse");
    let home = dir.path().display().to_string();
    assert!(matches!(error("data"), HomeError::IsDataFolder { give, .. } if give == home));
    assert!(matches!(error("config"), HomeError::IsConfigFolder { give, .. } if give == dir.path()));
    assert!(matches!(error("data/state.db"), HomeError::IsDatabase { give, .. } if give == home));
    assert!(matches!(error("data/snapshots/metadata.db"), HomeError::IsDatabase { give, .. } if give == home));
    assert!(matches!(error("nothing"), HomeError::Missing { .. }));
    fs::create_dir(dir.path().join("empty")).expect("creates");
    assert!(matches!(error("empty"), HomeError::NotAHome { .. }));
    assert!(matches!(error("config/config.toml"), HomeError::NotAHome { .. }));
}

#[test]
fn a_home_without_databases_says_what_was_looked_for() {
    let dir = HomeDir::with_databases(&[]).config("db_dir = 'volume'");
    let text = dir.error().to_string();
    assert!(text.contains("volume (which is not there)") && text.contains("blockstore.db"), "{text}");
    fs::create_dir(dir.path().join("volume")).expect("creates");
    assert!(matches!(dir.error(), HomeError::NoDatabases { .. }));
}

#[test]
fn an_unmounted_db_dir_is_not_replaced_by_data() {
    let dir = HomeDir::with_databases(&["application.db"]).config("db_dir = 'volume'");
    assert!(matches!(dir.error(), HomeError::NoDatabases { .. }));
}

#[test]
fn broken_configuration_and_genesis_are_named() {
    let dir = HomeDir::with_databases(&["state.db"]).config("a = 1\nb\n");
    assert!(dir.error().to_string().contains("config/config.toml: line 2"), "{}", dir.error());
    let dir = HomeDir::with_databases(&["state.db"]).config("").app("app-db-backend = 3");
    assert!(dir.error().to_string().contains("config/app.toml: line 1"), "{}", dir.error());
    let dir = HomeDir::with_databases(&["state.db"]).config("genesis_file = 'g.json'");
    dir.write("g.json", "{");
    assert!(dir.error().to_string().contains("g.json: "), "{}", dir.error());
}

#[test]
fn a_setting_that_does_not_say_what_is_there_is_remarked() {
    let remarks = |config: &str, app: &str| {
        HomeDir::with_databases(&["state.db", "application.db", "kvstore.db"])
            .config(config)
            .app(app)
            .open()
            .expect("opens")
            .remarks()
    };
    assert_eq!(remarks("db_backend = 'goleveldb'", "app-db-backend = 'cleveldb'"), [""; 0]);
    assert_eq!(remarks("", "app-db-backend = ''"), [""; 0]);
    let odd = remarks("db_backend = 'pebbledb'", "");
    assert_eq!(odd.len(), 2, "{odd:?}");
    assert!(
        odd[0].starts_with("db_backend in config.toml says pebbledb, but by their files these are goleveldb: state;"),
        "{odd:?}"
    );
    assert!(odd[1].contains("before 0.46"), "{odd:?}");
}
