//! Messages of CometBFT's peer protocols, the same bytes on the classic transport and on libp2p.
//!
//! Blocks and commits on their way to a peer stay the bytes that came. These types check
//! nothing: a message that decodes is only a well-formed claim. Limit its bytes before decoding it.

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod blocksync {
    //! Channel 0x40: blocks by height.

    include!("gen/cometbft.blocksync.rs");
}

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod consensus {
    //! Channels 0x20 to 0x23, as far as they let a peer catch up.

    include!("gen/cometbft.consensus.rs");
}

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod p2p {
    //! The classic transport: who a node is, and how its connection is cut into packets.

    include!("gen/cometbft.p2p.rs");
}

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod types {
    //! What the others share: votes, commits, parts.

    include!("gen/cometbft.types.rs");
}
