//! What people say about how to reach them: codes that prove addresses, personal rules, mutes; and
//! the messages that the house writes on its own account.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::event::hash_of;
use super::pool::Reader;
use super::schema::{message, mute, person, verification};
use super::writer::Transaction;
use crate::domain::event::Hash;
use crate::domain::{
    Instant, JurisdictionId, Kind, Message, MessageId, Mute, PersonId, Rules, Verified,
};

/// A code that was sent and waits to be told back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationRow {
    /// Whose address.
    pub person: PersonId,
    /// On which channel.
    pub channel: String,
    /// Where the person is.
    pub jurisdiction: JurisdictionId,
    /// The address as it was.
    pub address: String,
    /// The salt, and the hash of salt and code.
    pub salt: [u8; 16],
    /// See above.
    pub hash: Hash,
    /// When the code was written.
    pub sent_at: Instant,
    /// Good until before this.
    pub until: Instant,
    /// So many wrong answers are still borne.
    pub tries_left: i64,
}

type CodeRow = (i64, String, i64, String, Vec<u8>, i64, i64, i64);
type MuteRow = (i64, i64, i64, i64, i64, String, String, Option<i64>, Option<i64>);

fn read_code(row: CodeRow) -> Result<VerificationRow, Error> {
    let (id, channel, owner, address, secret, sent_at, until, tries_left) = row;
    let place = format!("the code of person {id}");
    let (salt, hash) = secret.split_first_chunk::<16>().ok_or_else(|| {
        Error::corrupt(&place, format!("a salt and hash have {} bytes", secret.len()))
    })?;
    Ok(VerificationRow {
        person: PersonId(id),
        channel,
        jurisdiction: JurisdictionId(owner),
        address,
        salt: *salt,
        hash: hash_of(hash, &place)?,
        sent_at: Instant(sent_at),
        until: Instant(until),
        tries_left,
    })
}

fn read_mute(row: MuteRow) -> Mute {
    let (id, owner, person, from, until, reason, made_by, ended_at, _) = row;
    Mute {
        id,
        jurisdiction: JurisdictionId(owner),
        person: PersonId(person),
        from: Instant(from),
        until: Instant(until),
        reason,
        made_by,
        ended_at: ended_at.map(Instant),
    }
}

