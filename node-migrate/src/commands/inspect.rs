//! `inspect`: what a home holds. Works on a running node too: it reads little and locks nothing.

use node_migrate::formats::Found;
use node_migrate::home::{Database, Home, node_process};
use node_migrate::reading::Reading;
use node_migrate::tips;
use serde::Serialize;

use super::Surroundings;
use crate::cli::HomeOnly;
use crate::error::AppError;
use crate::output::{bytes, table};

/// One database as shown.
#[derive(Serialize)]
struct Shown {
    name: String,
    dir: String,
    path: std::path::PathBuf,
    engine: String,
    disk_bytes: u64,
    tables: u64,
    governed_by: Option<String>,
    tip: Option<String>,
    trouble: Option<String>,
    remarks: Vec<String>,
}

/// Shows the home.
pub(super) fn run(command: &HomeOnly, world: &Surroundings) -> Result<(), AppError> {
    let home = world.home(&command.home)?;
    let running: Vec<String> = node_process::running(&home).iter().map(ToString::to_string).collect();
    let shown: Vec<Shown> = home.databases.iter().map(|database| show(database, running.is_empty(), world)).collect();
    let formats = if running.is_empty() { formats(&home, world) } else { Vec::new() };
    let chain = home.genesis.as_ref().map(|genesis| genesis.chain_id.clone());
    let left_out: Vec<String> =
        home.left_out.iter().map(|left| format!("{}: {}", left.path.display(), left.reason)).collect();
    let value = serde_json::json!({
        "home": home.root, "db_dir": home.db_dir, "chain_id": chain, "running": running, "start_guard": home.is_guarded(),
        "formats": formats, "databases": shown, "left_out": left_out, "remarks": home.remarks(),
    });
    world.output.result(&value, || text(&home, chain.as_deref(), &running, &formats, &shown, &left_out));
    Ok(())
}

/// Who wrote the databases, and how: a line each, with what shows it.
fn formats(home: &Home, world: &Surroundings) -> Vec<String> {
    let found = match Found::of(home, world.context().cache_bytes(), &world.temporary()) {
        Ok(found) => found,
        Err(error) => return vec![format!("formats cannot be told: {error}")],
    };
    let mut lines = Vec::new();
    match &found.writer {
        Some(writer) => lines.push(format!(
            "written by {} (dialect {}): {}",
            writer.name(),
            writer.dialect,
            writer.evidence.join("; ")
        )),
        None => lines.push("the state names no release that this tool knows".to_owned()),
    }
    for (name, spelled) in found.layouts() {
        let keys = match (spelled.v1, spelled.v2) {
            (true, true) => "keys of layout v1 and v2",
            (true, false) => "keys of layout v1",
            (false, true) => "keys of layout v2",
            (false, false) => "no keys that have a layout",
        };
        let label = spelled
            .label
            .as_ref()
            .map_or_else(|| "no label".to_owned(), |label| format!("label {}", label.escape_ascii()));
        let trap = match (spelled.is_mislabelled(), found.is_wrong_label(spelled)) {
            (true, _) => ": MISLABELLED, no node finds its keys; see `repair`",
            (false, true) => ": WRONG LABEL, the keys of the other databases have another layout; see `repair`",
            (false, false) => "",
        };
        lines.push(format!("{name} has {keys}, {label}{trap}"));
    }
    lines
}

fn show(database: &Database, may_snapshot: bool, world: &Surroundings) -> Shown {
    let mut shown = Shown {
        name: database.name.clone(),
        dir: database.dir_name.clone(),
        path: database.real_path.clone(),
        engine: database.engine.to_string(),
        disk_bytes: 0,
        tables: 0,
        governed_by: database.governed_by.map(|setting| setting.to_string()),
        tip: None,
        trouble: None,
        remarks: Vec::new(),
    };
    if !may_snapshot {
        shown.trouble = Some("in use: not looked into".to_owned());
        return shown;
    }
    let cache = world.context().cache_bytes();
    match Reading::open(&database.real_path, database.engine, cache, &world.temporary()) {
        Ok(reading) => {
            let stats = reading.store().stats();
            shown.disk_bytes = stats.disk_bytes;
            shown.tables = stats.tables;
            shown.remarks = reading.store().remarks();
            match tips::of(database.role, reading.store()) {
                Ok(tip) => shown.tip = tip.map(|tip| tip.to_string()),
                Err(error) => shown.trouble = Some(error.to_string()),
            }
        }
        Err(error) => shown.trouble = Some(error.to_string()),
    }
    shown
}

fn text(
    home: &Home,
    chain: Option<&str>,
    running: &[String],
    formats: &[String],
    shown: &[Shown],
    left_out: &[String],
) -> String {
    let mut text = format!("Home {}\n", home.root.display());
    text.push_str(&format!("Chain {}\n", chain.unwrap_or("not known (no config/genesis.json)")));
    for line in running {
        text.push_str(&format!("RUNNING: {line}\n"));
    }
    if home.is_guarded() {
        text.push_str("The start guard is ON: a cut-over or rollback was interrupted; see `status`.\n");
    }
    let mut rows = vec![["database", "engine", "size", "tables", "governed by", "holds"].map(str::to_owned).to_vec()];
    for database in shown {
        rows.push(vec![
            database.name.clone(),
            database.engine.clone(),
            bytes(database.disk_bytes),
            database.tables.to_string(),
            database.governed_by.clone().unwrap_or_else(|| "-".to_owned()),
            database.trouble.clone().or_else(|| database.tip.clone()).unwrap_or_default(),
        ]);
    }
    text.push_str(&table(&rows));
    text.extend(formats.iter().map(|line| format!("Format: {line}\n")));
    for database in shown {
        text.extend(database.remarks.iter().map(|remark| format!("Note: {}: {remark}\n", database.name)));
    }
    text.extend(home.remarks().iter().map(|remark| format!("Note: {remark}\n")));
    text.extend(left_out.iter().map(|left| format!("Left alone: {left}\n")));
    text
}
