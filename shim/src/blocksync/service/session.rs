//! One session: answers, announces, and helps a node that is behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::log::{Note, Served};
use super::{Consensus, Service};
use crate::blocksync::catch_up::{Heard, Need, WantedParts, parts, precommits};
use crate::blocksync::message::Word;
use crate::blocksync::server::{Answer, Server};
use crate::peering::{Channel, Outbox, Peer, SendError, Session};
use crate::source::{BlockSource, OfferedBlock, SourceError};

/// How often the offer is looked at: whether it grew, and whether what a node lacks is there now.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A peer must take an answer within this and a second for each [`SLOWEST`] bytes: a third of what nodes ask of each other.
const PATIENCE: Duration = Duration::from_secs(15);
const SLOWEST: usize = 40_000;

/// The task of a session.
pub(super) struct Task {
    service: Service,
    session: Session,
    peer: Arc<Peer>,
    outbox: Outbox,
    consensus: Arc<Consensus>,
    server: Server,
    served: Served,
}

/// Why a session should end; `None` when it has ended already.
type End = Option<String>;

impl Task {
    pub(super) fn new(
        service: &Service,
        session: Session,
        peer: &Arc<Peer>,
        outbox: &Outbox,
        consensus: &Arc<Consensus>,
    ) -> Self {
        Self {
            service: service.clone(),
            session,
            peer: Arc::clone(peer),
            outbox: outbox.clone(),
            consensus: Arc::clone(consensus),
            server: Server::default(),
            served: Served::default(),
        }
    }

