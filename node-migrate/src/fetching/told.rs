//! What happens on the network, in words, each thing once.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use shim::blocksync::service::{Log, Note};
use shim::own::words::words;

use super::court::Court;

/// Different things that are told at most: peers can make up new ones.
const TOLD_MAX: usize = 256;

/// Tells the caller what a transport says.
pub(super) struct Teller {
    court: Court,
    told: Mutex<BTreeSet<String>>,
}

impl Teller {
    pub(super) fn new(court: &Court) -> Self {
        Self { court: court.clone(), told: Mutex::default() }
    }
}

impl Log for Teller {
    fn note(&self, note: &Note<'_>) {
        let text = match *note {
            Note::Connected { transport, peer } => {
                format!("{} ({}): connected over {transport}", peer.address, words(&peer.agent))
            }
            Note::LetGo { transport, peer, reason } => {
                format!("{}: let go over {transport}: {}", peer.address, words(reason))
            }
            Note::Closed { transport, peer, reason } => {
                format!("{}: ended over {transport}: {}", peer.address, words(reason))
            }
            Note::Refused { transport, address, reason, .. } => {
                format!("{address}: no connection over {transport}: {}", words(reason))
            }
            // All else is about blocks that we give.
            _ => return,
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < TOLD_MAX && told.insert(text.clone()) {
            self.court.say(text);
        }
    }
}
