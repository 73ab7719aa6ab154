//! Who would be told, when, by which channel: the ladders of the workflows rehearsed for an instant
//! and a tier, without a matter; and what is wrong with that, said plainly.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::error::Error;
use super::registry::Registry;
use super::{Caller, Gate};
use crate::calendar::Calendar;
use crate::chart::Chart;
use crate::domain::mask::masked;
use crate::domain::{
    Directory, Facts, Instant, JurisdictionId, Language, Person, PersonId, Text, Tier, Unit,
};
use crate::engine::run::rehearsal::{self, Ladder, Place, Rung, Stage};
use crate::policy::Act;
use crate::roster::{OnDuty, Rosters};
use crate::store::Store;

/// What a rehearsal needs to know of a jurisdiction.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The workflows in force, in order of name.
    pub charts: Vec<Arc<Chart>>,
    /// The calendar in force.
    pub calendar: Calendar,
    /// Who is who.
    pub directory: Arc<Directory>,
    /// Who is on duty when.
    pub rosters: Arc<Rosters>,
}

/// What is to be rehearsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsalWish {
    /// When every clock begins.
    pub at: Instant,
    /// How grave the matter is.
    pub tier: Tier,
    /// The unit that has the matter; none: the first linked one.
    pub unit: Option<String>,
    /// One workflow only.
    pub workflow: Option<String>,
    /// How many repetitions at the end of a ladder are shown.
    pub repeats: usize,
}

/// Whom the ladders would tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsal {
    /// When every clock begins.
    pub at: Instant,
    /// How grave the matter is.
    pub tier: Tier,
    /// The unit that has the matter.
    pub unit: String,
    /// Workflow by workflow; those without clocks are left out.
    pub flows: Vec<Flow>,
    /// How everybody who is named can be reached.
    pub ways: BTreeMap<PersonId, Vec<Way>>,
    /// Steps that reach nobody, and people who cannot be reached or whose addresses are not proved.
    pub faults: Vec<Text>,
}

/// The ladders of one workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Its name.
    pub workflow: String,
    /// What people call it.
    pub title: Text,
    /// Its clocks.
    pub ladders: Vec<Ladder>,
}

/// A way to reach a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The channel.
    pub channel: String,
    /// The address, masked.
    pub address: String,
    /// Since when it is proved to be the person's.
    pub verified_at: Option<Instant>,
    /// Whether the person wishes it besides the channels of the workflow.
    pub wished: bool,
}

impl Ground {
    fn facts_at(&self, now: Instant) -> Arc<dyn Facts + Send + Sync> {
        let Self { calendar, directory, rosters, .. } = self.clone();
        Arc::new(OnDuty { directory, rosters, calendar, now })
    }

    /// Units that matters may be given to, in order of code.
    pub(super) fn linked(&self) -> impl Iterator<Item = &Unit> {
        self.directory.units.values().filter(|unit| unit.active && unit.kind != "body")
    }

    /// Rehearses.
    ///
    /// # Errors
    /// `NotFound` for a workflow, `Invalid` for a unit that there is not.
    pub fn rehearse(&self, wish: &RehearsalWish) -> Result<Rehearsal, Error> {
        let unit = self.unit(wish.unit.as_deref())?;
        let wanted =
            |chart: &&Arc<Chart>| wish.workflow.as_ref().is_none_or(|name| chart.workflow == *name);
        let charts: Vec<&Arc<Chart>> = self.charts.iter().filter(wanted).collect();
        if charts.is_empty() {
            return Err(Error::NotFound);
        }
        let facts_at = |at| self.facts_at(at);
        let stage = Stage { calendar: &self.calendar, facts_at: &facts_at };
        let (at, tier, repeats) = (wish.at, wish.tier, wish.repeats);
        let asked = rehearsal::Wish { at, tier, unit: &unit, repeats };
        let flows = charts.into_iter().map(|chart| Flow {
            workflow: chart.workflow.clone(),
            title: chart.title.clone(),
            ladders: rehearsal::ladders(chart, stage, asked),
        });
        let flows: Vec<Flow> = flows.filter(|flow| !flow.ladders.is_empty()).collect();
        let mut ways = BTreeMap::new();
        for person in flows.iter().flat_map(Flow::rungs).flat_map(|(_, rung)| rung.people()) {
            if let Some(person) = self.directory.people.get(&person) {
                ways.entry(person.id).or_insert_with(|| ways_of(person, tier));
            }
        }
        let mut rehearsal = Rehearsal { at, tier, unit, flows, ways, faults: Vec::new() };
        let empty = rehearsal.empty_rungs().into_iter();
        let mut faults: Vec<Text> =
            empty.map(|(flow, ladder, rung)| self.empty(flow, ladder, rung)).collect();
        faults.extend(self.unreachable(&rehearsal.ways));
        rehearsal.faults = faults;
        Ok(rehearsal)
    }

