//! Matters that a call being typed may repeat: the same caller, place and matter; and what one tap
//! would do about it.

mod nearness;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use self::nearness::{Nearness, nearness};
use super::advice::takes_calls;
use super::error::Error;
use super::{Caller, Gate, Seen, family_of};
use crate::chart::routed::{ANONYMOUS, CATEGORY, KEPT, MERGED, REPEATS};
use crate::domain::{Directory, InstanceId, Instant, Text, Value};
use crate::policy::Act;
use crate::routing::suggestion::{Reason, per_mille};
use crate::routing::{Circumstances, Suggestion, Traits, Verdict};
use crate::store::TraceRow;

/// How like a call must be to others, in thousandths, and how far is looked back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoutingRules {
    /// A matter that ended is thought of for so long (ms).
    pub ended_ms: i64,
    /// At the same place.
    pub same_place: u16,
    /// In the same township, or when one of the places is not known.
    pub near: u16,
    /// How like a call must be to one that was ruled to go where that one went.
    pub precedent: u16,
    /// So many calls are compared, the newest.
    pub compared: i64,
    /// So many matters are shown.
    pub shown: usize,
    /// The country that callers' numbers are of, as it is dialled from abroad.
    pub country: u16,
}

impl Default for RoutingRules {
    fn default() -> Self {
        let day = 24 * 3_600_000;
        Self {
            ended_ms: 14 * day,
            same_place: 250,
            near: 450,
            precedent: 600,
            compared: 1000,
            shown: 5,
            country: 86,
        }
    }
}

/// A call as far as it is typed.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// What the caller says.
    pub text: String,
    /// Where, which category the desk chose, what the caller answered.
    pub circumstances: Circumstances,
    /// From which number.
    pub phone: String,
}

/// A matter that the call may repeat.
#[derive(Debug, Clone)]
pub struct Repeat {
    /// The matter.
    pub seen: Seen,
    /// How much the texts are alike, in thousandths.
    pub likeness: u16,
    /// Why it is shown.
    pub why: Vec<Reason>,
    /// The command that counts the caller as one more of this matter; none when it takes no more
    /// callers, or when this call is for itself because somebody may be in danger and the other matter
    /// is not with the police.
    pub attach: Option<String>,
    /// Whether the same number called about it before, and not only somebody from it who remained
    /// anonymous: he was not to be told then, and may be now.
    pub same_caller: bool,
}

/// Nothing is open longer: so far back calls are compared (ms).
const FURTHEST: i64 = 200 * 24 * 3_600_000;

/// Matters of one number that are looked at.
const OF_NUMBER: i64 = 20;

/// Of so many of the likest of each kind it is looked up how they stand.
const LOOKED_UP: usize = 25;

/// Merged more often than this, a matter is not followed.
const MERGES: usize = 16;

/// What calls before are compared with.
pub(super) struct Call<'c> {
    pub(super) place: &'c str,
    pub(super) traits: &'c Traits,
    pub(super) category: Option<&'c str>,
    /// By what its number is recognised.
    pub(super) phones: Vec<String>,
    /// The matter that it opened, if it is registered.
    pub(super) itself: Option<InstanceId>,
}

/// By what a call before is like this one, above all. Each kind is looked up by itself and has its place among
/// what is shown: hundreds of calls about an outage hide no matter of the caller's own, nor the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sameness {
    Caller,
    Place,
    Matter,
}

/// How a call before is like this one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    phone: bool,
    /// Whether with other calls than the first.
    again: bool,
    place: Nearness,
    likeness: u16,
    /// Whether it is of the category that this one seems to be of, once that is looked up.
    category: bool,
}

/// How a call before is like this one, the matter that it opened, and the one in which that goes on.
pub(super) type Found = (Hit, (InstanceId, Seen));

