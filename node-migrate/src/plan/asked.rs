//! Whether the plan of a migration under way is the one that is asked for now: to go on with another would do what nobody wants.

use ledger_formats::engine::TargetFormat;

use super::scope::matches_name;
use super::{Plan, PlanError};
use crate::formats::{self, Wanted};
use crate::home::Home;

impl Plan {
    /// Where it leads, in words: `goleveldb, layout v1, dialect v0_38`.
    #[must_use]
    pub fn aim(&self) -> String {
        let formats = self.databases.iter().find_map(|database| database.conversion.as_ref());
        let formats = formats.map(|planned| format!(", {}", planned.target())).unwrap_or_default();
        format!("{}{formats}", self.target)
    }

    /// What is asked for and differs from this plan, in words; `None` when the plan is what is asked for. `databases` and `asked` are
    /// empty where nothing was said. The home is that of the plan, not yet cut over.
    ///
    /// # Errors
    /// When the home's formats cannot be told, or cannot become what is asked for.
    pub fn contradiction(
        &self,
        home: &Home,
        databases: &[String],
        asked: Option<(TargetFormat, Wanted)>,
    ) -> Result<Option<String>, PlanError> {
        if let Some((target, wanted)) = asked {
            if target != self.target_format()? {
                return Ok(Some(format!("to {target}")));
            }
            let planned = self.databases.iter().filter_map(|database| database.conversion.as_ref());
            if !formats::are_planned(home, wanted, databases, planned)? {
                return Ok(Some(format!("to {target}{wanted}")));
            }
        }
        let is_named = |name: &str| {
            let found = home.databases.iter().find(|database| database.name == name);
            found.is_some_and(|database| databases.iter().any(|word| matches_name(database, word)))
        };
        let is_left_out = |name: &str, engine: &str| is_named(name) && engine != self.target;
        let is_other = !databases.is_empty()
            && (!self.names().all(is_named) || self.kept.iter().any(|kept| is_left_out(&kept.name, &kept.engine)));
        Ok(is_other.then(|| format!("of {}", databases.join(", "))))
    }

    /// What another plan does otherwise, in words; `None` when both lead from and to the same.
    #[must_use]
    pub fn contradiction_to(&self, other: &Self) -> Option<String> {
        let steps = |plan: &Self| {
            let step = |database: &super::PlannedDatabase| {
                (database.name.clone(), database.conversion.as_ref().map(|planned| planned.conversion))
            };
            plan.databases.iter().map(step).collect::<Vec<_>>()
        };
        if self.target != other.target || steps(self) != steps(other) {
            return Some(format!("to {} of {}", other.aim(), other.names().collect::<Vec<_>>().join(", ")));
        }
        None
    }
}
