//! Ladders walked ahead of time: whom each clock of a workflow would tell, and when, if nobody did
//! anything. The steps are those of a real firing; only the states stay where they are.

use std::sync::Arc;

use super::Run;
use crate::calendar::Calendar;
use crate::chart::{Chart, ClockSpec, Kind, Party, Step};
use crate::domain::{
    Actor, Command, DefinitionId, Facts, Instance, InstanceId, Instant, JurisdictionId, PersonId,
    Role, Text, Tier, Value,
};
use crate::engine::agenda::Item;
use crate::engine::{Seed, Situation, blank};

/// What the world says at an instant.
pub type FactsAt<'f> = dyn Fn(Instant) -> Arc<dyn Facts + Send + Sync> + 'f;

/// In which world ladders are rehearsed.
#[derive(Clone, Copy)]
pub struct Stage<'s> {
    /// The jurisdiction's calendar.
    pub calendar: &'s Calendar,
    /// Who is who, and on duty, at each instant.
    pub facts_at: &'s FactsAt<'s>,
}

/// What is rehearsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish<'w> {
    /// When every clock begins.
    pub at: Instant,
    /// How grave the matter is.
    pub tier: Tier,
    /// The unit that stands in every field that names one.
    pub unit: &'w str,
    /// How many repetitions at the end of a ladder are shown.
    pub repeats: usize,
}

/// A clock and what its ladder does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// The clock's name.
    pub clock: String,
    /// What people call it.
    pub title: Text,
    /// When it runs out.
    pub due: Instant,
    /// The limit in words; empty: a field of the matter decides, and it is taken to be due at once.
    pub limit: String,
    /// In order of time.
    pub rungs: Vec<Rung>,
    /// Whether it goes on repeating beyond what is shown.
    pub goes_on: bool,
}

/// One step of a ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// When.
    pub at: Instant,
    /// Which step, from 1; none for a repetition.
    pub step: Option<usize>,
    /// The name of the text.
    pub text: String,
    /// By which channels.
    pub via: Vec<String>,
    /// Whom.
    pub places: Vec<Place>,
    /// Milliseconds in which somebody must acknowledge, else the next step comes.
    pub acknowledge_within: Option<i64>,
}

impl Rung {
    /// Everybody who is told, each once.
    #[must_use]
    pub fn people(&self) -> Vec<PersonId> {
        let mut people: Vec<PersonId> = Vec::new();
        for person in self.places.iter().flat_map(|place| &place.people) {
            if !people.contains(person) {
                people.push(*person);
            }
        }
        people
    }
}

/// A role in a unit, and who that is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The party as the workflow says it.
    pub party: String,
    /// The unit that plays it; none: nobody does.
    pub unit: Option<String>,
    /// The role.
    pub role: Role,
    /// Who has it, or is on duty for it.
    pub people: Vec<PersonId>,
}

/// The ladders of all clocks of a workflow, in order of the clocks' names. Conditions of steps are
/// judged with the tier and the unit of the wish and with what other fields begin with.
#[must_use]
pub fn ladders(chart: &Chart, stage: Stage<'_>, wish: Wish<'_>) -> Vec<Ladder> {
    let facts = (stage.facts_at)(wish.at);
    let situation = Situation { chart, calendar: stage.calendar, facts: &*facts, now: wish.at };
    let matter = sample(situation, wish);
    chart.clocks.values().filter_map(|spec| ladder(situation, stage, &matter, spec, wish)).collect()
}

/// A matter of which nothing is known but its tier and its unit.
fn sample(situation: Situation<'_>, wish: Wish<'_>) -> Instance {
    let (id, definition) = (InstanceId(0), DefinitionId(0));
    let seed = Seed { id, parent: None, jurisdiction: JurisdictionId(0), definition };
    let mut matter = blank(situation, seed);
    for (name, field) in &situation.chart.fields {
        let value = match field.kind {
            Kind::Tier => Value::Int(wish.tier.rank()),
            Kind::Unit => wish.unit.into(),
            Kind::Units => Value::List(vec![wish.unit.into()]),
            _ => continue,
        };
        matter.fields.insert(name.clone(), value);
    }
    matter.tier = wish.tier.rank();
    matter
}

fn ladder(
    situation: Situation<'_>,
    stage: Stage<'_>,
    matter: &Instance,
    spec: &ClockSpec,
    wish: Wish<'_>,
) -> Option<Ladder> {
    let command = Command::new(format!("clock.{}", spec.name));
    let mut armed = Run::new(situation, matter, &Actor::Clock, &command).ok()?;
    armed.arm(&spec.name, "");
    let mut matter = armed.instance;
    let (due, limit) = {
        let armed = matter.clocks.get(&spec.name)?;
        (armed.due, armed.limit.clone())
    };
    let (clock, title) = (spec.name.clone(), spec.title.clone());
    let mut ladder = Ladder { clock, title, due, limit, rungs: Vec::new(), goes_on: false };
    let mut repeated = 0;
    while let Some(wake) = matter.clocks.get(&spec.name).and_then(|armed| armed.wake) {
        let facts = (stage.facts_at)(wake);
        let then = Situation { facts: &*facts, now: wake, ..situation };
        let mut run = Run::new(then, &matter, &Actor::Clock, &command).ok()?;
        let (item, rung) = run.rehearse(spec, wake)?;
        repeated += usize::from(item == Item::Repeat);
        if repeated > wish.repeats {
            ladder.goes_on = true;
            break;
        }
        ladder.rungs.extend(rung);
        matter = run.instance;
    }
    Some(ladder)
}

impl Run<'_> {
    /// The next thing of a ladder, and whom it tells; nobody where its condition does not hold.
    fn rehearse(&mut self, spec: &ClockSpec, wake: Instant) -> Option<(Item, Option<Rung>)> {
        let mut armed = self.instance.clocks.get(&spec.name).cloned()?;
        let done = self.do_next(spec, &mut armed, wake)?;
        let spoke = self.told.pop().is_some();
        let rung = done.step.filter(|_| spoke).map(|step| Rung {
            at: wake,
            step: match done.item {
                Item::Step(index) => Some(index + 1),
                Item::Repeat | Item::RunOut => None,
            },
            text: step.text.clone().unwrap_or_default(),
            via: step.via.clone(),
            places: self.places(step),
            acknowledge_within: step.acknowledge_within,
        });
        self.plan_again(spec, armed.entry);
        Some((done.item, rung))
    }

    fn places(&self, step: &Step) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for selector in &step.tell {
            let party = match &selector.party {
                Party::Body(name) | Party::Field(name) | Party::Input(name) => name.clone(),
            };
            let role = selector.role;
            let units = self.units_of(&selector.party);
            if units.is_empty() {
                places.push(Place { party: party.clone(), unit: None, role, people: Vec::new() });
            }
            for unit in units {
                let answer = self.situation.facts.ask(&format!("people/{unit}/{role}"));
                let people = answer.as_list().unwrap_or_default().iter();
                let people = people.filter_map(Value::as_int).map(PersonId).collect();
                // Here one unit plays several parts; its people are told once.
                let known =
                    |place: &Place| place.unit.as_ref() == Some(&unit) && place.role == role;
                if !places.iter().any(known) {
                    places.push(Place { party: party.clone(), unit: Some(unit), role, people });
                }
            }
        }
        places
    }
}
