//! `plan`: what a migration would do.

use ledger_formats::durable;
use ledger_formats::engine::TargetFormat;
use node_migrate::home::Home;
use node_migrate::plan::{Plan, Request};

use super::Surroundings;
use crate::cli::{PlanArguments, Wish};
use crate::error::{AppError, Kind};
use crate::output::{bytes, table};

/// Shows, and writes if asked, the plan.
pub(super) fn run(command: &PlanArguments, world: &Surroundings) -> Result<(), AppError> {
    let home = world.stopped_home(&command.home)?;
    let plan = make(&home, &command.wish)?;
    if let Some(path) = &command.out {
        durable::write_file(path, plan.to_toml().as_bytes())?;
    }
    world.output.result(&plan, || text(&plan));
    Ok(())
}

/// Makes the plan that the words ask for.
pub(super) fn make(home: &Home, wish: &Wish) -> Result<Plan, AppError> {
    let request = Request { target: target(wish)?, databases: wish.db.clone() };
    Ok(Plan::make(home, &request)?)
}

/// The target that the words name.
pub(super) fn target(wish: &Wish) -> Result<TargetFormat, AppError> {
    wish.to.ok_or_else(|| {
        AppError::new(
            Kind::Usage,
            "no target: say --to goleveldb, pebbledb, rocksdb or sled, or give a plan with --plan FILE",
        )
    })
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
    text.push_str("\nEvery key and value is copied byte for byte; keys that are not known are copied too.\n");
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

fn kept(plan: &Plan) -> String {
    plan.kept.iter().map(|kept| format!("  {} ({}) stays: {}\n", kept.name, kept.engine, kept.reason)).collect()
}
