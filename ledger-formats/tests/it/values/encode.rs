//! Writing every value as upstream's generated code does, by its schemas: fields ascending, zero numbers and empty bytes
//! left out, messages that are never absent written even when empty. Only the tests need it: the program copies bytes.

use ledger_formats::comet::dialect::Target;
use ledger_formats::comet::wire::{put_bytes, put_int, put_message, put_uint};
use ledger_formats::comet::{
    BlockId, BlockMeta, Commit, ConsensusParams, ConsensusVersion, DuplicateVote, Duration, ExtendedCommit, Header,
    LightBlock, LightClientAttack, Part, PublicKey, Results, ResultsForm, State, TxOutcome, TxResult, Validator,
    ValidatorSet, ValidatorUpdate, Vote, put_timestamp,
};
use proofs::commit::{CommitSignature, Flag, Timestamp};

type Out = Vec<u8>;

/// A value by itself.
pub fn alone(put: impl FnOnce(&mut Out)) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out);
    out
}

fn time(out: &mut Out, number: u32, time: Timestamp) {
    put_message(out, number, |out| put_timestamp(out, time));
}

fn id(out: &mut Out, number: u32, id: &BlockId<'_>) {
    put_message(out, number, |out| {
        put_bytes(out, 1, id.hash);
        put_message(out, 2, |out| {
            put_uint(out, 1, id.part_set_header.total.into());
            put_bytes(out, 2, id.part_set_header.hash);
        });
    });
}

fn versions(out: &mut Out, number: u32, version: ConsensusVersion) {
    put_message(out, number, |out| {
        put_uint(out, 1, version.block);
        put_uint(out, 2, version.app);
    });
}

pub fn header(out: &mut Out, header: &Header<'_>) {
    versions(out, 1, header.version);
    put_bytes(out, 2, header.chain_id);
    put_uint(out, 3, header.height);
    time(out, 4, header.time);
    id(out, 5, &header.last_block_id);
    let hashes = [
        header.last_commit_hash,
        header.data_hash,
        header.validators_hash,
        header.next_validators_hash,
        header.consensus_hash,
        header.app_hash,
        header.last_results_hash,
        header.evidence_hash,
        header.proposer_address,
    ];
    (6..).zip(hashes).for_each(|(number, hash)| put_bytes(out, number, hash));
}

pub fn meta(out: &mut Out, meta: &BlockMeta<'_>) {
    id(out, 1, &meta.block_id);
    put_uint(out, 2, meta.block_size);
    put_message(out, 3, |out| header(out, &meta.header));
    put_uint(out, 4, meta.num_txs);
}

pub fn part(out: &mut Out, part: &Part<'_>) {
    put_uint(out, 1, part.index.into());
    put_bytes(out, 2, part.bytes);
    put_message(out, 3, |out| {
        put_uint(out, 1, part.proof.total);
        put_uint(out, 2, part.proof.index);
        put_bytes(out, 3, part.proof.leaf_hash);
        part.proof.aunts.iter().for_each(|aunt| put_bytes(out, 4, aunt));
    });
}

fn signature(out: &mut Out, signature: &CommitSignature<'_>) {
    let flag = match signature.flag {
        Flag::Absent => 1,
        Flag::Commit => 2,
        Flag::Nil => 3,
    };
    put_uint(out, 1, flag);
    put_bytes(out, 2, signature.address);
    time(out, 3, signature.time);
    put_bytes(out, 4, signature.signature);
}

fn round(out: &mut Out, number: u32, round: i32) {
    put_int(out, number, round.into());
}

pub fn commit(out: &mut Out, commit: &Commit<'_>) {
    put_uint(out, 1, commit.height);
    round(out, 2, commit.round);
    id(out, 3, &commit.block_id);
    commit.signatures.iter().for_each(|one| put_message(out, 4, |out| signature(out, one)));
}

