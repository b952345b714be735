//! All pairs of versions over real connections: both sides find, and log, the same.

use std::sync::Arc;

use proto::hello::{Heights, Version};
use proto::negotiate::{Agreement, Incompatible};
use shim::own::node::{Download, Event, FetchError};

use super::net::{Node, QUIC, Setup, Speaks, TCP};
use super::support::{Chain, Remember};

pub const KINDS: [(&str, Speaks); 4] = [
    ("v1 only", Speaks(&[1], 0)),
    ("v1 + v2", Speaks(&[2, 1], 0)),
    ("v2 only", Speaks(&[2], 0)),
    ("minimum 2", Speaks(&[2, 1], 2)),
];

/// The table of docs/protocol.md: the version agreed upon, or the name of the reason.
pub const TABLE: [[Result<Version, &str>; 4]; 4] = [
    [Ok(Version::ONE), Ok(Version::ONE), Err("no_common_version"), Err("below_minimum")],
    [Ok(Version::ONE), Ok(Version::TWO), Ok(Version::TWO), Ok(Version::TWO)],
    [Err("no_common_version"), Ok(Version::TWO), Ok(Version::TWO), Ok(Version::TWO)],
    [Err("below_minimum"), Ok(Version::TWO), Ok(Version::TWO), Ok(Version::TWO)],
];

async fn outcome(node: &mut Node) -> (Result<Agreement, Incompatible>, String) {
    let choose = |event: &Event| match event {
        Event::Agreed { agreement, .. } => Some((Ok(agreement.clone()), event.to_string())),
        Event::Incompatible { reason, .. } => Some((Err(reason.clone()), event.to_string())),
        _ => None,
    };
    node.event(choose).await
}

async fn fetch(from: &Node, to: &Node) -> Result<Version, FetchError> {
    let mut download = Download::new(Heights::new(1, 3).expect("heights"), Remember::default());
    let version = download.from(&to.handle, from.handle.id()).await?;
    let check = download.into_check().expect("all came");
    assert_eq!(check.blocks, Chain::new(1, &[9, 70_000, 9]).blocks);
    Ok(version)
}

async fn check_pair(dialler: usize, listener: usize, transport: &'static str) {
    let chain = Arc::new(Chain::new(1, &[9, 70_000, 9]));
    let what = format!("{} dials {} over {transport}", KINDS[dialler].0, KINDS[listener].0);
    let mut theirs = Setup { listen: transport, ..Setup::new(KINDS[listener].1, &chain) }.start().await;
    let mut ours = Setup { listen: transport, ..Setup::new(KINDS[dialler].1, &chain) }.dials(&theirs).start().await;
    let ((found, our_words), (other, their_words)) = (outcome(&mut ours).await, outcome(&mut theirs).await);
    let mirrored = other.clone().map(Agreement::mirrored).map_err(Incompatible::mirrored);
    assert_eq!(found, mirrored, "{what}");
    match (TABLE[dialler][listener], found) {
        (Ok(version), Ok(agreement)) => {
            assert_eq!((agreement.fetch, agreement.serve), (Ok(version), Ok(version)), "{what}");
            assert_eq!(fetch(&theirs, &ours).await.expect("fetched"), version, "{what}");
            assert_eq!(fetch(&ours, &theirs).await.expect("fetched"), version, "{what}");
        }
        (Err(name), Err(reason)) => {
            assert_eq!(reason.name(), name, "{what}");
            // Each side's line has the versions of both, and what to do.
            let lists = [&KINDS[dialler].1, &KINDS[listener].1]
                .map(|speaks| format!("serves {}", speaks.0.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")));
            for words in [&our_words, &their_words] {
                assert!(lists.iter().all(|list| words.contains(list.as_str())), "{what}: {words}");
                assert!(words.contains("upgrade "), "{what}: {words}");
            }
            assert!(matches!(fetch(&theirs, &ours).await, Err(FetchError::Incompatible(_))), "{what}");
            assert_eq!((ours.count("hello/1", name), theirs.count("hello/1", name)), (1, 1), "{what}");
        }
        (expected, found) => panic!("{what}: {expected:?} expected, {found:?} found"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_pairs_of_versions_come_to_the_table_on_both_sides() {
    for dialler in 0..KINDS.len() {
        for listener in 0..KINDS.len() {
            for transport in [QUIC, TCP] {
                check_pair(dialler, listener, transport).await;
            }
        }
    }
}
