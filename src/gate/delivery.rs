//! Messages on their way: claimed, made to wait, settled; what became of them is told to the matter
//! they are about.

mod sorting;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::alarm::UNHEARD;
use super::error::Error;
use super::job::Job;
use super::{Gate, ids};
use crate::domain::{
    Directory, InstanceId, Instant, Kind, Message, MessageId, PersonId, Recipient,
};
use crate::store::{self, ClaimWish, Ending, NewAlarm, PutBack, Queue, Settled, Transaction};
use sorting::{Habits, patient, sort};

/// How long a message is tried on one channel before the person's next one is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertRules {
    /// Urgent ones; milliseconds.
    pub urgent_ms: i64,
    /// Others; milliseconds.
    pub normal_ms: i64,
    /// Those to systems; milliseconds.
    pub hook_ms: i64,
    /// A person gets one letter with less urgent alerts on a channel in so many milliseconds; 0:
    /// every alert is a letter.
    pub bundle_ms: i64,
    /// Whether replies by SMS are heard, so that messages may invite them.
    pub replies: bool,
}

impl Default for AlertRules {
    fn default() -> Self {
        let minute = 60_000;
        Self {
            urgent_ms: 5 * minute,
            normal_ms: 120 * minute,
            hook_ms: 24 * 60 * minute,
            bundle_ms: minute,
            replies: false,
        }
    }
}

impl AlertRules {
    /// For an urgent message, or another; milliseconds.
    #[must_use]
    pub fn patience_ms(self, urgent: bool) -> i64 {
        if urgent { self.urgent_ms } else { self.normal_ms }
    }
}

/// One letter: a message, or several to one person in a summary under the id of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// At least one.
    pub messages: Vec<Message>,
}

impl Parcel {
    /// The letter's id, the same in every attempt, also when some of what was in it is given up.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.messages.first().map(|first| first.bundle.unwrap_or(first.id)).unwrap_or_default()
    }

    /// Of how many messages in it the last sender ended before it said what became of them.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.messages.iter().filter(|one| one.error.as_deref() == Some(store::LOST)).count()
    }
}

/// What became of a message about a matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which.
    pub message: MessageId,
    /// The matter.
    pub instance: InstanceId,
    /// What became of it.
    pub became: Became,
}

/// What may become of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// Given up on its channel.
    GivenUp {
        /// The attempt after which it was.
        attempts: i64,
        /// What went wrong.
        why: String,
        /// Whether it may have arrived all the same.
        unknown: bool,
    },
    /// On the person's device.
    Delivered,
    /// It had been taken, and did not arrive.
    Bounced {
        /// What the gateway says.
        why: String,
    },
}

impl Gate {
    /// Takes at most `limit` messages of a channel for sending, the gravest tier first, then by due
    /// instant; they are the caller's for `lease_ms`. Less urgent alerts to somebody who is not to
    /// be disturbed, or who was just sent something, wait; what has waited leaves in one summary.
    ///
    /// # Errors
    /// What the store says.
    pub fn claim_messages(
        &self,
        channel: &str,
        limit: i64,
        lease_ms: i64,
    ) -> Result<Vec<Parcel>, Error> {
        let alerts = self.inner.alerts;
        self.with_hand(|transaction| {
            transaction.flush_later()?;
            let now = self.judged_now(transaction)?;
            let wish = ClaimWish { channel, now, lease_ms, limit, expired: false };
            let mut claimed = transaction.claim_messages(wish)?;
            claimed.extend(transaction.claim_rest(wish, &claimed)?);
            claimed.sort_by_key(|one| (-one.message.tier, one.message.due_at, one.message.id));
            let people: Vec<PersonId> =
                claimed.iter().filter_map(|one| patient(&one.message)).collect();
            let last_sent = if people.is_empty() || alerts.bundle_ms == 0 {
                BTreeMap::new()
            } else {
                transaction.last_sent(channel, &people, now.plus(-alerts.bundle_ms))?
            };
            let whose: BTreeMap<PersonId, &Message> = claimed
                .iter()
                .filter_map(|one| Some((patient(&one.message)?, &one.message)))
                .collect();
            let ends: BTreeMap<PersonId, Instant> = whose
                .iter()
                .filter_map(|(person, message)| Some((*person, self.disturb_from(message, now)?)))
                .collect();
            let (mut parcels, back) = sort(
                claimed.clone(),
                &Habits {
                    now,
                    bundle_ms: alerts.bundle_ms,
                    patience_ms: alerts.patience_ms(false),
                    last_sent,
                    disturb_from: &|person| ends.get(&person).copied(),
                },
            );
            if !back.is_empty() {
                transaction.put_messages_back(&back)?;
            }
            for parcel in parcels.iter_mut().filter(|parcel| parcel.messages.len() > 1) {
                let bundle = parcel.id();
                let ids: Vec<MessageId> = parcel.messages.iter().map(|one| one.id).collect();
                transaction.note_bundle(bundle, &ids)?;
                parcel.messages.iter_mut().for_each(|one| one.bundle = Some(bundle));
            }
            Ok(parcels)
        })
    }

