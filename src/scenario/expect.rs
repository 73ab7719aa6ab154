//! Comparing what happened with what was expected.

use super::story::Expect;
use super::{Error, Play};
use crate::chart::{Chart, Party};
use crate::domain::event::{ClockVerb, Told};
use crate::domain::{Actor, Directory, Facts, Grant, Instance, InstanceId, Instant, PersonId};
use crate::engine::{self, Decision, Situation, possible};

impl Play<'_> {
    /// Compares; all differences at once.
    pub(super) fn compare(
        &self,
        step: usize,
        on: Option<InstanceId>,
        expect: &Expect,
        decisions: &[Decision],
    ) -> Result<(), Error> {
        let instance = match on {
            Some(id) => self.instances.get(&id),
            None => self.root(),
        };
        if instance.is_none() && *expect == Expect::default() {
            return Ok(());
        }
        let Some(instance) = instance else {
            let what = "nothing has been opened yet".to_owned();
            return Err(Error::Impossible { step, what });
        };
        let chart = self
            .chart_named(&instance.workflow)
            .map_err(|what| Error::Impossible { step, what })?;
        let mut differences = Vec::new();
        self.standing(instance, &chart, expect, &mut differences);
        self.clocks(instance, expect, &mut differences);
        alerts(expect, decisions, &self.stage.directory, &mut differences);
        self.chances(instance, &chart, expect, &mut differences);
        if differences.is_empty() { Ok(()) } else { Err(Error::Different { step, differences }) }
    }

    fn standing(
        &self,
        instance: &Instance,
        chart: &Chart,
        expect: &Expect,
        differences: &mut Vec<String>,
    ) {
        let mut differ = |what: &str, expected: &Option<String>, is: &str| {
            if let Some(expected) = expected
                && expected != is
            {
                differences.push(format!("{what}: expected {expected}, is {is}"));
            }
        };
        differ("status", &expect.status, &instance.status);
        differ("stage", &expect.stage, &instance.stage);
        differ("state", &expect.state, &instance.state);
        differ("holder", &expect.holder, instance.holder.as_deref().unwrap_or("nobody"));
        differ("outcome", &expect.outcome, instance.outcome.as_deref().unwrap_or("none"));
        for (name, expected) in &expect.fields {
            let Some(field) = chart.fields.get(name) else {
                differences.push(format!("there is no field {name}"));
                continue;
            };
            let value = instance.fields.get(name).cloned().unwrap_or_default();
            let is = engine::input::show(&field.ty, &value, &self.zone);
            if is != *expected {
                differences.push(format!("{name}: expected {expected}, is {is}"));
            }
        }
        for (workflow, expected) in &expect.children {
            let is = instance.children.get(workflow).map_or(0, |children| children.total);
            if is != *expected {
                differences.push(format!("children {workflow}: expected {expected}, are {is}"));
            }
        }
    }

    fn clocks(&self, instance: &Instance, expect: &Expect, differences: &mut Vec<String>) {
        for (name, expected) in &expect.clocks {
            let is = instance.clocks.get(name).map(|clock| clock.due);
            let wanted = Instant::parse(expected);
            if wanted.as_ref().ok() != is.as_ref() {
                let is = is.map_or("not there".to_owned(), |due| due.in_zone(&self.zone));
                differences.push(format!("clock {name}: expected {expected}, is {is}"));
            }
        }
        for name in &expect.no_clocks {
            if instance.clocks.contains_key(name) {
                differences.push(format!("clock {name}: expected none, but it is there"));
            }
        }
    }

    /// Commands are possible when somebody who may give them could.
    fn chances(
        &self,
        instance: &Instance,
        chart: &Chart,
        expect: &Expect,
        differences: &mut Vec<String>,
    ) {
        let (facts, now) = (self.on_duty(), self.now);
        let situation = Situation { chart, calendar: &self.stage.calendar, facts: &facts, now };
        let could = |name: &String| {
            let Some(spec) = chart.commands.get(name) else { return false };
            spec.by.iter().any(|selector| {
                let unit = match &selector.party {
                    Party::Body(body) => self.stage.directory.ask(&format!("body/{body}")),
                    Party::Field(name) | Party::Input(name) => {
                        instance.fields.get(name).cloned().unwrap_or_default()
                    }
                };
                let Some(unit) = unit.as_text() else { return false };
                let grants = vec![Grant { role: selector.role, unit: unit.to_owned() }];
                let actor = Actor::person(PersonId(0), grants);
                possible::names(situation, instance, &actor).contains(name)
            })
        };
        for name in expect.possible.iter().filter(|name| !could(name)) {
            differences.push(format!("{name} is not possible"));
        }
        for name in expect.impossible.iter().filter(|name| could(name)) {
            differences.push(format!("{name} is possible"));
        }
    }
}

/// Who was told what by the decisions of a step, and which clocks fired.
fn alerts(
    expect: &Expect,
    decisions: &[Decision],
    directory: &Directory,
    differences: &mut Vec<String>,
) {
    let told: Vec<_> = decisions.iter().flat_map(|decision| &decision.event.told).collect();
    let name = |person: &PersonId| directory.people.get(person).map(|person| person.name.clone());
    let names = |t: &Told| t.people.iter().filter_map(name).collect::<Vec<_>>();
    let reached = |place: &String| {
        told.iter()
            .any(|t| !t.people.is_empty() && (t.to.contains(place) || names(t).contains(place)))
    };
    let list = || {
        let each = told.iter().map(|t| format!("{}: {}", t.to.join(" "), names(t).join(" ")));
        each.collect::<Vec<_>>().join(", ")
    };
    for place in expect.told.iter().filter(|place| !reached(place)) {
        differences.push(format!("{place} was not told (told: {})", list()));
    }
    for place in expect.not_told.iter().filter(|place| reached(place)) {
        differences.push(format!("{place} was told"));
    }
    for text in &expect.told_text {
        if !told.iter().any(|told| told.text == *text) {
            let texts: Vec<_> = told.iter().map(|told| told.text.as_str()).collect();
            differences.push(format!("the text {text} was not told (told: {})", texts.join(", ")));
        }
    }
    for clock in &expect.fired {
        let (name, _) = clock.split_once('.').unwrap_or((clock, ""));
        let fired = decisions.iter().flat_map(|decision| &decision.event.clocks);
        let found = fired.filter(|c| c.change == ClockVerb::Fired).any(|c| c.clock == name);
        if !found {
            differences.push(format!("the clock {clock} did not fire"));
        }
    }
}
