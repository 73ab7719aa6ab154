//! Answers: what was answered to a command with an idempotency key, so that the same key gets the
//! same answer.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::connection::{Connection, each};
use super::error::Error;
use super::event::hash_of;
use super::part::{Part, Target};
use super::pool::Reader;
use super::schema::answer;
use super::statement::{Cell, Statement};
use super::writer::Transaction;
use crate::domain::event::Hash;
use crate::domain::{InstanceId, Instant, JurisdictionId};

/// A recorded answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// The actor's short name; keys of different actors are different keys.
    pub actor: String,
    /// The idempotency key.
    pub key: String,
    /// The hash of the request: another request with the same key is a mistake.
    pub request_hash: Hash,
    /// The instance the command went to, if there is one.
    pub instance: Option<InstanceId>,
    /// The event it caused, if it did.
    pub seq: Option<i64>,
    /// What was answered.
    pub answer: String,
    /// When.
    pub at: Instant,
}

/// Answers under the numbers of other systems.
const KEPT: &str = "source:%";

type Row = (i64, String, String, Vec<u8>, Option<i64>, Option<i64>, String, i64);
type Sql = (BigInt, Text, Text, Binary, Nullable<BigInt>, Nullable<BigInt>, Text, BigInt);

fn read(row: Row) -> Result<Answer, Error> {
    let (jurisdiction, actor, key, request_hash, instance, seq, answer, at) = row;
    let place = format!("the answer to {actor} with key `{key}`");
    Ok(Answer {
        jurisdiction: JurisdictionId(jurisdiction),
        request_hash: hash_of(&request_hash, &place)?,
        actor,
        key,
        instance: instance.map(InstanceId),
        seq,
        answer,
        at: Instant(at),
    })
}

const INSERT: Target = Target {
    head: "INSERT INTO answer (jurisdiction_id, actor, key, request_hash, instance_id, seq, \
           body, at)",
    tail: "",
};

const SELECT: &str = "SELECT a.jurisdiction_id, a.actor, a.key, a.request_hash, a.instance_id, \
     a.seq, a.body, a.at FROM answer AS a";

/// New answers.
pub(super) fn added(answers: &[Answer]) -> Part<'_> {
    let rows = answers.iter().map(|answer| {
        vec![
            answer.jurisdiction.0.into(),
            answer.actor.as_str().into(),
            answer.key.as_str().into(),
            Cell::from(&answer.request_hash),
            answer.instance.map(|id| id.0).into(),
            answer.seq.into(),
            answer.answer.as_str().into(),
            answer.at.into(),
        ]
    });
    Part::insert(&INSERT, rows.collect())
}

impl Transaction<'_> {
    /// The recorded answers of the pairs of actor and key in `keys`; those not known are left out.
    ///
    /// # Errors
    /// As for any statement.
    pub fn answers(&mut self, keys: &[(String, String)]) -> Result<Vec<Answer>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let cells: Vec<Vec<Cell<'_>>> = keys
            .iter()
            .map(|(actor, key)| vec![actor.as_str().into(), key.as_str().into()])
            .collect();
        let mut rows: Vec<Row> = Vec::new();
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                for pair in &cells {
                    let sql = format!("{SELECT} WHERE a.actor = ? AND a.key = ?");
                    rows.extend(Statement::<Sql>::new(sql, pair).load::<Row>(connection)?);
                }
            }
            Connection::Postgres(connection) => {
                let sql = format!(
                    "{SELECT} JOIN unnest(?, ?) AS wanted(actor, key) \
                     ON a.actor = wanted.actor AND a.key = wanted.key"
                );
                rows = Statement::<Sql>::columns(sql, &cells).load(connection)?;
            }
        }
        rows.into_iter().map(read).collect()
    }

    /// Forgets at most `limit` of the oldest answers given before `before`; answers how many. Keys
    /// are kept as long as the matter may be open and 30 days more: the caller knows how long. Numbers
    /// that other systems gave are kept for good.
    ///
    /// # Errors
    /// As for any statement.
    pub fn forget_answers(&mut self, before: Instant, limit: i64) -> Result<usize, Error> {
        let gone = each!(&mut self.connection, connection => {
            // Rows are numbered in the order in which they were written, so the oldest come first.
            let oldest: Vec<(i64, i64)> = answer::table
                .filter(answer::actor.not_like(KEPT))
                .select((answer::id, answer::at))
                .order(answer::id)
                .limit(limit)
                .load(connection)?;
            let old = oldest.into_iter().take_while(|(_, at)| *at < before.0);
            let Some((last, _)) = old.last() else { return Ok(0) };
            diesel::delete(answer::table.filter(answer::id.le(last)))
                .filter(answer::actor.not_like(KEPT))
                .execute(connection)?
        });
        Ok(gone)
    }
}

impl Reader {
    /// The instance about which something was answered under a key.
    ///
    /// # Errors
    /// As for any statement.
    pub fn answered_about(&mut self, actor: &str, key: &str) -> Result<Option<InstanceId>, Error> {
        let found: Option<Option<i64>> = each!(&mut self.connection, connection => {
            answer::table
                .filter(answer::actor.eq(actor))
                .filter(answer::key.eq(key))
                .select(answer::instance_id)
                .first(connection)
                .optional()
        })?;
        Ok(found.flatten().map(InstanceId))
    }
}
