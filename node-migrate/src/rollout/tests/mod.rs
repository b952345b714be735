//! The pure part of a rollout, held against a small world in memory and against arbitrary observations.

mod controller;
mod plans;
mod properties;
mod scenarios;
mod world;

use super::plan::{NodeName, Plan};

/// A plan of `nodes` validators of power 10, each in a domain of its own, in three stages.
fn three_stages(nodes: usize, more: &str) -> String {
    let mut text = head(more);
    for node in 0..nodes {
        text.push_str(&format!(
            "[[node]]\nname = \"val{node}\"\nrole = \"validator\"\npower = 10\nfailure_domain = \"rack{node}\"\n"
        ));
    }
    for (name, members) in
        [("canary", "nodes = [\"val0\"]"), ("fraction", "share_percent = 40"), ("all", "rest = true")]
    {
        text.push_str(&format!(
            "[[stage]]\nname = \"{name}\"\n{members}\npopulation_min = 1\nsoak_heights = 10\npromotion = \"automatic\"\n"
        ));
    }
    text
}

/// The plan without nodes and stages; `more` are lines of its top level.
fn head(more: &str) -> String {
    format!(
        r#"name = "a test"
{more}
[format]
to = "pebbledb"
back = "goleveldb"
[network]
block_time_ms = 1000
[jail]
window_blocks = 1000
missed_blocks_max = 500
[limits]
power_margin_percent = 3
nodes_in_flight_max = 1
node_downtime_seconds_max = 120
command_seconds_max = 20
stage_seconds_max = 3600
[gates]
height_lag_blocks_max = 3
missed_blocks_max = 200
errors_max = 5
disk_free_bytes_min = 1000
attestation_interval_heights = 5
grace_seconds = 10
stall_seconds_max = 60
"#
    )
}

fn plan(text: &str) -> Plan {
    Plan::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn name(text: &str) -> NodeName {
    NodeName::try_from(text.to_owned()).expect("a name")
}
