//! `shim tunnel`: a classic node and a libp2p node joined, until somebody stops it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shim::classic::node_key::NodeKey;
use shim::tunnel::{self, Count, Meters, Notice, Pair, Patience, Settings, TunnelError, Way};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::identity::random_key;
use super::monitor::{self, Report};
use super::transports::AGENT;
use super::words::{Lines, runtime};
use crate::cli::tunnel::Tunnel;
use crate::commands::Surroundings;
use crate::error::{AppError, Kind};
use crate::output::Level;

/// How often the wish to stop is looked at.
const STOP_EVERY: Duration = Duration::from_millis(100);

/// Runs until it is stopped, or until it would do harm.
pub(super) fn run(words: &Tunnel, world: &Surroundings) -> Result<(), AppError> {
    let pair = Pair::new(words.classic_release, words.lp2p_release).map_err(|error| {
        AppError::new(Kind::Usage, error.to_string()).hint("docs/shim.md says which releases go together")
    })?;
    let settings = Settings {
        pair,
        chain_id: words.chain_id.clone(),
        classic: words.classic.clone(),
        classic_key: Arc::new(key(words.key.as_deref())?),
        lp2p: words.lp2p.clone(),
        listen: words.listen,
        advertise: words.advertise,
        agent: AGENT.to_owned(),
        patience: Patience::default(),
    };
    let context = world.context();
    let lines = Lines::new(world.output, context.now);
    let watched =
        Arc::new(Watched { since: (context.now)(), chain_id: words.chain_id.clone(), meters: Meters::default() });
    let meters = &watched.meters;
    let (stop, stopped) = watch::channel(false);
    let tell = |notice| write(lines, &notice);
    let watching = async {
        let mut told = Instant::now();
        loop {
            sleep(STOP_EVERY).await;
            if context.go_on().is_err() {
                stop.send_replace(true);
            }
            if words.status_every > 0 && told.elapsed() >= Duration::from_secs(words.status_every) {
                told = Instant::now();
                lines.write(Level::Info, "status", status(meters));
            }
        }
    };
    let runtime = runtime()?;
    let mut tasks = JoinSet::new();
    runtime.block_on(monitor::listen(words.monitor, Arc::clone(&watched) as Arc<dyn Report>, lines, &mut tasks))?;
    let done = runtime.block_on(async {
        tokio::select! {
            done = tunnel::run(&settings, meters, &tell, stopped) => done,
            () = watching => Ok(()),
        }
    });
    outcome(meters, world);
    done.map_err(|error| match error {
        TunnelError::Contradiction { .. } => AppError::new(Kind::Usage, error.to_string())
            .hint("state what the nodes run; docs/shim.md says which releases go together"),
        other => AppError::new(Kind::System, other.to_string()),
    })
}

/// What the monitor tells of a tunnel.
struct Watched {
    since: String,
    chain_id: String,
    meters: Meters,
}

impl Report for Watched {
    fn metrics(&self) -> String {
        let sessions = self.meters.sessions();
        let mut text = format!(
            "# TYPE node_migrate_tunnel_sessions_total counter\nnode_migrate_tunnel_sessions_total {sessions}\n"
        );
        let counts = self.meters.counts();
        let mut family = |kind: &str, of: fn(&Count) -> u64| {
            let name = format!("node_migrate_tunnel_{kind}_total");
            text.push_str(&format!("# TYPE {name} counter\n"));
            for count in &counts {
                let (way, channel) = (way(count.way), &count.channel);
                text.push_str(&format!("{name}{{to=\"{way}\",channel=\"{channel}\"}} {}\n", of(count)));
            }
        };
        family("messages", |count| count.messages);
        family("bytes", |count| count.bytes);
        family("lost", |count| count.lost);
        text
    }

    fn status(&self) -> Value {
        json!({
            "command": "tunnel",
            "version": env!("CARGO_PKG_VERSION"),
            "since": self.since,
            "chain_id": self.chain_id,
            "sessions": self.meters.sessions(),
            "counts": self.meters.counts(),
        })
    }
}

const fn way(way: Way) -> &'static str {
    match way {
        Way::ToLp2p => "libp2p",
        Way::ToClassic => "classic",
    }
}

/// The key in a file, or a new one: a node refuses a second peer of one id, so that a kept key is in its own way after a fall.
fn key(path: Option<&Path>) -> Result<NodeKey, AppError> {
    let Some(path) = path else {
        let text = random_key()?;
        return NodeKey::from_json(&text).map_err(|error| AppError::new(Kind::System, error.to_string()));
    };
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|error| AppError::new(Kind::System, format!("cannot read {}: {error}", path.display())))?;
    NodeKey::from_json(&text).map_err(|error| AppError::new(Kind::Usage, format!("{}: {error}", path.display())))
}

fn write(lines: Lines, notice: &Notice) {
    match notice {
        Notice::Joined { classic, agent, lp2p, identity } => {
            let fields = vec![
                ("classic", json!(classic)),
                ("agent", json!(agent)),
                ("lp2p", json!(lp2p)),
                ("identity", json!(identity)),
            ];
            lines.write(Level::Info, "joined", fields);
        }
        Notice::Refused { end, reason } => {
            lines.write(Level::Warn, "refused", vec![("end", json!(end)), ("reason", json!(reason))]);
        }
        Notice::Doubt { reason } => lines.write(Level::Warn, "doubt", vec![("reason", json!(reason))]),
        Notice::Lost { way, channel, reason } => {
            let fields = vec![("way", json!(way)), ("channel", json!(channel)), ("reason", json!(reason))];
            lines.write(Level::Warn, "lost", fields);
        }
        Notice::Ended { end, reason } => {
            lines.write(Level::Warn, "ended", vec![("end", json!(end)), ("reason", json!(reason))]);
        }
        Notice::Pause { milliseconds } => {
            lines.write(Level::Info, "pause", vec![("milliseconds", json!(milliseconds))])
        }
        Notice::Stopped => lines.write(Level::Info, "stopped", Vec::new()),
    }
}

/// What went through so far.
fn status(meters: &Meters) -> Vec<(&'static str, Value)> {
    let counts = meters.counts();
    let sum = |way, of: fn(&Count) -> u64| counts.iter().filter(|count| count.way == way).map(of).sum::<u64>();
    vec![
        ("sessions", json!(meters.sessions())),
        ("messages_to_lp2p", json!(sum(Way::ToLp2p, |count| count.messages))),
        ("messages_to_classic", json!(sum(Way::ToClassic, |count| count.messages))),
        ("lost", json!(counts.iter().map(|count| count.lost).sum::<u64>())),
        ("counts", json!(counts)),
    ]
}

fn outcome(meters: &Meters, world: &Surroundings) {
    let counts = meters.counts();
    world.output.outcome(&json!({ "sessions": meters.sessions(), "counts": counts }), || {
        let line = |count: &Count| {
            let way = way(count.way);
            let Count { channel, messages, bytes, lost, .. } = count;
            format!("to {way:7} {channel}  {messages} messages, {bytes} bytes, {lost} lost\n")
        };
        format!("{} sessions\n{}", meters.sessions(), counts.iter().map(line).collect::<String>())
    });
}
