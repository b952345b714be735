//! The exchange of hellos under seeded schedules of delay, loss and reordering: whatever happens, once the network
//! is quiet both sides know the other's newest hello, and come to mirrored outcomes.

use std::num::NonZeroU64;
use std::time::Duration;

use proto::hello::{Heights, Hello, HelloError, Printable, Status, Storage, Terms, TimeRule, Version, Versions};
use proto::negotiate::{Agreement, Incompatible};
use shim::own::hello::{Change, Greeter, Opener, Received};

use super::support::Random;

fn hello(versions: &[u32], tip: u64) -> Hello {
    let versions = || Versions::new(versions.iter().copied()).expect("versions");
    Hello {
        chain_id: Printable::new("chain-1").expect("a chain id"),
        genesis_hash: [7; 32],
        terms: Terms::new(versions(), versions(), Version(0)),
        time_rule: TimeRule::V0_38,
        attest_every: NonZeroU64::new(100),
        status: Status::new(Storage::Old, Some(Heights::new(1, tip).expect("heights")), tip).expect("a status"),
        agent: Printable::new("test/1").expect("an agent"),
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What is under way on the simulated network.
enum Packet {
    /// To a side: a greeting, or why it was lost.
    Greeting(usize, Vec<u8>),
    /// To a side: the reply to its greeting, or why there is none.
    Reply(usize, Result<Vec<u8>, String>),
}

struct Network {
    sides: [Greeter; 2],
    locals: [Hello; 2],
    /// When each packet arrives.
    packets: Vec<(Duration, Packet)>,
    random: Random,
}

impl Network {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let sets: [&[u32]; 4] = [&[1], &[1, 2], &[2], &[3]];
        let locals = [hello(sets[random.below(4)], 100), hello(sets[random.below(4)], 100)];
        let side = |place: usize, opener| Greeter::new(locals[place].clone(), opener, Duration::ZERO);
        let sides = [side(0, Opener::Local), side(1, Opener::Remote)];
        Self { sides, locals, packets: Vec::new(), random }
    }

    fn send(&mut self, now: Duration, packet: Packet) {
        let delay = Duration::from_millis(self.random.next() % 8_000);
        self.packets.push((now + delay, packet));
    }

    /// One second: greetings that are due, packets that arrive, with loss while it is not quiet.
    fn step(&mut self, now: Duration, is_quiet: bool) {
        for side in 0..2 {
            if let Some(greeting) = self.sides[side].poll(now) {
                let packet = match !is_quiet && self.random.below(3) == 0 {
                    true => Packet::Reply(side, Err("lost".to_owned())),
                    false => Packet::Greeting(1 - side, greeting),
                };
                self.send(now, packet);
            }
        }
        let (arrived, later) = std::mem::take(&mut self.packets).into_iter().partition(|(at, _)| *at <= now);
        self.packets = later;
        for (_, packet) in arrived {
            match packet {
                Packet::Greeting(side, bytes) => {
                    let Received { reply, .. } = self.sides[side].received(now, &bytes);
                    let is_lost = !is_quiet && self.random.below(3) == 0;
                    let reply = reply.filter(|_| !is_lost).ok_or_else(|| "no reply".to_owned());
                    self.send(now, Packet::Reply(1 - side, reply));
                }
                Packet::Reply(side, reply) => {
                    self.sides[side].replied(now, reply.as_deref().map_err(Clone::clone));
                }
            }
        }
    }
}

#[test]
fn both_sides_come_to_mirrored_outcomes_whatever_the_network_does() {
    for seed in 0..300 {
        let mut network = Network::new(seed);
        for second in 0..2_000 {
            let (now, is_quiet) = (seconds(second), second >= 1_000);
            if !is_quiet && network.random.below(40) == 0 {
                let side = network.random.below(2);
                network.locals[side].status = hello(&[], second + 101).status;
                if network.random.below(3) == 0 {
                    network.locals[side].terms = hello(&[1, 2], 1).terms;
                }
                let local = network.locals[side].clone();
                network.sides[side].set_local(now, local);
            }
            network.step(now, is_quiet);
        }
        let [a, b] = &network.sides;
        assert_eq!((a.remote(), b.remote()), (Some(&network.locals[1]), Some(&network.locals[0])), "seed {seed}");
        let mirrored =
            b.outcome().cloned().map(|outcome| outcome.map(Agreement::mirrored).map_err(Incompatible::mirrored));
        assert_eq!(a.outcome(), mirrored.as_ref(), "seed {seed}");
        assert!(network.packets.is_empty() && a.due().is_none() && b.due().is_none(), "quiet: seed {seed}");
    }
}

#[test]
fn each_outcome_is_told_once_and_on_both_sides() {
    let mut dialler = Greeter::new(hello(&[1], 9), Opener::Local, seconds(0));
    let mut listener = Greeter::new(hello(&[2], 9), Opener::Remote, seconds(0));
    assert_eq!(listener.poll(seconds(4)), None);
    let greeting = dialler.poll(seconds(0)).expect("a dialler greets at once");
    let Received { reply, change } = listener.received(seconds(1), &greeting);
    let Some(Change::Incompatible(theirs)) = change else { panic!("{change:?}") };
    let change = dialler.replied(seconds(2), Ok(&reply.expect("a reply")));
    assert_eq!(change, Some(Change::Incompatible(theirs.mirrored())));
    assert_eq!((dialler.due(), listener.due()), (None, None));

    // The same again is nothing new; an upgrade is.
    assert_eq!(listener.received(seconds(20), &greeting).change, None);
    dialler.set_local(seconds(30), hello(&[1, 2], 9)).expect("an agreement now");
    let greeting = dialler.poll(seconds(30)).expect("due");
    assert!(matches!(listener.received(seconds(31), &greeting).change, Some(Change::Agreed(_))));
}

#[test]
fn a_greeting_that_was_overtaken_does_not_replace_a_newer_one() {
    let mut sender = Greeter::new(hello(&[1], 9), Opener::Local, seconds(0));
    let mut receiver = Greeter::new(hello(&[1, 2], 9), Opener::Remote, seconds(0));
    let first = sender.poll(seconds(0)).expect("due");
    sender.replied(seconds(1), Err("lost".to_owned()));
    sender.set_local(seconds(1), hello(&[1, 2], 9));
    let second = sender.poll(seconds(60)).expect("due");
    receiver.received(seconds(61), &second);
    assert_eq!(receiver.received(seconds(62), &first).change, None);
    assert_eq!(receiver.remote(), Some(&hello(&[1, 2], 9)));
}

#[test]
fn forged_and_frequent_greetings_cost_little_and_are_told_once() {
    let mut greeter = Greeter::new(hello(&[1], 9), Opener::Remote, seconds(0));
    let forged = greeter.received(seconds(0), &[0xff]);
    assert!(matches!(forged, Received { reply: None, change: Some(Change::Forged(HelloError::Malformed { .. })) }));
    let greeting = Greeter::new(hello(&[1], 9), Opener::Local, seconds(0)).poll(seconds(0)).expect("due");
    let replies = (0..1_000).filter(|_| greeter.received(seconds(1), &greeting).reply.is_some()).count();
    assert_eq!(replies, 7);
    assert!(greeter.received(seconds(9), &greeting).reply.is_some());
}

#[test]
fn a_peer_that_never_answers_is_told_once_and_asked_less_and_less() {
    let mut greeter = Greeter::new(hello(&[1], 9), Opener::Local, seconds(0));
    let (mut told, mut asked) = (0, 0);
    for second in 0..86_400 {
        if greeter.poll(seconds(second)).is_some() {
            asked += 1;
            told += usize::from(greeter.replied(seconds(second), Err("nothing".to_owned())).is_some());
        }
    }
    assert_eq!(told, 1);
    assert!((86_400 / 300..86_400 / 300 + 10).contains(&asked), "{asked}");
}
