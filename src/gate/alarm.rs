//! Operator alarms: raised, told to the people whom the settings name, cleared.

mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use super::coverage::meant;
use super::error::Error;
use super::sealing::Deed;
use super::{Caller, Gate, Note, number_of};
use crate::domain::{InstanceId, Instant, JurisdictionId, Kind, Message, PersonId, Role};
use crate::policy::Act;
use crate::store::{self, Alarm, AlarmFilter, NewAlarm};

/// An alarm of which nobody heard: nobody is there who should be told, or the message did not arrive.
pub(super) const UNHEARD: &str = "alarm_unheard";

/// Alarms that are told by no message of their own: the daily looks tell their readers themselves, and
/// word of an alarm that nobody heard would go the way that has just failed.
const NOT_TOLD: [&str; 3] = ["digest", "coverage", UNHEARD];

/// So many alarms of a jurisdiction are told at once.
const AT_ONCE: i64 = 500;

/// What telling alarms came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlarmsTold {
    /// So many alarms were told.
    pub told: usize,
    /// When the next ones may be, if some wait.
    pub next: Option<Instant>,
}

impl Gate {
    /// Names the people who are told of each new alarm, as workflows say it: `emergency_office.duty`.
    /// If there are none, alarms are only shown.
    ///
    /// # Errors
    /// `Invalid` for a name that cannot be read; then nothing has changed.
    pub fn tell_alarms_to(&self, operators: &[String]) -> Result<(), Error> {
        let read = |to: &String| {
            let (party, role) = meant(to).map_err(|why| {
                Error::invalid(
                    format!("“{to}”不是“机构.岗位”的形式，例如 emergency_office.duty"),
                    format!(
                        "`{to}` names nobody: {why}; say a party and a role, such as \
                         `emergency_office.duty`"
                    ),
                )
            })?;
            Ok((party.to_owned(), role))
        };
        let read = operators.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
        *self.inner.operators.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// Who is told of alarms: parties and roles.
    pub(super) fn operators(&self) -> Vec<(String, Role)> {
        self.inner.operators.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells people of the alarms that are new: those of a jurisdiction to its people, those of the
    /// whole service to the people of all. Each alarm is told once, on whichever node comes first, and
    /// never for being counted again. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn tell_alarms(&self) -> Result<AlarmsTold, Error> {
        let operators = self.operators();
        let mut all = AlarmsTold::default();
        if operators.is_empty() {
            return Ok(all);
        }
        for whose in self.read(|reader| reader.owners_of_untold(&NOT_TOLD))? {
            let turn = self.tell_alarms_of(whose, &operators)?;
            all.told += turn.told;
            all.next = all.next.into_iter().chain(turn.next).min();
        }
        Ok(all)
    }

    /// The same of one jurisdiction, or of none: the first at once, those that come within the time of
    /// a summary together.
    fn tell_alarms_of(
        &self,
        whose: Option<JurisdictionId>,
        operators: &[(String, Role)],
    ) -> Result<AlarmsTold, Error> {
        let now = self.now();
        let last = self.read(|reader| reader.last_alarm_told(whose))?;
        let next = last.filter(|last| *last <= now);
        let next = next.map(|last| last.plus(self.inner.alerts.bundle_ms));
        if let Some(next) = next.filter(|next| *next > now) {
            return Ok(AlarmsTold { told: 0, next: Some(next) });
        }
        let people = self.who_hears(whose, operators, now)?;
        if people.is_empty() {
            self.nobody_hears(whose, operators, now)?;
            return Ok(AlarmsTold::default());
        }
        let (news, numbers) = self.read(|reader| {
            let news = reader.untold_alarms(whose, &NOT_TOLD, AT_ONCE)?;
            let mut numbers = BTreeMap::new();
            for id in news.iter().filter_map(|one| one.raised.instance) {
                if let Some((instance, _)) = reader.instance(id)? {
                    numbers.insert(id, number_of(instance.family));
                }
            }
            Ok((news, numbers))
        })?;
        let ids: Vec<i64> = news.iter().map(|one| one.id).collect();
        let told = self.with_hand(|transaction| {
            let taken = transaction.take_alarms(&ids, now)?;
            let news: Vec<&Alarm> = news.iter().filter(|one| taken.contains(&one.id)).collect();
            let mut messages = Vec::new();
            for &(office, person) in people.iter().filter(|_| !news.is_empty()) {
                let message = self.word_of(&news, &numbers, (office, person), now);
                let message = message.map_err(|error| store::Error::Refused(error.to_string()));
                messages.extend(message?);
            }
            transaction.write_messages(&mut messages)?;
            Ok(taken.len())
        })?;
        self.inner.wake.notify_waiters();
        Ok(AlarmsTold { told, next: None })
    }

    /// The people who are told of the alarms of a jurisdiction, or of all, as far as there is a way to
    /// reach them.
    fn who_hears(
        &self,
        whose: Option<JurisdictionId>,
        operators: &[(String, Role)],
        now: Instant,
    ) -> Result<BTreeSet<(JurisdictionId, PersonId)>, Error> {
        let offices = self.inner.registry.jurisdictions();
        let mut people = BTreeSet::new();
        for office in offices.into_iter().filter(|office| whose.is_none_or(|of| of == *office)) {
            let directory = self.inner.registry.directory(office)?;
            let can_be_told = |id: &PersonId| {
                directory.people.get(id).is_some_and(|one| !one.ways(true).is_empty())
            };
            for (party, role) in operators {
                let meant = self.people_meant(office, (party, *role), now)?;
                people.extend(meant.into_iter().filter(can_be_told).map(|id| (office, id)));
            }
        }
        Ok(people)
    }

    /// Alarms wait, and nobody is there to be told: that is an alarm too, which is only shown.
    fn nobody_hears(
        &self,
        whose: Option<JurisdictionId>,
        operators: &[(String, Role)],
        at: Instant,
    ) -> Result<(), Error> {
        let names: Vec<String> =
            operators.iter().map(|(party, role)| format!("`{party}.{role}`")).collect();
        let alarm = NewAlarm {
            kind: UNHEARD.to_owned(),
            jurisdiction: whose,
            instance: None,
            at,
            detail: format!(
                "alarms wait untold: nobody who can be reached is {}",
                names.join(", ")
            ),
        };
        let kind = Some(UNHEARD.to_owned());
        let filter = AlarmFilter { open_only: true, kind, ..AlarmFilter::default() };
        let open = self.read(|reader| reader.some_alarms(&filter, AT_ONCE))?;
        if !open.iter().any(|one| one.raised.jurisdiction == whose) {
            self.with_hand(|transaction| transaction.raise_alarm(&alarm))?;
        }
        Ok(())
    }

    /// The message about new alarms to one person. No quiet hours hold it back.
    fn word_of(
        &self,
        news: &[&Alarm],
        numbers: &BTreeMap<InstanceId, String>,
        (office, person): (JurisdictionId, PersonId),
        now: Instant,
    ) -> Result<Option<Message>, Error> {
        let directory = self.inner.registry.directory(office)?;
        let known = directory.people.get(&person);
        let language = known.map(|one| one.rules.language).unwrap_or_default();
        let about = words::about(news, numbers, language);
        let note = Note { person, channel: None, kind: Kind::Alarm, urgent: true, about };
        self.compose(office, &note, now)
    }

    /// Raises an operator alarm, if the same is not open already. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn raise_alarm(&self, alarm: &NewAlarm) -> Result<bool, Error> {
        self.write_and_ring(|transaction| transaction.raise_alarm(alarm))
    }

