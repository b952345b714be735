//! The negotiation: over all pairs of small version sets against the definition spelled out, by properties, and the
//! words of each refusal.

use std::num::NonZeroU64;

use proptest::prelude::*;
use proto::hello::{Disputed, Hello, Printable, Status, Storage, Sunset, TimeRule, Version};
use proto::negotiate;
use proto::negotiate::{Agreement, Incompatible, Party, Reason, spoken};

use crate::hello::{hello, hellos, status};

/// All subsets of versions 1 to 3.
fn sets() -> impl Iterator<Item = Vec<u32>> + Clone {
    (0..8_u32).map(|bits| (1..=3).filter(|version| bits >> (version - 1) & 1 == 1).collect())
}

/// The newest version from one side to the other, or whether there is one in common at all.
fn expected(serving: &Hello, taking: &Hello) -> Result<u32, bool> {
    let both = |version: &u32| {
        serving.terms.served.contains(Version(*version)) && taking.terms.accepted.contains(Version(*version))
    };
    let is_spoken =
        |version: &u32| Version(*version) >= serving.terms.minimum && Version(*version) >= taking.terms.minimum;
    let common = || (1..=3).rev().filter(both);
    common().find(is_spoken).ok_or(common().next().is_some())
}

fn outcome(direction: Result<Version, Reason>) -> Result<u32, bool> {
    match direction {
        Ok(version) => Ok(version.0),
        Err(Reason::NoCommonVersion) => Err(false),
        Err(Reason::BelowMinimum { .. }) => Err(true),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn all_pairs_of_version_sets_come_to_what_the_definition_says() {
    let sides: Vec<Hello> = sets()
        .flat_map(|served| sets().map(move |accepted| (served.clone(), accepted)))
        .flat_map(|(served, accepted)| (0..4).map(move |minimum| hello(&served, &accepted, minimum)))
        .collect();
    assert_eq!(sides.len(), 256);
    for local in &sides {
        for remote in &sides {
            let found = negotiate(local, remote);
            let (fetch, serve) = match &found {
                Ok(agreement) => (agreement.fetch, agreement.serve),
                Err(Incompatible::Blocks { fetch, serve, .. }) => (Err(*fetch), Err(*serve)),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(found.is_ok(), fetch.is_ok() || serve.is_ok());
            assert_eq!(outcome(fetch), expected(remote, local), "{local:?} {remote:?}");
            assert_eq!(outcome(serve), expected(local, remote), "{local:?} {remote:?}");
        }
    }
}

fn mirrored(found: Result<Agreement, Incompatible>) -> Result<Agreement, Incompatible> {
    found.map(Agreement::mirrored).map_err(Incompatible::mirrored)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn both_sides_find_the_same(local in hellos(), remote in hellos()) {
        let (ours, theirs) = (negotiate(&local, &remote), negotiate(&remote, &local));
        if let (Err(ours), Err(theirs)) = (&ours, &theirs) {
            prop_assert_eq!(ours.name(), theirs.name());
        }
        prop_assert_eq!(mirrored(ours), theirs);
    }

    #[test]
    fn what_is_spoken_is_what_would_be_served_whatever_is_offered(local in hellos(), remote in hellos()) {
        let whole = |hello: &Hello| {
            let tip = hello.status.tip().max(1);
            let offer = proto::hello::Heights::new(1, tip).expect("heights");
            Hello { status: Status::new(Storage::Old, Some(offer), tip).expect("a status"), ..hello.clone() }
        };
        // A tip of 1 instead of none expires nothing that was not expired.
        let found = negotiate(&whole(&local), &whole(&remote));
        let (fetch, serve) = found.map_or((None, None), |agreement| (agreement.fetch.ok(), agreement.serve.ok()));
        prop_assert_eq!(spoken(Party::Remote, &local, &remote), fetch);
        prop_assert_eq!(spoken(Party::Local, &local, &remote), serve);
        prop_assert_eq!(spoken(Party::Local, &remote, &local), fetch);
    }

    #[test]
    fn a_node_agrees_with_its_like_unless_it_can_serve_nobody(hello in hellos()) {
        match negotiate(&hello, &hello) {
            Ok(agreement) => {
                prop_assert_eq!(agreement.disputed, None);
                prop_assert_eq!(agreement.attest_every, hello.attest_every);
            }
            Err(Incompatible::Blocks { .. }) => {}
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }

    #[test]
    fn an_agreed_version_is_spoken_by_both_and_the_newest_such(local in hellos(), remote in hellos()) {
        let height = local.status.tip().max(remote.status.tip());
        let is_spoken = |version: Version| [&local, &remote].iter().all(|side| {
            version >= side.terms.minimum && side.terms.last_height(version).is_none_or(|last| height <= last)
        });
        let both = |serving: &Hello, taking: &Hello| -> Vec<Version> {
            let is_common = |version: &Version| taking.terms.accepted.contains(*version) && is_spoken(*version);
            serving.terms.served.iter().filter(is_common).collect()
        };
        if let Ok(agreement) = negotiate(&local, &remote) {
            for (version, serving, taking) in [(agreement.fetch, &remote, &local), (agreement.serve, &local, &remote)] {
                let spoken = both(serving, taking);
                match version {
                    Ok(version) => {
                        prop_assert_eq!(spoken.first(), Some(&version));
                        prop_assert!(serving.status.offer().is_some() && serving.status.storage != Storage::Unknown);
                    }
                    Err(Reason::Unfit { .. } | Reason::NothingOffered { .. }) => prop_assert!(!spoken.is_empty()),
                    Err(_) => prop_assert!(spoken.is_empty()),
                }
            }
            let disputes = |height| agreement.disputed.is_some_and(|disputed| disputed.contains(height));
            for height in [1, 2, 500, 1_999, 2_000, u64::MAX] {
                let by_commits = |hello: &Hello| hello.time_rule.commit_time_from().is_some_and(|from| from <= height);
                prop_assert_eq!(disputes(height), by_commits(&local) != by_commits(&remote), "height {}", height);
            }
        }
    }
}

#[track_caller]
fn words(local: &Hello, remote: &Hello) -> [String; 2] {
    let ours = negotiate(local, remote).expect_err("incompatible");
    let theirs = negotiate(remote, local).expect_err("incompatible");
    assert_eq!(ours.name(), theirs.name());
    [ours.to_string(), theirs.to_string()]
}

#[test]
fn no_common_version_names_both_lists_and_who_must_upgrade() {
    let [old, new] = words(&hello(&[1], &[1], 0), &hello(&[2], &[2], 0));
    assert_eq!(
        old,
        "no common version of the block exchange (this node serves 1, accepts 1; the peer serves 2, accepts 2); upgrade \
         this node to a release that speaks version 2"
    );
    assert_eq!(
        new,
        "no common version of the block exchange (this node serves 2, accepts 2; the peer serves 1, accepts 1); upgrade \
         the peer to a release that speaks version 2"
    );
}

#[test]
fn below_the_minimum_names_whose_it_is() {
    let [old, new] = words(&hello(&[1], &[1], 0), &hello(&[2, 1], &[2, 1], 2));
    assert_eq!(
        old,
        "version 1 is the newest in common, but the peer speaks none below 2 (this node serves 1, accepts 1; the peer \
         serves 2, 1, accepts 2, 1, none below 2); upgrade this node to a release that speaks version 2 or newer"
    );
    assert!(new.contains("but this node speaks none below 2"), "{new}");
    assert!(new.ends_with("upgrade the peer to a release that speaks version 2 or newer"), "{new}");
}

#[test]
fn an_expired_version_names_the_height() {
    let mut new = hello(&[2, 1], &[2, 1], 0);
    new.terms = new.terms.with_sunsets([Sunset { version: Version::ONE, last_height: 499 }]).expect("a sunset");
    let old = hello(&[1], &[1], 0);
    let [words, _] = words(&old, &new);
    assert_eq!(
        words,
        "version 1 is the newest in common, but the peer gave it up past height 499; the chain is at 500 (this node \
         serves 1, accepts 1; the peer serves 2, 1, accepts 2, 1, 1 up to height 499); upgrade this node to a release that \
         speaks version 2"
    );
    let younger = |mut hello: Hello| {
        hello.status = status(Storage::Old, 1, 499);
        hello
    };
    assert_eq!(negotiate(&younger(old), &younger(new)).expect("not expired").fetch, Ok(Version::ONE));
}

#[test]
fn other_chains_and_rules_are_named_on_both_sides() {
    let ours = hello(&[2], &[2], 0);
    let other = Hello { chain_id: Printable::new("chain-2").expect("a chain id"), ..ours.clone() };
    let [mine, theirs] = words(&ours, &other);
    assert!(mine.starts_with("this node is on chain chain-1, the peer on chain-2; "), "{mine}");
    assert!(theirs.starts_with("this node is on chain chain-2, the peer on chain-1; "), "{theirs}");

    let other = Hello { genesis_hash: [8; 32], ..ours.clone() };
    let [mine, _] = words(&ours, &other);
    assert!(
        mine.contains(&format!("this node is {}, that of the peer {};", "07".repeat(32), "08".repeat(32))),
        "{mine}"
    );

    let other = Hello { time_rule: TimeRule::V0_40, ..ours.clone() };
    let [mine, _] = words(&ours, &other);
    assert!(mine.contains("by the rule v0.38, the peer by v0.40, at every height"), "{mine}");
}

#[test]
fn rules_that_differ_in_part_leave_the_other_heights() {
    let before = hello(&[2], &[2], 0);
    let after = Hello { time_rule: TimeRule::switch_at(300).expect("a height"), ..before.clone() };
    let agreement = negotiate(&before, &after).expect("heights below 300");
    assert_eq!(agreement.disputed, Some(Disputed { first: 300, end: None }));
    let fresh = Hello { time_rule: TimeRule::V0_40, ..before };
    let agreement = negotiate(&fresh, &after).expect("heights from 300");
    assert_eq!(agreement.disputed, Some(Disputed { first: 1, end: Some(300) }));
    assert_eq!(agreement.disputed.expect("some").to_string(), "heights 1 to 299");
}

#[test]
fn a_store_that_cannot_serve_stops_one_direction_only() {
    let fit = hello(&[2, 1], &[2, 1], 0);
    let unfit = Hello { status: status(Storage::Unknown, 1, 500), ..fit.clone() };
    let agreement = negotiate(&fit, &unfit).expect("the peer can be served");
    assert_eq!(agreement.serve, Ok(Version::TWO));
    assert_eq!(agreement.fetch.expect_err("unfit").to_string(), "the storage of the peer is in the state \"unknown\"");

    let empty = Hello { status: Status::new(Storage::CutOver, None, 0).expect("a status"), ..fit };
    let [words, _] = words(&unfit, &empty);
    assert!(
        words.starts_with("fetching: the peer has no verified heights to offer yet; serving: the storage of this node")
    );
    assert!(words.ends_with("this passes when one of them has a verified store"), "{words}");
}

#[test]
fn attestations_are_due_at_heights_that_both_attest_to() {
    let every = |heights: u64| Hello { attest_every: NonZeroU64::new(heights), ..hello(&[2], &[2], 0) };
    let agreed = |a, b| negotiate(&every(a), &every(b)).expect("compatible").attest_every.map_or(0, NonZeroU64::get);
    assert_eq!(agreed(1_000, 1_000), 1_000);
    assert_eq!(agreed(1_000, 1_500), 3_000);
    assert_eq!(agreed(1_000, 0), 0);
    assert_eq!(agreed(u64::MAX, u64::MAX - 1), 0);
}
