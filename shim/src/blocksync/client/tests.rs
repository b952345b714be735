//! A fetch against peers of all kinds over a network that delays, reorders and loses, by seeds.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

mod remote;

use super::*;
use crate::source::Offer;
use remote::{Kind, Remote, TOP, block};

/// Numbers that follow from a seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// Something that arrives at a time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    Request(Session, Bytes),
    Answer(Session, Bytes),
    /// A peer dials again.
    Returns(usize),
    Tick,
}

struct World {
    dice: Dice,
    begin: Instant,
    /// Milliseconds since the begin.
    now: u64,
    losses_per_thousand: u64,
    queue: BinaryHeap<Reverse<(u64, u64, Arrival)>>,
    sequence: u64,
    remotes: Vec<Remote>,
    /// Which peer a session is with; sessions that have ended stay.
    sessions: Vec<usize>,
    live: BTreeSet<Session>,
    fetch: Fetch,
    accepted: BTreeSet<u64>,
    let_go: Vec<(Kind, String)>,
}

impl World {
    fn new(seed: u64, kinds: &[Kind], losses_per_thousand: u64) -> Self {
        let remotes: Vec<_> = kinds.iter().map(|&kind| Remote::new(kind)).collect();
        let mut world = Self {
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            begin: Instant::now(),
            now: 0,
            losses_per_thousand,
            queue: BinaryHeap::new(),
            sequence: 0,
            sessions: Vec::new(),
            live: BTreeSet::new(),
            fetch: Fetch::new(1..=TOP, Patience::default()),
            accepted: BTreeSet::new(),
            let_go: Vec::new(),
            remotes,
        };
        (0..kinds.len()).for_each(|remote| world.later(0, Arrival::Returns(remote)));
        world.later(0, Arrival::Tick);
        world
    }

    fn later(&mut self, delay: u64, arrival: Arrival) {
        self.sequence += 1;
        self.queue.push(Reverse((self.now + delay, self.sequence, arrival)));
    }

    /// A message on its way: delayed by chance, so that it may be overtaken, or lost.
    fn on_its_way(&mut self, arrival: Arrival) {
        if self.dice.roll(1_000) >= self.losses_per_thousand {
            let delay = 1 + self.dice.roll(200);
            self.later(delay, arrival);
        }
    }

    fn instant(&self) -> Instant {
        self.begin + Duration::from_millis(self.now)
    }

    /// Runs until all is fetched, or for an hour of its own time.
    fn run(&mut self) {
        while !self.fetch.is_done() {
            let Reverse((when, _, arrival)) = self.queue.pop().expect("ticks never end");
            self.now = when;
            assert!(self.now < 3_600_000, "not done within an hour: {:?}", self.let_go);
            self.arrives(arrival);
            self.act();
        }
    }

    fn arrives(&mut self, arrival: Arrival) {
        let now = self.instant();
        match arrival {
            Arrival::Tick => {
                self.fetch.tick(now);
                self.later(1_000, Arrival::Tick);
            }
            Arrival::Returns(remote) => {
                let session = Session(self.sessions.len() as u64);
                self.sessions.push(remote);
                self.live.insert(session);
                self.remotes[remote] = Remote::new(self.remotes[remote].kind);
                self.fetch.connected(session);
            }
            Arrival::Request(session, payload) if self.live.contains(&session) => {
                let remote = self.sessions[usize::try_from(session.0).expect("few")];
                for answer in self.remotes[remote].answers(payload) {
                    self.on_its_way(Arrival::Answer(session, answer));
                }
            }
            Arrival::Answer(session, payload) if self.live.contains(&session) => {
                self.fetch.received(session, payload, now);
            }
            Arrival::Request(..) | Arrival::Answer(..) => {}
        }
    }

    fn act(&mut self) {
        loop {
            let actions = self.fetch.actions();
            if actions.is_empty() {
                return;
            }
            for action in actions {
                self.does(action);
            }
        }
    }

    fn does(&mut self, action: Action) {
        match action {
            Action::Send { session, payload } => self.on_its_way(Arrival::Request(session, payload)),
            Action::Block { height, block: bytes, .. } => {
                let now = self.instant();
                if bytes == block(height) {
                    assert!(self.accepted.insert(height), "height {height} came twice");
                    self.fetch.accept(height, now);
                } else {
                    self.fetch.reject(height, "forged", now);
                }
            }
            Action::LetGo { session, reason } => {
                assert!(self.live.remove(&session), "a session ends once");
                let remote = self.sessions[usize::try_from(session.0).expect("few")];
                self.let_go.push((self.remotes[remote].kind, reason));
                let pause = 1_000 + self.dice.roll(5_000);
                self.later(pause, Arrival::Returns(remote));
            }
        }
        self.is_within_bounds();
    }

    fn is_within_bounds(&self) {
        assert!(self.fetch.open.len() <= WINDOW);
        let mut asked = BTreeMap::<Session, usize>::new();
        for stand in self.fetch.open.values() {
            if let Stand::Asked { of, .. } = stand {
                *asked.entry(*of).or_default() += 1;
            }
        }
        assert!(asked.values().all(|count| *count <= Patience::default().in_flight_max), "{asked:?}");
    }
}

