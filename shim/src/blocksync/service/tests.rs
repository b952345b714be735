//! The service against a transport that is played by the test.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use prost::Message as _;
use proto::cometbft::consensus::message::Sum;
use proto::cometbft::consensus::{Message, NewRoundStep, NewValidBlock};
use proto::cometbft::types::PartSetHeader;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::*;
use crate::blocksync::fixture::{Golden, blocks};
use crate::blocksync::message::Word;
use crate::peering::{Command, Direction, SendError};
use crate::source::{Offer, OfferedBlock, SourceError};

/// Longer than anything here takes on a busy machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);
const SESSION: Session = Session(7);

/// A source whose offer the test sets.
struct Growing {
    all: Golden,
    offer: Mutex<Option<Offer>>,
}

impl Growing {
    fn of(chain: usize, offer: Option<Offer>) -> Arc<Self> {
        Arc::new(Self { all: Golden::of(blocks().remove(chain)), offer: Mutex::new(offer) })
    }
}

impl BlockSource for Growing {
    fn chain_id(&self) -> &str {
        self.all.chain_id()
    }

    fn offer(&self) -> Option<Offer> {
        *self.offer.lock().expect("no test panics with it")
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        self.all.block(height)
    }
}

/// Remembers the notes in words.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Log for Notes {
    fn note(&self, note: &Note<'_>) {
        self.0.lock().expect("no test panics with it").push(format!("{note:?}"));
    }
}

struct Stage {
    events: mpsc::Sender<Event>,
    commands: mpsc::Receiver<Command>,
    notes: Arc<Notes>,
    counters: Arc<Counters>,
}

impl Stage {
    fn new(source: Arc<Growing>) -> Self {
        let (events, told) = mpsc::channel(16);
        let (outbox, commands) = Outbox::new(16);
        let (notes, counters) = (Arc::<Notes>::default(), Arc::<Counters>::default());
        let (log, budget) = (Arc::clone(&notes) as Arc<dyn Log>, Arc::new(Budget::new(1 << 20)));
        let service = Service { transport: "test", source, counters: Arc::clone(&counters), log, budget };
        tokio::spawn(run(service, told, outbox));
        Self { events, commands, notes, counters }
    }

    async fn connect(&self) {
        let peer = Peer {
            id: "id".into(),
            address: "address".into(),
            direction: Direction::Inbound,
            agent: "0.38.26".into(),
            channels: Vec::new(),
        };
        self.tell(Event::Connected { session: SESSION, peer }).await;
    }

    async fn tell(&self, event: Event) {
        self.events.send(event).await.expect("the service lives");
    }

    async fn say(&self, channel: Channel, payload: Bytes) {
        self.tell(Event::Message { session: SESSION, channel, payload }).await;
    }

    async fn step(&self, height: i64) {
        let step = NewRoundStep { height, round: 0, step: 1, seconds_since_start_time: 0, last_commit_round: 0 };
        self.say(Channel::STATE, Message { sum: Some(Sum::NewRoundStep(step)) }.encode_to_vec().into()).await;
    }

    async fn command(&mut self) -> Command {
        timeout(PATIENCE, self.commands.recv()).await.expect("a command in time").expect("the service lives")
    }

    /// What is sent next, taken by the peer.
    async fn sent(&mut self) -> (Channel, Bytes) {
        let (channel, payload, done) = self.held().await;
        done.send(Ok(())).expect("somebody waits");
        (channel, payload)
    }

    /// What is sent next, and the way to say that the peer took it.
    async fn held(&mut self) -> (Channel, Bytes, oneshot::Sender<Result<(), SendError>>) {
        match self.command().await {
            Command::Send { session: SESSION, channel, payload, done } => (channel, payload, done),
            other => panic!("a message expected: {other:?}"),
        }
    }

    async fn word(&mut self) -> Word {
        let (channel, payload) = self.sent().await;
        assert_eq!(channel, Channel::BLOCKSYNC);
        Word::decode(payload).expect("a word")
    }

    async fn closed(&mut self) -> String {
        match self.command().await {
            Command::Close { session: SESSION, reason } => reason,
            other => panic!("the end expected: {other:?}"),
        }
    }

    fn counts(&self) -> HashMap<&'static str, u64> {
        self.counters.snapshot().into_iter().map(|count| (count.outcome, count.count)).collect()
    }
}

#[tokio::test]
async fn heights_are_told_at_once_and_again_when_they_grow() {
    let source = Growing::of(0, None);
    let mut stage = Stage::new(Arc::clone(&source));
    stage.connect().await;
    assert!(timeout(Duration::from_millis(700), stage.commands.recv()).await.is_err(), "there is nothing to tell");
    for top in [2, 3] {
        *source.offer.lock().expect("lock") = Some(Offer { base: 1, top });
        assert_eq!(stage.word().await, Word::Status(Some(Offer { base: 1, top })));
    }
}

