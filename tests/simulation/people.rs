//! The people of the county, with character: prompt and slow units, units that pass everything on,
//! units asleep, a desk that now and then takes the wrong unit, an office that is sometimes late.
//! They know no workflow: they read which commands are possible and what these ask for.

use std::collections::BTreeSet;

use fenliu::calendar::Calendar;
use fenliu::chart::expression::Type;
use fenliu::chart::{Chart, CommandSpec, Effects, Input, Shape};
use fenliu::domain::{
    Actor, Command, Directory, Fields, Instance, Instant, Person, PersonId, Role, Value,
};
use fenliu::engine::{self, Situation, possible};

use super::dice::Dice;

/// A minute in milliseconds.
pub(super) const MINUTE: i64 = 60_000;
/// An hour in milliseconds.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// A day in milliseconds.
pub(super) const DAY: i64 = 24 * HOUR;

/// How a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Character {
    /// The 110 desk.
    Desk,
    /// The emergency office and the county government.
    Office,
    /// Does its work at once.
    Prompt,
    /// Does it some time.
    Slow,
    /// Passes it on where it can.
    Refusing,
    /// Never does anything by itself.
    Asleep,
}

/// The character of a unit in the world of a seed.
pub(super) fn character(seed: u64, directory: &Directory, unit: &str) -> Character {
    let party = directory.bodies.iter().find(|(_, code)| *code == unit).map(|(party, _)| party);
    match party.map(String::as_str) {
        Some("desk" | "police") => Character::Desk,
        Some(_) => Character::Office,
        None => {
            let name = unit
                .bytes()
                .fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
            match Dice::new(name).between(1, 10) {
                1..=4 => Character::Prompt,
                5..=6 => Character::Slow,
                7..=8 => Character::Refusing,
                _ => Character::Asleep,
            }
        }
    }
}

impl Character {
    /// How long until it turns to a matter; none: not by itself.
    pub(super) fn delay(self, dice: &mut Dice) -> Option<i64> {
        let usual = dice.chance(80);
        Some(match (self, usual) {
            (Self::Desk, true) => dice.between(MINUTE, 9 * MINUTE),
            (Self::Desk, false) => dice.between(10 * MINUTE, 3 * HOUR),
            (Self::Office, true) => dice.between(10 * MINUTE, 5 * HOUR),
            (Self::Office, false) => dice.between(DAY, 3 * DAY),
            (Self::Prompt, _) => dice.between(5 * MINUTE, 2 * HOUR),
            (Self::Refusing, _) => dice.between(10 * MINUTE, 6 * HOUR),
            (Self::Slow, _) => dice.between(6 * HOUR, 4 * DAY),
            (Self::Asleep, _) => return None,
        })
    }

    /// How much a unit likes a command that ends, passes on, moves or only notes something.
    fn likes(self, kind: Kind) -> i64 {
        match (self, kind) {
            (Self::Refusing, Kind::PassesOn) => 12,
            (Self::Desk | Self::Office, Kind::PassesOn) | (_, Kind::Moves) => 6,
            (Self::Prompt | Self::Slow, Kind::Ends) => 3,
            _ => 1,
        }
    }
}

/// What a command would do with a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ends,
    PassesOn,
    Moves,
    Notes,
}

fn kind(chart: &Chart, leaf: usize, command: &str) -> Kind {
    let here = chart.node(leaf).and_then(|node| node.holder.clone());
    let ways = chart.active(leaf).flat_map(|node| node.on.get(command).into_iter().flatten());
    let targets = ways.filter_map(|way| way.target).filter(|to| to.leaf != leaf);
    let targets = targets.filter_map(|to| chart.node(to.leaf));
    let kinds = targets.map(|node| match node.shape {
        Shape::Final | Shape::Rest => Kind::Ends,
        _ if node.holder != here => Kind::PassesOn,
        _ => Kind::Moves,
    });
    kinds.last().unwrap_or(Kind::Notes)
}

/// Whether a command may start one of some workflows.
fn starts(chart: &Chart, leaf: usize, command: &str, workflows: &BTreeSet<String>) -> bool {
    let alarms = |effects: &Effects| effects.start.iter().any(|s| workflows.contains(&s.workflow));
    let mut ways = chart.active(leaf).flat_map(|node| node.on.get(command).into_iter().flatten());
    ways.any(|way| {
        let target = way.target.map(|to| to.leaf);
        let mut entered = target.into_iter().flat_map(|leaf| chart.active(leaf));
        alarms(&way.effects) || entered.any(|node| alarms(&node.entry))
    })
}

/// One person at work.
pub(super) struct Desk<'d> {
    pub(super) situation: Situation<'d>,
    pub(super) directory: &'d Directory,
    pub(super) character: Character,
    /// What was already done with the matter: people rather do what is still to be done.
    pub(super) done: BTreeSet<String>,
    /// Whether they meet matters of a grave tier.
    pub(super) grave: bool,
    /// Workflows that they start only where they do.
    pub(super) alarming: &'d BTreeSet<String>,
    pub(super) dice: &'d mut Dice,
}

