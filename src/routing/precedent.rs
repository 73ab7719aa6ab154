//! Rulings of the office stand before what a model has learned: a call that is like one that was ruled
//! goes where that one went.

use super::likeness::Traits;
use super::suggestion::{Candidate, Suggestion, Verdict};
use crate::domain::{Instant, Text};

/// A ruling, as far as the router goes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precedent {
    /// The number of the matter that was ruled.
    pub number: String,
    /// The day of the ruling, as people write it.
    pub day: String,
    /// The unit.
    pub unit: String,
    /// What people call it.
    pub unit_name: Text,
    /// The township that it is for; none: for all.
    pub territory: Option<String>,
    /// From when on it is gone by.
    pub from: Instant,
    /// Until when, if it ends.
    pub until: Option<Instant>,
    /// Why.
    pub reason: String,
    /// What that call is recognised by.
    pub traits: Traits,
}

impl Precedent {
    /// Whether it is gone by at an instant, for a call from a township: what is ruled for one place says
    /// nothing of others, nor of a call that does not say where.
    fn holds(&self, township: Option<&str>, now: Instant) -> bool {
        let here = self.territory.as_deref().is_none_or(|territory| Some(territory) == township);
        here && self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// So much of the ruling's reason is repeated.
const REASON: usize = 80;

impl Suggestion {
    /// Names in the place of units that were merged those that go on with their work.
    pub fn name_heirs(&mut self, heir: impl Fn(&str) -> String) {
        let mut units: Vec<Candidate> = Vec::new();
        for unit in self.units.drain(..) {
            let code = heir(&unit.code);
            match units.iter_mut().find(|known| known.code == code) {
                Some(known) => known.per_mille = (known.per_mille + unit.per_mille).min(1000),
                None => units.push(Candidate { code, ..unit }),
            }
        }
        self.units = units;
    }

    /// Puts the unit of the likest precedent first, if one that holds now and in the township of the call
    /// is at least so like (thousandths), and says so. What the police keep stays theirs.
    pub fn follow(
        &mut self,
        precedents: &[Precedent],
        traits: &Traits,
        least: u16,
        (township, now): (Option<&str>, Instant),
    ) {
        if self.verdict == Verdict::Keep {
            return;
        }
        // Of two that are equally like, the newer one, which stands first.
        let mut likest: Option<(u16, &Precedent)> = None;
        for precedent in precedents.iter().filter(|one| one.holds(township, now)) {
            let likeness = super::suggestion::per_mille(traits.likeness(&precedent.traits));
            if likeness >= least && likest.is_none_or(|(most, _)| likeness > most) {
                likest = Some((likeness, precedent));
            }
        }
        let Some((likeness, precedent)) = likest else { return };
        // In doubt it is the unit only if the call may be diverted.
        let doubt = if self.verdict == Verdict::Ask { self.kept_per_mille } else { 0 };
        let sure = u32::from(likeness) * u32::from(1000 - doubt.min(1000)) / 1000;
        self.lead(&precedent.unit, u16::try_from(sure).unwrap_or(likeness));
        let Precedent { number, day, unit_name, reason, .. } = precedent;
        let reason: String = reason.chars().take(REASON).collect();
        self.say_first(
            "precedent",
            format!(
                "依先例{number}（{day}指定由{}承办：{reason}），所说相近{likeness}‰",
                unit_name.zh
            ),
            format!(
                "by precedent {number} ({day}, ruled to {}: {reason}), like it by {likeness}‰",
                unit_name.en
            ),
        );
    }
}
