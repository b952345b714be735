//! The commit check of node-migrate and the light-client verifier of tendermint-rs say the same about the same heights:
//! yes to what real nodes of six releases signed, no to everything that was changed in it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ledger_formats::comet::{BlockMeta, Commit, Decode, ValidatorsInfo};
use ledger_formats::engine::EngineKind;
use light_client::{Home, Stored};
use prost::Message;
use ruzstd::decoding::StreamingDecoder;
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator::{Info, Set};
use tendermint::{PublicKey, Time};
use tendermint_light_client_verifier::options::Options;
use tendermint_light_client_verifier::types::{TrustedBlockState, UntrustedBlockState};
use tendermint_light_client_verifier::{ProdVerifier, Verdict, Verifier};
use tendermint_proto::v0_38::types as raw;

/// What one side says: nothing, or why not.
type Said = Result<(), String>;

/// A year, in which a test's chain does not grow old.
const YEAR: std::time::Duration = std::time::Duration::from_secs(365 * 86_400);

/// Homes of real nodes, each of another release. That of the chain with a secp256k1 validator is missing: tendermint-rs
/// does not take its chain id.
const HOMES: [(&str, EngineKind); 8] = [
    ("cometbft-0.34-goleveldb", EngineKind::LevelDb),
    ("cometbft-0.37-to-0.38-goleveldb", EngineKind::LevelDb),
    ("cometbft-0.38-evidence", EngineKind::LevelDb),
    ("cometbft-0.38-goleveldb-pruned", EngineKind::LevelDb),
    ("cometbft-0.38-pebble", EngineKind::Pebble),
    ("cometbft-0.40-goleveldb", EngineKind::LevelDb),
    ("cometbft-1.0-v1-goleveldb", EngineKind::LevelDb),
    ("cometbft-1.0-v2-pebble", EngineKind::Pebble),
];

/// Unpacked homes, each with its name, and the folder that goes with them.
struct Homes {
    _folder: tempfile::TempDir,
    homes: Vec<(&'static str, Home)>,
}

impl Homes {
    fn unpack() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |(name, engine)| {
            let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(format!("{name}.tar.zst"));
            let packed = BufReader::new(File::open(packed).expect("the fixture is there"));
            let stream = StreamingDecoder::new_with_max_window_size(packed, 128 << 20).expect("is packed");
            tar::Archive::new(stream).unpack(folder.path()).expect("unpacks");
            (name, Home::open(&folder.path().join(name), engine))
        };
        Self { homes: HOMES.map(open).into(), _folder: folder }
    }

    /// Both refuse height 105 of each chain, and height 205 of the pruned one, changed by `change`.
    #[track_caller]
    fn both_refuse(&self, what: &str, change: impl Fn(&mut Stored, &Home)) {
        for (name, home) in &self.homes {
            let height = if home.base > 105 { 205 } else { 105 };
            let (below, mut stored) = (home.at(height - 1), home.at(height));
            change(&mut stored, home);
            let (ours, theirs) = (ours(&stored), theirs(&below, &stored));
            assert!(ours.is_err() && theirs.is_err(), "{what}, {name}: we say {ours:?}, tendermint-rs {theirs:?}");
        }
    }

    /// The same with a change of the commit.
    #[track_caller]
    fn both_refuse_commit(&self, what: &str, change: impl Fn(&mut raw::Commit)) {
        self.both_refuse(what, |stored, _| {
            let mut commit = raw::Commit::decode(&*stored.commit).expect("a commit");
            change(&mut commit);
            assert_ne!(commit.encode_to_vec(), stored.commit, "{what} changes something");
            stored.commit = commit.encode_to_vec();
        });
    }

    /// The same with a change of the header.
    #[track_caller]
    fn both_refuse_header(&self, what: &str, change: impl Fn(&mut raw::Header)) {
        self.both_refuse(what, |stored, _| {
            let mut meta = raw::BlockMeta::decode(&*stored.meta).expect("a meta");
            change(meta.header.as_mut().expect("a header"));
            assert_ne!(meta.encode_to_vec(), stored.meta, "{what} changes something");
            stored.meta = meta.encode_to_vec();
        });
    }
}

