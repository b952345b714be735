//! The plan of a simulated rollout.

/// The name of a node in the plan.
pub(super) fn name(node: usize) -> String {
    format!("n{node}")
}

/// `rollout.toml` for so many validators: one canary, then 40 percent, then the rest, one at a time.
pub(super) fn plan_text(nodes: usize, migrate_back: bool) -> String {
    let with_new_heights = if migrate_back { "migrate-back" } else { "hold" };
    let mut text = format!(
        r#"name = "a simulated rollout"
with_new_heights = "{with_new_heights}"
[format]
to = "rocksdb,layout=v2,dialect=v1_0"
back = "sled,layout=v1,dialect=v0_38"
[network]
block_time_ms = 1000
[jail]
window_blocks = 1000
missed_blocks_max = 500
[limits]
power_margin_percent = 3
nodes_in_flight_max = 1
node_downtime_seconds_max = 60
command_seconds_max = 20
stage_seconds_max = 200
[gates]
height_lag_blocks_max = 3
missed_blocks_max = 200
errors_max = 5
disk_free_bytes_min = 1000
attestation_interval_heights = 5
grace_seconds = 10
stall_seconds_max = 60
"#
    );
    for node in 0..nodes {
        let name = name(node);
        text.push_str(&format!(
            "[[node]]\nname = \"{name}\"\nrole = \"validator\"\npower = 10\nfailure_domain = \"{name}\"\n"
        ));
    }
    let canary = format!("nodes = [\"{}\"]", name(0));
    for (stage, members) in [("canary", canary.as_str()), ("fraction", "share_percent = 40"), ("all", "rest = true")] {
        text.push_str(&format!(
            "[[stage]]\nname = \"{stage}\"\n{members}\npopulation_min = 1\nsoak_heights = 10\npromotion = \"automatic\"\n"
        ));
    }
    text
}
