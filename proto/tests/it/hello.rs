//! Hellos: what is written is read, and each thing that is out of bounds is refused by name.

use std::num::NonZeroU64;

use proptest::prelude::*;
use prost::Message;
use proto::hello::{
    GREETING_BYTES_MAX, Greeting, HELLO_BYTES_MAX, Heights, Hello, HelloError, Printable, Status, Storage,
};
use proto::hello::{Sunset, Terms, TimeRule, Version, Versions};
use proto::wire;

/// A node of release 0.1.0 that serves and takes the given versions.
pub fn hello(served: &[u32], accepted: &[u32], minimum: u32) -> Hello {
    let versions = |list: &[u32]| Versions::new(list.iter().copied()).expect("versions");
    Hello {
        chain_id: Printable::new("chain-1").expect("a chain id"),
        genesis_hash: [7; 32],
        terms: Terms::new(versions(served), versions(accepted), Version(minimum)),
        time_rule: TimeRule::V0_38,
        attest_every: NonZeroU64::new(1_000),
        status: status(Storage::Old, 1, 500),
        agent: Printable::new("node-migrate/0.1.0").expect("an agent"),
    }
}

/// A status that offers all heights up to the tip.
pub fn status(storage: Storage, base: u64, tip: u64) -> Status {
    Status::new(storage, Some(Heights::new(base, tip).expect("heights")), tip).expect("a status")
}

fn storages() -> impl Strategy<Value = Storage> {
    prop_oneof![
        Just(Storage::Unknown),
        Just(Storage::Old),
        any::<u64>().prop_map(|copied_to| Storage::Copying { copied_to }),
        Just(Storage::Verified),
        Just(Storage::CutOver),
        Just(Storage::RolledBack),
    ]
}

fn statuses() -> impl Strategy<Value = Status> {
    (storages(), any::<bool>(), 1..1_000_u64, 0..1_000_u64, 0..1_000_u64).prop_map(
        |(storage, offers, base, more, tip)| {
            let offer = offers.then(|| Heights::new(base, base + more).expect("heights"));
            Status::new(storage, offer, if offers { base + more + tip } else { tip }).expect("a status")
        },
    )
}

fn terms() -> impl Strategy<Value = Terms> {
    let versions = || proptest::collection::vec(1..5_u32, 0..4).prop_map(|list| Versions::new(list).expect("versions"));
    let sunset =
        (1..5_u32, 1..2_000_u64).prop_map(|(version, last_height)| Sunset { version: Version(version), last_height });
    (versions(), versions(), 0..5_u32, proptest::collection::vec(sunset, 0..3)).prop_map(
        |(served, accepted, minimum, sunsets)| {
            Terms::new(served, accepted, Version(minimum)).with_sunsets(sunsets).expect("terms")
        },
    )
}

