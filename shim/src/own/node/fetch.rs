//! Blocks from peers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use libp2p::futures::{AsyncRead, AsyncWriteExt};
use libp2p::{PeerId, Stream};
use prost::Message;
use proto::hello::{Disputed, Heights, Version};
use proto::negotiate::{Incompatible, Reason};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::own::blocks::{Check, Code, Fault, Progress, Receiver, one};
use crate::own::framing::{self, FramingError};
use crate::own::limits::{FRAME_BYTES_MAX, IDLE, RESPONSE_BYTES_MAX};
use crate::own::protocol::Protocol;
use crate::own::streams::OpenError;

use super::handle::Handle;
use super::session::Session;

/// Streams in a row that may bring nothing before a peer is given up.
const VAIN_STREAMS_MAX: u32 = 4;

/// How long to wait before asking a peer again that was busy or broke off.
const PAUSE: Duration = Duration::from_secs(1);

/// The blocks of a range on their way, from one peer after another.
///
/// What one peer began another can complete: a block of which parts are proven is asked for from there on.
pub struct Download<C> {
    heights: Heights,
    work: Arc<Mutex<Work<C>>>,
}

struct Work<C> {
    receiver: Receiver,
    check: C,
}

/// Why a peer brought no more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There is no connection with it.
    #[error("{peer} is not connected")]
    NotConnected {
        /// The peer.
        peer: PeerId,
    },
    /// It has not said hello.
    #[error("{peer} has not said hello")]
    NoHello {
        /// The peer.
        peer: PeerId,
    },
    /// The two can do nothing for each other.
    #[error(transparent)]
    Incompatible(#[from] Incompatible),
    /// It cannot serve us at present.
    #[error("{0}")]
    NotServed(Reason),
    /// The two check block times by different rules there.
    #[error("the peer checks the times of {disputed} by another rule; heights {heights} are not fetched from it")]
    Disputed {
        /// The heights asked for.
        heights: Heights,
        /// The heights at which the rules differ.
        disputed: Disputed,
    },
    /// No stream could be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The streams broke again and again.
    #[error(transparent)]
    Stream(#[from] FramingError),
    /// What it sent is not what was asked for.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The owner's check ended in a panic.
    #[error("the check of a block panicked")]
    Panicked,
}

impl<C: Check + 'static> Download<C> {
    /// The blocks of a range, to be judged by `check`.
    #[must_use]
    pub fn new(heights: Heights, check: C) -> Self {
        Self { heights, work: Arc::new(Mutex::new(Work { receiver: Receiver::new(heights), check })) }
    }

    /// The lowest height that is not here yet.
    #[must_use]
    pub fn next_height(&self) -> u64 {
        self.lock().receiver.next_height()
    }

    /// Whether all blocks are here.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.lock().receiver.is_complete()
    }

    /// What judged the blocks; `None` while a thread still does.
    #[must_use]
    pub fn into_check(self) -> Option<C> {
        let work = Arc::into_inner(self.work)?.into_inner().unwrap_or_else(PoisonError::into_inner);
        Some(work.check)
    }

    /// Fetches from a peer until all blocks are here; gives the version that it was done in.
    ///
    /// # Errors
    /// [`FetchError`]: then what came stays, and another peer may go on.
    pub async fn from(&mut self, handle: &Handle, peer: PeerId) -> Result<Version, FetchError> {
        let (session, version) = self.choose(handle, peer).await?;
        let mut in_vain = 0;
        while !self.is_complete() {
            let before = self.taken();
            let outcome = match version {
                Version::ONE => self.by_one(handle, &session).await,
                _ => self.by_two(handle, &session).await,
            };
            in_vain = if self.taken() > before { 0 } else { in_vain + 1 };
            match outcome {
                Ok(()) => {}
                Err(error) => self.bear(handle, &session, version, in_vain, error).await?,
            }
        }
        handle.count(&session, version, "ranges_fetched");
        Ok(version)
    }

    /// Waits before another attempt, where there is sense in one.
    async fn bear(
        &self,
        handle: &Handle,
        session: &Session,
        version: Version,
        in_vain: u32,
        error: FetchError,
    ) -> Result<(), FetchError> {
        let is_passing = match &error {
            FetchError::Fault(Fault::Refused(refusal)) => refusal.code == Code::Busy,
            FetchError::Fault(Fault::HeadChanged { .. }) => true,
            FetchError::Stream(error) => !error.is_misbehaviour(),
            _ => false,
        };
        handle.failed(session, version, &error).await;
        if !is_passing || in_vain >= VAIN_STREAMS_MAX {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    /// The connection to use and the version agreed upon.
    async fn choose(&self, handle: &Handle, peer: PeerId) -> Result<(Arc<Session>, Version), FetchError> {
        let session = handle.session(peer).ok_or(FetchError::NotConnected { peer })?;
        let agreement = session.negotiated().await.ok_or(FetchError::NoHello { peer })??;
        let version = agreement.fetch.map_err(FetchError::NotServed)?;
        let heights = self.heights;
        match agreement.disputed {
            Some(disputed) if disputed.meets(heights) => Err(FetchError::Disputed { heights, disputed }),
            _ => Ok((session, version)),
        }
    }

    fn taken(&self) -> (u64, u32) {
        self.lock().receiver.parts_taken()
    }

    fn lock(&self) -> MutexGuard<'_, Work<C>> {
        lock(&self.work)
    }

    async fn by_one(&self, handle: &Handle, session: &Session) -> Result<(), FetchError> {
        let mut stream = handle.open(session, Protocol::Blocks1).await?;
        while !self.is_complete() {
            framing::write(&mut stream, &one::request(self.next_height())).await?;
            let response = framing::read(&mut stream, RESPONSE_BYTES_MAX, IDLE).await?;
            let work = Arc::clone(&self.work);
            let taken = spawn_blocking(move || {
                let Work { receiver, check } = &mut *lock(&work);
                receiver.take_whole(response, check)
            });
            taken.await.map_err(|_| FetchError::Panicked)??;
        }
        // Everything is here: how the stream ends does not matter.
        let _ = stream.close().await;
        Ok(())
    }

    async fn by_two(&self, handle: &Handle, session: &Session) -> Result<(), FetchError> {
        let mut stream = handle.open(session, Protocol::Blocks2).await?;
        let request = self.lock().receiver.begin();
        framing::write(&mut stream, &request.encode_to_vec()).await?;
        close_writing(&mut stream).await?;
        // One frame is checked while the next is read; a third waits here at most.
        let (frames, arrived) = mpsc::channel(1);
        let work = Arc::clone(&self.work);
        let taking = spawn_blocking(move || take_frames(&work, arrived));
        let broken = read_frames(&mut stream, &frames).await;
        drop(frames);
        match taking.await.map_err(|_| FetchError::Panicked)?? {
            Progress::Done => Ok(()),
            Progress::More => Err(broken.into()),
        }
    }
}

