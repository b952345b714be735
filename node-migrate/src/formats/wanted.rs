//! What the operator wants the databases to be: `--to ENGINE[,layout=..][,dialect=..]` and `--for RELEASE`.

use std::str::FromStr;

use ledger_formats::comet::dialect::{Dialect, Target};
use ledger_formats::comet::key::Layout;
use ledger_formats::comet::release::Release;
use ledger_formats::engine::{TargetFormat, UnknownTarget};

/// The formats that are wanted; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// They stay.
    #[default]
    Unchanged,
    /// What this release opens.
    For(&'static Release),
    /// These; `None` for what is there.
    Formats {
        /// How keys are spelled.
        layout: Option<Layout>,
        /// How values are encoded.
        dialect: Option<Target>,
    },
    /// Labels that name the layout which the keys have.
    TrueLabels,
}

impl std::fmt::Display for Wanted {
    /// As it follows the engine in a sentence: `, layout v1, dialect v0_38`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unchanged => f.write_str(" with keys and values as they are"),
            Self::For(release) => write!(f, " for {}", release.name),
            Self::Formats { layout, dialect } => {
                layout.iter().try_for_each(|layout| write!(f, ", layout {}", layout.label()))?;
                dialect.iter().try_for_each(|dialect| write!(f, ", dialect {dialect}"))
            }
            Self::TrueLabels => f.write_str(" with true labels"),
        }
    }
}

/// The words of `--to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetSpec {
    /// The engine.
    pub engine: TargetFormat,
    /// How keys are spelled, if that is said.
    pub layout: Option<Layout>,
    /// How values are encoded, if that is said.
    pub dialect: Option<Target>,
}

/// Words of `--to` that mean nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownSpec {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] UnknownTarget),
    /// The layout.
    #[error("`{0}` is not a layout: use v1 or v2")]
    Layout(String),
    /// The dialect.
    #[error("`{0}` is not a dialect that values can be converted to: use v0_38, v0_40 or v1_0")]
    Dialect(String),
}

impl FromStr for TargetSpec {
    type Err = UnknownSpec;

    fn from_str(text: &str) -> Result<Self, UnknownSpec> {
        let (mut engine, mut layout, mut dialect) = (Vec::new(), None, None);
        for word in text.split(',') {
            if let Some(name) = word.strip_prefix("layout=") {
                let found = Layout::from_label(name.as_bytes());
                layout = Some(found.ok_or_else(|| UnknownSpec::Layout(name.to_owned()))?);
            } else if let Some(name) = word.strip_prefix("dialect=") {
                let found = Dialect::from_name(name).and_then(Target::of);
                dialect = Some(found.ok_or_else(|| UnknownSpec::Dialect(name.to_owned()))?);
            } else {
                engine.push(word);
            }
        }
        Ok(Self { engine: engine.join(",").parse()?, layout, dialect })
    }
}

impl TargetSpec {
    /// The formats that the words ask for beside the engine.
    #[must_use]
    pub fn formats(&self) -> Wanted {
        match (self.layout, self.dialect) {
            (None, None) => Wanted::Unchanged,
            (layout, dialect) => Wanted::Formats { layout, dialect },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_target_are_read_in_any_order() {
        let spec: TargetSpec = "pebble,layout=v1,format=13,dialect=v0_38".parse().expect("reads");
        assert_eq!((spec.engine.pebble_format, spec.layout, spec.dialect), (13, Some(Layout::V1), Some(Target::V0_38)));
        let plain: TargetSpec = "rocksdb".parse().expect("reads");
        assert_eq!(plain.formats(), Wanted::Unchanged);
        for (text, says) in [
            ("pebble,layout=v3", "`v3` is not a layout"),
            ("pebble,dialect=v0_34", "`v0_34` is not a dialect"),
            ("layout=v1", "`` is not a target"),
            ("pebble,colour=red", "is not a target"),
        ] {
            let error = text.parse::<TargetSpec>().expect_err(text).to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
