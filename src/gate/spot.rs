//! Answers on the spot: written by the unit whose they are, found while a call is typed.

use std::sync::Arc;

use serde_json::json;

use super::error::Error;
use super::sealing::{self, Deed};
use super::{Caller, Gate};
use crate::domain::Directory;
use crate::domain::spot::{SpotAnswer, SpotState, SpotVersion};
use crate::policy::{self, Act, Relation};

/// How long titles, answers and words are.
const TITLE: std::ops::RangeInclusive<usize> = 2..=100;
const BODY: std::ops::RangeInclusive<usize> = 4..=2000;
const WORDS: usize = 500;

/// An answer that has only a guessed category in common with a call is none.
const LEAST: usize = 4;

/// So many are shown for a call.
const SHOWN: usize = 3;

impl Gate {
    /// All answers that stand so now, the newest version of each.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn spot_answers(
        &self,
        caller: &Caller,
        state: SpotState,
    ) -> Result<Vec<SpotVersion>, Error> {
        self.permit(caller, Act::ReadDirectory)?;
        let now = self.now();
        let all = self.inner.registry.spot_answers(caller.jurisdiction);
        Ok(all.iter().filter(|one| one.state(now) == state).cloned().collect())
    }

    /// Every version of an answer, the newest first. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub fn spot_history(&self, caller: &Caller, code: &str) -> Result<Vec<SpotVersion>, Error> {
        self.permit(caller, Act::ReadDirectory)?;
        let mut all = self.read(|reader| reader.spot_answers(caller.jurisdiction))?;
        all.retain(|one| one.answer.code == code);
        if all.is_empty() { Err(Error::NotFound) } else { Ok(all) }
    }

    /// Answers to a text, the best first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn spot_found(
        &self,
        caller: &Caller,
        text: &str,
        categories: &[&str],
    ) -> Result<Vec<SpotVersion>, Error> {
        let all = self.spot_answers(caller, SpotState::Current)?.into_iter();
        let mut found: Vec<(usize, SpotVersion)> =
            all.map(|one| (one.answer.fits(text, categories), one)).collect();
        found.retain(|(fits, _)| *fits >= LEAST);
        found.sort_by(|one, other| {
            other.0.cmp(&one.0).then_with(|| one.1.answer.code.cmp(&other.1.answer.code))
        });
        Ok(found.into_iter().take(SHOWN).map(|(_, one)| one).collect())
    }

    /// Writes an answer, or a new version of it; answers the version's number. A code stays its unit's,
    /// also when its answer was taken back. Blocks.
    ///
    /// # Errors
    /// `Forbidden` for another unit's; `Invalid`.
    pub fn put_spot_answer(&self, caller: &Caller, new: &SpotAnswer) -> Result<i64, Error> {
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        // What is written for a unit that was merged is the one's that goes on with its work.
        let new = &SpotAnswer { unit: directory.heir(&new.unit).to_owned(), ..new.clone() };
        self.may_answer(caller, &directory, &new.unit)?;
        if let Some(known) = self.spot(caller, &new.code) {
            self.may_answer(caller, &directory, &known.answer.unit)?;
        }
        super::administration::check_code(&new.code)?;
        // What no text may hold counts as none.
        let long = |text: &str| {
            if text.contains('\0') { usize::MAX } else { text.trim().chars().count() }
        };
        for (sound, zh, en) in [
            (
                directory.units.contains_key(&new.unit),
                "没有该单位（unit）",
                "there is no such `unit`",
            ),
            (
                directory.categories.contains_key(&new.category),
                "没有该类别（category）",
                "there is no such `category`",
            ),
            (
                TITLE.contains(&long(&new.title)),
                "标题（title）应为2至100字",
                "`title` has 2 to 100 characters",
            ),
            (
                BODY.contains(&long(&new.body)),
                "答复（body）应为4至2000字",
                "`body` has 4 to 2000 characters",
            ),
            (
                long(&new.words) <= WORDS,
                "检索词（words）不超过500字",
                "`words` has at most 500 characters",
            ),
            (
                new.valid_until.is_none_or(|until| until > self.now()),
                "有效期（valid_until）应晚于现在",
                "`valid_until` lies ahead",
            ),
        ] {
            if !sound {
                return Err(Error::invalid(zh, en));
            }
        }
        let deed = Deed::of(caller, "answer_put", format!("answer:{}", new.code));
        let deed = deed.with(json!({ "sha256": sealing::digest(&new.body) }));
        let by = caller.actor.name();
        self.administer(deed, |transaction, now| {
            transaction.add_spot_answer(caller.jurisdiction, new, (&by, now))
        })
    }

    /// Takes an answer back. Blocks.
    ///
    /// # Errors
    /// `Forbidden` for another unit's; `NotFound`.
    pub fn end_spot_answer(&self, caller: &Caller, code: &str) -> Result<(), Error> {
        self.admit(caller, Act::KeepAnswers)?;
        let known = self.spot(caller, code).filter(|one| one.ended_at.is_none());
        let known = known.ok_or(Error::NotFound)?;
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        self.may_answer(caller, &directory, &known.answer.unit)?;
        let deed = Deed::of(caller, "answer_ended", format!("answer:{code}"));
        let ended = self.administer_if(deed, |transaction, now| {
            transaction.end_spot_answer(caller.jurisdiction, code, now)
        })?;
        if ended { Ok(()) } else { Err(Error::NotFound) }
    }

    /// The newest version of an answer, also of one that was taken back.
    fn spot(&self, caller: &Caller, code: &str) -> Option<SpotVersion> {
        let all: Arc<Vec<SpotVersion>> = self.inner.registry.spot_answers(caller.jurisdiction);
        all.iter().find(|one| one.answer.code == code).cloned()
    }

    /// Whether the caller keeps the answers of a unit; those of one that was merged are its successor's.
    fn may_answer(&self, caller: &Caller, directory: &Directory, unit: &str) -> Result<(), Error> {
        let all = self.may_all(caller, Act::KeepAnswers)?;
        let own = policy::units(&caller.actor, Act::KeepAnswers, Relation::Unit);
        if all || own.contains(directory.heir(unit)) { Ok(()) } else { Err(Error::Forbidden) }
    }
}
