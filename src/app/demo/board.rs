//! The calm live summary: where the play has got to, how many matters stand where, what last
//! happened that is worth a word.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::chart::Chart;
use crate::domain::Text;

/// The last notable events that are shown.
const SHOWN: usize = 6;

/// What the stream of changes has told so far.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// Flat status of every instance, with its workflow.
    standing: BTreeMap<String, (String, String)>,
    last: VecDeque<String>,
    words: Words,
}

/// What is told of a play: everyday steps are counted, not told.
const EVERYDAY: [&str; 9] = [
    "register",
    "route",
    "see",
    "accept",
    "contacted_caller",
    "progress",
    "resolve",
    "confirm",
    "begin",
];

/// What people call things, from the workflows themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// Commands and clocks, as `referral.route` and `referral.clock.handle`.
    pub(super) kinds: BTreeMap<String, Text>,
    /// Flat statuses.
    pub(super) statuses: BTreeMap<String, Text>,
}

impl Words {
    /// The words of some charts.
    pub(super) fn of(charts: &[Arc<Chart>]) -> Self {
        let mut words = Self::default();
        for chart in charts {
            for command in chart.commands.values() {
                let name = format!("{}.{}", chart.workflow, command.name);
                words.kinds.insert(name, command.title.clone());
            }
            for clock in chart.clocks.values() {
                let name = format!("{}.clock.{}", chart.workflow, clock.name);
                words.kinds.insert(name, clock.title.clone());
            }
            words.statuses.extend(chart.statuses.clone());
        }
        words
    }

    pub(super) fn status(&self, status: &str) -> String {
        let title = self.statuses.get(status);
        title.map_or_else(|| status.to_owned(), |title| format!("{} {status}", title.zh))
    }

    /// A clock, named as `referral.handle`.
    pub(super) fn clock(&self, name: &str) -> String {
        let parts = name.split_once('.');
        let title = parts
            .and_then(|(workflow, clock)| self.kinds.get(&format!("{workflow}.clock.{clock}")));
        title.map_or_else(|| name.to_owned(), |title| format!("{} {name}", title.zh))
    }
}

impl Board {
    /// An empty board that speaks with the workflows' words.
    pub(super) fn new(words: Words) -> Self {
        Self { words, ..Self::default() }
    }

    /// Takes one change of the stream.
    pub(super) fn take(&mut self, change: &Json) {
        let text = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
        let (id, workflow, status, kind) =
            (text("id"), text("workflow"), text("status"), text("kind"));
        let overdue = status == "overdue";
        let told = !EVERYDAY.contains(&kind.as_str()) && (overdue || !kind.starts_with("clock."));
        if let Some(title) = self.words.kinds.get(&format!("{workflow}.{kind}")).filter(|_| told) {
            let late = if overdue { self.words.status("overdue") } else { String::new() };
            let line = format!("{} {title} {late}", text("number"));
            // A limit that has run out climbs its ladder: it is told once.
            if !self.last.contains(&line) {
                self.last.push_back(line);
            }
            if self.last.len() > SHOWN {
                self.last.pop_front();
            }
        }
        self.standing.insert(id, (workflow, status));
    }

    /// Referrals by status.
    pub(super) fn counts(&self) -> BTreeMap<&str, u64> {
        let mut counts = BTreeMap::new();
        for (workflow, status) in self.standing.values() {
            if workflow == "referral" {
                *counts.entry(status.as_str()).or_default() += 1;
            }
        }
        counts
    }

    /// A few lines for people.
    pub(super) fn draw(&self, progress: &str) -> String {
        let mut text = format!("{progress}\n");
        let words: Vec<String> = self
            .counts()
            .into_iter()
            .map(|(status, n)| format!("{} {n}", self.words.status(status)))
            .collect();
        // Writing to a string cannot fail.
        writeln!(text, "  {}", words.join(" · ")).unwrap_or_default();
        for line in &self.last {
            writeln!(text, "  - {line}").unwrap_or_default();
        }
        text
    }
}
