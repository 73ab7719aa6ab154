//! Two people for what concerns everybody: one proposes a workflow, a calendar, somebody's rights or a
//! token that acts as somebody else, another one who might have done so approves. Nobody approves what is his own.

mod deciding;

use serde_json::json;

use self::deciding::{PERSON, decide, decides};
use super::administration::{NewUnit, sound_person, sound_unit};
use super::calendar::NewCalendar;
use super::error::{Error, refused};
use super::query::{Page, cut};
use super::sealing::{self, Deed};
use super::standing::{base, outdated, second_person_needed};
use super::{Caller, Gate, TokenDraft};
use crate::domain::{Actor, Directory, Instant, Person, PersonId, Unit};
use crate::policy::Act;
use crate::store::{self, ProposalRow, Transaction};

/// What somebody wants to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Motion {
    /// Publish this workflow file.
    Definition(String),
    /// Load this calendar file.
    Calendar(NewCalendar),
    /// Add or change this person.
    Person(Box<Person>),
    /// Make this token of somebody else.
    Token(Box<TokenDraft>),
    /// Change this unit.
    Unit(Box<NewUnit>),
}

impl Motion {
    fn kind(&self) -> &'static str {
        match self {
            Self::Definition(_) => "definition",
            Self::Calendar(_) => "calendar",
            Self::Person(_) => PERSON,
            Self::Token(_) => "token",
            Self::Unit(_) => "unit",
        }
    }

    /// What whoever proposes or approves it must be allowed.
    fn act(&self) -> Act {
        match self {
            Self::Definition(_) => Act::Publish,
            Self::Calendar(_) => Act::WriteCalendar,
            Self::Person(_) | Self::Unit(_) => Act::WriteDirectory,
            Self::Token(_) => Act::IssueTokens,
        }
    }

    fn body(&self) -> Result<String, Error> {
        let written = match self {
            Self::Definition(source) => return Ok(source.clone()),
            Self::Calendar(new) => return Ok(new.source.clone()),
            Self::Person(person) => serde_json::to_string(person),
            Self::Token(draft) => serde_json::to_string(draft),
            Self::Unit(new) => serde_json::to_string(&new.unit),
        };
        let kind = self.kind();
        written.map_err(|error| Error::Internal(format!("a {kind} cannot be written: {error}")))
    }

    fn read(row: &ProposalRow) -> Result<Self, Error> {
        let body = || row.body.clone();
        let read = match row.kind.as_str() {
            "definition" => return Ok(Self::Definition(body())),
            // Whether it may drop years was judged against the same calendar when it was proposed.
            "calendar" => {
                return Ok(Self::Calendar(NewCalendar { source: body(), drop_years: true }));
            }
            "person" => serde_json::from_str(&row.body).map(Self::Person),
            "token" => serde_json::from_str(&row.body).map(Self::Token),
            // As for calendars: whether it may be of a new kind was judged when it was proposed.
            "unit" => serde_json::from_str(&row.body)
                .map(|unit| Self::Unit(Box::new(NewUnit { unit, new_kind: true }))),
            kind => return Err(Error::Internal(format!("proposal {}: of kind `{kind}`", row.id))),
        };
        read.map_err(|error| Error::Internal(format!("proposal {}: {error}", row.id)))
    }
}

/// That a second person has approved, to be written with what is done.
#[derive(Debug, Clone)]
pub(super) struct Approval {
    id: i64,
    by: PersonId,
    proposer: PersonId,
    /// How what it is about stood when it was proposed.
    pub(super) base: String,
}

impl Approval {
    /// Who proposed it, as events and versions name people.
    pub(super) fn proposer(&self) -> String {
        Actor::person(self.proposer, Vec::new()).name()
    }

    /// Takes the proposal: whoever comes second finds it decided.
    pub(super) fn take(
        self,
        transaction: &mut Transaction<'_>,
        now: Instant,
    ) -> Result<(), store::Error> {
        if decide(transaction, self.id, "approved", (self.by, now))? {
            return Ok(());
        }
        Err(store::Error::Conflict(format!("proposal {} is decided", self.id)))
    }
}

impl Gate {
    /// Whether this needs a second person here: by the rules of the house, for people (the service
    /// itself and the command line are trusted), and if it gives somebody more rights or lets one act
    /// as somebody else.
    ///
    /// # Errors
    /// When there is no such jurisdiction.
    pub fn needs_second_person(&self, caller: &Caller, motion: &Motion) -> Result<bool, Error> {
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        Ok(self.is_ruled() && needs_second_person(caller, motion, &directory))
    }

