//! What goes out: instances and their clocks as callers read them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::House;
use super::names::{names, status_title};
use super::problem::Problem;
use super::spoken::Call;
use crate::calendar::Calendar;
use crate::domain::instance::{ArmedClock, Children};
use crate::domain::{Directory, InstanceId, Instant, PersonId, Text, Tier};
use crate::engine::input;
use crate::gate::PublicIds;
use crate::gate::{Caller, Seen};

/// A text in both languages.
#[derive(ToSchema)]
#[schema(as = Text)]
#[expect(dead_code, reason = "only its description is used: the texts are `domain::Text`")]
pub(super) struct Words {
    /// In Chinese.
    zh: String,
    /// In English.
    en: String,
}

/// Something with a code and a name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Named {
    /// Its code.
    pub(super) code: String,
    /// Its name, if it is still in the directory.
    #[schema(value_type = Option<Words>)]
    pub(super) name: Option<Text>,
}

/// A person by id and name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonName {
    /// The id.
    #[schema(value_type = i64)]
    pub(super) id: PersonId,
    /// The name, if the person is still in the directory.
    pub(super) name: Option<String>,
}

/// With what the caller's jurisdiction is shown: its zone, its names, public ids.
pub(super) struct Lens {
    /// The calendar in force.
    pub(super) calendar: Calendar,
    /// Who is who.
    pub(super) directory: Arc<Directory>,
    /// Public ids.
    pub(super) ids: PublicIds,
}

impl Lens {
    /// The lens of a caller.
    pub(super) fn of(house: &House, caller: &Caller) -> Result<Self, Problem> {
        let registry = house.gate.registry();
        let calendar = registry.calendar(caller.jurisdiction)?;
        let directory = registry.directory(caller.jurisdiction)?;
        Ok(Self { calendar, directory, ids: house.ids })
    }

    /// A time in the jurisdiction's zone.
    pub(super) fn time(&self, instant: Instant) -> String {
        instant.in_zone(self.calendar.zone())
    }

    /// A unit by code and name.
    pub(super) fn unit(&self, code: &str) -> Named {
        let unit = self.directory.units.get(code);
        Named { code: code.to_owned(), name: unit.map(|unit| unit.name.clone()) }
    }

    /// What a call of a category usually is, if the catalogue says it.
    pub(super) fn category_kind(&self, code: &str) -> Option<String> {
        let kind = self.directory.categories.get(code).map(|category| category.kind.clone());
        kind.filter(|kind| !kind.is_empty())
    }

    /// A category by code and name.
    pub(super) fn category(&self, code: &str) -> Named {
        let category = self.directory.categories.get(code);
        Named { code: code.to_owned(), name: category.map(|category| category.name.clone()) }
    }

    /// A person by id and name.
    pub(super) fn person(&self, id: PersonId) -> PersonName {
        PersonName { id, name: self.directory.people.get(&id).map(|person| person.name.clone()) }
    }

    /// An instance's public id.
    pub(super) fn id(&self, id: InstanceId) -> String {
        self.ids.instance(id)
    }
}

/// An instance in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Summary {
    /// Its public id.
    #[schema(example = "ins_7ZKQ2V9W3M1XA")]
    id: String,
    /// What people call the matter; all members of a family share it.
    #[schema(example = "00000017")]
    number: String,
    /// Its workflow.
    workflow: String,
    /// What people call the workflow.
    #[schema(value_type = Words)]
    title: Text,
    /// The path of its state.
    state: String,
    /// What people call the state.
    #[schema(value_type = Words)]
    state_title: Text,
    /// The flat status.
    #[schema(example = "routed")]
    status: String,
    /// What people call the status.
    #[schema(value_type = Words)]
    status_title: Text,
    /// The stage: the status without a passing remark such as `overdue`.
    stage: String,
    /// What people call the stage.
    #[schema(value_type = Words)]
    stage_title: Text,
    /// The unit responsible.
    holder: Option<Named>,
    /// `ordinary`, `larger`, `major` or `extraordinary`.
    tier: &'static str,
    /// Why it ended.
    outcome: Option<String>,
    /// Its version: also the `ETag`.
    version: i64,
    /// When it was opened.
    opened_at: String,
    /// When it last changed.
    updated_at: String,
    /// When it ended.
    closed_at: Option<String>,
    /// The earliest due time of its running clocks.
    due: Option<String>,
    /// The instance that started it.
    parent: Option<String>,
    /// The root of its family.
    family: String,
    /// Its fields by name; in lists only those that are shown there.
    #[schema(value_type = Object)]
    fields: BTreeMap<String, Json>,
    /// What people call the codes in `fields`: units, categories, members of enums.
    #[schema(value_type = Object)]
    names: BTreeMap<String, Text>,
}

