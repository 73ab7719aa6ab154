//! The table itself, as data.

use crate::domain::Role;

/// What somebody may want to do or see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// See matters: how they stand, their clocks, children, history, who was told.
    SeeMatter,
    /// Read what a matter is, in the caller's words.
    SeeContent,
    /// Read who called.
    SeeCaller,
    /// Have it shown who called, for a purpose that is recorded.
    RevealCaller,
    /// Put right what is kept of who called, for a reason that is recorded.
    CorrectCaller,
    /// Erase who called, for a reason that is recorded.
    EraseCaller,
    /// Open matters.
    Open,
    /// Give commands to matters, as far as the workflow's `by` goes.
    Command,
    /// Say that something happened earlier than it was recorded.
    Backdate,
    /// Read messages that were sent, besides those about matters that one sees.
    SeeMessages,
    /// Acknowledge messages.
    AnswerMessage,
    /// Read units, people, categories, calendars, definitions, rosters.
    ReadDirectory,
    /// Change units, people, categories.
    WriteDirectory,
    /// Keep the addresses, rules and mutes of people.
    KeepContacts,
    /// Write duty rosters and stand-ins, decide on swaps.
    WriteRosters,
    /// Swap shifts, write handover notes.
    TakeDuty,
    /// Read what shifts leave to the next ones: it may be about matters.
    ReadHandovers,
    /// Subscribe systems to the matters of units, which are shown them from then on.
    Subscribe,
    /// See which systems are told of the matters of units, and stop it.
    EndSubscriptions,
    /// Write what can be answered on the spot.
    KeepAnswers,
    /// Decide what the router learns: withdraw precedents, take changes of the catalogue that rulings
    /// propose.
    TeachRouting,
    /// Look at texts of messages before they are sent.
    PreviewTexts,
    /// Publish workflow definitions.
    Publish,
    /// Load calendars.
    WriteCalendar,
    /// See what others propose, and approve what one might do oneself.
    Approve,
    /// Make and revoke tokens.
    IssueTokens,
    /// Give accounts to people and take them away; never their passwords.
    KeepAccounts,
    /// See how the house runs: operator alarms, metrics, channels, the audit log, checkpoints.
    SeeOperation,
    /// Clear operator alarms, send messages once more.
    Operate,
}

/// Every act, in the order above.
pub const ACTS: [Act; 29] = [
    Act::SeeMatter,
    Act::SeeContent,
    Act::SeeCaller,
    Act::RevealCaller,
    Act::CorrectCaller,
    Act::EraseCaller,
    Act::Open,
    Act::Command,
    Act::Backdate,
    Act::SeeMessages,
    Act::AnswerMessage,
    Act::ReadDirectory,
    Act::WriteDirectory,
    Act::KeepContacts,
    Act::WriteRosters,
    Act::TakeDuty,
    Act::ReadHandovers,
    Act::Subscribe,
    Act::EndSubscriptions,
    Act::KeepAnswers,
    Act::TeachRouting,
    Act::PreviewTexts,
    Act::Publish,
    Act::WriteCalendar,
    Act::Approve,
    Act::IssueTokens,
    Act::KeepAccounts,
    Act::SeeOperation,
    Act::Operate,
];

impl Act {
    /// Its word in the API and in the matrix: `see_matter`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SeeMatter => "see_matter",
            Self::SeeContent => "see_content",
            Self::SeeCaller => "see_caller",
            Self::RevealCaller => "reveal_caller",
            Self::CorrectCaller => "correct_caller",
            Self::EraseCaller => "erase_caller",
            Self::Open => "open",
            Self::Command => "command",
            Self::Backdate => "backdate",
            Self::SeeMessages => "see_messages",
            Self::AnswerMessage => "answer_message",
            Self::ReadDirectory => "read_directory",
            Self::WriteDirectory => "write_directory",
            Self::KeepContacts => "keep_contacts",
            Self::WriteRosters => "write_rosters",
            Self::TakeDuty => "take_duty",
            Self::ReadHandovers => "read_handovers",
            Self::Subscribe => "subscribe",
            Self::EndSubscriptions => "end_subscriptions",
            Self::KeepAnswers => "keep_answers",
            Self::TeachRouting => "teach_routing",
            Self::PreviewTexts => "preview_texts",
            Self::Publish => "publish",
            Self::WriteCalendar => "write_calendar",
            Self::Approve => "approve",
            Self::IssueTokens => "issue_tokens",
            Self::KeepAccounts => "keep_accounts",
            Self::SeeOperation => "see_operation",
            Self::Operate => "operate",
        }
    }

    /// The act of a word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        ACTS.into_iter().find(|act| act.code() == code)
    }
}

