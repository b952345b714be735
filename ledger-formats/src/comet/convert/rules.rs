//! Which records a conversion leaves out. All of them are names that only one line of releases writes, each for a
//! stated reason; nothing else is ever left out.

use super::Conversion;
use crate::comet::class::Kind;
use crate::comet::dialect::Target;
use crate::comet::key::StateRecord;

/// Whether records of a kind are left out, or made anew, by a conversion.
pub(super) fn is_dropped(kind: Kind, conversion: Conversion) -> bool {
    rule(kind, conversion).is_some()
}

/// Why records of a kind are left out, or made anew; `None` for those that are carried over.
#[must_use]
pub fn rule(kind: Kind, conversion: Conversion) -> Option<&'static str> {
    use StateRecord::{
        AppRetainHeight, CompanionBlockRetainHeight, CompanionResultsRetainHeight, GenesisDoc, GenesisDocHash,
        LastAbciResponse, LastAbciResponsesRetainHeight, Version,
    };
    let is_label = matches!(kind, Kind::LayoutVersion | Kind::State(Version));
    match (conversion.dialect, kind) {
        (_, Kind::LightSize) if conversion.from != conversion.to => {
            Some("is one for each chain in layout v2, and one for all in layout v1")
        }
        (_, Kind::LightSize) => None,
        (None | Some(Target::V1_0), _) if is_label => Some("names the layout and is written anew"),
        (None, _) => None,
        (Some(Target::V0_38 | Target::V0_40), kind) => match kind {
            _ if is_label => Some("only v1.0 reads it, and would believe it even if it were no longer true"),
            Kind::State(GenesisDocHash) => Some("v1.0 would hold it against a genesis file that has changed since"),
            Kind::State(
                AppRetainHeight
                | CompanionBlockRetainHeight
                | CompanionResultsRetainHeight
                | LastAbciResponsesRetainHeight,
            ) => Some("belongs to the pruning of v1.0"),
            Kind::State(LastAbciResponse) => Some("is made from the results of the last block"),
            _ => None,
        },
        (Some(Target::V1_0), Kind::State(GenesisDoc)) => Some("v1.0 deletes it at every start"),
        (Some(Target::V1_0), Kind::State(LastAbciResponse)) => Some("v1.0 reads results from their own records"),
        (Some(Target::V1_0), _) => None,
    }
}
