//! Delivery: messages are settled, and marked with what the gateway and the person say afterwards.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::connection::{Connection, each};
use super::error::Error;
use super::message::Row;
use super::part::Part;
use super::pool::Reader;
use super::schema::message;
use super::statement::{Cell, Statement};
use super::writer::Transaction;
use crate::domain::{Delivery, InstanceId, Instant, Message, MessageId, PersonId};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Handed over.
    Sent {
        /// When.
        at: Instant,
        /// What the gateway calls it.
        reference: Option<String>,
        /// The message in whose summary it left, if it did not leave alone.
        bundle: Option<MessageId>,
    },
    /// To be tried again.
    Again {
        /// Not before this.
        due_at: Instant,
        /// What went wrong.
        error: String,
        /// Whether it may have arrived all the same.
        unknown: bool,
        /// The summary that it leaves in again, if it may have arrived in one.
        bundle: Option<MessageId>,
    },
    /// Given up.
    Failed {
        /// What went wrong.
        error: String,
        /// Whether it may have arrived all the same.
        unknown: bool,
    },
}

/// An attempt that ended: which message, which attempt, how.
pub type Ending = (MessageId, i64, Settled);

/// How a channel stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The channel.
    pub channel: String,
    /// Messages that wait.
    pub waiting: i64,
    /// When the oldest of them was written.
    pub oldest: Option<Instant>,
}

// The state it must have is a value and not a literal, lest PostgreSQL go through the partial index of
// all that waits (and waited) instead of finding each message by its id.
//
// A code that has left, or was given up, is kept nowhere.
const SETTLE_ONE: &str = "UPDATE message SET state = ?, \
     body = CASE WHEN kind = 'code' AND ? <> 'waiting' THEN '' ELSE body END, sent_at = ?, \
     due_at = coalesce(?, due_at), error = ?, unknowns = unknowns + ?, reference = ?, bundle = ?, \
     lease_until = NULL WHERE id = ? AND attempts = ? AND state = ?";

const SETTLE_ALL: &str = "UPDATE message SET state = n.state, \
     body = CASE WHEN kind = 'code' AND n.known <> 'waiting' THEN '' ELSE body END, \
     sent_at = n.sent_at, due_at = coalesce(n.due_at, message.due_at), error = n.error, \
     unknowns = message.unknowns + n.unknowns, reference = n.reference, bundle = n.bundle, \
     lease_until = NULL \
     FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS n(state, known, sent_at, due_at, error, \
     unknowns, reference, bundle, id, attempts, expected) \
     WHERE message.id = n.id AND message.attempts = n.attempts AND message.state = n.expected";

impl Transaction<'_> {
    /// Commits without waiting for the disk, where the store can: what only says who sends a
    /// message, or that it left, may be lost with the machine. Its lease then ends and it is sent
    /// once more, under the same id, as after any crash between sending and recording.
    ///
    /// # Errors
    /// As for any statement.
    pub fn flush_later(&mut self) -> Result<(), Error> {
        match &self.connection {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(_) => self.connection.run("SET LOCAL synchronous_commit TO OFF"),
        }
    }

    /// Records how attempts ended; answers how many rows were changed. Those that somebody else has
    /// claimed since, or that are settled, are left alone.
    ///
    /// # Errors
    /// As for any statement.
    pub fn settle_messages(&mut self, endings: &[Ending]) -> Result<usize, Error> {
        let rows = endings.iter().map(settling).collect();
        Ok(self.connection.write(&Part::each(SETTLE_ONE, SETTLE_ALL, rows), &[])?)
    }

    /// The gateway says that a message reached the device; false when that is known already, or
    /// the message was never handed over.
    ///
    /// # Errors
    /// As for any statement.
    pub fn mark_delivered(&mut self, id: MessageId, at: Instant) -> Result<bool, Error> {
        let changed = each!(&mut self.connection, connection => {
            diesel::update(message::table.find(id.0))
                .filter(message::state.eq(Delivery::Sent.code()))
                .set((
                    message::state.eq(Delivery::Delivered.code()),
                    message::delivered_at.eq(at.0),
                ))
                .execute(connection)
        })?;
        Ok(changed == 1)
    }

    /// The gateway says that a message it had taken did not arrive; false when it is not such a
    /// message.
    ///
    /// # Errors
    /// As for any statement.
    pub fn mark_bounced(&mut self, id: MessageId, error: &str) -> Result<bool, Error> {
        let changed = each!(&mut self.connection, connection => {
            diesel::update(message::table.find(id.0))
                .filter(message::state.eq(Delivery::Sent.code()))
                .set((message::state.eq(Delivery::Failed.code()), message::error.eq(error)))
                .execute(connection)
        })?;
        Ok(changed == 1)
    }

    /// The person has acknowledged a message; the first time counts.
    ///
    /// # Errors
    /// As for any statement.
    pub fn mark_acknowledged(&mut self, id: MessageId, at: Instant) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::update(message::table.find(id.0))
                .filter(message::acknowledged_at.is_null())
                .set(message::acknowledged_at.eq(at.0))
                .execute(connection)
        })?;
        Ok(())
    }
}

