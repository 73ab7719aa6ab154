//! Mutes: less urgent alerts wait, for a time that always has an end, and the mute itself is not
//! forgotten: it is told when it begins, each morning, and when it ends.

use serde_json::json;

use super::contact::refusal;
use super::error::Error;
use super::letters::Note;
use super::sealing::Deed;
use super::{Caller, Gate};
use crate::domain::{Directory, Instant, Kind, Mute, Person, PersonId, Role};
use crate::policy::{self, Act};
use crate::template::About;

/// The longest mute: 14 days.
const LONGEST: i64 = 14 * 24 * 3_600_000;

/// The longest reason, in characters.
const REASON_MAX: usize = 200;

/// So many mutes of a person are listed.
const LISTED: i64 = 100;

impl Gate {
    /// Lets less urgent alerts to a person wait until an instant. The person is told, and the
    /// leaders of its units. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Invalid` without a reason, or for an end that is past or more than
    /// 14 days away; `Refused` while another mute of the person lasts.
    pub fn mute(
        &self,
        caller: &Caller,
        id: PersonId,
        until: Instant,
        reason: &str,
    ) -> Result<Mute, Error> {
        let (directory, person) = self.speak_for(caller, id)?;
        let now = self.now();
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        if reason.is_empty() || reason.chars().count() > REASON_MAX {
            return Err(Error::invalid(
                format!("“reason”须写明理由，1至{REASON_MAX}字"),
                format!("`reason` says why, in 1 to {REASON_MAX} characters"),
            ));
        }
        if until <= now || until.since(now) > LONGEST {
            let en = "`until` is in the future, and at most 14 days away";
            return Err(Error::invalid("“until”应晚于现在，且不超过14日", en));
        }
        let owner = caller.jurisdiction;
        if self.inner.registry.mute_of(owner, id, now).is_some() {
            return Err(refusal(
                "muted_already",
                "提醒已暂停，请先结束现有的暂停",
                "a mute lasts already; end it first",
            ));
        }
        let mute = Mute {
            id: 0,
            jurisdiction: owner,
            person: id,
            from: now,
            until,
            reason,
            made_by: caller.actor.name(),
            ended_at: None,
        };
        let notes = self.beginning(&directory, &person, &mute)?;
        let mut messages = self.compose_all(owner, &notes, now)?;
        let number = self.write_and_ring(|transaction| {
            // Two that are asked for at once: the second sees the first here.
            let mut open = transaction.open_mutes(owner)?.into_iter();
            if open.any(|other| other.person == id && other.holds(now)) {
                return Ok(None);
            }
            transaction.write_messages(&mut messages)?;
            let number = transaction.add_mute(&mute)?;
            let deed = Deed::of(caller, "muted", format!("person:{id}"));
            deed.with(json!({ "mute": number, "until": until })).write(transaction, now)?;
            Ok(Some(number))
        })?;
        self.follow();
        let number = number.ok_or_else(|| Error::Busy("another mute was just made".to_owned()))?;
        // The loop that reminds of mutes looks again.
        self.inner.wake.notify_waiters();
        Ok(Mute { id: number, ..mute })
    }

    /// Word to the person and to the leaders of its units.
    fn beginning(
        &self,
        directory: &Directory,
        person: &Person,
        mute: &Mute,
    ) -> Result<Vec<Note>, Error> {
        let about = About {
            stage: "begins".to_owned(),
            until: self.spoken_time(mute.jurisdiction, mute.until)?,
            reason: mute.reason.clone(),
            ..About::default()
        };
        let mut notes = vec![note(person.id, about.clone())];
        let mut leaders: Vec<PersonId> = person
            .grants
            .iter()
            .flat_map(|grant| directory.people_with(&grant.unit, Role::Leader))
            .map(|leader| leader.id)
            .filter(|leader| *leader != person.id)
            .collect();
        leaders.sort_unstable();
        leaders.dedup();
        for leader in leaders {
            notes.push(note(leader, About { whose: person.name.clone(), ..about.clone() }));
        }
        Ok(notes)
    }

    /// The mutes of a person, the newest first. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub fn mutes(&self, caller: &Caller, id: PersonId) -> Result<Vec<Mute>, Error> {
        self.speak_for(caller, id)?;
        self.read(|reader| reader.mutes_of(caller.jurisdiction, id, LISTED))
    }

    /// Ends a mute before its time, and says what waited. Blocks.
    ///
    /// # Errors
    /// `NotFound` when there is none that lasts, or it is not the caller's to end.
    pub fn end_mute(&self, caller: &Caller, id: i64) -> Result<(), Error> {
        let open = self.inner.registry.open_mutes(caller.jurisdiction);
        let mute = open.into_iter().find(|mute| mute.id == id && mute.holds(self.now()));
        let mute = mute.ok_or(Error::NotFound)?;
        let administrator = policy::may(&caller.actor, Act::KeepContacts);
        if !administrator && self.speak_for(caller, mute.person).is_err() {
            return Err(Error::NotFound);
        }
        if self.close(&mute, Some(caller))? { Ok(()) } else { Err(Error::NotFound) }
    }

    /// Notes the end of a mute, and tells the person how many alerts came meanwhile; false when
    /// somebody else did. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn close_mute(&self, mute: &Mute) -> Result<bool, Error> {
        self.close(mute, None)
    }

    /// The same; `by` whom, if it ends before its time.
    fn close(&self, mute: &Mute, by: Option<&Caller>) -> Result<bool, Error> {
        let now = self.now();
        let at = now.min(mute.until);
        let about = self.meanwhile(mute, "ends", at)?;
        let owner = mute.jurisdiction;
        let mut messages = self.compose_all(owner, &[note(mute.person, about)], now)?;
        let ended = self.write_and_ring(|transaction| {
            let ended = transaction.end_mute(owner, mute.id, at)?;
            if ended {
                transaction.write_messages(&mut messages)?;
                let deed = |by| Deed::of(by, "unmuted", format!("person:{}", mute.person));
                if let Some(deed) = by.map(deed) {
                    deed.with(json!({ "mute": mute.id })).write(transaction, now)?;
                }
            }
            Ok(ended)
        })?;
        self.follow();
        Ok(ended)
    }

    /// What reminds a person of a mute that lasts. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn mute_reminder(&self, mute: &Mute) -> Result<Note, Error> {
        Ok(note(mute.person, self.meanwhile(mute, "lasts", self.now())?))
    }

    fn meanwhile(&self, mute: &Mute, stage: &str, at: Instant) -> Result<About, Error> {
        let came = self.read(|reader| reader.less_urgent_alerts(mute.person, mute.from, at))?;
        Ok(About {
            stage: stage.to_owned(),
            until: self.spoken_time(mute.jurisdiction, mute.until)?,
            reason: mute.reason.clone(),
            count: i64::try_from(came).unwrap_or(i64::MAX),
            ..About::default()
        })
    }
}

fn note(person: PersonId, about: About) -> Note {
    Note { person, channel: None, kind: Kind::Mute, urgent: false, about }
}
