//! What surrounds the engine: all that the handling of its effects needs, apart from the engine's own state.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mbft::{LocallyProposedValue, ProposedValue};
use mbft_types::{CommitCertificate, Round, Validity, ValueOrigin};

use super::bodies::{Bodies, Body, Whole};
use super::output::{Complaint, Output, Receiver};
use super::pool::Pool;
use super::timers::{Armed, Timers};
use super::{Config, EngineInput};
use crate::chain::{Address, BlockId, ChainState, Commit, Part, PartSet, Time};
use crate::consensus::context::{Electorate, Height, Testnet};
use crate::consensus::signer::Signer;
use crate::consensus::wire::{Message, WalRecord};

/// How much later than its block a vote is at least: CometBFT's `timeIota`.
const AFTER_BLOCK: std::time::Duration = std::time::Duration::from_millis(1);

pub(super) struct Host {
    pub(super) config: Config,
    pub(super) address: Address,
    pub(super) signer: Signer,
    pub(super) now: Time,
    /// After the last decided block.
    pub(super) state: ChainState,
    /// The height that the engine is at: the next one, or the last while late votes are awaited.
    pub(super) height: u64,
    /// Validators of that height.
    pub(super) electorate: Electorate,
    /// Votes on the block before that height, for the block that is made.
    pub(super) last_commit: Option<Commit>,
    /// The decision of that height, while late votes are awaited.
    pub(super) decided: Option<CommitCertificate<Testnet>>,
    pub(super) bodies: Bodies,
    /// What was proposed here, by round.
    pub(super) own: BTreeMap<u32, BlockId>,
    pub(super) pool: Pool,
    pub(super) timers: Timers,
    /// The next height when it was last looked whether a decision is overdue.
    pub(super) looked_at: u64,
    /// The height that a peer was last asked for because it was ahead.
    pub(super) asked_for: u64,
    /// The log, while the engine takes it in.
    pub(super) replayed: Option<BTreeSet<Vec<u8>>>,
    /// A block that the engine asked for meanwhile.
    pub(super) wanted: Option<Round>,
    /// Whether the signer refused during this input.
    pub(super) has_refused: bool,
    /// What is to be fed after this input.
    pub(super) queue: VecDeque<EngineInput>,
    pub(super) outputs: Vec<Output>,
}

impl Host {
    pub(super) fn new(
        config: Config,
        signer: Signer,
        state: ChainState,
        last_commit: Option<Commit>,
        now: Time,
    ) -> Self {
        Self {
            config,
            address: signer.public().address(),
            signer,
            now,
            height: state.next_height(),
            electorate: Electorate(state.validators.clone()),
            state,
            last_commit,
            decided: None,
            bodies: Bodies::default(),
            own: BTreeMap::new(),
            pool: Pool::default(),
            timers: Timers::default(),
            looked_at: 0,
            asked_for: 0,
            replayed: None,
            wanted: None,
            has_refused: false,
            queue: VecDeque::new(),
            outputs: Vec::new(),
        }
    }

    pub(super) fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    pub(super) fn send(&mut self, to: Receiver, message: Message) {
        self.outputs.push(Output::Send { to, message });
    }

    pub(super) fn complain(&mut self, complaint: Complaint) {
        self.outputs.push(Output::Complain(complaint));
    }

    pub(super) fn log(&mut self, record: &WalRecord) {
        self.outputs.push(Output::AppendWal(record.encode()));
    }

    /// Adds a record to the log, unless it comes from there. What is signed anew while the log is taken in is not in it
    /// yet, and must be: the next start would sign it once more, after the signer has gone on.
    pub(super) fn log_new(&mut self, record: &WalRecord) {
        let bytes = record.encode();
        if self.replayed.as_ref().is_none_or(|replayed| !replayed.contains(&bytes)) {
            self.outputs.push(Output::AppendWal(bytes));
        }
    }

    /// Sets a timer.
    pub(super) fn arm(&mut self, armed: Armed) {
        let after = match armed {
            Armed::Engine(timeout) => self.config.pace.rounds.duration_for(timeout),
            Armed::Commit => self.config.pace.commit,
            Armed::CatchUp => self.config.pace.catch_up,
        };
        let timer = self.timers.set(armed);
        self.outputs.push(Output::SetTimer { timer, after });
    }

    /// Takes a part of a proposed block.
    pub(super) fn part(&mut self, height: u64, round: u32, id: BlockId, part: Part) {
        let is_decided = self.decided.is_some() && height == self.height;
        if is_decided {
            return;
        }
        if let Some(whole) = self.bodies.add(height, round, id, part) {
            self.judge(&whole);
        }
    }

    /// Judges a whole block of this height and tells the engine.
    pub(super) fn judge(&mut self, whole: &Whole) {
        match whole.judge(&self.state) {
            Ok(body) => {
                self.log(&WalRecord::Block(whole.bytes.clone()));
                self.bodies.keep(whole.id, body);
                self.tell_engine(whole.id, Round::new(whole.round));
            }
            Err(reason) => self.complain(Complaint::BadBlock { reason }),
        }
    }

    /// Tells the engine the judgement on a block, once.
    pub(super) fn tell_engine(&mut self, id: BlockId, round: Round) {
        let Some((_, body)) = self.bodies.all().find(|(other, body)| **other == id && !body.is_fed) else { return };
        body.is_fed = true;
        let value = ProposedValue {
            height: Height(body.block.header.height),
            round,
            valid_round: Round::Nil,
            proposer: body.block.header.proposer_address,
            value: id,
            validity: Validity::from_bool(body.is_valid),
        };
        self.queue.push_back(EngineInput::ProposedValue(value, ValueOrigin::Consensus));
    }

    /// Proposes a block: the one that was made for this round before, or a new one.
    pub(super) fn propose(&mut self, round: Round) {
        let number = round.as_u32().unwrap_or(0);
        let value = match self.own.get(&number) {
            Some(value) => *value,
            None => self.make(),
        };
        self.own.insert(number, value);
        let value = LocallyProposedValue::new(Height(self.height), round, value);
        self.queue.push_back(EngineInput::Propose(value));
    }

    fn make(&mut self) -> BlockId {
        let txs = self.pool.first(self.config.block_tx_bytes_max);
        let block = self.state.make_block(txs, self.last_commit.clone(), self.address);
        let bytes = block.encode();
        let parts = PartSet::new(&bytes);
        let id = parts.id(block.header.hash());
        self.log(&WalRecord::Block(bytes));
        // The engine holds its own proposal valid without being told.
        self.bodies.keep(id, Body { block, parts, is_valid: true, is_fed: true });
        id
    }

    /// Sends the parts of a block.
    pub(super) fn send_parts(&mut self, id: BlockId, round: u32) {
        let Some(body) = self.bodies.get(&id) else { return };
        let height = body.block.header.height;
        for part in body.parts.parts.clone() {
            self.send(Receiver::All, Message::Part { height, round, block: id, part });
        }
    }

    /// Time of a vote: the clock's, but later than the block that it is about; a vote for nil is later than any block
    /// at hand. Source: `voteTime` of consensus/state.go.
    pub(super) fn vote_time(&self, block: Option<&BlockId>) -> Time {
        let about = match block {
            Some(id) => self.bodies.get(id).map(|body| body.block.header.time),
            None => self.bodies.latest_time(),
        };
        about.map_or(self.now, |time| self.now.max(time.after(AFTER_BLOCK)))
    }
}
