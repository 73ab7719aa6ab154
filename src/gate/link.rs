//! Answering a message by its link: a page that shows what it is about, and a button. Looking
//! changes nothing, so that a mail scanner that opens every link acknowledges nothing.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::delivery::instead;
use super::error::Error;
use super::offer::by_message;
use super::sealing::Deed;
use super::{Caller, Done, Gate, Request, Seen, Target, number_of};
use crate::chart::Chart;
use crate::domain::{
    Actor, Directory, Door, InstanceId, Kind, Message, MessageId, Person, Recipient, Refusal, Text,
};
use crate::engine::{ACKNOWLEDGE, acknowledges};
use crate::policy::{self, Act, Relation};
use crate::store::MessageFilter;

/// How long a link can be used: seven days. A matter that is still open then has told its people
/// again.
const GOOD_FOR_MS: i64 = 7 * 24 * 3_600_000;

/// So many of a person's newest messages are looked at for those of a summary.
const LOOK_AT: i64 = 200;

/// Digits of a public id without its prefix.
const ID_LENGTH: usize = 13;

/// Digits of the signature: five bits each.
const SIGNATURE_LENGTH: usize = 10;

/// What a link shows.
#[derive(Debug, Clone)]
pub struct Linked {
    /// The message.
    pub message: Message,
    /// Whose office wrote it.
    pub office: Text,
    /// The person it was written to.
    pub person: Person,
    /// What people call the matter; none for messages of the house itself.
    pub number: Option<String>,
    /// How the matter stands now, in words.
    pub status: Option<Text>,
    /// The command that it offers besides acknowledging, if that is possible now.
    pub offer: Option<(String, Text)>,
    /// What the button of that command says, if the person must sign in to give it.
    pub sign_in: Option<Text>,
    /// The other messages that left in one summary with it.
    pub others: Vec<Bundled>,
}

/// Another message of the same summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundled {
    /// Of its own link.
    pub token: String,
    /// What it says.
    pub sentence: String,
    /// Whether it has been acknowledged.
    pub acknowledged: bool,
}

impl Gate {
    /// The signed part of the link of a message: whoever has it may acknowledge this message, and
    /// give the command it offers if that needs no second factor, and nothing else.
    #[must_use]
    pub fn link_token(&self, message: &Message) -> String {
        let id = self.public_ids().link(message.id);
        let signature = self.signature(&id);
        format!("{id}{signature}")
    }