    /// Ends an operator alarm whose cause is gone. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn end_alarm(&self, alarm: &NewAlarm) -> Result<bool, Error> {
        self.with_hand(|transaction| transaction.clear_alarm_of(alarm))
    }

    /// Clears an operator alarm. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when there is no such open alarm.
    pub fn clear_alarm(&self, caller: &Caller, id: i64) -> Result<(), Error> {
        self.permit(caller, Act::Operate)?;
        let filter = AlarmFilter {
            open_only: true,
            before: Some(id.saturating_add(1)),
            ..AlarmFilter::default()
        };
        let found = self.alarms(caller, filter, 1)?.items;
        let known = found.iter().any(|alarm| alarm.id == id);
        let now = self.now();
        let mut writer = self.inner.store.writer()?;
        let deed = Deed::of(caller, "alarm_cleared", format!("alarm:{id}"));
        let cleared = known
            && writer.transaction(|transaction| {
                let cleared = transaction.clear_alarm(id, now)?;
                if cleared {
                    deed.write(transaction, now)?;
                }
                Ok(cleared)
            })?;
        if cleared { Ok(()) } else { Err(Error::NotFound) }
    }

    /// Clears all open operator alarms of a kind, as after an outage; answers how many. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; what the store says.
    pub fn clear_alarms(&self, caller: &Caller, kind: &str) -> Result<usize, Error> {
        self.permit(caller, Act::Operate)?;
        let (now, whose) = (self.now(), caller.jurisdiction);
        let mut writer = self.inner.store.writer()?;
        let deed = Deed::of(caller, "alarms_cleared", format!("alarms:{kind}"));
        Ok(writer.transaction(|transaction| {
            let cleared = transaction.clear_alarms(whose, kind, now)?;
            if cleared > 0 {
                deed.write(transaction, now)?;
            }
            Ok(cleared)
        })?)
    }
}
