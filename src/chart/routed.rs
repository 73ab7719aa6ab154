//! What the router goes by in a workflow that is marked `routing: true`: the names of its fields and
//! inputs, in one place. The check of a definition holds them, the gate reads them.

use super::document::Kind;

/// The workflow whose matters are learned from.
pub const WORKFLOW: &str = "referral";

/// Fields.
pub const CATEGORY: &str = "category";
/// Where it is, to the township or road; the input of the call, too.
pub const PLACE: &str = "place";
/// Who has it; the input of what gives it to a unit, too.
pub const UNIT: &str = "unit";
/// Who had it first.
pub const FIRST_UNIT: &str = "first_unit";
/// When its unit accepted it …
pub const ACCEPTED: &str = "accepted_at";
/// … or let the time for returning it lapse.
pub const DEEMED: &str = "deemed_at";
/// Who returned it.
pub const RETURNED: &str = "returned_by";
/// How the last return went.
pub const LAST_RETURN: &str = "last_return";
/// The values of that field.
pub const PENDING: &str = "pending";
/// The desk was wrong.
pub const UPHELD: &str = "upheld";
/// The unit was wrong.
pub const REJECTED: &str = "rejected";
/// Whether it was ruled to its unit.
pub const RULED: &str = "ruled";
/// Whether the police keep it.
pub const KEPT: &str = "police_kept";
/// How many called about it after the first.
pub const REPEATS: &str = "repeat_calls";
/// The matter that it was merged into: the field, and the outcome.
pub const MERGED: &str = "merged_into";

/// Inputs of a call: what the caller says …
pub const SAID: &str = "text";
/// … from which number …
pub const PHONE: &str = "caller_phone";
/// … what the caller answered to the questions of the category …
pub const ANSWERS: &str = "answers";
/// … which system handed it in …
pub const SOURCE: &str = "source";
/// … and what the service fills in: the guard's verdict …
pub const GUARD: &str = "guard";
/// … the suggestion in words …
pub const SUGGESTION: &str = "suggestion";
/// … and the category under which the police would have it.
pub const KEPT_CATEGORY: &str = "kept_category";

/// Inputs of what rules a matter to a unit: why, and whether it is a precedent …
pub const REASON: &str = "reason";
/// Whether it is one.
pub const PRECEDENT: &str = "precedent";
/// … in which township …
pub const PRECEDENT_TERRITORY: &str = "precedent_territory";
/// … from which day on …
pub const PRECEDENT_FROM: &str = "precedent_from";
/// … and until which day.
pub const PRECEDENT_UNTIL: &str = "precedent_until";

/// The input of a return that names a clause.
pub const CLAUSE: &str = "disputed_clause";

/// Who was told how it went: the field that says so of who called first, whichever command told him …
pub const OPENER_TOLD: &str = "opener_told";
/// … the command that records it of any other caller …
pub const TELL: &str = "tell_caller";
/// … its inputs that say which: the number of the event that brought the call, 0 for the first one …
pub const TOLD_CALL: &str = "call";
/// … and the number of the merged matter, if the call is of one.
pub const OF_MERGED: &str = "merged";
/// The command that records it of many at once …
pub const TELL_MANY: &str = "tell_callers";
/// … its input that says which: `2-40, 52`, and `00000017:0` of a merged matter; none: all who wait …
pub const TOLD_CALLS: &str = "calls";
/// … and those that the service fills in: how many of them wait …
pub const TOLD_COUNT: &str = "callers";
/// … and whether who called first is one of them.
pub const TOLD_OPENER: &str = "opener";
/// From this command on there is another result to tell.
pub const REOPEN: &str = "reopen";
/// A matter that was merged into this one brings its callers, by this signal.
pub const MERGED_HERE: &str = "signal.merged_here";
/// Of whom nobody is to be told: who opens a matter so …
pub const ANONYMOUS: &str = "anonymous";
/// … and who had called before.
pub const SAME_CALLER: &str = "same_caller";

/// A field or input that the router goes by.
#[derive(Debug, Clone, Copy)]
pub struct Needed {
    /// Its name.
    pub name: &'static str,
    /// Of which kind.
    pub kind: Kind,
    /// Codes that an enum must have.
    pub codes: &'static [&'static str],
    /// Whether it must be kept apart, with who called.
    pub personal: bool,
    /// For what.
    pub why: &'static str,
}

const fn needed(name: &'static str, kind: Kind, why: &'static str) -> Needed {
    Needed { name, kind, codes: &[], personal: false, why }
}

