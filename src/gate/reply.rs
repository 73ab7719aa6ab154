//! Answering a message by SMS: `1` acknowledges, `2` gives the command that the message offers unless that
//! needs a second factor, and a number says which matter is meant where there may be several.

use std::collections::BTreeMap;

use super::error::Error;
use super::offer::{Offered, by_message};
use super::{Caller, Gate, Note, number_of};
use crate::domain::{
    Actor, Directory, Door, InstanceId, JurisdictionId, Kind, Message, MessageId, Person, PersonId,
    Text,
};
use crate::engine::ACKNOWLEDGE;
use crate::store::MessageFilter;
use crate::template::About;

/// So far back an answer may reach: three days.
const REACH_MS: i64 = 72 * 3_600_000;

/// So many of a person's newest messages are looked at.
const LOOK_AT: i64 = 100;

/// Within so many milliseconds a person is answered at most …
const SAID_WITHIN_MS: i64 = 10 * 60_000;

/// … so often when the reply did something …
const DONE_MOST: i64 = 20;

/// … and so often when it did not.
const OTHER_MOST: i64 = 3;

/// What became of a reply: who is to be told what. None if the number is nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replied {
    /// The person the number belongs to.
    pub person: Person,
    /// Where.
    pub jurisdiction: JurisdictionId,
    /// Whether anything was done.
    pub done: bool,
    /// What is answered.
    pub answer: Text,
}

/// What waits for somebody's answer, each with the command that it is about, by the matter's family.
type Open = BTreeMap<InstanceId, Vec<(Message, Option<Offered>)>>;

/// What a reply asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wish {
    offered: bool,
    number: Option<i64>,
}

/// Reads a reply; digits may be written full width, as Chinese keyboards like to.
fn read(text: &str) -> Option<Wish> {
    let plain: String = text
        .chars()
        .map(|c| match u32::from(c) {
            wide @ 0xFF10..=0xFF19 => char::from_u32(wide - 0xFF10 + 0x30).unwrap_or(c),
            _ => c,
        })
        .collect();
    let mut words = plain.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
    let first = words.next()?;
    let number = match words.next() {
        Some(number) => Some(number.parse().ok()?),
        None => None,
    };
    let offered = match first {
        "1" => false,
        "2" => true,
        _ => return None,
    };
    Some(Wish { offered, number })
}

/// The digits of a telephone number without the country's code.
fn digits(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let bare = digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86"));
    bare.filter(|bare| bare.len() >= 11).map_or(digits.clone(), str::to_owned)
}

impl Gate {
    /// Does what a reply by SMS asks. None when the number belongs to nobody, which is only counted:
    /// answering strangers would let anybody make the house write.
    ///
    /// # Errors
    /// What the store says.
    pub async fn reply(&self, from: &str, text: &str) -> Result<Option<Replied>, Error> {
        let people = self.people_of(from);
        let Some(first) = people.first().cloned() else { return Ok(None) };
        let wish = read(text);
        let (jurisdiction, person, fitting) = match wish {
            Some(wish) => self.meant(people, wish).await?,
            None => (first.0, first.1, BTreeMap::new()),
        };
        let caller =
            Caller { actor: Actor::person(person.id, person.grants.clone()), jurisdiction };
        let directory = self.inner.registry.directory(jurisdiction)?;
        let acting = by_message(&directory, &person, jurisdiction);
        let answered = |done: bool, answer: Text| {
            let person = person.clone();
            Some(Replied { person, jurisdiction, done, answer })
        };
        let Some(wish) = wish else { return Ok(answered(false, not_understood())) };
        // Anybody can write another's number into an SMS: what that allows is at most an
        // acknowledgement, unless the number was proved to be the person's.
        if wish.offered && person.verified_at("sms").is_none() {
            return Ok(answered(false, unproved()));
        }
        let mut matters = fitting.into_iter();
        let (family, messages) = match (matters.next(), matters.next()) {
            (None, _) => return Ok(answered(false, nothing_open(wish.number))),
            (Some(only), None) => only,
            (Some((one, _)), Some((other, _))) => {
                return Ok(answered(false, which(one, other)));
            }
        };
        let mut said = None;
        for (message, offered) in &messages {
            let (command, caller) = match (wish.offered, offered) {
                (false, _) => (ACKNOWLEDGE, &caller),
                (true, Some(offered)) if offered.needs_sign_in => {
                    said.get_or_insert((false, sign_in_first(&offered.title)));
                    continue;
                }
                (true, Some(offered)) => (offered.command.as_str(), &acting),
                (true, None) => continue,
            };
            let actor = caller.actor.clone().answering(Door::Sms, message.id);
            let caller = Caller { actor, jurisdiction };
            match self.answer_message(message, &caller, command).await {
                Ok(_) => said = Some((true, done(family, wish.offered))),
                Err(Error::Refused(refusal)) => {
                    let reasons: Vec<&Text> = refusal.reasons.iter().map(|r| &r.text).collect();
                    let zh: Vec<&str> = reasons.iter().map(|text| text.zh.as_str()).collect();
                    let en: Vec<&str> = reasons.iter().map(|text| text.en.as_str()).collect();
                    said.get_or_insert((false, Text::new(zh.join("；"), en.join("; "))));
                }
                Err(Error::NotFound) => {
                    said.get_or_insert((false, nothing_open(Some(family.0))));
                }
                Err(error) => return Err(error),
            }
            if wish.offered && said.as_ref().is_some_and(|(done, _)| *done) {
                break;
            }
        }
        let (done, answer) = said.unwrap_or_else(|| (false, nothing_offered(family)));
        Ok(answered(done, answer))
    }

