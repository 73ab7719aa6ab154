//! Rehearsals: who would be told, when, by which channel.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::{Query, wrong};
use super::view::Words;
use crate::domain::{PersonId, Text, Tier};
use crate::engine::run::rehearsal::{Ladder, Place, Rung};
use crate::gate::{Flow, Ground, Rehearsal, RehearsalWish, Way};

/// Whom the ladders would tell, if nobody did anything.
#[derive(Serialize, ToSchema)]
pub(super) struct RehearsalView {
    /// When every clock begins.
    at: String,
    /// How grave the matter is.
    tier: &'static str,
    /// The unit that has the matter.
    unit: String,
    /// What people call the unit.
    #[schema(value_type = Words)]
    unit_name: Text,
    /// Steps that reach nobody, people who cannot be reached, addresses that are not proved.
    #[schema(value_type = Vec<Words>)]
    faults: Vec<Text>,
    /// Workflow by workflow.
    workflows: Vec<FlowView>,
}

/// The ladders of one workflow.
#[derive(Serialize, ToSchema)]
pub(super) struct FlowView {
    /// Its name.
    workflow: String,
    /// What people call it.
    #[schema(value_type = Words)]
    title: Text,
    /// Its clocks.
    clocks: Vec<LadderView>,
}

/// A clock and what its ladder does.
#[derive(Serialize, ToSchema)]
pub(super) struct LadderView {
    /// Its name.
    clock: String,
    /// What people call it.
    #[schema(value_type = Words)]
    title: Text,
    /// When it runs out.
    due: String,
    /// The limit in words; empty: a field of the matter decides, and it is taken to be due at once.
    limit: String,
    /// In order of time.
    steps: Vec<RungView>,
    /// Whether it goes on repeating until somebody acts.
    goes_on: bool,
}

/// A step.
#[derive(Serialize, ToSchema)]
pub(super) struct RungView {
    /// When.
    at: String,
    /// Which one, from 1; none for a repetition.
    step: Option<usize>,
    /// The name of the text.
    text: String,
    /// By which channels.
    via: Vec<String>,
    /// Seconds in which somebody must acknowledge, else the next step comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledge_within_seconds: Option<i64>,
    /// Whom.
    to: Vec<PlaceView>,
    /// Whether it reaches nobody: then the next step comes at once.
    empty: bool,
}

/// A role in a unit, and who that is then.
#[derive(Serialize, ToSchema)]
pub(super) struct PlaceView {
    /// The unit's code; none: no unit plays the party.
    unit: Option<String>,
    /// The role.
    #[schema(value_type = String)]
    role: crate::domain::Role,
    /// In words.
    #[schema(value_type = Words)]
    name: Text,
    /// Who.
    people: Vec<ReachView>,
}

/// A person and how to reach it.
#[derive(Serialize, ToSchema)]
pub(super) struct ReachView {
    /// Its id.
    #[schema(value_type = i64)]
    id: PersonId,
    /// Its name.
    name: String,
    /// The ways, in the order in which messages of this tier take them; none: it cannot be reached.
    ways: Vec<WayView>,
}

/// A way to reach a person.
#[derive(Serialize, ToSchema)]
pub(super) struct WayView {
    /// The channel.
    channel: String,
    /// The address, masked.
    address: String,
    /// Since when it is proved to be the person's; none: it is not.
    verified_at: Option<String>,
    /// Whether the person wishes it besides the channels of the step.
    wished: bool,
}

/// A rehearsal as it is shown.
struct Shown<'s> {
    ground: &'s Ground,
    rehearsal: &'s Rehearsal,
}

