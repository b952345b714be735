//! A node's RPC on this machine: answers that CometBFT 0.38 gave (`data/rpc-0.38.json`, heights 1 to 45 of a network of
//! four validators), or what a test makes of them.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// Last height recorded.
pub const TIP: u64 = 45;

/// The root over the recorded heights, by another program.
pub const ROOT: &str = "c8bb75931dc6d2315fa6e0987804eb764e27b4e9145494d39dfd5999a633256a";

/// Hash of the first block recorded.
pub const FIRST_BLOCK: &str = "56742f92d7597fd813bbd7c66917f04319ae7354751553012b07fd307840dc70";

/// Changes an answer, given what was asked; may give other bytes altogether.
pub type Lie = dyn Fn(&str, &mut Value) -> Answer + Send + Sync;

/// What becomes of an answer.
pub enum Answer {
    /// It is sent.
    Send,
    /// These bytes are sent, with this status.
    Raw(u16, Vec<u8>),
    /// The connection is closed.
    Close,
}

/// A running server; it ends with the test's process.
pub struct Server {
    /// Its address.
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What was recorded.
pub fn recorded() -> Value {
    serde_json::from_str(include_str!("data/rpc-0.38.json")).expect("JSON")
}

impl Server {
    /// A node that tells the truth.
    pub fn honest() -> Self {
        Self::lying(|_, _| Answer::Send)
    }

    /// A node that changes its answers.
    pub fn lying(lie: impl Fn(&str, &mut Value) -> Answer + Send + Sync + 'static) -> Self {
        Self::serving(recorded(), lie)
    }

    /// A node of another chain, in the form of what was recorded, which may lie too.
    pub fn serving(record: Value, lie: impl Fn(&str, &mut Value) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that went away is not the server's concern.
                let _ = stream.and_then(|stream| serve(stream, &record, &lie, &log));
            }
        });
        Self { url, asked }
    }

    /// What was asked, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

/// Counts calls: true from the `from`th on.
pub fn after(from: usize) -> impl Fn() -> bool + Send + Sync {
    let calls = AtomicUsize::new(0);
    move || calls.fetch_add(1, Ordering::SeqCst) >= from
}

fn serve(stream: TcpStream, record: &Value, lie: &Lie, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut answer = json!({ "jsonrpc": "2.0", "id": -1, "result": result(record, &path) });
    if answer["result"].is_null() {
        answer = json!({ "jsonrpc": "2.0", "id": -1, "error": { "code": -32603, "message": "Internal error", "data": "no such height" } });
    }
    let what = lie(&path, &mut answer);
    log.lock().expect("no panic").push(path);
    let (status, body) = match what {
        Answer::Send => (if answer["error"].is_null() { 200 } else { 500 }, answer.to_string().into_bytes()),
        Answer::Raw(status, bytes) => (status, bytes),
        Answer::Close => return Ok(()),
    };
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status} Status\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

/// The number that a query gives a name.
pub fn query(path: &str, name: &str) -> u64 {
    let pairs = path.split(['?', '&']).filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name).filter_map(|(_, value)| value.parse().ok());
    found.next().unwrap_or_default()
}

/// What the node says, by its own rules: at most twenty metas, topmost first; validators since their last change.
fn result(record: &Value, path: &str) -> Value {
    let at = |list: &str, height: u64| {
        let index = usize::try_from(height).ok().and_then(|height| height.checked_sub(1));
        index.map_or(Value::Null, |index| record[list][index].clone())
    };
    let height = query(path, "height");
    match path.split('?').next() {
        Some("/status") => json!({
            "node_info": { "network": "fx-038" },
            "sync_info": { "earliest_block_height": "1", "latest_block_height": TIP.to_string() },
        }),
        Some("/blockchain") => {
            let (first, last) = (query(path, "minHeight"), query(path, "maxHeight").min(TIP));
            let first = first.max(last.saturating_sub(19));
            let metas: Vec<Value> = (first..=last).rev().map(|height| at("metas", height)).collect();
            json!({ "last_height": TIP.to_string(), "block_metas": metas })
        }
        Some("/commit") if height <= TIP => {
            json!({ "signed_header": { "header": at("metas", height)["header"], "commit": at("commits", height) }, "canonical": true })
        }
        Some("/validators") if height <= TIP => {
            let sets = record["validators"].as_object().expect("sets by height");
            let since = sets.keys().filter_map(|key| key.parse::<u64>().ok()).filter(|since| *since <= height).max();
            let set = &sets[&since.expect("from height 1").to_string()];
            json!({ "block_height": height.to_string(), "validators": set, "count": "4", "total": "4" })
        }
        _ => Value::Null,
    }
}