impl Gate {
    /// How calls are compared.
    pub fn use_routing_rules(&self, rules: RoutingRules) {
        *self.inner.routing.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    pub(super) fn routing_rules(&self) -> RoutingRules {
        *self.inner.routing.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Matters that a call may repeat, open or ended a while ago, the likeliest first; nothing for
    /// those who do not see every matter. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn repeats(
        &self,
        caller: &Caller,
        typed: &Typed,
        (said, traits): (&Suggestion, &Traits),
    ) -> Result<Vec<Repeat>, Error> {
        if !self.may_all(caller, Act::SeeMatter)? {
            return Ok(Vec::new());
        }
        // Whose number belongs to which matter is told to those only to whom callers are shown.
        let knows_callers = self.may_all(caller, Act::SeeCaller)?;
        let call = Call {
            place: &typed.circumstances.place,
            traits,
            category: said.categories.first().map(|one| one.code.as_str()),
            phones: if knows_callers { self.phone_digests(&typed.phone) } else { Vec::new() },
            itself: None,
        };
        let alike = self.alike(caller, &call)?.into_iter();
        alike.map(|(hit, found)| self.repeat(caller, said, (hit, found))).collect()
    }

    /// What calls before are like one, the likeliest first, each with the matter that it opened and the one
    /// in which that goes on.
    pub(super) fn alike(&self, caller: &Caller, call: &Call<'_>) -> Result<Vec<Found>, Error> {
        let rules = self.routing_rules();
        let (owner, now) = (caller.jurisdiction, self.now());
        let since = now.plus(-FURTHEST);
        let (recent, of_number) = self.read(|reader| {
            let of_number = if call.phones.is_empty() {
                Vec::new()
            } else {
                reader.traces_of_phone(owner, &call.phones, since, OF_NUMBER)?
            };
            Ok((reader.recent_traces(owner, since, rules.compared)?, of_number))
        })?;
        let directory = self.inner.registry.directory(owner)?;
        let mut hits = hits(&directory, call, &recent, &of_number);
        hits.retain(|id, _| Some(*id) != call.itself);
        let mut kinds: BTreeMap<Sameness, Vec<(InstanceId, Hit)>> = BTreeMap::new();
        for (id, hit) in hits.into_iter().filter(|(_, hit)| hit.counts(rules)) {
            kinds.entry(hit.kind()).or_default().push((id, hit));
        }
        let before = now.plus(-rules.ended_ms);
        let mut found: Vec<Found> = Vec::new();
        for mut hits in kinds.into_values() {
            // Of those that are equally like the oldest: all are merged into one, and none into a chain.
            hits.sort_by_key(|(id, hit)| (std::cmp::Reverse(hit.rank()), id.0));
            let full = found.len() + rules.shown;
            for (id, mut hit) in hits.into_iter().take(LOOKED_UP) {
                if found.len() == full {
                    break;
                }
                let Some(seen) = self.gone_on(caller, id)? else { continue };
                let own = seen.instance.id;
                let mut known = found.iter().map(|(_, (_, known))| known.instance.id);
                if is_past(&seen, before)
                    || Some(own) == call.itself
                    || known.any(|known| known == own)
                {
                    continue;
                }
                let of = seen.instance.fields.get(CATEGORY).and_then(Value::as_text);
                hit.category = of.is_some() && of == call.category;
                if hit.is_repeat(rules) {
                    found.push((hit, (id, seen)));
                }
            }
        }
        Ok(shown(found, rules.shown))
    }

    /// A matter as it is shown, with what can be done about it; `called` is the one that the call is like,
    /// before it was merged.
    fn repeat(
        &self,
        caller: &Caller,
        said: &Suggestion,
        (hit, (called, seen)): (Hit, (InstanceId, Seen)),
    ) -> Result<Repeat, Error> {
        let (possible, _) = self.possible(caller, &seen)?;
        let takes = |name: &&String| seen.chart.command(name).is_some_and(takes_calls);
        // A matter that the police keep takes callers about danger, too.
        let kept = seen.instance.fields.get(KEPT) == Some(&Value::Bool(true));
        let attach = possible.iter().find(takes).filter(|_| kept || said.verdict != Verdict::Keep);
        let attach = attach.cloned();
        let same_caller = hit.phone && (hit.again || !self.is_anonymous(caller, called)?);
        Ok(Repeat { attach, same_caller, ..Repeat::shown(hit, seen) })
    }

    /// Whether who opened a matter remained anonymous.
    fn is_anonymous(&self, caller: &Caller, id: InstanceId) -> Result<bool, Error> {
        let opened = self.instance(caller, id)?;
        Ok(opened.instance.fields.get(ANONYMOUS) == Some(&Value::Bool(true)))
    }

    /// A matter, or the one that it goes on in, when it was merged; none where that is not seen.
    fn gone_on(&self, caller: &Caller, mut id: InstanceId) -> Result<Option<Seen>, Error> {
        for _ in 0..MERGES {
            let seen = match self.instance(caller, id) {
                Err(Error::NotFound) => return Ok(None),
                seen => seen?,
            };
            let into = seen.instance.fields.get(MERGED).and_then(Value::as_text);
            let Some(next) = into.and_then(family_of) else { return Ok(Some(seen)) };
            id = next;
        }
        Ok(None)
    }
}

impl Repeat {
    /// A matter as it is shown where no more callers are taken.
    pub(super) fn shown(hit: Hit, seen: Seen) -> Self {
        let (likeness, why) = (hit.likeness, hit.why(&seen));
        Self { likeness, why, attach: None, same_caller: hit.phone, seen }
    }
}

/// The likest first, at most so many; the likest of each kind is among them, if there is room for one of each.
fn shown<T>(mut found: Vec<(Hit, T)>, most: usize) -> Vec<(Hit, T)> {
    found.sort_by_key(|(hit, _)| std::cmp::Reverse(hit.rank()));
    let mut kinds = BTreeSet::new();
    let mut ranked: Vec<(bool, (Hit, T))> =
        found.into_iter().map(|one| (!kinds.insert(one.0.kind()), one)).collect();
    // Those that are the first of their kind come first for now; the others stay in order.
    ranked.sort_by_key(|(further, _)| *further);
    ranked.truncate(most);
    let mut chosen: Vec<(Hit, T)> = ranked.into_iter().map(|(_, one)| one).collect();
    chosen.sort_by_key(|(hit, _)| std::cmp::Reverse(hit.rank()));
    chosen
}

/// Whether a matter ended before an instant.
fn is_past(seen: &Seen, before: Instant) -> bool {
    seen.instance.closed_at.is_some_and(|closed| closed < before)
}

/// What of the calls before is like this one, by matter.
fn hits(
    directory: &Directory,
    call: &Call<'_>,
    recent: &[TraceRow],
    of_number: &[TraceRow],
) -> BTreeMap<InstanceId, Hit> {
    let callers = |further: bool| -> BTreeSet<InstanceId> {
        let traces = of_number.iter().filter(|trace| !further || trace.seq > 1);
        traces.map(|trace| trace.instance).collect()
    };
    let (callers, again) = (callers(false), callers(true));
    let mut hits = BTreeMap::new();
    for trace in recent.iter().chain(of_number) {
        let likeness = per_mille(call.traits.likeness(&Traits::decode(&trace.traits)));
        let phone = callers.contains(&trace.instance);
        let again = again.contains(&trace.instance);
        let place = nearness(directory, call.place, &trace.place);
        let hit = Hit { phone, again, place, likeness, category: false };
        // The call that opened the matter comes first, and says where it is.
        let known = hits.entry(trace.instance).or_insert(hit);
        known.likeness = known.likeness.max(likeness);
    }
    hits
}

impl Hit {
    /// Whether it is worth a look at the matter.
    fn counts(&self, rules: RoutingRules) -> bool {
        self.phone || self.place >= Nearness::Near && self.likeness >= rules.same_place
    }

