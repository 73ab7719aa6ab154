//! Subscriptions: which systems and robots are told by HTTP.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::pool::Reader;
use super::schema::subscription;
use super::writer::Transaction;
use crate::domain::{Form, Instant, JurisdictionId, Subscription, SubscriptionId, Wants};

type Row = (i64, i64, String, String, String, String, String, bool, String, i64);

fn read(row: Row) -> Result<Subscription, Error> {
    let (id, jurisdiction, unit, kind, url, secret, wants, active, made_by, made_at) = row;
    let corrupt = |what: String| Error::corrupt(format!("subscription {id}"), what);
    let form = Form::from_code(&kind).ok_or_else(|| corrupt(format!("the kind `{kind}`")))?;
    let wants: Vec<Wants> =
        serde_json::from_str(&wants).map_err(|cause| corrupt(cause.to_string()))?;
    Ok(Subscription {
        id: SubscriptionId(id),
        jurisdiction: JurisdictionId(jurisdiction),
        unit,
        form,
        url,
        secret,
        wants,
        active,
        made_by,
        made_at: Instant(made_at),
    })
}

impl Reader {
    /// The subscriptions of a jurisdiction, in order of id.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a row cannot be read; otherwise as for any statement.
    pub fn subscriptions(&mut self, owner: JurisdictionId) -> Result<Vec<Subscription>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            subscription::table
                .filter(subscription::jurisdiction_id.eq(owner.0))
                .order(subscription::id)
                .load(connection)
        })?;
        rows.into_iter().map(read).collect()
    }
}

impl Transaction<'_> {
    /// Adds (id 0) or replaces a subscription; answers its id.
    ///
    /// # Errors
    /// As for any statement.
    pub fn put_subscription(&mut self, new: &Subscription) -> Result<SubscriptionId, Error> {
        let id = self.id_for("subscription", new.id.0)?;
        let wants =
            serde_json::to_string(&new.wants).map_err(|cause| Error::Refused(cause.to_string()))?;
        let values = (
            subscription::unit.eq(&new.unit),
            subscription::kind.eq(new.form.code()),
            subscription::url.eq(&new.url),
            subscription::secret.eq(&new.secret),
            subscription::wants.eq(&wants),
            subscription::active.eq(new.active),
            subscription::made_by.eq(&new.made_by),
            subscription::made_at.eq(new.made_at.0),
        );
        let owner = subscription::jurisdiction_id.eq(new.jurisdiction.0);
        each!(&mut self.connection, connection => {
            diesel::insert_into(subscription::table)
                .values((subscription::id.eq(id), owner, values))
                .on_conflict(subscription::id)
                .do_update()
                .set(values)
                .execute(connection)
        })?;
        self.raise_revision(new.jurisdiction)?;
        Ok(SubscriptionId(id))
    }

    /// Switches a subscription on or off; false when it is not there any more.
    ///
    /// # Errors
    /// As for any statement.
    pub fn switch_subscription(
        &mut self,
        owner: JurisdictionId,
        id: SubscriptionId,
        active: bool,
    ) -> Result<bool, Error> {
        let changed = each!(&mut self.connection, connection => {
            diesel::update(subscription::table.find(id.0))
                .filter(subscription::jurisdiction_id.eq(owner.0))
                .set(subscription::active.eq(active))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(changed == 1)
    }

    /// Takes a subscription away; what still waits for it is given up.
    ///
    /// # Errors
    /// As for any statement.
    pub fn drop_subscription(
        &mut self,
        owner: JurisdictionId,
        id: SubscriptionId,
    ) -> Result<bool, Error> {
        let gone = each!(&mut self.connection, connection => {
            diesel::delete(subscription::table.find(id.0))
                .filter(subscription::jurisdiction_id.eq(owner.0))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(gone == 1)
    }
}
