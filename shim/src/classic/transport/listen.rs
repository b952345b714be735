//! Takes what dials us, as far as there are places.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::limits::Place;
use super::{Shared, connect, session};
use crate::peering::{Direction, Event};

/// Pause after the system refused to accept, for instance because all file descriptors are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Accepts for ever. Connections end with this task.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, address)) => match shared.places.take(address.ip()) {
                Ok(place) => drop(connections.spawn(one(stream, address, place, Arc::clone(&shared)))),
                Err(full) => refuse(&shared, address, &full.to_string()).await,
            },
            Err(error) => {
                let any = SocketAddr::from(([0, 0, 0, 0], 0));
                refuse(&shared, any, &format!("cannot accept: {error}")).await;
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection from its first byte to its last.
async fn one(mut stream: TcpStream, address: SocketAddr, _place: Place, shared: Arc<Shared>) {
    let done = match connect::shake(&mut stream, None, &shared).await {
        Ok(established) => {
            session::run(stream, established, address.to_string().into(), Direction::Inbound, &shared).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = done {
        refuse(&shared, address, &error.to_string()).await;
    }
}

async fn refuse(shared: &Shared, address: SocketAddr, reason: &str) {
    let Some(reason) = shared.quiet.tell(reason, Instant::now()) else { return };
    let refused = Event::Refused { address: address.to_string().into(), direction: Direction::Inbound, reason };
    // Without a service there is nobody to tell.
    let _ = shared.events.send(refused).await;
}
