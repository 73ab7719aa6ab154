//! What a template may say: its variables.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a message is about. A text that does not apply is empty, a number 0.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct About {
    /// The jurisdiction's name.
    pub office: String,
    /// What people call the matter.
    pub number: String,
    /// What people call its workflow.
    pub workflow: String,
    /// What is said: the workflow's text with its placeholders filled.
    pub sentence: String,
    /// The subject as it is kept with the message.
    pub subject: String,
    /// How grave the matter is.
    pub tier: TierWord,
    /// Whether it is urgent.
    pub urgent: bool,
    /// When the clock that speaks runs out.
    pub due: String,
    /// What the recipient is called.
    pub name: String,
    /// Where the recipient acknowledges.
    pub link: String,
    /// The command that a reply or the page may give.
    pub offer: Option<Offer>,
    /// What the button of a command says for which the recipient must sign in, with a second factor.
    pub sign_in: String,
    /// Whether a reply by SMS is read.
    pub reply: bool,
    /// The code that proves an address.
    pub code: String,
    /// For how many minutes it is good.
    pub minutes: i64,
    /// The matters of a summary, the lines of a digest, the notes of a handover.
    pub items: Vec<Item>,
    /// Of a mute: `begins`, `lasts` or `ends`.
    pub stage: String,
    /// Of a mute: whose, where it is somebody else's; of a handover: who goes.
    pub whose: String,
    /// Which duty roster a handover is of.
    pub roster: String,
    /// Of a handover: since when the recipient is on duty.
    pub since: String,
    /// Until when a mute, or the recipient's duty lasts.
    pub until: String,
    /// Why.
    pub reason: String,
    /// How many: alerts that wait, open matters of a digest.
    pub count: i64,
    /// How many of them are overdue.
    pub overdue: i64,
    /// What the shift before leaves, a line each; also as `items`.
    pub note: String,
    /// Where the roster has gaps.
    pub gaps: Vec<String>,
    /// When it was written.
    pub sent_at: String,
    /// The workflow's fields and other placeholders, for the texts of one workflow.
    pub fields: BTreeMap<String, String>,
}

/// A tier by word and rank.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TierWord {
    /// The word.
    pub word: String,
    /// 1 to 4, 4 gravest.
    pub rank: i64,
}

/// A command that may be given by a reply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Offer {
    /// What its button says.
    pub title: String,
    /// The digit that a reply begins with.
    pub digit: i64,
}

/// One matter of a summary, or one line of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Item {
    /// What people call the matter.
    pub number: String,
    /// What is said about it.
    pub sentence: String,
    /// Where the recipient acknowledges.
    pub link: String,
}

/// The variables, besides the workflow's `fields`.
pub(super) const KNOWN: [&str; 31] = [
    "language",
    "office",
    "number",
    "workflow",
    "sentence",
    "subject",
    "tier.word",
    "tier.rank",
    "urgent",
    "due",
    "name",
    "link",
    "offer.title",
    "offer.digit",
    "sign_in",
    "reply",
    "code",
    "minutes",
    "items",
    "stage",
    "whose",
    "roster",
    "since",
    "until",
    "reason",
    "count",
    "overdue",
    "note",
    "gaps",
    "sent_at",
    "offer",
];

/// What is not known yet when the sentence of one text is worded.
pub(super) const LATER: [&str; 8] =
    ["link", "offer", "offer.title", "offer.digit", "sign_in", "reply", "items", "code"];

/// What a subject must not show: it is seen on locked screens and kept in lists.
pub(super) const PRIVATE: [&str; 2] = ["code", "link"];