/// How somebody stands to a thing. One may stand in several relations to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It is the person's own: its message, address, shift.
    Own,
    /// The person's unit holds the matter, or works on it as a sub-unit of the holder.
    Holder,
    /// The person's unit takes part in the matter now.
    Party,
    /// The workflow's commands are for the person's role in a body.
    Post,
    /// The matter names the person's unit, also without letting it see: a former unit may still be
    /// asked for something.
    Named,
    /// The person's unit took part in the matter: it sees its own segment.
    Former,
    /// The thing, no matter, belongs to the person's unit.
    Unit,
    /// None of these: anything else in the jurisdiction, and what is about no thing at all.
    Other,
}

/// Every relation, in the order above.
pub const RELATIONS: [Relation; 8] = [
    Relation::Own,
    Relation::Holder,
    Relation::Party,
    Relation::Post,
    Relation::Named,
    Relation::Former,
    Relation::Unit,
    Relation::Other,
];

impl Relation {
    /// Its word in the matrix.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Holder => "holder",
            Self::Party => "party",
            Self::Post => "post",
            Self::Named => "named",
            Self::Former => "former",
            Self::Unit => "unit",
            Self::Other => "other",
        }
    }
}

/// The relations in which an act is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach(&'static [Relation]);

impl Reach {
    /// Whether the act is allowed in a relation.
    #[must_use]
    pub fn includes(self, relation: Relation) -> bool {
        self.0.contains(&relation)
    }

    /// Whether it is allowed in none.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self.0.is_empty()
    }
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// A role.
    Role(Role),
    /// A leader of the county government: what a leader may, and this.
    CountyLeader,
    /// A unit's own system that is told by HTTP.
    System,
}

/// Every column, in the order of the table.
pub const COLUMNS: [Column; 11] = [
    Column::Role(Role::Dispatcher),
    Column::Role(Role::ShiftLeader),
    Column::Role(Role::Liaison),
    Column::Role(Role::Leader),
    Column::CountyLeader,
    Column::Role(Role::Duty),
    Column::Role(Role::Director),
    Column::Role(Role::Auditor),
    Column::Role(Role::Administrator),
    Column::Role(Role::Editor),
    Column::System,
];

impl Column {
    /// Its word in the matrix.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Role(role) => role.code(),
            Self::CountyLeader => "county_leader",
            Self::System => "webhook",
        }
    }
}

/// Never.
const NO: Reach = Reach(&[]);
/// On anything in the jurisdiction.
const ALL: Reach = Reach(&RELATIONS);
/// On what is the person's own.
const OWN: Reach = Reach(&[Relation::Own]);
/// On matters that the unit holds.
const HELD: Reach = Reach(&[Relation::Holder]);
/// On matters that the unit takes part in.
const PART: Reach = Reach(&[Relation::Holder, Relation::Party]);
/// On those, on those of the person's post, and on the unit's own segment of former ones.
const SEEN: Reach = Reach(&[Relation::Holder, Relation::Party, Relation::Post, Relation::Former]);
/// On matters that name the unit or are for the person's post.
const ASKED: Reach = Reach(&[Relation::Holder, Relation::Party, Relation::Post, Relation::Named]);
/// On things of the unit.
const UNIT: Reach = Reach(&[Relation::Unit]);