    /// Takes messages of a channel whose deadline has passed, to be given up while the channel may
    /// not send.
    ///
    /// # Errors
    /// What the store says.
    pub fn claim_expired(
        &self,
        channel: &str,
        limit: i64,
        lease_ms: i64,
    ) -> Result<Vec<Message>, Error> {
        self.with_hand(|transaction| {
            let now = self.judged_now(transaction)?;
            let wish = ClaimWish { channel, now, lease_ms, limit, expired: true };
            let claimed = transaction.claim_messages(wish)?;
            Ok(claimed.into_iter().map(|one| one.message).collect())
        })
    }

    /// Gives claims back that were not used.
    ///
    /// # Errors
    /// What the store says.
    pub fn put_back(&self, messages: &[Message], due_at: Instant) -> Result<(), Error> {
        let back: Vec<PutBack> = messages
            .iter()
            .map(|message| PutBack {
                id: message.id,
                attempts: message.attempts,
                due_at,
                deadline_at: message.deadline_at,
            })
            .collect();
        self.with_hand(|transaction| transaction.put_messages_back(&back)).map(drop)
    }

    /// When the recipient of a less urgent message may be disturbed again.
    fn disturb_from(&self, message: &Message, now: Instant) -> Option<Instant> {
        let registry = &self.inner.registry;
        let directory = registry.directory(message.jurisdiction).ok()?;
        let calendar = registry.calendar(message.jurisdiction).ok()?;
        let person = directory.people.get(&message.to.person()?)?;
        let quiet = person.rules.quiet.as_ref();
        let quiet = quiet.and_then(|quiet| quiet.end_after(now, calendar.zone()));
        let mute = registry.mute_of(message.jurisdiction, person.id, now).map(|mute| mute.until);
        quiet.max(mute)
    }

    /// Records attempts that ended: those that are sent or will be tried again, and those of the
    /// house itself that are given up. What became of a message about a matter is told to it by
    /// [`Gate::report`].
    ///
    /// # Errors
    /// What the store says.
    pub fn settle_messages(
        &self,
        endings: &[Ending],
        given_up: &[(Message, String)],
    ) -> Result<(), Error> {
        let now = self.now();
        self.with_hand(|transaction| {
            if given_up.is_empty() {
                transaction.flush_later()?;
            }
            transaction.settle_messages(endings)?;
            for (message, why) in given_up {
                let unknown = false;
                let failed = Settled::Failed { error: why.clone(), unknown };
                let ours = (message.id, message.attempts, failed);
                if transaction.settle_messages(&[ours])? == 0 {
                    continue;
                }
                self.house_failed(transaction, message, why, now)?;
            }
            Ok(())
        })
    }

    /// A message of the house itself goes by the person's next channel; codes, answers and trials
    /// are about their channel alone.
    fn next_of_house(&self, message: &Message, now: Instant) -> Option<Message> {
        if matches!(message.kind, Kind::Code | Kind::Reply | Kind::Test) {
            return None;
        }
        let directory = self.inner.registry.directory(message.jurisdiction).ok()?;
        let tried = std::slice::from_ref(message);
        let channel = next_channel(&directory, message, tried)?;
        let patience = self.inner.alerts.patience_ms(message.urgent);
        // Only two channels have addresses: what stands instead of another is the last resort.
        message.instead_of.is_none().then(|| instead(message, channel, now, patience))
    }

