//! How releases encode what they encode differently: validators, parameters and changes of validators.

/// A dialect, named by the first release that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// v0.38.
    V0_38,
    /// v1.0.
    V1_0,
}

/// Name of the kind of all keys here, in v1.0.
pub(super) const KEY_TYPE: &[u8] = b"ed25519";
