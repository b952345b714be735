//! One session: reads, writes, keeps alive, ends with a reason.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{sleep, sleep_until, timeout};

use super::Shared;
use super::connect::ConnectError;
use super::table::{Inlets, Outgoing};
use crate::classic::handshake::Established;
use crate::classic::multiplex::{Incoming, PACKET_BYTES_MAX, PING, PONG, Pace, Packer, Unpacker};
use crate::classic::secret::SecretReader;
use crate::classic::secret::frame::Sealer;
use crate::peering::{Channel, Direction, Event, Peer, SendError, Session};

/// Text that is sealed and written at once.
const BATCH_BYTES: usize = 32 * 1024;
/// Bytes that are read at once.
const READ_BYTES: usize = 64 * 1024;
/// How often the channels' past counts less.
const DECAY_EVERY: Duration = Duration::from_secs(2);
/// A peer that closes this soon, without a word, has refused us.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Why a session ended, in words.
type Reason = String;

/// Runs a session to its end. The end is told as an event; only that it cannot begin is an error.
pub(super) async fn run(
    stream: TcpStream,
    established: Established,
    address: Arc<str>,
    direction: Direction,
    shared: &Arc<Shared>,
) -> Result<(), ConnectError> {
    let Established { id, info, sealer, reader } = established;
    let inlets = shared.table.open(id, &info.channels).ok_or(ConnectError::Duplicate { id })?;
    let session = inlets.session;
    let _entry = Entry { session, shared };
    let channels = info.channels.iter().copied().map(Channel).collect();
    let peer = Peer { id: id.to_string().into(), address, direction, agent: info.version.into(), channels };
    if shared.events.send(Event::Connected { session, peer }).await.is_err() {
        return Ok(());
    }
    let reason = talk(stream, sealer, reader, inlets, shared).await;
    // The peer may come back from here on, under another session.
    shared.table.end(session);
    let _ = shared.events.send(Event::Closed { session, reason }).await;
    Ok(())
}

/// A session's entry in the table, which goes also when the task is aborted.
struct Entry<'a> {
    session: Session,
    shared: &'a Shared,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.shared.table.end(self.session);
    }
}

/// Reads and writes side by side until one of them ends, or somebody wishes an end.
async fn talk(stream: TcpStream, sealer: Sealer, reader: SecretReader, inlets: Inlets, shared: &Shared) -> Reason {
    let Inlets { session, lanes, bell, mut close } = inlets;
    let pong = AtomicBool::new(false);
    let (read, write) = stream.into_split();
    let reading = Reading { session, shared, pong: &pong, bell: &bell, unpacker: Unpacker::new(&shared.channels) };
    let writing = Writing {
        shared,
        lanes,
        pong: &pong,
        bell: &bell,
        packer: Packer::new(&shared.channels),
        under_way: HashMap::new(),
        sealer,
        pace: Pace::new(shared.limits.send_bytes_per_second),
    };
    tokio::select! {
        reason = reading.run(read, reader) => reason,
        reason = writing.run(write) => reason,
        Some(reason) = close.recv() => reason,
    }
}

struct Reading<'a> {
    session: Session,
    shared: &'a Shared,
    pong: &'a AtomicBool,
    bell: &'a Notify,
    unpacker: Unpacker,
}

impl Reading<'_> {
    async fn run(mut self, mut socket: OwnedReadHalf, mut reader: SecretReader) -> Reason {
        let begin = Instant::now();
        let silence = self.shared.limits.silence;
        let mut buffer = vec![0; READ_BYTES];
        // Bytes of the session may have come with the last ones of the handshake.
        let mut said_something = match self.take(&mut reader).await {
            Ok(said) => said,
            Err(reason) => return reason,
        };
        loop {
            let bytes = match timeout(silence, socket.read(&mut buffer)).await {
                Err(_) => return format!("nothing came for {} s, not even a pong", silence.as_secs()),
                Ok(Err(error)) => return parting(said_something, begin, &format!("the connection broke: {error}")),
                Ok(Ok(0)) => return parting(said_something, begin, "closed by the peer"),
                Ok(Ok(bytes)) => bytes,
            };
            if let Err(error) = reader.push(buffer.get(..bytes).unwrap_or_default()) {
                return error.to_string();
            }
            match self.take(&mut reader).await {
                Ok(said) => said_something |= said,
                Err(reason) => return reason,
            }
            // A peer that never stops sending must not keep the thread from all others.
            yield_now().await;
        }
    }

    /// Takes all whole messages; whether there was one.
    async fn take(&mut self, reader: &mut SecretReader) -> Result<bool, Reason> {
        let mut said_something = false;
        loop {
            let packet = reader.message(PACKET_BYTES_MAX).map_err(|error| error.to_string())?;
            let Some(packet) = packet else { return Ok(said_something) };
            said_something = true;
            match self.unpacker.take(packet).map_err(|error| error.to_string())? {
                Some(Incoming::Ping) => {
                    // Any number of pings has one pong.
                    self.pong.store(true, Ordering::Relaxed);
                    self.bell.notify_one();
                }
                Some(Incoming::Message { channel, payload }) => {
                    let payload = self.shared.memory.hold(payload).await;
                    let message = Event::Message { session: self.session, channel, payload };
                    self.shared.events.send(message).await.map_err(|_| "the service is gone".to_owned())?;
                }
                Some(Incoming::Pong) | None => {}
            }
        }
    }
}