#[test]
fn everything_is_fetched_once_from_honest_peers_whatever_the_order() {
    for seed in 0..100 {
        let mut world = World::new(seed, &[Kind::Honest, Kind::Half, Kind::Honest], 0);
        world.run();
        assert_eq!(world.accepted, (1..=TOP).collect(), "seed {seed}");
        assert!(world.let_go.is_empty(), "seed {seed}: {:?}", world.let_go);
    }
}

#[test]
fn one_honest_peer_among_all_others_is_enough() {
    let kinds = [
        Kind::Boaster,
        Kind::Silent,
        Kind::Confused,
        Kind::Forger,
        Kind::Stammerer,
        Kind::Noisy,
        Kind::Half,
        Kind::Honest,
    ];
    for seed in 0..100 {
        let mut world = World::new(seed, &kinds, 0);
        world.run();
        assert_eq!(world.accepted, (1..=TOP).collect(), "seed {seed}");
        let wronged = world.let_go.iter().find(|(kind, _)| matches!(kind, Kind::Honest | Kind::Half));
        assert_eq!(wronged, None, "seed {seed}");
        for kind in [Kind::Noisy, Kind::Forger, Kind::Silent] {
            assert!(world.let_go.iter().any(|(one, _)| *one == kind), "seed {seed}: {kind:?} stays");
        }
    }
}

#[test]
fn losses_cost_time_and_no_block() {
    for seed in 0..50 {
        let mut world = World::new(seed, &[Kind::Honest, Kind::Stammerer, Kind::Honest], 20);
        world.run();
        assert_eq!(world.accepted, (1..=TOP).collect(), "seed {seed}");
    }
}

#[test]
fn what_nobody_has_is_named() {
    let now = Instant::now();
    let mut fetch = Fetch::new([5, 500], Patience::default());
    assert_eq!(fetch.wanting().collect::<Vec<_>>(), [5, 500], "without peers");
    fetch.connected(Session(1));
    fetch.received(Session(1), Word::Status(Some(Offer { base: 1, top: 10 })).encode(), now);
    assert_eq!(fetch.wanting().collect::<Vec<_>>(), [500]);
    fetch.received(Session(1), Word::NoBlock { height: 5 }.encode(), now);
    assert_eq!(fetch.wanting().collect::<Vec<_>>(), [5, 500], "it lied");
    assert!(!fetch.is_done());
    fetch.closed(Session(1), now);
    assert_eq!(fetch.wanting().collect::<Vec<_>>(), [5, 500]);
}

/// The heights that are asked for now.
fn asked(fetch: &mut Fetch) -> Vec<u64> {
    let asked = fetch.actions().into_iter().filter_map(|action| match action {
        Action::Send { payload, .. } => match Word::decode(payload) {
            Ok(Word::BlockRequest { height }) => Some(height),
            _ => None,
        },
        _ => None,
    });
    asked.collect()
}

#[test]
fn a_block_that_came_before_the_one_above_is_asked_for_again_after_it() {
    let now = Instant::now();
    let mut fetch = Fetch::new([9, 8, 5], Patience::default());
    fetch.connected(Session(1));
    fetch.received(Session(1), Word::Status(Some(Offer { base: 1, top: 10 })).encode(), now);
    assert_eq!(asked(&mut fetch), [9, 8, 5], "from the top down");
    let comes = |fetch: &mut Fetch, height| {
        let word = Word::Block { block: block(height), extended_commit: None };
        fetch.received(Session(1), word.encode(), now);
    };
    comes(&mut fetch, 8);
    fetch.postpone(8, now);
    comes(&mut fetch, 5);
    fetch.accept(5, now);
    assert_eq!(asked(&mut fetch), [0; 0], "the one above is still open");
    comes(&mut fetch, 9);
    fetch.accept(9, now);
    assert_eq!(asked(&mut fetch), [8]);
    comes(&mut fetch, 8);
    fetch.accept(8, now);
    assert!(fetch.is_done());
}

#[test]
fn the_slower_of_two_peers_is_let_go_and_the_last_one_never() {
    let (begin, patience) = (Instant::now(), Patience::default());
    let slow = Session(1);
    let let_go = |peers: &[Session]| {
        let mut fetch = Fetch::new(1..=40, patience);
        for session in peers {
            fetch.connected(*session);
            fetch.received(*session, Word::Status(Some(Offer { base: 1, top: 40 })).encode(), begin);
        }
        // One small block of the slow one after the other, each before patience ends.
        for second in 1..=patience.judged_every.as_secs() {
            let now = begin + Duration::from_secs(second);
            if second % 10 == 0 {
                let asked =
                    fetch.open.iter().find(|(_, stand)| matches!(stand, Stand::Asked { of, .. } if *of == slow));
                let height = *asked.expect("is asked").0;
                fetch.received(slow, Word::Block { block: block(height), extended_commit: None }.encode(), now);
                fetch.accept(height, now);
            }
            fetch.tick(now);
        }
        let actions = fetch.actions();
        actions
            .into_iter()
            .filter_map(|action| match action {
                Action::LetGo { session, reason } => Some((session, reason)),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(let_go(&[slow]), []);
    let with_another = let_go(&[slow, Session(2)]);
    assert_eq!(with_another.len(), 1, "{with_another:?}");
    assert!(with_another[0].1.starts_with("too slow"), "{with_another:?}");
}