/// Hellos that are often enough of the same chain to get far in a negotiation.
pub fn hellos() -> impl Strategy<Value = Hello> {
    let rule = prop_oneof![
        3 => Just(TimeRule::V0_38),
        1 => Just(TimeRule::V0_40),
        3 => (1..2_000_u64).prop_map(|first| TimeRule::switch_at(first).expect("a height")),
    ];
    let chain = prop_oneof![9 => Just("chain-1"), 1 => Just("chain 2")];
    (chain, prop_oneof![9 => Just(7_u8), 1 => Just(8)], terms(), rule, any::<u64>(), statuses(), "[ -~]{1,64}")
        .prop_map(|(chain, genesis, terms, time_rule, attest_every, status, agent)| Hello {
            chain_id: Printable::new(chain).expect("a chain id"),
            genesis_hash: [genesis; 32],
            terms,
            time_rule,
            attest_every: NonZeroU64::new(attest_every),
            status,
            agent: Printable::new(agent).expect("an agent"),
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read(hello in hellos()) {
        let bytes = hello.encode();
        prop_assert!(bytes.len() <= HELLO_BYTES_MAX);
        prop_assert_eq!(Hello::decode(&bytes), Ok(hello));
    }

    #[test]
    fn hostile_bytes_are_a_hello_within_bounds_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(hello) = Hello::decode(&bytes) {
            prop_assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
        }
    }

    #[test]
    fn a_damaged_hello_is_a_hello_within_bounds_or_refused(hello in hellos(), at: prop::sample::Index, byte: u8) {
        let mut bytes = hello.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(hello) = Hello::decode(&bytes) {
            prop_assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
        }
    }
}

#[test]
fn the_longest_hello_is_within_the_limit() {
    let versions = || Versions::new(u32::MAX - 15..=u32::MAX).expect("16 versions");
    let sunsets = versions().iter().map(|version| Sunset { version, last_height: i64::MAX as u64 }).collect::<Vec<_>>();
    let longest = Hello {
        chain_id: Printable::new("c".repeat(50)).expect("a chain id"),
        terms: Terms::new(versions(), versions(), Version(u32::MAX)).with_sunsets(sunsets).expect("terms"),
        time_rule: TimeRule::switch_at(i64::MAX as u64).expect("a height"),
        attest_every: NonZeroU64::new(u64::MAX),
        status: status(Storage::Copying { copied_to: u64::MAX }, i64::MAX as u64, i64::MAX as u64),
        agent: Printable::new("a".repeat(64)).expect("an agent"),
        ..hello(&[], &[], 0)
    };
    let bytes = longest.encode();
    assert!(bytes.len() < HELLO_BYTES_MAX, "{} bytes", bytes.len());
    assert_eq!(Hello::decode(&bytes), Ok(longest.clone()));
    let greeting = Greeting { sequence: u64::MAX, hello: longest };
    assert!(greeting.encode().len() <= GREETING_BYTES_MAX);
    assert_eq!(Greeting::decode(&greeting.encode()), Ok(greeting));
}

fn refusal(change: impl FnOnce(&mut wire::hello::Hello)) -> HelloError {
    let mut wire = wire::hello::Hello::decode(&hello(&[2, 1], &[2, 1], 1).encode()[..]).expect("a hello");
    change(&mut wire);
    Hello::decode(&wire.encode_to_vec()).expect_err("out of bounds")
}

#[test]
fn each_thing_out_of_bounds_has_its_reason() {
    assert_eq!(refusal(|hello| hello.chain_id.clear()), HelloError::ChainId { bytes: 0 });
    assert_eq!(refusal(|hello| hello.chain_id = "c".repeat(51)), HelloError::ChainId { bytes: 51 });
    assert_eq!(refusal(|hello| hello.chain_id = "a\nb".to_owned()), HelloError::ChainId { bytes: 3 });
    assert_eq!(refusal(|hello| hello.agent = "\u{1b}[2J".to_owned()), HelloError::Agent { bytes: 4 });
    assert_eq!(refusal(|hello| hello.genesis_hash = vec![0; 31].into()), HelloError::GenesisHash { bytes: 31 });
    assert_eq!(refusal(|hello| hello.genesis_hash.clear()), HelloError::GenesisHash { bytes: 0 });

    let terms =
        |change: fn(&mut wire::hello::Terms)| refusal(move |hello| change(hello.terms.as_mut().expect("terms")));
    let many = HelloError::TooManyVersions { list: "served", count: 17 };
    assert_eq!(terms(|terms| terms.served = (1..=17).rev().collect()), many);
    let order = |list, version, before| HelloError::VersionOrder { list, version, before };
    assert_eq!(terms(|terms| terms.accepted = vec![1, 2]), order("accepted", 2, 1));
    assert_eq!(terms(|terms| terms.accepted = vec![2, 2]), order("accepted", 2, 2));
    assert_eq!(terms(|terms| terms.served = vec![2, 0]), order("served", 0, 2));
    let sunset = |version, last_height| wire::hello::Sunset { version, last_height };
    assert_eq!(
        refusal(|hello| hello.terms.as_mut().expect("terms").sunsets = vec![sunset(1, 5), sunset(1, 5)]),
        order("sunset", 1, 1)
    );
    let height = |what, height| HelloError::Height { what, height };
    let zero = refusal(|hello| hello.terms.as_mut().expect("terms").sunsets = vec![sunset(1, 0)]);
    assert_eq!(zero, height("last height of a version", 0));

    assert_eq!(refusal(|hello| hello.commit_time_from = Some(0)), height("the first height of the rule of times", 0));
    let status =
        |change: fn(&mut wire::status::Status)| refusal(move |hello| change(hello.status.as_mut().expect("status")));
    assert_eq!(status(|status| status.tip = 1 << 63), height("the tip", 1 << 63));
    assert_eq!(status(|status| status.base = 0), height("the lowest height", 0));
    assert_eq!(status(|status| status.top = 0), height("the highest height", 0));
    assert_eq!(status(|status| status.tip = 499), HelloError::Range { base: 1, top: 500, tip: 499 });
    assert_eq!(status(|status| status.base = 501), HelloError::Range { base: 501, top: 500, tip: 500 });

    assert_eq!(Hello::decode(&vec![0; 4_097]), Err(HelloError::TooLong { bytes: 4_097 }));
    assert!(matches!(Hello::decode(&[0xff]), Err(HelloError::Malformed { .. })));
}

#[test]
fn a_state_of_a_later_release_is_unknown_and_later_fields_are_ignored() {
    let mut wire = wire::hello::Hello::decode(&hello(&[2], &[2], 0).encode()[..]).expect("a hello");
    wire.status.as_mut().expect("status").storage = 6;
    let mut bytes = wire.encode_to_vec();
    bytes.extend([0xfa, 0x07, 0x01, b'x']);
    assert_eq!(Hello::decode(&bytes).expect("a hello").status.storage, Storage::Unknown);
}
