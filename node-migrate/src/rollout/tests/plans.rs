//! Plans that are refused, with their reasons.

use super::{head, plan, three_stages};
use crate::rollout::plan::{Plan, PlanError, Refusal};

#[test]
fn shares_and_rests_are_resolved_in_the_order_of_the_file() {
    let plan = plan(&three_stages(7, ""));
    let members: Vec<Vec<&str>> =
        plan.stages.iter().map(|stage| stage.nodes.iter().map(|node| node.as_str()).collect()).collect();
    assert_eq!(members, [vec!["val0"], vec!["val1", "val2", "val3"], vec!["val4", "val5", "val6"]]);
    assert_eq!(plan.network.total_power, 70);
}

/// The plan for seven validators with one text replaced must be refused, and say why.
fn refused(from: &str, to: &str, says: &str) {
    let text = three_stages(7, "").replace(from, to);
    match Plan::parse(&text) {
        Ok(_) => panic!("accepted with {to}"),
        Err(error) => assert!(error.to_string().contains(says), "{to}: {error}"),
    }
}

#[test]
fn a_plan_that_would_take_a_third_of_the_power_down_is_refused_by_name() {
    refused("nodes_in_flight_max = 1", "nodes_in_flight_max = 3", "val1, val2, val3 at once: power 30 of 70");
    refused(
        "power = 10\nfailure_domain = \"rack4\"",
        "power = 31\nfailure_domain = \"rack4\"",
        "stage all may take down val4 at once: power 31 of 91",
    );
    let two = three_stages(7, "").replace("nodes_in_flight_max = 1", "nodes_in_flight_max = 2");
    assert!(Plan::parse(&two).is_ok(), "two of seven are less than a third");
}

#[test]
fn the_limit_is_below_one_third_less_the_margin() {
    let plan = plan(&three_stages(10, ""));
    assert_eq!(plan.network.total_power, 100);
    assert!(plan.allows_down(30) && !plan.allows_down(31));
    assert_eq!(plan.power_limit(), 31, "33.3 less 3");
}

#[test]
fn contradictions_are_refused() {
    for (from, to, says) in [
        ("name = \"a test\"", "name = \"a test\"\ncolour = 1", "unknown field `colour`"),
        ("grace_seconds = 10", "grace_seconds = 10\ngrace = 10", "unknown field `grace`"),
        ("name = \"val3\"", "name = \"val2\"", "two nodes are named val2"),
        ("name = \"val3\"", "name = \"../val3\"", "is no name of a node"),
        ("name = \"fraction\"", "name = \"canary\"", "two stages are named canary"),
        ("nodes = [\"val0\"]", "nodes = [\"val9\"]", "names val9, which is no node"),
        ("rest = true", "nodes = [\"val4\", \"val5\"]", "val6 is in no stage"),
        (
            "rest = true",
            "nodes = [\"val0\", \"val4\", \"val5\", \"val6\"]",
            "val0 is in stage all and in an earlier one",
        ),
        ("rest = true", "rest = false", "exactly one of"),
        ("share_percent = 40", "share_percent = 40\nrest = true", "exactly one of"),
        ("share_percent = 40", "share_percent = 0", "stage fraction has no nodes"),
        (
            "population_min = 1\nsoak_heights = 10\npromotion = \"automatic\"\n[[stage]]\nname = \"fraction\"",
            "population_min = 2\nsoak_heights = 10\npromotion = \"automatic\"\n[[stage]]\nname = \"fraction\"",
            "population_min must be 1 to 1, not 2",
        ),
        ("soak_heights = 10", "soak_heights = 9", "at least 10 are needed"),
        ("power_margin_percent = 3", "power_margin_percent = 34", "at most 33"),
        (
            "role = \"validator\"\npower = 10\nfailure_domain = \"rack5\"",
            "role = \"full\"\npower = 10\nfailure_domain = \"rack5\"",
            "val5 is a full node with power 10",
        ),
        (
            "role = \"validator\"\npower = 10\nfailure_domain = \"rack5\"",
            "role = \"validator\"\nfailure_domain = \"rack5\"",
            "val5 is a validator with power 0",
        ),
        (
            "block_time_ms = 1000",
            "block_time_ms = 1000\ntotal_power = 69",
            "power 70 together, more than the network's total_power 69",
        ),
        ("missed_blocks_max = 200", "missed_blocks_max = 500", "could be jailed"),
        (
            "node_downtime_seconds_max = 120",
            "node_downtime_seconds_max = 500",
            "is 500, not below jail.missed_blocks_max 500",
        ),
        ("block_time_ms = 1000", "block_time_ms = 0", "network.block_time_ms is 0"),
        ("attestation_interval_heights = 5", "attestation_interval_heights = 21", "must be 1 to 20"),
        ("to = \"pebbledb\"", "to = \"colour\"", "format.to: `colour` is not a target"),
    ] {
        refused(from, to, says);
    }
}

#[test]
fn a_way_back_needs_another_format() {
    let text = three_stages(4, "with_new_heights = \"migrate-back\"").replace("back = \"goleveldb\"\n", "");
    let Err(PlanError::Refused { reasons }) = Plan::parse(&text) else { panic!("accepted") };
    assert_eq!(reasons, [Refusal::NoWayBack]);
}

#[test]
fn an_empty_plan_is_refused() {
    let Err(PlanError::Refused { reasons }) = Plan::parse(&head("")) else { panic!("accepted") };
    assert_eq!(reasons, [Refusal::None { what: "nodes" }, Refusal::None { what: "stages" }]);
}
