//! What a walk over a source's keys does with each: take it, pass it by, jump ahead, or refuse it.

use super::View;
use crate::comet::class::{Kind, class};
use crate::comet::key::ChainName;
use crate::comet::layout::{self, Family, RecordKey, digits};

/// Why a key cannot be placed that is nearly one of a known kind.
pub(super) const NEARLY: &str = "its key begins like those of a known kind, but is none of them";

/// Why a light block cannot be placed that is of another chain than the first one: their order differs by layout, and
/// so does what their numbers are kept in.
pub(super) const OTHER_CHAIN: &str = "it is of another chain than the first light block of this store";

/// What a lane walks over.
#[derive(Clone, Copy)]
pub(super) enum Walk {
    /// All keys, or all that are in no family, which keep their spelling.
    Plain,
    /// The keys of one family; of a family with decimal heights, those of one number of digits.
    Family {
        /// The family.
        family: &'static Family,
        /// The number of digits; `None` where heights are not decimal.
        digits: Option<u32>,
    },
    /// The light blocks of one chain.
    Chain(ChainName),
}

/// What happens to a row.
pub(super) enum Judgement {
    /// It is the lane's; its key is spelled anew unless it is `None`.
    Take(Kind, Option<RecordKey>),
    /// It is another lane's.
    Pass,
    /// It and all rows below that key are another lane's.
    PassTo(Vec<u8>),
    /// It cannot be converted, for this reason.
    Refuse(&'static str),
}

/// Judges a key of the source.
pub(super) fn judge(view: &View<'_>, walk: Walk, key: &[u8]) -> Judgement {
    match walk {
        Walk::Plain => plain(view, key),
        Walk::Family { family, digits } => of_family(view, family, digits, key),
        Walk::Chain(chain) => of_chain(view, chain, key),
    }
}

fn plain(view: &View<'_>, key: &[u8]) -> Judgement {
    let class = class(view.database, key);
    match class.layout {
        Some(layout) if layout != view.conversion.from => {
            Judgement::Refuse("its key has another layout than the other keys of this store")
        }
        // All other kinds with two spellings have a walk of their own.
        Some(_) if view.changes_layout() && class.kind == Kind::LightBlock => Judgement::Refuse(OTHER_CHAIN),
        _ => Judgement::Take(class.kind, None),
    }
}

fn of_chain(view: &View<'_>, chain: ChainName, key: &[u8]) -> Judgement {
    match RecordKey::decode(view.database, view.conversion.from, key) {
        Some(record) if layout::chain::of(view.conversion.from, key) == Some(chain) => {
            Judgement::Take(Kind::LightBlock, Some(record))
        }
        _ => Judgement::Refuse(NEARLY),
    }
}

fn of_family(view: &View<'_>, family: &Family, wanted: Option<u32>, key: &[u8]) -> Judgement {
    let Some(record) = RecordKey::decode(view.database, view.conversion.from, key) else {
        return Judgement::Refuse(NEARLY);
    };
    let (Some(wanted), Some(height)) = (wanted, record.height()) else {
        return Judgement::Take(family.kind, Some(record));
    };
    let actual = digits::digits(height);
    if actual == wanted {
        return Judgement::Take(family.kind, Some(record));
    }
    if actual < wanted {
        return Judgement::Pass;
    }
    if wanted == view.digits {
        return Judgement::Refuse("its height is far above the last height of the store");
    }
    // All keys that go on with a digit where a key of the lane ends are of more digits.
    let end = family.v1.len() + wanted as usize;
    match key.get(..end) {
        Some(stem) => Judgement::PassTo([stem, b":"].concat()),
        None => Judgement::Pass,
    }
}
