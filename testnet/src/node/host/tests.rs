//! What is said is durable first: the order of a host's effects, and where it goes on after it was cut short.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger_formats::comet::TimeRule;
use mbft_types::LinearTimeouts;

use super::*;
use crate::chain::{Crypto, Genesis, PrivateKey, Quorum, Rules};
use crate::consensus::wire::WalRecord;
use crate::consensus::{LastSigned, Pace};
use crate::node::disk;
use crate::node::signer_file::SignerFile;
use crate::node::wal::Wal;
use crate::store::Format;

const RULES: Rules = Rules { time: TimeRule::AllVotes, quorum: Quorum::TWO_THIRDS, crypto: Crypto::Ed25519 };

/// Looks at the disk whenever something is sent.
struct Witness {
    home: PathBuf,
    sent: BTreeSet<(u64, &'static str)>,
}

impl Witness {
    fn signed(&self) -> LastSigned {
        SignerFile::of(&self.home).load().expect("is there before anything is sent")
    }

    fn logged(&self) -> Vec<WalRecord> {
        // Read beside the one that has it open; nothing is cut from a whole log.
        Wal::open(&self.home.join("data/cs.wal/wal")).expect("reads").1.1
    }
}

impl Network for Witness {
    fn send(&mut self, _: Receiver, message: &Message) {
        let (height, what, record) = match message {
            Message::Vote(vote) => (vote.height.0, "vote", WalRecord::Vote(vote.clone())),
            Message::Proposal(proposal) => (proposal.height.0, "proposal", WalRecord::Proposal(proposal.clone())),
            _ => return,
        };
        assert!(self.signed().height >= height, "{what} of height {height} is sent before the signer's state lasts");
        // A height that is decided by this very message is not in the log any more.
        let log = self.logged();
        assert!(log.contains(&record), "{what} of height {height} is sent before the log lasts: {log:?}");
        self.sent.insert((height, what));
    }
}

fn key() -> PrivateKey {
    PrivateKey::from_seed([7; 32], Crypto::Ed25519)
}

fn home(folder: &Path) -> PathBuf {
    let home = folder.join("home");
    let genesis = Genesis {
        chain_id: "solo".to_owned(),
        initial_height: 1,
        time: Time(1_750_000_000_000_000_000),
        validators: vec![(key().public(), 10)],
        rules: RULES,
    };
    disk::create(&home, &genesis, Format::Old).expect("makes a home");
    home
}

fn start(home: &Path, now: Now) -> Host<Witness> {
    let pace = Pace {
        rounds: LinearTimeouts::default(),
        commit: Duration::from_millis(100),
        catch_up: Duration::from_secs(3_600),
    };
    let config = Config { pace, block_tx_bytes_max: 100_000 };
    let (disk, recovered, last) = Disk::open(home, RULES).expect("opens");
    let network = Witness { home: home.to_owned(), sent: BTreeSet::new() };
    Host::start(config, Signer::new(key(), last), (disk, recovered), network, now).expect("starts")
}

/// Runs by the timers alone until a height is stored.
fn run_to(host: &mut Host<Witness>, height: u64, now: &mut Now) {
    while host.height() < height {
        let due = host.next_due().expect("a validator alone waits for timers");
        let passed = due.saturating_duration_since(now.clock);
        *now = Now { wall: now.wall.after(passed), clock: due.max(now.clock) };
        host.fire(*now).expect("the disk is good");
    }
}

fn beginning() -> Now {
    Now { wall: Time(1_750_000_001_000_000_000), clock: Instant::now() }
}

#[test]
fn nothing_is_sent_before_what_it_rests_on_lasts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, mut now) = (home(folder.path()), beginning());
    let mut host = start(&home, now);
    run_to(&mut host, 3, &mut now);
    let expected = (1..=3).flat_map(|height| [(height, "proposal"), (height, "vote")]);
    assert!(host.network.sent.is_superset(&expected.collect()), "{:?}", host.network.sent);
    let stored = host.take_news().into_iter().filter_map(|news| match news {
        News::Stored { height, .. } => Some(height),
        _ => None,
    });
    assert_eq!(stored.collect::<Vec<_>>(), [1, 2, 3]);
    drop(host);
    let mut again = start(&home, now);
    assert_eq!(again.height(), 4, "a validator alone decides the next height at once");
    run_to(&mut again, 5, &mut now);
}

#[test]
fn a_node_that_is_halted_serves_blocks_and_goes_no_further() {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, mut now) = (home(folder.path()), beginning());
    let mut host = start(&home, now);
    host.halt_at(2);
    run_to(&mut host, 2, &mut now);
    for _ in 0..20 {
        let Some(due) = host.next_due() else { break };
        now = Now { wall: now.wall, clock: due.max(now.clock) };
        host.fire(now).expect("the disk is good");
    }
    assert_eq!(host.height(), 2);
    let request = Input::Message { from: 3, message: Message::BlockRequest { height: 2 } };
    host.handle(request, now).expect("serves");
    assert!(host.take_news().iter().all(|news| !matches!(news, News::Unreadable { .. })));
}

#[test]
fn a_disk_that_fails_ends_the_host_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, mut now) = (home(folder.path()), beginning());
    let mut host = start(&home, now);
    run_to(&mut host, 1, &mut now);
    let sent = host.network.sent.clone();
    std::fs::rename(home.join("data/priv_validator_state.json"), home.join("kept")).expect("moves");
    std::fs::create_dir(home.join("data/priv_validator_state.json")).expect("makes a folder of its name");
    let failed = loop {
        now = Now { wall: now.wall, clock: host.next_due().expect("timers").max(now.clock) };
        if let Err(error) = host.fire(now) {
            break error;
        }
    };
    assert!(matches!(failed, DiskError::Durable(_)), "{failed}");
    assert_eq!(host.network.sent, sent);
}