    /// Whether it is worth the dispatcher's look. Near each other, two calls of one category need be no
    /// more alike than two from the same place.
    fn is_repeat(&self, rules: RoutingRules) -> bool {
        let near = if self.category { rules.same_place } else { rules.near };
        self.counts(rules) && (self.phone || self.place == Nearness::Same || self.likeness >= near)
    }

    fn kind(&self) -> Sameness {
        match (self.phone, self.place) {
            (true, _) => Sameness::Caller,
            (false, Nearness::Same) => Sameness::Place,
            (false, _) => Sameness::Matter,
        }
    }

    fn rank(&self) -> u16 {
        let place = match self.place {
            Nearness::Same => 300,
            Nearness::Near => 100,
            Nearness::Elsewhere => 0,
        };
        self.likeness + place + if self.phone { 300 } else { 0 }
    }

    fn why(&self, seen: &Seen) -> Vec<Reason> {
        let mut why = Vec::new();
        let mut say = |kind: &str, zh: &str, en: &str| {
            why.push(Reason { kind: kind.to_owned(), text: Text::new(zh, en) });
        };
        if self.phone {
            say("same_caller", "同一号码来过电", "the same number has called about it");
        }
        match self.place {
            Nearness::Same => say("same_place", "同一地点", "the same place"),
            Nearness::Near if self.likeness > 0 => {
                say(
                    "near_place",
                    "同一乡镇街道，或有一方未写明地点",
                    "the same township, or a place is not known",
                );
            }
            Nearness::Near | Nearness::Elsewhere => {}
        }
        if self.category {
            say("same_category", "同一类别", "the same category");
        }
        if self.likeness >= 250 {
            say("same_matter", "所说事项相近", "what is said is alike");
        }
        let calls = seen.instance.fields.get(REPEATS).and_then(Value::as_int);
        if let Some(calls) = calls.filter(|calls| *calls > 0) {
            say(
                "counted",
                &format!("已有{}人次来电", calls + 1),
                &format!("{} calls about it so far", calls + 1),
            );
        }
        why
    }
}

#[cfg(test)]
mod tests;
