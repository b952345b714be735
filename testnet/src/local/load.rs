//! A steady load: transactions for whichever node takes them, seldom a change of a validator's power.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use super::client::Client;
use super::layout::Layout;
use crate::chain::{Change, PublicKey, power_transaction};
use crate::scenario;

/// A load that goes on until it is dropped.
pub struct Load {
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Begins to send.
    #[must_use]
    pub fn begin(layout: &Layout) -> Self {
        let source = Source::new(layout);
        let clients: Vec<Client> =
            (0..layout.scenario.nodes.len()).map(|place| Client::new(layout.rpc(place))).collect();
        let pause = Duration::from_secs(1) / layout.scenario.load.per_second.max(1);
        let ending = Arc::new(AtomicBool::new(layout.scenario.load.per_second == 0));
        let is_over = Arc::clone(&ending);
        let thread = std::thread::spawn(move || {
            for (number, first) in (1..).zip((0..clients.len()).cycle()) {
                sleep(pause);
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let transaction = source.transaction(number);
                // Whoever is out of service does not take it.
                let turns = clients.iter().cycle().skip(first).take(clients.len());
                let _ = turns.map(|client| client.send(&transaction)).find(Result::is_ok);
            }
        });
        Self { ending, thread: Some(thread) }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// What is sent: a function of the number.
struct Source {
    load: scenario::Load,
    validators: Vec<(PublicKey, u64)>,
}

impl Source {
    fn new(layout: &Layout) -> Self {
        Self { load: layout.scenario.load, validators: layout.genesis().validators }
    }

    fn transaction(&self, number: u64) -> Vec<u8> {
        let every = self.load.power_change_every;
        if every > 0 && number.is_multiple_of(every) && !self.validators.is_empty() {
            // One up, then back again, validator after validator.
            let change = number / every;
            let place = usize::try_from(change / 2).unwrap_or_default() % self.validators.len();
            let (public_key, power) = self.validators[place];
            return power_transaction(&Change { public_key, power: power + 1 - change % 2 });
        }
        let length = usize::try_from(number.wrapping_mul(97)).unwrap_or_default() % self.load.bytes_max.max(1);
        [format!("key{number}=").into_bytes(), vec![b'v'; length]].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_differ_and_powers_go_up_and_come_back() {
        let load = scenario::Load { per_second: 10, bytes_max: 3_000, power_change_every: 5 };
        let validators = vec![(PublicKey([1; 32]), 10), (PublicKey([2; 32]), 20)];
        let source = Source { load, validators };
        let all: std::collections::BTreeSet<Vec<u8>> =
            (1..200).filter(|number| number % 5 != 0).map(|number| source.transaction(number)).collect();
        assert_eq!(all.len(), 160);
        let power = |number| {
            let text = String::from_utf8(source.transaction(number)).expect("text");
            text.rsplit_once('!').map(|(key, power)| (key[4..6].to_owned(), power.to_owned()))
        };
        let expect = |key: &str, power: &str| Some((key.to_owned(), power.to_owned()));
        assert_eq!([power(5), power(10), power(15)], [expect("01", "10"), expect("02", "21"), expect("02", "20")]);
    }
}