    /// Tells a matter what became of a message about it: the event, the message's row and what
    /// takes its place are one transaction.
    ///
    /// # Errors
    /// `NotFound` when that is known already; what the store says.
    pub async fn report(&self, report: Report) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let shard = ids::shard(report.instance);
        self.send(shard, Job::report(report, reply))?;
        answer.await.map_err(|_closed| Error::Closing)?.map(drop)
    }

    /// The messages of the letter that the gateway of a channel calls so; none if it is not ours.
    ///
    /// # Errors
    /// What the store says.
    pub fn messages_of_reference(
        &self,
        channel: &str,
        reference: &str,
    ) -> Result<Vec<Message>, Error> {
        self.read(|reader| reader.messages_by_reference(channel, reference))
    }

    /// A gateway's word on a message of the house itself. One that did not arrive goes by the
    /// person's next channel, as one that was refused does.
    ///
    /// # Errors
    /// What the store says.
    pub fn mark_house(&self, message: &Message, delivered: bool, why: &str) -> Result<(), Error> {
        let now = self.now();
        self.with_hand(|transaction| {
            if delivered {
                transaction.mark_delivered(message.id, now).map(drop)
            } else if transaction.mark_bounced(message.id, why)? {
                self.house_failed(transaction, message, why, now)
            } else {
                Ok(())
            }
        })?;
        self.inner.wake.notify_waiters();
        Ok(())
    }

    /// The alarm of a message of the house that failed, and what takes its place.
    fn house_failed(
        &self,
        transaction: &mut Transaction<'_>,
        message: &Message,
        why: &str,
        now: Instant,
    ) -> Result<(), store::Error> {
        transaction.count_alarm(&given_up_alarm(message, why, now))?;
        if let Some(mut next) = self.next_of_house(message, now) {
            next.id = MessageId(transaction.reserve_ids("message", 1)?);
            transaction.add_messages(&[next])?;
        }
        Ok(())
    }

    /// How many messages wait on each channel, and since when.
    ///
    /// # Errors
    /// What the store says.
    pub fn queues(&self) -> Result<Vec<Queue>, Error> {
        self.read(store::Reader::queues)
    }
}

/// The person's next channel after those of `tried`: their own rules' order.
pub(super) fn next_channel(
    directory: &Arc<Directory>,
    message: &Message,
    tried: &[Message],
) -> Option<String> {
    let person = directory.people.get(&message.to.person()?).filter(|person| person.active)?;
    let mut ways = person.ways(message.urgent).into_iter();
    let used = |way: &str| tried.iter().any(|one| one.to == message.to && one.channel == way);
    ways.find(|way| !used(way)).map(str::to_owned)
}

/// The message that takes another's place on the person's next channel.
pub(super) fn instead(
    message: &Message,
    channel: String,
    now: Instant,
    patience_ms: i64,
) -> Message {
    let said = message.clone();
    Message {
        instance: said.instance,
        seq: said.seq,
        channel,
        tier: said.tier,
        urgent: said.urgent,
        clock: said.clock,
        offer: said.offer,
        subject: said.subject,
        body: said.body,
        instead_of: Some(message.id),
        ..Message::new(said.jurisdiction, said.to, said.kind, now, patience_ms)
    }
}

/// The operator's alarm of a message that was given up; of one that itself told of alarms it is an
/// alarm that is only shown.
pub(super) fn given_up_alarm(message: &Message, why: &str, now: Instant) -> NewAlarm {
    let Message { id, channel, attempts, .. } = message;
    let to = match message.to {
        Recipient::Person(id) => format!("person {id}"),
        Recipient::Subscription(id) => format!("subscription {id}"),
    };
    let kind = if message.kind == Kind::Alarm { UNHEARD } else { "message_failed" };
    NewAlarm {
        kind: kind.to_owned(),
        jurisdiction: Some(message.jurisdiction),
        instance: message.instance,
        at: now,
        detail: format!(
            "message {id} to {to} by {channel} was given up after {attempts} attempts: {why}"
        ),
    }
}
