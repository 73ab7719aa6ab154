//! A chart on the bench: small YAML, one desk, one unit, a plain calendar.

use fenliu::calendar::Calendar;
use fenliu::chart::{self, Chart, Finding};
use fenliu::domain::facts::FactRecord;
use fenliu::domain::{
    Actor, Command, Event, Grant, Instance, InstanceId, Instant, PersonId, Refusal, Role, Value,
};
use fenliu::engine::{self, Decision, Seed, Situation};

/// Monday to Friday, 09:00 to 17:00, no holidays.
const CALENDAR: &str = r#"
code: bench
version: "1"
zone: Asia/Shanghai
notice_expected_from: "11-01"
office_hours: [{ from: "01-01", to: "12-31", spans: ["09:00-17:00"] }]
years: { 2018: { confirmed: true, notice: n } }
"#;

/// What every small chart begins with; the rest is the test's.
pub(crate) const HEAD: &str = r#"
workflow: bench
title: { zh: 台, en: bench }
parties: [desk, office]
start: { command: begin, title: { zh: 始, en: begin }, by: [desk.duty] }
ladders:
  loud: [{ every: "0 0 9 * * *", tell: [desk.duty], via: [sms], text: late }]
texts: { late: { zh: 迟, en: late } }
"#;

/// A chart and one instance of it, with a time that the test moves.
pub(crate) struct Bench {
    pub(crate) chart: Chart,
    pub(crate) calendar: Calendar,
    pub(crate) facts: FactRecord,
    pub(crate) now: Instant,
    pub(crate) instance: Instance,
    pub(crate) event: Event,
}

/// The chart of a text that must be sound.
pub(crate) fn sound(source: &str) -> Chart {
    let (chart, findings) = chart::compile(source);
    chart.unwrap_or_else(|| panic!("{}", chart::finding::draw("bench.yaml", source, &findings)))
}

/// What is wrong with a text.
pub(crate) fn findings(source: &str) -> Vec<Finding> {
    chart::compile(source).1
}

/// A Beijing time of July 2018: `day hour:minute`; Monday is the 2nd.
pub(crate) fn time(text: &str) -> Instant {
    let (day, hour) = text.split_once(' ').unwrap();
    Instant::parse(&format!("2018-07-{day}T{hour}:00+08:00")).unwrap()
}

/// Somebody with these roles, `unit.role`.
pub(crate) fn person(roles: &[&str]) -> Actor {
    let grant = |role: &&str| {
        let (unit, role) = role.split_once('.').unwrap();
        Grant { role: role.parse::<Role>().unwrap(), unit: unit.to_owned() }
    };
    Actor::person(PersonId(1), roles.iter().map(grant).collect())
}

impl Bench {
    /// Opens an instance on Monday 2 July 2018, 10:00. `body` follows [`HEAD`].
    pub(crate) fn new(body: &str) -> Self {
        Self::open(&format!("{HEAD}{body}"), &Command::new("begin"))
    }

    /// Opens an instance of a whole file.
    pub(crate) fn open(source: &str, command: &Command) -> Self {
        Self::try_open(source, command).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    pub(crate) fn try_open(source: &str, command: &Command) -> Result<Self, Refusal> {
        let chart = sound(source);
        let calendar = Calendar::from_yaml(CALENDAR).unwrap();
        let facts: FactRecord = [
            ("body/desk", Value::from("gongan")),
            ("body/office", Value::from("yingji")),
            ("people/gongan/duty", Value::List(vec![Value::Int(7)])),
            ("people/yingji/duty", Value::List(vec![Value::Int(8)])),
            ("unit/huanbao/active", Value::Bool(true)),
            ("unit/huanbao/kind", Value::from("department")),
            ("unit/a/kind", Value::from("department")),
            ("unit/b/kind", Value::from("department")),
            ("unit/c/kind", Value::from("department")),
            ("unit/d/kind", Value::from("department")),
        ]
        .map(|(question, answer)| (question.to_owned(), answer))
        .into();
        let now = time("02 10:00");
        let situation = Situation { chart: &chart, calendar: &calendar, facts: &facts, now };
        let seed = Seed {
            id: InstanceId(1),
            parent: None,
            jurisdiction: Default::default(),
            definition: Default::default(),
        };
        let Decision { instance, event } =
            engine::open(situation, seed, &person(&["gongan.duty"]), command)?;
        Ok(Self { chart, calendar, facts, now, instance, event })
    }

    pub(crate) fn situation(&self) -> Situation<'_> {
        let Self { chart, calendar, facts, now, .. } = self;
        Situation { chart, calendar, facts, now: *now }
    }

    /// Decides without keeping the outcome.
    pub(crate) fn ask(&self, actor: &Actor, command: &Command) -> Result<Decision, Refusal> {
        engine::decide(self.situation(), &self.instance, actor, command)
    }