/// node-migrate: the header hashes to its block id, names these validators, and its commit is signed by more than two
/// thirds of them.
fn ours(stored: &Stored) -> Said {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let meta = BlockMeta::decode(&stored.meta).map_err(|error| words(&error))?;
    let commit = Commit::decode(&stored.commit).map_err(|error| words(&error))?;
    let info = ValidatorsInfo::decode(&stored.validators).map_err(|error| words(&error))?;
    let set = info.validator_set.ok_or("no set")?.to_proof().map_err(|error| words(&error))?;
    let block = meta.block_id.to_proof().ok_or("no block id")?;
    if meta.header.hash() != Some(block.hash) {
        return Err("header and block id".to_owned());
    }
    if set.hash() != meta.header.validators_hash {
        return Err("validators and header".to_owned());
    }
    let commit = commit.to_proof().ok_or("commit for nothing")?;
    commit.is_for(meta.header.height.cast_signed(), &block).map_err(|error| words(&error))?;
    let chain_id = str::from_utf8(meta.header.chain_id).map_err(|error| words(&error))?;
    commit.verify(chain_id, &set).map(drop).map_err(|error| words(&error))
}

/// A set in the terms of tendermint-rs, which puts the validators into its own order.
fn their_set(record: &[u8]) -> Result<Set, String> {
    let info = ValidatorsInfo::decode(record).map_err(|error| error.to_string())?;
    let validators = info.validator_set.ok_or("no set")?.validators;
    let validator = |validator: &ledger_formats::comet::Validator<'_>| {
        let key = PublicKey::from_raw_ed25519(validator.pub_key.bytes).ok_or("not an Ed25519 key")?;
        let power = validator.voting_power.try_into().map_err(|_| "a power that is too large")?;
        Ok(Info::new(key, power))
    };
    Ok(Set::without_proposer(validators.iter().map(validator).collect::<Result<_, &str>>()?))
}

fn their_header(stored: &Stored) -> Result<SignedHeader, String> {
    let meta = raw::BlockMeta::decode(&*stored.meta).map_err(|error| error.to_string())?;
    let commit = raw::Commit::decode(&*stored.commit).map_err(|error| error.to_string())?;
    let header = raw::SignedHeader { header: meta.header, commit: Some(commit) };
    SignedHeader::try_from(header).map_err(|error| error.to_string())
}

