//! Messages: the rows of the outbox, written with the event that causes them, and listed. How they
//! are claimed, sent and settled stands in `delivery`.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::connection::each;
use super::error::Error;
use super::part::{Part, Target};
use super::pool::Reader;
use super::schema::{message, party};
use super::statement::Cell;
use super::writer::Transaction;
use crate::domain::{
    Delivery, InstanceId, Instant, JurisdictionId, Kind, Message, MessageId, PersonId, Recipient,
    SubscriptionId,
};

/// A row as diesel reads it, in the order of the columns.
#[derive(Debug, Queryable)]
pub(super) struct Row {
    id: i64,
    jurisdiction_id: i64,
    instance_id: Option<i64>,
    seq: i64,
    person_id: Option<i64>,
    channel: String,
    tier: i64,
    subject: String,
    body: String,
    created_at: i64,
    due_at: i64,
    attempts: i64,
    state: String,
    sent_at: Option<i64>,
    error: Option<String>,
    _lease_until: Option<i64>,
    subscription_id: Option<i64>,
    kind: String,
    urgent: i64,
    clock: Option<String>,
    entry: Option<i64>,
    offer: Option<String>,
    deadline_at: i64,
    unknowns: i64,
    reference: Option<String>,
    delivered_at: Option<i64>,
    acknowledged_at: Option<i64>,
    instead_of: Option<i64>,
    bundle: Option<i64>,
}

impl Row {
    pub(super) fn read(self) -> Result<Message, Error> {
        let corrupt = |what: String| Error::corrupt(format!("message {}", self.id), what);
        let state = Delivery::from_code(&self.state)
            .ok_or_else(|| corrupt(format!("the state `{}`", self.state)))?;
        let kind = Kind::from_code(&self.kind)
            .ok_or_else(|| corrupt(format!("the kind `{}`", self.kind)))?;
        let to = match (self.person_id, self.subscription_id) {
            (Some(id), _) => Recipient::Person(PersonId(id)),
            (None, Some(id)) => Recipient::Subscription(SubscriptionId(id)),
            (None, None) => return Err(corrupt("nobody it goes to".to_owned())),
        };
        Ok(Message {
            id: MessageId(self.id),
            jurisdiction: JurisdictionId(self.jurisdiction_id),
            instance: self.instance_id.map(InstanceId),
            seq: self.seq,
            to,
            channel: self.channel,
            kind,
            tier: self.tier,
            urgent: self.urgent != 0,
            clock: self.clock.map(|name| (name, self.entry.unwrap_or_default())),
            offer: self.offer,
            subject: self.subject,
            body: self.body,
            created_at: Instant(self.created_at),
            due_at: Instant(self.due_at),
            deadline_at: Instant(self.deadline_at),
            attempts: self.attempts,
            unknowns: self.unknowns,
            state,
            sent_at: self.sent_at.map(Instant),
            reference: self.reference,
            delivered_at: self.delivered_at.map(Instant),
            acknowledged_at: self.acknowledged_at.map(Instant),
            instead_of: self.instead_of.map(MessageId),
            bundle: self.bundle.map(MessageId),
            error: self.error,
        })
    }
}

pub(super) const COLUMNS: &str = "id, jurisdiction_id, instance_id, seq, person_id, channel, tier, subject, \
     body, created_at, due_at, attempts, state, sent_at, error, lease_until, subscription_id, kind, \
     urgent, clock, entry, offer, deadline_at, unknowns, reference, delivered_at, acknowledged_at, \
     instead_of, bundle";

const INSERT: Target = Target {
    head: "INSERT INTO message (id, jurisdiction_id, instance_id, seq, person_id, channel, tier, \
           subject, body, created_at, due_at, attempts, state, sent_at, subscription_id, kind, urgent, \
           clock, entry, offer, deadline_at, unknowns, instead_of)",
    tail: "",
};

/// New messages.
pub(super) fn added(messages: &[Message]) -> Part<'_> {
    let rows = messages.iter().map(|message| {
        let (person, subscription) = match message.to {
            Recipient::Person(id) => (Some(id.0), None),
            Recipient::Subscription(id) => (None, Some(id.0)),
        };
        let clock = message.clock.as_ref();
        vec![
            message.id.0.into(),
            message.jurisdiction.0.into(),
            message.instance.map(|id| id.0).into(),
            message.seq.into(),
            person.into(),
            message.channel.as_str().into(),
            message.tier.into(),
            message.subject.as_str().into(),
            message.body.as_str().into(),
            message.created_at.into(),
            message.due_at.into(),
            message.attempts.into(),
            message.state.code().into(),
            Cell::from(message.sent_at),
            subscription.into(),
            message.kind.code().into(),
            i64::from(message.urgent).into(),
            clock.map(|(name, _)| name.as_str()).into(),
            clock.map(|(_, entry)| *entry).into(),
            message.offer.as_deref().into(),
            message.deadline_at.into(),
            message.unknowns.into(),
            message.instead_of.map(|id| id.0).into(),
        ]
    });
    Part::insert(&INSERT, rows.collect())
}

impl Transaction<'_> {
    /// Writes new messages.
    ///
    /// # Errors
    /// As for any statement.
    pub fn add_messages(&mut self, messages: &[Message]) -> Result<(), Error> {
        self.connection.write(&added(messages), &[])?;
        Ok(())
    }
}

/// Which messages a list shows; everything that is not given does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Whose.
    pub jurisdiction: Option<JurisdictionId>,
    /// About this instance.
    pub instance: Option<InstanceId>,
    /// Caused by one of its events within these, from and to.
    pub segments: Option<Vec<(i64, i64)>>,
    /// Caused by an event of an instance in which one of these units took part then.
    pub units: Option<Vec<String>>,
    /// To this person.
    pub person: Option<PersonId>,
    /// On this channel.
    pub channel: Option<String>,
    /// Standing so.
    pub state: Option<Delivery>,
    /// For this.
    pub kind: Option<Kind>,
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
            if let Some(segments) = &filter.segments {
                type Within<B> = Box<dyn BoxableExpression<message::table, B, SqlType = Bool>>;
                let none: Within<Backend> = Box::new(message::seq.lt(0));
                let within = segments.iter().fold(none, |all, (from, to)| {
                    let one = message::seq.between(*from, *to);
                    let all: Within<Backend> = Box::new(all.or(one));
                    all
                });
                query = query.filter(within);
            }
            if let Some(units) = &filter.units {
                let until = party::to_seq.is_null().or(party::to_seq.ge(message::seq.nullable()));
                let took_part = party::table
                    .filter(party::instance_id.nullable().eq(message::instance_id))
                    .filter(party::unit.eq_any(units))
                    .filter(party::from_seq.le(message::seq).and(until));
                query = query.filter(diesel::dsl::exists(took_part));
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
            if let Some(kind) = filter.kind {
                query = query.filter(message::kind.eq(kind.code()));
            }
            if let Some(id) = filter.before {
                query = query.filter(message::id.lt(id.0));
            }
            query.order(message::id.desc()).limit(limit).load(connection)
        })?;
        rows.into_iter().map(Row::read).collect()
    }
}
