//! A committer's part in telling a matter what became of a message about it.

use super::Done;
use super::batch::{Draft, Mark};
use super::committer::Work;
use super::delivery::{Became, Report, given_up_alarm, instead, next_channel};
use super::error::Error;
use crate::domain::person::CONSOLE;
use crate::domain::{Actor, Command, Delivery, Instant, Message, Recipient, Value};
use crate::engine::{RECEIPT, family};
use crate::store::Transaction;

impl Work<'_> {
    /// The event, the row and what takes the message's place.
    pub(super) fn report(
        &mut self,
        transaction: &mut Transaction<'_>,
        draft: &mut Draft,
        report: &Report,
        now: Instant,
    ) -> Result<Done, Error> {
        let message = transaction.message(report.message)?.ok_or(Error::NotFound)?;
        let known = draft.marks.iter().any(|mark| mark.message() == message.id);
        if known || !is_news(&message, &report.became) {
            return Err(Error::NotFound);
        }
        let family = draft.instance(report.instance).ok_or(Error::NotFound)?.family;
        let (next, dead) = match &report.became {
            Became::Delivered => (None, false),
            Became::GivenUp { .. } | Became::Bounced { .. } => {
                self.consequences(transaction, draft, &message, report)?
            }
        };
        let command = command(&message, &report.became, next.as_deref(), dead);
        let mut desk = self.desk(transaction, draft, now, Some(family));
        let decisions = family::act(&mut desk, report.instance, &Actor::System, &command)?;
        let done = self.keep(draft, decisions)?;
        if let Some(channel) = next {
            let patience = self.setting.alerts.patience_ms(message.urgent);
            draft.messages.push(instead(&message, channel, now, patience));
        }
        draft.marks.push(match &report.became {
            Became::Delivered => Mark::Delivered(message.id, now),
            Became::Bounced { why } => {
                draft.alarms.push(given_up_alarm(&message, why, now));
                Mark::Bounced(message.id, why.clone())
            }
            Became::GivenUp { why, unknown, .. } => {
                draft.alarms.push(given_up_alarm(&message, why, now));
                Mark::GivenUp(message.id, message.attempts, why.clone(), *unknown)
            }
        });
        Ok(done)
    }

    /// The person's next channel; and if there is none, whether nobody at all was reached by what
    /// the event told.
    fn consequences(
        &self,
        transaction: &mut Transaction<'_>,
        draft: &Draft,
        message: &Message,
        report: &Report,
    ) -> Result<(Option<String>, bool), Error> {
        if matches!(message.to, Recipient::Subscription(_)) {
            return Ok((None, false));
        }
        let mut siblings = transaction.messages_of_event(report.instance, message.seq)?;
        for sibling in &mut siblings {
            if draft.marks.iter().any(|mark| mark.fails(sibling.id)) {
                sibling.state = Delivery::Failed;
            }
        }
        let replaced = draft.messages.iter().filter(|m| m.instance == Some(report.instance));
        siblings.extend(replaced.filter(|m| m.seq == message.seq).cloned());
        let directory = self.setting.registry.directory(message.jurisdiction)?;
        let next = next_channel(&directory, message, &siblings);
        // Of one step only: what the same event told others says nothing of those it meant.
        let of_step = |one: &&Message| one.clock == message.clock;
        let reached = siblings.iter().filter(of_step).any(|one| {
            one.id != message.id
                && one.to.person().is_some()
                && one.channel != CONSOLE
                && one.state != Delivery::Failed
        });
        Ok((next.clone(), next.is_none() && !reached))
    }
}

/// Whether the row does not say so yet.
fn is_news(message: &Message, became: &Became) -> bool {
    match became {
        Became::GivenUp { attempts, .. } => {
            message.state == Delivery::Waiting && message.attempts == *attempts
        }
        Became::Delivered | Became::Bounced { .. } => message.state == Delivery::Sent,
    }
}

/// The command that makes it a fact of the matter.
fn command(message: &Message, became: &Became, next: Option<&str>, dead: bool) -> Command {
    let (result, why) = match became {
        Became::GivenUp { why, .. } => ("given_up", Some(why)),
        Became::Delivered => ("delivered", None),
        Became::Bounced { why } => ("failed", Some(why)),
    };
    let mut command = Command::new(RECEIPT)
        .with("message", message.id.0)
        .with("channel", message.channel.as_str())
        .with("result", result);
    command = match message.to {
        Recipient::Person(id) => command.with("person", id.0),
        Recipient::Subscription(id) => command.with("subscription", id.0),
    };
    if let Some(why) = why {
        command = command.with("why", why.as_str());
    }
    if let Some(next) = next {
        command = command.with("next", next);
    }
    if dead {
        command = command.with("dead", Value::Bool(true));
    }
    if let Some((clock, entry)) = message.clock.as_ref().filter(|_| dead) {
        command = command.with("clock", clock.as_str()).with("entry", *entry);
    }
    command
}
