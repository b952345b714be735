//! The RPC of a node over HTTP: the part of CometBFT's that a rollout looks at, transactions, and an order to halt.
//!
//! | path | as in CometBFT |
//! |---|---|
//! | `/status` | where the node stands |
//! | `/commit?height=H` | header and commit of a height |
//! | `/blockchain?minHeight=A&maxHeight=B` | names of at most twenty blocks |
//! | `/broadcast_tx_async?tx=0xHEX` | takes a transaction |
//! | `/halt?height=H` | from height H on, serve blocks and do nothing else; not in CometBFT, where it is a setting of the application |
//!
//! Takes no request body, and answers nobody for longer than a few seconds. It has no password: it is for one machine.

mod answer;
mod view;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

pub(super) use view::View;

/// Connections that are answered at a time; others wait.
const CONNECTIONS_MAX: usize = 16;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// After the system refused a connection.
const PAUSE: Duration = Duration::from_millis(200);

/// What somebody asks of the node.
#[derive(Debug)]
pub(super) enum Order {
    /// Put a transaction into a block.
    Transaction(Vec<u8>),
    /// From a height on, do nothing but serve blocks.
    HaltAt(u64),
}

/// Answers until it is aborted.
pub(super) async fn serve(listener: TcpListener, view: Arc<View>, orders: mpsc::Sender<Order>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (view, orders) = (Arc::clone(&view), orders.clone());
        tokio::spawn(async move {
            // Whoever is slower than this gets no answer.
            let _ = timeout(PATIENCE, converse(stream, view, orders)).await;
            drop(place);
        });
    }
}

async fn converse(stream: TcpStream, view: Arc<View>, orders: mpsc::Sender<Order>) {
    let service = service_fn(|request| {
        let (view, orders) = (Arc::clone(&view), orders.clone());
        async move { Ok::<_, Infallible>(respond(&request, view, &orders).await) }
    });
    // A connection that breaks is the other end's business.
    let _ = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
}

async fn respond<B>(request: &Request<B>, view: Arc<View>, orders: &mpsc::Sender<Order>) -> Response<String> {
    if request.method() != Method::GET {
        return with(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
    }
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    // The databases make their reader wait.
    let answered = tokio::task::spawn_blocking(move || answer::answer(&view, &path, &query)).await;
    match answered {
        Ok(Some(answer::Answer { body, order })) => {
            if let Some(order) = order
                && orders.try_send(order).is_err()
            {
                return with(StatusCode::SERVICE_UNAVAILABLE, "too much waits; ask again later\n".to_owned());
            }
            with(StatusCode::OK, format!("{body}\n"))
        }
        Ok(None) => {
            with(StatusCode::NOT_FOUND, "/status, /commit, /blockchain, /broadcast_tx_async or /halt\n".to_owned())
        }
        Err(_) => with(StatusCode::INTERNAL_SERVER_ERROR, "no answer\n".to_owned()),
    }
}

fn with(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
