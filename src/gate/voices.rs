//! What callers said, and who they are, as far as somebody may read it: everybody who called about a
//! matter, also those whose matters were merged into it.

mod export;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Map;

use super::advice::{Heard, takes_calls};
use super::batch::Draft;
use super::error::{Error, refused};
use super::telling::{Call, Callers, Merged};
use super::{Caller, Gate, Request, Seen, Target, personal};
use crate::chart::routed::OPENER_TOLD;
use crate::chart::{Chart, Seal};
use crate::domain::{Actor, Command, Instance, InstanceId, JurisdictionId, Role, Value};
use crate::engine::{CALL, CORRECT, ERASE, REVEAL};
use crate::policy::{self, Act, Relation};
use crate::store::{self, PersonalRow, Transaction};

pub use export::{Exported, KeptMatter};

/// What one event brought of a caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Voice {
    /// The event; 0 for what came with the opening of the matter.
    pub seq: i64,
    /// Whether somebody called then, and not only what a caller said was noted.
    pub is_call: bool,
    /// Whether it is recorded that this caller was told how it went.
    pub told: bool,
    /// What may be read, by input.
    pub open: BTreeMap<String, String>,
    /// What is there and may not be read: enough of it to recognise it.
    pub masked: BTreeMap<String, String>,
}

/// Everybody who called about a matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Voices {
    /// About the matter itself, in order of event.
    pub own: Vec<Voice>,
    /// About matters that were merged into it, and into those.
    pub merged: Vec<(InstanceId, Vec<Voice>)>,
}

/// How far somebody may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Openness {
    /// What the matter is.
    content: bool,
    /// Who called.
    identity: bool,
}

/// The row of a field that an event brought: each caller is kept, also who calls again.
pub(super) fn row_name(field: &str, seq: i64) -> String {
    if seq <= 1 { field.to_owned() } else { format!("{field}@{seq}") }
}

/// The field and the event of a row.
fn named(row: &str) -> (&str, i64) {
    let parts = row.rsplit_once('@');
    let read = parts.and_then(|(field, seq)| Some((field, seq.parse().ok()?)));
    read.unwrap_or((row, 0))
}

/// A call of which something was put right.
pub(super) struct Corrected {
    instance: InstanceId,
    /// The event that brought it; 1 for the opening.
    pub(super) seq: i64,
    /// By which number the call is recognised from now on; none: as before.
    number: Option<Option<String>>,
}

impl Corrected {
    /// Writes by what the call is recognised.
    pub(super) fn write(self, transaction: &mut Transaction<'_>) -> Result<(), store::Error> {
        let Some(number) = self.number else { return Ok(()) };
        transaction.retrace((self.instance, self.seq), number.as_deref())
    }
}

/// What a command puts right of a call, if it does.
///
/// # Errors
/// `unknown_call` where nothing of such a call is kept: there was none, or its caller was erased.
pub(super) fn corrected(
    transaction: &mut Transaction<'_>,
    draft: &Draft,
    (instance, command): (Option<(InstanceId, InstanceId)>, &Command),
    heard: Option<&Heard>,
) -> Result<Option<Corrected>, Error> {
    let Some((instance, _)) = instance.filter(|_| command.name == CORRECT) else { return Ok(None) };
    let seq = command.input.get(CALL).and_then(Value::as_int).unwrap_or(1).max(1);
    let gone = draft.erased.contains(&instance);
    let kept = transaction.personal(instance)?;
    let written = draft.personal.iter().filter(|row| row.instance == instance);
    let mut rows = kept.iter().chain(written);
    if gone || !rows.any(|row| named(&row.field).1.max(1) == seq) {
        let en = format!("nothing is kept of who called by event {seq}, or it was erased");
        return Err(refused(
            "unknown_call",
            format!("未保存第{seq}号记录的来电人信息，或已删除"),
            en,
        ));
    }
    Ok(Some(Corrected { instance, seq, number: heard.map(Heard::number) }))
}

impl Gate {
    /// What a caller of the house may read of the people who called about an instance: the desk
    /// everything; the unit that holds it, and its sub-unit, everything that is not sealed; who sees
    /// all matters what the matter is, and who called masked. None for whoever may read nothing.
    /// Blocks.
    ///
    /// # Errors
    /// `NotFound`, also for what the caller may not see.
    pub fn voices(&self, caller: &Caller, id: InstanceId) -> Result<Option<Voices>, Error> {
        let seen = self.instance(caller, id)?;
        let openness = self.opens(caller, &seen)?;
        if !openness.content && !openness.identity {
            return Ok(None);
        }
        self.heard(caller, &seen, openness).map(Some)
    }

