//! `plan`: what a migration would do.

use ledger_formats::durable;
use ledger_formats::engine::{EngineKind, TargetFormat};
use node_migrate::formats::{TargetSpec, Wanted};
use node_migrate::home::{Home, Role};
use node_migrate::plan::{Plan, Request};

use super::Surroundings;
use crate::cli::{PlanArguments, Wish};
use crate::error::{AppError, Kind};
use crate::output::{bytes, table};

/// Shows, and writes if asked, the plan.
pub(super) fn run(command: &PlanArguments, world: &Surroundings) -> Result<(), AppError> {
    let home = world.stopped_home(&command.home)?;
    let plan = make(&home, &command.wish, None)?;
    if let Some(path) = &command.out {
        durable::write_file(path, plan.to_toml().as_bytes())?;
    }
    world.output.result(&plan, || text(&plan));
    Ok(())
}

/// Makes the plan that the words ask for. A home with a database to be repaired may keep its engine.
pub(super) fn make(home: &Home, wish: &Wish, repaired: Option<Role>) -> Result<Plan, AppError> {
    let present = repaired.filter(|_| wish.to.is_none() && wish.release.is_none()).and_then(|_| present_engine(home));
    let target = present.map_or_else(|| target(home, wish), |engine| Ok(of_engine(engine)))?;
    let request = Request { target, databases: wish.db.clone(), formats: formats(wish)?, repaired };
    Ok(Plan::make(home, &request)?)
}

/// The engine that the words name, or that the release opens: the present one, if it is one of those.
pub(super) fn target(home: &Home, wish: &Wish) -> Result<TargetFormat, AppError> {
    if let Some(TargetSpec { engine, .. }) = wish.to {
        return Ok(engine);
    }
    let engines = wish.release.map(|release| release.engines).unwrap_or_default();
    let present = present_engine(home).filter(|engine| engines.contains(engine));
    present.or(engines.first().copied()).map(of_engine).ok_or_else(|| {
        AppError::new(
            Kind::Usage,
            "no target: say --to goleveldb, pebbledb, rocksdb or sled, or --for a release, or give a plan with --plan FILE",
        )
    })
}

/// The engine of the node's own databases.
pub(super) fn present_engine(home: &Home) -> Option<EngineKind> {
    let of = |role| home.databases.iter().find(|database| database.role == role);
    of(Role::State).or_else(|| of(Role::LightStore)).map(|database| database.engine)
}

/// An engine in the form that all of today's nodes open.
pub(super) fn of_engine(engine: EngineKind) -> TargetFormat {
    TargetFormat { engine, pebble_format: u32::from(engine == EngineKind::Pebble) }
}

/// The formats that the words name.
pub(super) fn formats(wish: &Wish) -> Result<Wanted, AppError> {
    let named = wish.to.map_or(Wanted::Unchanged, |spec| spec.formats());
    match (wish.release, named) {
        (Some(release), Wanted::Unchanged) => Ok(Wanted::For(release)),
        (Some(_), _) => {
            Err(AppError::new(Kind::Usage, "--for names layout and dialect already: leave them out of --to"))
        }
        (None, named) => Ok(named),
    }
}

/// The plan for people.
pub(super) fn text(plan: &Plan) -> String {
    if plan.is_empty() {
        return format!("{} is all {} already: nothing to do\n{}", plan.home.display(), plan.target, kept(plan));
    }
    let mut text = format!("Plan for {}: to {}\n\n", plan.home.display(), plan.target);
    let mut rows = vec![vec![
        "database".to_owned(),
        "from".to_owned(),
        "size".to_owned(),
        "tables".to_owned(),
        "new size, about".to_owned(),
    ]];
    for database in &plan.databases {
        rows.push(vec![
            database.name.clone(),
            database.engine.to_string(),
            bytes(database.disk_bytes),
            database.tables.to_string(),
            bytes(database.target_bytes),
        ]);
    }
    text.push_str(&table(&rows));
    text.push_str(&kept(plan));
    text.push_str(&map(plan));
    if let Some(genesis) = &plan.genesis {
        text.push_str(&format!(
            "At the cut-over the consensus parameters in {} are rewritten for dialect {}; the old file is kept in the workspace.\n",
            genesis.file.display(),
            genesis.dialect
        ));
    }
    for setting in &plan.settings {
        text.push_str(&format!(
            "At the cut-over {} changes from {:?} to {:?}.\n",
            setting.setting, setting.from, setting.to
        ));
    }
    text.push_str(&format!(
        "Disk: at most {} beside the present databases; {} are free. Time: about {} s.\n",
        bytes(plan.peak_disk_bytes),
        bytes(plan.free_disk_bytes),
        plan.seconds
    ));
    text.push_str("The node must stay stopped until the cut-over. The old databases stay until `finalise`; until then `rollback` goes back.\n");
    for warning in &plan.warnings {
        text.push_str(&format!("Warning: {warning}\n"));
    }
    text
}

/// What happens to each class of records.
fn map(plan: &Plan) -> String {
    let header = ["database", "records", "keys", "what happens", "why"].map(str::to_owned).to_vec();
    let mut rows = vec![header];
    let mut losses = String::new();
    for database in &plan.databases {
        let Some(planned) = &database.conversion else { continue };
        for class in &planned.classes {
            rows.push(vec![
                database.name.clone(),
                class.class.clone(),
                class.keys.map_or_else(|| "not counted".to_owned(), |keys| keys.to_string()),
                class.fate.clone(),
                class.reason.clone().unwrap_or_default(),
            ]);
        }
        losses.extend(planned.losses.iter().map(|loss| format!("Left behind in {}: {loss}\n", database.name)));
        losses.extend(planned.remarks.iter().map(|remark| format!("Odd in {}: {remark}\n", database.name)));
    }
    if rows.len() == 1 {
        return "\nEvery key and value is copied byte for byte; keys that are not known are copied too.\n".to_owned();
    }
    format!("\n{}All other databases are copied byte for byte.\n{losses}", table(&rows))
}

fn kept(plan: &Plan) -> String {
    plan.kept.iter().map(|kept| format!("  {} ({}) stays: {}\n", kept.name, kept.engine, kept.reason)).collect()
}