fn settling((id, attempts, settled): &Ending) -> Vec<Cell<'_>> {
    let (state, sent_at, due_at, error, unknown, reference, bundle) = match settled {
        Settled::Sent { at, reference, bundle } => {
            (Delivery::Sent, Some(*at), None, None, false, reference.as_deref(), *bundle)
        }
        Settled::Again { due_at, error, unknown, bundle } => {
            let error = Some(error.as_str());
            (Delivery::Waiting, None, Some(*due_at), error, *unknown, None, *bundle)
        }
        Settled::Failed { error, unknown } => {
            (Delivery::Failed, None, None, Some(error.as_str()), *unknown, None, None)
        }
    };
    vec![
        state.code().into(),
        state.code().into(),
        sent_at.into(),
        due_at.into(),
        error.into(),
        i64::from(unknown).into(),
        reference.into(),
        bundle.map(|id| id.0).into(),
        id.0.into(),
        (*attempts).into(),
        Cell::from(Delivery::Waiting.code()),
    ]
}

impl Reader {
    /// When each of the `people` was last sent something on `channel`, as far as that was after
    /// `since`.
    ///
    /// # Errors
    /// As for any statement.
    pub fn last_sent(
        &mut self,
        channel: &str,
        people: &[PersonId],
        since: Instant,
    ) -> Result<BTreeMap<PersonId, Instant>, Error> {
        let ids: Vec<i64> = people.iter().map(|id| id.0).collect();
        let rows: Vec<(Option<i64>, Option<i64>)> = each!(&mut self.connection, connection => {
            message::table
                .filter(message::person_id.eq_any(ids))
                .filter(message::sent_at.gt(since.0))
                .filter(message::channel.eq(channel))
                .group_by(message::person_id)
                .select((message::person_id, diesel::dsl::max(message::sent_at)))
                .load(connection)
        })?;
        Ok(rows
            .into_iter()
            .filter_map(|(person, sent)| Some((PersonId(person?), Instant(sent?))))
            .collect())
    }

    /// The messages that the gateway of `channel` calls `reference`: those of one letter. Of letters
    /// that it calls the same, the newest one's.
    ///
    /// # Errors
    /// As for any statement.
    pub fn messages_by_reference(
        &mut self,
        channel: &str,
        reference: &str,
    ) -> Result<Vec<Message>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            message::table
                .filter(message::reference.eq(reference))
                .filter(message::channel.eq(channel))
                .order(message::id)
                .load(connection)
        })?;
        let mut all = rows.into_iter().map(Row::read).collect::<Result<Vec<Message>, Error>>()?;
        let letter = |one: &Message| one.bundle.unwrap_or(one.id);
        if let Some(newest) = all.iter().max_by_key(|one| (one.sent_at, one.id)).map(letter) {
            all.retain(|one| letter(one) == newest);
        }
        Ok(all)
    }

    /// Every message that one event of an instance caused, in order of id.
    ///
    /// # Errors
    /// As for any statement.
    pub fn messages_of_event(
        &mut self,
        instance: InstanceId,
        seq: i64,
    ) -> Result<Vec<Message>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            message::table
                .filter(message::instance_id.eq(instance.0))
                .filter(message::seq.eq(seq))
                .order(message::id)
                .load(connection)
        })?;
        rows.into_iter().map(Row::read).collect()
    }

    /// How many messages of each channel wait, and since when.
    ///
    /// # Errors
    /// As for any statement.
    pub fn queues(&mut self) -> Result<Vec<Queue>, Error> {
        let statement = Statement::<(Text, BigInt, Nullable<BigInt>)>::new(
            "SELECT channel, count(*), min(created_at) FROM message WHERE state = 'waiting' \
             GROUP BY channel ORDER BY channel",
            &[],
        );
        let rows: Vec<(String, i64, Option<i64>)> =
            each!(&mut self.connection, connection => statement.load(connection))?;
        let queue = |(channel, waiting, oldest): (String, i64, Option<i64>)| Queue {
            channel,
            waiting,
            oldest: oldest.map(Instant),
        };
        Ok(rows.into_iter().map(queue).collect())
    }

    /// When the next waiting message on `channel` that no sender has is due; none when nothing
    /// waits.
    ///
    /// # Errors
    /// As for any statement.
    pub fn next_message_due(&mut self, channel: &str) -> Result<Option<Instant>, Error> {
        let next: Option<i64> = each!(&mut self.connection, connection => {
            message::table
                .filter(message::state.eq("waiting"))
                .filter(message::channel.eq(channel))
                .filter(message::lease_until.is_null())
                .select(diesel::dsl::min(message::due_at))
                .first(connection)
        })?;
        Ok(next.map(Instant))
    }

    /// The channels on which messages wait, in order of name.
    ///
    /// # Errors
    /// As for any statement.
    pub fn waiting_channels(&mut self) -> Result<Vec<String>, Error> {
        let names = each!(&mut self.connection, connection => {
            message::table
                .filter(message::state.eq("waiting"))
                .select(message::channel)
                .distinct()
                .order(message::channel)
                .load(connection)
        })?;
        Ok(names)
    }
}