/// A tier's code.
pub(super) fn tier(rank: i64) -> &'static str {
    Tier::from_rank(rank).unwrap_or_default().code()
}

impl Summary {
    /// An instance as it is shown in a list, or, with `all` fields, as the head of its whole view.
    pub(super) fn of(lens: &Lens, seen: &Seen, all: bool) -> Self {
        let instance = &seen.instance;
        let chart = &seen.chart;
        let node = chart.find(&instance.state).and_then(|number| chart.node(number));
        let running = instance.clocks.values().filter(|clock| clock.frozen.is_none());
        let due = running.map(|clock| clock.due).min();
        let whole = !seen.is_former();
        Self {
            id: lens.id(instance.id),
            number: seen.number.clone(),
            workflow: instance.workflow.clone(),
            title: chart.title.clone(),
            state: instance.state.clone(),
            state_title: node.map(|node| node.title.clone()).unwrap_or_default(),
            status: instance.status.clone(),
            status_title: status_title(chart, &instance.status),
            stage: instance.stage.clone(),
            stage_title: status_title(chart, &instance.stage),
            holder: instance.holder.as_deref().map(|code| lens.unit(code)),
            tier: tier(instance.tier),
            outcome: instance.outcome.clone(),
            version: instance.version,
            opened_at: lens.time(instance.opened_at),
            updated_at: lens.time(instance.updated_at),
            closed_at: instance.closed_at.map(|at| lens.time(at)),
            due: due.filter(|_| whole).map(|at| lens.time(at)),
            parent: instance.parent.map(|id| lens.id(id)),
            family: lens.id(instance.family),
            fields: if whole { fields(lens, seen, all) } else { BTreeMap::new() },
            names: if whole { names(lens, seen, all) } else { BTreeMap::new() },
        }
    }
}

fn fields(lens: &Lens, seen: &Seen, all: bool) -> BTreeMap<String, Json> {
    let specs = seen.chart.fields.iter().filter(|(_, spec)| all || spec.shown);
    let values = specs.map(|(name, spec)| {
        let value = seen.instance.fields.get(name).cloned().unwrap_or_default();
        (name.clone(), input::show(&spec.ty, &value, lens.calendar.zone()))
    });
    values.collect()
}

/// A whole instance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Whole {
    #[serde(flatten)]
    summary: Summary,
    /// What people call the fields.
    #[schema(value_type = Object)]
    titles: BTreeMap<String, Text>,
    /// What the caller said and who he is, for those who may see it: of each input what was given
    /// first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(super) personal: Option<BTreeMap<String, String>>,
    /// What is there and not shown: enough of it to recognise it. Who may, has it revealed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub(super) masked: BTreeMap<String, String>,
    /// What later events brought of callers: who called again, and whose matters were merged into
    /// this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) calls: Vec<Call>,
    /// Its clocks.
    clocks: Vec<ClockView>,
    /// How many children of each workflow it has.
    #[schema(value_type = Object)]
    children: BTreeMap<String, Children>,
    /// What this caller could ask of it now.
    pub(super) possible: Vec<Offer>,
    /// Whether the caller sees only what happened while its unit took part.
    former: bool,
}

impl Whole {
    /// An instance; personal data and possible commands are added by who knows the caller.
    pub(super) fn of(lens: &Lens, seen: &Seen) -> Self {
        let former = seen.is_former();
        let titles = seen.chart.fields.iter().map(|(name, f)| (name.clone(), f.title.clone()));
        let clocks = if former { Vec::new() } else { ClockView::all(lens, seen) };
        Self {
            summary: Summary::of(lens, seen, true),
            titles: titles.collect(),
            personal: None,
            masked: BTreeMap::new(),
            calls: Vec::new(),
            clocks,
            children: if former { BTreeMap::new() } else { seen.instance.children.clone() },
            possible: Vec::new(),
            former,
        }
    }
}

