//! `root`: the store root of each database and of the home, the same in every engine, layout and dialect.

use ledger_formats::root::{Content, DatabaseRoot, KindRoot, Side, home_side};
use node_migrate::context::Context;
use node_migrate::formats::with_formats;
use node_migrate::home::Database;
use node_migrate::reading::Reading;
use node_migrate::store_root;
use serde_json::{Value, json};

use super::Surroundings;
use crate::cli::DigestArguments;
use crate::error::{AppError, Kind};
use crate::output::table;

/// A database with its roots.
struct Rooted<'a> {
    database: &'a Database,
    roots: DatabaseRoot,
}

/// Prints the roots.
pub(super) fn run(command: &DigestArguments, world: &Surroundings) -> Result<(), AppError> {
    let home = world.stopped_home(&command.home)?;
    let wanted = super::chosen(&home.databases, &command.db)?;
    let context = world.context();
    let threads = context.workers_in_memory();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| AppError::new(Kind::System, format!("cannot start {threads} threads: {error}")))?;
    context.listener.begin("root", 0);
    let rooted: Result<Vec<Rooted<'_>>, AppError> =
        pool.install(|| wanted.iter().map(|database| rooted(database, world, &context)).collect());
    context.listener.end();
    let rooted = rooted?;
    let of = |side: fn(&DatabaseRoot) -> &Side| {
        home_side(rooted.iter().map(|rooted| (rooted.database.name.as_str(), side(&rooted.roots))))
    };
    let (shared, own) = (of(|roots| &roots.shared), of(|roots| &roots.own));
    let databases: Vec<Value> = rooted.iter().map(json_of).collect();
    let value = json!({
        "home": home.root, "definition": 1, "root": json_side(&shared), "own": json_side(&own), "databases": databases,
    });
    world.output.result(&value, || text(&rooted, &shared, &own));
    Ok(())
}

fn rooted<'a>(database: &'a Database, world: &Surroundings, context: &Context<'_>) -> Result<Rooted<'a>, AppError> {
    let named = |error: AppError| AppError { message: format!("{}: {}", database.name, error.message), ..error };
    let reading = Reading::open(&database.real_path, database.engine, context.cache_bytes(), &world.temporary())
        .map_err(|error| named(error.into()))?;
    let content = with_formats(database.role).map_or(Content::Opaque, Content::Records);
    let roots = store_root::of_database(reading.store(), content, context).map_err(|error| named(error.into()))?;
    Ok(Rooted { database, roots })
}

fn json_of(rooted: &Rooted<'_>) -> Value {
    let Rooted { database, roots } = rooted;
    json!({
        "name": database.name, "dir": database.dir_name, "engine": database.engine.to_string(),
        "root": json_side(&roots.shared), "own": json_side(&roots.own),
        "not_understood": roots.unclear, "not_understood_total": roots.unclear_total,
    })
}

fn json_side(side: &Side) -> Value {
    let kind = |kind: &KindRoot| json!({ "kind": kind.kind.name(), "records": kind.records, "sha256": hex::encode(kind.root) });
    let mut value = json!({ "records": side.records, "sha256": hex::encode(side.root) });
    if !side.kinds.is_empty() {
        value["kinds"] = side.kinds.iter().map(kind).collect();
    }
    value
}

fn text(rooted: &[Rooted<'_>], shared: &Side, own: &Side) -> String {
    let mut text =
        sides("Root: the same in every engine, key layout and value dialect", rooted, shared, |roots| &roots.shared);
    text.push_str(&sides(
        "\nOwn: labels, derived records and spellings that only this store has, as they stand",
        rooted,
        own,
        |roots| &roots.own,
    ));
    for Rooted { roots, .. } in rooted.iter().filter(|rooted| rooted.roots.unclear_total > 0) {
        text.push_str(&format!("\n{} values could not be understood and count as they stand:\n", roots.unclear_total));
        roots.unclear.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    text
}

fn sides(title: &str, rooted: &[Rooted<'_>], all: &Side, side: fn(&DatabaseRoot) -> &Side) -> String {
    let row = |database: &str, kind: &str, records: u64, root: &[u8]| {
        vec![database.to_owned(), kind.to_owned(), records.to_string(), hex::encode(root)]
    };
    let mut rows = vec![["database", "kind", "records", "sha256"].map(str::to_owned).to_vec()];
    for Rooted { database, roots } in rooted {
        let side = side(roots);
        rows.extend(side.kinds.iter().map(|kind| row(&database.name, kind.kind.name(), kind.records, &kind.root)));
        rows.push(row(&database.name, "all", side.records, &side.root));
    }
    rows.push(row("all", "all", all.records, &all.root));
    format!("{title}\n{}", table(&rows))
}
