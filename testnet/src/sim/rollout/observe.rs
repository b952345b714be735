//! What the controller sees of the simulated network.

use std::collections::BTreeMap;

use node_migrate::rollout::observation::{
    Attestation, HomeSeen, NodeSeen, Observations, Prepared, Process, RpcSeen, Sample, Side,
};
use node_migrate::rollout::plan::Address;

use super::super::audit::attested;
use super::super::scenario::Sabotage;
use super::super::world::World;
use super::Controller;
use crate::store::Format;

/// Bytes free on a disk that has enough.
const FREE_BYTES: u64 = 1 << 30;

impl World<'_> {
    pub(super) fn observe(&mut self, controller: &Controller) -> Observations {
        let interval = controller.plan().gates.attestation_interval_heights;
        let seen = |(place, name)| (name, self.node_seen(place, interval));
        let nodes: BTreeMap<_, _> = controller.names().iter().cloned().enumerate().map(seen).collect();
        Observations { nodes, chain: self.sample(controller) }
    }

    fn node_seen(&mut self, place: usize, interval: u64) -> NodeSeen {
        let attestations = self.attestation(place, interval).into_iter().collect();
        let node = &self.nodes[place];
        let process = if node.validator.is_some() { Process::Running } else { Process::Stopped };
        let address = Address(node.key.public().address().0);
        let rpc = node.validator.as_ref().map(|validator| RpcSeen {
            height: validator.state().last_height,
            catching_up: false,
            address: Some(address),
        });
        let side = if node.disk.stores.format == Format::Old { Side::Old } else { Side::New };
        let prepared = match &node.disk.copy {
            None => Prepared::Nothing,
            Some((_, false)) => Prepared::Copied,
            Some((_, true)) => Prepared::Verified,
        };
        NodeSeen {
            process,
            home: Ok(HomeSeen { side, prepared, detail: String::new() }),
            rpc: rpc.ok_or_else(|| "connection refused".to_owned()),
            attestations,
            disk_free_bytes: Some(if node.is_full { 10 } else { FREE_BYTES }),
            errors_total: Some(node.complaints),
        }
    }

    /// The node's word for the last height that all attest to; none while it is down or cannot read its own store.
    fn attestation(&mut self, place: usize, interval: u64) -> Option<Attestation> {
        let first = self.genesis.initial_height;
        let node = &mut self.nodes[place];
        let height = node.validator.as_ref()?.state().last_height / interval * interval;
        if height < first {
            return None;
        }
        if self.scenario.sabotage == Sabotage::AttestationsAreNotCompared {
            return Some(Attestation { height, root: [0; 32] });
        }
        let stores = &node.disk.stores;
        if node.attested.is_none_or(|(of, format, _)| (of, format) != (height, stores.format)) {
            let root = attested(&stores.blocks, stores.format, (first, height)).ok();
            node.attested = Some((height, stores.format, root));
        }
        let root = node.attested.and_then(|(_, _, root)| root)?;
        let root = if node.lies { root.map(|byte| !byte) } else { root };
        Some(Attestation { height, root })
    }

    /// New heights whose commits are final, and who did not sign them.
    fn sample(&self, controller: &Controller) -> Option<Sample> {
        let before = controller.state().sampled_to_height.max(self.genesis.initial_height - 1);
        let names: BTreeMap<_, _> =
            self.nodes.iter().map(|node| node.key.public().address()).zip(controller.names()).collect();
        let mut sample = Sample { after_height: before, to_height: before, ..Sample::default() };
        for (height, (time, votes)) in self.checks.commits().range(before + 1..) {
            let millis = u64::try_from(time.0 / 1_000_000).unwrap_or(0);
            if sample.to_height == before {
                sample.from_time_ms = millis;
            }
            (sample.to_height, sample.to_time_ms) = (*height, millis);
            for (address, has_signed) in votes {
                let Some(name) = names.get(address).map(|name| (*name).clone()) else { continue };
                if *has_signed {
                    sample.signed.insert(name, *height);
                } else {
                    *sample.missed.entry(name).or_default() += 1;
                }
            }
        }
        (sample.to_height > before).then_some(sample)
    }
}
