//! What a receiver says when it does not take a message, and what a sender makes of it.
//!
//! A receiver that has read a message closes its half of the stream empty: the sender's receipt. A node of Go that
//! refuses resets the stream with a code. libp2p in Rust cannot reset a stream, and a stream that is merely
//! dropped closes empty, which would be a false receipt; so we write one byte before we close. Nodes
//! of Go never read it.

use std::io;

use libp2p::swarm::StreamUpgradeError;

/// Why a message was not taken, as the byte that is written in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    /// The message is malformed, cut off or larger than its channel carries: sending it again will not help.
    Unacceptable = 1,
    /// It came too slowly.
    TooSlow = 2,
    /// There is no room for it now: worth another try.
    NoRoom = 3,
}

/// go-libp2p's code of a stream that its resource manager refused (`network.StreamResourceLimitExceeded`).
const RESOURCE_LIMIT_EXCEEDED: u32 = 0x1002;

/// What became of a message that got no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setback {
    /// The peer has no room now, and has certainly not read the message.
    Busy,
    /// The peer does not have the channel.
    NoChannel,
    /// The peer refused the message.
    Refused,
    /// Time is up.
    TimedOut,
    /// The connection is gone.
    Lost,
}

impl Setback {
    /// From what libp2p says of an attempt.
    pub(super) fn of(error: &StreamUpgradeError<Self>) -> Self {
        match error {
            StreamUpgradeError::Timeout => Self::TimedOut,
            StreamUpgradeError::Apply(setback) => *setback,
            StreamUpgradeError::NegotiationFailed => Self::NoChannel,
            // Until the protocol is agreed on, nobody reads a message: any reset is worth another try.
            StreamUpgradeError::Io(error) => match Self::from(error) {
                Self::Refused => Self::Busy,
                other => other,
            },
        }
    }
}

impl From<&io::Error> for Setback {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset if is_resource_limit(error) => Self::Busy,
            io::ErrorKind::ConnectionReset => Self::Refused,
            _ => Self::Lost,
        }
    }
}

fn is_resource_limit(error: &io::Error) -> bool {
    let code = error.get_ref().and_then(|inner| {
        let read = inner.downcast_ref::<quinn::ReadError>().and_then(|read| match read {
            quinn::ReadError::Reset(code) => Some(*code),
            _ => None,
        });
        read.or_else(|| match inner.downcast_ref::<quinn::WriteError>() {
            Some(quinn::WriteError::Stopped(code)) => Some(*code),
            _ => None,
        })
    });
    code == Some(RESOURCE_LIMIT_EXCEEDED.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_whether_to_try_again() {
        let reset = |code: u32| io::Error::from(quinn::ReadError::Reset(code.into()));
        assert_eq!(Setback::from(&reset(4098)), Setback::Busy);
        assert_eq!(Setback::from(&reset(0)), Setback::Refused);
        assert_eq!(Setback::from(&io::Error::from(quinn::WriteError::Stopped(4098u32.into()))), Setback::Busy);
        assert_eq!(Setback::from(&io::Error::from(io::ErrorKind::NotConnected)), Setback::Lost);
    }

    #[test]
    fn before_the_protocol_is_agreed_on_every_reset_is_worth_another_try() {
        let reset = io::Error::from(quinn::ReadError::Reset(0u32.into()));
        assert_eq!(Setback::of(&StreamUpgradeError::Io(reset)), Setback::Busy);
        assert_eq!(Setback::of(&StreamUpgradeError::NegotiationFailed), Setback::NoChannel);
    }
}
