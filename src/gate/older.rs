//! What services of before left, put right once, when the door is opened: clocks whose ladders were kept in
//! an older form are taken anew from the events, and rights that no entry of the audit log says are noted.
//!
//! The older form knew of a clock that somebody had been told, and until when its whole ladder was
//! quiet, but not which step had told whom. The events say it.

use serde_json::{Map, Value as Json, json};

use super::error::Error;
use super::record::{record, row};
use super::registry::Registry;
use super::sealing::Deed;
use super::{Caller, granted};
use crate::domain::{Actor, AuditEntry, Instance, InstanceId, Instant, JurisdictionId};
use crate::engine::audit::{clock_lines, recompute};
use crate::store::{self, AuditFilter, Batch, Reader, Store};

/// The setting that says in which form clocks are kept.
const FORM: &str = "clocks_form";

/// The form of today.
const TODAY: &str = "2";

/// So many ids at a time.
const PAGE: i64 = 500;

/// Brings the clocks of all instances into the form of today.
///
/// # Errors
/// What the store says.
pub(super) fn renew_clocks(store: &Store, registry: &Registry) -> Result<(), Error> {
    if store.read(|reader| reader.setting(FORM))?.as_deref() == Some(TODAY) {
        return Ok(());
    }
    let mut writer = store.writer()?;
    let mut after = InstanceId(i64::MIN);
    let (mut renewed, mut left) = (0_usize, 0_usize);
    loop {
        let ids = store.read(|reader| reader.instances_of_older_form(after, PAGE))?;
        let Some(last) = ids.last() else { break };
        after = *last;
        for id in ids {
            let Some(record) = store.read(|reader| record(reader, id))? else { continue };
            let Some(anew) = recompute(&record, registry).ok().filter(|anew| {
                // What differs in more than that is for the auditor to tell.
                alike(anew, &record.instance)
            }) else {
                left += 1;
                continue;
            };
            let lines = clock_lines(&anew);
            let gone = record.clocks.iter().filter(|old| !lines.iter().any(|n| n.name == old.name));
            let clocks_gone = gone.map(|old| (id, old.name.clone())).collect();
            let clocks_set = lines.into_iter().map(|line| row(id, line)).collect();
            let version = anew.version;
            let updated = vec![(anew, record.head, version)];
            let batch = Batch { updated, clocks_set, clocks_gone, ..Batch::default() };
            match writer.transaction(|transaction| transaction.write(&batch)) {
                Ok(_) => renewed += 1,
                // Another node went on with it meanwhile.
                Err(store::Error::Conflict(_)) => left += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
    if renewed + left > 0 {
        tracing::info!(
            renewed,
            left,
            "clocks kept in an older form were taken anew from the events"
        );
    }
    Ok(writer.transaction(|transaction| transaction.set_setting(FORM, TODAY))?)
}

/// Notes in the audit log who has which rights and tokens, where that was not done at the founding: from
/// then on they can be compared.
///
/// # Errors
/// What the store says.
pub(super) fn note_rights(store: &Store, now: Instant) -> Result<(), Error> {
    for owner in store.read(Reader::jurisdictions)? {
        if store.read(|reader| are_noted(reader, owner.id))? {
            continue;
        }
        let system = Caller { actor: Actor::System, jurisdiction: owner.id };
        let deed = Deed::of(&system, granted::RIGHTS_NOTED, format!("jurisdiction:{}", owner.code));
        store.writer()?.transaction(|transaction| {
            let people = transaction.directory(owner.id)?.unwrap_or_default().people;
            let people = people.iter().map(|(id, one)| (id.to_string(), granted::rights(one)));
            let people: Map<String, Json> = people.collect();
            let tokens = transaction.tokens(owner.id, None)?;
            let tokens = tokens.iter().map(|row| (row.id.to_string(), granted::token(row)));
            let tokens: Map<String, Json> = tokens.collect();
            let detail = json!({ "rights": people, "tokens": tokens, "bodies": owner.bodies });
            deed.with(detail).write(transaction, now)
        })?;
    }
    Ok(())
}

fn are_noted(reader: &mut Reader, owner: JurisdictionId) -> Result<bool, store::Error> {
    for kind in [granted::RIGHTS_NOTED, "founded"] {
        let filter = AuditFilter { kind: Some(kind.to_owned()), ..AuditFilter::default() };
        for entry in reader.audit_entries(owner, &filter, 1)? {
            let said = serde_json::from_str::<AuditEntry>(&entry.body);
            if said.is_ok_and(|said| said.detail.get("rights").is_some()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether two instances differ at most in what the older form did not know.
fn alike(anew: &Instance, old: &Instance) -> bool {
    let mut old = old.clone();
    old.touched = anew.touched;
    for (name, clock) in &mut old.clocks {
        let Some(anew) = anew.clocks.get(name) else { return false };
        (clock.told, clock.quiet) = (anew.told.clone(), anew.quiet.clone());
        (clock.last, clock.every) = (anew.last, anew.every);
        (clock.wake, clock.hurry) = (anew.wake, anew.hurry);
    }
    old == *anew
}
