//! A workflow file as it is written: the shapes of YAML, each place remembered.
//!
//! Reading stops at the first thing that is no such shape; everything that has the right shape but
//! the wrong sense is found by [`mod@super::compile`], all at once.

mod spot;
mod values;

use schemars::JsonSchema;
use serde::Deserialize;

pub use spot::{OneOrMany, Spot, Table};
pub use values::{FieldDoc, InputDoc, Kind, Seal};

use crate::domain::Text;

/// A whole workflow file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its name, an identifier.
    pub workflow: Spot<String>,
    /// What people call it.
    pub title: Text,
    /// Bodies of the jurisdiction that the workflow names: desk, `emergency_office` …
    #[serde(default)]
    pub parties: Vec<Spot<String>>,
    /// When its messages are urgent although the tier is below larger: an expression.
    #[serde(default)]
    pub urgent: Option<Spot<String>>,
    /// Whether calls are read and matters learned from: then it must have what the router goes by.
    #[serde(default)]
    pub routing: Option<Spot<bool>>,
    /// What an instance knows.
    #[serde(default)]
    pub fields: Table<FieldDoc>,
    /// The command that opens an instance.
    pub start: StartDoc,
    /// What people may ask.
    #[serde(default)]
    pub commands: Table<CommandDoc>,
    /// What relatives may say.
    #[serde(default)]
    pub signals: Table<SignalDoc>,
    /// How many children of each workflow an instance may have.
    #[serde(default)]
    pub children: Table<ChildDoc>,
    /// Time limits.
    #[serde(default)]
    pub clocks: Table<ClockDoc>,
    /// Who is told when, as a clock runs.
    #[serde(default)]
    pub ladders: Table<Vec<StepDoc>>,
    /// What people are told.
    #[serde(default)]
    pub texts: Table<Text>,
    /// What people call the flat statuses.
    #[serde(default)]
    pub statuses: Table<Text>,
    /// The first of the outermost states.
    pub initial: Spot<String>,
    /// The outermost states.
    pub states: Table<StateDoc>,
    /// What must never happen.
    #[serde(default)]
    pub laws: Vec<LawDoc>,
}

/// The command that opens an instance.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartDoc {
    /// Its name.
    pub command: Spot<String>,
    /// What its button says.
    pub title: Text,
    /// Who may give it; `parent` for relatives.
    pub by: Vec<Spot<String>>,
    /// Its input.
    #[serde(default)]
    pub input: Table<InputDoc>,
    /// What must hold.
    #[serde(default)]
    pub require: Vec<RequireDoc>,
    /// Fields to set.
    #[serde(default)]
    pub set: Table<Spot<String>>,
    /// Whom to tell.
    #[serde(default)]
    pub tell: Vec<TellDoc>,
    /// Children to start.
    #[serde(default)]
    pub start: Vec<ChildStartDoc>,
    /// Signals to send.
    #[serde(default)]
    pub signal: Vec<SendDoc>,
}

/// A command.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandDoc {
    /// What its button says.
    pub title: Text,
    /// Who may give it.
    pub by: Vec<Spot<String>>,
    /// Its input.
    #[serde(default)]
    pub input: Table<InputDoc>,
    /// What must hold wherever it is given.
    #[serde(default)]
    pub require: Vec<RequireDoc>,
    /// Fields to set before the transition's own.
    #[serde(default)]
    pub set: Table<Spot<String>>,
    /// Whom to tell.
    #[serde(default)]
    pub tell: Vec<TellDoc>,
    /// Children to start.
    #[serde(default)]
    pub start: Vec<ChildStartDoc>,
    /// Signals to send.
    #[serde(default)]
    pub signal: Vec<SendDoc>,
}

/// A signal that relatives may send.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignalDoc {
    /// What it carries.
    pub input: Table<InputDoc>,
}

/// A bound on children.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChildDoc {
    /// How many may ever be started.
    pub at_most: i64,
}

/// Something that must hold, and what is said when it does not.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequireDoc {
    /// An expression.
    pub check: Spot<String>,
    /// What is said.
    #[serde(rename = "else")]
    pub otherwise: ReasonDoc,
}

/// A reason in words, with its code.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonDoc {
    /// Stable code.
    pub code: Spot<String>,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A clock.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockDoc {
    /// What people call it.
    pub title: Text,
    /// Where counting starts: an instant; the moment of arming if not given.
    #[serde(default)]
    pub from: Option<Spot<String>>,
    /// A limit or an instant.
    pub due: Spot<String>,
    /// The clock that stands still while this one runs.
    #[serde(default)]
    pub replaces: Option<Spot<String>>,
    /// The ladder.
    pub ladder: Spot<String>,
}

/// A step of a ladder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDoc {
    /// `50%`, `due`, `due + work('4h')`, `base + real('15m')`.
    #[serde(default)]
    pub at: Option<Spot<String>>,
    /// A cron expression, seconds first; last step only.
    #[serde(default)]
    pub every: Option<Spot<String>>,
    /// Whom to tell.
    #[serde(default)]
    pub tell: Vec<Spot<String>>,
    /// By which channels.
    #[serde(default)]
    pub via: Vec<Spot<String>>,
    /// What to tell.
    #[serde(default)]
    pub text: Option<Spot<String>>,
    /// A command without required input that whoever is told may give by link or reply.
    #[serde(default)]
    pub offer: Option<Spot<String>>,
    /// The step is skipped unless this holds.
    #[serde(default)]
    pub when: Option<Spot<String>>,
    /// Unless somebody acknowledges within this time, the next step comes then: `10m`.
    #[serde(default)]
    pub acknowledge_within: Option<Spot<String>>,
    /// How long an acknowledgement pauses the ladder: `1h`.
    #[serde(default)]
    pub hold: Option<Spot<String>>,
    /// A trigger for the chart: `clock.<clock>.<name>`.
    #[serde(default)]
    pub raise: Option<Spot<String>>,
}