pub fn extended_commit(out: &mut Out, commit: &ExtendedCommit<'_>) {
    put_uint(out, 1, commit.height);
    round(out, 2, commit.round);
    id(out, 3, &commit.block_id);
    for one in &commit.signatures {
        put_message(out, 4, |out| {
            signature(out, &one.vote);
            put_bytes(out, 5, one.extension);
            put_bytes(out, 6, one.extension_signature);
        });
    }
}

fn key(out: &mut Out, number: u32, key: &PublicKey<'_>) {
    put_message(out, number, |out| put_message(out, key.kind.number, |out| out.extend_from_slice(key.bytes)));
}

fn validator(out: &mut Out, number: u32, validator: &Validator<'_>, dialect: Target) {
    put_message(out, number, |out| {
        put_bytes(out, 1, validator.address);
        if dialect != Target::V1_0 {
            key(out, 2, &validator.pub_key);
        }
        put_uint(out, 3, validator.voting_power);
        put_int(out, 4, validator.proposer_priority);
        if dialect == Target::V1_0 {
            put_bytes(out, 5, validator.pub_key.bytes);
            put_bytes(out, 6, validator.pub_key.kind.name.as_bytes());
        }
    });
}

pub fn validator_set(out: &mut Out, set: &ValidatorSet<'_>, dialect: Target) {
    set.validators.iter().for_each(|one| validator(out, 1, one, dialect));
    set.proposer.iter().for_each(|one| validator(out, 2, one, dialect));
    put_uint(out, 3, set.total_voting_power);
}

fn duration(out: &mut Out, number: u32, duration: Duration) {
    put_message(out, number, |out| {
        put_int(out, 1, duration.seconds);
        put_int(out, 2, duration.nanos.into());
    });
}

/// Parameters, by their own fields: those that are there are written.
pub fn params(out: &mut Out, params: &ConsensusParams<'_>) {
    if let Some(block) = params.block {
        put_message(out, 1, |out| {
            put_int(out, 1, block.max_bytes);
            put_int(out, 2, block.max_gas);
        });
    }
    if let Some(evidence) = params.evidence {
        put_message(out, 2, |out| {
            put_int(out, 1, evidence.max_age_num_blocks);
            duration(out, 2, evidence.max_age_duration);
            put_int(out, 3, evidence.max_bytes);
        });
    }
    if let Some(validator) = &params.validator {
        put_message(out, 3, |out| {
            let name = |out: &mut Out, name: &[u8]| put_message(out, 1, |out| out.extend_from_slice(name));
            validator.pub_key_types.iter().for_each(|one| name(out, one));
        });
    }
    if let Some(version) = params.version {
        put_message(out, 4, |out| put_uint(out, 1, version.app));
    }
    if let Some(abci) = params.abci {
        put_message(out, 5, |out| put_uint(out, 1, abci.vote_extensions_enable_height));
    }
    if let Some(sixth) = params.sixth_bytes {
        put_message(out, 6, |out| out.extend_from_slice(sixth));
    }
    if let Some(feature) = params.feature {
        put_message(out, 7, |out| {
            let heights = [feature.vote_extensions_enable_height, feature.pbts_enable_height];
            for (number, height) in (1..).zip(heights) {
                if let Some(height) = height {
                    put_message(out, number, |out| put_uint(out, 1, height));
                }
            }
        });
    }
}

pub fn state(out: &mut Out, state: &State<'_>, dialect: Target) {
    put_message(out, 1, |out| {
        versions(out, 1, state.version);
        put_bytes(out, 2, state.software);
    });
    put_bytes(out, 2, state.chain_id);
    put_uint(out, 3, state.last_block_height);
    id(out, 4, &state.last_block_id);
    time(out, 5, state.last_block_time);
    for (number, set) in (6..).zip([&state.next_validators, &state.validators, &state.last_validators]) {
        set.iter().for_each(|set| put_message(out, number, |out| validator_set(out, set, dialect)));
    }
    put_uint(out, 9, state.last_height_validators_changed);
    put_message(out, 10, |out| params(out, &state.consensus_params));
    put_uint(out, 11, state.last_height_consensus_params_changed);
    put_bytes(out, 12, state.last_results_hash);
    put_bytes(out, 13, state.app_hash);
    put_uint(out, 14, state.initial_height);
}

