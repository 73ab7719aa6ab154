//! The catalogue of categories, version by version: one drafts, another publishes, and it is in force
//! from an instant on.

use serde_json::json;

use super::error::{Error, refused};
use super::sealing::Deed;
use super::standing::Standing;
use super::{Caller, Gate};
use crate::domain::catalogue::{self, Catalogue, Categories, Difference, Published};
use crate::domain::{Actor, Category, Directory, Instant, JurisdictionId, Refusal, Text};
use crate::policy::Act;
use crate::store::Transaction;

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
        self.judged(caller, Act::WriteDirectory, |transaction, standing| {
            sound_catalogue(&standing.directory, &categories)?;
            let new = Catalogue {
                number: 0,
                categories,
                note,
                made_by: caller.actor.name(),
                made_at: standing.now,
                published: None,
                withdrawn_at: None,
            };
            let number = transaction.add_catalogue(caller.jurisdiction, &new)?;
            let deed = Deed::of(caller, "catalogue_drafted", format!("catalogue:{number}"));
            let detail = json!({ "note": new.note, "categories": new.categories.len() });
            deed.with(detail).write(transaction, standing.now)?;
            Ok(number)
        })
    }

    /// Publishes a draft of somebody else; in force from an instant, or at once. What is planned for later
    /// takes in what it changes. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; a refusal when the same person drafted it, when it is no draft any
    /// more, when it does not fit what is there by now, when it would undo what changed since it was
    /// drafted or is planned for before (`draft_outdated`), and when a later version has it otherwise
    /// (`planned_otherwise`).
    pub fn publish_catalogue(
        &self,
        caller: &Caller,
        number: i64,
        effective_at: Option<Instant>,
    ) -> Result<Published, Error> {
        self.permit(caller, Act::TeachRouting)?;
        self.judged(caller, Act::TeachRouting, |transaction, standing| {
            let (owner, now) = (caller.jurisdiction, standing.now);
            let all = transaction.catalogues(owner)?;
            let draft = all.iter().find(|one| one.number == number).ok_or(Error::NotFound)?;
            if draft.published.is_some() || draft.withdrawn_at.is_some() {
                let (zh, en) = ("该版本已发布或已撤回", "This version was published or withdrawn");
                return Err(refused("no_draft", zh, en));
            }
            let effective_at = effective_at.unwrap_or(now);
            if effective_at < now || effective_at.since(now) > AHEAD_MAX {
                let en = "`effective_at` lies between now and two years ahead";
                return Err(Error::invalid("生效时间应在现在至两年之内", en));
            }
            let older = all.iter().filter(|one| !one.is_newer_than(draft));
            let base = standing_at(transaction, owner, older, draft.made_at)?;
            let before = standing_at(transaction, owner, &all, effective_at)?;
            up_to_date(draft, &all, (&base, &before))?;
            let by = caller.actor.name();
            if draft.made_by == by {
                let (zh, en) = (
                    "拟稿人不得自行发布，须由另一人发布",
                    "Another person publishes than drafted it",
                );
                return Err(refused("second_person_needed", zh, en));
            }
            // Units may have gone since it was drafted, and categories may have come.
            sound_catalogue(&standing.directory, &draft.categories)?;
            let published = Published { by, at: now, effective_at };
            transaction.publish_catalogue(owner, number, &published)?;
            let deed = Deed::of(caller, "catalogue_published", format!("catalogue:{number}"));
            deed.with(json!({ "effective_at": effective_at })).write(transaction, now)?;
            carry(
                transaction,
                standing,
                (&all, number, effective_at),
                (&before, &draft.categories),
            )?;
            Ok(published)
        })
    }

    /// Withdraws a draft, or what is published for a day to come. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when there is no such version.
    pub fn withdraw_catalogue(&self, caller: &Caller, number: i64) -> Result<(), Error> {
        self.permit(caller, Act::WriteDirectory)?;
        self.judged(caller, Act::WriteDirectory, |transaction, standing| {
            if !transaction.withdraw_catalogue(caller.jurisdiction, number, standing.now)? {
                return Err(Error::NotFound);
            }
            let deed = Deed::of(caller, "catalogue_withdrawn", format!("catalogue:{number}"));
            Ok(deed.write(transaction, standing.now)?)
        })
    }

    /// Adds or changes one category at once: a version of its own. Where two people are wanted this
    /// is refused. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a unit that is not there; `draft_needed`; `planned_otherwise`.
    pub fn put_category(&self, caller: &Caller, category: &Category) -> Result<(), Error> {
        self.permit(caller, Act::WriteDirectory)?;
        if self.two_persons(caller) {
            let zh = "目录由两人共同修改：请提交新版本草稿，由另一人发布";
            let en =
                "The catalogue is changed by two people: draft a version for another to publish";
            return Err(refused("draft_needed", zh, en));
        }
        let note = format!("{} {}", category.code, category.name.zh);
        self.judged(caller, Act::WriteDirectory, |transaction, standing| {
            let directory = &standing.directory;
            let mut faults = directory.faults_of_category(category, &directory.categories);
            faults.extend(directory.faults_of_landing(std::iter::once(category)));
            super::administration::sound(&faults)?;
            let deed = Deed::of(caller, "category_put", format!("category:{}", category.code));
            deed.write(transaction, standing.now)?;
            change_one(transaction, standing, category, &note)
        })
    }

    /// Whether one alone may not change the catalogue: by the rules of the house, for people.
    pub(super) fn two_persons(&self, caller: &Caller) -> bool {
        let ruled = self.access_rules().second_person_ms.is_some();
        ruled && matches!(caller.actor, Actor::Person { .. })
    }
}