/// The table (domain book 4.10). One line for each act, in the order of [`ACTS`]; its cells in the
/// order of [`COLUMNS`].
#[rustfmt::skip]
const TABLE: [(Act, [Reach; COLUMNS.len()]); ACTS.len()] = [
//                        dispa shift liais leadr count duty  direc audit admin editr hook
    (Act::SeeMatter,      [ALL,  ALL,  SEEN, SEEN, ALL,  ALL,  ALL,  ALL,  NO,   NO,   PART]),
    (Act::SeeContent,     [ALL,  ALL,  HELD, HELD, ALL,  ALL,  ALL,  ALL,  NO,   NO,   NO]),
    (Act::SeeCaller,      [ALL,  ALL,  HELD, HELD, HELD, NO,   NO,   NO,   NO,   NO,   NO]),
    (Act::RevealCaller,   [NO,   NO,   NO,   NO,   ALL,  ALL,  ALL,  NO,   NO,   NO,   NO]),
    (Act::CorrectCaller,  [ALL,  ALL,  NO,   NO,   NO,   NO,   ALL,  NO,   NO,   NO,   NO]),
    (Act::EraseCaller,    [NO,   ALL,  NO,   NO,   NO,   NO,   ALL,  NO,   NO,   NO,   NO]),
    (Act::Open,           [ALL,  ALL,  ALL,  ALL,  ALL,  ALL,  ALL,  NO,   NO,   NO,   NO]),
    (Act::Command,        [ALL,  ALL,  ASKED,ASKED,ALL,  ALL,  ALL,  NO,   NO,   NO,   NO]),
    (Act::Backdate,       [ALL,  ALL,  NO,   NO,   NO,   ALL,  ALL,  NO,   NO,   NO,   NO]),
    (Act::SeeMessages,    [ALL,  ALL,  OWN,  OWN,  ALL,  ALL,  ALL,  ALL,  OWN,  OWN,  NO]),
    (Act::AnswerMessage,  [OWN,  OWN,  OWN,  OWN,  OWN,  OWN,  OWN,  OWN,  OWN,  OWN,  NO]),
    (Act::ReadDirectory,  [ALL,  ALL,  ALL,  ALL,  ALL,  ALL,  ALL,  ALL,  ALL,  ALL,  NO]),
    (Act::WriteDirectory, [NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   ALL,  NO,   NO]),
    (Act::KeepContacts,   [OWN,  OWN,  OWN,  OWN,  OWN,  OWN,  OWN,  OWN,  ALL,  OWN,  NO]),
    (Act::WriteRosters,   [NO,   NO,   NO,   NO,   NO,   NO,   ALL,  NO,   ALL,  NO,   NO]),
    (Act::TakeDuty,       [OWN,  OWN,  OWN,  OWN,  OWN,  OWN,  ALL,  OWN,  ALL,  OWN,  NO]),
    (Act::ReadHandovers,  [ALL,  ALL,  OWN,  OWN,  ALL,  ALL,  ALL,  ALL,  OWN,  OWN,  NO]),
    (Act::Subscribe,      [UNIT, UNIT, UNIT, UNIT, UNIT, UNIT, UNIT, NO,   NO,   NO,   NO]),
    (Act::EndSubscriptions,[UNIT,UNIT, UNIT, UNIT, UNIT, UNIT, UNIT, NO,   ALL,  NO,   NO]),
    (Act::KeepAnswers,    [NO,   ALL,  UNIT, UNIT, UNIT, ALL,  ALL,  NO,   ALL,  NO,   NO]),
    (Act::TeachRouting,   [NO,   NO,   NO,   NO,   NO,   ALL,  ALL,  NO,   NO,   NO,   NO]),
    (Act::PreviewTexts,   [NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   ALL,  ALL,  NO]),
    (Act::Publish,        [NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   ALL,  NO]),
    (Act::WriteCalendar,  [NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   ALL,  NO,   NO]),
    (Act::Approve,        [NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   ALL,  ALL,  NO]),
    (Act::IssueTokens,    [NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   ALL,  NO,   NO]),
    (Act::KeepAccounts,   [NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   ALL,  NO,   NO]),
    (Act::SeeOperation,   [NO,   NO,   NO,   NO,   NO,   ALL,  ALL,  ALL,  ALL,  NO,   NO]),
    (Act::Operate,        [NO,   NO,   NO,   NO,   NO,   ALL,  ALL,  NO,   ALL,  NO,   NO]),
];

/// A cell of the table.
#[must_use]
pub fn reach(column: Column, act: Act) -> Reach {
    let place = COLUMNS.iter().position(|one| *one == column);
    let line = TABLE.iter().find(|(one, _)| *one == act);
    let cell = line.and_then(|(_, cells)| cells.get(place?));
    cell.copied().unwrap_or(NO)
}
