//! Messages: the outbox. A row is written with the event that causes it, claimed with a lease,
//! sent, and settled.

use diesel::prelude::*;

use super::connection::{Connection, each};
use super::error::Error;
use super::part::{Part, Target};
use super::pool::Reader;
use super::schema::message;
use super::statement::{Cell, Statement};
use super::writer::Transaction;
use crate::domain::{Delivery, InstanceId, Instant, JurisdictionId, Message, MessageId, PersonId};

/// A row as diesel reads it, in the order of the columns.
#[derive(Debug, Queryable)]
struct Row {
    id: i64,
    jurisdiction_id: i64,
    instance_id: i64,
    seq: i64,
    person_id: i64,
    channel: String,
    tier: i64,
    subject: String,
    body: String,
    created_at: i64,
    due_at: i64,
    attempts: i64,
    state: String,
    sent_at: Option<i64>,
    _error: Option<String>,
    _lease_until: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Message, Error> {
        let state = Delivery::from_code(&self.state).ok_or_else(|| {
            Error::corrupt(format!("message {}", self.id), format!("the state `{}`", self.state))
        })?;
        Ok(Message {
            id: MessageId(self.id),
            jurisdiction: JurisdictionId(self.jurisdiction_id),
            instance: InstanceId(self.instance_id),
            seq: self.seq,
            person: PersonId(self.person_id),
            channel: self.channel,
            tier: self.tier,
            subject: self.subject,
            body: self.body,
            created_at: Instant(self.created_at),
            due_at: Instant(self.due_at),
            attempts: self.attempts,
            state,
            sent_at: self.sent_at.map(Instant),
        })
    }
}

const COLUMNS: &str = "id, jurisdiction_id, instance_id, seq, person_id, channel, tier, subject, \
     body, created_at, due_at, attempts, state, sent_at, error, lease_until";

const INSERT: Target = Target {
    head: "INSERT INTO message (id, jurisdiction_id, instance_id, seq, person_id, channel, tier, \
           subject, body, created_at, due_at, attempts, state, sent_at)",
    tail: "",
};

// The state it must have is a value and not a literal, lest PostgreSQL go through the partial index of
// all that waits (and waited) instead of finding each message by its id.
const SETTLE_ONE: &str = "UPDATE message SET state = ?, sent_at = ?, \
     due_at = coalesce(?, due_at), error = ?, lease_until = NULL \
     WHERE id = ? AND attempts = ? AND state = ?";

const SETTLE_ALL: &str = "UPDATE message SET state = n.state, sent_at = n.sent_at, \
     due_at = coalesce(n.due_at, message.due_at), error = n.error, lease_until = NULL \
     FROM unnest(?, ?, ?, ?, ?, ?, ?) AS n(state, sent_at, due_at, error, id, attempts, expected) \
     WHERE message.id = n.id AND message.attempts = n.attempts AND message.state = n.expected";

/// What a sender asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimWish<'a> {
    /// `sms`, `email`, `console` …
    pub channel: &'a str,
    /// The time.
    pub now: Instant,
    /// For how long the messages are this sender's; longer than twice an attempt may take.
    pub lease_ms: i64,
    /// At most so many.
    pub limit: i64,
}

/// A message that is this sender's until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The message; its `attempts` counts the attempt that begins now and is the fence that
    /// [`Transaction::settle_message`] asks for.
    pub message: Message,
    /// When another sender may claim it.
    pub lease_until: Instant,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Handed over.
    Sent {
        /// When.
        at: Instant,
    },
    /// To be tried again.
    Again {
        /// Not before this.
        due_at: Instant,
        /// What went wrong.
        error: String,
    },
    /// Given up.
    Failed {
        /// What went wrong.
        error: String,
    },
}

/// New messages.
pub(super) fn added(messages: &[Message]) -> Part<'_> {
    let rows = messages.iter().map(|message| {
        vec![
            message.id.0.into(),
            message.jurisdiction.0.into(),
            message.instance.0.into(),
            message.seq.into(),
            message.person.0.into(),
            message.channel.as_str().into(),
            message.tier.into(),
            message.subject.as_str().into(),
            message.body.as_str().into(),
            message.created_at.into(),
            message.due_at.into(),
            message.attempts.into(),
            message.state.code().into(),
            Cell::from(message.sent_at),
        ]
    });
    Part::insert(&INSERT, rows.collect())
}

