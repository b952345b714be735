//! The validator itself: what comes in, what goes out, and the engine between.

mod bodies;
mod catch_up;
mod effects;
mod heights;
mod host;
mod output;
mod pool;
mod replay;
mod timers;

use mbft::{Params, ThresholdParams};
use mbft_types::{ThresholdParam, ValuePayload};

use super::context::{Electorate, Height, Testnet};
use super::signer::Signer;
use super::wire::Message;
use crate::chain::{Address, ChainState, Quorum, Time};
use host::Host;
use timers::Armed;

pub use output::{Complaint, DecidedBlock, Input, Output, Receiver, TimerId};
pub use replay::{Recovered, Unapplied};

/// How fast a validator goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The engine's timeouts.
    pub rounds: mbft_types::LinearTimeouts,
    /// How long it waits for late votes after a decision.
    pub commit: std::time::Duration,
    /// How long it waits for a decision before it asks its peers for the block.
    pub catch_up: std::time::Duration,
}

/// How a validator works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How fast.
    pub pace: Pace,
    /// Bytes of transactions in a block that it proposes, at most.
    pub block_tx_bytes_max: usize,
}

/// What the engine is fed.
type EngineInput = mbft::Input<Testnet>;

/// A validator.
pub struct Validator {
    engine: mbft::State<Testnet>,
    host: Host,
}

/// Heights ahead for which the engine keeps messages, and how many for each.
const HEIGHTS_AHEAD: usize = 10;
const MESSAGES_AHEAD: usize = 200;

impl Validator {
    /// Starts where the store and the log ended. Returns the validator and what is to be done first.
    ///
    /// A validator that is not in the set follows without voting.
    #[must_use]
    pub fn start(config: Config, signer: Signer, recovered: Recovered, now: Time) -> (Self, Vec<Output>) {
        let address = signer.public().address();
        let Recovered { state, last_commit, unapplied, wal } = recovered;
        let mut host = Host::new(config, signer, state, last_commit, now);
        if let Some(unapplied) = unapplied {
            host.apply_stored(unapplied);
        }
        let engine = engine(&host.state, address);
        let mut validator = Self { engine, host };
        validator.host.arm(Armed::CatchUp);
        validator.resume(wal);
        let outputs = validator.host.take_outputs();
        (validator, outputs)
    }

    /// Takes in what happened at `now`, and says what is to be done, in order.
    #[must_use]
    pub fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        self.host.now = now;
        match input {
            Input::Message { from, message } => self.message(from, message),
            Input::Timer(timer) => self.timer(timer),
            Input::Transaction(tx) => {
                if self.host.pool.add(tx.clone()) {
                    self.host.send(Receiver::All, Message::Transaction(tx));
                }
            }
        }
        self.drain();
        self.host.take_outputs()
    }

    /// The state after the last block.
    #[must_use]
    pub const fn state(&self) -> &ChainState {
        &self.host.state
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.host.address
    }

    fn message(&mut self, from: u32, message: Message) {
        if let Some(height) = message.height_decided_on() {
            self.host.ask_if_behind(from, height);
        }
        match message {
            Message::Vote(vote) => self.feed(EngineInput::Vote(vote)),
            Message::Proposal(proposal) => self.feed(EngineInput::Proposal(proposal)),
            Message::PolkaCertificate(certificate) => self.feed(EngineInput::PolkaCertificate(certificate)),
            Message::RoundCertificate(certificate) => self.feed(EngineInput::RoundCertificate(certificate)),
            Message::Part { height, round, block, part } => self.host.part(height, round, block, part),
            Message::BlockRequest { height } => self.host.outputs.push(Output::ServeBlock { to: from, height }),
            Message::Block { height, block, commit } => self.catch_up(from, height, &block, commit),
            Message::Transaction(tx) => drop(self.host.pool.add(tx)),
        }
    }

    fn timer(&mut self, timer: TimerId) {
        match self.host.timers.fired(timer) {
            Some(Armed::Engine(timeout)) => self.feed(EngineInput::TimeoutElapsed(timeout)),
            Some(Armed::Commit) => self.next_height(),
            Some(Armed::CatchUp) => self.host.ask_if_stuck(),
            // It was set anew, or cancelled.
            None => {}
        }
    }

    /// Feeds what the handling of effects has asked for, until there is nothing more.
    fn drain(&mut self) {
        while let Some(input) = self.host.queue.pop_front() {
            self.feed(input);
        }
    }

    fn feed(&mut self, input: EngineInput) {
        let host = &mut self.host;
        let result: Result<(), mbft::Error<Testnet>> = mbft::process!(
            input: input, state: &mut self.engine, metrics: &(), with: effect => host.effect(effect)
        );
        match result {
            Ok(()) => {}
            // The signer refused: that ends the input, and has been reported.
            Err(mbft::Error::UnexpectedResume(..)) if self.host.has_refused => {}
            Err(error) => self.host.complain(Complaint::Engine { reason: error.to_string() }),
        }
        self.host.has_refused = false;
    }
}

/// An engine for the height after `state`.
fn engine(state: &ChainState, address: Address) -> mbft::State<Testnet> {
    let Quorum { numerator, denominator } = state.rules.quorum;
    let quorum = ThresholdParam::new(numerator, denominator);
    let params = Params {
        address,
        threshold_params: ThresholdParams { quorum, ..ThresholdParams::default() },
        value_payload: ValuePayload::ProposalAndParts,
        enabled: true,
    };
    let validators = Electorate(state.validators.clone());
    mbft::State::new(Testnet, Height(state.next_height()), validators, params, HEIGHTS_AHEAD, MESSAGES_AHEAD)
}
