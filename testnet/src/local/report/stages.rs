//! The stages of a rollout by its log: which heights each took, and how fast its nodes caught up.

use std::collections::BTreeMap;

use serde_json::Value;

/// A stage.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::local) struct StageSpan {
    pub(in crate::local) name: String,
    pub(in crate::local) first: u64,
    pub(in crate::local) last: u64,
    pub(in crate::local) syncs: Vec<Sync>,
}

/// What a node made good between its start and its return into service.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::local) struct Sync {
    pub(in crate::local) node: String,
    pub(in crate::local) heights: u64,
    pub(in crate::local) seconds: f64,
}

/// The stages that were promoted.
pub(in crate::local) fn stages(facts: &Value) -> Vec<StageSpan> {
    let mut stages = Vec::new();
    let (mut started, mut stopped) = (BTreeMap::new(), BTreeMap::new());
    let (mut first, mut last, mut syncs) = (0, 0, Vec::new());
    for entry in facts.as_array().into_iter().flatten() {
        let (at_ms, fact) = (entry["at_ms"].as_u64().unwrap_or_default(), &entry["fact"]);
        let node = fact["node"].as_str().unwrap_or_default().to_owned();
        match (fact["kind"].as_str(), fact["action"].as_str()) {
            (Some("sampled"), _) => {
                last = fact["sample"]["to_height"].as_u64().unwrap_or(last);
                if first == 0 {
                    first = fact["sample"]["after_height"].as_u64().unwrap_or_default() + 1;
                }
            }
            (Some("begun"), Some("stop")) => drop(stopped.insert(node, last)),
            (Some("begun"), Some("start")) => drop(started.insert(node, at_ms)),
            (Some("in_service"), _) => {
                let since = started.remove(&node).zip(stopped.remove(&node));
                if let Some(((from_ms, from_height), height)) = since.zip(height(fact)) {
                    let heights = height.saturating_sub(from_height);
                    let seconds = std::time::Duration::from_millis(at_ms.saturating_sub(from_ms)).as_secs_f64();
                    syncs.push(Sync { node, heights, seconds });
                }
            }
            (Some("promoted"), _) => {
                let name = fact["stage"].as_str().unwrap_or_default().to_owned();
                stages.push(StageSpan { name, first, last, syncs: std::mem::take(&mut syncs) });
                first = last + 1;
            }
            _ => {}
        }
    }
    stages
}

/// The node's height in the evidence of its return.
fn height(fact: &Value) -> Option<u64> {
    let evidence = fact["evidence"].as_array()?;
    evidence.iter().find(|one| one["measure"] == "height_lag")?["height"].as_u64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_log_is_cut_into_its_stages() {
        let entry = |at_ms: u64, fact: Value| json!({ "at_ms": at_ms, "fact": fact });
        let sampled =
            |after: u64, to: u64| json!({ "kind": "sampled", "sample": { "after_height": after, "to_height": to } });
        let begun = |action: &str| json!({ "kind": "begun", "node": "val0", "action": action });
        let lag = json!([{ "measure": "signed" }, { "measure": "height_lag", "height": 24 }]);
        let facts = json!([
            entry(1_000, sampled(9, 12)),
            entry(1_000, begun("stop")),
            entry(2_000, sampled(12, 18)),
            entry(3_000, begun("start")),
            entry(5_000, json!({ "kind": "in_service", "node": "val0", "evidence": lag })),
            entry(6_000, sampled(18, 30)),
            entry(6_000, json!({ "kind": "promoted", "stage": "canary" })),
            entry(7_000, sampled(30, 35)),
            entry(7_000, json!({ "kind": "promoted", "stage": "all" })),
        ]);
        let sync = Sync { node: "val0".to_owned(), heights: 12, seconds: 2.0 };
        let span = |name: &str, first, last, syncs| StageSpan { name: name.to_owned(), first, last, syncs };
        assert_eq!(stages(&facts), [span("canary", 10, 30, vec![sync]), span("all", 31, 35, Vec::new())]);
    }
}
