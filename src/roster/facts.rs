//! Who is on duty, as a fact that decisions ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::duty::Plan;
use super::{Roster, StandIn, knows};
use crate::calendar::Calendar;
use crate::domain::{Directory, Facts, Instant, PersonId, Role, Value};

/// The rosters of a jurisdiction with their stand-ins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rosters {
    /// By code.
    pub rosters: BTreeMap<String, Roster>,
    /// By the roster's code, in order of id.
    pub stand_ins: BTreeMap<String, Vec<StandIn>>,
}

impl Rosters {
    /// Rosters without stand-ins.
    #[must_use]
    pub fn new(rosters: impl IntoIterator<Item = Roster>) -> Self {
        let rosters = rosters.into_iter().map(|roster| (roster.code.clone(), roster)).collect();
        Self { rosters, stand_ins: BTreeMap::new() }
    }

    /// A roster as it is asked.
    #[must_use]
    pub fn plan<'a>(&'a self, roster: &'a Roster, calendar: &'a Calendar) -> Plan<'a> {
        let stand_ins = self.stand_ins.get(&roster.code).map_or(&[][..], Vec::as_slice);
        Plan { roster, stand_ins, calendar }
    }

    /// Who is on duty for a role in a unit at an instant and may act; nobody also where there is no
    /// roster.
    #[must_use]
    pub fn on_duty(
        &self,
        place: (&str, Role),
        directory: &Directory,
        calendar: &Calendar,
        at: Instant,
    ) -> Vec<PersonId> {
        let (unit, role) = place;
        let of_place =
            self.rosters.values().filter(|roster| roster.unit == unit && roster.role == role);
        let mut people: Vec<PersonId> = of_place
            .flat_map(|roster| self.plan(roster, calendar).people_at(at))
            .filter(|person| knows(directory, unit, role, *person))
            .collect();
        people.sort_unstable();
        people.dedup();
        people
    }
}

/// The facts of a jurisdiction at an instant: `people/<unit>/<role>` names those on duty where a
/// roster exists, everybody with the role if that is nobody; everything else the directory knows.
/// Nothing is worked out before it is asked.
#[derive(Debug, Clone)]
pub struct OnDuty {
    /// Who is who.
    pub directory: Arc<Directory>,
    /// Who is on duty when.
    pub rosters: Arc<Rosters>,
    /// The calendar that says which days are worked.
    pub calendar: Calendar,
    /// The decision's instant.
    pub now: Instant,
}

impl OnDuty {
    fn on_duty(&self, question: &str) -> Option<Value> {
        let (unit, role) = question.strip_prefix("people/")?.split_once('/')?;
        let place = (unit, role.parse().ok()?);
        let people = self.rosters.on_duty(place, &self.directory, &self.calendar, self.now);
        let values: Vec<Value> = people.iter().map(|person| Value::Int(person.0)).collect();
        // Never silence: if nobody is on duty, the directory names everybody with the role.
        (!values.is_empty()).then_some(Value::List(values))
    }
}

impl Facts for OnDuty {
    fn ask(&self, question: &str) -> Value {
        self.on_duty(question).unwrap_or_else(|| self.directory.ask(question))
    }
}
