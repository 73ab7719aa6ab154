//! Workflow definitions: YAML → document → checked chart → statig.
//!
//! A [`Chart`] is a workflow that was found sound: every name resolved, every expression typed.
//! It is immutable and shared; the engine runs it, [`machine`] lets statig walk its states.

pub mod check;
pub mod compile;
pub mod diagram;
pub mod document;
pub mod expression;
pub mod finding;
pub mod machine;
pub mod names;
mod parties;
pub mod routed;
pub mod schema;
mod written;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use compile::{compile, recall};
pub use document::{Kind, Seal};
pub use finding::{Finding, Severity};

use crate::calendar::{Limit, cron::Cron};
use crate::domain::{Role, Text, Value};
use expression::{Expression, Type};

/// At most so many states: more is no longer readable by an official.
pub const STATES_MAX: usize = 256;

/// A checked workflow.
#[derive(Debug)]
pub struct Chart {
    /// Its name.
    pub workflow: String,
    /// What people call it.
    pub title: Text,
    /// Fields by name.
    pub fields: BTreeMap<String, Field>,
    /// The field that says how urgent an instance is.
    pub tier_field: Option<String>,
    /// When its messages are urgent although the tier is below larger.
    pub urgent: Option<Expression>,
    /// The command that opens an instance.
    pub start: CommandSpec,
    /// Commands by name.
    pub commands: BTreeMap<String, CommandSpec>,
    /// Signals by name.
    pub signals: BTreeMap<String, Vec<Input>>,
    /// How many children of each workflow there may be.
    pub children: BTreeMap<String, i64>,
    /// Clocks by name.
    pub clocks: BTreeMap<String, ClockSpec>,
    /// Texts by name.
    pub texts: BTreeMap<String, Text>,
    /// What people call the flat statuses, as far as the file says it.
    pub statuses: BTreeMap<String, Text>,
    /// States, every parent before its children, in the order of the file.
    pub nodes: Vec<Node>,
    /// The leaf where an instance begins.
    pub initial: usize,
    /// Laws.
    pub laws: Vec<Law>,
}

/// A field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its type.
    pub ty: Type,
    /// The kind it was declared as.
    pub kind: Kind,
    /// What people call it.
    pub title: Text,
    /// The titles of an enum's codes, in order.
    pub of: Vec<(String, Text)>,
    /// The value at the start.
    pub initial: Value,
    /// Whether it may be unset.
    pub optional: bool,
    /// The bound of a count or set.
    pub at_most: Option<i64>,
    /// Whether lists show it.
    pub shown: bool,
    /// Whether the units that stand in it see the instance.
    pub sees: bool,
    /// Whom it leaves the caller's identity to while it is set.
    pub seals: Option<Seal>,
}

/// An input of a command or signal.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// The kind it was declared as.
    pub kind: Kind,
    /// What people call it.
    pub title: Text,
    /// The titles of an enum's codes, in order.
    pub of: Vec<(String, Text)>,
    /// Whether it may be left out.
    pub optional: bool,
    /// Shortest text or smallest number.
    pub min: Option<i64>,
    /// Longest text, greatest number or largest set.
    pub max: Option<i64>,
    /// A caller's personal data.
    pub personal: bool,
    /// Personal, and says what the matter is, not who the caller is.
    pub content: bool,
    /// Only active units that are no bodies.
    pub linked: bool,
    /// A matter that has ended will do, too.
    pub ended: bool,
}

/// A command, also the opening one.
#[derive(Debug)]
pub struct CommandSpec {
    /// Its name.
    pub name: String,
    /// What its button says.
    pub title: Text,
    /// Which people may give it.
    pub by: Vec<Selector>,
    /// Whether a relative may give it (start commands only).
    pub by_parent: bool,
    /// Its input.
    pub input: Vec<Input>,
    /// What must hold.
    pub require: Vec<Require>,
    /// What it does before the transition's own effects.
    pub effects: Effects,
}

/// A role in a unit that is named by a party or by a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// Which unit.
    pub party: Party,
    /// Which role in it.
    pub role: Role,
}

/// Who plays a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// A body of the jurisdiction.
    Body(String),
    /// The unit that a field names; all of them where the field holds a set.
    Field(String),
    /// The unit that an input of the opening command names.
    Input(String),
}

/// A condition with the sentence for when it does not hold.
#[derive(Debug)]
pub struct Require {
    /// The condition.
    pub check: Expression,
    /// Its code.
    pub code: String,
    /// What is said.
    pub text: Text,
}

/// What is done at one moment.
#[derive(Debug, Default)]
pub struct Effects {
    /// Fields to set; None clears.
    pub set: Vec<(String, Option<Expression>)>,
    /// Clocks to count again.
    pub rearm: Vec<String>,
    /// Clocks to end.
    pub stop: Vec<String>,
    /// Whom to tell.
    pub tell: Vec<Tell>,
    /// Children to start.
    pub start: Vec<ChildStart>,
    /// Signals to send.
    pub signal: Vec<Send>,
}

/// An alert.
#[derive(Debug)]
pub struct Tell {
    /// Whom.
    pub to: Vec<Selector>,
    /// By which channels.
    pub via: Vec<String>,
    /// The name of the text.
    pub text: String,
    /// The command that may be given in answer.
    pub offer: Option<String>,
    /// Only if this holds.
    pub when: Option<Expression>,
}

/// A child to start.
#[derive(Debug)]
pub struct ChildStart {
    /// Of which workflow.
    pub workflow: String,
    /// Only if this holds.
    pub when: Option<Expression>,
    /// One for each member.
    pub each: Option<Expression>,
    /// Its input.
    pub with: Vec<(String, Expression)>,
}

