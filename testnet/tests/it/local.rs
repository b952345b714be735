//! A network of processes: it decides blocks over the shim, bears the death of a node, and ends at one height.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use testnet::chain::Time;
use testnet::local::{Network, ProcessError, start};
use testnet::store::{Databases, Format, root};

const PROGRAM: &str = env!("CARGO_BIN_EXE_testnet");

/// Four validators and a full node, two of them in the new format.
const SCENARIO: &str = r#"
name = "five"
[network]
chain_id = "five"
block_time_ms = 300
propose_ms = 200
vote_ms = 100
commit_ms = 150
catch_up_ms = 500
[latency]
regions = ["here", "there"]
one_way_ms = [[1, 5], [5, 1]]
[load]
transactions_per_second = 20
bytes_max = 2000
power_change_every = 10
[[node]]
name = "a"
role = "validator"
power = 10
format = "old"
region = "here"
failure_domain = "a"
[[node]]
name = "b"
role = "validator"
power = 10
format = "new"
region = "there"
failure_domain = "b"
[[node]]
name = "c"
role = "validator"
power = 10
format = "old"
region = "here"
failure_domain = "c"
[[node]]
name = "d"
role = "full"
format = "new"
region = "there"
failure_domain = "d"
[[node]]
name = "e"
role = "validator"
power = 10
format = "old"
region = "there"
failure_domain = "e"
[rollout]
[rollout.format]
to = "rocksdb,layout=v2,dialect=v1_0"
[rollout.jail]
window_blocks = 10000
missed_blocks_max = 9500
[rollout.limits]
power_margin_percent = 0
nodes_in_flight_max = 1
node_downtime_seconds_max = 60
command_seconds_max = 60
stage_seconds_max = 600
[rollout.gates]
height_lag_blocks_max = 5
missed_blocks_max = 2000
errors_max = 20
disk_free_bytes_min = 1
attestation_interval_heights = 5
grace_seconds = 20
stall_seconds_max = 30
[[rollout.stage]]
name = "all"
rest = true
population_min = 1
soak_heights = 10
promotion = "automatic"
"#;

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    Time(i64::try_from(since.as_nanos()).expect("before 2262"))
}

fn kill(network: &Network, node: &str) {
    let pid = std::fs::read_to_string(network.layout.pid(node)).expect("a process");
    let killed = std::process::Command::new("kill").args(["-9", pid.trim()]).status().expect("runs");
    assert!(killed.success());
}

#[test]
fn a_network_of_both_formats_bears_the_death_of_a_node_and_ends_at_one_height() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut network =
        Network::begin(&folder.path().join("network"), SCENARIO, Path::new(PROGRAM), now()).expect("a network");
    network.wait_all(5).expect("blocks");
    kill(&network, "b");
    let height = network.height();
    let deadline = Instant::now() + Duration::from_secs(60);
    while network.height() < height + 2 {
        assert!(Instant::now() < deadline, "three of four validators do not go on");
        std::thread::sleep(Duration::from_millis(50));
    }
    start(&network.layout, "b", Path::new(PROGRAM)).expect("starts again");
    network.wait_all(network.height() + 5).expect("goes on");
    let sent = network.sent().expect("answers");
    assert!(["a", "c", "e"].iter().all(|node| sent[*node][1] == 0), "an old node speaks version 1 alone: {sent:?}");
    assert!(sent["b"][0] > 0 && sent["b"][1] > 0, "a new one speaks to each as it understands: {sent:?}");
    let height = network.end_together().expect("ends");
    let roots = network.names().into_iter().map(|node| {
        let databases = Databases::open(&network.layout.home(&node)).expect("opens");
        let expected = if ["b", "d"].contains(&node.as_str()) { Format::New } else { Format::Old };
        assert_eq!(databases.format(), expected);
        root(databases.blocks(), databases.format(), height).expect("a root")
    });
    let roots: std::collections::BTreeSet<_> = roots.collect();
    assert_eq!(roots.len(), 1);
    // A start guard, as a migration puts it there.
    let config = network.layout.home("a").join("config/config.toml");
    let text = std::fs::read_to_string(&config).expect("reads");
    std::fs::write(&config, text.replace("sled", "node-migrate-cut-over-in-progress")).expect("writes");
    let refused = start(&network.layout, "a", Path::new(PROGRAM)).expect_err("refuses");
    let ProcessError::Ended { words, .. } = refused else { panic!("{refused}") };
    assert!(words.contains("] unknown db_backend"), "{words}");
}
