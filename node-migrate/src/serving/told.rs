//! What the operator hears of a sweep, each thing once.

use std::time::{Duration, Instant};

use ledger_formats::comet::TimeRule;
use shim::source::Offer;

use super::times::TimeRules;

/// Time between two reports of progress.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// Time between two reports while the node is followed.
const FOLLOW_EVERY: Duration = Duration::from_secs(60);

/// What the operator should hear.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Told {
    /// New snapshots are in use.
    Snapshot {
        /// Of what, in words.
        of: &'static str,
        /// Lowest height in it.
        base: u64,
        /// Highest height in it that can be proven.
        top: u64,
    },
    /// So much was proven.
    Proven {
        /// Lowest height.
        base: u64,
        /// Highest height.
        top: u64,
        /// Whether that is all there is.
        is_all: bool,
    },
    /// A height cannot be proven: nothing from there on is offered.
    Stuck {
        /// The height.
        height: u64,
        /// Why.
        reason: String,
    },
    /// The first height whose time only one rule explains: releases with the other one refuse it.
    OneTimeRule {
        /// The height.
        height: u64,
        /// The rule.
        rule: TimeRule,
        /// Whether the network's rules, as far as they were said, are others.
        is_unexpected: bool,
    },
    /// The folders or snapshots could not be read; it is tried again.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// Progress that was told.
#[derive(Clone, Copy)]
struct Progress {
    when: Instant,
    top: u64,
    is_all: bool,
}

/// Who hears, and what was told before.
pub(super) struct Tells<'a> {
    rules: Option<TimeRules>,
    hear: &'a (dyn Fn(Told) + Sync),
    snapshots: Vec<&'static str>,
    progress: Option<Progress>,
    stuck: Option<(u64, String)>,
    unreadable: Option<String>,
    divergent: Vec<TimeRule>,
}

impl<'a> Tells<'a> {
    pub(super) fn new(rules: Option<TimeRules>, hear: &'a (dyn Fn(Told) + Sync)) -> Self {
        Self {
            rules,
            hear,
            snapshots: Vec::new(),
            progress: None,
            stuck: None,
            unreadable: None,
            divergent: Vec::new(),
        }
    }

    fn tell(&self, told: Told) {
        (self.hear)(told);
    }

    /// The snapshots in use: name, lowest and highest height. Newer ones of the same are no news.
    pub(super) fn snapshots(&mut self, views: Vec<(&'static str, u64, u64)>) {
        let names: Vec<_> = views.iter().map(|(name, ..)| *name).collect();
        if names != self.snapshots {
            self.snapshots = names;
            views.into_iter().for_each(|(of, base, top)| self.tell(Told::Snapshot { of, base, top }));
        }
    }

    /// Progress now and then, and the end of the first sweep when it is reached.
    pub(super) fn proven(&mut self, proven: Option<Offer>, is_all: bool) {
        let Some(Offer { base, top }) = proven else { return };
        let now = Instant::now();
        let is_due = self.progress.is_none_or(|told| {
            let pause = if told.is_all { FOLLOW_EVERY } else { TELL_EVERY };
            told.top != top && (is_all && !told.is_all || now.saturating_duration_since(told.when) >= pause)
        });
        if is_due {
            self.progress = Some(Progress { when: now, top, is_all });
            self.tell(Told::Proven { base, top, is_all });
        }
    }

    pub(super) fn stuck(&mut self, height: u64, reason: String) {
        let stuck = Some((height, reason.clone()));
        if self.stuck != stuck {
            self.stuck = stuck;
            self.tell(Told::Stuck { height, reason });
        }
    }

    /// Why the folders cannot be read now, if they cannot.
    pub(super) fn unreadable(&mut self, reason: Option<String>) {
        if self.unreadable != reason {
            self.unreadable.clone_from(&reason);
            if let Some(reason) = reason {
                self.tell(Told::Unreadable { reason });
            }
        }
    }

    /// The first height of each rule.
    pub(super) fn time(&mut self, height: u64, rule: Option<TimeRule>) {
        let Some(rule) = rule.filter(|rule| !self.divergent.contains(rule)) else { return };
        self.divergent.push(rule);
        let is_unexpected = self.rules.is_some_and(|rules| rules.at(height) != rule);
        self.tell(Told::OneTimeRule { height, rule, is_unexpected });
    }
}
