//! A slow second opinion about clocks: from the events and the definition alone, which clocks
//! should be armed, with which due instant, and which of them stand still.

use std::collections::{BTreeMap, BTreeSet};

use fenliu::chart::Chart;
use fenliu::domain::event::ClockVerb;
use fenliu::domain::{Instance, Instant};

use super::checks::Fact;
use super::store::Store;
use super::trace::Broken;

/// A clock that should be armed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expected {
    scope: String,
    due: Instant,
    stands: bool,
}

/// What should be armed.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    clocks: BTreeMap<String, Expected>,
}

impl Oracle {
    /// Follows one event: states left end their clocks, states entered arm theirs; everything else
    /// must be a change that some `rearm`, `stop`, `suspends` or `replaces` asks for.
    pub(super) fn take(&mut self, fact: &Fact<'_>) -> Result<(), Broken> {
        let broken = |what: String| {
            let (id, seq) = (fact.event.instance, fact.event.seq);
            Broken::new(
                "I3: the clocks that the definition declares",
                format!("{id} v{seq}: {what}"),
            )
        };
        let was = active(fact.chart, fact.before.map_or("", |before| before.state.as_str()));
        let is = active(fact.chart, &fact.event.to);
        let entered: BTreeSet<&str> = fact.event.entered.iter().map(String::as_str).collect();
        let left =
            |scope: &str| entered.contains(scope) || (was.contains(&scope) && !is.contains(&scope));
        self.clocks.retain(|_, clock| !left(&clock.scope));
        for path in &fact.event.entered {
            // States entered on the way and left again leave nothing behind.
            if is.contains(&path.as_str()) {
                for name in listed(fact.chart, path) {
                    let expected = Expected { scope: path.clone(), due: Instant(0), stands: false };
                    self.clocks.insert(name.to_owned(), expected);
                }
            }
        }
        for change in &fact.event.clocks {
            let name = change.clock.as_str();
            match change.change {
                ClockVerb::Ended if ends(fact, name) => {
                    self.clocks.remove(name);
                }
                // Armed again later in the same event.
                ClockVerb::Ended => {}
                ClockVerb::Armed => {
                    let scope = is.iter().find(|path| listed(fact.chart, path).any(|c| c == name));
                    if let Some(scope) = scope {
                        let scope = (*scope).to_owned();
                        let due = change.due.unwrap_or_default();
                        self.clocks.insert(name.to_owned(), Expected { scope, due, stands: false });
                    }
                }
                verb => {
                    let Some(clock) = self.clocks.get_mut(name) else { continue };
                    clock.due = change.due.unwrap_or(clock.due);
                    match verb {
                        ClockVerb::Frozen => clock.stands = true,
                        ClockVerb::Resumed => clock.stands = false,
                        _ => {}
                    }
                }
            }
        }
        let missing = self.clocks.iter().find(|(_, clock)| clock.due == Instant(0));
        match missing {
            Some((name, _)) => Err(broken(format!("`{name}` should have been armed"))),
            None => Ok(()),
        }
    }

    /// Compares with the instance as stored and with the clock rows.
    pub(super) fn compare(
        &self,
        chart: &Chart,
        stored: &Instance,
        store: &Store,
    ) -> Result<(), Broken> {
        let check = "I3: the armed clocks are those that should be";
        let id = stored.id;
        let armed: BTreeMap<String, Expected> = stored
            .clocks
            .iter()
            .map(|(name, clock)| {
                let (scope, due) = (clock.scope.clone(), clock.due);
                (name.clone(), Expected { scope, due, stands: clock.frozen.is_some() })
            })
            .collect();
        if armed != self.clocks {
            let what = format!("{id} has {armed:?}, should have {:?}", self.clocks);
            return Err(Broken::new(check, what));
        }
        for name in active(chart, &stored.state).iter().flat_map(|path| suspended(chart, path)) {
            if armed.get(name).is_some_and(|clock| !clock.stands) {
                let what = format!("`{name}` of {id} runs while {} suspends it", stored.state);
                return Err(Broken::new(check, what));
            }
        }
        let rows = store
            .clocks
            .range((id, String::new())..(fenliu::domain::InstanceId(id.0 + 1), String::new()));
        let rows: BTreeMap<&str, _> = rows
            .map(|((_, name), row)| (name.as_str(), (row.wake, row.due, row.entry, row.step)))
            .collect();
        let wanted: BTreeMap<&str, _> = stored
            .clocks
            .iter()
            .filter_map(|(name, clock)| {
                Some((name.as_str(), (clock.wake?, clock.due, clock.entry, clock.step)))
            })
            .collect();
        if rows == wanted {
            return Ok(());
        }
        let what = format!("the rows of {id} are {rows:?}, should be {wanted:?}");
        Err(Broken::new("I3: every armed clock has its row", what))
    }
}

fn active<'c>(chart: &'c Chart, state: &str) -> Vec<&'c str> {
    let leaf = chart.find(state);
    leaf.into_iter().flat_map(|leaf| chart.active(leaf)).map(|node| node.path.as_str()).collect()
}

fn listed<'c>(chart: &'c Chart, path: &str) -> impl Iterator<Item = &'c str> {
    let node = chart.find(path).and_then(|number| chart.node(number));
    node.into_iter().flat_map(|node| &node.clocks).map(String::as_str)
}

fn suspended<'c>(chart: &'c Chart, path: &str) -> impl Iterator<Item = &'c str> {
    let node = chart.find(path).and_then(|number| chart.node(number));
    node.into_iter().flat_map(|node| &node.suspends).map(String::as_str)
}

/// Whether the last that an event says of a clock is that it ended.
fn ends(fact: &Fact<'_>, name: &str) -> bool {
    let last = fact.event.clocks.iter().rfind(|change| change.clock == name);
    last.is_some_and(|change| change.change == ClockVerb::Ended)
}
