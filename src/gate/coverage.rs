//! Gaps found ahead: when within the next days nobody would be on duty, which steps of ladders would
//! reach nobody, and who cannot be reached.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Error;
use super::rehearsal::{Ground, RehearsalWish, spoken, step, ways_of};
use super::{Gate, Note};
use crate::domain::{Instant, JurisdictionId, Kind, Language, PersonId, Role, Text, Tier, Unit};
use crate::engine::run::rehearsal::Place;
use crate::roster::{self, Gap, Roster};
use crate::template::About;

const DAY: i64 = 24 * 3_600_000;

/// So many lines are told at most; the rest is counted.
const LINES_MAX: usize = 20;

impl Gate {
    /// What is missing in a jurisdiction from an instant on, for so many days: a line each, the
    /// gravest first; empty: nothing. May take a while. Blocks.
    ///
    /// # Errors
    /// When there is no such jurisdiction; what the store says.
    pub fn missing_ahead(
        &self,
        whose: JurisdictionId,
        from: Instant,
        days: i64,
    ) -> Result<Vec<Text>, Error> {
        let ground = self.ground(whose)?;
        let until = from.plus(days.max(1) * DAY);
        let mut lines = Vec::new();
        let mut people: BTreeSet<PersonId> = BTreeSet::new();
        let mut gaps = Vec::new();
        for code in ground.rosters.rosters.keys() {
            let book = self.book(whose, code, from, until)?;
            let (unit, role) = (book.roster.unit.as_str(), book.roster.role);
            let fit = |person| roster::knows(&ground.directory, unit, role, person);
            let plan = book.plan();
            for gap in plan.gaps(from, until, &fit).iter().take(LINES_MAX) {
                gaps.push(ground.gap(&book.roster, gap)?);
            }
            people.extend(plan.shifts(from, until).iter().map(|shift| shift.person));
        }
        lines.extend(ground.empty_steps(from, &mut people)?);
        people.extend(ground.posts().flat_map(|(unit, role)| ground.holders(unit, role)));
        let known = people.iter().filter_map(|id| ground.directory.people.get(id));
        let active = known.filter(|person| person.active);
        let ways = active.map(|person| (person.id, ways_of(person, Tier::Larger))).collect();
        // Many gaps of rosters, in which somebody is told all the same, hide nothing graver.
        lines.extend(ground.unreachable(&ways));
        lines.extend(ground.vacant_posts());
        lines.extend(ground.operators_missing(&self.operators()));
        lines.extend(gaps);
        if lines.len() > LINES_MAX {
            let more = lines.len() - LINES_MAX + 1;
            lines.truncate(LINES_MAX - 1);
            lines.push(Text::new(format!("另有{more}处"), format!("and {more} more")));
        }
        Ok(lines)
    }

    /// The message about what is missing, to one person.
    ///
    /// # Errors
    /// When there is no such jurisdiction.
    pub fn coverage_note(
        &self,
        whose: JurisdictionId,
        person: PersonId,
        lines: &[Text],
    ) -> Result<Note, Error> {
        let directory = self.inner.registry.directory(whose)?;
        let language =
            directory.people.get(&person).map(|one| one.rules.language).unwrap_or_default();
        let gaps = lines.iter().map(|line| line.say(language).to_owned()).collect();
        let about = About { gaps, ..About::default() };
        Ok(Note { person, channel: None, kind: Kind::Coverage, urgent: false, about })
    }

    /// The people that a party and a role stand for at an instant: those on duty, where a roster
    /// says who that is, else everybody with the role.
    ///
    /// # Errors
    /// When there is no such jurisdiction.
    pub fn people_meant(
        &self,
        whose: JurisdictionId,
        (party, role): (&str, Role),
        now: Instant,
    ) -> Result<Vec<PersonId>, Error> {
        let registry = &self.inner.registry;
        let directory = registry.directory(whose)?;
        let Some(unit) = directory.bodies.get(party) else { return Ok(Vec::new()) };
        let answer = registry.facts(whose, now)?.ask(&format!("people/{unit}/{role}"));
        let people = answer.as_list().unwrap_or_default().iter();
        Ok(people.filter_map(crate::domain::Value::as_int).map(PersonId).collect())
    }
}

/// Reads a party and a role: `emergency_office.duty`.
///
/// # Errors
/// What is wrong with it.
pub fn meant(to: &str) -> Result<(&str, Role), String> {
    let (party, role) = to.split_once('.').ok_or("it has no role")?;
    Ok((party, role.parse()?))
}

impl Ground {
    /// A gap of a roster: when, what happens then, and which steps it concerns.
    fn gap(&self, roster: &Roster, gap: &Gap) -> Result<Text, Error> {
        let zone = self.calendar.zone();
        let all = self.directory.people_with(&roster.unit, roster.role).count();
        let (zh, en) = if all == 0 {
            ("无人可通知".to_owned(), "nobody would be told".to_owned())
        } else {
            (format!("届时通知该岗位全部{all}人"), format!("all {all} with the role are told"))
        };
        let steps = self.relying(roster, gap.from)?;
        let span = |language| (spoken(gap.from, zone, language), spoken(gap.until, zone, language));
        let ((zh_from, zh_until), (en_from, en_until)) = (span(Language::Zh), span(Language::En));
        Ok(Text::new(
            format!("{zh_from}至{zh_until}：“{}”无人值班，{zh}{}", roster.title.zh, steps.zh),
            format!(
                "{en_from} to {en_until}: nobody is on duty for `{}`; {en}{}",
                roster.title.en, steps.en
            ),
        ))
    }

