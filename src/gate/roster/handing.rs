//! At a handover the incoming people are told, exactly once, with what the shift before left.

use super::{Book, Error, Gate};
use crate::domain::{
    Delivery, Directory, HandoverNote, Instant, JurisdictionId, Kind, Language, Message, MessageId,
    Person, PersonId, Recipient, Tier,
};
use crate::roster::{self, Handover};
use crate::store::Batch;

/// A handover that was missed longer ago than this is not told any more.
const MISSED: i64 = 62 * 24 * 3_600_000;

/// So many notes of the shift before are told at most, the newest.
const NOTES_MAX: i64 = 5;

/// What the turn of one roster came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handing {
    /// How many people were told.
    pub told: usize,
    /// When the next handover is, if there is one.
    pub next: Option<Instant>,
}

impl Gate {
    /// If a handover of a roster has come, writes the messages to the incoming people, unless
    /// another node did. Of several that were missed the last one counts. Blocks.
    ///
    /// # Errors
    /// `NotFound` for a roster that is gone; what the store says.
    pub fn hand_over(&self, whose: JurisdictionId, code: &str) -> Result<Handing, Error> {
        let key = format!("handover.{code}@{whose}");
        let now = self.now();
        let Some(last) = self.last_occurrence(&key)? else {
            // A new roster: what lies before it was never missed.
            self.with_hand(|transaction| transaction.take_occurrence(&key, now, now))?;
            let book = self.book(whose, code, now, now)?;
            let next = book.plan().next_handover(now).map(|next| next.at);
            return Ok(Handing { told: 0, next });
        };
        let last = last.max(now.plus(-MISSED));
        let book = self.book(whose, code, last, now)?;
        let first = match book.plan().next_handover(last) {
            Some(first) if first.at <= now => first,
            later => return Ok(Handing { told: 0, next: later.map(|next| next.at) }),
        };
        let (before, taken) = (first.at.plus(-1), first.at);
        let newest = book.plan().last_handover(before, now).unwrap_or(first);
        let notes = self.notes_between(whose, code, last, newest.at)?;
        let directory = self.inner.registry.directory(whose)?;
        let mut messages = self.words(&book, &directory, &newest, &notes);
        let count = i64::try_from(messages.len()).unwrap_or(i64::MAX);
        let won = self.with_hand(|transaction| {
            // Whoever knows the same last handover knows the same first one after it.
            if !transaction.take_occurrence(&key, taken, now)? {
                return Ok(false);
            }
            if newest.at > taken {
                transaction.take_occurrence(&key, newest.at, now)?;
            }
            if count > 0 {
                let first = transaction.reserve_ids("message", count)?;
                for (id, message) in (first..).zip(&mut messages) {
                    message.id = MessageId(id);
                }
                transaction.write(&Batch { messages: messages.clone(), ..Batch::default() })?;
            }
            Ok(true)
        })?;
        if won {
            self.bell().notify_waiters();
        }
        let next = book.plan().next_handover(newest.at).map(|next| next.at);
        Ok(Handing { told: if won { messages.len() } else { 0 }, next })
    }

    /// Notes that were written after an instant and not after another, the oldest first.
    fn notes_between(
        &self,
        whose: JurisdictionId,
        code: &str,
        after: Instant,
        upto: Instant,
    ) -> Result<Vec<HandoverNote>, Error> {
        let bounds = (None, Some(upto));
        let mut notes = self.read(|reader| reader.handovers(whose, code, bounds, NOTES_MAX))?;
        notes.retain(|note| note.at > after);
        notes.reverse();
        Ok(notes)
    }

    fn words(
        &self,
        book: &Book,
        directory: &Directory,
        handover: &Handover,
        notes: &[HandoverNote],
    ) -> Vec<Message> {
        let (unit, role) = (book.roster.unit.as_str(), book.roster.role);
        let come = handover.incoming.iter();
        let fit = come.filter(|person| roster::knows(directory, unit, role, **person));
        let people = fit.filter_map(|person| directory.people.get(person));
        let deadline_at = handover.at.max(self.now()).plus(self.inner.alerts.patience_ms(false));
        let message = |person: &Person| Message {
            id: MessageId(0),
            jurisdiction: directory.jurisdiction,
            instance: None,
            seq: 0,
            to: Recipient::Person(person.id),
            channel: person.ways(false).first().map_or("console", |way| way).to_owned(),
            kind: Kind::Handover,
            tier: Tier::Ordinary.rank(),
            urgent: false,
            clock: None,
            offer: None,
            subject: subject(book, directory, person.rules.language),
            body: body(book, directory, handover, notes, person),
            created_at: self.now(),
            due_at: self.now(),
            deadline_at,
            attempts: 0,
            unknowns: 0,
            state: Delivery::Waiting,
            sent_at: None,
            reference: None,
            delivered_at: None,
            acknowledged_at: None,
            instead_of: None,
            bundle: None,
            error: None,
        };
        people.map(message).collect()
    }
}

fn subject(book: &Book, directory: &Directory, language: Language) -> String {
    let title = &book.roster.title;
    match language {
        Language::Zh => format!("【{}】值班交接 {}", directory.name.zh, title.zh),
        Language::En => format!("[{}] duty handover: {}", directory.name.en, title.en),
    }
}

fn body(
    book: &Book,
    directory: &Directory,
    handover: &Handover,
    notes: &[HandoverNote],
    person: &Person,
) -> String {
    let zone = book.calendar.zone();
    let time =
        |at: Instant| zone.to_datetime(at.timestamp()).strftime("%Y-%m-%d %H:%M").to_string();
    let name = |id: &PersonId| {
        directory.people.get(id).map_or_else(|| id.to_string(), |one| one.name.clone())
    };
    let names =
        |people: &[PersonId], gap: &str| people.iter().map(name).collect::<Vec<_>>().join(gap);
    let shifts = book.plan().on_duty(handover.at);
    let own = shifts.iter().find(|shift| shift.person == person.id);
    let (from, until) = (time(handover.at), own.map(|own| time(own.until)).unwrap_or_default());
    let mut lines = match person.rules.language {
        Language::Zh => {
            let before = match handover.outgoing.as_slice() {
                [] => String::new(),
                people => format!("交班：{}。", names(people, "、")),
            };
            vec![format!("您自{from}起值班，至{until}。{before}")]
        }
        Language::En => {
            let before = match handover.outgoing.as_slice() {
                [] => String::new(),
                people => format!(" Before you: {}.", names(people, ", ")),
            };
            vec![format!("You are on duty from {from} until {until}.{before}")]
        }
    };
    if !notes.is_empty() {
        let head = match person.rules.language {
            Language::Zh => "交接事项：",
            Language::En => "What was left for you:",
        };
        lines.push(head.to_owned());
    }
    for note in notes {
        lines.push(format!("{} {}: {}", time(note.at), name(&note.person), note.note));
    }
    lines.join("\n")
}
