//! How people are reached: addresses proved by codes, personal rules, trials. The person itself
//! sees to them, or an administrator.

use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::error::Error;
use super::letters::Note;
use super::sealing::Deed;
use super::{Caller, Gate};
use crate::domain::event::Hash;
use crate::domain::mask::masked;
use crate::domain::{
    Actor, Directory, Instant, Kind, MessageId, Person, PersonId, Refusal, Rules, Text, Verified,
};
use crate::policy::{self, Act};
use crate::store::VerificationRow;
use crate::template::About;

/// Channels on which a person has an address that can be proved.
const PROVABLE: [&str; 2] = ["sms", "email"];

/// Channels that a person may wish for.
const WISHED: [&str; 3] = ["sms", "email", "console"];

/// A code is good for so many minutes …
const CODE_MINUTES: i64 = 10;

/// … and bears so many wrong answers.
const CODE_TRIES: i64 = 5;

/// So many codes, or trials, are written to one address …
const AT_MOST: i64 = 3;

/// … within so many milliseconds.
const WITHIN: i64 = 10 * MINUTE;

const MINUTE: i64 = 60_000;

/// An address of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The channel.
    pub channel: &'static str,
    /// The address; masked for others than the person itself and administrators.
    pub address: String,
    /// Since when it is proved.
    pub verified_at: Option<Instant>,
}

impl Gate {
    /// Where the caller is, and a person there whom the caller may speak for: itself, or anybody for
    /// an administrator.
    pub(super) fn speak_for(
        &self,
        caller: &Caller,
        id: PersonId,
    ) -> Result<(Arc<Directory>, Person), Error> {
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        let person = directory.people.get(&id).cloned().ok_or(Error::NotFound)?;
        if is_self(caller, id) || policy::may(&caller.actor, Act::KeepContacts) {
            Ok((directory, person))
        } else {
            Err(Error::Forbidden)
        }
    }

    /// The addresses of a person, and which of them are proved.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when there is no such person.
    pub fn contacts(&self, caller: &Caller, id: PersonId) -> Result<Vec<Contact>, Error> {
        let directory = self.directory(caller)?;
        let person = directory.people.get(&id).ok_or(Error::NotFound)?;
        let open = self.speak_for(caller, id).is_ok();
        let contact = |channel: &'static str| {
            let address = person.address(channel)?;
            let address = if open { address.to_owned() } else { masked(address) };
            Some(Contact { channel, address, verified_at: person.verified_at(channel) })
        };
        Ok(PROVABLE.into_iter().filter_map(contact).collect())
    }

    /// Sends a code to the present address of a person on a channel; answers until when it is good.
    /// It takes the place of an earlier one. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Invalid` for a channel without addresses; `Refused` when the person
    /// has no address there, or had too many codes lately.
    pub fn send_code(
        &self,
        caller: &Caller,
        id: PersonId,
        channel: &str,
    ) -> Result<Instant, Error> {
        let (_, person) = self.speak_for(caller, id)?;
        let address = provable(&person, channel)?.to_owned();
        let mut bytes = [0_u8; 24];
        (self.inner.entropy)(&mut bytes);
        let (salt, number) = bytes.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        let number = number.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let code = format!("{:06}", number % 1_000_000);
        let now = self.now();
        let row = VerificationRow {
            person: id,
            channel: channel.to_owned(),
            jurisdiction: caller.jurisdiction,
            address,
            salt: *salt,
            hash: hash(salt, &code),
            sent_at: now,
            until: now.plus(CODE_MINUTES * MINUTE),
            tries_left: CODE_TRIES,
        };
        let about = About { code, minutes: CODE_MINUTES, ..About::default() };
        let until = row.until;
        self.write_to(caller, (id, channel), Kind::Code, about, Some(&row))?;
        Ok(until)
    }

    /// Writes a trial to a person on a channel. Blocks.
    ///
    /// # Errors
    /// As for [`Gate::send_code`].
    pub fn send_trial(
        &self,
        caller: &Caller,
        id: PersonId,
        channel: &str,
    ) -> Result<MessageId, Error> {
        let (_, person) = self.speak_for(caller, id)?;
        provable(&person, channel)?;
        self.write_to(caller, (id, channel), Kind::Test, About::default(), None)
    }

    /// Writes an urgent message to one address, unless there were too many of the kind lately.
    fn write_to(
        &self,
        caller: &Caller,
        (id, channel): (PersonId, &str),
        kind: Kind,
        about: About,
        code: Option<&VerificationRow>,
    ) -> Result<MessageId, Error> {
        let now = self.now();
        let channel = Some(channel.to_owned());
        let note = Note { person: id, channel, kind, urgent: true, about };
        let message = self.compose(caller.jurisdiction, &note, now)?;
        let message = message.ok_or_else(|| {
            refusal("inactive", "该人员已停用，不再接收消息", "the person is no longer active")
        })?;
        let written = self.write_and_ring(|transaction| {
            let to = (id, message.channel.as_str());
            if transaction.written_after(to, kind, now.plus(-WITHIN))? >= AT_MOST {
                return Ok(None);
            }
            if let Some(row) = code {
                transaction.put_verification(row)?;
            }
            let mut rows = [message];
            transaction.write_messages(&mut rows)?;
            let [message] = rows;
            Ok(Some(message.id))
        })?;
        written.ok_or_else(|| {
            refusal(
                "too_many_messages",
                "发送过于频繁，请十分钟后再试",
                "three such messages were sent within ten minutes; try again later",
            )
        })
    }

    /// Proves an address by the code that was sent there; answers when. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Refused` with `no_code` (none was sent, it has expired, its tries
    /// are used up, or the address has changed since) or `wrong_code`.
    pub fn prove_contact(
        &self,
        caller: &Caller,
        id: PersonId,
        channel: &str,
        code: &str,
    ) -> Result<Instant, Error> {
        let (_, person) = self.speak_for(caller, id)?;
        let address = provable(&person, channel)?;
        let no_code = || {
            refusal(
                "no_code",
                "没有可用的验证码，请重新获取",
                "no code for this address is good now; ask for another one",
            )
        };
        let owner = caller.jurisdiction;
        let deed = Deed::of(caller, "contact_code_tried", format!("person:{id}"));
        let deed = deed.with(json!({ "channel": channel }));
        let right = self.administer(deed, |transaction, now| {
            let row = transaction.verification(id, channel)?;
            let good = |row: &VerificationRow| row.address == address && now < row.until;
            let Some(row) = row.filter(good) else { return Ok(None) };
            // A try is taken before the answer is looked at: guessing is no cheaper in parallel.
            if !transaction.take_try(id, channel)? {
                return Ok(None);
            }
            if hash(&row.salt, code.trim()) != row.hash {
                return Ok(Some(Err(row.tries_left - 1)));
            }
            let proof = Verified { address: row.address, at: now };
            transaction.prove(owner, id, channel, &proof)?;
            Ok(Some(Ok(now)))
        })?;
        match right.ok_or_else(no_code)? {
            Ok(at) => Ok(at),
            Err(left) => Err(refusal(
                "wrong_code",
                format!("验证码不正确，还可尝试{left}次"),
                format!("this is not the code; {left} tries are left"),
            )),
        }
    }

    /// A person's own rules.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub fn rules_of(&self, caller: &Caller, id: PersonId) -> Result<Rules, Error> {
        Ok(self.speak_for(caller, id)?.1.rules)
    }

    /// Replaces a person's own rules. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Invalid` with what is wrong with them.
    pub fn put_rules(&self, caller: &Caller, id: PersonId, rules: &Rules) -> Result<(), Error> {
        self.speak_for(caller, id)?;
        sound(rules)?;
        let deed = Deed::of(caller, "rules_put", format!("person:{id}"));
        self.administer(deed, |transaction, _| {
            transaction.set_rules(caller.jurisdiction, id, rules)
        })
    }
}

