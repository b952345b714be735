//! Releases and what they open, and the steps between dialects: the compatibility rules, as data.
//!
//! docs/formats.md shows both tables and is checked against them. Seen with real nodes unless a note says otherwise.

use super::dialect::{Dialect, Target};
use super::key::Layout;
use crate::engine::EngineKind;

/// A line of releases.
#[derive(Debug, PartialEq, Eq)]
pub struct Release {
    /// Its name, as `--for` takes it.
    pub name: &'static str,
    /// How the software names itself in a state that it begins, up to the second dot.
    pub software: &'static str,
    /// The dialect that it writes.
    pub writes: Dialect,
    /// The layouts that it opens.
    pub layouts: &'static [Layout],
    /// The dialects that it opens as they are, without a loss.
    pub opens: &'static [Dialect],
    /// The engines that its ordinary build opens, the default first.
    pub engines: &'static [EngineKind],
}

const LEVEL: &[EngineKind] = &[EngineKind::LevelDb];

/// The releases, oldest first. v0.40.0 calls itself 0.39.0.
pub static RELEASES: [Release; 6] = [
    Release {
        name: "cometbft-0.34",
        software: "0.34.",
        writes: Dialect::V0_34,
        layouts: &[Layout::V1],
        opens: &[Dialect::V0_34],
        engines: LEVEL,
    },
    Release {
        name: "cometbft-0.37",
        software: "0.37.",
        writes: Dialect::V0_37,
        layouts: &[Layout::V1],
        opens: &[Dialect::V0_34, Dialect::V0_37],
        engines: LEVEL,
    },
    Release {
        name: "cometbft-0.38",
        software: "0.38.",
        writes: Dialect::V0_38,
        layouts: &[Layout::V1],
        opens: OLD,
        engines: LEVEL,
    },
    Release {
        name: "cometbft-0.39",
        software: "0.39.",
        writes: Dialect::V0_40,
        layouts: &[Layout::V1],
        opens: OLD_AND_040,
        engines: LEVEL,
    },
    Release {
        name: "cometbft-0.40",
        software: "0.40.",
        writes: Dialect::V0_40,
        layouts: &[Layout::V1],
        opens: OLD_AND_040,
        engines: LEVEL,
    },
    Release {
        name: "cometbft-1.0",
        software: "1.0.",
        writes: Dialect::V1_0,
        layouts: &[Layout::V1, Layout::V2],
        opens: &[Dialect::V1_0],
        engines: &[EngineKind::Pebble, EngineKind::LevelDb],
    },
];

const OLD: &[Dialect] = &[Dialect::V0_34, Dialect::V0_37, Dialect::V0_38];
const OLD_AND_040: &[Dialect] = &[Dialect::V0_34, Dialect::V0_37, Dialect::V0_38, Dialect::V0_40];

/// The release of a name.
#[must_use]
pub fn release(name: &str) -> Option<&'static Release> {
    RELEASES.iter().find(|release| release.name == name)
}

/// A step from one dialect to another.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// From.
    pub from: Dialect,
    /// To.
    pub to: Dialect,
    /// What is written anew; `None` where the release opens the values as they are.
    pub convert: Option<Target>,
    /// What it needs, and what it does not keep.
    pub note: &'static str,
}

const KEEPS_ALL: &str = "keeps everything";
const TO_V1: &str = "keys that v1.0 knows; genesisDoc goes";
const FROM_V1: &str = "layout v1; no proposer-based timestamps; no attack on light clients in a block; synchrony goes";