/// A command that could be given.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Offer {
    /// Its name.
    command: String,
    /// What its button says.
    #[schema(value_type = Words)]
    title: Text,
    /// The JSON Schema of its input.
    #[schema(value_type = Object)]
    input: Json,
}

impl Offer {
    /// The commands of some names, and the acknowledgement if an alert waits for one.
    pub(super) fn all(seen: &Seen, names: &[String], acknowledge: bool) -> Vec<Self> {
        let specs = names.iter().filter_map(|name| seen.chart.command(name));
        let mut offers: Vec<Self> = specs
            .map(|spec| Self {
                command: spec.name.clone(),
                title: spec.title.clone(),
                input: input::schema(&spec.input),
            })
            .collect();
        if acknowledge {
            let clocks: Vec<&String> = seen.instance.clocks.keys().collect();
            offers.push(Self {
                command: crate::engine::ACKNOWLEDGE.to_owned(),
                title: Text::new("确认收到提醒", "acknowledge the alert"),
                input: serde_json::json!({
                    "type": "object",
                    "properties": { "clock": {
                        "enum": clocks, "title": { "zh": "时限", "en": "clock" },
                    } },
                    "required": [],
                    "additionalProperties": false,
                }),
            });
        }
        offers
    }
}

/// A clock of an instance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClockView {
    /// Its name.
    #[schema(example = "handle")]
    name: String,
    /// What people call it.
    #[schema(value_type = Words)]
    title: Text,
    /// When it runs out.
    due: String,
    /// Where counting started.
    base: String,
    /// The limit: `real('30m')`, `work('4h')`, `workdays(2)`, `days(3)`, or `instant`.
    #[schema(example = "workdays(2)")]
    limit: String,
    /// The version of the calendar that counted.
    calendar: String,
    /// Whether its time goes on.
    running: bool,
    /// Whether it has run out.
    late: bool,
    /// When it next has something to do.
    next_wake: Option<String>,
    /// When it ran out, as recorded.
    ran_out_at: Option<String>,
    /// When somebody last acknowledged it.
    acknowledged_at: Option<String>,
    /// What is left of it while it stands still.
    #[serde(skip_serializing_if = "Option::is_none")]
    frozen: Option<String>,
    /// Where its due time is explained line by line.
    explanation: String,
}

impl ClockView {
    /// The clocks of an instance, the earliest due first.
    pub(super) fn all(lens: &Lens, seen: &Seen) -> Vec<Self> {
        let mut clocks: Vec<(&String, &ArmedClock)> = seen.instance.clocks.iter().collect();
        clocks.sort_by_key(|(name, clock)| (clock.due, name.as_str()));
        clocks.into_iter().map(|(name, clock)| Self::of(lens, seen, name, clock)).collect()
    }

    /// One clock.
    pub(super) fn of(lens: &Lens, seen: &Seen, name: &str, clock: &ArmedClock) -> Self {
        let spec = seen.chart.clocks.get(name);
        Self {
            name: name.to_owned(),
            title: spec.map(|spec| spec.title.clone()).unwrap_or_default(),
            due: lens.time(clock.due),
            base: lens.time(clock.base),
            limit: clock.limit.clone(),
            calendar: clock.calendar.clone(),
            running: clock.frozen.is_none(),
            late: clock.ran_out_at.is_some(),
            next_wake: clock.wake.map(|at| lens.time(at)),
            ran_out_at: clock.ran_out_at.map(|at| lens.time(at)),
            acknowledged_at: clock.acknowledged_at.map(|at| lens.time(at)),
            frozen: clock.frozen.clone(),
            explanation: format!("/api/v1/instances/{}/clocks/{name}", lens.id(seen.instance.id)),
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listed<T> {
    /// What is on it.
    pub(super) items: Vec<T>,
    /// The `cursor` of the next page; null on the last one.
    pub(super) next: Option<String>,
}

/// A list that is given whole.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct All<T> {
    /// Everything.
    pub(super) items: Vec<T>,
}
