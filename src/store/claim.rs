//! Claims: messages are taken with a lease, whole summaries at a time, and put back.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::connection::{Connection, each};
use super::error::Error;
use super::message::{COLUMNS, Row};
use super::part::Part;
use super::schema::message;
use super::statement::{Cell, Statement};
use super::writer::Transaction;
use crate::domain::{Delivery, Instant, Message, MessageId};

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
    /// Only those whose deadline has passed: to be given up while the channel may not send.
    pub expired: bool,
}

/// A message that is this sender's until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The message; its `attempts` counts the attempt that begins now and is the fence that
    /// [`Transaction::settle_messages`] asks for.
    pub message: Message,
    /// When another sender may claim it.
    pub lease_until: Instant,
}

/// A message that is not to be sent now after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutBack {
    /// Which.
    pub id: MessageId,
    /// The claim that is given back.
    pub attempts: i64,
    /// It waits until then …
    pub due_at: Instant,
    /// … and so its deadline moves too.
    pub deadline_at: Instant,
}

/// What stands as the error of a message whose lease ran out, until its next attempt ends.
macro_rules! lost {
    () => {
        "its sender ended before it was known what became of it"
    };
}

/// The same, for those who count.
pub const LOST: &str = lost!();

const PUT_BACK_ONE: &str = concat!(
    "UPDATE message SET attempts = attempts - 1, due_at = ?, deadline_at = ?, \
     lease_until = NULL, error = nullif(error, '",
    lost!(),
    "') WHERE id = ? AND attempts = ? AND state = ?"
);

const PUT_BACK_ALL: &str = concat!(
    "UPDATE message SET attempts = message.attempts - 1, due_at = n.due_at, \
     deadline_at = n.deadline_at, lease_until = NULL, error = nullif(message.error, '",
    lost!(),
    "') FROM unnest(?, ?, ?, ?, ?) AS n(due_at, deadline_at, id, attempts, expected) \
     WHERE message.id = n.id AND message.attempts = n.attempts AND message.state = n.expected"
);

impl Transaction<'_> {
    /// Takes waiting messages that are due and that no sender has, gravest tier first, then by due
    /// instant; each is the caller's alone until its lease ends, and counts one attempt more. Of one
    /// whose lease ran out nobody knows what became of it: that is counted too, and its error is
    /// [`LOST`]. Use a transaction of its own, and send after its commit.
    ///
    /// # Errors
    /// As for any statement.
    pub fn claim_messages(&mut self, wish: ClaimWish<'_>) -> Result<Vec<Claimed>, Error> {
        let late = if wish.expired { "deadline_at" } else { "due_at" };
        self.claim(wish, &format!("AND {late} <= ?"), &[wish.now.into()])
    }

    /// Takes what is left of the summaries that some of the `claimed` messages left in before, due
    /// or not: a second copy of a summary holds what the first did. Use it in the same transaction.
    ///
    /// # Errors
    /// As for any statement.
    pub fn claim_rest(
        &mut self,
        wish: ClaimWish<'_>,
        claimed: &[Claimed],
    ) -> Result<Vec<Claimed>, Error> {
        let bundles: BTreeSet<i64> =
            claimed.iter().filter_map(|one| Some(one.message.bundle?.0)).collect();
        if bundles.is_empty() {
            return Ok(Vec::new());
        }
        let bundles: Vec<String> = bundles.iter().map(i64::to_string).collect();
        let wish = ClaimWish { limit: i64::from(i32::MAX), ..wish };
        self.claim(wish, &format!("AND bundle IN ({})", bundles.join(",")), &[])
    }

    fn claim(
        &mut self,
        wish: ClaimWish<'_>,
        which: &str,
        its: &[Cell<'_>],
    ) -> Result<Vec<Claimed>, Error> {
        let lease_until = wish.now.plus(wish.lease_ms);
        let skip = match &self.connection {
            Connection::Sqlite(_) => "",
            Connection::Postgres(_) => "FOR UPDATE SKIP LOCKED",
        };
        let sql = format!(
            "UPDATE message SET lease_until = ?, attempts = attempts + 1, \
             unknowns = unknowns + CASE WHEN lease_until IS NULL THEN 0 ELSE 1 END, \
             error = CASE WHEN lease_until IS NULL THEN error ELSE '{LOST}' END WHERE id IN (\
               SELECT id FROM message WHERE state = 'waiting' AND channel = ? {which} \
               AND (lease_until IS NULL OR lease_until <= ?) \
               ORDER BY tier DESC, due_at, id LIMIT ? {skip}) RETURNING {COLUMNS}"
        );
        let mut cells: Vec<Cell<'_>> = vec![lease_until.into(), wish.channel.into()];
        cells.extend(its.iter().cloned());
        cells.extend([wish.now.into(), Cell::from(wish.limit)]);
        let statement = Statement::<message::SqlType>::new(sql, &cells);
        let rows: Vec<Row> = each!(&mut self.connection, connection => statement.load(connection))?;
        let claimed =
            rows.into_iter().map(|row| row.read().map(|message| Claimed { message, lease_until }));
        let mut claimed = claimed.collect::<Result<Vec<_>, Error>>()?;
        claimed.sort_by_key(|one| (-one.message.tier, one.message.due_at, one.message.id));
        Ok(claimed)
    }

    /// Notes that messages leave together, under the id of one of them, before they do: so a second
    /// copy is put together as the first was, whoever sends it.
    ///
    /// # Errors
    /// As for any statement.
    pub fn note_bundle(&mut self, bundle: MessageId, ids: &[MessageId]) -> Result<(), Error> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        each!(&mut self.connection, connection => {
            diesel::update(message::table)
                .filter(message::id.eq_any(&ids))
                .set(message::bundle.eq(bundle.0))
                .execute(connection)
        })?;
        Ok(())
    }

    /// Gives claims back: the messages wait, and the attempt is not counted.
    ///
    /// # Errors
    /// As for any statement.
    pub fn put_messages_back(&mut self, put: &[PutBack]) -> Result<usize, Error> {
        let rows = put
            .iter()
            .map(|one| {
                vec![
                    one.due_at.into(),
                    one.deadline_at.into(),
                    one.id.0.into(),
                    one.attempts.into(),
                    Cell::from(Delivery::Waiting.code()),
                ]
            })
            .collect();
        Ok(self.connection.write(&Part::each(PUT_BACK_ONE, PUT_BACK_ALL, rows), &[])?)
    }
}
