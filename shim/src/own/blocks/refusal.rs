//! Why blocks do not come: the words travel, so that both sides log the same.

use proto::wire::refusal as wire;

use crate::own::words::words;
use crate::source::Offer;

pub use proto::wire::refusal::Code;

/// Why a request is not answered, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// What kind of reason it is.
    pub code: Code,
    /// The reason and the remedy in words.
    pub reason: String,
    /// What is offered, by the refusing side's account.
    pub offer: Option<Offer>,
}

impl Refusal {
    /// A refusal for a reason.
    pub fn new(code: Code, reason: impl std::fmt::Display) -> Self {
        Self { code, reason: words(&reason.to_string()), offer: None }
    }

    /// Heights that are not there, and those that are.
    #[must_use]
    pub fn not_offered(first: u64, last: u64, offer: Option<Offer>) -> Self {
        let asked = if first == last { format!("height {first} is") } else { format!("heights {first} to {last} are") };
        let reason = match offer {
            Some(Offer { base, top }) => format!("{asked} not offered: {base} to {top} are; ask for those"),
            None => format!("{asked} not offered: nothing is, at present; ask again later"),
        };
        Self { code: Code::NotOffered, reason, offer }
    }

    /// A short name for counters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.code {
            Code::Other => "refused_other",
            Code::NotOffered => "refused_not_offered",
            Code::Busy => "refused_busy",
            Code::NoAgreement => "refused_no_agreement",
            Code::BadRequest => "refused_bad_request",
            Code::Source => "refused_source",
        }
    }

    /// Reads a refusal; an unknown code is [`Code::Other`], and the words are made fit for a log line.
    #[must_use]
    pub fn from_wire(wire: &wire::Refusal) -> Self {
        let offer = (wire.base > 0 && wire.base <= wire.top).then_some(Offer { base: wire.base, top: wire.top });
        Self { code: wire.code(), reason: words(&wire.reason), offer }
    }

    /// Writes the refusal.
    #[must_use]
    pub fn to_wire(&self) -> wire::Refusal {
        let (base, top) = self.offer.map_or((0, 0), |offer| (offer.base, offer.top));
        wire::Refusal { code: self.code.into(), reason: words(&self.reason), base, top }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for offer in [None, Some(Offer { base: 3, top: 9 })] {
            let refusal = Refusal::not_offered(1, 2, offer);
            assert_eq!(Refusal::from_wire(&refusal.to_wire()), refusal);
        }
        let later = wire::Refusal { code: 99, ..Refusal::new(Code::Busy, "later").to_wire() };
        assert_eq!(Refusal::from_wire(&later), Refusal::new(Code::Other, "later"));
    }
}