    /// Whether the rules of the house want two people.
    pub(super) fn is_ruled(&self) -> bool {
        self.access_rules().second_person_ms.is_some()
    }

    /// Refuses what needs a second person.
    pub(super) fn alone(&self, caller: &Caller, motion: &Motion) -> Result<(), Error> {
        if self.needs_second_person(caller, motion)? {
            return Err(second_person_needed());
        }
        Ok(())
    }

    /// Proposes something; it is looked at as if it were to be done now. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; what is wrong with it.
    pub fn propose(&self, caller: &Caller, motion: &Motion) -> Result<ProposalRow, Error> {
        self.permit(caller, motion.act())?;
        let Actor::Person { id: made_by, .. } = caller.actor else { return Err(Error::Forbidden) };
        let subject = self.subject(caller, motion)?;
        let base = self.read(|reader| base(reader, caller.jurisdiction, motion))?;
        let (made_at, body) = (self.now(), motion.body()?);
        let keep = self.access_rules().second_person_ms.unwrap_or_default();
        let row = ProposalRow {
            id: 0,
            jurisdiction: caller.jurisdiction,
            kind: motion.kind().to_owned(),
            subject,
            body,
            base,
            made_by,
            made_at,
            until: made_at.plus(keep),
            state: "open".to_owned(),
            decided_by: None,
            decided_at: None,
        };
        let id = self.with_hand(|transaction| {
            deciding::forget_lapsed(transaction, made_at)?;
            let id = transaction.add_proposal(&row)?;
            self.note(caller, "proposed", &row, id).write(transaction, made_at)?;
            Ok(id)
        })?;
        Ok(ProposalRow { id, ..row })
    }

    /// What a motion is about, once it is sound.
    fn subject(&self, caller: &Caller, motion: &Motion) -> Result<String, Error> {
        Ok(match motion {
            Motion::Definition(source) => {
                format!("definition:{}", self.sound_definition(caller, source)?.0.workflow)
            }
            Motion::Calendar(new) => {
                format!("calendar:{}", self.sound_calendar(caller, new)?.version())
            }
            Motion::Person(person) => {
                let directory = self.inner.registry.directory(caller.jurisdiction)?;
                format!("person:{}", sound_person(&directory, person)?.id)
            }
            Motion::Unit(new) => {
                sound_unit(&*self.inner.registry.directory(caller.jurisdiction)?, new)?;
                format!("unit:{}", new.unit.code)
            }
            Motion::Token(draft) => {
                self.sound_token(caller, draft)?;
                format!("person:{}", draft.person)
            }
        })
    }

    fn note(&self, caller: &Caller, kind: &'static str, row: &ProposalRow, id: i64) -> Deed {
        let deed = Deed::of(caller, kind, row.subject.clone());
        deed.with(json!({
            "proposal": id,
            "proposed_by": row.made_by,
            "sha256": sealing::digest(&row.body),
        }))
    }

    /// At most `limit` proposals that the caller may decide on, the newest first, below an id if one is
    /// given. Blocks.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn proposals(
        &self,
        caller: &Caller,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Page<ProposalRow>, Error> {
        self.permit(caller, Act::Approve)?;
        let (owner, kinds) = (caller.jurisdiction, decides(caller));
        let found = self.read(|reader| reader.proposals(owner, &kinds, before, limit + 1))?;
        Ok(cut(found, limit))
    }

    /// One proposal. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`, also for what the caller does not decide on.
    pub fn proposal(&self, caller: &Caller, id: i64) -> Result<ProposalRow, Error> {
        self.permit(caller, Act::Approve)?;
        let found = self.read(|reader| reader.proposal(id))?;
        let (owner, kinds) = (caller.jurisdiction, decides(caller));
        let own =
            |row: &ProposalRow| row.jurisdiction == owner && kinds.contains(&row.kind.as_str());
        found.filter(own).ok_or(Error::NotFound)
    }

    /// Approves what somebody else proposed: it is done now, if it is still sound. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Refused` with `own_proposal`, `proposal_decided` or
    /// `proposal_outdated`; what is wrong with it by now.
    pub fn approve(&self, caller: &Caller, id: i64) -> Result<ProposalRow, Error> {
        let row = self.undecided(caller, id)?;
        let motion = Motion::read(&row)?;
        self.permit(caller, motion.act())?;
        let Actor::Person { id: by, .. } = caller.actor else { return Err(Error::Forbidden) };
        if by == row.made_by {
            let en = "this is your own proposal: another person approves it";
            return Err(refused("own_proposal", "不能批准本人提出的变更，请由他人批准", en));
        }
        // What is wrong with it by now is of no interest if it is about something else by now.
        if self.read(|reader| base(reader, row.jurisdiction, &motion))? != row.base {
            return Err(outdated());
        }
        let approval = Some(Approval { id, by, proposer: row.made_by, base: row.base });
        match motion {
            Motion::Definition(source) => drop(self.publish_by(caller, &source, approval)?),
            Motion::Calendar(new) => drop(self.load_calendar_by(caller, &new, approval)?),
            Motion::Person(person) => drop(self.put_person_by(caller, &person, approval)?),
            Motion::Token(draft) => drop(self.issue_token_by(caller, &draft, approval)?),
            Motion::Unit(new) => self.put_unit_by(caller, &new, approval)?,
        }
        self.proposal(caller, id)
    }