/// A signal to send.
#[derive(Debug)]
pub struct Send {
    /// `parent`, `children` or `children.<workflow>`.
    pub to: String,
    /// Its name.
    pub name: String,
    /// Only if this holds.
    pub when: Option<Expression>,
    /// What it carries.
    pub with: Vec<(String, Expression)>,
}

/// A clock.
#[derive(Debug)]
pub struct ClockSpec {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: Text,
    /// Where counting starts.
    pub from: Option<Expression>,
    /// A limit or an instant.
    pub due: Expression,
    /// The clock that stands still meanwhile.
    pub replaces: Option<String>,
    /// Its ladder's steps that have an instant.
    pub steps: Vec<Step>,
    /// Repetitions for a case (`when`), in order, before the one for every other.
    pub every_when: Vec<Step>,
    /// The repetition at the end.
    pub every: Option<Step>,
}

/// A step of a ladder.
#[derive(Debug)]
pub struct Step {
    /// When.
    pub at: Moment,
    /// Whom to tell.
    pub tell: Vec<Selector>,
    /// By which channels.
    pub via: Vec<String>,
    /// The name of the text.
    pub text: Option<String>,
    /// The command that may be given in answer.
    pub offer: Option<String>,
    /// Skipped unless this holds.
    pub when: Option<Expression>,
    /// Milliseconds to acknowledge in.
    pub acknowledge_within: Option<i64>,
    /// Milliseconds that an acknowledgement pauses the ladder.
    pub hold: i64,
    /// A trigger for the chart.
    pub raise: Option<String>,
}

/// When a ladder step comes.
#[derive(Debug)]
pub enum Moment {
    /// Percent of the working time between base and due.
    Percent(i64),
    /// At the due instant.
    Due,
    /// A limit after the due instant.
    AfterDue(Limit),
    /// A limit before the due instant.
    BeforeDue(Limit),
    /// A limit after the base.
    AfterBase(Limit),
    /// Again and again.
    Every(Box<Cron>),
}

/// A state.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its full path, `open.with_unit.routed`.
    pub path: String,
    /// The numbers of its ancestors from the outermost to itself.
    pub lineage: Arc<[usize]>,
    /// What people call it.
    pub title: Text,
    /// What it is.
    pub shape: Shape,
    /// Who is responsible, inherited where it names nobody itself.
    pub holder: Option<Party>,
    /// Its flat status, inherited where it names none itself.
    pub status: Status,
    /// The status of the nearest ancestor that names another one.
    pub stage: Option<Status>,
    /// Clocks it arms.
    pub clocks: Vec<String>,
    /// Clocks it freezes.
    pub suspends: Vec<String>,
    /// Done on entering.
    pub entry: Effects,
    /// Done on leaving.
    pub exit: Effects,
    /// Transitions by trigger.
    pub on: BTreeMap<String, Vec<Transition>>,
    /// Transitions without trigger.
    pub always: Vec<Transition>,
}

impl Node {
    /// The number of the state that contains this one.
    #[must_use]
    pub fn parent(&self) -> Option<usize> {
        self.lineage.len().checked_sub(2).and_then(|index| self.lineage.get(index).copied())
    }

    /// How deep it lies; 1 for the outermost states.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.lineage.len()
    }
}

/// What a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Contains others; its initial leaf.
    Composite(usize),
    /// Somebody must act.
    Waiting,
    /// Closed, yet accepts what it lists.
    Rest,
    /// Ended.
    Final,
}

/// A flat status.
#[derive(Debug, Clone)]
pub enum Status {
    /// Always this one.
    Fixed(String),
    /// The first if the expression holds, else the second.
    Choice(Arc<Expression>, String, String),
}

/// A transition.
#[derive(Debug)]
pub struct Transition {
    /// Chooses.
    pub when: Option<Expression>,
    /// Refuses.
    pub require: Vec<Require>,
    /// The leaf it leads to and the domain it stays in (None: leaves everything).
    pub target: Option<Target>,
    /// What it does.
    pub effects: Effects,
    /// Why the instance ends.
    pub outcome: Option<String>,
}

/// Where a transition leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The leaf.
    pub leaf: usize,
    /// The state as written, the leaf itself or a composite above it.
    pub state: usize,
    /// How many outermost ancestors of the leaf are not left.
    pub kept: usize,
}

/// A law.
#[derive(Debug)]
pub struct Law {
    /// Its name.
    pub id: String,
    /// In words.
    pub title: Text,
    /// The command …
    pub command: String,
    /// … that must never be accepted while this holds.
    pub when: Expression,
}

impl Chart {
    /// The number of the state with a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.path == path)
    }

    /// The state of a number.
    #[must_use]
    pub fn node(&self, number: usize) -> Option<&Node> {
        self.nodes.get(number)
    }

    /// The flat statuses that instances can have: a state that only holds others may have none.
    pub fn flat_statuses(&self) -> impl Iterator<Item = &str> {
        let all = self.nodes.iter().flat_map(|node| match &node.status {
            Status::Fixed(status) => vec![status.as_str()],
            Status::Choice(_, then, other) => vec![then.as_str(), other.as_str()],
        });
        all.filter(|status| !status.is_empty())
    }

    /// The states from the innermost outwards that are active when `leaf` is.
    pub fn active(&self, leaf: usize) -> impl Iterator<Item = &Node> {
        let lineage = self.nodes.get(leaf).map(|node| &*node.lineage).unwrap_or_default();
        lineage.iter().rev().filter_map(|&number| self.nodes.get(number))
    }

    /// The command of a name, the opening one included.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<&CommandSpec> {
        if self.start.name == name { Some(&self.start) } else { self.commands.get(name) }
    }
}