impl Desk<'_> {
    /// What somebody of `unit` would do with an instance now.
    pub(super) fn choose(&mut self, instance: &Instance, unit: &str) -> Option<(Actor, Command)> {
        let people = self.directory.people.values();
        let staff: Vec<&Person> = people
            .filter(|p| p.active && p.grants.iter().any(|grant| grant.unit == unit))
            .collect();
        let chart = self.situation.chart;
        let leaf = chart.find(&instance.state)?;
        for _ in 0..2 {
            let actor = acting(self.dice.pick(&staff)?);
            let mut specs = possible::specs(self.situation, instance, &actor);
            specs.retain(|spec| self.grave || !starts(chart, leaf, &spec.name, self.alarming));
            let acknowledges = possible::may_acknowledge(self.situation, instance, &actor);
            if acknowledges && self.dice.chance(10) {
                return Some((actor, Command::new(engine::ACKNOWLEDGE)));
            }
            // Each command as often as the unit likes it.
            let likes = |spec: &CommandSpec| {
                let new = if self.done.contains(&spec.name) { 1 } else { 4 };
                new * self.character.likes(kind(chart, leaf, &spec.name))
            };
            let total: i64 = specs.iter().map(|spec| likes(spec)).sum();
            if total == 0 {
                continue;
            }
            let mut left = self.dice.between(1, total);
            specs.retain(|spec| {
                let before = left;
                left -= likes(spec);
                before > 0 && left <= 0
            });
            let spec = specs.first()?;
            return Some((actor, self.command(spec, Some(instance))));
        }
        None
    }

    /// A command with inputs that fit its schema.
    pub(super) fn command(&mut self, spec: &CommandSpec, of: Option<&Instance>) -> Command {
        let whole = self.dice.chance(50);
        let mut input = Fields::new();
        for item in &spec.input {
            // Nobody knows the number of another matter by heart: mostly none is named.
            let unknown = item.kind == fenliu::chart::Kind::Matter && !self.dice.chance(5);
            if !item.optional || !unknown && (whole || self.dice.chance(30)) {
                let value = self.value(item, of);
                input.insert(item.name.clone(), value);
            }
        }
        let late = self.dice.chance(4);
        let occurred_at = late.then(|| self.situation.now.plus(-self.dice.between(0, 20 * MINUTE)));
        Command { name: spec.name.clone(), input, occurred_at }
    }

    fn value(&mut self, input: &Input, of: Option<&Instance>) -> Value {
        let (min, max) = (input.min.unwrap_or(0), input.max.unwrap_or(i64::MAX));
        match &input.ty {
            Type::Bool => self.dice.chance(50).into(),
            Type::Int => Value::Int(self.dice.between(min, max.min(min.saturating_add(9)))),
            Type::Tier if !self.grave && of.is_none() => Value::Int(1),
            Type::Tier => Value::Int(self.dice.one_of(&[1, 1, 1, 1, 1, 1, 2, 2, 3, 4])),
            Type::Enum(codes) if self.dice.chance(50) => text(codes.first()),
            Type::Enum(codes) => text(self.dice.pick(codes)),
            Type::Instant => {
                Value::Int(self.situation.now.plus(-self.dice.between(0, 30 * MINUTE)).0)
            }
            Type::Date => self.date().into(),
            Type::Unit => self.unit(of).into(),
            Type::Category => {
                let codes: Vec<&String> = self.directory.categories.keys().collect();
                text(self.dice.pick(&codes).copied())
            }
            Type::Set => {
                let units = (0..self.dice.between(1, 3)).map(|_| Value::from(self.unit(None)));
                let mut units: Vec<Value> = units.collect();
                units.sort();
                units.dedup();
                Value::List(units)
            }
            _ if input.personal => "digest".into(),
            _ => {
                let length = usize::try_from(max.min(12).max(min)).unwrap_or(12);
                "城口县群众反映事项已核实请依法及时办理"
                    .chars()
                    .cycle()
                    .take(length)
                    .collect::<String>()
                    .into()
            }
        }
    }

    fn date(&mut self) -> String {
        let calendar: &Calendar = self.situation.calendar;
        let day = self.situation.now.plus(self.dice.between(0, 30) * DAY);
        calendar.date_of(day).to_string()
    }

    /// The right unit, as far as the category says it; in 15 of 100 cases any other.
    fn unit(&mut self, of: Option<&Instance>) -> String {
        let fields = of.map(|instance| &instance.fields);
        let texts =
            fields.into_iter().flat_map(|fields| fields.values()).filter_map(Value::as_text);
        let categories = texts.filter_map(|text| self.directory.categories.get(text));
        let right: Vec<&String> = categories.flat_map(|category| &category.units).collect();
        let any: Vec<&String> = self.directory.units.keys().collect();
        let from = if self.dice.chance(85) && !right.is_empty() { &right } else { &any };
        self.dice.pick(from).map(|unit| (*unit).clone()).unwrap_or_default()
    }
}

/// A person with all they may do.
pub(super) fn acting(person: &Person) -> Actor {
    Actor::person(person.id, person.grants.clone())
}

/// The id of a person who acts.
pub(super) fn id_of(actor: &Actor) -> PersonId {
    if let Actor::Person { id, .. } = actor { *id } else { PersonId(0) }
}

/// Somebody who may open a workflow.
pub(super) fn opener<'p>(
    chart: &Chart,
    directory: &'p Directory,
    dice: &mut Dice,
) -> Option<&'p Person> {
    let roles: Vec<Role> = chart.start.by.iter().map(|selector| selector.role).collect();
    let bodies: Vec<&str> = chart
        .start
        .by
        .iter()
        .filter_map(|selector| match &selector.party {
            fenliu::chart::Party::Body(party) => directory.bodies.get(party).map(String::as_str),
            _ => None,
        })
        .collect();
    let people: Vec<&Person> = directory
        .people
        .values()
        .filter(|person| {
            person.grants.iter().any(|grant| {
                let here = bodies.is_empty() || bodies.contains(&grant.unit.as_str());
                roles.contains(&grant.role) && here
            })
        })
        .collect();
    dice.pick(&people).copied()
}

/// When the simulated midnight after an instant is.
pub(super) fn midnight_after(calendar: &Calendar, at: Instant) -> Instant {
    calendar.end_of(calendar.date_of(at))
}

fn text(code: Option<&String>) -> Value {
    code.map(|code| Value::from(code.as_str())).unwrap_or_default()
}