    /// Decides and keeps the outcome.
    pub(crate) fn act(&mut self, actor: &Actor, command: &Command) -> Result<&Event, Refusal> {
        let decision = self.ask(actor, command)?;
        (self.instance, self.event) = (decision.instance, decision.event);
        Ok(&self.event)
    }

    /// The desk gives a command that must be accepted.
    pub(crate) fn give(&mut self, command: &str) -> &Event {
        self.give_with(&Command::new(command))
    }

    pub(crate) fn give_with(&mut self, command: &Command) -> &Event {
        let actor = person(&["gongan.duty"]);
        self.act(&actor, command).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    /// The desk gives a command that must be refused.
    pub(crate) fn refused(&self, command: &str) -> Refusal {
        let actor = person(&["gongan.duty"]);
        self.ask(&actor, &Command::new(command)).expect_err("it was accepted")
    }

    /// A relative speaks.
    pub(crate) fn hear(&mut self, name: &str) -> &Event {
        let actor = Actor::Relative { id: InstanceId(2) };
        self.act(&actor, &Command::new(name)).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    /// Moves the time.
    pub(crate) fn at(&mut self, text: &str) -> &mut Self {
        self.now = time(text);
        self
    }

    /// Lets a clock fire now.
    pub(crate) fn fire(&mut self, clock: &str) -> Result<&Event, Refusal> {
        self.act(&Actor::Clock, &Command::new(format!("clock.{clock}")))
    }

    /// Lets time pass, every clock firing when it wakes; gives `clock@time: texts told` for each.
    pub(crate) fn until(&mut self, text: &str) -> Vec<String> {
        let end = time(text);
        let mut log = Vec::new();
        for _ in 0..1000 {
            let clocks = self.instance.clocks.iter();
            let next = clocks.filter_map(|(name, armed)| Some((armed.wake?, name.clone()))).min();
            let Some((wake, clock)) = next.filter(|(wake, _)| *wake <= end) else { break };
            self.now = wake.max(self.now);
            self.fire(&clock).unwrap_or_else(|refusal| panic!("{refusal}"));
            let told: Vec<&str> = self.event.told.iter().map(|told| told.text.as_str()).collect();
            log.push(format!("{clock}@{}: {}", self.clock_face(), told.join(" ")));
        }
        self.now = end.max(self.now);
        log
    }

    /// Another version of the calendar counts from now on: these days off, or other hours.
    pub(crate) fn calendar(&mut self, version: &str, off: &str, hours: &str) {
        let text = CALENDAR
            .replace("version: \"1\"", &format!("version: \"{version}\""))
            .replace("\"09:00-17:00\"", hours)
            .replace("notice: n }", &format!("notice: n, off: [{off}] }}"));
        self.calendar = Calendar::from_yaml(&text).unwrap();
    }

    /// `day hour:minute` of the present.
    pub(crate) fn clock_face(&self) -> String {
        let zoned = self.now.timestamp().to_zoned(self.calendar.zone().clone());
        zoned.strftime("%d %H:%M").to_string()
    }

    pub(crate) fn state(&self) -> &str {
        &self.instance.state
    }

    /// The trace field, where charts note the order of what is done.
    pub(crate) fn field(&self, name: &str) -> Value {
        self.instance.fields.get(name).cloned().unwrap_or_default()
    }

    /// What happened to clocks in the last event: `verb clock`.
    pub(crate) fn verbs(&self) -> Vec<String> {
        let word = |change: &fenliu::domain::event::ClockChange| {
            let verb = serde_json::to_value(change.change).unwrap();
            format!("{} {}", verb.as_str().unwrap(), change.clock)
        };
        self.event.clocks.iter().map(word).collect()
    }
}

/// Commands of the desk without input, as a block of the file.
pub(crate) fn commands(names: &str) -> String {
    let one =
        |name: &str| format!("  {name}: {{ title: {{ zh: 令, en: do }}, by: [desk.duty] }}\n");
    format!("commands:\n{}", names.split(' ').map(one).collect::<String>())
}

/// A chart of the desk: `trace` is a number to write marks into, `watch` a clock far away, and
/// `states` stand inside `open`, which holds both.
pub(crate) fn desk(names: &str, more: &str, initial: &str, states: &str) -> String {
    let states = states.replace('\n', "\n      ");
    format!(
        "fields:\n  trace: {{ type: number, initial: 0, title: {{ zh: 迹, en: trace }} }}\n{more}\n{}\
         clocks:\n  watch: {{ title: {{ zh: 望, en: watch }}, due: \"days(30)\", ladder: loud }}\n\
         initial: open\nstates:\n  open:\n    holder: desk\n    clocks: [watch]\n    \
         on: {{ clock.watch: {{}} }}\n    initial: {initial}\n    states:\n      {states}\n",
        commands(names)
    )
}

/// The marks written so far.
pub(crate) fn marks(bench: &Bench) -> i64 {
    bench.field("trace").as_int().unwrap()
}