    /// Takes a proposal from the table: one's own, or another's that is not to be. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Refused` with `proposal_decided`.
    pub fn withdraw(&self, caller: &Caller, id: i64) -> Result<ProposalRow, Error> {
        let row = self.undecided(caller, id)?;
        self.permit(caller, Motion::read(&row)?.act())?;
        let Actor::Person { id: by, .. } = caller.actor else { return Err(Error::Forbidden) };
        let now = self.now();
        let withdrawn = self.with_hand(|transaction| {
            let withdrawn = decide(transaction, id, "withdrawn", (by, now))?;
            if withdrawn {
                self.note(caller, "proposal_withdrawn", &row, id).write(transaction, now)?;
            }
            Ok(withdrawn)
        })?;
        if withdrawn { self.proposal(caller, id) } else { Err(decided()) }
    }

    fn undecided(&self, caller: &Caller, id: i64) -> Result<ProposalRow, Error> {
        let row = self.proposal(caller, id)?;
        if row.is_open(self.now()) { Ok(row) } else { Err(decided()) }
    }
}

fn decided() -> Error {
    let en = "this proposal is decided, or has lapsed";
    refused("proposal_decided", "该变更已有决定或已过期", en)
}

/// Whether people need a second one for this, where that is the rule: it gives somebody more rights, or lets
/// one act as somebody else.
pub(super) fn needs_second_person(caller: &Caller, motion: &Motion, directory: &Directory) -> bool {
    let Actor::Person { id: asks, .. } = &caller.actor else { return false };
    match motion {
        Motion::Definition(_) | Motion::Calendar(_) => true,
        Motion::Token(draft) => draft.person != *asks,
        Motion::Person(person) => gives_rights(directory.people.get(&person.id), person),
        Motion::Unit(new) => moves(directory.units.get(&new.unit.code), &new.unit),
    }
}

/// Whether a person as it is to be may do more than as it is known, or somebody else in its name. Rights
/// are taken away by one alone.
pub(super) fn gives_rights(known: Option<&Person>, person: &Person) -> bool {
    if !person.active {
        return false;
    }
    let Some(known) = known.filter(|known| known.active) else {
        return !person.grants.is_empty() || !person.terms.is_empty();
    };
    // Whoever reads the alerts of somebody may answer them.
    if (&known.email, &known.phone) != (&person.email, &person.phone) {
        return true;
    }
    let lasting = known.lasting();
    person.grants.iter().any(|grant| !lasting.contains(grant))
        || person.terms.iter().any(|term| !known.terms.contains(term))
}

/// Whether other people get what a unit has: those of its parent, or of its successor.
pub(super) fn moves(known: Option<&Unit>, unit: &Unit) -> bool {
    match known {
        Some(known) => (&known.parent, &known.successor) != (&unit.parent, &unit.successor),
        None => unit.successor.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Grant, Role};

    #[test]
    fn only_more_rights_need_a_second_person() {
        let grant = |role| Grant { role, unit: "gongan".to_owned() };
        let person = |roles: &[Role], active| Person {
            grants: roles.iter().map(|role| grant(*role)).collect(),
            active,
            ..Person::default()
        };
        let known = person(&[Role::Dispatcher, Role::ShiftLeader], true);
        for (new, more) in [
            (person(&[Role::Dispatcher], true), false),
            (person(&[Role::Dispatcher, Role::ShiftLeader], false), false),
            (Person { name: "改名".to_owned(), ..known.clone() }, false),
            (person(&[Role::Administrator], true), true),
            (Person { phone: Some("13800000000".to_owned()), ..known.clone() }, true),
        ] {
            assert_eq!(gives_rights(Some(&known), &new), more, "{new:?}");
        }
        assert!(gives_rights(Some(&person(&[Role::Duty], false)), &person(&[Role::Duty], true)));
        assert!(!gives_rights(None, &person(&[], true)));
        assert!(gives_rights(None, &person(&[Role::Duty], true)));
    }
}
