//! Runs that must hold, and broken programs that must not.

use super::{Scenario, run, run_traced};

#[test]
fn four_validators_decide_twenty_heights() {
    let scenario = Scenario { heights: 20, ..Scenario::default() };
    let mut lines = Vec::new();
    let summary = run_traced(1, &scenario, &mut |line| lines.push(line.to_owned()));
    let summary = summary.unwrap_or_else(|failure| panic!("{failure}\n{}", lines.join("\n")));
    assert!(summary.height >= 20, "{summary:?}");
    assert_eq!(run(1, &scenario), Ok(summary), "a seed gives the same run");
}