impl Transaction<'_> {
    /// Writes messages of the house itself, and gives them ids.
    ///
    /// # Errors
    /// As for any statement.
    pub fn write_messages(&mut self, messages: &mut [Message]) -> Result<(), Error> {
        if messages.is_empty() {
            return Ok(());
        }
        let count = i64::try_from(messages.len()).unwrap_or(i64::MAX);
        let first = self.reserve_ids("message", count)?;
        for (id, message) in (first..).zip(messages.iter_mut()) {
            message.id = MessageId(id);
        }
        self.add_messages(messages)
    }

    /// Keeps a code in place of the one before.
    ///
    /// # Errors
    /// As for any statement.
    pub fn put_verification(&mut self, new: &VerificationRow) -> Result<(), Error> {
        let secret = [new.salt.as_slice(), new.hash.as_slice()].concat();
        let values = (
            verification::jurisdiction_id.eq(new.jurisdiction.0),
            verification::address.eq(&new.address),
            verification::code_hash.eq(&secret),
            verification::sent_at.eq(new.sent_at.0),
            verification::until_at.eq(new.until.0),
            verification::tries_left.eq(new.tries_left),
        );
        each!(&mut self.connection, connection => {
            diesel::insert_into(verification::table)
                .values((
                    verification::person_id.eq(new.person.0),
                    verification::channel.eq(&new.channel),
                    values,
                ))
                .on_conflict((verification::person_id, verification::channel))
                .do_update()
                .set(values)
                .execute(connection)
        })?;
        Ok(())
    }

    /// Takes one try of a code; false when none was left.
    ///
    /// # Errors
    /// As for any statement.
    pub fn take_try(&mut self, person: PersonId, channel: &str) -> Result<bool, Error> {
        let taken = each!(&mut self.connection, connection => {
            diesel::update(verification::table.find((person.0, channel)))
                .filter(verification::tries_left.gt(0))
                .set(verification::tries_left.eq(verification::tries_left - 1))
                .execute(connection)
        })?;
        Ok(taken == 1)
    }

    /// Notes that a person has proved an address, and forgets the code.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the proofs kept so far cannot be read; otherwise as for any
    /// statement.
    pub fn prove(
        &mut self,
        owner: JurisdictionId,
        who: PersonId,
        channel: &str,
        proof: &Verified,
    ) -> Result<(), Error> {
        let kept: Option<String> = each!(&mut self.connection, connection => {
            person::table.find(who.0).select(person::verified).first(connection).optional()
        })?;
        let corrupt = |cause| Error::corrupt(format!("the proofs of person {who}"), cause);
        let mut proofs: std::collections::BTreeMap<String, Verified> =
            serde_json::from_str(kept.as_deref().unwrap_or("{}")).map_err(corrupt)?;
        proofs.insert(channel.to_owned(), proof.clone());
        let text = serde_json::to_string(&proofs).map_err(corrupt)?;
        each!(&mut self.connection, connection => {
            diesel::update(person::table.find(who.0))
                .filter(person::jurisdiction_id.eq(owner.0))
                .set(person::verified.eq(&text))
                .execute(connection)
        })?;
        each!(&mut self.connection, connection => {
            diesel::delete(verification::table.find((who.0, channel))).execute(connection)
        })?;
        self.raise_revision(owner)
    }

    /// Replaces a person's own rules.
    ///
    /// # Errors
    /// As for any statement.
    pub fn set_rules(
        &mut self,
        owner: JurisdictionId,
        who: PersonId,
        rules: &Rules,
    ) -> Result<(), Error> {
        let text = serde_json::to_string(rules)
            .map_err(|cause| Error::corrupt(format!("the rules of person {who}"), cause))?;
        each!(&mut self.connection, connection => {
            diesel::update(person::table.find(who.0))
                .filter(person::jurisdiction_id.eq(owner.0))
                .set(person::rules.eq(&text))
                .execute(connection)
        })?;
        self.raise_revision(owner)
    }

    /// Adds a mute; answers its id.
    ///
    /// # Errors
    /// As for any statement.
    pub fn add_mute(&mut self, new: &Mute) -> Result<i64, Error> {
        let id = self.id_for("mute", new.id)?;
        each!(&mut self.connection, connection => {
            diesel::insert_into(mute::table)
                .values((
                    mute::id.eq(id),
                    mute::jurisdiction_id.eq(new.jurisdiction.0),
                    mute::person_id.eq(new.person.0),
                    mute::from_at.eq(new.from.0),
                    mute::until_at.eq(new.until.0),
                    mute::reason.eq(&new.reason),
                    mute::made_by.eq(&new.made_by),
                    mute::ended_at.eq(new.ended_at.map(|at| at.0)),
                ))
                .execute(connection)
        })?;
        self.raise_revision(new.jurisdiction)?;
        Ok(id)
    }

    /// Ends a mute; false when it had ended, or is not there.
    ///
    /// # Errors
    /// As for any statement.
    pub fn end_mute(&mut self, owner: JurisdictionId, id: i64, at: Instant) -> Result<bool, Error> {
        let ended = each!(&mut self.connection, connection => {
            diesel::update(mute::table.find(id))
                .filter(mute::jurisdiction_id.eq(owner.0))
                .filter(mute::ended_at.is_null())
                .set(mute::ended_at.eq(at.0))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(ended == 1)
    }
}

impl Reader {
    /// The code that waits to be told back.
    ///
    /// # Errors
    /// As for any statement.
    pub fn verification(
        &mut self,
        who: PersonId,
        channel: &str,
    ) -> Result<Option<VerificationRow>, Error> {
        let row: Option<CodeRow> = each!(&mut self.connection, connection => {
            verification::table.find((who.0, channel)).first(connection).optional()
        })?;
        row.map(read_code).transpose()
    }

    /// How many messages of a kind were written to a person on a channel after an instant.
    ///
    /// # Errors
    /// As for any statement.
    pub fn written_after(
        &mut self,
        (who, channel): (PersonId, &str),
        kind: Kind,
        after: Instant,
    ) -> Result<i64, Error> {
        let count = each!(&mut self.connection, connection => {
            message::table
                .filter(message::person_id.eq(who.0))
                .filter(message::channel.eq(channel))
                .filter(message::kind.eq(kind.code()))
                .filter(message::created_at.gt(after.0))
                .count()
                .get_result(connection)
        })?;
        Ok(count)
    }

    /// How many less urgent alerts to a person were written in a span of time, however many channels
    /// each has.
    ///
    /// # Errors
    /// As for any statement.
    pub fn less_urgent_alerts(
        &mut self,
        who: PersonId,
        from: Instant,
        until: Instant,
    ) -> Result<usize, Error> {
        let found: Vec<(Option<i64>, i64)> = each!(&mut self.connection, connection => {
            message::table
                .filter(message::person_id.eq(who.0))
                .filter(message::kind.eq(Kind::Alert.code()))
                .filter(message::urgent.eq(0))
                .filter(message::instead_of.is_null())
                .filter(message::created_at.ge(from.0))
                .filter(message::created_at.lt(until.0))
                .select((message::instance_id, message::seq))
                .distinct()
                .load(connection)
        })?;
        Ok(found.len())
    }

    /// The mutes of a jurisdiction whose end was not told yet, in order of id.
    ///
    /// # Errors
    /// As for any statement.
    pub fn open_mutes(&mut self, owner: JurisdictionId) -> Result<Vec<Mute>, Error> {
        let rows: Vec<MuteRow> = each!(&mut self.connection, connection => {
            mute::table
                .filter(mute::jurisdiction_id.eq(owner.0))
                .filter(mute::ended_at.is_null())
                .order(mute::id)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read_mute).collect())
    }

    /// The newest mutes of a person.
    ///
    /// # Errors
    /// As for any statement.
    pub fn mutes_of(
        &mut self,
        owner: JurisdictionId,
        who: PersonId,
        limit: i64,
    ) -> Result<Vec<Mute>, Error> {
        let rows: Vec<MuteRow> = each!(&mut self.connection, connection => {
            mute::table
                .filter(mute::jurisdiction_id.eq(owner.0))
                .filter(mute::person_id.eq(who.0))
                .order(mute::id.desc())
                .limit(limit)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read_mute).collect())
    }
}
