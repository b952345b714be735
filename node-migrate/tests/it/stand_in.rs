//! Stands in for the RPC of nodes: a chain that is made up, served while a node's file is there.
//!
//! For what must be tested where no node can be built. Real nodes go through the same in `scripts/testnet.sh real`.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The height at which the chain is when the network begins.
const BASE: u64 = 100;

/// A network of nodes; its threads end with the process.
pub struct StandIn;

/// The chain: who signed each height after the base. It grows by being asked, so that no test waits for a clock.
struct Chain {
    up: Vec<PathBuf>,
    asked: u64,
    signed: Vec<Vec<bool>>,
}

impl StandIn {
    /// Serves each node at its address while its file is there.
    pub fn start(nodes: &[(String, PathBuf)]) -> Self {
        let up = nodes.iter().map(|(_, up)| up.clone()).collect();
        let chain = Arc::new(Mutex::new(Chain { up, asked: 0, signed: Vec::new() }));
        for (number, (address, up)) in nodes.iter().enumerate() {
            let listener = TcpListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
            let (chain, up) = (Arc::clone(&chain), up.clone());
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    // A node that is not there closes the connection without a word.
                    if up.exists() {
                        let _ = serve(stream, number, &chain);
                    }
                }
            });
        }
        Self
    }
}

fn serve(mut stream: TcpStream, node: usize, chain: &Mutex<Chain>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // Who was killed while it asked gets no answer.
    if !lines.map_while(Result::ok).any(|line| line.is_empty()) {
        return Ok(());
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let result = chain.lock().expect("no panic before").answer(node, &path);
    let body = json!({ "jsonrpc": "2.0", "id": -1, "result": result }).to_string();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

impl Chain {
    fn height(&self) -> u64 {
        BASE + self.signed.len() as u64
    }

    fn answer(&mut self, node: usize, path: &str) -> Value {
        let number = |key: &str| -> u64 {
            let value = path.split(['?', '&']).find_map(|part| part.strip_prefix(key));
            value.and_then(|value| value.parse().ok()).expect("a number")
        };
        match path.split('?').next().unwrap_or_default() {
            "/status" => self.status(node),
            "/commit" => self.commit(number("height=")),
            "/blockchain" => {
                let metas: Vec<Value> = (number("minHeight=")..=number("maxHeight=")).map(meta).collect();
                json!({ "block_metas": metas })
            }
            other => panic!("{other} is asked by nobody"),
        }
    }

    fn status(&mut self, node: usize) -> Value {
        self.asked += 1;
        if self.asked.is_multiple_of(2) {
            self.signed.push(self.up.iter().map(|up| up.exists()).collect());
        }
        json!({
            "sync_info": { "latest_block_height": self.height().to_string(), "catching_up": false },
            "validator_info": { "address": address(node) },
        })
    }

    fn commit(&self, height: u64) -> Value {
        let none = vec![true; self.up.len()];
        let at = height.checked_sub(BASE + 1).and_then(|at| usize::try_from(at).ok());
        let signed = at.and_then(|at| self.signed.get(at)).unwrap_or(&none);
        let one = |(node, signed): (usize, &bool)| match signed {
            true => json!({ "block_id_flag": 2, "validator_address": address(node) }),
            false => json!({ "block_id_flag": 1, "validator_address": "" }),
        };
        let signatures: Vec<Value> = signed.iter().enumerate().map(one).collect();
        let seconds = i64::try_from(height).expect("small");
        let time = jiff::Timestamp::from_second(1_700_000_000 + seconds).expect("a time").to_string();
        json!({ "signed_header": { "header": { "height": height.to_string(), "time": time }, "commit": { "signatures": signatures } } })
    }
}

fn address(node: usize) -> String {
    format!("{:040X}", node + 1)
}

fn meta(height: u64) -> Value {
    let hash = hex::encode_upper(Sha256::digest(height.to_be_bytes()));
    json!({ "block_id": { "hash": hash, "parts": { "total": 1, "hash": hash } }, "header": { "height": height.to_string(), "time": "" } })
}