/// A state.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateDoc {
    /// What people call it; its name if not given.
    #[serde(default)]
    pub title: Option<Text>,
    /// Who is responsible: a party or a field of type unit.
    #[serde(default)]
    pub holder: Option<Spot<String>>,
    /// The flat status.
    #[serde(default)]
    pub status: Option<StatusDoc>,
    /// Clocks armed on entry and ended on leaving.
    #[serde(default)]
    pub clocks: Vec<Spot<String>>,
    /// Clocks that stand still while the state is active.
    #[serde(default)]
    pub suspends: Vec<Spot<String>>,
    /// Done on entering.
    #[serde(default)]
    pub entry: EffectsDoc,
    /// Done on leaving.
    #[serde(default)]
    pub exit: EffectsDoc,
    /// Transitions by trigger.
    #[serde(default)]
    pub on: Table<OneOrMany<TransitionDoc>>,
    /// Transitions that need no trigger.
    #[serde(default)]
    pub always: Vec<TransitionDoc>,
    /// The first child of a composite.
    #[serde(default)]
    pub initial: Option<Spot<String>>,
    /// Children of a composite.
    #[serde(default)]
    pub states: Table<StateDoc>,
    /// Accepts nothing any more.
    #[serde(rename = "final", default)]
    pub ends: bool,
    /// Closed, but still accepts what it lists.
    #[serde(default)]
    pub rest: bool,
}

/// A flat status, fixed or chosen.
#[derive(Debug, Clone)]
pub enum StatusDoc {
    /// Always this one.
    Fixed(Spot<String>),
    /// One of two.
    Choice(ChoiceDoc),
}

/// A status chosen by an expression.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChoiceDoc {
    /// The expression.
    #[serde(rename = "if")]
    pub condition: Spot<String>,
    /// The status when it holds.
    pub then: Spot<String>,
    /// The status when it does not.
    #[serde(rename = "else")]
    pub otherwise: Spot<String>,
}

/// A transition.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransitionDoc {
    /// Where it leads; nowhere (nothing is left or entered) if not given.
    #[serde(default)]
    pub to: Option<Spot<String>>,
    /// Chooses: if it does not hold the next transition is tried.
    #[serde(default)]
    pub when: Option<Spot<String>>,
    /// Refuses: what must hold.
    #[serde(default)]
    pub require: Vec<RequireDoc>,
    /// Why the instance ends.
    #[serde(default)]
    pub outcome: Option<Spot<String>>,
    /// Fields to set.
    #[serde(default)]
    pub set: Table<Spot<String>>,
    /// Clocks to count again.
    #[serde(default)]
    pub rearm: Vec<Spot<String>>,
    /// Clocks to end before their scope is left.
    #[serde(default)]
    pub stop: Vec<Spot<String>>,
    /// Whom to tell.
    #[serde(default)]
    pub tell: Vec<TellDoc>,
    /// Children to start.
    #[serde(default)]
    pub start: Vec<ChildStartDoc>,
    /// Signals to send.
    #[serde(default)]
    pub signal: Vec<SendDoc>,
}

/// What is done on entering or leaving a state.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EffectsDoc {
    /// Fields to set.
    pub set: Table<Spot<String>>,
    /// Clocks to count again.
    pub rearm: Vec<Spot<String>>,
    /// Clocks to end before their scope is left.
    pub stop: Vec<Spot<String>>,
    /// Whom to tell.
    pub tell: Vec<TellDoc>,
    /// Children to start.
    pub start: Vec<ChildStartDoc>,
    /// Signals to send.
    pub signal: Vec<SendDoc>,
}

/// An alert.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TellDoc {
    /// Whom: `party.role` or `field.role`.
    pub to: Vec<Spot<String>>,
    /// By which channels.
    pub via: Vec<Spot<String>>,
    /// What.
    pub text: Spot<String>,
    /// A command without required input that whoever is told may give by link or reply.
    #[serde(default)]
    pub offer: Option<Spot<String>>,
    /// Only if this holds.
    #[serde(default)]
    pub when: Option<Spot<String>>,
}

/// A child to start.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChildStartDoc {
    /// Of which workflow.
    pub workflow: Spot<String>,
    /// Only if this holds.
    #[serde(default)]
    pub when: Option<Spot<String>>,
    /// One child for each member of this set.
    #[serde(default)]
    pub each: Option<Spot<String>>,
    /// The input of its start command.
    #[serde(default)]
    pub with: Table<Spot<String>>,
}

/// A signal to send.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendDoc {
    /// `parent`, `children` or `children.<workflow>`.
    pub to: Spot<String>,
    /// Its name.
    pub name: Spot<String>,
    /// Only if this holds.
    #[serde(default)]
    pub when: Option<Spot<String>>,
    /// What it carries.
    #[serde(default)]
    pub with: Table<Spot<String>>,
}

/// A law.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LawDoc {
    /// Its name.
    pub id: Spot<String>,
    /// In words.
    pub title: Text,
    /// What must never happen.
    pub never: NeverDoc,
}

/// A command that must never be accepted while an expression holds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeverDoc {
    /// The command.
    pub command: Spot<String>,
    /// The expression.
    pub when: Spot<String>,
}

fn yes() -> bool {
    true
}
