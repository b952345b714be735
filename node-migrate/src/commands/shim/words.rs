//! What the commands share: threads for the network, and what happens there as lines of the log.

use ledger_formats::comet::TimeRule;
use node_migrate::serving::Told;
use serde_json::{Value, json};
use shim::blocksync::service::{Log, Note};
use shim::peering::{Direction, Peer};
use tokio::runtime::{Builder, Runtime};

use crate::error::{AppError, Kind};
use crate::output::{Level, Line, Output};

/// Threads for the network.
pub(super) fn runtime() -> Result<Runtime, AppError> {
    let built = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|error| AppError::new(Kind::System, format!("cannot start threads for the network: {error}")))
}

/// Writes the log.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    output: Output,
    now: fn() -> String,
}

impl Lines {
    pub(super) fn new(output: Output, now: fn() -> String) -> Self {
        Self { output, now }
    }

    pub(super) fn write(&self, level: Level, event: &str, fields: Vec<(&'static str, Value)>) {
        self.output.log(&Line { time: (self.now)(), level, event, fields });
    }

    /// What a sweep says.
    pub(super) fn told(&self, told: Told) {
        match told {
            Told::Snapshot { of, base, top } => {
                self.write(
                    Level::Info,
                    "snapshot",
                    vec![("of", json!(of)), ("base", json!(base)), ("top", json!(top))],
                );
            }
            Told::Proven { base, top, is_all } => {
                let fields = vec![("base", json!(base)), ("top", json!(top)), ("all", json!(is_all))];
                self.write(Level::Info, "verified", fields);
            }
            Told::Stuck { height, reason } => {
                let remedy = "nothing from this height on is offered; `node-migrate verify` tells all that is wrong";
                let fields = vec![("height", json!(height)), ("reason", json!(reason)), ("remedy", json!(remedy))];
                self.write(Level::Warn, "unproven", fields);
            }
            Told::OneTimeRule { height, rule, is_unexpected } => {
                let (rule, refuse) = match rule {
                    TimeRule::AllVotes => ("v0.38", "nodes of v0.40 refuse this height and stay below it"),
                    TimeRule::VotesForBlock => {
                        ("v0.40", "nodes of v0.34 to v0.39 refuse this height and stay below it")
                    }
                };
                let level = if is_unexpected { Level::Warn } else { Level::Info };
                let fields = vec![("height", json!(height)), ("rule", json!(rule)), ("consequence", json!(refuse))];
                self.write(level, "time rule", fields);
            }
            Told::Unreadable { reason } => self.write(Level::Warn, "unreadable", vec![("reason", json!(reason))]),
            // The library may come to say more than this program knows.
            other => self.write(Level::Info, "told", vec![("what", json!(format!("{other:?}")))]),
        }
    }
}

impl Log for Lines {
    fn note(&self, note: &Note<'_>) {
        match *note {
            Note::Connected { transport, peer } => self.write(Level::Info, "connected", of(transport, peer)),
            Note::Closed { transport, peer, reason } => {
                self.write(Level::Info, "closed", with(of(transport, peer), [("reason", json!(reason))]));
            }
            Note::LetGo { transport, peer, reason } => {
                self.write(Level::Warn, "let go", with(of(transport, peer), [("reason", json!(reason))]));
            }
            Note::Served { transport, peer, served } => {
                let numbers = [
                    ("blocks", json!(served.blocks)),
                    ("bytes", json!(served.bytes)),
                    ("highest", json!(served.highest)),
                    ("missing", json!(served.missing)),
                    ("caught_up", json!(served.caught_up)),
                ];
                self.write(Level::Info, "served", with(of(transport, peer), numbers));
            }
            Note::Refused { transport, address, direction, reason } => {
                let fields = vec![
                    ("transport", json!(transport)),
                    ("address", json!(address)),
                    ("direction", json!(word(direction))),
                    ("reason", json!(reason)),
                ];
                self.write(Level::Warn, "refused", fields);
            }
            Note::Undelivered { height, reason } => {
                self.write(Level::Warn, "undelivered", vec![("height", json!(height)), ("reason", json!(reason))]);
            }
            // The library may come to say more than this program knows.
            ref other => self.write(Level::Info, "note", vec![("what", json!(format!("{other:?}")))]),
        }
    }
}

fn of(transport: &'static str, peer: &Peer) -> Vec<(&'static str, Value)> {
    vec![
        ("transport", json!(transport)),
        ("peer", json!(&*peer.id)),
        ("address", json!(&*peer.address)),
        ("direction", json!(word(peer.direction))),
        ("agent", json!(&*peer.agent)),
    ]
}

fn with<const N: usize>(
    mut fields: Vec<(&'static str, Value)>,
    more: [(&'static str, Value); N],
) -> Vec<(&'static str, Value)> {
    fields.extend(more);
    fields
}

pub(super) const fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}
