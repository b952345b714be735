//! The state stores of all homes: what each height's records say equals what the headers committed to.

use ledger_formats::comet::key::{BlockKey, StateKey, StateRecord};
use ledger_formats::comet::{
    BlockMeta, ConsensusParams, ConsensusParamsInfo, Decode, Header, LastResults, Results, ResultsForm, State,
    ValidatorSet, ValidatorsInfo,
};

use super::comet_home::{Home, homes};

/// The validators of a height, from the record that holds them.
pub fn validators_at(home: &Home, height: u64) -> ValidatorSet<'_> {
    let record = |height| {
        let value = home.state(&StateKey::Validators { height });
        let value = value.unwrap_or_else(|| panic!("{}: no validators at {height}", home.name));
        ValidatorsInfo::decode(value).unwrap_or_else(|error| panic!("{} height {height}: {error}", home.name))
    };
    let stored_at = record(height).stored_at(height);
    record(stored_at).validator_set.unwrap_or_else(|| panic!("{}: sparse record at {stored_at}", home.name))
}

fn header_at(home: &Home, height: u64) -> Option<Header<'_>> {
    let value = home.block(&BlockKey::Meta { height })?;
    Some(BlockMeta::decode(value).expect("a meta decodes").header)
}

#[test]
fn validators_of_every_height_hash_to_what_the_header_says() {
    homes().iter().for_each(assert_validators);
}

/// The validators of every height are those of its header.
pub fn assert_validators(home: &Home) {
    for (height, expected) in home.blocks() {
        let header = header_at(home, height).expect("a header");
        let validators = validators_at(home, height);
        assert_eq!(validators.hash(), header.validators_hash, "{} height {height}", home.name);
        assert_eq!(hex::encode(validators.hash()), expected["validators_hash"].as_str().expect("a hash"));
        let next = validators_at(home, height + 1).hash();
        assert_eq!(next, header.next_validators_hash, "{} height {height}", home.name);
        for validator in &validators.validators {
            let key = validator.pub_key.to_proof().expect("a key with an address");
            assert_eq!(validator.address, key.address(), "{} height {height}", home.name);
        }
    }
}

#[test]
fn parameters_of_every_height_hash_to_what_the_header_says() {
    homes().iter().for_each(assert_parameters);
}

/// The full parameters of a height, from the record that holds them.
pub fn parameters_at(home: &Home, height: u64) -> ConsensusParams<'_> {
    let record = |height| {
        let value = home.state(&StateKey::ConsensusParams { height }).expect("a record");
        ConsensusParamsInfo::decode(value).unwrap_or_else(|error| panic!("{}: {error}", home.name))
    };
    let info = record(height);
    if !info.consensus_params.is_empty() {
        return info.consensus_params;
    }
    let full = record(info.last_height_changed).consensus_params;
    assert!(!full.is_empty(), "{} height {height}", home.name);
    full
}

/// The parameters of every height are those of its header.
pub fn assert_parameters(home: &Home) {
    let mut changes = Vec::new();
    for (height, _) in home.blocks() {
        let hash = parameters_at(home, height).hash();
        let header = header_at(home, height).expect("a header");
        assert_eq!(hash, header.consensus_hash, "{} height {height}", home.name);
        changes.push((height, hash));
    }
    let changed = changes.windows(2).filter(|pair| pair[0].1 != pair[1].1).map(|pair| pair[1].0);
    let expected = home.oracle["consensus_hash_change_heights"].as_array();
    let expected = expected.into_iter().flatten().filter_map(serde_json::Value::as_u64);
    assert!(changed.eq(expected), "{}", home.name);
}

#[test]
fn results_of_every_height_hash_to_what_the_next_header_says() {
    let counts = homes().iter().map(assert_results);
    let (legacy, later) = counts.fold((0, 0), |sum, home| (sum.0 + home.0, sum.1 + home.1));
    assert!(legacy >= 600 && later >= 3_000, "{legacy} legacy and {later} later results");
}

