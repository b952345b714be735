//! What the service is still to be told of sessions, in order, while its queue is full.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use libp2p::futures::FutureExt;
use libp2p::futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::sync::mpsc::OwnedPermit;
use tokio::sync::mpsc::error::SendError;

use super::link::Link;
use crate::peering::Event;

/// Refused connections that may wait to be told; anybody can cause them, so no more are kept.
const REFUSALS_MAX: usize = 256;

struct Notice {
    event: Event,
    /// The session whose messages may follow it.
    begins: Option<Arc<Link>>,
}

/// The service no longer listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ServiceGone;

/// Notices in the order in which they are due. As many as there are sessions, and some refusals.
pub(super) struct Notices {
    waiting: VecDeque<Notice>,
    events: mpsc::Sender<Event>,
    place: Option<BoxFuture<'static, Result<OwnedPermit<Event>, SendError<()>>>>,
}

impl Notices {
    pub(super) fn new(events: mpsc::Sender<Event>) -> Self {
        Self { waiting: VecDeque::new(), events, place: None }
    }

    /// A session begins; its messages flow once the service has been told.
    pub(super) fn begin(&mut self, event: Event, link: Arc<Link>) {
        self.waiting.push_back(Notice { event, begins: Some(link) });
    }

    /// A session ended.
    pub(super) fn end(&mut self, event: Event) {
        self.waiting.push_back(Notice { event, begins: None });
    }

    /// A connection was refused; left out when too many wait.
    pub(super) fn refuse(&mut self, event: Event) {
        if self.waiting.len() < REFUSALS_MAX {
            self.waiting.push_back(Notice { event, begins: None });
        }
    }

    /// Tells what can be told now; ready only when the service has gone.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ServiceGone> {
        while !self.waiting.is_empty() {
            let place = self.place.get_or_insert_with(|| self.events.clone().reserve_owned().boxed());
            let Poll::Ready(permit) = place.poll_unpin(cx) else { return Poll::Pending };
            self.place = None;
            let Ok(permit) = permit else { return Poll::Ready(ServiceGone) };
            let Some(notice) = self.waiting.pop_front() else { break };
            permit.send(notice.event);
            if let Some(link) = notice.begins {
                link.announce();
            }
        }
        if self.events.is_closed() { Poll::Ready(ServiceGone) } else { Poll::Pending }
    }
}
