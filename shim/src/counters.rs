//! What happened how often: by protocol or transport, by what the peer says that it runs, and by outcome.
//!
//! A peer chooses its own agent text, so the number of series is bounded and the text cleaned: hostile peers
//! cannot fill the memory, break the format or hide the others.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most series that are kept apart; what comes later is counted under the agent [`OTHER`].
const SERIES_MAX: usize = 1_024;

/// Most agents that are kept apart for one protocol and outcome.
const AGENTS_MAX: usize = 32;

/// Longest agent text kept.
const AGENT_BYTES_MAX: usize = 48;

/// Stands for all agents beyond the bounds.
const OTHER: &str = "other";

/// Counts that only grow. Cheap to share behind an `Arc`; no call blocks for longer than a map is looked up.
#[derive(Debug, Default)]
pub struct Counters {
    series: Mutex<BTreeMap<Key, u64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    protocol: &'static str,
    outcome: &'static str,
    agent: String,
}

/// One count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The protocol or transport.
    pub protocol: &'static str,
    /// What the peer says that it runs, cleaned; `other` beyond the bounds.
    pub agent: String,
    /// What came of it.
    pub outcome: &'static str,
    /// How often.
    pub count: u64,
}

impl Counters {
    /// Counts one event. `agent` is any text of the peer, such as its release; `outcome` a short name like `served`.
    pub fn count(&self, protocol: &'static str, agent: &str, outcome: &'static str) {
        self.add(protocol, agent, outcome, 1);
    }

    /// Counts `amount` of something, such as bytes.
    pub fn add(&self, protocol: &'static str, agent: &str, outcome: &'static str, amount: u64) {
        let mut series = self.lock();
        let mut key = Key { protocol, outcome, agent: clean(agent) };
        if !series.contains_key(&key) && is_full(&series, &key) {
            OTHER.clone_into(&mut key.agent);
        }
        let count = series.entry(key).or_default();
        *count = count.saturating_add(amount);
    }

    /// All counts, ordered by protocol, outcome and agent.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Count> {
        let count = |(key, count): (&Key, &u64)| Count {
            protocol: key.protocol,
            agent: key.agent.clone(),
            outcome: key.outcome,
            count: *count,
        };
        self.lock().iter().map(count).collect()
    }

    /// All counts in the text format of Prometheus, as one family.
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        let mut text = String::from("# TYPE node_migrate_shim_total counter\n");
        for Count { protocol, agent, outcome, count } in self.snapshot() {
            let labels = format!("protocol=\"{protocol}\",agent=\"{agent}\",outcome=\"{outcome}\"");
            text.push_str(&format!("node_migrate_shim_total{{{labels}}} {count}\n"));
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, u64>> {
        // Counts stay true when a thread that held them panicked: every change is one addition.
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a new agent of this protocol and outcome goes beyond a bound.
fn is_full(series: &BTreeMap<Key, u64>, new: &Key) -> bool {
    let first = Key { agent: String::new(), ..new.clone() };
    let same = |key: &&Key| key.protocol == new.protocol && key.outcome == new.outcome;
    let agents = series.range(first..).map(|(key, _)| key).take_while(same).take(AGENTS_MAX).count();
    agents == AGENTS_MAX || series.len() >= SERIES_MAX
}

/// The agent in characters that need no escape in any output; the rest becomes `_`.
fn clean(agent: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "./-+_:".contains(character);
    let plain = |character| if is_plain(character) { character } else { '_' };
    let text: String = agent.chars().take(AGENT_BYTES_MAX).map(plain).collect();
    if text.is_empty() { "unknown".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_protocol_agent_and_outcome() {
        let counters = Counters::default();
        counters.count("blocks/2", "node-migrate/0.1.0", "served");
        counters.count("blocks/2", "node-migrate/0.1.0", "served");
        counters.count("classic", "0.38.26", "refused");
        counters.add("blocks/2", "node-migrate/0.1.0", "bytes", u64::MAX);
        counters.count("blocks/2", "node-migrate/0.1.0", "bytes");
        let counts: Vec<_> =
            counters.snapshot().into_iter().map(|each| (each.protocol, each.outcome, each.count)).collect();
        assert_eq!(counts, [("blocks/2", "bytes", u64::MAX), ("blocks/2", "served", 2), ("classic", "refused", 1)]);
    }

    #[test]
    fn hostile_agents_neither_break_the_text_nor_grow_it() {
        let counters = Counters::default();
        counters.count("hello/1", "a\"} 1\nfake{x=\"\u{1f600}", "refused");
        counters.count("hello/1", "", "refused");
        for number in 0..10_000 {
            counters.count("hello/1", &format!("agent-{number}"), "refused");
        }
        let text = counters.to_prometheus();
        assert_eq!(text.lines().count(), 1 + AGENTS_MAX + 1);
        assert!(text.contains("{protocol=\"hello/1\",agent=\"a___1_fake_x___\",outcome=\"refused\"} 1\n"), "{text}");
        assert!(text.contains("agent=\"unknown\",outcome=\"refused\"} 1\n"), "{text}");
        let other = 10_000 - (AGENTS_MAX - 2);
        assert!(text.contains(&format!("agent=\"other\",outcome=\"refused\"}} {other}\n")), "{text}");
        let longest = counters.snapshot().into_iter().map(|each| each.agent.len()).max();
        assert!(longest <= Some(AGENT_BYTES_MAX));
    }

    #[test]
    fn an_agent_beyond_the_bounds_does_not_push_out_known_ones() {
        let counters = Counters::default();
        (0..100).for_each(|number| counters.count("lp2p", &format!("{number:03}"), "connected"));
        counters.count("lp2p", "000", "connected");
        counters.count("lp2p", "099", "connected");
        let count =
            |agent: &str| counters.snapshot().into_iter().find(|each| each.agent == agent).map(|each| each.count);
        assert_eq!(count("000"), Some(2));
        assert_eq!(count("099"), None);
        assert_eq!(count(OTHER), Some(100 - AGENTS_MAX as u64 + 1));
    }
}