/// The results of every height are those of the header above; how many are of which form.
pub fn assert_results(home: &Home) -> (u64, u64) {
    let (mut legacy, mut later) = (0, 0);
    let state = State::decode(home.tip()).expect("a state");
    for (height, block) in home.blocks().filter(|(height, _)| *height <= state.last_block_height) {
        let place = format!("{} height {height}", home.name);
        let value = home.state(&StateKey::AbciResponses { height }).unwrap_or_else(|| panic!("{place}: no results"));
        let results = Results::decode(value).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(results.tx_results.len() as u64, block["txs"].as_u64().expect("a count"), "{place}");
        let next = header_at(home, height + 1);
        let last_results_hash = next.map_or(state.last_results_hash, |header| header.last_results_hash);
        assert_eq!(results.hash(), last_results_hash, "{place}");
        let app_hash = next.map_or(state.app_hash, |header| header.app_hash);
        assert!(results.app_hash.is_none_or(|hash| hash == app_hash), "{place}");
        let is_legacy = match home.name.as_str() {
            "cometbft-0.37-to-0.38-goleveldb" => height <= 200,
            name => name.starts_with("cometbft-0.34") || name.starts_with("cometbft-0.37-goleveldb"),
        };
        assert_eq!(results.form == ResultsForm::Legacy, is_legacy, "{place}");
        *(if is_legacy { &mut legacy } else { &mut later }) += 1;
        assert_updates_change_the_validators(home, height, &results, &place);
    }
    (legacy, later)
}

/// Every update at a height is in force two heights later.
fn assert_updates_change_the_validators(home: &Home, height: u64, results: &Results<'_>, place: &str) {
    if results.validator_updates.is_empty() {
        return;
    }
    let validators = validators_at(home, height + 2);
    for update in &results.validator_updates {
        let found = validators.validators.iter().find(|validator| validator.pub_key == update.pub_key);
        assert_eq!(found.map_or(0, |validator| validator.voting_power), update.power, "{place}");
    }
}

#[test]
fn the_state_is_that_of_the_oracle() {
    for home in homes() {
        let state = State::decode(home.tip()).unwrap_or_else(|error| panic!("{}: {error}", home.name));
        let height = state.last_block_height;
        assert_eq!(state.chain_id, home.oracle["chain_id"].as_str().expect("a chain id").as_bytes());
        assert_eq!(state.initial_height, home.number("initial_height"), "{}", home.name);
        assert_eq!(height, home.number("state_height"), "{}", home.name);
        let hash = |set: &Option<ValidatorSet<'_>>| hex::encode(set.as_ref().expect("a set").hash());
        for (field, actual) in [
            ("state_app_hash", hex::encode(state.app_hash)),
            ("state_last_results_hash", hex::encode(state.last_results_hash)),
            ("state_validators_hash", hash(&state.validators)),
            ("state_next_validators_hash", hash(&state.next_validators)),
        ] {
            assert_eq!(actual, home.oracle[field].as_str().expect("a hash"), "{} {field}", home.name);
        }
        assert_eq!(state.last_height_validators_changed, home.number("state_last_height_validators_changed"));
        let last = header_at(home, height).expect("the last block is there");
        assert_eq!(last.hash().expect("a hash"), state.last_block_id.hash, "{}", home.name);
        assert_eq!(last.time, state.last_block_time, "{}", home.name);
        assert_eq!(last.version, state.version, "{}", home.name);
        assert_eq!(hash(&state.last_validators), hex::encode(last.validators_hash), "{}", home.name);
    }
}

#[test]
fn the_last_results_are_those_of_their_height() {
    let mut seen = 0;
    for home in homes() {
        let Some(value) = home.state(&StateKey::Single(StateRecord::LastAbciResponse)) else { continue };
        let last = LastResults::decode(value).unwrap_or_else(|error| panic!("{}: {error}", home.name));
        let stored = home.state(&StateKey::AbciResponses { height: last.height }).expect("results");
        assert_eq!(last.results, Some(Results::decode(stored).expect("decodes")), "{}", home.name);
        seen += 1;
    }
    assert!(seen >= 16, "only {seen} homes have last results");
}