#[tokio::test]
async fn an_empty_node_gets_every_block_it_asks_for() {
    let source = Growing::of(0, Some(Offer { base: 1, top: 3 }));
    let mut stage = Stage::new(Arc::clone(&source));
    stage.connect().await;
    assert_eq!(stage.word().await, Word::Status(Some(Offer { base: 1, top: 3 })));
    for height in 1..=4 {
        stage.say(Channel::BLOCKSYNC, Word::BlockRequest { height }.encode()).await;
    }
    let mut bytes = 0;
    for height in 1..=3 {
        let (_, payload) = stage.sent().await;
        bytes += payload.len() as u64;
        let expected = source.block(height).expect("reads").expect("is there").block;
        assert_eq!(Word::decode(payload).expect("a word"), Word::Block { block: expected, extended_commit: None });
    }
    assert_eq!(stage.word().await, Word::NoBlock { height: 4 });
    stage.tell(Event::Closed { session: SESSION, reason: "gone".to_owned() }).await;
    stage.tell(Event::Refused { address: "a".into(), direction: Direction::Inbound, reason: "r".to_owned() }).await;
    let served = Served { blocks: 3, bytes, highest: 3, missing: 1, caught_up: 0 };
    let expected = format!("{served:?}");
    let noted = || stage.notes.0.lock().expect("lock").iter().any(|note| note.contains(&expected));
    timeout(PATIENCE, async {
        while !noted() {
            tokio::time::sleep(Duration::from_millis(10)).await
        }
    })
    .await
    .expect("what was served is told");
    let counts = stage.counts();
    assert_eq!([counts["block"], counts["block bytes"], counts["no block"], counts["refused"]], [3, bytes, 1, 1]);
}

#[tokio::test]
async fn a_node_that_is_behind_gets_votes_and_then_parts() {
    let source = Growing::of(0, Some(Offer { base: 1, top: 2 }));
    let mut stage = Stage::new(Arc::clone(&source));
    stage.connect().await;
    stage.word().await;
    stage.step(2).await;
    assert!(timeout(Duration::from_millis(700), stage.commands.recv()).await.is_err(), "its votes are not there yet");
    *source.offer.lock().expect("lock") = Some(Offer { base: 1, top: 3 });
    let block = source.block(2).expect("reads").expect("is there");
    let mut votes = precommits_of(&source, 2);
    while let Some(expected) = votes.next() {
        match stage.sent().await {
            (Channel::VOTE, payload) => assert_eq!(payload, expected),
            // The higher status may come in between.
            (Channel::BLOCKSYNC, _) => votes = Box::new(std::iter::once(expected).chain(votes)),
            other => panic!("votes expected: {other:?}"),
        }
    }
    let header = PartSetHeader { total: 1, hash: proofs::merkle::leaf_hash(&block.block).to_vec().into() };
    let valid =
        NewValidBlock { height: 2, round: 0, block_part_set_header: Some(header), block_parts: None, is_commit: true };
    stage.say(Channel::STATE, Message { sum: Some(Sum::NewValidBlock(valid)) }.encode_to_vec().into()).await;
    let part = loop {
        let (channel, payload) = stage.sent().await;
        if channel == Channel::DATA {
            break payload;
        }
    };
    let Some(Sum::BlockPart(part)) = Message::decode(part).expect("decodes").sum else { panic!("a part expected") };
    assert_eq!(part.part.expect("a part").bytes, block.block);
}

fn precommits_of(source: &Growing, height: u64) -> Box<dyn Iterator<Item = Bytes>> {
    let [block, above] = [height, height + 1].map(|height| source.block(height).expect("reads").expect("is there"));
    let votes = crate::blocksync::catch_up::precommits(&block, &above).expect("votes");
    assert!(votes.len() >= 3);
    Box::new(votes.into_iter())
}

#[tokio::test]
async fn who_asks_without_end_or_nonsense_is_let_go() {
    let source = Growing::of(0, Some(Offer { base: 1, top: 3 }));
    let mut stage = Stage::new(Arc::clone(&source));
    stage.connect().await;
    let (_, _, _never_taken) = stage.held().await;
    for _ in 0..INBOX_MAX + 1 {
        stage.say(Channel::BLOCKSYNC, Word::BlockRequest { height: 1 }.encode()).await;
    }
    assert_eq!(stage.closed().await, "it asks for more than 64 things without taking the answers");

    let mut stage = Stage::new(source);
    stage.connect().await;
    stage.word().await;
    stage.say(Channel::BLOCKSYNC, Bytes::from_static(&[0x32, 0x00])).await;
    assert_eq!(stage.closed().await, "an unknown message of block sync");
    stage.say(Channel::STATE, Bytes::from_static(&[0x0a])).await;
    assert!(stage.closed().await.starts_with("malformed message of consensus"));
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_let_go_with_the_reason() {
    let mut stage = Stage::new(Growing::of(0, Some(Offer { base: 1, top: 3 })));
    stage.connect().await;
    let (_, _, done) = stage.held().await;
    done.send(Err(SendError::TimedOut)).expect("somebody waits");
    assert_eq!(stage.closed().await, "the peer did not take the message in time");
}

#[tokio::test]
async fn a_block_that_the_channel_cannot_carry_is_said_to_be_missing() {
    let mut stage = Stage::new(Growing::of(0, Some(Offer { base: 1, top: 3 })));
    stage.connect().await;
    stage.word().await;
    stage.say(Channel::BLOCKSYNC, Word::BlockRequest { height: 2 }.encode()).await;
    let (channel, _, done) = stage.held().await;
    done.send(Err(SendError::TooLarge { channel, bytes: 2, limit: 1 })).expect("somebody waits");
    assert_eq!(stage.word().await, Word::NoBlock { height: 2 });
    assert!(stage.notes.0.lock().expect("lock").iter().any(|note| note.contains("Undelivered { height: 2")));
}
