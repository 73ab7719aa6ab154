//! The catalogue of categories, version by version: one drafts, another publishes, and it is in force
//! from an instant on.

use serde_json::json;

use super::error::{Error, refused};
use super::sealing::Deed;
use super::{Caller, Gate};
use crate::domain::catalogue::{self, Catalogue, Categories, Difference, Published};
use crate::domain::{Actor, Category, Instant, JurisdictionId, Refusal};
use crate::policy::Act;
use crate::store::{self, Transaction};

/// Nobody plans further ahead than this (ms): two years.
const AHEAD_MAX: i64 = 730 * 24 * 3_600_000;

/// So long is what a version is for.
const NOTE: std::ops::RangeInclusive<usize> = 2..=500;

impl Gate {
    /// The versions of the catalogue, the newest first, and the number of the one in force. Blocks.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn catalogues(&self, caller: &Caller) -> Result<(Vec<Catalogue>, Option<i64>), Error> {
        self.permit(caller, Act::ReadDirectory)?;
        let all = self.read(|reader| reader.catalogues(caller.jurisdiction))?;
        let number = catalogue::in_force(&all, self.now()).map(|version| version.number);
        Ok((all, number))
    }

    /// One version. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub fn catalogue(&self, caller: &Caller, number: i64) -> Result<Catalogue, Error> {
        let (all, _) = self.catalogues(caller)?;
        all.into_iter().find(|version| version.number == number).ok_or(Error::NotFound)
    }

    /// What a version changes, against another one or against what is in force now. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub fn catalogue_differences(
        &self,
        caller: &Caller,
        number: i64,
        against: Option<i64>,
    ) -> Result<Vec<Difference>, Error> {
        let new = self.catalogue(caller, number)?;
        let old = match against {
            Some(against) => self.catalogue(caller, against)?.categories,
            None => self.inner.registry.directory(caller.jurisdiction)?.categories.clone(),
        };
        Ok(catalogue::differences(&old, &new.categories))
    }

    /// Drafts a version; answers its number. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; a refusal with everything that is wrong with it.
    pub fn draft_catalogue(
        &self,
        caller: &Caller,
        categories: Categories,
        note: &str,
    ) -> Result<i64, Error> {
        self.permit(caller, Act::WriteDirectory)?;
        let note = noted(note)?;
        self.sound_catalogue(caller.jurisdiction, &categories)?;
        let new = Catalogue {
            number: 0,
            categories,
            note,
            made_by: caller.actor.name(),
            made_at: self.now(),
            published: None,
            withdrawn_at: None,
        };
        self.change(|transaction, now| {
            let number = transaction.add_catalogue(caller.jurisdiction, &new)?;
            let deed = Deed::of(caller, "catalogue_drafted", format!("catalogue:{number}"));
            let detail = json!({ "note": new.note, "categories": new.categories.len() });
            deed.with(detail).write(transaction, now)?;
            Ok(number)
        })
    }

    /// Publishes a draft of somebody else; in force from an instant, or at once. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; a refusal when the same person drafted it, when it is no draft any
    /// more, or when it does not fit what is there by now.
    pub fn publish_catalogue(
        &self,
        caller: &Caller,
        number: i64,
        effective_at: Option<Instant>,
    ) -> Result<Published, Error> {
        self.permit(caller, Act::TeachRouting)?;
        let (all, _) = self.catalogues(caller)?;
        let draft = all.iter().find(|one| one.number == number).ok_or(Error::NotFound)?;
        let (by, now) = (caller.actor.name(), self.now());
        if draft.published.is_some() || draft.withdrawn_at.is_some() {
            let (zh, en) = ("该版本已发布或已撤回", "This version was published or withdrawn");
            return Err(refused("no_draft", zh, en));
        }
        let newer = |one: &Catalogue| one.published.as_ref().is_some_and(|p| p.at > draft.made_at);
        if let Some(newer) = all.iter().find(|one| newer(one)) {
            let zh = format!("拟稿之后第{}版已发布，请在其基础上重新拟稿", newer.number);
            let en = format!(
                "Version {} was published since this was drafted: draft it anew from that one",
                newer.number
            );
            return Err(refused("draft_outdated", &zh, &en));
        }
        if draft.made_by == by {
            let (zh, en) =
                ("拟稿人不得自行发布，须由另一人发布", "Another person publishes than drafted it");
            return Err(refused("second_person_needed", zh, en));
        }
        let effective_at = effective_at.unwrap_or(now);
        if effective_at < now || effective_at.since(now) > AHEAD_MAX {
            let en = "`effective_at` lies between now and two years ahead";
            return Err(Error::invalid("生效时间应在现在至两年之内", en));
        }
        // Units may have gone since it was drafted, and categories may have come.
        self.sound_catalogue(caller.jurisdiction, &draft.categories)?;
        let published = Published { by, at: now, effective_at };
        let deed = Deed::of(caller, "catalogue_published", format!("catalogue:{number}"));
        let deed = deed.with(json!({ "effective_at": effective_at }));
        let done = self.administer(deed, |transaction, _| {
            transaction.publish_catalogue(caller.jurisdiction, number, &published)
        })?;
        if done { Ok(published) } else { Err(Error::Busy("published meanwhile".to_owned())) }
    }

    /// Withdraws a draft. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when there is no such draft.
    pub fn withdraw_catalogue(&self, caller: &Caller, number: i64) -> Result<(), Error> {
        self.permit(caller, Act::WriteDirectory)?;
        let deed = Deed::of(caller, "catalogue_withdrawn", format!("catalogue:{number}"));
        let done = self.administer_if(deed, |transaction, now| {
            transaction.withdraw_catalogue(caller.jurisdiction, number, now)
        })?;
        if done { Ok(()) } else { Err(Error::NotFound) }
    }

    /// Adds or changes one category at once: a version of its own. Where two people are wanted this
    /// is refused. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a unit that is not there; `draft_needed`.
    pub fn put_category(&self, caller: &Caller, category: &Category) -> Result<(), Error> {
        self.permit(caller, Act::WriteDirectory)?;
        if self.two_persons(caller) {
            let zh = "目录由两人共同修改：请提交新版本草稿，由另一人发布";
            let en =
                "The catalogue is changed by two people: draft a version for another to publish";
            return Err(refused("draft_needed", zh, en));
        }
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        let mut faults = directory.faults_of_category(category, &directory.categories);
        faults.extend(directory.faults_of_landing(std::iter::once(category)));
        super::administration::sound(&faults)?;
        let deed = Deed::of(caller, "category_put", format!("category:{}", category.code));
        let note = format!("{} {}", category.code, category.name.zh);
        let by = caller.actor.name();
        self.administer(deed, |transaction, now| {
            change_one(transaction, caller.jurisdiction, category, (&by, now, &note))
        })
    }

    /// Whether one alone may not change the catalogue: by the rules of the house, for people.
    pub(super) fn two_persons(&self, caller: &Caller) -> bool {
        let ruled = self.access_rules().second_person_ms.is_some();
        ruled && matches!(caller.actor, Actor::Person { .. })
    }

    fn sound_catalogue(&self, owner: JurisdictionId, categories: &Categories) -> Result<(), Error> {
        let directory = self.inner.registry.directory(owner)?;
        let faults = directory.faults_of_catalogue(categories);
        let Some(first) = faults.first() else { return Ok(()) };
        let mut refusal = Refusal::new("wrong_catalogue", first.clone());
        refusal.reasons = faults
            .into_iter()
            .flat_map(|text| Refusal::new("wrong_catalogue", text).reasons)
            .collect();
        Err(refusal.into())
    }
}

