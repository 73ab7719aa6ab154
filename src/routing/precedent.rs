//! Rulings of the office stand before what a model has learned: a call that is like one that was ruled
//! goes where that one went.

use super::likeness::Traits;
use super::suggestion::{Suggestion, Verdict, per_mille};
use crate::domain::{Directory, Instant, Text};

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
    fn holds(&self, directory: &Directory, township: Option<&str>, now: Instant) -> bool {
        let territory = self.territory.as_deref().map(|territory| directory.heir(territory));
        let here = territory.is_none_or(|territory| Some(territory) == township);
        here && self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// So much of the ruling's reason is repeated.
const REASON: usize = 80;

impl Suggestion {
    /// Puts the unit of the likest precedent first, if one that holds now and in the township of the call
    /// is at least so like (thousandths), and says so. Of a unit that was merged it is the one that goes on
    /// with its work; a precedent whose unit can be given nothing any more is passed over, which is said,
    /// too. What the police keep stays theirs.
    pub fn follow(
        &mut self,
        precedents: &[Precedent],
        traits: &Traits,
        least: u16,
        (directory, township, now): (&Directory, Option<&str>, Instant),
    ) {
        if self.verdict == Verdict::Keep {
            return;
        }
        let holding = precedents.iter().filter(|one| one.holds(directory, township, now));
        let like = holding.map(|one| (per_mille(traits.likeness(&one.traits)), one));
        let mut like: Vec<(u16, &Precedent)> = like.filter(|(like, _)| *like >= least).collect();
        // Of two that are equally like, the newer one, which stands first.
        like.sort_by_key(|(likeness, _)| std::cmp::Reverse(*likeness));
        let fit = |one: &Precedent| directory.is_fit(directory.heir(&one.unit));
        let followed = like.iter().find(|(_, one)| fit(one));
        if let Some((likeness, precedent)) = followed {
            // In doubt it is the unit only if the call may be diverted.
            let doubt = if self.verdict == Verdict::Ask { self.kept_per_mille } else { 0 };
            let sure = u32::from(*likeness) * u32::from(1000 - doubt.min(1000)) / 1000;
            let unit = directory.heir(&precedent.unit);
            self.lead(directory, unit, u16::try_from(sure).unwrap_or(*likeness));
            self.say_followed(directory, precedent, *likeness);
        }
        if let Some((_, passed)) = like.first().filter(|(_, one)| !fit(one)) {
            let Precedent { number, day, unit_name, .. } = passed;
            self.say_first(
                "precedent",
                format!("先例{number}（{day}指定由{}承办）未采用：该单位已不能接收分流", unit_name.zh),
                format!(
                    "precedent {number} ({day}, ruled to {}) is not followed: that unit takes no matters any more",
                    unit_name.en
                ),
            );
        }
    }

    fn say_followed(&mut self, directory: &Directory, precedent: &Precedent, likeness: u16) {
        let Precedent { number, day, unit, unit_name, reason, .. } = precedent;
        let reason: String = reason.chars().take(REASON).collect();
        let heir = directory.heir(unit);
        let now = directory.units.get(heir).filter(|_| heir != unit).map(|one| &one.name);
        let (now_zh, now_en) = now.map_or_else(Default::default, |now| {
            (format!("，其职责现由{}承接", now.zh), format!(", now {}", now.en))
        });
        self.say_first(
            "precedent",
            format!(
                "依先例{number}（{day}指定由{}承办{now_zh}：{reason}），所说相近{likeness}‰",
                unit_name.zh
            ),
            format!(
                "by precedent {number} ({day}, ruled to {}{now_en}: {reason}), like it by {likeness}‰",
                unit_name.en
            ),
        );
    }
}
