//! What changes while nodes are connected: versions, heights, the peer that serves.

use std::sync::Arc;

use proto::hello::{Heights, Sunset, TimeRule, Version};
use shim::own::node::{Download, Event, FetchError};

use super::net::{Node, Setup, Speaks, hello};
use super::support::{Chain, Remember};

fn download(base: u64, top: u64) -> Download<Remember> {
    Download::new(Heights::new(base, top).expect("heights"), Remember::default())
}

/// The version in which a node serves from now on, or why it does not.
async fn serves(node: &mut Node) -> Result<Version, String> {
    let choose = |event: &Event| match event {
        Event::Agreed { agreement, .. } => Some(agreement.serve.map_err(|reason| reason.to_string())),
        Event::Incompatible { reason, .. } => Some(Err(reason.to_string())),
        _ => None,
    };
    node.event(choose).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_is_agreed_upon_without_a_new_connection() {
    let chain = Arc::new(Chain::new(1, &[9, 70_000]));
    let mut theirs = Setup::new(Speaks(&[1], 0), &chain).start().await;
    let mut ours = Setup::new(Speaks(&[2, 1], 0), &chain).dials(&theirs).start().await;
    assert_eq!((serves(&mut ours).await, serves(&mut theirs).await), (Ok(Version::ONE), Ok(Version::ONE)));
    theirs.handle.set_hello(hello(Speaks(&[2, 1], 0), &chain)).await;
    assert_eq!((serves(&mut ours).await, serves(&mut theirs).await), (Ok(Version::TWO), Ok(Version::TWO)));
    for (from, to) in [(&ours, &theirs), (&theirs, &ours)] {
        let version = download(1, 2).from(&to.handle, from.handle.id()).await.expect("fetched");
        assert_eq!(version, Version::TWO);
    }
    assert_eq!((ours.count("connections", "dialled"), ours.count("connections", "closed")), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_expires_is_refused_on_both_sides() {
    let (young, old) = (Arc::new(Chain::new(1, &[9; 5])), Arc::new(Chain::new(1, &[9; 6])));
    let with_sunset = |chain: &Arc<Chain>| {
        let mut setup = Setup::new(Speaks(&[2, 1], 0), chain);
        let sunset = Sunset { version: Version::ONE, last_height: 5 };
        setup.hello.terms = setup.hello.terms.with_sunsets([sunset]).expect("a sunset");
        setup
    };
    let mut theirs = Setup::new(Speaks(&[1], 0), &young).start().await;
    let mut ours = with_sunset(&young).dials(&theirs).start().await;
    assert_eq!((serves(&mut ours).await, serves(&mut theirs).await), (Ok(Version::ONE), Ok(Version::ONE)));
    ours.handle.set_hello(with_sunset(&old).hello).await;
    let words = serves(&mut ours).await.expect_err("expired");
    assert!(words.contains("this node gave it up past height 5; the chain is at 6"), "{words}");
    let words = serves(&mut theirs).await.expect_err("expired");
    assert!(words.contains("the peer gave it up past height 5; the chain is at 6"), "{words}");
    assert!(words.ends_with("upgrade this node to a release that speaks version 2"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_peer_cannot_deliver_another_completes() {
    let sizes = [9, 300_000, 70_000, 9];
    let whole = Arc::new(Chain::new(1, &sizes));
    let damaged = Arc::new(Chain { damaged: vec![3], ..Chain::new(1, &sizes) });
    let (good, bad) =
        (Setup::new(Speaks(&[2], 0), &whole).start().await, Setup::new(Speaks(&[2], 0), &damaged).start().await);
    let ours = Setup::new(Speaks(&[2], 0), &whole).dials(&good).dials(&bad).start().await;
    for peer in [&good, &bad] {
        assert!(ours.handle.connected(peer.handle.id(), super::net::LONG).await);
    }
    let mut download = download(1, 4);
    let error = download.from(&ours.handle, bad.handle.id()).await.expect_err("height 3 is damaged");
    assert_eq!(error.to_string(), "the peer refused: height 3 cannot be offered: part 0: checksum mismatch");
    assert_eq!(download.next_height(), 3);
    download.from(&ours.handle, good.handle.id()).await.expect("the rest");
    assert_eq!(download.into_check().expect("done").blocks, whole.blocks);
    bad.counted("blocks/2", "refused_source", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_that_is_not_the_chains_is_refused_and_comes_from_another_peer() {
    let sizes = [9, 300_000, 9];
    let whole = Arc::new(Chain::new(1, &sizes));
    let mut changed = Chain::new(1, &sizes);
    let mut block = changed.blocks[1].block.to_vec();
    block[123_456] ^= 1;
    changed.blocks[1].block = block.into();
    let (good, bad) = (
        Setup::new(Speaks(&[2], 0), &whole).start().await,
        Setup::new(Speaks(&[2], 0), &Arc::new(changed)).start().await,
    );
    let mut ours = Setup::new(Speaks(&[2], 0), &whole).dials(&good).dials(&bad).start().await;
    for peer in [&good, &bad] {
        assert!(ours.handle.connected(peer.handle.id(), super::net::LONG).await);
    }
    // The owner knows the parts of height 2 from the block id in height 3.
    let known = shim::own::blocks::PartSet::new(whole.blocks[1].block.clone()).head(&whole.blocks[1]);
    let check = Remember { known: known.into_iter().collect(), ..Remember::default() };
    let mut download = Download::new(Heights::new(1, 3).expect("heights"), check);
    let error = download.from(&ours.handle, bad.handle.id()).await.expect_err("not the chain's");
    assert_eq!(
        error.to_string(),
        "the peer sent a block of height 2 that is not the chain's: other parts than the block id names"
    );
    let told = |event: &Event| matches!(event, Event::Misbehaved { .. }).then(|| event.to_string());
    assert!(ours.event(told).await.contains("blocks/2: the peer sent a block of height 2 that is not the chain's"));
    download.from(&ours.handle, good.handle.id()).await.expect("the chain's");
    assert_eq!(download.into_check().expect("done").blocks, whole.blocks);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heights_with_another_rule_of_times_are_not_fetched() {
    let chain = Arc::new(Chain::new(1, &[9; 9]));
    let theirs = Setup::new(Speaks(&[2], 0), &chain).start().await;
    let mut setup = Setup::new(Speaks(&[2], 0), &chain).dials(&theirs);
    setup.hello.time_rule = TimeRule::switch_at(6).expect("a height");
    let ours = setup.start().await;
    assert!(ours.handle.connected(theirs.handle.id(), super::net::LONG).await);
    download(1, 5).from(&ours.handle, theirs.handle.id()).await.expect("the same rule");
    let error = download(5, 6).from(&ours.handle, theirs.handle.id()).await.expect_err("another rule");
    assert!(matches!(error, FetchError::Disputed { .. }), "{error}");
}