/// tendermint-rs: `stored` follows `below`, which is believed.
fn theirs(below: &Stored, stored: &Stored) -> Said {
    let (trusted, untrusted) = (their_header(below).expect("the real one"), their_header(stored)?);
    let (validators, trusted_next) = (their_set(&stored.validators)?, their_set(&stored.validators)?);
    let trusted = TrustedBlockState {
        chain_id: &trusted.header.chain_id,
        header_time: trusted.header.time,
        height: trusted.header.height,
        next_validators: &trusted_next,
        next_validators_hash: trusted.header.next_validators_hash,
    };
    let now = (untrusted.header.time + std::time::Duration::from_secs(60)).expect("a time");
    match verdict(
        UntrustedBlockState { signed_header: &untrusted, validators: &validators, next_validators: None },
        trusted,
        now,
    ) {
        Verdict::Success => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn verdict(untrusted: UntrustedBlockState<'_>, trusted: TrustedBlockState<'_>, now: Time) -> Verdict {
    let options =
        Options { trust_threshold: Default::default(), trusting_period: YEAR, clock_drift: Default::default() };
    ProdVerifier::default().verify_update_header(untrusted, trusted, &options, now)
}

#[test]
fn both_accept_every_height_of_real_chains() {
    for (name, home) in &Homes::unpack().homes {
        let mut below = home.at(home.base);
        for height in home.base + 1..home.tip {
            let stored = home.at(height);
            assert_eq!((ours(&stored), theirs(&below, &stored)), (Ok(()), Ok(())), "{name} height {height}");
            below = stored;
        }
        assert!(home.tip - home.base > 40, "{name} has heights");
    }
}

const ABSENT: i32 = 1;
const COMMIT: i32 = 2;
const NIL: i32 = 3;

/// The first signature for the block. tendermint-rs stops counting at two thirds, so that it may not look at later ones.
fn first(commit: &mut raw::Commit) -> &mut raw::CommitSig {
    commit.signatures.iter_mut().find(|signature| signature.block_id_flag == COMMIT).expect("somebody signed")
}

#[test]
fn both_refuse_changed_signatures() {
    let homes = Homes::unpack();
    for bit in [0, 100, 255, 256, 400, 511] {
        homes.both_refuse_commit("a flipped bit", |commit| {
            let mut signature = first(commit).signature.to_vec();
            signature[bit / 8] ^= 1 << (bit % 8);
            first(commit).signature = signature;
        });
    }
    homes.both_refuse_commit("a short signature", |commit| first(commit).signature.truncate(63));
    homes.both_refuse_commit("another's signature", |commit| {
        let last = commit.signatures.iter().rfind(|signature| signature.block_id_flag == COMMIT).cloned();
        first(commit).signature = last.expect("somebody signed").signature;
    });
    homes.both_refuse_commit("another time", |commit| first(commit).timestamp.as_mut().expect("a time").nanos ^= 1);
    homes.both_refuse_commit("another round", |commit| commit.round += 1);
}

#[test]
fn both_refuse_too_little_power() {
    let homes = Homes::unpack();
    homes.both_refuse_commit("half of the signatures", |commit| {
        let half = commit.signatures.len().div_ceil(2);
        for signature in &mut commit.signatures[..half] {
            *signature = raw::CommitSig { block_id_flag: ABSENT, timestamp: signature.timestamp, ..Default::default() };
        }
    });
    homes.both_refuse_commit("half of the votes for nil", |commit| {
        let half = commit.signatures.len().div_ceil(2);
        commit.signatures[..half].iter_mut().for_each(|signature| signature.block_id_flag = NIL);
    });
    homes.both_refuse_commit("no signatures", |commit| commit.signatures.clear());
}

#[test]
fn both_refuse_addresses_that_are_not_the_signers() {
    let homes = Homes::unpack();
    homes.both_refuse_commit("an unknown address", |commit| first(commit).validator_address = vec![7; 20]);
    homes.both_refuse_commit("an address that is there twice", |commit| {
        let last = commit.signatures.iter().rfind(|signature| signature.block_id_flag == COMMIT).cloned();
        first(commit).validator_address = last.expect("somebody signed").validator_address;
    });
}

#[test]
fn both_refuse_commits_of_other_blocks() {
    let homes = Homes::unpack();
    homes.both_refuse_commit("another block", |commit| {
        commit.block_id.as_mut().expect("a block id").hash = vec![1; 32];
    });
    homes.both_refuse_commit("other parts", |commit| {
        commit.block_id.as_mut().and_then(|block| block.part_set_header.as_mut()).expect("parts").hash = vec![1; 32];
    });
    homes.both_refuse_commit("another height", |commit| commit.height += 1);
    homes.both_refuse("the commit of the height above", |stored, home| {
        let height = BlockMeta::decode(&stored.meta).expect("a meta").header.height;
        stored.commit = home.at(height + 1).commit;
    });
}

#[test]
fn both_refuse_changed_headers() {
    let homes = Homes::unpack();
    homes.both_refuse_header("another application hash", |header| header.app_hash = vec![9; 32]);
    homes.both_refuse_header("another chain", |header| header.chain_id.push('x'));
    homes.both_refuse_header("another time", |header| header.time.as_mut().expect("a time").nanos ^= 1);
    homes.both_refuse_header("another proposer", |header| header.proposer_address = vec![7; 20]);
    homes.both_refuse_header("other validators", |header| header.validators_hash = vec![7; 32]);
}

#[test]
fn both_refuse_other_validators() {
    let mut changes = 0;
    for (name, home) in &Homes::unpack().homes {
        for height in home.base + 1..home.tip {
            let (below, stored) = (home.at(height - 1), home.at(height));
            // A record may be new because of the turns to propose, with the same validators.
            if validators_hash(&below) == validators_hash(&stored) {
                continue;
            }
            let other = Stored { validators: below.validators.clone(), ..stored };
            assert!(ours(&other).is_err() && theirs(&below, &other).is_err(), "{name} height {height}");
            changes += 1;
        }
    }
    assert!(changes > 20, "sets change often: {changes}");
}

fn validators_hash(stored: &Stored) -> Vec<u8> {
    BlockMeta::decode(&stored.meta).expect("a meta").header.validators_hash.to_vec()
}
