//! Where all threads put what they find.
//!
//! Everything is counted; what is kept is bounded, so that a ruined database costs no memory.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::quarantine::Quarantine;
use super::report::{FINDINGS_OF_A_KIND, Finding, Report, printable};
use super::what::What;

/// Collects findings, remarks and what could not be checked.
pub(super) struct Findings<'a> {
    quarantine: Quarantine<'a>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    findings: Pile,
    exceptions: Pile,
    remarks: Vec<String>,
    vouched: BTreeMap<What, Vouched>,
    not_checked: Vec<String>,
}

/// What looks wrong, and is so in a source that the copy equals.
struct Vouched {
    count: u64,
    first: String,
}

/// What was found, the first of each kind in full.
#[derive(Default)]
struct Pile {
    kept: Vec<Finding>,
    of_kind: BTreeMap<What, usize>,
    total: u64,
}

/// The row that something is about.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The database.
    pub database: &'a str,
    /// The key.
    pub key: &'a [u8],
    /// The height.
    pub height: Option<u64>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(quarantine: Quarantine<'a>) -> Self {
        Self { quarantine, kept: Mutex::default() }
    }

    /// Something is not as it must be.
    pub(super) fn report(&self, what: What, place: Place<'_>, expected: &dyn Display, actual: &dyn Display) {
        let is_exception = self.quarantine.explains(place.database, place.key, place.height);
        let mut kept = self.kept();
        let pile = if is_exception { &mut kept.exceptions } else { &mut kept.findings };
        pile.total += 1;
        let of_kind = pile.of_kind.entry(what).or_default();
        *of_kind += 1;
        if *of_kind <= FINDINGS_OF_A_KIND {
            pile.kept.push(Finding {
                database: place.database.to_owned(),
                key: printable(place.key),
                height: place.height,
                what,
                expected: expected.to_string(),
                actual: actual.to_string(),
                remedy: what.remedy(),
            });
        }
    }

    /// Something looks wrong that no hash binds, so that a node may have left it so. It is a finding unless the database
    /// was shown to equal its source: then it is the source's, which must be carried as it is.
    pub(super) fn doubt(
        &self,
        what: What,
        place: Place<'_>,
        vouched: bool,
        expected: &dyn Display,
        actual: &dyn Display,
    ) {
        if !vouched {
            return self.report(what, place, expected, actual);
        }
        let mut kept = self.kept();
        let doubt = kept.vouched.entry(what).or_insert_with(|| Vouched {
            count: 0,
            first: format!("{}, {}: expected {expected}, actual {actual}", place.database, printable(place.key)),
        });
        doubt.count += 1;
    }

    /// Something is odd and legitimate.
    pub(super) fn remark(&self, text: String) {
        self.kept().remarks.push(text);
    }

    /// Something could not be checked.
    pub(super) fn not_checked(&self, text: String) {
        self.kept().not_checked.push(text);
    }

    /// Puts all into a report, in an order that does not depend on threads.
    pub(super) fn into_report(self, report: &mut Report) {
        let kept = self.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        (report.findings_total, report.findings) = kept.findings.sorted();
        (report.exceptions_total, report.exceptions) = kept.exceptions.sorted();
        report.remarks = kept.remarks;
        report.remarks.extend(kept.vouched.into_iter().map(|(what, Vouched { count, first })| {
            format!("{what}: the source, which the copy equals, has {count} rows that no hash binds and that look wrong; one is {first}")
        }));
        report.not_checked = kept.not_checked;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each change under the lock leaves the collection whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pile {
    fn sorted(mut self) -> (u64, Vec<Finding>) {
        self.kept.sort_by(|a, b| {
            let order = |finding: &Finding| (finding.height, finding.what);
            a.database.cmp(&b.database).then_with(|| order(a).cmp(&order(b))).then_with(|| a.key.cmp(&b.key))
        });
        // Where two walks meet, both may look at a row.
        let before = self.kept.len();
        self.kept.dedup();
        (self.total - (before - self.kept.len()) as u64, self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_vouches_for_is_a_remark() {
        let findings = Findings::new(Quarantine::of(&[]));
        let place = Place { database: "state", key: b"k", height: None };
        findings.doubt(What::ProposerPriority, place, true, &1, &2);
        findings.doubt(What::ProposerPriority, place, true, &1, &2);
        findings.doubt(What::ProposerPriority, place, false, &1, &2);
        let mut report = Report::default();
        findings.into_report(&mut report);
        assert_eq!((report.findings.len(), report.remarks.len()), (1, 1));
        assert!(report.remarks[0].contains("has 2 rows"), "{:?}", report.remarks);
    }

    #[test]
    fn all_is_counted_and_the_first_of_each_kind_kept() {
        let findings = Findings::new(Quarantine::of(&[]));
        for height in (0..3_000).rev() {
            let place = Place { database: "state", key: b"k", height: Some(height) };
            findings.report(What::Missing, place, &"a row", &"none");
        }
        findings.report(What::Tip, Place { database: "state", key: b"stateKey", height: None }, &1, &2);
        let mut report = Report::default();
        findings.into_report(&mut report);
        assert_eq!((report.findings.len(), report.findings_total), (FINDINGS_OF_A_KIND + 1, 3_001));
        assert!(report.findings.is_sorted_by_key(|finding| finding.height));
        assert_eq!(report.findings[0].what, What::Tip);
        assert_eq!(report.findings[1].to_string().split(':').next(), Some("state, key k, height 2900"));
    }
}