/// One category changed at once, as a version of its own: read in the transaction, so that two who
/// change different ones at the same time both stay.
pub(super) fn change_one(
    transaction: &mut Transaction<'_>,
    owner: JurisdictionId,
    category: &Category,
    (by, now, note): (&str, Instant, &str),
) -> Result<(), store::Error> {
    let all = transaction.catalogues(owner)?;
    let mut categories = match catalogue::in_force(&all, now) {
        Some(version) => version.categories.clone(),
        None => transaction.directory(owner)?.unwrap_or_default().categories,
    };
    categories.insert(category.code.clone(), category.clone());
    let published = Published { by: by.to_owned(), at: now, effective_at: now };
    let new = Catalogue {
        number: 0,
        categories,
        note: note.to_owned(),
        made_by: by.to_owned(),
        made_at: now,
        published: Some(published),
        withdrawn_at: None,
    };
    transaction.add_catalogue(owner, &new).map(drop)
}

fn noted(note: &str) -> Result<String, Error> {
    let note = note.trim();
    if NOTE.contains(&note.chars().count()) && !note.contains('\0') {
        return Ok(note.to_owned());
    }
    let (least, most) = (NOTE.start(), NOTE.end());
    let en = format!("`note` says what the version is for, in {least} to {most} characters");
    Err(Error::invalid(format!("请用{least}至{most}字说明修改内容（note）"), en))
}
