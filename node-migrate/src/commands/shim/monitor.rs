//! What a running shim tells of itself over HTTP: `/metrics` in the text format of Prometheus, `/status` as JSON.
//!
//! Never changes anything, takes no request body, and answers nobody for longer than a few seconds. It has no password:
//! the operator binds it to an address that only those can reach who may know.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::words::Lines;
use crate::error::{AppError, Kind};
use crate::output::Level;

/// Connections that are answered at a time; others wait.
const CONNECTIONS_MAX: usize = 8;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// After the system refused a connection.
const PAUSE: Duration = Duration::from_millis(200);

/// What is told.
pub(super) trait Report: Send + Sync {
    /// Counters and gauges in the text format of Prometheus.
    fn metrics(&self) -> String;
    /// The same and more, for programs and `shim status`.
    fn status(&self) -> Value;
}

/// Answers at `address`, if there is one, until the tasks end.
pub(super) async fn listen(
    address: Option<SocketAddr>,
    report: Arc<dyn Report>,
    lines: Lines,
    tasks: &mut JoinSet<()>,
) -> Result<(), AppError> {
    let Some(address) = address else { return Ok(()) };
    let fault = |error| AppError::new(Kind::System, format!("cannot listen at {address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(fault)?;
    let bound = listener.local_addr().map_err(fault)?;
    lines.write(Level::Info, "monitor", vec![("address", json!(bound.to_string()))]);
    tasks.spawn(accept(listener, report));
    Ok(())
}

async fn accept(listener: TcpListener, report: Arc<dyn Report>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let report = Arc::clone(&report);
        tokio::spawn(async move {
            // Whoever is slower than this gets no answer.
            let _ = timeout(PATIENCE, answer(stream, report)).await;
            drop(place);
        });
    }
}

async fn answer(stream: TcpStream, report: Arc<dyn Report>) {
    let service = service_fn(|request| {
        let answered = respond(&request, &*report);
        async { Ok::<_, Infallible>(answered) }
    });
    // A connection that breaks is the other end's business.
    let _ = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
}

fn respond<B>(request: &Request<B>, report: &dyn Report) -> Response<String> {
    let (status, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, "text/plain; version=0.0.4", report.metrics()),
        (&Method::GET, "/status") => (StatusCode::OK, "application/json", format!("{:#}\n", report.status())),
        (&Method::GET, _) => (StatusCode::NOT_FOUND, "text/plain", "/metrics or /status\n".to_owned()),
        _ => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", "only GET\n".to_owned()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response
}
