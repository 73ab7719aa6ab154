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

/// Which entries a list shows; everything that is not given does not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Of this actor, as entries name it: `person:7`.
    pub actor: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// About this: `person:7`, `definition:referral`.
    pub subject: Option<String>,
    /// At this instant or later.
    pub from: Option<Instant>,
    /// Before this instant.
    pub to: Option<Instant>,
    /// The cursor: only numbers below this one.
    pub before: Option<i64>,
}

/// What the text of an entry about something holds. The subject has no column of its own; within a
/// detail these words would be written otherwise, as no detail has these keys side by side.
fn about(subject: &str) -> String {
    let written = serde_json::Value::from(subject).to_string();
    let mut pattern = String::from("%,\"subject\":");
    for c in written.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + ",\"detail\":%"
}

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
        let last = self.audit_entries(owner, &AuditFilter::default(), 1)?.pop();
        Ok(last.map_or((0, NO_HASH), |last| (last.seq, last.hash)))
    }

    /// At most `limit` entries of a jurisdiction that a filter shows, the newest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a row cannot be read; otherwise as for any statement.
    pub fn audit_entries(
        &mut self,
        owner: JurisdictionId,
        filter: &AuditFilter,
        limit: i64,
    ) -> Result<Vec<StoredEntry>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection: Backend => {
            let mut query = audit_entry::table
                .filter(audit_entry::jurisdiction_id.eq(owner.0))
                .into_boxed::<Backend>();
            if let Some(actor) = &filter.actor {
                query = query.filter(audit_entry::actor.eq(actor));
            }
            if let Some(kind) = &filter.kind {
                query = query.filter(audit_entry::kind.eq(kind));
            }
            if let Some(subject) = &filter.subject {
                query = query.filter(audit_entry::body.like(about(subject)).escape('\\'));
            }
            if let Some(from) = filter.from {
                query = query.filter(audit_entry::at.ge(from.0));
            }
            if let Some(to) = filter.to {
                query = query.filter(audit_entry::at.lt(to.0));
            }
            if let Some(before) = filter.before {
                query = query.filter(audit_entry::seq.lt(before));
            }
            query.order(audit_entry::seq.desc()).limit(limit).load(connection)
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