impl Shown<'_> {
    fn time(&self, at: crate::domain::Instant) -> String {
        at.in_zone(self.ground.calendar.zone())
    }

    fn whole(&self) -> RehearsalView {
        let Rehearsal { at, tier, unit, flows, faults, .. } = self.rehearsal;
        let named = self.ground.directory.units.get(unit);
        RehearsalView {
            at: self.time(*at),
            tier: tier.code(),
            unit: unit.clone(),
            unit_name: named.map(|unit| unit.name.clone()).unwrap_or_default(),
            faults: faults.clone(),
            workflows: flows.iter().map(|flow| self.flow(flow)).collect(),
        }
    }

    fn flow(&self, flow: &Flow) -> FlowView {
        FlowView {
            workflow: flow.workflow.clone(),
            title: flow.title.clone(),
            clocks: flow.ladders.iter().map(|ladder| self.ladder(ladder)).collect(),
        }
    }

    fn ladder(&self, ladder: &Ladder) -> LadderView {
        LadderView {
            clock: ladder.clock.clone(),
            title: ladder.title.clone(),
            due: self.time(ladder.due),
            limit: ladder.limit.clone(),
            steps: ladder.rungs.iter().map(|rung| self.rung(rung)).collect(),
            goes_on: ladder.goes_on,
        }
    }

    fn rung(&self, rung: &Rung) -> RungView {
        RungView {
            at: self.time(rung.at),
            step: rung.step,
            text: rung.text.clone(),
            via: rung.via.clone(),
            acknowledge_within_seconds: rung.acknowledge_within.map(|within| within / 1_000),
            to: rung.places.iter().map(|place| self.place(place)).collect(),
            empty: rung.people().is_empty(),
        }
    }

    fn place(&self, place: &Place) -> PlaceView {
        PlaceView {
            unit: place.unit.clone(),
            role: place.role,
            name: self.ground.place(place),
            people: place.people.iter().map(|id| self.reach(*id)).collect(),
        }
    }

    fn reach(&self, id: PersonId) -> ReachView {
        let person = self.ground.directory.people.get(&id);
        let ways = self.rehearsal.ways.get(&id).map(Vec::as_slice).unwrap_or_default();
        let way = |way: &Way| WayView {
            channel: way.channel.clone(),
            address: way.address.clone(),
            verified_at: way.verified_at.map(|at| self.time(at)),
            wished: way.wished,
        };
        ReachView {
            id,
            name: person.map(|person| person.name.clone()).unwrap_or_default(),
            ways: ways.iter().map(way).collect(),
        }
    }
}

/// A rehearsal as the API shows it, for the command line too.
///
/// # Errors
/// None that is known: what is shown can be written as JSON.
pub fn shown(ground: &Ground, rehearsal: &Rehearsal) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&Shown { ground, rehearsal }.whole())
}

/// Who would be told, when, by which channel, if every clock of the workflows began at an instant and
/// nobody did anything. Nothing is sent. For those who operate the house.
#[utoipa::path(
    get, path = "/api/v1/alerts/rehearsal", tag = "alerts",
    responses((status = 200, body = RehearsalView, description = "Whom the ladders would tell.")),
    params(("at" = Option<String>, Query, description = "RFC 3339; else now."),
        ("tier" = Option<String>, Query, description = "`ordinary`, `larger`, `major` or `extraordinary`; else `ordinary`."),
        ("unit" = Option<String>, Query, description = "The unit that has the matter; else the first one."),
        ("workflow" = Option<String>, Query, description = "This workflow only."),
        ("repeats" = Option<i64>, Query, description = "How many repetitions are shown: 0 to 20, else 2.")),
)]
pub(super) async fn show(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<RehearsalView>, Problem> {
    let at = query.instant("at")?.unwrap_or_else(|| house.gate.now());
    let tier = match query.text("tier")? {
        None => Tier::Ordinary,
        Some(code) => Tier::from_code(&code).ok_or_else(|| {
            let known = Tier::ALL.map(Tier::code).join(", ");
            wrong("tier", &format!("{known}之一"), &format!("one of {known}"))
        })?,
    };
    let (unit, workflow) = (query.text("unit")?, query.text("workflow")?);
    let repeats = query.number("repeats", 0..=20)?.unwrap_or(2);
    let repeats = usize::try_from(repeats).unwrap_or_default();
    query.end()?;
    let wish = RehearsalWish { at, tier, unit, workflow, repeats };
    let gate = house.gate.clone();
    let (ground, rehearsal) = blocking(move || gate.rehearse(&caller, &wish)).await?;
    Ok(web::Json(Shown { ground: &ground, rehearsal: &rehearsal }.whole()))
}