fn sound_catalogue(directory: &Directory, categories: &Categories) -> Result<(), Error> {
    wrong("wrong_catalogue", directory.faults_of_catalogue(categories))
}

/// Refuses what has faults, with all of them.
fn wrong(code: &str, faults: Vec<Text>) -> Result<(), Error> {
    if faults.is_empty() {
        return Ok(());
    }
    let reasons = faults.into_iter().flat_map(|text| Refusal::new(code, text).reasons).collect();
    Err(Refusal { code: code.to_owned(), reasons, possible: Vec::new() }.into())
}

/// One category changed at once, as a version of its own; what is planned for later takes it in.
pub(super) fn change_one(
    transaction: &mut Transaction<'_>,
    standing: &Standing,
    category: &Category,
    note: &str,
) -> Result<(), Error> {
    let (before, now) = (&standing.directory.categories, standing.now);
    let all = transaction.catalogues(standing.caller.jurisdiction)?;
    let mut categories = before.clone();
    categories.insert(category.code.clone(), category.clone());
    let by = standing.caller.actor.name();
    let new = Catalogue {
        number: 0,
        categories,
        note: note.to_owned(),
        made_by: by.clone(),
        made_at: now,
        published: Some(Published { by, at: now, effective_at: now }),
        withdrawn_at: None,
    };
    let number = transaction.add_catalogue(standing.caller.jurisdiction, &new)?;
    carry(transaction, standing, (&all, number, now), (before, &new.categories))
}

/// The categories that stand at an instant, by some versions.
fn standing_at<'c>(
    transaction: &mut Transaction<'_>,
    owner: JurisdictionId,
    versions: impl IntoIterator<Item = &'c Catalogue>,
    at: Instant,
) -> Result<Categories, Error> {
    Ok(match catalogue::in_force(versions, at) {
        Some(version) => version.categories.clone(),
        None => transaction.directory(owner)?.unwrap_or_default().categories,
    })
}