    /// Every call about an instance, as far as [`Gate::voices`] shows it; with `untold` only those whose
    /// callers are still to be told. Blocks.
    ///
    /// # Errors
    /// As [`Gate::voices`].
    pub fn calls(
        &self,
        caller: &Caller,
        id: InstanceId,
        untold: bool,
    ) -> Result<Option<Voices>, Error> {
        let Some(mut voices) = self.voices(caller, id)? else { return Ok(None) };
        let of = (&self.inner.registry, caller.jurisdiction);
        let waiting = self.read(|reader| {
            let merged = if untold { Some(Merged::into(id, reader, None)?) } else { None };
            Ok(merged.map(|merged| Callers::of(&merged, reader, None, of)).transpose())
        })??;
        let wanted = |id: InstanceId, voice: &Voice| {
            let waits = |callers: &Callers| callers.waiting.contains(&(id, voice.seq));
            voice.is_call && waiting.as_ref().is_none_or(waits)
        };
        voices.own.retain(|voice| wanted(id, voice));
        for (merged, heard) in &mut voices.merged {
            heard.retain(|voice| wanted(*merged, voice));
        }
        Ok(Some(voices))
    }

    /// Shows who called, for a purpose that is recorded on the matter, and on those merged into it whose
    /// callers are shown with it, before anything is shown.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Refused` without a purpose.
    pub async fn reveal(
        &self,
        caller: &Caller,
        id: InstanceId,
        purpose: &str,
    ) -> Result<Voices, Error> {
        self.note_reveal(caller, id, purpose).await?;
        self.inner.figures.count_reveal();
        let (gate, who) = (self.clone(), caller.clone());
        let read = tokio::task::spawn_blocking(move || {
            // For a purpose that is recorded a caller who asked for confidence is shown, too.
            let seen = gate.instance(&who.house(), id)?;
            let content = gate.opens(&who, &seen)?.content;
            gate.heard(&who.house(), &seen, Openness { content, identity: true })
        });
        let voices = read.await.map_err(|_ended| Error::Closing)??;
        for (merged, _) in &voices.merged {
            self.note_reveal(caller, *merged, purpose).await?;
        }
        Ok(voices)
    }

    async fn note_reveal(
        &self,
        caller: &Caller,
        id: InstanceId,
        purpose: &str,
    ) -> Result<(), Error> {
        let mut input = Map::new();
        input.insert("purpose".to_owned(), purpose.into());
        let request = Request {
            caller: caller.clone(),
            target: Target::Instance(id),
            command: REVEAL.to_owned(),
            input,
            occurred_at: None,
            key: None,
            if_version: None,
            about: None,
        };
        self.submit(request).await.map(drop)
    }

    /// Closed matters above `after` whose callers are still known and that closed before an instant, at
    /// most `limit`, in order. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn callers_to_erase(
        &self,
        whose: JurisdictionId,
        before: crate::domain::Instant,
        after: InstanceId,
        limit: i64,
    ) -> Result<Vec<InstanceId>, Error> {
        self.read(|reader| reader.closed_with_personal(whose, before, after, limit))
    }

    /// Erases what the callers of a closed matter said and who they are, for the service itself.
    ///
    /// # Errors
    /// `Refused` when the matter is open again; what the store says.
    pub async fn erase_callers(
        &self,
        whose: JurisdictionId,
        id: InstanceId,
        reason: &str,
    ) -> Result<(), Error> {
        let mut input = Map::new();
        input.insert("reason".to_owned(), reason.into());
        let request = Request {
            caller: Caller { actor: Actor::System, jurisdiction: whose },
            target: Target::Instance(id),
            command: ERASE.to_owned(),
            input,
            occurred_at: None,
            key: None,
            if_version: None,
            about: None,
        };
        self.submit(request).await.map(drop)
    }

    fn heard(&self, caller: &Caller, seen: &Seen, open: Openness) -> Result<Voices, Error> {
        let instance = &*seen.instance;
        let merged = self.read(|reader| Merged::into(instance.id, reader, None))?;
        let own = self.spoken(instance, &seen.chart, open)?;
        let mut voices = Voices { own, merged: Vec::new() };
        let desk = self.may_all(caller, Act::SeeCaller)?;
        for (id, counts) in merged.matters {
            if id == instance.id {
                mark(&mut voices.own, instance, counts, &merged.told);
                continue;
            }
            let Some((other, _)) = self.read(|reader| reader.instance(id))? else { continue };
            if other.jurisdiction != caller.jurisdiction {
                continue;
            }
            let chart = self.inner.registry.chart(other.definition)?;
            // A caller who asked for confidence keeps it in the matter that his was merged into.
            let holder = instance.holder.as_deref();
            let sealed = !desk && is_sealed(caller, &chart, &other, holder);
            let open = Openness { identity: open.identity && !sealed, ..open };
            let mut heard = self.spoken(&other, &chart, open)?;
            mark(&mut heard, &other, counts, &merged.told);
            if !heard.is_empty() {
                voices.merged.push((id, heard));
            }
        }
        Ok(voices)
    }

    /// Who called about one matter, also who left nothing that could be kept.
    fn spoken(
        &self,
        instance: &Instance,
        chart: &Chart,
        open: Openness,
    ) -> Result<Vec<Voice>, Error> {
        let taking = chart.commands.iter().filter(|(_, spec)| takes_calls(spec));
        let taking: Vec<&str> = taking.map(|(name, _)| name.as_str()).collect();
        let (rows, calls) = self.read(|reader| {
            let rows = reader.personal(instance.id)?;
            Ok((rows, reader.seqs_of_kinds(instance.id, &taking)?))
        })?;
        Ok(sorted(rows, &calls, chart, open))
    }

    /// How far a caller may read.
    fn opens(&self, caller: &Caller, seen: &Seen) -> Result<Openness, Error> {
        if seen.is_former() {
            return Ok(Openness { content: false, identity: false });
        }
        let (instance, chart) = (&*seen.instance, &seen.chart);
        let may = |act| self.may_all(caller, act);
        let holds = |act| self.holds(caller, act, chart, instance);
        let sealed = is_sealed(caller, chart, instance, instance.holder.as_deref());
        let content = may(Act::SeeContent)? || holds(Act::SeeContent)?;
        let identity = may(Act::SeeCaller)? || !sealed && holds(Act::SeeCaller)?;
        Ok(Openness { content, identity })
    }

    /// Whether the caller's unit holds the matter, or works on it as a sub-unit of the holder, in a
    /// role that lets it do this then.
    fn holds(
        &self,
        caller: &Caller,
        act: Act,
        chart: &Chart,
        instance: &Instance,
    ) -> Result<bool, Error> {
        // What a body holds is for the roles that the workflow names in it, not for its whole house.
        if chart.is_held_by_body(instance) {
            return Ok(false);
        }
        let Some(holder) = instance.holder.as_deref() else { return Ok(false) };
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        let own = policy::units(&caller.actor, act, Relation::Holder);
        let parent = |unit: &str| directory.units.get(unit).and_then(|unit| unit.parent.as_deref());
        let below = |unit: &str| own.contains(unit) && parent(unit) == Some(holder);
        Ok(own.contains(holder) || chart.parties_of(instance).any(below))
    }
}