    /// Writes what a reply is answered with, unless so many were answered lately that it may be a
    /// machine that answers our answers. What a reply asked is done all the same. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn say_back(&self, replied: &Replied, channel: &str) -> Result<(), Error> {
        let Replied { person, jurisdiction, answer, .. } = replied;
        let sentence = answer.say(person.rules.language).to_owned();
        let note = Note {
            person: person.id,
            channel: Some(channel.to_owned()),
            kind: Kind::Reply,
            urgent: true,
            about: About { sentence, ..About::default() },
        };
        let now = self.now();
        let Some(mut message) = self.compose(*jurisdiction, &note, now)? else {
            return Ok(());
        };
        let most = if replied.done { DONE_MOST } else { OTHER_MOST };
        let (to, since) = ((person.id, channel), now.plus(-SAID_WITHIN_MS));
        let written = self.write_and_ring(|transaction| {
            if transaction.written_after(to, Kind::Reply, since)? >= most {
                return Ok(false);
            }
            message.id = MessageId(transaction.reserve_ids("message", 1)?);
            transaction.add_messages(std::slice::from_ref(&message))?;
            Ok(true)
        })?;
        if !written {
            tracing::warn!(person = %person.id, "a reply is not answered: too many came lately");
        }
        Ok(())
    }

    /// The active people with this telephone number: several where a unit's duty telephone is theirs.
    fn people_of(&self, from: &str) -> Vec<(JurisdictionId, Person)> {
        let wanted = digits(from);
        let registry = self.registry();
        registry.turn(self.now());
        let mut found = Vec::new();
        for id in registry.jurisdictions() {
            let Ok(directory) = registry.directory(id) else { continue };
            found.extend(with_phone(&directory, &wanted).into_iter().map(|one| (id, one.clone())));
        }
        found
    }

    /// Of the people with a number the one whose reply it is, with what it may be about: whoever was
    /// told something there that waits for an answer, and was offered a command if one is given.
    async fn meant(
        &self,
        people: Vec<(JurisdictionId, Person)>,
        wish: Wish,
    ) -> Result<(JurisdictionId, Person, Open), Error> {
        let mut meant: Option<(JurisdictionId, Person, Open)> = None;
        for (jurisdiction, person) in people {
            let (gate, who) = (self.clone(), person.clone());
            let open = tokio::task::spawn_blocking(move || gate.unanswered(jurisdiction, &who));
            let mut open = open.await.map_err(|_ended| Error::Closing)??;
            open.retain(|family, _| wish.number.is_none_or(|number| number == family.0));
            let here = |offered: &Offered| !offered.needs_sign_in;
            let mut waiting = open.values().flatten();
            let offers = waiting.any(|(_, offered)| offered.as_ref().is_some_and(here));
            let fits = !open.is_empty() && (offers || !wish.offered);
            let better = meant.as_ref().is_none_or(|(_, _, known)| known.is_empty());
            if fits || better {
                meant = Some((jurisdiction, person, open));
            }
            if fits {
                break;
            }
        }
        meant.ok_or(Error::NotFound)
    }

    /// Alerts by SMS to a person that were not acknowledged, by the matter's family, the newest of
    /// each instance only.
    fn unanswered(&self, whose: JurisdictionId, person: &Person) -> Result<Open, Error> {
        let since = self.now().plus(-REACH_MS);
        let filter = to_person(whose, person.id);
        let messages = self.read(|reader| reader.messages(&filter, LOOK_AT))?;
        let mut seen: Vec<InstanceId> = Vec::new();
        let mut open = Open::new();
        for message in messages {
            let Some(id) = message.instance else { continue };
            if message.created_at < since
                || message.sent_at.is_none()
                || message.acknowledged_at.is_some()
                || seen.contains(&id)
            {
                continue;
            }
            seen.push(id);
            if let Some((instance, _)) = self.read(|reader| reader.instance(id))? {
                let chart = self.inner.registry.chart(instance.definition)?;
                let offered = self.offered(&message, person, (&chart, &instance))?;
                open.entry(instance.family).or_default().push((message, offered));
            }
        }
        Ok(open)
    }
}