fn outcome(out: &mut Out, outcome: &TxOutcome<'_>) {
    put_uint(out, 1, outcome.code.into());
    put_bytes(out, 2, outcome.data);
    put_bytes(out, 3, outcome.log);
    put_int(out, 5, outcome.gas_wanted);
    put_int(out, 6, outcome.gas_used);
}

fn update(out: &mut Out, number: u32, update: &ValidatorUpdate<'_>, dialect: Target) {
    put_message(out, number, |out| {
        if dialect != Target::V1_0 {
            key(out, 1, &update.pub_key);
        }
        put_uint(out, 2, update.power);
        if dialect == Target::V1_0 {
            put_bytes(out, 3, update.pub_key.bytes);
            put_bytes(out, 4, update.pub_key.kind.name.as_bytes());
        }
    });
}

pub fn results(out: &mut Out, results: &Results<'_>, dialect: Target) {
    let updates = |out: &mut Out, validators: u32| {
        results.validator_updates.iter().for_each(|one| update(out, validators, one, dialect));
        results.consensus_param_updates.iter().for_each(|one| put_message(out, validators + 1, |out| params(out, one)));
    };
    let is_legacy = results.form == ResultsForm::Legacy;
    let number = if is_legacy { 1 } else { 2 };
    results.tx_results.iter().for_each(|one| put_message(out, number, |out| outcome(out, one)));
    if is_legacy {
        put_message(out, 2, |out| updates(out, 1));
        put_message(out, 3, |_| {});
    } else {
        updates(out, 3);
        put_message(out, 5, |out| out.extend_from_slice(results.app_hash.unwrap_or_default()));
    }
}

pub fn tx_result(out: &mut Out, result: &TxResult<'_>) {
    put_uint(out, 1, result.height);
    put_uint(out, 2, result.index.into());
    put_bytes(out, 3, result.tx);
    put_message(out, 4, |out| outcome(out, &result.result));
}

fn vote(out: &mut Out, number: u32, vote: &Vote<'_>) {
    put_message(out, number, |out| {
        put_int(out, 1, vote.kind.into());
        put_uint(out, 2, vote.height);
        round(out, 3, vote.round);
        id(out, 4, &vote.block_id);
        time(out, 5, vote.timestamp);
        put_bytes(out, 6, vote.validator_address);
        put_int(out, 7, vote.validator_index.into());
        put_bytes(out, 8, vote.signature);
    });
}

pub fn duplicate_vote(out: &mut Out, evidence: &DuplicateVote<'_>) {
    vote(out, 1, &evidence.vote_a);
    vote(out, 2, &evidence.vote_b);
    put_uint(out, 3, evidence.total_voting_power);
    put_uint(out, 4, evidence.validator_power);
    time(out, 5, evidence.timestamp);
}

pub fn light_block(out: &mut Out, block: &LightBlock<'_>, dialect: Target) {
    put_message(out, 1, |out| {
        put_message(out, 1, |out| header(out, &block.header));
        put_message(out, 2, |out| commit(out, &block.commit));
    });
    put_message(out, 2, |out| validator_set(out, &block.validator_set, dialect));
}

pub fn attack(out: &mut Out, attack: &LightClientAttack<'_>, dialect: Target) {
    let (header, commit, validator_set) = (attack.header, attack.commit.clone(), attack.validator_set.clone());
    put_message(out, 1, |out| light_block(out, &LightBlock { header, commit, validator_set }, dialect));
    put_uint(out, 2, attack.common_height);
    attack.byzantine_validators.iter().for_each(|one| validator(out, 3, one, dialect));
    put_uint(out, 4, attack.total_voting_power);
    time(out, 5, attack.timestamp);
}
