//! Everything that the tables say about one instance, as the look from outside the tables wants it.

use crate::domain::InstanceId;
use crate::engine::audit::{ClockLine, PartyLine, Record};
use crate::store::{self, ClockRow, MessageFilter, PartyRow, Reader};

/// Everything about one instance; none if there is no such instance.
///
/// # Errors
/// As for any statement.
pub(super) fn record(reader: &mut Reader, id: InstanceId) -> Result<Option<Record>, store::Error> {
    let Some((instance, head)) = reader.instance(id)? else { return Ok(None) };
    let chain = reader.chain()?;
    let events = reader.events(id, i64::MIN, i64::MAX)?;
    let clocks = reader.clocks(id)?.into_iter().map(line).collect();
    let of_instance = MessageFilter { instance: Some(id), ..MessageFilter::default() };
    let messages = reader.messages(&of_instance, i64::MAX)?;
    // What was written because another channel failed is not in an event.
    let first = messages.into_iter().filter(|one| one.instead_of.is_none());
    let messages = first.filter_map(|one| Some((one.seq, one.to.person()?, one.channel))).collect();
    let parties = reader.parties(id)?.into_iter().map(party).collect();
    Ok(Some(Record { instance, chain, head, events, clocks, messages, parties }))
}

fn party(row: PartyRow) -> PartyLine {
    let PartyRow { unit, jurisdiction, from_seq, to_seq, .. } = row;
    PartyLine { unit, jurisdiction, from_seq, to_seq }
}

pub(super) fn line(row: ClockRow) -> ClockLine {
    ClockLine {
        name: row.name,
        jurisdiction: row.jurisdiction,
        wake_at: row.wake_at,
        due_at: row.due_at,
        tier: row.tier,
        entry: row.entry,
        step: row.step,
    }
}

pub(super) fn row(instance: InstanceId, line: ClockLine) -> ClockRow {
    ClockRow {
        instance,
        name: line.name,
        jurisdiction: line.jurisdiction,
        wake_at: line.wake_at,
        due_at: line.due_at,
        tier: line.tier,
        entry: line.entry,
        step: line.step,
    }
}
