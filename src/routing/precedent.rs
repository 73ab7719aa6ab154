//! Rulings of the office stand before what a model has learned: a call that is like one that was ruled
//! goes where that one went.

use super::likeness::Traits;
use super::suggestion::{Candidate, NAMED, Reason, Suggestion, Verdict};
use crate::domain::Text;

/// A ruling, as far as the router goes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precedent {
    /// The number of the matter that was ruled.
    pub number: String,
    /// The day of the ruling, as people write it.
    pub day: String,
    /// The unit.
    pub unit: String,
    /// Why.
    pub reason: String,
    /// What that call is recognised by.
    pub traits: Traits,
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

    /// Puts the unit of the likest precedent first, if one is at least so like (thousandths), and says
    /// so. What the police keep stays theirs.
    pub fn follow(&mut self, precedents: &[Precedent], traits: &Traits, least: u16) {
        if self.verdict == Verdict::Keep {
            return;
        }
        // Of two that are equally like, the newer one, which stands first.
        let mut likest: Option<(u16, &Precedent)> = None;
        for precedent in precedents {
            let likeness = super::suggestion::per_mille(traits.likeness(&precedent.traits));
            if likeness >= least && likest.is_none_or(|(most, _)| likeness > most) {
                likest = Some((likeness, precedent));
            }
        }
        let Some((likeness, precedent)) = likest else { return };
        let known = self.units.iter().find(|unit| unit.code == precedent.unit);
        let learned = known.map_or(0, |unit| unit.per_mille);
        self.units.retain(|unit| unit.code != precedent.unit);
        let per_mille = learned.max(likeness);
        self.units.insert(0, Candidate { code: precedent.unit.clone(), per_mille });
        self.units.truncate(NAMED);
        if self.verdict == Verdict::Divert {
            self.confidence_per_mille = self.confidence_per_mille.max(per_mille);
        }
        let Precedent { number, day, unit, reason, .. } = precedent;
        let reason: String = reason.chars().take(REASON).collect();
        let text = Text::new(
            format!("依先例{number}（{day}指定由{unit}承办：{reason}），所说相近{likeness}‰"),
            format!(
                "by precedent {number} ({day}, ruled to `{unit}`: {reason}), like it by {likeness}‰"
            ),
        );
        self.reasons.insert(0, Reason { kind: "precedent".to_owned(), text });
    }
}