    /// Which steps of a larger incident tell the role of a roster.
    fn relying(&self, roster: &Roster, at: Instant) -> Result<Text, Error> {
        if !self.can_be_rehearsed() {
            return Ok(Text::default());
        }
        let tier = Tier::Larger;
        let wish = RehearsalWish { at, tier, unit: None, workflow: None, repeats: 0 };
        let rehearsal = self.rehearse(&wish)?;
        let ours =
            |place: &Place| place.unit.as_ref() == Some(&roster.unit) && place.role == roster.role;
        let steps = rehearsal.flows.iter().flat_map(|flow| {
            let named = flow.rungs().filter(|(_, rung)| rung.places.iter().any(ours));
            named.map(move |(ladder, rung)| (flow, ladder, rung))
        });
        let steps: Vec<_> = steps.collect();
        let Some((flow, ladder, rung)) = steps.first() else { return Ok(Text::default()) };
        let (count, step, tier) = (steps.len(), step(rung), tier.title());
        Ok(Text::new(
            format!(
                "（{}：涉及“{}·{}”{}等{count}处）",
                tier.zh, flow.title.zh, ladder.title.zh, step.zh
            ),
            format!(
                " ({}: {count} steps, first {} of {}, {})",
                tier.en, step.en, flow.title.en, ladder.title.en
            ),
        ))
    }

    fn can_be_rehearsed(&self) -> bool {
        self.linked().next().is_some() && !self.charts.is_empty()
    }

    /// Steps of ladders that reach nobody, by whom they would tell: a line each. Everybody whom the
    /// ladders name is added to `people`.
    fn empty_steps(
        &self,
        at: Instant,
        people: &mut BTreeSet<PersonId>,
    ) -> Result<Vec<Text>, Error> {
        let mut found: BTreeMap<Vec<(String, Role)>, Empty> = BTreeMap::new();
        if !self.can_be_rehearsed() {
            return Ok(Vec::new());
        }
        for tier in Tier::ALL.into_iter().rev() {
            let wish = RehearsalWish { at, tier, unit: None, workflow: None, repeats: 1 };
            let rehearsal = self.rehearse(&wish)?;
            people.extend(rehearsal.ways.keys());
            for (flow, ladder, rung) in rehearsal.empty_rungs() {
                let key = rung.places.iter().map(|place| (place.party.clone(), place.role));
                let one = found.entry(key.collect()).or_insert_with(|| Empty {
                    at: rung.at,
                    tier,
                    step: step(rung),
                    places: rung.places.clone(),
                    first: Text::new(
                        format!("{}·{}", flow.title.zh, ladder.title.zh),
                        format!("{}, {}", flow.title.en, ladder.title.en),
                    ),
                    seen: BTreeSet::new(),
                });
                one.seen.insert((flow.workflow.clone(), ladder.clock.clone(), rung.step));
            }
        }
        Ok(found.into_values().map(|empty| self.empty_line(&empty)).collect())
    }

    fn empty_line(&self, empty: &Empty) -> Text {
        let zone = self.calendar.zone();
        let (places, tier, count) =
            (self.places(&empty.places), empty.tier.title(), empty.seen.len());
        let (zh, en) = match count {
            1 => (String::new(), String::new()),
            _ => (format!("等{count}处"), format!(" and {} more steps", count - 1)),
        };
        Text::new(
            format!(
                "{}，{}：{}无人（{}；“{}”{zh}）",
                spoken(empty.at, zone, Language::Zh),
                tier.zh,
                empty.step.zh,
                places.zh,
                empty.first.zh
            ),
            format!(
                "{}, {}: {} is empty ({}; {}{en})",
                spoken(empty.at, zone, Language::En),
                tier.en,
                empty.step.en,
                places.en,
                empty.first.en
            ),
        )
    }

    /// Roles that are told of operator alarms, and that nobody has.
    fn operators_missing(&self, operators: &[(String, Role)]) -> Vec<Text> {
        let there = |party: &String, role| {
            let unit = self.directory.bodies.get(party);
            unit.is_some_and(|unit| self.directory.people_with(unit, role).next().is_some())
        };
        let missing = operators.iter().filter(|(party, role)| !there(party, *role));
        let line = |(party, role): &(String, Role)| {
            Text::new(
                format!("系统告警无人可收：{party}没有{}", role.title().zh),
                format!("nobody gets system alarms: {party} has no {}", role.title().en),
            )
        };
        missing.map(line).collect()
    }

    /// What somebody must be in each linked unit. Matters reach a sub-unit by its liaison alone.
    fn posts(&self) -> impl Iterator<Item = (&Unit, Role)> {
        let roles = [Role::Liaison, Role::Leader].into_iter();
        let all = roles.flat_map(|role| self.linked().map(move |unit| (unit, role)));
        all.filter(|(unit, role)| unit.parent.is_none() || *role == Role::Liaison)
    }

    fn holders(&self, unit: &Unit, role: Role) -> impl Iterator<Item = PersonId> {
        self.directory.people_with(&unit.code, role).map(|person| person.id)
    }

    /// Posts that nobody has.
    fn vacant_posts(&self) -> Vec<Text> {
        let vacant = self.posts().filter(|(unit, role)| self.holders(unit, *role).next().is_none());
        let line = |(unit, role): (&Unit, Role)| {
            let title = role.title();
            Text::new(
                format!("{}没有{}，提醒无人可收", unit.name.zh, title.zh),
                format!("{} has no {}: nobody gets its alerts", unit.name.en, title.en),
            )
        };
        vacant.map(line).collect()
    }
}

/// Steps that would tell the same places, all of which are empty.
struct Empty {
    at: Instant,
    tier: Tier,
    step: Text,
    places: Vec<Place>,
    first: Text,
    seen: BTreeSet<(String, String, Option<usize>)>,
}
