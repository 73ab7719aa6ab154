//! What the house learns from its own matters: rulings become precedents at once, and what units
//! accepted or were ruled to is learned when the router is trained again. Callers' texts stay where
//! they are: they are read for the training and are learned from no longer when they are erased.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::error::Error;
use super::learned::learned;
use super::{Gate, number_of, personal};
use crate::calendar::Calendar;
use crate::chart::CommandSpec;
use crate::chart::routed::{
    ACCEPTED, CATEGORY, DEEMED, KEPT, PRECEDENT, PRECEDENT_FROM, PRECEDENT_TERRITORY,
    PRECEDENT_UNTIL, REASON, RETURNED, RULED, SAID, UNIT, WORKFLOW,
};
use crate::domain::directory::TOWNSHIP;
use crate::domain::{Category, Directory, Fields, Instance, Instant, JurisdictionId, Text, Value};
use crate::routing::knowledge::Matter;
use crate::routing::{Example, Knowledge, Precedent, Router, Traits};
use crate::store::{Filter, Holding, NewAlarm, PrecedentRow, Reader, TraceRow};

/// So many matters teach at most, the newest of those that do.
const LESSONS_MAX: i64 = 2000;

/// So many precedents are gone by, the newest of those that are neither withdrawn nor over.
pub(super) const PRECEDENTS_MAX: i64 = 500;

/// So many matters are read in one go.
const PAGE: i64 = 200;

/// Whether a command rules a matter to a unit.
pub(super) fn rules(spec: Option<&CommandSpec>) -> bool {
    let has = |name: &str| spec.is_some_and(|spec| spec.input.iter().any(|one| one.name == name));
    has(UNIT) && has(PRECEDENT)
}

/// The precedent that a ruling leaves, by what its call is recognised by; none where it says so, or where
/// nobody read the call. What is ruled to a township is a precedent for that township.
pub(super) fn precedent(
    instance: &Instance,
    input: &Fields,
    trace: Option<TraceRow>,
    (directory, calendar): (&Directory, &Calendar),
    (made_by, at): (String, Instant),
) -> Option<PrecedentRow> {
    if input.get(PRECEDENT).and_then(Value::as_bool) == Some(false) {
        return None;
    }
    let traits = trace?.traits;
    let text =
        |fields: &Fields, name: &str| fields.get(name).and_then(Value::as_text).map(str::to_owned);
    let unit = text(input, UNIT)?;
    let township = directory.units.get(&unit).is_some_and(|one| one.kind == TOWNSHIP);
    let day = |name: &str| text(input, name).and_then(|day| day.parse::<Date>().ok());
    let begins = |day: Date| day.yesterday().ok().map(|before| calendar.end_of(before));
    (!traits.is_empty()).then_some(PrecedentRow {
        instance: instance.id,
        jurisdiction: instance.jurisdiction,
        at,
        made_by,
        territory: text(input, PRECEDENT_TERRITORY).or_else(|| township.then(|| unit.clone())),
        valid_from: day(PRECEDENT_FROM).and_then(begins),
        valid_until: day(PRECEDENT_UNTIL).map(|last| calendar.end_of(last)),
        unit,
        category: text(&instance.fields, CATEGORY).unwrap_or_default(),
        reason: text(input, REASON).unwrap_or_default(),
        traits,
        withdrawn_at: None,
        decision: None,
        agreed_by: None,
    })
}

/// The precedents of a jurisdiction that are gone by at an instant or will be, the newest first.
///
/// # Errors
/// What the store says.
pub(super) fn in_force(
    reader: &mut Reader,
    directory: &Directory,
    (zone, now): (&TimeZone, Instant),
) -> Result<Vec<Precedent>, crate::store::Error> {
    let rows = reader.living_precedents(directory.jurisdiction, now, PRECEDENTS_MAX)?;
    let read = rows.into_iter().map(|row| Precedent {
        number: number_of(row.instance),
        day: row.at.in_zone(zone).chars().take(10).collect(),
        unit_name: name_of(directory, &row.unit),
        unit: row.unit,
        territory: row.territory,
        from: row.valid_from.unwrap_or(row.at),
        until: row.valid_until,
        reason: row.reason,
        traits: Traits::decode(&row.traits),
    });
    Ok(read.collect())
}