fn is_self(caller: &Caller, person: PersonId) -> bool {
    matches!(caller.actor, Actor::Person { id, .. } if id == person)
}

/// The person's address on a channel that has addresses.
fn provable<'p>(person: &'p Person, channel: &str) -> Result<&'p str, Error> {
    if !PROVABLE.contains(&channel) {
        let known = PROVABLE.join(", ");
        return Err(Error::invalid(
            format!("渠道“{channel}”没有联系地址；有地址的渠道：{known}"),
            format!("there are no addresses on `{channel}`; there are on: {known}"),
        ));
    }
    person.address(channel).filter(|address| !address.is_empty()).ok_or_else(|| {
        refusal(
            "no_address",
            "该人员没有此渠道的联系方式，请先登记",
            "the person has no address on this channel; enter it first",
        )
    })
}

fn sound(rules: &Rules) -> Result<(), Error> {
    for (name, ways) in [("normal", &rules.normal), ("urgent", &rules.urgent)] {
        for (index, way) in ways.iter().enumerate() {
            if !WISHED.contains(&way.as_str()) {
                let known = WISHED.join(", ");
                return Err(Error::invalid(
                    format!("“{name}”：没有渠道“{way}”；可用渠道：{known}"),
                    format!("`{name}`: no channel `{way}`; channels are: {known}"),
                ));
            }
            if ways.iter().take(index).any(|other| other == way) {
                return Err(Error::invalid(
                    format!("“{name}”：“{way}”重复"),
                    format!("`{name}`: `{way}` stands there twice"),
                ));
            }
        }
    }
    let Some(quiet) = &rules.quiet else { return Ok(()) };
    const DAY: u16 = 24 * 60;
    if quiet.from >= DAY || quiet.until >= DAY {
        let en = "`quiet`: a day is from 00:00 to 23:59";
        return Err(Error::invalid("“quiet”：一天为00:00至23:59", en));
    }
    if quiet.from == quiet.until {
        let en = "`quiet` would be the whole day; leave a part of it, or mute for some days";
        return Err(Error::invalid("“quiet”不能是全天；请留出时段，或改用若干日免打扰", en));
    }
    Ok(())
}

fn hash(salt: &[u8; 16], code: &str) -> Hash {
    Sha256::new().chain_update(salt).chain_update(code.as_bytes()).finalize().into()
}

pub(super) fn refusal(code: &str, zh: impl Into<String>, en: impl Into<String>) -> Error {
    Error::Refused(Refusal::new(code, Text::new(zh, en)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Quiet;

    #[test]
    fn what_makes_no_sense_as_personal_rules_is_refused_with_its_reason() {
        let normal = |ways: &[&str]| Rules {
            normal: ways.iter().map(|way| (*way).to_owned()).collect(),
            ..Rules::default()
        };
        let quiet = |from, until| Rules { quiet: Some(Quiet { from, until }), ..Rules::default() };
        for (rules, part) in [
            (normal(&["pigeon"]), "no channel `pigeon`"),
            (normal(&[""]), "no channel ``"),
            (normal(&["webhook"]), "channels are: sms, email, console"),
            (normal(&["sms", "email", "sms"]), "`sms` stands there twice"),
            (quiet(600, 600), "the whole day"),
            (quiet(1440, 60), "23:59"),
        ] {
            let error = sound(&rules).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(sound(&normal(&["console", "sms"])).is_ok());
        assert!(sound(&quiet(22 * 60, 7 * 60)).is_ok());
        assert!(sound(&Rules::default()).is_ok());
    }
}
