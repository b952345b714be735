//! What two nodes can do for each other, or why nothing: a function of their hellos.
//!
//! It is total, and symmetric: both sides compute it, and what one finds is what the other finds, mirrored. It
//! reads no clock; the height that decides about versions being given up is the higher tip of the two, so a peer
//! that lies about its own can only shut itself out.
//!
//! | file | what |
//! |---|---|
//! | `direction` | in which version one side can serve the other |
//! | `incompatible` | why two nodes can do nothing for each other, in words with the remedy |

mod direction;
mod incompatible;

use std::num::NonZeroU64;

use crate::hello::{Disputed, Hello, Version};

pub use direction::Reason;
pub use incompatible::{Incompatible, Party};

/// What two nodes can do for each other; at least one direction works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// In which version this node gets blocks from the peer.
    pub fetch: Result<Version, Reason>,
    /// In which version the peer gets blocks from this node.
    pub serve: Result<Version, Reason>,
    /// Heights at which the two check times by different rules; their blocks are not exchanged.
    pub disputed: Option<Disputed>,
    /// Both attest to every height that is a multiple of this.
    pub attest_every: Option<NonZeroU64>,
}

impl Agreement {
    /// The same as the peer sees it.
    #[must_use]
    pub fn mirrored(self) -> Self {
        let mirrored = |direction: Result<Version, Reason>| direction.map_err(Reason::mirrored);
        Self { fetch: mirrored(self.serve), serve: mirrored(self.fetch), ..self }
    }
}

/// Finds what this node and a peer can do for each other.
///
/// # Errors
/// [`Incompatible`]: the first reason in the order of its variants.
pub fn negotiate(local: &Hello, remote: &Hello) -> Result<Agreement, Incompatible> {
    let disputed = of_one_chain(local, remote)?;
    let fetch = direction::version(Party::Remote, local, remote);
    let serve = direction::version(Party::Local, local, remote);
    if let (Err(fetch), Err(serve)) = (fetch, serve) {
        let (local, remote) = (Box::new(local.terms.clone()), Box::new(remote.terms.clone()));
        return Err(Incompatible::Blocks { local, remote, fetch, serve });
    }
    let attest_every = local.attest_every.zip(remote.attest_every).and_then(|(a, b)| common_multiple(a, b));
    Ok(Agreement { fetch, serve, disputed, attest_every })
}

/// The version in which one side speaks to the other, whatever it has to offer; `None` where they are of different chains or have no
/// version in common. It is the version of [`Agreement::fetch`] or [`Agreement::serve`] wherever there is one.
#[must_use]
pub fn spoken(speaker: Party, local: &Hello, remote: &Hello) -> Option<Version> {
    of_one_chain(local, remote).ok()?;
    direction::spoken(speaker, local, remote).ok()
}

/// The heights at which two nodes of one chain differ in the rule of block times.
fn of_one_chain(local: &Hello, remote: &Hello) -> Result<Option<Disputed>, Incompatible> {
    if local.chain_id != remote.chain_id {
        let (local, remote) = (local.chain_id.clone(), remote.chain_id.clone());
        return Err(Incompatible::Chain { local, remote });
    }
    if local.genesis_hash != remote.genesis_hash {
        return Err(Incompatible::Genesis { local: local.genesis_hash, remote: remote.genesis_hash });
    }
    let disputed = local.time_rule.disputed(remote.time_rule);
    if disputed.is_some_and(Disputed::is_everything) {
        return Err(Incompatible::TimeRule { local: local.time_rule, remote: remote.time_rule });
    }
    Ok(disputed)
}

/// The least common multiple, where it fits.
fn common_multiple(a: NonZeroU64, b: NonZeroU64) -> Option<NonZeroU64> {
    let (mut divisor, mut rest) = (a.get(), b.get());
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a.get() / divisor).checked_mul(b.get()).and_then(NonZeroU64::new)
}