impl Transaction<'_> {
    /// Takes waiting messages that are due and that no sender has, gravest tier first, then by due
    /// instant; each is the caller's alone until its lease ends, and counts one attempt more. Use a
    /// transaction of its own, and send after its commit.
    ///
    /// # Errors
    /// As for any statement.
    pub fn claim_messages(&mut self, wish: ClaimWish<'_>) -> Result<Vec<Claimed>, Error> {
        let lease_until = wish.now.plus(wish.lease_ms);
        let skip = match &self.connection {
            Connection::Sqlite(_) => "",
            Connection::Postgres(_) => "FOR UPDATE SKIP LOCKED",
        };
        let sql = format!(
            "UPDATE message SET lease_until = ?, attempts = attempts + 1 WHERE id IN (\
               SELECT id FROM message WHERE state = 'waiting' AND channel = ? AND due_at <= ? \
               AND (lease_until IS NULL OR lease_until <= ?) \
               ORDER BY tier DESC, due_at, id LIMIT ? {skip}) RETURNING {COLUMNS}"
        );
        let cells = [
            lease_until.into(),
            wish.channel.into(),
            wish.now.into(),
            wish.now.into(),
            Cell::from(wish.limit),
        ];
        let statement = Statement::<message::SqlType>::new(sql, &cells);
        let rows: Vec<Row> = each!(&mut self.connection, connection => statement.load(connection))?;
        let claimed =
            rows.into_iter().map(|row| row.read().map(|message| Claimed { message, lease_until }));
        let mut claimed = claimed.collect::<Result<Vec<_>, Error>>()?;
        claimed.sort_by_key(|one| (-one.message.tier, one.message.due_at, one.message.id));
        Ok(claimed)
    }

    /// Records how the attempt number `attempts` on a message ended; false when somebody else has
    /// claimed it since, or it is settled: then nothing is changed.
    ///
    /// # Errors
    /// As for any statement.
    pub fn settle_message(
        &mut self,
        id: MessageId,
        attempts: i64,
        outcome: &Settled,
    ) -> Result<bool, Error> {
        Ok(self.settle_messages(&[(id, attempts, outcome.clone())])? == 1)
    }

    /// The same for many messages, each named once; answers how many were changed.
    ///
    /// # Errors
    /// As for any statement.
    pub fn settle_messages(
        &mut self,
        settled: &[(MessageId, i64, Settled)],
    ) -> Result<usize, Error> {
        let rows = settled.iter().map(|(id, attempts, outcome)| {
            let (state, sent_at, due_at, error) = match outcome {
                Settled::Sent { at } => (Delivery::Sent, Some(*at), None, None),
                Settled::Again { due_at, error } => {
                    (Delivery::Waiting, None, Some(*due_at), Some(error.as_str()))
                }
                Settled::Failed { error } => (Delivery::Failed, None, None, Some(error.as_str())),
            };
            vec![
                state.code().into(),
                sent_at.into(),
                due_at.into(),
                error.into(),
                id.0.into(),
                (*attempts).into(),
                Cell::from(Delivery::Waiting.code()),
            ]
        });
        let part = Part::each(SETTLE_ONE, SETTLE_ALL, rows.collect());
        Ok(self.connection.write(&part, &[])?)
    }
}

/// Which messages a list shows; everything that is not given does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Whose.
    pub jurisdiction: Option<JurisdictionId>,
    /// About this instance.
    pub instance: Option<InstanceId>,
    /// To this person.
    pub person: Option<PersonId>,
    /// On this channel.
    pub channel: Option<String>,
    /// Standing so.
    pub state: Option<Delivery>,
    /// The cursor: only ids below this one.
    pub before: Option<MessageId>,
}

impl Reader {
    /// One message.
    ///
    /// # Errors
    /// As for any statement.
    pub fn message(&mut self, id: MessageId) -> Result<Option<Message>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            message::table.find(id.0).first(connection).optional()
        })?;
        row.map(Row::read).transpose()
    }

    /// At most `limit` messages that `filter` shows, the newest first.
    ///
    /// # Errors
    /// As for any statement.
    pub fn messages(&mut self, filter: &MessageFilter, limit: i64) -> Result<Vec<Message>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection: Backend => {
            let mut query = message::table.into_boxed::<Backend>();
            if let Some(id) = filter.jurisdiction {
                query = query.filter(message::jurisdiction_id.eq(id.0));
            }
            if let Some(id) = filter.instance {
                query = query.filter(message::instance_id.eq(id.0));
            }
            if let Some(id) = filter.person {
                query = query.filter(message::person_id.eq(id.0));
            }
            if let Some(channel) = &filter.channel {
                query = query.filter(message::channel.eq(channel));
            }
            if let Some(state) = filter.state {
                query = query.filter(message::state.eq(state.code()));
            }
            if let Some(id) = filter.before {
                query = query.filter(message::id.lt(id.0));
            }
            query.order(message::id.desc()).limit(limit).load(connection)
        })?;
        rows.into_iter().map(Row::read).collect()
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
