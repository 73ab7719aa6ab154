//! The audit log: what was done outside matters, one chain per jurisdiction.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::event::hash_of;
use super::pool::Reader;
use super::schema::{audit_entry, jurisdiction};
use super::writer::Transaction;
use crate::domain::event::{Hash, NO_HASH};
use crate::domain::{AuditEntry, Instant, JurisdictionId, StoredEntry};

type Row = (i64, i64, i64, String, String, String, Vec<u8>);

fn read(row: Row) -> Result<StoredEntry, Error> {
    let (owner, seq, at, kind, actor, body, hash) = row;
    let hash = hash_of(&hash, &format!("audit entry {seq} of jurisdiction {owner}"))?;
    let jurisdiction = JurisdictionId(owner);
    Ok(StoredEntry { jurisdiction, seq, at: Instant(at), kind, actor, body, hash })
}

impl Transaction<'_> {
    /// Appends an entry; its number is given here. The chain is this transaction's until it ends.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such jurisdiction; otherwise as for any statement.
    pub fn append_audit(&mut self, mut entry: AuditEntry) -> Result<(), Error> {
        let owner = entry.jurisdiction;
        // Of several nodes one at a time appends.
        let held = each!(&mut self.connection, connection => {
            diesel::update(jurisdiction::table.find(owner.0))
                .set(jurisdiction::revision.eq(jurisdiction::revision))
                .execute(connection)
        })?;
        if held == 0 {
            return Err(Error::Refused(format!("there is no jurisdiction {owner}")));
        }
        let (last, head) = self.audit_head(owner)?;
        entry.seq = last + 1;
        let body = serde_json::to_string(&entry).map_err(|error| {
            Error::Refused(format!("an audit entry cannot be written: {error}"))
        })?;
        let hash = self.chain()?.link(&head, &body);
        each!(&mut self.connection, connection => {
            diesel::insert_into(audit_entry::table)
                .values((
                    audit_entry::jurisdiction_id.eq(owner.0),
                    audit_entry::seq.eq(entry.seq),
                    audit_entry::at.eq(entry.at.0),
                    audit_entry::kind.eq(&entry.kind),
                    audit_entry::actor.eq(&entry.actor),
                    audit_entry::body.eq(&body),
                    audit_entry::hash.eq(hash.as_slice()),
                ))
                .execute(connection)
        })?;
        Ok(())
    }
}

impl Reader {
    /// The number and hash of a jurisdiction's last entry; 0 and [`NO_HASH`] when there is none.
    ///
    /// # Errors
    /// As for any statement.
    pub fn audit_head(&mut self, owner: JurisdictionId) -> Result<(i64, Hash), Error> {
        let last = self.audit_entries(owner, None, 1)?.pop();
        Ok(last.map_or((0, NO_HASH), |last| (last.seq, last.hash)))
    }

    /// At most `limit` entries of a jurisdiction, the newest first, below a number if one is given.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a row cannot be read; otherwise as for any statement.
    pub fn audit_entries(
        &mut self,
        owner: JurisdictionId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<StoredEntry>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            audit_entry::table
                .filter(audit_entry::jurisdiction_id.eq(owner.0))
                .filter(audit_entry::seq.lt(before.unwrap_or(i64::MAX)))
                .order(audit_entry::seq.desc())
                .limit(limit)
                .load(connection)
        })?;
        rows.into_iter().map(read).collect()
    }

    /// At most `limit` entries of a jurisdiction after a number, in order.
    ///
    /// # Errors
    /// As [`Reader::audit_entries`].
    pub fn audit_after(
        &mut self,
        owner: JurisdictionId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<StoredEntry>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            audit_entry::table
                .filter(audit_entry::jurisdiction_id.eq(owner.0))
                .filter(audit_entry::seq.gt(after))
                .order(audit_entry::seq)
                .limit(limit)
                .load(connection)
        })?;
        rows.into_iter().map(read).collect()
    }
}
