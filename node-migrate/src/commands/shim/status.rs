//! `shim status`: what a running shim tells of itself.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::cli::shim::Status;
use crate::commands::Surroundings;
use crate::error::{AppError, Kind};

/// Time for the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// Asks the shim and shows the answer.
pub(super) fn run(words: &Status, world: &Surroundings) -> Result<(), AppError> {
    let status = ask(words.address).map_err(|error| {
        AppError::new(Kind::System, format!("no shim answers at {}: {error}", words.address))
            .hint("a shim answers where its --monitor says; its log has the line `monitor` with the address")
    })?;
    world.output.result(&status, || text(&status));
    Ok(())
}

fn ask(address: SocketAddr) -> Result<Value, Box<dyn std::error::Error>> {
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).proxy(None).build();
    let agent: ureq::Agent = config.into();
    let mut answer = agent.get(format!("http://{address}/status")).call()?;
    let bytes = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Every field on a line of its own; lists of objects a line each.
pub(super) fn text(status: &Value) -> String {
    let mut text = String::new();
    for (name, value) in status.as_object().into_iter().flatten() {
        match value {
            Value::Array(rows) => {
                text.push_str(&format!("{name}: {}\n", rows.len()));
                for row in rows {
                    let fields =
                        row.as_object().into_iter().flatten().map(|(name, value)| format!("{name}={}", plain(value)));
                    text.push_str(&format!("  {}\n", fields.collect::<Vec<_>>().join(" ")));
                }
            }
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| format!("{name} {}", plain(value)));
                text.push_str(&format!("{name}: {}\n", fields.collect::<Vec<_>>().join(", ")));
            }
            value => text.push_str(&format!("{name}: {}\n", plain(value))),
        }
    }
    text
}

/// A value in one line; what another program said stays printable.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().filter(|character| !character.is_control()).collect(),
        Value::Null => "none".to_owned(),
        value => value.to_string(),
    }
}
