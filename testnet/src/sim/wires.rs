//! Which wire version two nodes speak: what their hellos make of it, by the negotiation of real nodes.

use proto::hello::{Heights, Hello, Printable, Status, Storage, Terms, TimeRule, Version, Versions};
use proto::negotiate::negotiate;

use super::node::Node;
use crate::consensus::WireVersion;
use crate::store::Format;

/// The versions for every pair of nodes: from the first to the second.
#[derive(Clone, Debug)]
pub(super) struct Wires(Vec<Vec<WireVersion>>);

impl Wires {
    /// Negotiates anew, as nodes do that connect again after one of them has changed.
    ///
    /// # Errors
    /// Why two nodes cannot speak with each other.
    pub(super) fn of(nodes: &[Node], chain_id: &str) -> Result<Self, String> {
        let hellos = nodes.iter().map(|node| hello(node, chain_id)).collect::<Result<Vec<_>, _>>()?;
        let version = |from: &Hello, to: &Hello| {
            let agreement = negotiate(to, from).map_err(|error| error.to_string())?;
            match agreement.fetch.map_err(|reason| reason.to_string())? {
                Version::TWO => Ok(WireVersion::V2),
                Version::ONE => Ok(WireVersion::V1),
                other => Err(format!("nobody speaks version {other}")),
            }
        };
        let row = |from: &Hello| hellos.iter().map(|to| version(from, to)).collect();
        hellos.iter().map(row).collect::<Result<_, String>>().map(Self)
    }

    /// In which version one node speaks to another.
    pub(super) fn between(&self, from: usize, to: usize) -> WireVersion {
        self.0[from][to]
    }
}

/// A node in the new format speaks both versions, one in the old format the first alone.
fn hello(node: &Node, chain_id: &str) -> Result<Hello, String> {
    let (storage, versions): (_, &[u32]) = match node.disk.stores.format {
        Format::Old => (Storage::Old, &[1]),
        Format::New => (Storage::CutOver, &[1, 2]),
    };
    let error = |error: proto::hello::HelloError| error.to_string();
    let versions = Versions::new(versions.iter().copied()).map_err(error)?;
    let heights = Heights::new(1, node.tip.max(1)).map_err(error)?;
    let unprintable = |bytes: usize| format!("a text of {bytes} bytes is no name");
    Ok(Hello {
        chain_id: Printable::new(chain_id).map_err(unprintable)?,
        genesis_hash: [0; 32],
        terms: Terms::new(versions.clone(), versions, Version::ONE),
        time_rule: TimeRule::V0_38,
        attest_every: None,
        status: Status::new(storage, Some(heights), node.tip.max(1)).map_err(error)?,
        agent: Printable::new("testnet").map_err(unprintable)?,
    })
}
