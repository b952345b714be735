//! The receipt says what is on disk: its store roots are those that `root` prints.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::checkpoint::{migrated_to, string};
use crate::fixture::Fixture;
use crate::program::{run, text};

#[test]
fn a_receipt_states_the_store_root_of_each_side() {
    let fixture = Fixture::unpack("cometbft-1.0-v2-goleveldb");
    let home = fixture.home();
    let roots = || -> BTreeMap<String, String> {
        let said = run(&["--json", "root", text(&home)]).ok().json();
        let one = |each: &Value| (string(each, "name").to_owned(), string(&each["root"], "sha256").to_owned());
        said["databases"].as_array().expect("databases").iter().map(one).collect()
    };
    let before = roots();
    // Other keys, other values, another engine: other digests.
    let receipt = migrated_to("pebbledb,layout=v1,dialect=v0_38", &fixture, &[]);
    assert_eq!(roots(), before);
    // What the node's configuration does not govern stays as it is.
    let names: Vec<&str> = receipt.databases.iter().map(|database| database.name.as_str()).collect();
    assert_eq!(names, ["blockstore", "evidence", "state", "tx_index"]);
    for database in &receipt.databases {
        let expected = Some(&before[&database.name]);
        assert_eq!(database.source.root.map(hex::encode).as_ref(), expected, "{}", database.name);
        assert_eq!(database.target.root.map(hex::encode).as_ref(), expected, "{}", database.name);
    }
    let is_converted = |name: &str| ["blockstore", "state"].contains(&name);
    for database in receipt.databases.iter().filter(|database| is_converted(&database.name)) {
        assert_ne!(database.source.sha256, database.target.sha256, "{}", database.name);
    }
}