/// Refuses a draft that would undo what was published since it was made, or what will be in force before
/// it; each difference is said. `base` is what it was drafted from, `before` what it is to replace.
fn up_to_date(
    draft: &Catalogue,
    all: &[Catalogue],
    (base, before): (&Categories, &Categories),
) -> Result<(), Error> {
    let newer = all.iter().filter(|one| one.is_newer_than(draft)).max_by_key(|one| one.number);
    let (text, changed) = match newer {
        Some(Catalogue { number, categories, .. }) => (
            Text::new(
                format!("拟稿之后第{number}版已发布，请在其基础上重新拟稿；其间的修改："),
                format!(
                    "Version {number} was published since this was drafted: draft it anew from that one; what changed:"
                ),
            ),
            catalogue::differences(base, categories),
        ),
        None => (
            Text::new(
                "该稿未包含在其生效前施行的版本所作的修改，请补入后重新拟稿，或先撤回该版本；所缺：",
                "The draft lacks what a version changes that is in force before it: draft it anew with that, or withdraw that version first; what is missing:",
            ),
            catalogue::differences(
                &draft.categories,
                &catalogue::merged(base, &draft.categories, before).0,
            ),
        ),
    };
    if newer.is_none() && changed.is_empty() {
        return Ok(());
    }
    wrong("draft_outdated", listed(text, changed))
}

/// Puts a change into what was published for a later day and drawn up before it: versions of their own, in
/// the place of those. `number` is in force `from` an instant on and made `after` of `before`.
///
/// # Errors
/// `planned_otherwise` where a later version changes the same, and not alike, or cannot bear it.
fn carry(
    transaction: &mut Transaction<'_>,
    standing: &Standing,
    (all, number, from): (&[Catalogue], i64, Instant),
    (before, after): (&Categories, &Categories),
) -> Result<(), Error> {
    let Standing { directory, caller, now } = standing;
    let mut directory = directory.clone();
    directory.categories = after.clone();
    let planned = catalogue::planned(all, from);
    for (place, version) in planned.iter().enumerate() {
        // Of several for one day the last one counts.
        let next = planned.get(place + 1).and_then(|next| next.effective_at());
        let Some(published) = version.published.as_ref().filter(|_| version.effective_at() != next)
        else {
            continue;
        };
        let (categories, at_odds) = catalogue::merged(before, &version.categories, after);
        if categories == version.categories && at_odds.is_empty() {
            continue;
        }
        let known = directory.faults_of_catalogue(&version.categories);
        let mut faults = directory.faults_of_catalogue(&categories);
        faults.retain(|fault| !known.contains(fault));
        if !at_odds.is_empty() || !faults.is_empty() {
            let text = Text::new(
                format!(
                    "已发布的第{}版对此另有安排，请先撤回该版本，再修改后重新拟稿：",
                    version.number
                ),
                format!(
                    "Version {}, which is published for a day to come, has it otherwise: withdraw it first, and draft it anew afterwards:",
                    version.number
                ),
            );
            let mut others = catalogue::differences(after, &version.categories);
            others.retain(|one| at_odds.contains(&one.code));
            return wrong("planned_otherwise", [listed(text, others), faults].concat());
        }
        transaction.withdraw_catalogue(caller.jurisdiction, version.number, *now)?;
        let (of, effective_at) = (version.number, published.effective_at);
        let new = Catalogue {
            number: 0,
            categories,
            note: format!("{}（第{of}版，含第{number}版的修改）", version.note),
            made_by: version.made_by.clone(),
            made_at: *now,
            published: Some(Published { at: *now, ..published.clone() }),
            withdrawn_at: None,
        };
        let carried = transaction.add_catalogue(caller.jurisdiction, &new)?;
        let deed = Deed::of(caller, "catalogue_carried", format!("catalogue:{carried}"));
        let detail = json!({ "of": of, "with": number, "effective_at": effective_at });
        deed.with(detail).write(transaction, *now)?;
    }
    Ok(())
}

/// A sentence and what it speaks of, each with its category.
fn listed(text: Text, changes: Vec<Difference>) -> Vec<Text> {
    let lines = changes.into_iter().map(|Difference { code, what }| {
        Text::new(format!("{code}：{}", what.zh), format!("{code}: {}", what.en))
    });
    std::iter::once(text).chain(lines).collect()
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