/// Says that no more is asked for.
async fn close_writing(stream: &mut Stream) -> Result<(), FramingError> {
    stream.close().await.map_err(|source| FramingError::Broken { source })
}

/// Reads frames until the stream ends or nobody takes them any more; why it ended.
async fn read_frames<S: AsyncRead + Unpin>(stream: &mut S, frames: &mpsc::Sender<Bytes>) -> FramingError {
    loop {
        match framing::read(stream, FRAME_BYTES_MAX, IDLE).await {
            Ok(frame) => {
                if frames.send(frame).await.is_err() {
                    return FramingError::Ended;
                }
            }
            Err(error) => return error,
        }
    }
}

fn take_frames<C: Check>(work: &Mutex<Work<C>>, mut arrived: mpsc::Receiver<Bytes>) -> Result<Progress, Fault> {
    while let Some(frame) = arrived.blocking_recv() {
        let Work { receiver, check } = &mut *lock(work);
        if receiver.take(frame, check)? == Progress::Done {
            return Ok(Progress::Done);
        }
    }
    Ok(Progress::More)
}

fn lock<C>(work: &Mutex<Work<C>>) -> MutexGuard<'_, Work<C>> {
    // After a panic of a check nothing more is fetched; only its remains are looked at.
    work.lock().unwrap_or_else(PoisonError::into_inner)
}