/// The steps. There is none back to v0.34 or v0.37: their message of results cannot say what later ones say.
pub static STEPS: [Step; 11] = [
    Step { from: Dialect::V0_34, to: Dialect::V0_37, convert: None, note: KEEPS_ALL },
    Step { from: Dialect::V0_34, to: Dialect::V0_38, convert: None, note: KEEPS_ALL },
    Step { from: Dialect::V0_37, to: Dialect::V0_38, convert: None, note: KEEPS_ALL },
    Step { from: Dialect::V0_38, to: Dialect::V0_40, convert: None, note: KEEPS_ALL },
    Step {
        from: Dialect::V0_40,
        to: Dialect::V0_38,
        convert: Some(Target::V0_38),
        note: "keys that v0.38 knows; the authority goes",
    },
    Step { from: Dialect::V0_34, to: Dialect::V1_0, convert: Some(Target::V1_0), note: TO_V1 },
    Step { from: Dialect::V0_37, to: Dialect::V1_0, convert: Some(Target::V1_0), note: TO_V1 },
    Step { from: Dialect::V0_38, to: Dialect::V1_0, convert: Some(Target::V1_0), note: TO_V1 },
    Step {
        from: Dialect::V0_40,
        to: Dialect::V1_0,
        convert: Some(Target::V1_0),
        note: "keys that v1.0 knows; genesisDoc and the authority go",
    },
    Step { from: Dialect::V1_0, to: Dialect::V0_38, convert: Some(Target::V0_38), note: FROM_V1 },
    Step { from: Dialect::V1_0, to: Dialect::V0_40, convert: Some(Target::V0_40), note: FROM_V1 },
];

/// The fewest steps from one dialect to another; empty for none to take, `None` where there is no way.
#[must_use]
pub fn path(from: Dialect, to: Dialect) -> Option<Vec<&'static Step>> {
    let mut ways = vec![(from, Vec::new())];
    for _ in Dialect::ALL {
        if let Some((_, way)) = ways.iter().find(|(at, _)| *at == to) {
            return Some(way.clone());
        }
        let mut next = Vec::new();
        for (at, way) in &ways {
            for step in STEPS.iter().filter(|step| step.from == *at) {
                next.push((step.to, way.iter().copied().chain([step]).collect()));
            }
        }
        ways = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_has_its_shortest_way_or_none() {
        let way = |from, to| path(from, to).map(|steps| steps.iter().map(|step| step.to).collect::<Vec<_>>());
        assert_eq!(way(Dialect::V1_0, Dialect::V1_0), Some(vec![]));
        assert_eq!(way(Dialect::V1_0, Dialect::V0_38), Some(vec![Dialect::V0_38]));
        assert_eq!(way(Dialect::V0_34, Dialect::V0_40), Some(vec![Dialect::V0_38, Dialect::V0_40]));
        assert_eq!(way(Dialect::V1_0, Dialect::V0_37), None);
        assert_eq!(way(Dialect::V0_38, Dialect::V0_34), None);
    }

    #[test]
    fn a_release_opens_what_it_writes_and_steps_lead_to_what_it_opens() {
        for release in &RELEASES {
            assert!(release.opens.contains(&release.writes), "{}", release.name);
            assert!(release.layouts.contains(&Layout::V1), "{}", release.name);
        }
        for step in &STEPS {
            assert!(step.convert.is_none_or(|target| target.dialect() == step.to));
        }
    }

    #[test]
    fn the_page_of_formats_shows_the_tables() {
        let page = include_str!("../../../docs/formats.md");
        for release in &RELEASES {
            let list = |names: Vec<&str>| names.join(", ");
            let row = format!(
                "| `{}` | {} | {} | {} | {} |",
                release.name,
                release.writes,
                list(release.layouts.iter().map(|layout| layout.label()).collect()),
                list(release.opens.iter().map(|dialect| dialect.name()).collect()),
                list(release.engines.iter().map(|engine| engine.config_name()).collect())
            );
            assert!(page.contains(&row), "docs/formats.md lacks\n{row}");
        }
        for step in &STEPS {
            let how = if step.convert.is_some() { "rewritten" } else { "opened as it is" };
            let row = format!("| {} | {} | {how} | {} |", step.from, step.to, step.note);
            assert!(page.contains(&row), "docs/formats.md lacks\n{row}");
        }
    }
}
