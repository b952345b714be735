//! The shipped scenario is read whole, and everything that can be wrong in one is named.

use super::*;

const SEVEN: &str = include_str!("../../scenarios/seven.toml");

fn with(from: &str, to: &str) -> String {
    assert!(SEVEN.contains(from), "{from}");
    SEVEN.replace(from, to)
}

/// The words of the refusal of a scenario with a change.
fn refused(from: &str, to: &str) -> String {
    Scenario::parse(&with(from, to)).expect_err(to).to_string()
}

#[test]
fn the_shipped_scenario_is_one() {
    let scenario = Scenario::parse(SEVEN).expect("a scenario");
    assert_eq!((scenario.nodes.len(), scenario.total_power()), (7, 70));
    let formats: Vec<Format> = scenario.nodes.iter().map(|node| node.format).collect();
    assert_eq!(formats.iter().filter(|format| **format == Format::Old).count(), 6);
    let millis = |from: &str, to: &str| {
        let region = |name| scenario.node(name).expect("is there").1.region;
        scenario.latency.between(region(from), region(to)).as_millis()
    };
    assert_eq!((millis("val0", "val1"), millis("val0", "val4"), millis("val4", "val2")), (1, 30, 25));
    let plan = scenario.plan(|name| NodeCommands { home: name.into(), ..NodeCommands::default() }).expect("a plan");
    let plan = node_migrate::rollout::plan::Plan::parse(&plan).expect("a plan");
    assert_eq!((plan.network.total_power, plan.nodes.len(), plan.stages.len()), (70, 6, 3));
}

#[test]
fn names_that_there_are_not_are_named() {
    let words = refused("node = \"val2\"", "node = \"val9\"");
    assert!(words.contains("a fault names the node val9, which there is not"), "{words}");
    let words = refused("nodes = [\"val1\", \"val2\"]", "nodes = [\"val1\", \"val9\"]");
    assert!(words.contains("the rollout: ") && words.contains("val9"), "{words}");
    let words = refused("region = \"south\"", "region = \"north\"");
    assert!(words.contains("val4 is in the region north, which latency.regions does not name"), "{words}");
    let words = refused("kind = \"damaged-after-verification\"", "kind = \"meteor\"");
    assert!(words.contains("not a scenario: ") && words.contains("meteor"), "{words}");
    let words = refused("name = \"val1\"", "name = \"val0\"");
    assert!(words.contains("two nodes are named val0"), "{words}");
    let words = refused("name = \"val1\"", "name = \"../val1\"");
    assert!(words.contains("`../val1` is no name of a node"), "{words}");
}

#[test]
fn a_matrix_of_another_shape_is_refused_row_by_row() {
    let words = refused("    [20, 1, 25],\n", "    [20, 1],\n");
    assert!(words.contains("row 1 of latency.one_way_ms has 2 numbers for 3 regions"), "{words}");
    let words = refused("    [20, 1, 25],\n", "");
    assert!(words.contains("latency.one_way_ms has 2 rows for 3 regions"), "{words}");
    let words = refused("[20, 1, 25]", "[20, 1, 60001]");
    assert!(words.contains("a number of latency.one_way_ms is 60001; it must be 0 to 60000"), "{words}");
    assert!(refused("[20, 1, 25]", "[20, 1, -1]").contains("not a scenario: "));
}

#[test]
fn powers_that_no_chain_reckons_with_are_refused() {
    // Together they are more than 64 bits; TOML has no numbers above 63 bits.
    let words = refused("power = 10\n", "power = 9223372036854775807\n");
    assert!(words.contains("the power of all validators exceeds 1152921504606846975"), "{words}");
    let words = refused("power = 10\n", "power = 0\n");
    assert!(words.contains("val0 is a validator with power 0"), "{words}");
    let words = refused("role = \"validator\"", "role = \"full\"");
    assert!(words.contains("there is no validator"), "{words}");
    assert!(words.contains("val6 is a full node with power 10"), "all reasons are named: {words}");
}

#[test]
fn misspelt_keys_and_impossible_times_are_refused() {
    let words = refused("commit_ms", "comit_ms");
    assert!(words.contains("comit_ms"), "{words}");
    let words = refused("commit_ms = 480", "commit_ms = 0");
    assert!(words.contains("network.commit_ms is 0; it must be 1 to 60000"), "{words}");
    let words = refused("nodes_in_flight_max = 1", "nodes_in_flight_max = 3");
    assert!(words.contains("the rollout: the plan is refused"), "{words}");
    let words = refused("chain_id = \"seven\"", "chain_id = \"\"");
    assert!(words.contains("network.chain_id `` must be 1 to 50 printable ASCII characters"), "{words}");
}