/// What people call a unit.
fn name_of(directory: &Directory, code: &str) -> Text {
    directory.units.get(code).map_or_else(|| Text::new(code, code), |unit| unit.name.clone())
}

/// The catalogue in force, in the order of the files, so that without a change it is the same model:
/// what is retired is chosen no more, and for a unit that was merged stands the one that goes on with
/// its work.
pub(super) fn catalogued(directory: &Directory, known: &[Matter]) -> Vec<Matter> {
    let of_files = known.iter().filter_map(|one| directory.categories.get(&one.code));
    let is_new = |category: &&Category| known.iter().all(|one| one.code != category.code);
    let new = directory.categories.values().filter(is_new);
    let matter = |category: &Category| {
        let mut units: Vec<String> = Vec::new();
        for unit in &category.units {
            let heir = directory.heir(unit);
            if !units.iter().any(|unit| unit == heir) {
                units.push(heir.to_owned());
            }
        }
        Matter { code: category.code.clone(), units, kept: category.police_kept }
    };
    of_files.chain(new).filter(|category| !category.retired).map(matter).collect()
}

/// What a jurisdiction's own matters teach, in order of id: the units that accepted what they were
/// given and did not return it, and those that were ruled to, as far as the ruling speaks for more than
/// its own matter ([`PrecedentRow::is_general`]): a model of words alone would carry it everywhere and
/// for ever.
///
/// # Errors
/// What the store says.
pub(super) fn lessons(
    reader: &mut Reader,
    owner: JurisdictionId,
    now: Instant,
) -> Result<Vec<Example>, crate::store::Error> {
    let mut examples = BTreeMap::new();
    for row in reader.precedents(owner, None, LESSONS_MAX)?.iter().filter(|row| row.is_general(now))
    {
        let ruled = reader.instance(row.instance)?.map(|(instance, _)| instance);
        let Some(ruled) = ruled.filter(|one| is(one, RULED)) else { continue };
        examples.extend(lesson(reader, &ruled)?.map(|example| (ruled.id, example)));
    }
    let mut filter = Filter {
        jurisdiction: Some(owner),
        workflow: Some(WORKFLOW.to_owned()),
        field: Some(Holding::Anything(ACCEPTED.to_owned())),
        ..Filter::default()
    };
    // Counted is what teaches: records that are entered later push nothing out of sight.
    let mut learned = 0;
    while learned < LESSONS_MAX {
        let page = reader.list(&filter, PAGE)?;
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        for accepted in page.iter().filter(|instance| was_accepted(instance)) {
            let Some(example) = lesson(reader, accepted)? else { continue };
            examples.insert(accepted.id, example);
            learned += 1;
        }
    }
    let newest = examples.into_values().rev().zip(0..LESSONS_MAX);
    let mut newest: Vec<Example> = newest.map(|(example, _)| example).collect();
    newest.reverse();
    Ok(newest)
}

/// What a matter teaches that was settled: that what its caller said is for its unit; nothing of what the
/// police keep, and of what was erased.
fn lesson(reader: &mut Reader, settled: &Instance) -> Result<Option<Example>, crate::store::Error> {
    let text = |name: &str| settled.fields.get(name).and_then(Value::as_text).map(str::to_owned);
    let Some(unit) = text(UNIT).filter(|_| !is(settled, KEPT)) else { return Ok(None) };
    let rows = reader.personal(settled.id)?;
    let said = rows.iter().find(|row| row.field == SAID);
    Ok(said.map(|row| Example {
        text: personal::text(&row.value).to_owned(),
        category: text(CATEGORY),
        units: vec![unit],
        divert: true,
        ..Example::default()
    }))
}

fn is(instance: &Instance, flag: &str) -> bool {
    instance.fields.get(flag).and_then(Value::as_bool) == Some(true)
}

