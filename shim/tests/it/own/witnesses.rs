//! Attestations between nodes over real connections.

use std::sync::Arc;

use proofs::note::Note;
use shim::own::attest::{Alarm, Book, Kind};
use shim::own::node::Event;

use super::attest::{signed, verifier};
use super::net::{Node, Setup, Speaks};
use super::support::Chain;

/// Two connected nodes with the keys 1 and 2.
async fn witnesses() -> (Node, Node) {
    let chain = Arc::new(Chain::new(1, &[9; 500]));
    let book = |own, other| Some(Book::new(verifier(own), vec![verifier(other)]).expect("an origin"));
    let setup = |book| Setup { book, ..Setup::new(Speaks(&[2], 0), &chain) };
    let mut listener = setup(book(2, 1)).start().await;
    let mut dialler = setup(book(1, 2)).dials(&listener).start().await;
    for node in [&mut dialler, &mut listener] {
        node.event(|event| matches!(event, Event::Agreed { .. }).then_some(())).await;
    }
    (dialler, listener)
}

async fn attest(node: &Node, note: &Note) {
    node.handle.attest(note).await.expect("its own checkpoint");
}

fn alarm(event: &Event) -> Option<Alarm> {
    match event {
        Event::Alarm { alarm, .. } => Some(Alarm::clone(alarm)),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_roots_are_confirmed_on_both_sides_whichever_came_first() {
    let (mut dialler, mut listener) = witnesses().await;
    let confirmed = |event: &Event| match event {
        Event::Confirmed { signer, height, .. } => Some((signer.clone(), *height)),
        _ => None,
    };
    for size in [100, 200, 300] {
        let is_dialler_first = size == 200;
        let (first, second) = if is_dialler_first { (&dialler, &listener) } else { (&listener, &dialler) };
        let key = |is_dialler| if is_dialler { 1 } else { 2 };
        attest(first, &signed(key(is_dialler_first), size, 5)).await;
        attest(second, &signed(key(!is_dialler_first), size, 5)).await;
        assert_eq!(dialler.event(confirmed).await, (verifier(2), size));
        assert_eq!(listener.event(confirmed).await, (verifier(1), size));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_different_root_is_an_alarm_on_both_sides_with_both_notes() {
    let (mut dialler, mut listener) = witnesses().await;
    attest(&listener, &signed(2, 100, 6)).await;
    attest(&dialler, &signed(1, 100, 5)).await;
    let (ours, theirs) = (signed(1, 100, 5).to_string(), signed(2, 100, 6).to_string());
    for (node, notes) in [(&mut dialler, [&ours, &theirs]), (&mut listener, [&theirs, &ours])] {
        let alarm = node.event(alarm).await;
        assert_eq!((alarm.kind, alarm.height), (Kind::Difference, 100));
        assert_eq!([&alarm.first.1, &alarm.second.1], notes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replayed_and_contradicting_attestations_are_recognised() {
    let (dialler, mut listener) = witnesses().await;
    attest(&dialler, &signed(1, 100, 5)).await;
    listener.counted("attest/1", "pending", 1).await;
    attest(&dialler, &signed(1, 100, 5)).await;
    listener.counted("attest/1", "replayed", 1).await;
    attest(&dialler, &signed(1, 100, 7)).await;
    let alarm = listener.event(alarm).await;
    assert_eq!((alarm.kind, alarm.first.0, alarm.second.0), (Kind::Contradiction, [5; 32], [7; 32]));
}
