//! `rollout plan`: the stages, or why the plan is refused.

use node_migrate::rollout::plan::{Plan, Promotion, Role, WithNewHeights};
use serde_json::{Value, json};

use super::super::Surroundings;
use crate::cli::rollout::PlanFile;
use crate::error::AppError;
use crate::output::table;

/// Prints the stages.
pub(super) fn run(command: &PlanFile, world: &Surroundings) -> Result<(), AppError> {
    let (_, plan) = super::read_plan(&command.plan)?;
    show(&plan, world, "");
    Ok(())
}

/// Prints the stages of a plan, and a last line.
pub(super) fn show(plan: &Plan, world: &Surroundings, last: &str) {
    world.output.result(&value(plan), || format!("{}{last}", text(plan)));
}

fn value(plan: &Plan) -> Value {
    let stages: Vec<Value> = plan
        .stages
        .iter()
        .map(|stage| {
            json!({
                "name": stage.name, "nodes": stage.nodes, "power": power(plan, &stage.nodes),
                "population_min": stage.population_min, "soak_heights": stage.soak_heights,
                "promotion": match stage.promotion { Promotion::Automatic => "automatic", Promotion::ByPerson => "by-person" },
            })
        })
        .collect();
    json!({
        "name": plan.name, "to": plan.format.to, "total_power": plan.network.total_power,
        "power_down_below": plan.power_limit(), "nodes_in_flight_max": plan.limits.nodes_in_flight_max, "stages": stages,
    })
}

fn power(plan: &Plan, nodes: &[node_migrate::rollout::plan::NodeName]) -> u64 {
    nodes.iter().filter_map(|name| plan.nodes.get(name)).fold(0, |sum, node| sum.saturating_add(node.power))
}

fn text(plan: &Plan) -> String {
    let validators = plan.nodes.values().filter(|node| node.role == Role::Validator).count();
    let mut text = format!(
        "Rollout {} to {}: {} nodes, {validators} of them validators.\n\
         At most {} out of service at once, one for each failure domain, and less than {} of power {} down.\n",
        plan.name,
        plan.format.to,
        plan.nodes.len(),
        plan.limits.nodes_in_flight_max,
        plan.power_limit(),
        plan.network.total_power
    );
    let mut rows = vec![["stage", "nodes", "power", "ends with", "soaks", "goes on"].map(str::to_owned).to_vec()];
    for stage in &plan.stages {
        let names: Vec<&str> = stage.nodes.iter().map(|node| node.as_str()).collect();
        let goes_on = match stage.promotion {
            Promotion::Automatic => "by its gates",
            Promotion::ByPerson => "by a named person",
        };
        rows.push(vec![
            stage.name.clone(),
            names.join(" "),
            power(plan, &stage.nodes).to_string(),
            format!("{} healthy", stage.population_min),
            format!("{} heights", stage.soak_heights),
            goes_on.to_owned(),
        ]);
    }
    text.push_str(&table(&rows));
    text.push_str(match plan.with_new_heights {
        WithNewHeights::Hold => "A node of a failed stage is rolled back while no height would be lost; else it stays on the new format and is reported.\n",
        WithNewHeights::MigrateBack => "A node of a failed stage is rolled back while no height would be lost; else it is migrated back with its new heights.\n",
    });
    text
}
