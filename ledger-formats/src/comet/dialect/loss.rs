//! What a record says and another dialect cannot, although its releases open it without that. The plan reports it.

use super::Target;
use crate::comet::params::{ConsensusParams, ConsensusParamsInfo, Sixth};
use crate::comet::results::Results;
use crate::comet::state::State;
use crate::comet::wire::Decode;

/// What a record says and the target cannot, although it can be opened without it. The plan reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// v1.0's bounds of clocks; without proposer-based time they mean nothing.
    Synchrony,
    /// v0.40's authority over the parameters.
    Authority(String),
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Synchrony => {
                f.write_str("the bounds of clocks (synchrony), which mean nothing without proposer-based timestamps")
            }
            Self::Authority(authority) => write!(f, "the authority over the consensus parameters, `{authority}`"),
        }
    }
}

fn loss(params: &ConsensusParams<'_>, to: Target) -> Option<Loss> {
    match params.sixth()? {
        Sixth::Synchrony { precision, message_delay } => {
            let is_set = precision != Default::default() || message_delay != Default::default();
            (to != Target::V1_0 && is_set).then_some(Loss::Synchrony)
        }
        Sixth::Authority(authority) => {
            let text = || Loss::Authority(authority.escape_ascii().to_string());
            (to != Target::V0_40 && !authority.is_empty()).then(text)
        }
    }
}

/// What is lost of a value of `consensusParamsKey`; nothing of one that does not decode.
#[must_use]
pub fn loss_of_record(value: &[u8], to: Target) -> Option<Loss> {
    loss(&ConsensusParamsInfo::decode(value).ok()?.consensus_params, to)
}

/// What is lost of a value of `stateKey`; nothing of one that does not decode.
#[must_use]
pub fn loss_of_state(value: &[u8], to: Target) -> Option<Loss> {
    loss(&State::decode(value).ok()?.consensus_params, to)
}

/// What is lost of a value of `abciResponsesKey`; nothing of one that does not decode.
#[must_use]
pub fn loss_of_results(results: &Results<'_>, to: Target) -> Option<Loss> {
    loss(results.consensus_param_updates.as_ref()?, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: &str = "0a0a08808080021080ade204 120e08a08d0612040880c60a18808040 1a090a0765643235353139 2200";
    const SYNCHRONY: &str = "320c0a0610c0e0e6f0011202080f";

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        hex::decode(hexadecimal.replace(' ', "")).expect("hex")
    }

    #[test]
    fn what_is_lost_is_named() {
        let loss = |last: &str, to| {
            loss_of_record(&bytes(&format!("0a{:02x}{COMMON}{last}", bytes(&format!("{COMMON}{last}")).len())), to)
        };
        assert_eq!(loss("2a00 32090a07636f736d6f7331", Target::V1_0), Some(Loss::Authority("cosmos1".to_owned())));
        assert_eq!(loss("2a00 32090a07636f736d6f7331", Target::V0_40), None);
        assert_eq!(loss(&format!("{SYNCHRONY}3a040a001200"), Target::V0_38), Some(Loss::Synchrony));
        assert_eq!(loss("32040a0012003a040a001200", Target::V0_38), None);
    }
}