/// Whether its unit said of a matter that it is its own. Who was ruled to has to accept, and who let the
/// time for returning lapse has said nothing.
fn was_accepted(instance: &Instance) -> bool {
    let fields = &instance.fields;
    let unit = fields.get(UNIT).and_then(Value::as_text);
    let returned = fields.get(RETURNED).and_then(Value::as_list).unwrap_or_default();
    let returned = returned.iter().any(|one| one.as_text() == unit);
    let accepted = fields.contains_key(ACCEPTED) && !fields.contains_key(DEEMED);
    accepted && !returned && !is(instance, RULED)
}

/// The operator alarm that there is no router of what is known now.
const UNTRAINED: &str = "router_untrained";

/// The operator alarm that there are more precedents than are gone by.
const LEFT_OUT: &str = "precedents_left_out";

impl Gate {
    /// The knowledge that the routers of a jurisdiction are trained from, besides its own matters.
    pub fn use_knowledge(&self, whose: JurisdictionId, knowledge: Knowledge) {
        let mut kept = self.inner.knowledge.write().unwrap_or_else(PoisonError::into_inner);
        kept.insert(whose, Arc::new(knowledge));
    }

    fn knowledge(&self, whose: JurisdictionId) -> Option<Arc<Knowledge>> {
        let kept = self.inner.knowledge.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(&whose).cloned()
    }

    /// Trains the router of a jurisdiction anew, from its knowledge, the catalogue in force and its own
    /// matters, and takes it into use; its name, or none when there is no knowledge of the jurisdiction.
    /// That it failed is an operator alarm, until it succeeds. Takes seconds. Blocks.
    ///
    /// # Errors
    /// What the store says; the router before stays in use.
    pub fn train(&self, owner: JurisdictionId) -> Result<Option<String>, Error> {
        let Some(knowledge) = self.knowledge(owner) else { return Ok(None) };
        let turn = self.inner.training.lock().unwrap_or_else(PoisonError::into_inner);
        let trained = self.trained(owner, &knowledge);
        drop(turn);
        let detail = trained.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let at = self.now();
        let alarm = |kind: &str, detail| {
            let kind = kind.to_owned();
            NewAlarm { kind, jurisdiction: Some(owner), instance: None, at, detail }
        };
        let untrained = alarm(UNTRAINED, detail);
        let told = self.write_and_ring(|transaction| {
            match &trained {
                Ok(_) => transaction.clear_alarm_of(&untrained)?,
                Err(_) => transaction.raise_alarm(&untrained)?,
            };
            // It has happened with a ruling; whoever trains looks after it every night.
            let living = transaction.count_living_precedents(owner, at)?;
            let en =
                format!("{living} precedents are in use, the newest {PRECEDENTS_MAX} are gone by");
            let left_out = alarm(LEFT_OUT, en);
            match living > PRECEDENTS_MAX {
                true => transaction.raise_alarm(&left_out),
                false => transaction.clear_alarm_of(&left_out),
            }
        });
        if let Err(error) = told {
            tracing::error!(%error, "how the training went could not be written");
        }
        let router = trained?;
        let name = router.name().to_owned();
        self.use_router(owner, Arc::new(router));
        Ok(Some(name))
    }

    fn trained(&self, owner: JurisdictionId, knowledge: &Knowledge) -> Result<Router, Error> {
        let directory = self.inner.registry.directory(owner)?;
        let now = self.now();
        let knowledge = self.read(|reader| learned(reader, &directory, knowledge, now))?;
        Ok(Router::train(&knowledge))
    }

    /// Whether the catalogue in force is another than the router in use was trained from.
    ///
    /// # Errors
    /// When there is no such jurisdiction.
    pub fn router_is_behind(&self, whose: JurisdictionId) -> Result<bool, Error> {
        let Some((router, knowledge)) = self.router(whose).zip(self.knowledge(whose)) else {
            return Ok(false);
        };
        self.inner.registry.turn(self.now());
        let now = catalogued(&*self.inner.registry.directory(whose)?, &knowledge.categories);
        Ok(!knowledge.categories.is_empty() && !router.is_of(&now))
    }
}
