//! Arbitrary values made from arbitrary bytes: every choice is read from a tape, so that any tape makes a value.

use ledger_formats::comet::dialect::Target;
use ledger_formats::comet::{
    AbciParams, BlockId, BlockParams, Commit, ConsensusParams, ConsensusVersion, DuplicateVote, Duration,
    EvidenceParams, ExtendedCommit, ExtendedSignature, FeatureParams, Header, KEY_KINDS, LightBlock, LightClientAttack,
    Part, PartSetHeader, Proof, PublicKey, Results, ResultsForm, State, TxOutcome, TxResult, Validator,
    ValidatorParams, ValidatorSet, ValidatorUpdate, VersionParams, Vote,
};
use proofs::commit::{CommitSignature, Flag, Timestamp};

/// Bytes that are read once; behind their end there are zeros.
pub struct Tape<'a> {
    rest: &'a [u8],
}

impl<'a> Tape<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn byte(&mut self) -> u8 {
        self.rest.split_off_first().copied().unwrap_or_default()
    }

    fn chance(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn some<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chance() { Some(make(self)) } else { None }
    }

    fn several<T>(&mut self, most: u8, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.byte() % (most + 1)).map(|_| make(self)).collect()
    }

    /// A number of any size, small ones as likely as large ones.
    pub fn natural(&mut self) -> u64 {
        let bits = u32::from(self.byte() % 64);
        let mut value = 0_u64;
        for _ in 0..8 {
            value = value << 8 | u64::from(self.byte());
        }
        if bits == 0 { 0 } else { value >> (64 - bits) }
    }

    fn number(&mut self) -> i64 {
        let value = self.natural().cast_signed();
        if self.chance() { -value } else { value }
    }

    fn small(&mut self) -> u32 {
        u32::from_be_bytes([self.byte() & 0x7f, self.byte(), self.byte(), self.byte()]) >> (self.byte() % 31)
    }

    pub fn exactly(&mut self, length: usize) -> Option<&'a [u8]> {
        self.rest.split_off(..length)
    }

    /// Up to so many bytes.
    pub fn bytes(&mut self, most: u8) -> &'a [u8] {
        let length = usize::from(self.byte() % most.max(1)).min(self.rest.len());
        self.exactly(length).unwrap_or_default()
    }

    fn time(&mut self) -> Timestamp {
        let seconds = self.natural() % 253_402_300_800;
        Timestamp { seconds: seconds.cast_signed(), nanos: self.small().cast_signed() % 1_000_000_000 }
    }

    pub fn block_id(&mut self) -> BlockId<'a> {
        let (total, hash) = (self.small(), self.bytes(33));
        BlockId { hash: self.bytes(33), part_set_header: PartSetHeader { total, hash } }
    }

    pub fn header(&mut self) -> Header<'a> {
        Header {
            version: ConsensusVersion { block: self.natural(), app: self.natural() },
            chain_id: self.bytes(20),
            height: self.natural(),
            time: self.time(),
            last_block_id: self.block_id(),
            last_commit_hash: self.bytes(33),
            data_hash: self.bytes(33),
            validators_hash: self.bytes(33),
            next_validators_hash: self.bytes(33),
            consensus_hash: self.bytes(33),
            app_hash: self.bytes(33),
            last_results_hash: self.bytes(33),
            evidence_hash: self.bytes(33),
            proposer_address: self.bytes(21),
        }
    }

    fn signature(&mut self) -> CommitSignature<'a> {
        let flag = [Flag::Absent, Flag::Commit, Flag::Nil][usize::from(self.byte() % 3)];
        CommitSignature { flag, address: self.bytes(21), time: self.time(), signature: self.bytes(65) }
    }

    pub fn commit(&mut self) -> Commit<'a> {
        Commit {
            height: self.natural(),
            round: self.small().cast_signed(),
            block_id: self.block_id(),
            signatures: self.several(4, Self::signature),
        }
    }

    pub fn extended_commit(&mut self) -> ExtendedCommit<'a> {
        let Commit { height, round, block_id, .. } = self.commit();
        let signatures = self.several(4, |tape| ExtendedSignature {
            vote: tape.signature(),
            extension: tape.bytes(40),
            extension_signature: tape.bytes(65),
        });
        ExtendedCommit { height, round, block_id, signatures }
    }

    pub fn part(&mut self) -> Part<'a> {
        let aunts = self.several(3, |tape| tape.exactly(32).and_then(|aunt| aunt.try_into().ok()).unwrap_or([7; 32]));
        let proof = Proof { total: self.natural(), index: self.natural(), leaf_hash: self.bytes(33), aunts };
        Part { index: self.small(), bytes: self.bytes(200), proof }
    }

    /// A key of a kind that all dialects know.
    fn key(&mut self) -> PublicKey<'a> {
        const SPARE: [u8; 33] = [2; 33];
        let kind = &KEY_KINDS[usize::from(self.byte() % 2)];
        let length = kind.bytes.expect("the first two kinds have a length");
        PublicKey { kind, bytes: self.exactly(length).unwrap_or(&SPARE[..length]) }
    }

    fn validator(&mut self) -> Validator<'a> {
        let (address, pub_key) = (self.bytes(21), self.key());
        Validator { address, pub_key, voting_power: self.natural(), proposer_priority: self.number() }
    }

    pub fn validator_set(&mut self) -> ValidatorSet<'a> {
        ValidatorSet {
            validators: self.several(4, Self::validator),
            proposer: self.some(Self::validator),
            total_voting_power: self.natural(),
        }
    }

    /// Full parameters as releases of a dialect have them; `extensions` is the height that all of them can say.
    pub fn params(&mut self, extensions: u64, dialect: Target) -> ConsensusParams<'a> {
        // Something is set, or the record would be a sparse one.
        let block = BlockParams { max_bytes: self.number().saturating_abs().max(1), max_gas: self.number() };
        let max_age_duration = Duration { seconds: self.number(), nanos: self.small().cast_signed() };
        let evidence = EvidenceParams { max_age_num_blocks: self.number(), max_age_duration, max_bytes: self.number() };
        let is_v1 = dialect == Target::V1_0;
        ConsensusParams {
            block: Some(block),
            evidence: Some(evidence),
            validator: Some(ValidatorParams { pub_key_types: self.several(3, |tape| tape.bytes(12)) }),
            version: Some(VersionParams { app: self.natural() }),
            abci: (!is_v1).then_some(AbciParams { vote_extensions_enable_height: extensions }),
            sixth_bytes: match dialect {
                Target::V0_38 => None,
                Target::V0_40 => Some(&[]),
                Target::V1_0 => Some(&[0x0a, 0, 0x12, 0]),
            },
            feature: is_v1.then_some(FeatureParams {
                vote_extensions_enable_height: Some(extensions),
                pbts_enable_height: Some(0),
            }),
        }
    }

    /// An update of parameters: only some of them.
    fn params_update(&mut self, extensions: Option<u64>, dialect: Target) -> ConsensusParams<'a> {
        let mut params = self.params(extensions.unwrap_or_default(), dialect);
        params.sixth_bytes = None;
        params.abci = params.abci.filter(|_| extensions.is_some());
        params.feature = params
            .feature
            .filter(|_| extensions.is_some())
            .map(|feature| FeatureParams { pbts_enable_height: None, ..feature });
        params.block = params.block.filter(|_| self.chance());
        params.version = params.version.filter(|_| self.chance());
        params
    }

    pub fn state(&mut self, extensions: u64, dialect: Target) -> State<'a> {
        State {
            version: ConsensusVersion { block: self.natural(), app: self.natural() },
            software: self.bytes(10),
            chain_id: self.bytes(20),
            initial_height: self.natural(),
            last_block_height: self.natural(),
            last_block_id: self.block_id(),
            last_block_time: self.time(),
            next_validators: self.some(Self::validator_set),
            validators: self.some(Self::validator_set),
            last_validators: self.some(Self::validator_set),
            last_height_validators_changed: self.natural(),
            consensus_params: self.params(extensions, dialect),
            last_height_consensus_params_changed: self.natural(),
            last_results_hash: self.bytes(33),
            app_hash: self.bytes(33),
        }
    }

    fn outcome(&mut self) -> TxOutcome<'a> {
        let (code, data, log) = (self.small(), self.bytes(30), self.bytes(30));
        TxOutcome { code, data, log, gas_wanted: self.number(), gas_used: self.number() }
    }

    pub fn results(&mut self, extensions: Option<u64>, dialect: Target, form: ResultsForm) -> Results<'a> {
        Results {
            form,
            tx_results: self.several(3, Self::outcome),
            validator_updates: self.several(3, |tape| ValidatorUpdate { pub_key: tape.key(), power: tape.natural() }),
            consensus_param_updates: self.some(|tape| tape.params_update(extensions, dialect)),
            app_hash: (form == ResultsForm::FinalizeBlock).then(|| self.bytes(33)),
        }
    }

    pub fn tx_result(&mut self) -> TxResult<'a> {
        TxResult { height: self.natural(), index: self.small(), tx: self.bytes(60), result: self.outcome() }
    }

    fn vote(&mut self) -> Vote<'a> {
        Vote {
            kind: self.small().cast_signed(),
            height: self.natural(),
            round: self.small().cast_signed(),
            block_id: self.block_id(),
            timestamp: self.time(),
            validator_address: self.bytes(21),
            validator_index: self.small().cast_signed(),
            signature: self.bytes(65),
        }
    }

    pub fn duplicate_vote(&mut self) -> DuplicateVote<'a> {
        DuplicateVote {
            vote_a: self.vote(),
            vote_b: self.vote(),
            total_voting_power: self.natural(),
            validator_power: self.natural(),
            timestamp: self.time(),
        }
    }

    pub fn light_block(&mut self) -> LightBlock<'a> {
        LightBlock { header: self.header(), commit: self.commit(), validator_set: self.validator_set() }
    }

    pub fn attack(&mut self) -> LightClientAttack<'a> {
        let LightBlock { header, commit, validator_set } = self.light_block();
        LightClientAttack {
            header,
            commit,
            validator_set,
            common_height: self.natural(),
            byzantine_validators: self.several(3, Self::validator),
            total_voting_power: self.natural(),
            timestamp: self.time(),
        }
    }
}