/// What to say about a peer that ended the connection.
fn parting(said_something: bool, begin: Instant, what: &str) -> Reason {
    if said_something || begin.elapsed() > AT_ONCE {
        return what.to_owned();
    }
    format!(
        "{what} right after the handshake, although every check of the two NodeInfos holds: it may have a peer of our id or \
         address already (allow_duplicate_ip), all the peers it takes (max_num_inbound_peers), or a filter; its own log has the reason"
    )
}

struct Writing<'a> {
    shared: &'a Shared,
    lanes: Vec<(Channel, mpsc::Receiver<Outgoing>)>,
    pong: &'a AtomicBool,
    bell: &'a Notify,
    packer: Packer,
    /// Who waits for the message that is under way on a channel.
    under_way: HashMap<Channel, oneshot::Sender<Result<(), SendError>>>,
    sealer: Sealer,
    pace: Pace,
}

impl Writing<'_> {
    async fn run(mut self, mut socket: OwnedWriteHalf) -> Reason {
        let limits = &self.shared.limits;
        let (mut text, mut sealed) = (Vec::with_capacity(2 * BATCH_BYTES), Vec::new());
        let mut ping_due = tokio::time::Instant::now() + limits.ping_every;
        let mut decay_due = Instant::now() + DECAY_EVERY;
        loop {
            text.clear();
            if self.pong.swap(false, Ordering::Relaxed) {
                text.extend_from_slice(&PONG);
            }
            if tokio::time::Instant::now() >= ping_due {
                text.extend_from_slice(&PING);
                ping_due += limits.ping_every;
            }
            self.pack(&mut text);
            if text.is_empty() {
                tokio::select! {
                    () = self.bell.notified() => {}
                    () = sleep_until(ping_due) => {}
                }
                continue;
            }
            sealed.clear();
            if let Err(error) = self.sealer.seal(&text, &mut sealed) {
                return error.to_string();
            }
            match timeout(limits.stall, socket.write_all(&sealed)).await {
                Err(_) => return format!("the peer took no bytes for {} s", limits.stall.as_secs()),
                Ok(Err(error)) => return format!("the connection broke: {error}"),
                Ok(Ok(())) => {}
            }
            // Nor one that never stops receiving.
            yield_now().await;
            let now = Instant::now();
            if now >= decay_due {
                self.packer.decay();
                decay_due = now + DECAY_EVERY;
            }
            let pause = self.pace.sent(sealed.len(), now);
            if !pause.is_zero() {
                sleep(pause).await;
            }
        }
    }

    /// Fills up `text` with packets, beginning a message wherever a channel has finished one.
    fn pack(&mut self, text: &mut Vec<u8>) {
        while text.len() < BATCH_BYTES {
            self.load();
            let Some(packed) = self.packer.next(text) else { return };
            if packed.is_last
                && let Some(done) = self.under_way.remove(&packed.channel)
            {
                // Who does not wait for the outcome does not want to know.
                let _ = done.send(Ok(()));
            }
        }
    }

    fn load(&mut self) {
        for (channel, lane) in &mut self.lanes {
            if !self.packer.is_busy(*channel)
                && let Ok(Outgoing { payload, done }) = lane.try_recv()
                && self.packer.load(*channel, payload).is_ok()
            {
                self.under_way.insert(*channel, done);
            }
        }
    }
}