    fn unit(&self, wanted: Option<&str>) -> Result<String, Error> {
        let found = match wanted {
            Some(code) => self.directory.units.get(code),
            None => self.linked().next(),
        };
        found.map(|unit| unit.code.clone()).ok_or_else(|| {
            let code = wanted.unwrap_or_default();
            Error::invalid(format!("没有单位“{code}”"), format!("there is no unit `{code}`"))
        })
    }

    fn empty(&self, flow: &Flow, ladder: &Ladder, rung: &Rung) -> Text {
        let (zone, step) = (self.calendar.zone(), step(rung));
        let places = self.places(&rung.places);
        Text::new(
            format!(
                "“{}·{}”{}{}无人（{}）",
                flow.title.zh,
                ladder.title.zh,
                spoken(rung.at, zone, Language::Zh),
                step.zh,
                places.zh
            ),
            format!(
                "{}, {}, {}: {} is empty ({})",
                flow.title.en,
                ladder.title.en,
                spoken(rung.at, zone, Language::En),
                step.en,
                places.en
            ),
        )
    }

    /// Places in words: `县应急办值班员`.
    pub(super) fn places(&self, places: &[Place]) -> Text {
        let said: Vec<Text> = places.iter().map(|place| self.place(place)).collect();
        let zh: Vec<&str> = said.iter().map(|text| text.zh.as_str()).collect();
        let en: Vec<&str> = said.iter().map(|text| text.en.as_str()).collect();
        Text::new(zh.join("、"), en.join(", "))
    }

    /// One place in words.
    #[must_use]
    pub fn place(&self, place: &Place) -> Text {
        let role = place.role.title();
        let unit = place.unit.as_ref().and_then(|code| self.directory.units.get(code));
        let name = unit.map_or_else(
            || Text::new(place.party.clone(), place.party.clone()),
            |unit| unit.name.clone(),
        );
        Text::new(format!("{}{}", name.zh, role.zh), format!("{}: {}", name.en, role.en))
    }

    /// People who cannot be reached at all, each; and how many have proved no address.
    pub(super) fn unreachable(&self, ways: &BTreeMap<PersonId, Vec<Way>>) -> Vec<Text> {
        let name = |id: &PersonId| {
            let person = self.directory.people.get(id);
            person.map_or_else(|| id.to_string(), |person| person.name.clone())
        };
        let mut faults = Vec::new();
        let mut unproved = Vec::new();
        for (id, ways) in ways {
            if ways.is_empty() {
                let name = name(id);
                faults.push(Text::new(
                    format!("{name}没有电话和邮箱，无法通知"),
                    format!("{name} has neither telephone nor mail address and cannot be told"),
                ));
            } else if ways.iter().all(|way| way.verified_at.is_none()) {
                unproved.push(name(id));
            }
        }
        const NAMED: usize = 5;
        if !unproved.is_empty() {
            let count = unproved.len();
            let more = count > NAMED;
            unproved.truncate(NAMED);
            let (zh, en) = (unproved.join("、"), unproved.join(", "));
            let (zh_more, en_more) = if more { ("等", " and others") } else { ("", "") };
            faults.push(Text::new(
                format!("{count}人的联系方式均未验证：{zh}{zh_more}"),
                format!("{count} people have proved none of their addresses: {en}{en_more}"),
            ));
        }
        faults
    }
}