    /// Runs until the session ends: its inbox closes then.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Bytes>) {
        if let Err(Some(reason)) = self.serve(&mut inbox).await {
            let (transport, peer) = (self.service.transport, &*self.peer);
            self.service.count(peer, "let go");
            self.service.log.note(&Note::LetGo { transport, peer, reason: &reason });
            self.outbox.close(self.session, reason).await;
        }
        let (transport, peer, served) = (self.service.transport, &*self.peer, self.served);
        self.service.log.note(&Note::Served { transport, peer, served });
    }

    async fn serve(&mut self, inbox: &mut mpsc::Receiver<Bytes>) -> Result<(), End> {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let consensus = Arc::clone(&self.consensus);
        loop {
            tokio::select! {
                message = inbox.recv() => match message {
                    None => return Ok(()),
                    Some(payload) => self.answer(payload).await?,
                },
                // Its first tick is at once: what is there is told right after the connection.
                _ = look.tick() => {
                    if let Some(payload) = self.server.announce(self.service.source.offer()) {
                        self.send(Channel::BLOCKSYNC, payload).await?;
                    }
                    if self.consensus.with(|state| state.asks(Instant::now())) {
                        self.send(Channel::BLOCKSYNC, Word::StatusRequest.encode()).await?;
                    }
                    self.help().await?;
                }
                () = consensus.bell.notified() => self.help().await?,
            }
        }
    }

    async fn answer(&mut self, payload: Bytes) -> Result<(), End> {
        let mut server = std::mem::take(&mut self.server);
        let source = Arc::clone(&self.service.source);
        let read = move || {
            let answer = server.answer(payload, &*source);
            (server, answer)
        };
        let budget = Arc::clone(&self.service.budget);
        let size = |(_, answer): &(Server, Result<Answer, _>)| match answer {
            Ok(Answer::Block { payload, .. }) => payload.len(),
            _ => 0,
        };
        let Some(((server, answer), _share)) = budget.read(read, size).await else {
            return Err(Some("a block could not be read".to_owned()));
        };
        self.server = server;
        match answer.map_err(|misconduct| Some(misconduct.to_string()))? {
            Answer::Nothing => Ok(()),
            Answer::Heard { top } => {
                self.consensus.with(|state| state.hear(Heard::Tip(top.unwrap_or(0))));
                self.help().await
            }
            Answer::Status(payload) => self.send(Channel::BLOCKSYNC, payload).await,
            Answer::NoBlock { payload, .. } => {
                self.served.missing += 1;
                self.service.count(&self.peer, "no block");
                self.send(Channel::BLOCKSYNC, payload).await
            }
            Answer::Damaged { error, payload } => {
                self.undelivered(&error);
                self.send(Channel::BLOCKSYNC, payload).await
            }
            Answer::Block { height, payload } => self.deliver(height, payload).await,
        }
    }

    async fn deliver(&mut self, height: u64, payload: Bytes) -> Result<(), End> {
        let bytes = payload.len() as u64;
        match self.try_send(Channel::BLOCKSYNC, payload).await {
            Ok(()) => {
                self.served.blocks += 1;
                self.served.bytes += bytes;
                self.served.highest = self.served.highest.max(height);
                self.service.count(&self.peer, "block");
                self.service.counters.add(self.service.transport, &self.peer.agent, "block bytes", bytes);
                Ok(())
            }
            Err(error @ SendError::TooLarge { .. }) => {
                let reason = format!("{error}: the peer must get it by a transport that carries it");
                self.service.log.note(&Note::Undelivered { height, reason: &reason });
                self.send(Channel::BLOCKSYNC, Word::NoBlock { height }.encode()).await
            }
            Err(error) => Err(ended(&error)),
        }
    }

    /// Sends what the node lacks to go on, as far as it is there.
    async fn help(&mut self) -> Result<(), End> {
        while let Some(need) = self.consensus.with(|state| state.next(self.service.source.offer(), Instant::now())) {
            match need {
                Need::Votes { height } => self.send_votes(height).await?,
                Need::Parts(wanted) => self.send_parts(wanted).await?,
            }
        }
        Ok(())
    }

    async fn send_votes(&mut self, height: u64) -> Result<(), End> {
        let source = Arc::clone(&self.service.source);
        let read = move || -> Result<Vec<Bytes>, SourceError> {
            let [block, above] = [load(&*source, height)?, load(&*source, height + 1)?];
            precommits(&block, &above).map_err(|error| SourceError { height, reason: error.to_string() })
        };
        let budget = Arc::clone(&self.service.budget);
        let size = |votes: &Result<Vec<Bytes>, _>| votes.iter().flatten().map(Bytes::len).sum();
        match budget.read(read, size).await {
            Some((Ok(votes), _share)) => {
                for vote in votes {
                    self.send(Channel::VOTE, vote).await?;
                }
                self.service.count(&self.peer, "votes");
            }
            Some((Err(error), _)) => self.undelivered(&error),
            None => {}
        }
        Ok(())
    }

    async fn send_parts(&mut self, wanted: WantedParts) -> Result<(), End> {
        let source = Arc::clone(&self.service.source);
        let height = wanted.height;
        let read = move || {
            let block = load(&*source, height)?.block;
            let parts = parts(&block, &wanted).map_err(|error| SourceError { height, reason: error.to_string() })?;
            Ok((block.len(), parts))
        };
        let budget = Arc::clone(&self.service.budget);
        // The parts are made one by one out of the block.
        match budget.read(read, |read: &Result<(usize, _), _>| read.as_ref().map_or(0, |(bytes, _)| *bytes)).await {
            Some((Ok((_, parts)), _share)) => {
                for part in parts {
                    self.send(Channel::DATA, part).await?;
                }
                self.served.caught_up += 1;
                self.service.count(&self.peer, "caught up");
            }
            Some((Err(error), _)) => self.undelivered(&error),
            None => {}
        }
        Ok(())
    }

    fn undelivered(&self, error: &SourceError) {
        self.service.count(&self.peer, "undelivered");
        self.service.log.note(&Note::Undelivered { height: error.height, reason: &error.reason });
    }

    async fn send(&self, channel: Channel, payload: Bytes) -> Result<(), End> {
        self.try_send(channel, payload).await.map_err(|error| ended(&error))
    }

    async fn try_send(&self, channel: Channel, payload: Bytes) -> Result<(), SendError> {
        let seconds = (payload.len() / SLOWEST) as u64;
        let limit = PATIENCE + Duration::from_secs(seconds);
        timeout(limit, self.outbox.send(self.session, channel, payload)).await.unwrap_or(Err(SendError::TimedOut))
    }
}

fn ended(error: &SendError) -> End {
    (*error != SendError::Closed).then(|| error.to_string())
}

fn load(source: &dyn BlockSource, height: u64) -> Result<OfferedBlock, SourceError> {
    source.block(height)?.ok_or_else(|| SourceError { height, reason: "it is not in the offer any more".to_owned() })
}
