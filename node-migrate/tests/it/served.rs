//! The real program that serves the blocks of a home, on loopback, until it is dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{command, text};

/// Longer than anything here takes on a busy machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(120);

/// `shim serve`, at work.
pub struct Served {
    child: Child,
    heard: Receiver<Value>,
    /// The lines of its log so far.
    pub lines: Vec<Value>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// Starts it over a home, and waits until all blocks are verified.
    pub fn start(home: &Path, options: &[&str]) -> Self {
        let arguments = [&["shim", "serve", "--json", "--home", text(home)], options].concat();
        let mut child = command(&arguments).stderr(Stdio::piped()).spawn().expect("the program runs");
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if tell.send(value).is_err() {
                    return;
                }
            }
        });
        let mut served = Self { child, heard, lines: Vec::new() };
        served.line(|line| line["event"] == "verified" && line["all"] == true);
        served
    }

    /// The first line for which `is_it` holds, which may be still to come.
    pub fn line(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(line) = self.lines.iter().find(|line| is_it(line)) {
            return line.clone();
        }
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.heard.recv_timeout(left).unwrap_or_else(|_| panic!("no such line: {:#?}", self.lines));
            self.lines.push(line.clone());
            if is_it(&line) {
                return line;
            }
        }
    }

    /// The line that says where a transport listens.
    fn ready(&mut self, transport: &str) -> (String, String) {
        let line = self.line(|line| line["event"] == "ready" && line["transport"] == transport);
        let field = |name: &str| line[name].as_str().expect("a text").to_owned();
        (field("id"), field("address"))
    }

    /// It, as a node on the classic protocol is named.
    pub fn classic(&mut self) -> String {
        self.ready("classic").1
    }

    /// It, as a node on libp2p is named.
    pub fn lp2p(&mut self) -> String {
        let (id, address) = self.ready("lp2p");
        format!("127.0.0.1:{}@{id}", port(&address))
    }

    /// It, as a node of our own protocols is named: the multiaddress of its QUIC listener.
    pub fn own(&mut self) -> String {
        let is_it = |line: &Value| line["transport"] == "own" && line["address"].as_str().is_some_and(is_quic);
        let line = self.line(|line| line["event"] == "ready" && is_it(line));
        line["address"].as_str().expect("a text").to_owned()
    }

    /// The same as a node on libp2p is named, which may speak anything.
    pub fn own_as_libp2p(&mut self) -> String {
        let address = self.own();
        let (_, id) = address.rsplit_once('/').expect("an identity");
        format!("127.0.0.1:{}@{id}", port(&address))
    }
}

fn is_quic(address: &str) -> bool {
    address.contains("/quic-v1")
}

/// The UDP port of a multiaddress.
fn port(address: &str) -> &str {
    address.split('/').skip_while(|part| *part != "udp").nth(1).expect("a UDP port")
}
