//! Who acts: a person with roles in units, a clock, or a relative (another instance of the family).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{InstanceId, MessageId, PersonId};
use super::instant::Instant;
use super::text::Text;

/// What a person is in a unit. The words are the product's; which unit plays 110 desk, emergency
/// office or county government is the jurisdiction's data (its *bodies*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes calls at the 110 desk.
    Dispatcher,
    /// Leads a shift of the 110 desk.
    ShiftLeader,
    /// The dedicated liaison officer of a unit or sub-unit (plan, four (2) and four (4)).
    Liaison,
    /// The leader in charge of a unit; in the county government, the responsible county leader.
    Leader,
    /// On duty in the emergency office.
    Duty,
    /// Directs the emergency office and signs its rulings.
    Director,
    /// Reads everything, changes nothing.
    Auditor,
    /// Keeps units, people, calendars, tokens; sees no content.
    Administrator,
    /// Writes and publishes workflow definitions.
    Editor,
}

impl Role {
    /// Every role, in the order above.
    pub const ALL: [Self; 9] = [
        Self::Dispatcher,
        Self::ShiftLeader,
        Self::Liaison,
        Self::Leader,
        Self::Duty,
        Self::Director,
        Self::Auditor,
        Self::Administrator,
        Self::Editor,
    ];

    /// The role's code, as written in workflows and in the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Dispatcher => "dispatcher",
            Self::ShiftLeader => "shift_leader",
            Self::Liaison => "liaison",
            Self::Leader => "leader",
            Self::Duty => "duty",
            Self::Director => "director",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
            Self::Editor => "editor",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(self) -> Text {
        match self {
            Self::Dispatcher => Text::new("接警员", "dispatcher"),
            Self::ShiftLeader => Text::new("值班长", "shift leader"),
            Self::Liaison => Text::new("联络员", "liaison"),
            Self::Leader => Text::new("分管负责人", "leader in charge"),
            Self::Duty => Text::new("值班员", "duty officer"),
            Self::Director => Text::new("主任", "director"),
            Self::Auditor => Text::new("审计员", "auditor"),
            Self::Administrator => Text::new("管理员", "administrator"),
            Self::Editor => Text::new("流程编辑", "editor"),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.code() == code).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|role| role.code()).collect();
            format!("no role `{code}`; roles are {}", known.join(", "))
        })
    }
}

/// One role in one unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// What the person is …
    pub role: Role,
    /// … and where: a unit's code.
    pub unit: String,
}

/// One role in one unit for a time: an appointment that begins or ends on its day without anybody
/// having to remember it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// What the person is …
    pub role: Role,
    /// … where: a unit's code …
    pub unit: String,
    /// … from when on; none: from the beginning …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// … and until before when; none: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

impl Term {
    /// Whether it is in force.
    #[must_use]
    pub fn holds(&self, now: Instant) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }

    /// The grant that it gives while it is in force.
    #[must_use]
    pub fn grant(&self) -> Grant {
        Grant { role: self.role, unit: self.unit.clone() }
    }

    /// The next instant after `now` at which it begins or ends.
    #[must_use]
    pub fn turns(&self, now: Instant) -> Option<Instant> {
        [self.from, self.until].into_iter().flatten().filter(|at| *at > now).min()
    }
}

/// What a token is narrowed to, beneath what its person may. Empty lists narrow nothing; a token without
/// strong roles is narrowed by that alone to what its person may before showing a second factor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// Acts of the policy table, by their words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<String>,
    /// Units whose grants count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// Whether roles count that wait for a second factor in a session. Who made the token had shown one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strong: bool,
}

impl Scope {
    /// Whether it narrows anything.
    #[must_use]
    pub fn narrows(&self) -> bool {
        !self.acts.is_empty() || !self.units.is_empty()
    }
}

/// By which token somebody asks: recorded with what is done by it, so that it is seen who had it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// The token's id.
    pub token: i64,
    /// What it is narrowed to; not recorded, as grants are not.
    #[serde(skip)]
    pub scope: Scope,
    /// Until when it is good; neither.
    #[serde(skip)]
    pub until: Option<Instant>,
}

/// Through which door somebody answers a message, who is known by nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The link in it: whoever has it.
    Link,
    /// An SMS from the person's number, which can be forged.
    Sms,
}

/// By which message somebody acts, and how: recorded with what is done, so that it can be told later
/// from what was done in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answering {
    /// How.
    pub door: Door,
    /// The message.
    pub message: MessageId,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Actor {
    /// A person or a unit's own system, known by a token.
    Person {
        /// Who.
        id: PersonId,
        /// Every role in every unit; not recorded in events, where the person's id and the unit
        /// acted for stand instead.
        #[serde(skip)]
        grants: Vec<Grant>,
        /// By which token, if not in a session, by a link or a reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<Via>,
        /// In answer to which message, if by its link or a reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answering: Option<Answering>,
    },
    /// A clock of the instance itself.
    Clock,
    /// Another instance of the same family.
    Relative {
        /// Which.
        id: InstanceId,
    },
    /// The service on its own account: periodic jobs, repairs.
    System,
}

impl Actor {
    /// A person that acts itself.
    #[must_use]
    pub fn person(id: PersonId, grants: Vec<Grant>) -> Self {
        Self::Person { id, grants, via: None, answering: None }
    }

    /// The same person, who answers a message.
    #[must_use]
    pub fn answering(self, door: Door, message: MessageId) -> Self {
        match self {
            Self::Person { id, grants, via, .. } => {
                let answering = Some(Answering { door, message });
                Self::Person { id, grants, via, answering }
            }
            other => other,
        }
    }

    /// The message that the actor answers.
    #[must_use]
    pub fn answers(&self) -> Option<Answering> {
        if let Self::Person { answering, .. } = self { *answering } else { None }
    }

    /// The same person with other grants.
    #[must_use]
    pub fn with(&self, grants: Vec<Grant>) -> Self {
        match self {
            Self::Person { id, via, answering, .. } => {
                Self::Person { id: *id, grants, via: via.clone(), answering: *answering }
            }
            other => other.clone(),
        }
    }

    /// The token by which the actor asks.
    #[must_use]
    pub fn via(&self) -> Option<&Via> {
        if let Self::Person { via, .. } = self { via.as_ref() } else { None }
    }

    /// Whether the actor has `role` in `unit`.
    #[must_use]
    pub fn is(&self, role: Role, unit: &str) -> bool {
        self.grants().iter().any(|grant| grant.role == role && grant.unit == unit)
    }

    /// The actor's grants; none for clocks and relatives.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        if let Self::Person { grants, .. } = self { grants } else { &[] }
    }

    /// A short stable name for logs and the `actor` column: `person:7`, `clock`, `instance:12`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Person { id, .. } => format!("person:{id}"),
            Self::Clock => "clock".to_owned(),
            Self::Relative { id } => format!("instance:{id}"),
            Self::System => "system".to_owned(),
        }
    }
}
