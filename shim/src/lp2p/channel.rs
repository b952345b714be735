//! CometBFT's channels as libp2p protocols, and how large a message of each may be.
//!
//! Every channel is a protocol of its own, `/p2p/cometbft/1.0.0/channel/0xNN`, and every message a stream of it.
//! Source: CometBFT v0.39.4 and v0.40.0, `lp2p/stream.go` and `lp2p/reactor_set.go`; the limits are what each
//! reactor's channel descriptor states.

use crate::peering::Channel;

/// A channel under its protocol name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelProtocol {
    /// The channel.
    pub channel: Channel,
    name: &'static str,
}

/// Where a channel stands in [`PROTOCOLS`]: the index of everything that is kept for each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

macro_rules! protocols {
    ($($number:literal)*) => {
        [$(ChannelProtocol { channel: Channel($number), name: concat!("/p2p/cometbft/1.0.0/channel/", stringify!($number)) }),*]
    };
}

/// Every channel that a node offers, by its number.
pub const PROTOCOLS: [ChannelProtocol; 9] = protocols!(0x20 0x21 0x22 0x23 0x30 0x38 0x40 0x60 0x61);

impl AsRef<str> for ChannelProtocol {
    fn as_ref(&self) -> &str {
        self.name
    }
}

impl ChannelProtocol {
    /// The channel of a protocol name; `None` for any other protocol.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        PROTOCOLS.into_iter().find(|each| each.name == name)
    }

    /// The protocol of a channel; `None` for a channel that no node has on libp2p, as peer exchange (`0x00`).
    #[must_use]
    pub fn of(channel: Channel) -> Option<Self> {
        PROTOCOLS.into_iter().find(|each| each.channel == channel)
    }
}

impl Place {
    /// The place of a channel; `None` for one that libp2p does not carry.
    pub(super) fn of(channel: Channel) -> Option<Self> {
        PROTOCOLS.iter().position(|each| each.channel == channel).map(Self)
    }

    /// An index below [`PROTOCOLS`]`.len()`.
    pub(super) fn index(self) -> usize {
        self.0
    }
}

/// The releases of CometBFT that speak libp2p, as far as the transport is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// v0.39.x: no message of any channel is larger than 4 MiB.
    V0_39,
    /// v0.40.x: each channel has its own limit, and block sync carries the largest block there can be.
    V0_40,
}

/// What v0.39 clamps every message to (`lp2p.MaxStreamSize`).
const V0_39_BYTES_MAX: usize = 4 << 20;

/// The largest block (`types.MaxBlockSizeBytes`) and the five bytes around it.
const BLOCK_RESPONSE_BYTES_MAX: usize = 104_857_600 + 5;

/// The largest message of a channel, in bytes, that a node of this release takes, and that we take from it.
///
/// The mempool's limit is a setting of the node (`mempool.max_tx_bytes`, 1 MiB unless changed), so the bound here is
/// wider than most nodes have it; a node refuses by itself what is too large for it.
#[must_use]
pub fn message_bytes_max(release: Release, channel: Channel) -> usize {
    let own = match channel.0 {
        0x40 => BLOCK_RESPONSE_BYTES_MAX,
        0x60 => 4_000_000,
        0x61 => 16_000_000,
        0x30 => 8 << 20,
        _ => 1 << 20,
    };
    match release {
        Release::V0_39 => own.min(V0_39_BYTES_MAX),
        Release::V0_40 => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_nodes_offer() {
        let names: Vec<_> = PROTOCOLS.iter().map(AsRef::as_ref).collect();
        assert_eq!(names[0], "/p2p/cometbft/1.0.0/channel/0x20");
        assert_eq!(names[6], "/p2p/cometbft/1.0.0/channel/0x40");
        for protocol in PROTOCOLS {
            assert_eq!(protocol.as_ref(), format!("/p2p/cometbft/1.0.0/channel/{}", protocol.channel));
            assert_eq!(ChannelProtocol::parse(protocol.as_ref()), Some(protocol));
            assert_eq!(ChannelProtocol::of(protocol.channel), Some(protocol));
        }
        assert_eq!(PROTOCOLS.map(|each| each.channel), Channel::ALL);
    }

    #[test]
    fn names_near_ours_are_other_protocols() {
        for name in [
            "",
            "/p2p/cometbft/1.0.0/channel/0x4",
            "/p2p/cometbft/1.0.0/channel/0x00",
            "/p2p/cometbft/2.0.0/channel/0x40",
        ] {
            assert_eq!(ChannelProtocol::parse(name), None, "{name}");
        }
        assert_eq!(Place::of(Channel(0)), None);
    }

    #[test]
    fn only_v0_40_carries_large_blocks() {
        assert_eq!(message_bytes_max(Release::V0_39, Channel::BLOCKSYNC), 4_194_304);
        assert_eq!(message_bytes_max(Release::V0_40, Channel::BLOCKSYNC), 104_857_605);
        assert_eq!(message_bytes_max(Release::V0_40, Channel::VOTE), 1_048_576);
    }
}
