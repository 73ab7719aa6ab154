//! Checkpoints: signed statements of where every chain stood.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};

use super::connection::each;
use super::error::Error;
use super::event::hash_of;
use super::pool::Reader;
use super::schema::{checkpoint, checkpoint_head};
use super::statement::{Cell, Statement};
use super::writer::Transaction;
use crate::domain::event::Hash;
use crate::domain::{InstanceId, Instant};

/// A checkpoint as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// 1 for the first, then without gaps.
    pub number: i64,
    /// When it was made.
    pub at: Instant,
    /// What is signed.
    pub body: String,
    /// The signature over `body`.
    pub signature: Vec<u8>,
    /// The public key that verifies it.
    pub key: Vec<u8>,
}

/// Where a matter stood: the number and hash of its last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Which matter.
    pub instance: InstanceId,
    /// The number of its last event.
    pub seq: i64,
    /// The hash of that event.
    pub hash: Hash,
}

type Row = (i64, i64, String, Vec<u8>, Vec<u8>);

fn read((number, at, body, signature, key): Row) -> CheckpointRow {
    CheckpointRow { number, at: Instant(at), body, signature, key }
}

fn head((instance, seq, hash): (i64, i64, Vec<u8>)) -> Result<Head, Error> {
    let hash = hash_of(&hash, &format!("the head of instance {instance}"))?;
    Ok(Head { instance: InstanceId(instance), seq, hash })
}

impl Transaction<'_> {
    /// Adds a checkpoint and the heads that it is about.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else has made one of this number.
    pub fn add_checkpoint(&mut self, new: &CheckpointRow, heads: &[Head]) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::insert_into(checkpoint::table)
                .values((
                    checkpoint::number.eq(new.number),
                    checkpoint::at.eq(new.at.0),
                    checkpoint::body.eq(&new.body),
                    checkpoint::signature.eq(&new.signature),
                    checkpoint::key.eq(&new.key),
                ))
                .execute(connection)
        })?;
        for some in heads.chunks(1000) {
            let rows: Vec<_> = some
                .iter()
                .map(|one| {
                    (
                        checkpoint_head::checkpoint.eq(new.number),
                        checkpoint_head::instance_id.eq(one.instance.0),
                        checkpoint_head::seq.eq(one.seq),
                        checkpoint_head::hash.eq(one.hash.as_slice()),
                    )
                })
                .collect();
            each!(&mut self.connection, connection => {
                diesel::insert_into(checkpoint_head::table).values(&rows).execute(connection)
            })?;
        }
        Ok(())
    }
}

impl Reader {
    /// At most `limit` checkpoints after a number, in order.
    ///
    /// # Errors
    /// As for any statement.
    pub fn checkpoints(&mut self, after: i64, limit: i64) -> Result<Vec<CheckpointRow>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            checkpoint::table
                .filter(checkpoint::number.gt(after))
                .order(checkpoint::number)
                .limit(limit)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// As for any statement.
    pub fn last_checkpoint(&mut self) -> Result<Option<CheckpointRow>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            checkpoint::table.order(checkpoint::number.desc()).first(connection).optional()
        })?;
        Ok(row.map(read))
    }

    /// Where every matter stands that has changed since it was last in a checkpoint, in order of id.
    /// Looks at every instance.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a row cannot be read; otherwise as for any statement.
    pub fn unsealed_heads(&mut self) -> Result<Vec<Head>, Error> {
        let statement = Statement::<(BigInt, BigInt, Binary)>::new(
            "SELECT i.id, i.version, i.head FROM instance i WHERE NOT EXISTS (\
               SELECT 1 FROM checkpoint_head h WHERE h.instance_id = i.id AND h.seq >= i.version) \
             ORDER BY i.id",
            &[],
        );
        let rows: Vec<(i64, i64, Vec<u8>)> =
            each!(&mut self.connection, connection => statement.load(connection))?;
        rows.into_iter().map(head).collect()
    }

    /// The heads of a checkpoint, in order of id.
    ///
    /// # Errors
    /// As [`Reader::unsealed_heads`].
    pub fn checkpoint_heads(&mut self, number: i64) -> Result<Vec<Head>, Error> {
        let rows: Vec<(i64, i64, Vec<u8>)> = each!(&mut self.connection, connection => {
            checkpoint_head::table
                .filter(checkpoint_head::checkpoint.eq(number))
                .order(checkpoint_head::instance_id)
                .select((
                    checkpoint_head::instance_id,
                    checkpoint_head::seq,
                    checkpoint_head::hash,
                ))
                .load(connection)
        })?;
        rows.into_iter().map(head).collect()
    }

    /// At most `limit` heads of a checkpoint whose event is not there, or is another one now.
    ///
    /// # Errors
    /// As [`Reader::unsealed_heads`].
    pub fn lost_heads(&mut self, number: i64, limit: i64) -> Result<Vec<Head>, Error> {
        let cells = [Cell::from(number), Cell::from(limit)];
        let statement = Statement::<(BigInt, BigInt, Binary)>::new(
            "SELECT h.instance_id, h.seq, h.hash FROM checkpoint_head h \
             WHERE h.checkpoint = ? AND NOT EXISTS (SELECT 1 FROM event e \
               WHERE e.instance_id = h.instance_id AND e.seq = h.seq AND e.hash = h.hash) \
             ORDER BY h.instance_id LIMIT ?",
            &cells,
        );
        let rows: Vec<(i64, i64, Vec<u8>)> =
            each!(&mut self.connection, connection => statement.load(connection))?;
        rows.into_iter().map(head).collect()
    }
}
