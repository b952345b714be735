//! What a plan tells the operator to see to, beside what node-migrate does: things that it must not, or cannot, do itself.

use ledger_formats::comet::dialect::Target;

use crate::formats::Decided;
use crate::home::{Home, Role};

/// The database of CometBFT's example application.
const EXAMPLE_APPLICATION: &str = "kvstore";

/// What a change of dialect leaves to the operator; nothing when the dialect stays.
pub(super) fn of_dialect(home: &Home, formats: &Decided) -> Vec<String> {
    let dialects = formats.conversions.values().filter_map(|planned| planned.conversion.dialect);
    dialects.max().map(|dialect| advice(home, dialect)).unwrap_or_default()
}

fn advice(home: &Home, dialect: Target) -> Vec<String> {
    let mut advice = Vec::new();
    if home.config_toml.is_some() {
        advice.push(format!(
            "{} keeps the sections and values of the release that wrote it, but for the engine: hold it against the file that `init` of \
             the new release makes",
            home.root.join("config/config.toml").display()
        ));
    }
    let own =
        home.databases.iter().filter(|database| database.role == Role::Opaque).map(|database| database.name.as_str());
    let own: Vec<&str> = own.collect();
    if !own.is_empty() {
        advice.push(format!(
            "values of {} are the application's and stay as they are: an application for a node of dialect {dialect} must open them at \
             the present height",
            own.join(", ")
        ));
    }
    if own.contains(&EXAMPLE_APPLICATION) {
        advice.push(format!(
            "{EXAMPLE_APPLICATION}, of CometBFT's example application, holds values of the old dialect: remove its folder before the \
             start, and the node builds it anew from the blocks, all of which must be there"
        ));
    }
    advice
}
