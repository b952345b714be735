//! Attestations: equal heights must have equal roots, whatever format they are read from.

use std::collections::BTreeMap;

use super::Turn;
use super::course::{Goal, goal};
use crate::rollout::evidence::{Evidence, names};
use crate::rollout::plan::{NodeName, Stage};

/// Who attests to which root of one height.
type Roots = BTreeMap<[u8; 32], Vec<NodeName>>;

impl Turn<'_> {
    /// A different root closes the gate: it fails the nodes that were migrated, and halts for the others.
    pub(super) fn watch_attestations(&mut self) {
        let Some((height, roots)) = self.by_height().into_iter().find(|(_, roots)| roots.len() > 1) else { return };
        let evidence = evidence(height, &roots);
        for node in self.dissenters(&roots) {
            let Some(known) = self.state.nodes.get(&node) else { continue };
            if known.failed.is_some() || known.held.is_some() {
                continue;
            }
            let reason = format!("attests to another root at height {height} than the others");
            if known.is_touched() && goal(self.plan, &self.state, &node) == Goal::New {
                self.fail(&node, &reason, evidence.clone());
            } else {
                self.halt(&format!("{node} {reason}"), false, evidence.clone());
            }
        }
    }

    fn by_height(&self) -> BTreeMap<u64, Roots> {
        let mut heights: BTreeMap<u64, Roots> = BTreeMap::new();
        for (name, seen) in self.seen.nodes.iter().filter(|(name, _)| self.plan.nodes.contains_key(*name)) {
            for attestation in &seen.attestations {
                let nodes = heights.entry(attestation.height).or_default().entry(attestation.root).or_default();
                if nodes.last() != Some(name) {
                    nodes.push(name.clone());
                }
            }
        }
        heights
    }

    /// All that do not belong to the weightiest root; everybody where two weigh the same.
    fn dissenters(&self, roots: &Roots) -> Vec<NodeName> {
        // A node without power still has a voice, the smallest.
        let weight =
            |nodes: &Vec<NodeName>| -> u128 { nodes.iter().map(|node| u128::from(self.power(node)) * 1000 + 1).sum() };
        let heaviest = roots.values().map(weight).max().unwrap_or_default();
        let tied = roots.values().filter(|nodes| weight(nodes) == heaviest).count() > 1;
        let minor = roots.values().filter(|nodes| tied || weight(nodes) < heaviest);
        minor.flatten().cloned().collect()
    }

    /// The highest height from `from_height` on to which all nodes of the stage attest with one root,
    /// together with a node outside of the stage if there is any.
    pub(super) fn agreement(&self, stage: &Stage, from_height: u64) -> Option<Evidence> {
        let outsiders = self.plan.nodes.len() > stage.nodes.len();
        self.by_height().into_iter().rev().take_while(|(height, _)| *height >= from_height).find_map(
            |(height, roots)| {
                let agreed = |nodes: &Vec<NodeName>| {
                    let all = stage.nodes.iter().all(|node| nodes.contains(node));
                    all && (!outsiders || nodes.len() > stage.nodes.len())
                };
                let (root, nodes) = roots.into_iter().find(|(_, nodes)| agreed(nodes))?;
                Some(Evidence::Attested { height, root: hex::encode(root), nodes })
            },
        )
    }
}

fn evidence(height: u64, roots: &Roots) -> Vec<Evidence> {
    let one = |(root, nodes): (&[u8; 32], &Vec<NodeName>)| Evidence::Attested {
        height,
        root: hex::encode(root),
        nodes: nodes.clone(),
    };
    let said = roots.values().map(names).collect::<Vec<_>>().join(" against ");
    roots.iter().map(one).chain([Evidence::words(said)]).collect()
}