/// Whether who called is kept from this caller, although its unit holds the matter.
fn is_sealed(caller: &Caller, chart: &Chart, instance: &Instance, holder: Option<&str>) -> bool {
    let set = |name: &String| instance.fields.get(name) == Some(&Value::Bool(true));
    let leads = holder.is_some_and(|holder| caller.actor.is(Role::Leader, holder));
    let closes = |seal: Seal| seal == Seal::Desk || !leads;
    chart.fields.iter().any(|(name, field)| field.seals.is_some_and(closes) && set(name))
}

/// The personal inputs that say what the matter is.
fn contents(chart: &Chart) -> BTreeSet<&str> {
    let specs = chart.commands.values().chain([&chart.start]);
    let inputs = specs.flat_map(|spec| &spec.input).filter(|input| input.content);
    inputs.map(|input| input.name.as_str()).collect()
}

/// Says of each call whether its caller was told.
fn mark(voices: &mut [Voice], instance: &Instance, counts: bool, told: &BTreeSet<Call>) {
    let opener = counts && instance.fields.get(OPENER_TOLD) == Some(&Value::Bool(true));
    for voice in voices {
        voice.told = told.contains(&(instance.id, voice.seq)) || opener && voice.seq == 0;
    }
}

fn sorted(rows: Vec<PersonalRow>, calls: &[i64], chart: &Chart, open: Openness) -> Vec<Voice> {
    let contents = contents(chart);
    let call = |seq: &i64| (*seq, Voice { seq: *seq, is_call: true, ..Voice::default() });
    let mut voices: BTreeMap<i64, Voice> = calls.iter().map(call).collect();
    for row in rows {
        let (field, seq) = named(&row.field);
        let text = personal::text(&row.value);
        let voice = voices.entry(seq).or_insert_with(|| Voice {
            seq,
            is_call: seq == 0,
            ..Voice::default()
        });
        let content = contents.contains(field);
        if if content { open.content } else { open.identity } {
            voice.open.insert(field.to_owned(), text.to_owned());
        } else if !content {
            voice.masked.insert(field.to_owned(), personal::masked(text));
        }
    }
    voices.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_event_brought_has_a_row_of_its_own() {
        assert_eq!(row_name("caller_phone", 1), "caller_phone");
        assert_eq!(row_name("caller_phone", 7), "caller_phone@7");
        assert_eq!(named("caller_phone@7"), ("caller_phone", 7));
        assert_eq!(named("caller_phone"), ("caller_phone", 0));
        assert_eq!(named("odd@name"), ("odd@name", 0));
    }
}