fn with_phone<'d>(directory: &'d Directory, wanted: &str) -> Vec<&'d Person> {
    let people = directory.people.values().filter(|person| person.active);
    let fits = |phone: &String| !wanted.is_empty() && digits(phone) == wanted;
    people.filter(|person| person.phone.as_ref().is_some_and(fits)).collect()
}

fn to_person(jurisdiction: JurisdictionId, person: PersonId) -> MessageFilter {
    MessageFilter {
        jurisdiction: Some(jurisdiction),
        person: Some(person),
        channel: Some("sms".to_owned()),
        kind: Some(Kind::Alert),
        ..MessageFilter::default()
    }
}

fn not_understood() -> Text {
    Text::new(
        "未能识别。回复“1 编号”确认收到，回复“2 编号”办理所提示的操作。",
        "Not understood. Reply `1 number` to acknowledge, `2 number` to do what the message offers.",
    )
}

fn unproved() -> Text {
    Text::new(
        "您的手机号尚未验证，不能以短信办理；请用短信中的链接办理，或登录后验证手机号。",
        "Your number is not proved, so that it may only acknowledge. Use the link, or prove the \
         number once.",
    )
}

fn sign_in_first(title: &Text) -> Text {
    Text::new(
        format!("“{}”须登录系统并用动态口令办理，不能以短信办理。", title.zh),
        format!("Sign in with a code of your device to: {}. A reply cannot do it.", title.en),
    )
}

fn nothing_open(number: Option<i64>) -> Text {
    match number {
        Some(number) => Text::new(
            format!("没有需要您确认的事项{number:08}。"),
            format!("Nothing about {number:08} waits for you."),
        ),
        None => Text::new("没有需要您确认的事项。", "Nothing waits for your acknowledgement."),
    }
}

fn which(one: InstanceId, other: InstanceId) -> Text {
    let (one, other) = (number_of(one), number_of(other));
    Text::new(
        format!("有多个事项，请带编号回复，如“1 {one}”或“1 {other}”。"),
        format!("Several matters wait; reply with a number, `1 {one}` or `1 {other}`."),
    )
}

fn nothing_offered(family: InstanceId) -> Text {
    let number = number_of(family);
    Text::new(
        format!("事项{number}没有可直接办理的操作，回复“1 {number}”确认收到。"),
        format!("{number} offers nothing to do by reply; `1 {number}` acknowledges."),
    )
}

fn done(family: InstanceId, offered: bool) -> Text {
    let number = number_of(family);
    if offered {
        Text::new(format!("事项{number}已办理。"), format!("{number}: done."))
    } else {
        Text::new(format!("事项{number}已确认收到。"), format!("{number}: acknowledged."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_as_people_write_them() {
        let plain = |offered, number| Some(Wish { offered, number });
        assert_eq!(read("1"), plain(false, None));
        assert_eq!(read(" 1 00000012 "), plain(false, Some(12)));
        assert_eq!(read("１　１２"), plain(false, Some(12)));
        assert_eq!(read("回复2，编号00000012。"), plain(true, Some(12)));
        assert_eq!(read("好的"), None);
        assert_eq!(read("3 12"), None);
        assert_eq!(read("1 99999999999999999999999"), None);
    }

    #[test]
    fn a_number_is_the_same_with_and_without_the_countrys_code() {
        for phone in ["13812345678", "+86 138 1234 5678", "0086-13812345678", "8613812345678"] {
            assert_eq!(digits(phone), "13812345678", "{phone}");
        }
        assert_eq!(digits("86123"), "86123");
    }
}
