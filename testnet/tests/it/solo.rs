//! A validator alone in its network, on real databases: the smallest host there is.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ledger_formats::comet::TimeRule;
use ledger_formats::engine::EngineKind;
use mbft_types::LinearTimeouts;
use testnet::chain::{Change, Crypto, Genesis, PrivateKey, PublicKey, Quorum, Rules, Time, power_transaction};
use testnet::consensus::wire::WalRecord;
use testnet::consensus::{Config, Input, LastSigned, Output, Pace, Recovered, Signer, TimerId, Validator};
use testnet::store::{Databases, Format};

pub const RULES: Rules = Rules { time: TimeRule::AllVotes, quorum: Quorum::TWO_THIRDS, crypto: Crypto::Ed25519 };

/// A home and what lies beside its databases.
pub struct Solo {
    pub databases: Databases,
    key: PrivateKey,
    signer: LastSigned,
    wal: (u64, Vec<WalRecord>),
    now: Time,
}

/// What is left of a validator that is stopped, apart from its databases.
pub struct Closed {
    key: PrivateKey,
    signer: LastSigned,
    wal: (u64, Vec<WalRecord>),
    now: Time,
}

impl Closed {
    /// The validator on what stands in `home` now.
    pub fn opened(self, home: &Path) -> Solo {
        let Self { key, signer, wal, now } = self;
        Solo { databases: Databases::open(home).expect("opens the home"), key, signer, wal, now }
    }
}

impl Solo {
    /// A chain of one validator, new in `home`.
    pub fn create(home: &Path, engine: EngineKind, format: Format) -> Self {
        let key = PrivateKey::from_seed([7; 32], Crypto::Ed25519);
        let now = Time(1_750_000_000_000_000_000);
        let genesis = Genesis {
            chain_id: "solo".to_owned(),
            initial_height: 1,
            time: now,
            validators: vec![(key.public(), 10)],
            rules: RULES,
        };
        let databases = Databases::create(home, &genesis, engine, format).expect("makes a home");
        Self { databases, key, signer: LastSigned::default(), wal: (0, Vec::new()), now }
    }

    /// Stops the validator; its databases are closed.
    pub fn closed(self) -> Closed {
        Closed { key: self.key, signer: self.signer, wal: self.wal, now: self.now }
    }

    /// Runs until the block of `height` is stored, with transactions of every kind.
    pub fn run_to(&mut self, height: u64) {
        let stored = self.databases.load(RULES).expect("a validator starts from its databases");
        let recovered = Recovered {
            state: stored.state,
            last_commit: stored.last_commit,
            unapplied: stored.unapplied,
            wal: self.wal.clone(),
        };
        let signer = Signer::new(self.key.clone(), self.signer.clone());
        let (mut validator, outputs) = Validator::start(config(), signer, recovered, self.now);
        let mut timers = BTreeMap::new();
        self.perform(outputs, &mut timers);
        while validator.state().last_height < height {
            let next = validator.state().next_height();
            for tx in transactions(next) {
                let outputs = validator.handle(self.now, Input::Transaction(tx));
                self.perform(outputs, &mut timers);
            }
            let ((time, timer), ()) = timers.pop_first().expect("a validator alone waits for timers only");
            self.now = time;
            let outputs = validator.handle(time, Input::Timer(timer));
            self.perform(outputs, &mut timers);
        }
    }

    fn perform(&mut self, outputs: Vec<Output>, timers: &mut BTreeMap<(Time, TimerId), ()>) {
        for output in outputs {
            match output {
                Output::SetTimer { timer, after } => drop(timers.insert((self.now.after(after), timer), ())),
                Output::AppendWal(record) => self.wal.1.push(WalRecord::decode(&record).expect("its own record")),
                Output::ResetWal { height } => self.wal = (height, Vec::new()),
                Output::SaveSigner(last) => self.signer = last,
                Output::SaveBlock(decided) => self.databases.save_block(&decided).expect("stores a block"),
                Output::SaveState(decided) => self.databases.save_state(&decided).expect("stores a state"),
                Output::Complain(complaint) => panic!("{complaint}"),
                Output::Send { .. } | Output::SyncWal | Output::ServeBlock { .. } => {}
            }
        }
    }
}

/// Transactions for a height: plain ones, a block of several parts, a newcomer with little power who comes and goes.
fn transactions(height: u64) -> Vec<Vec<u8>> {
    let mut txs = vec![format!("height={height}").into_bytes(), b"not a transaction".to_vec()];
    let newcomer = |power| power_transaction(&Change { public_key: PublicKey([9; 32]), power });
    match height {
        5 => txs.push([b"large=".to_vec(), vec![b'x'; 150_000]].concat()),
        6 => txs.push(newcomer(1)),
        9 => txs.push(newcomer(2)),
        11 => txs.push(newcomer(0)),
        _ => {}
    }
    txs
}

fn config() -> Config {
    let pace = Pace {
        rounds: LinearTimeouts::default(),
        commit: Duration::from_millis(1_000),
        catch_up: Duration::from_secs(3_600),
    };
    Config { pace, block_tx_bytes_max: 400_000 }
}
