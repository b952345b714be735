//! What comes of an attestation, and the evidence of a difference.

use proofs::merkle::Hash;

/// Two signed checkpoints that cannot both be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Which two they are.
    pub kind: Kind,
    /// The height up to which both trees reach.
    pub height: u64,
    /// Of this node, or the earlier one: the root, and the signed note.
    pub first: (Hash, String),
    /// Of the peer, or the later one: the root, and the signed note.
    pub second: (Hash, String),
}

/// Which two checkpoints an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of this node and one of a peer.
    Difference,
    /// Two of the same key.
    Contradiction,
}

/// What comes of an attestation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Our checkpoint has the same root.
    Equal,
    /// Our checkpoint has another root.
    Different(Box<Alarm>),
    /// The same key attested to another root before.
    Contradicts(Box<Alarm>),
    /// There is no checkpoint of ours yet.
    Pending,
    /// It came before.
    Replayed,
    /// It is of a height that is not kept any more, or from before our first.
    Old,
    /// It says nothing: not a note, by an unknown key, of another tree, or not at an agreed height.
    Refused {
        /// Why, in words.
        reason: String,
    },
}

impl Verdict {
    /// A short name for logs and counters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Different(_) => "different",
            Self::Contradicts(_) => "contradicts",
            Self::Pending => "pending",
            Self::Replayed => "replayed",
            Self::Old => "old",
            Self::Refused { .. } => "refused",
        }
    }

    /// The evidence that it comes with.
    #[must_use]
    pub fn alarm(&self) -> Option<&Alarm> {
        match self {
            Self::Different(alarm) | Self::Contradicts(alarm) => Some(alarm),
            _ => None,
        }
    }
}

impl std::fmt::Display for Alarm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let height = self.height;
        let (first, second) = (hex::encode(self.first.0), hex::encode(self.second.0));
        match self.kind {
            Kind::Difference => write!(
                f,
                "the roots up to height {height} differ: {first} here, {second} at the peer; stop the rollout, keep both \
                 notes, and verify both stores"
            ),
            Kind::Contradiction => write!(
                f,
                "one key signed two roots up to height {height}: {first} and {second}; do not trust it, and keep both notes"
            ),
        }
    }
}