/// The verdicts of the guard, and what stands for none.
const VERDICTS: &[&str] = &["unread", "divert", "ask", "keep"];

/// The fields of a matter.
pub const FIELDS: &[Needed] = &[
    needed(CATEGORY, Kind::Category, "what it is about: learned, and compared with rulings"),
    needed(PLACE, Kind::Text, "whose township it is, and which calls it may repeat"),
    needed(UNIT, Kind::Unit, "who has it: that is learned"),
    needed(FIRST_UNIT, Kind::Unit, "who had it first: changes of the catalogue are tried on it"),
    needed(ACCEPTED, Kind::Instant, "only what a unit accepted is learned"),
    needed(DEEMED, Kind::Instant, "who let the time lapse has not said that it is his"),
    needed(RETURNED, Kind::Units, "what a unit returned is not learned as its own"),
    Needed {
        codes: &[PENDING, UPHELD, REJECTED],
        ..needed(LAST_RETURN, Kind::Enum, "how each return went is counted by it")
    },
    needed(RULED, Kind::Flag, "what was ruled is learned"),
    needed(KEPT, Kind::Flag, "what the police keep is not learned, and takes callers about danger"),
    needed(REPEATS, Kind::Number, "how many called is said beside a repeat"),
    needed(MERGED, Kind::Text, "who called about a merged matter is shown the other"),
    needed(ANONYMOUS, Kind::Flag, "who remained anonymous and calls again may leave his number"),
    needed(OPENER_TOLD, Kind::Flag, "who called first is told once, by whichever command"),
];

/// The inputs of the command that opens a matter.
pub const CALL: &[Needed] = &[
    Needed { personal: true, ..needed(SAID, Kind::Text, "what the caller says is read") },
    Needed { personal: true, ..needed(PHONE, Kind::Text, "who calls again is recognised by it") },
    needed(PLACE, Kind::Text, "whose township it is, and which calls it may repeat"),
    needed(CATEGORY, Kind::Category, "what the desk chose stands before what is suggested"),
    needed(ANSWERS, Kind::Text, "the answers to the category's questions lead on"),
    Needed { codes: VERDICTS, ..needed(GUARD, Kind::Enum, "the service fills in its verdict") },
    needed(SUGGESTION, Kind::Text, "the service fills in what it suggests"),
    needed(KEPT_CATEGORY, Kind::Category, "the service fills in the category of the police"),
    needed(ANONYMOUS, Kind::Flag, "who remains anonymous is not waited for"),
];

/// The inputs of another command that takes calls.
pub const CALL_AGAIN: &[Needed] = &[
    Needed { personal: true, ..needed(PHONE, Kind::Text, "who calls again is recognised by it") },
    needed(SAME_CALLER, Kind::Flag, "who had called before need not be told twice"),
];

/// The inputs of the command that records that a caller was told.
pub const TELLING: &[Needed] = &[
    needed(TOLD_CALL, Kind::Number, "which caller was told"),
    needed(OF_MERGED, Kind::Text, "of which merged matter he is"),
];

/// The inputs of the command, where there is one, that records it of many callers at once.
pub const TELLING_MANY: &[Needed] = &[
    needed(TOLD_CALLS, Kind::Text, "which callers were told"),
    needed(TOLD_COUNT, Kind::Number, "the service fills in how many of them wait"),
    needed(TOLD_OPENER, Kind::Flag, "the service fills in whether who called first is one of them"),
];

/// Commands that there must be, and for what.
pub const COMMANDS: &[(&str, &str)] = &[
    (TELL, "who was told how it went is recorded by it"),
    (REOPEN, "from then on there is another result to tell"),
];

/// The inputs of a command that rules, which is one with the input `precedent`.
pub const RULING: &[Needed] = &[
    needed(UNIT, Kind::Unit, "to whom it is ruled"),
    needed(REASON, Kind::Text, "why, which the next suggestion says"),
    needed(PRECEDENT, Kind::Flag, "whether like calls go there, too"),
    needed(PRECEDENT_TERRITORY, Kind::Unit, "in which township"),
    needed(PRECEDENT_FROM, Kind::Date, "from which day on"),
    needed(PRECEDENT_UNTIL, Kind::Date, "until which day"),
];

/// The inputs of a return, which is a command with the input `disputed_clause`.
pub const RETURN: &[Needed] = &[needed(CLAUSE, Kind::Text, "disputes are counted by clause")];