    fn signature(&self, id: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.inner.link_secret) else {
            // HMAC takes keys of every length.
            return String::new();
        };
        mac.update(b"message ");
        mac.update(id.as_bytes());
        let bytes = mac.finalize().into_bytes();
        let mut number =
            bytes.iter().take(8).fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
        number >>= 64 - 5 * SIGNATURE_LENGTH;
        super::public_id::digits(number, SIGNATURE_LENGTH)
    }

    /// What the link with this token shows. Blocks.
    ///
    /// # Errors
    /// `NotFound` for a token that was never given out, whose message or person is gone, or that is
    /// too old.
    pub fn linked(&self, token: &str) -> Result<Linked, Error> {
        let token = token.to_ascii_uppercase();
        let (id, signature) = token.split_at_checked(ID_LENGTH).ok_or(Error::NotFound)?;
        if !same(self.signature(id).as_bytes(), signature.as_bytes()) {
            return Err(Error::NotFound);
        }
        let id = self.public_ids().read_link(id).ok_or(Error::NotFound)?;
        let message = self.read(|reader| reader.message(id))?.ok_or(Error::NotFound)?;
        if self.now().since(message.created_at) > GOOD_FOR_MS {
            return Err(Error::NotFound);
        }
        self.inner.registry.turn(self.now());
        let directory = self.inner.registry.directory(message.jurisdiction)?;
        let person = addressee(&directory, &message)?;
        let mut linked = Linked {
            office: directory.name.clone(),
            person,
            number: None,
            status: None,
            offer: None,
            sign_in: None,
            others: self.bundled(&message)?,
            message,
        };
        if let Some(id) = linked.message.instance {
            // Who may not see the matter any more sees what he was sent, and no more.
            match self.instance(&caller(&linked), id) {
                Ok(seen) => self.describe(&mut linked, &seen)?,
                Err(Error::NotFound | Error::Forbidden) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(linked)
    }

    /// The others of a summary: an SMS names only their numbers, and has one link.
    fn bundled(&self, message: &Message) -> Result<Vec<Bundled>, Error> {
        let first = message.bundle.unwrap_or(message.id);
        let filter = MessageFilter {
            jurisdiction: Some(message.jurisdiction),
            person: message.to.person(),
            channel: Some(message.channel.clone()),
            ..MessageFilter::default()
        };
        let messages = self.read(|reader| reader.messages(&filter, LOOK_AT))?;
        let ours = |one: &Message| one.bundle == Some(first) || one.id == first;
        let others = messages.iter().rev().filter(|one| ours(one) && one.id != message.id);
        let bundled = |one: &Message| Bundled {
            token: self.link_token(one),
            sentence: one.body.clone(),
            acknowledged: one.acknowledged_at.is_some(),
        };
        Ok(others.map(bundled).collect())
    }

    fn describe(&self, linked: &mut Linked, seen: &Seen) -> Result<(), Error> {
        let instance = &seen.instance;
        let chart: Arc<Chart> = self.inner.registry.chart(instance.definition)?;
        linked.number = Some(number_of(instance.family));
        let status = chart.statuses.get(&instance.status).cloned();
        linked.status = Some(status.unwrap_or_else(|| {
            let node = chart.find(&instance.state).and_then(|leaf| chart.node(leaf));
            node.map(|node| node.title.clone()).unwrap_or_default()
        }));
        let offered = self.offered(&linked.message, &linked.person, (&chart, instance))?;
        let Some(offered) = offered else { return Ok(()) };
        let (possible, _) = self.possible(&caller(linked), seen)?;
        if !possible.contains(&offered.command) {
            return Ok(());
        }
        if offered.needs_sign_in {
            linked.sign_in = Some(offered.title);
        } else {
            linked.offer = Some((offered.command, offered.title));
        }
        Ok(())
    }

    /// Acknowledges the message of a link, or gives the command that it offers. A second time
    /// changes nothing.
    ///
    /// # Errors
    /// As for [`Gate::linked`]; a refusal for a command that is not offered, or not possible any
    /// more.
    pub async fn answer_link(&self, linked: &Linked, offered: bool) -> Result<Option<Done>, Error> {
        let command = match (&linked.offer, offered) {
            (Some((command, _)), true) => command.clone(),
            (None, true) => return Err(Error::Refused(not_offered())),
            (_, false) => ACKNOWLEDGE.to_owned(),
        };
        if !offered && linked.message.acknowledged_at.is_some() {
            return Ok(None);
        }
        // That somebody has seen it is said by whoever he is; more only by what needs no second factor.
        let Caller { actor, jurisdiction } =
            if offered { self.acting(linked)? } else { caller(linked) };
        let actor = actor.answering(Door::Link, linked.message.id);
        let caller = Caller { actor, jurisdiction };
        self.answer_message(&linked.message, &caller, &command).await
    }

    fn acting(&self, linked: &Linked) -> Result<Caller, Error> {
        let whose = linked.message.jurisdiction;
        let directory = self.inner.registry.directory(whose)?;
        Ok(by_message(&directory, &linked.person, whose))
    }

    /// Acknowledges a message of the caller's own.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` for a message that is not the caller's; a refusal; what the store says.
    pub async fn acknowledge_message(&self, caller: &Caller, id: MessageId) -> Result<(), Error> {
        let Actor::Person { id: who, .. } = &caller.actor else { return Err(Error::NotFound) };
        if !policy::may_at(&caller.actor, Act::AnswerMessage, Relation::Own, None) {
            return Err(Error::Forbidden);
        }
        let gate = self.clone();
        let found = tokio::task::spawn_blocking(move || gate.read(|reader| reader.message(id)));
        let found = found.await.map_err(|_ended| Error::Closing)??;
        let own = |message: &Message| {
            message.jurisdiction == caller.jurisdiction && message.to == Recipient::Person(*who)
        };
        let message = found.filter(own).ok_or(Error::NotFound)?;
        if message.acknowledged_at.is_some() {
            return Ok(());
        }
        // A token for answers need not be one for commands, though the matter hears of it by one.
        let mut caller = caller.clone();
        if let Actor::Person { via: Some(via), .. } = &mut caller.actor {
            via.scope.acts.clear();
        }
        self.answer_message(&message, &caller, ACKNOWLEDGE).await.map(drop)
    }

    /// Sends a message once more: a new row, to the same person on the same channel. For those who
    /// operate the house. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; `Invalid` for a code, which is worth nothing a second time.
    pub fn resend(&self, caller: &Caller, id: MessageId) -> Result<MessageId, Error> {
        self.permit(caller, Act::Operate)?;
        let message = self.read(|reader| reader.message(id))?;
        let message = message.filter(|m| m.jurisdiction == caller.jurisdiction);
        let message = message.ok_or(Error::NotFound)?;
        if message.kind == Kind::Code {
            let en = "a code is not sent twice: let the person ask for a new one";
            return Err(Error::invalid("验证码不重发，请本人重新获取", en));
        }
        let patience = self.inner.alerts.patience_ms(message.urgent);
        let mut again = instead(&message, message.channel.clone(), self.now(), patience);
        let deed = Deed::of(caller, "message_resent", format!("message:{id}"));
        let sent = self.administer(deed, |transaction, _| {
            again.id = MessageId(transaction.reserve_ids("message", 1)?);
            transaction.add_messages(std::slice::from_ref(&again))?;
            Ok(again.id)
        })?;
        self.inner.wake.notify_waiters();
        Ok(sent)
    }

    /// The matter that hears of an answer to a message; none where the row alone says it. Workflows that
    /// were published before the name was reserved may have an `acknowledge` of their own, which is more
    /// than that somebody has seen a message.
    async fn matter_told(
        &self,
        message: &Message,
        command: &str,
    ) -> Result<Option<InstanceId>, Error> {
        let Some(id) = message.instance.filter(|_| command == ACKNOWLEDGE) else {
            return Ok(message.instance);
        };
        let gate = self.clone();
        let found = tokio::task::spawn_blocking(move || gate.read(|reader| reader.instance(id)));
        let found = found.await.map_err(|_ended| Error::Closing)??;
        let Some((instance, _)) = found else { return Ok(Some(id)) };
        let chart = self.inner.registry.chart(instance.definition)?;
        Ok(acknowledges(&chart, ACKNOWLEDGE).then_some(id))
    }

    /// Gives a command in answer to a message; the message is acknowledged by it.
    ///
    /// # Errors
    /// A refusal; what the store says.
    pub async fn answer_message(
        &self,
        message: &Message,
        caller: &Caller,
        command: &str,
    ) -> Result<Option<Done>, Error> {
        let Some(instance) = self.matter_told(message, command).await? else {
            let (gate, id, now) = (self.clone(), message.id, self.now());
            let marked = tokio::task::spawn_blocking(move || {
                gate.with_hand(|transaction| transaction.mark_acknowledged(id, now))
            });
            return marked.await.map_err(|_ended| Error::Closing)?.map(|()| None);
        };
        let mut input = serde_json::Map::new();
        if let (ACKNOWLEDGE, Some((clock, _))) = (command, &message.clock) {
            input.insert("clock".to_owned(), clock.clone().into());
        }
        let request = Request {
            caller: caller.clone(),
            target: Target::Instance(instance),
            command: command.to_owned(),
            input,
            occurred_at: None,
            key: None,
            if_version: None,
            about: Some(message.id),
        };
        self.submit(request).await.map(Some)
    }
}

/// The person a message was written to, as long as they may act.
fn addressee(directory: &Directory, message: &Message) -> Result<Person, Error> {
    let Recipient::Person(id) = message.to else { return Err(Error::NotFound) };
    let person = directory.people.get(&id).filter(|person| person.active);
    person.cloned().ok_or(Error::NotFound)
}

fn caller(linked: &Linked) -> Caller {
    let Person { id, grants, .. } = &linked.person;
    Caller { actor: Actor::person(*id, grants.clone()), jurisdiction: linked.message.jurisdiction }
}

fn not_offered() -> Refusal {
    Refusal::new(
        "not_offered",
        Text::new(
            "此消息未提供该操作，或该操作现已不可用",
            "The message does not offer this, or it is no longer possible",
        ),
    )
}

/// Compared in the same time wherever they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differs == 0
}