impl Rehearsal {
    /// Every step that reaches nobody.
    #[must_use]
    pub fn empty_rungs(&self) -> Vec<(&Flow, &Ladder, &Rung)> {
        let all = self.flows.iter().flat_map(|flow| {
            let empty = flow.rungs().filter(|(_, rung)| rung.people().is_empty());
            empty.map(move |(ladder, rung)| (flow, ladder, rung))
        });
        all.collect()
    }
}

impl Flow {
    /// Every step with its clock.
    pub fn rungs(&self) -> impl Iterator<Item = (&Ladder, &Rung)> {
        self.ladders.iter().flat_map(|ladder| ladder.rungs.iter().map(move |rung| (ladder, rung)))
    }
}

/// The ways to a person, in the order in which messages of a tier take them.
pub(super) fn ways_of(person: &Person, tier: Tier) -> Vec<Way> {
    let urgent = tier >= Tier::Larger;
    let way = |channel: &str| Way {
        channel: channel.to_owned(),
        address: masked(person.address(channel).unwrap_or_default()),
        verified_at: person.verified_at(channel),
        wished: person.wished(urgent) == Some(channel),
    };
    person.ways(urgent).into_iter().map(way).collect()
}

/// A step by its number.
#[must_use]
pub fn step(rung: &Rung) -> Text {
    match rung.step {
        Some(number) => Text::new(format!("第{number}级"), format!("step {number}")),
        None => Text::new("重复提醒", "the repetition"),
    }
}

/// Day and minute as people say them: `10-04周日 03:00`, `Sunday 10-04 03:00`.
#[must_use]
pub fn spoken(at: Instant, zone: &TimeZone, language: Language) -> String {
    const DAYS: [&str; 7] = ["一", "二", "三", "四", "五", "六", "日"];
    let at = at.timestamp().to_zoned(zone.clone());
    match language {
        Language::Zh => {
            let day = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or_default();
            let day = DAYS.get(day).copied().unwrap_or_default();
            format!("{}周{day} {}", at.strftime("%m-%d"), at.strftime("%H:%M"))
        }
        Language::En => at.strftime("%A %m-%d %H:%M").to_string(),
    }
}

impl Gate {
    /// What rehearsals in a jurisdiction need to know.
    ///
    /// # Errors
    /// When there is no such jurisdiction, or no calendar.
    pub fn ground(&self, jurisdiction: JurisdictionId) -> Result<Ground, Error> {
        ground(&self.inner.registry, jurisdiction)
    }

    /// Rehearses where the caller is. For those who operate the house. May take a while.
    ///
    /// # Errors
    /// `Forbidden`; as for [`Ground::rehearse`].
    pub fn rehearse(
        &self,
        caller: &Caller,
        wish: &RehearsalWish,
    ) -> Result<(Ground, Rehearsal), Error> {
        self.permit(caller, Act::SeeOperation)?;
        let ground = self.ground(caller.jurisdiction)?;
        let rehearsal = ground.rehearse(wish)?;
        Ok((ground, rehearsal))
    }
}

fn ground(registry: &Registry, jurisdiction: JurisdictionId) -> Result<Ground, Error> {
    let versions = registry.versions(jurisdiction).into_iter();
    let mut charts: Vec<Arc<Chart>> =
        versions.filter(|version| version.current).map(|version| version.chart).collect();
    charts.sort_by(|one, other| one.workflow.cmp(&other.workflow));
    Ok(Ground {
        charts,
        calendar: registry.calendar(jurisdiction)?,
        directory: registry.directory(jurisdiction)?,
        rosters: registry.rosters(jurisdiction),
    })
}

/// What rehearsals need to know, read from a store beside a running service: of the jurisdiction
/// with this code, or of the first one.
///
/// # Errors
/// `NotFound` when there is no such jurisdiction; what the store says.
pub fn stored_ground(store: &Store, code: Option<&str>, now: Instant) -> Result<Ground, Error> {
    let registry = Registry::load(store, now)?;
    for id in registry.jurisdictions() {
        if code.is_none_or(|code| registry.directory(id).is_ok_and(|known| known.code == code)) {
            return ground(&registry, id);
        }
    }
    Err(Error::NotFound)
}
