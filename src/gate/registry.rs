//! What decisions are made with, in memory: charts, calendars, directories. The tables are the
//! truth; a change is loaded again as soon as it is committed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::error::Error;
use super::{lessons, roster};
use jiff::tz::TimeZone;

use crate::calendar::Calendar;
use crate::chart::{self, Chart};
use crate::domain::catalogue::{self, Asked, Catalogue};
use crate::domain::category::Question;
use crate::domain::event::Hash;
use crate::domain::spot::SpotVersion;
use crate::domain::{
    DefinitionId, Directory, Facts, Instant, JurisdictionId, Mute, PersonId, Refusal, Subscription,
    SubscriptionId, Text,
};
use crate::roster::{OnDuty, Rosters};
use crate::routing::Precedent;
use crate::store::{DefinitionSource, Store, TokenRow};

/// A published version of a workflow.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its id.
    pub id: DefinitionId,
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// 1 for the first.
    pub number: i64,
    /// Since when.
    pub published_at: Instant,
    /// By whom.
    pub published_by: String,
    /// Whether new instances start on it.
    pub current: bool,
    /// The checked workflow.
    pub chart: Arc<Chart>,
    /// The YAML.
    pub source: Arc<str>,
}

#[derive(Debug, Default)]
struct Shelf {
    versions: BTreeMap<DefinitionId, Version>,
    current: BTreeMap<(JurisdictionId, String), DefinitionId>,
    /// Every version of every calendar; the last one counts.
    calendars: BTreeMap<JurisdictionId, Vec<Calendar>>,
    /// As it holds now: with the grants of the terms in force.
    directories: BTreeMap<JurisdictionId, Arc<Directory>>,
    /// When the next term begins or ends.
    turns: Option<Instant>,
    /// Who is told by HTTP.
    subscriptions: BTreeMap<JurisdictionId, Arc<Vec<Subscription>>>,
    /// Mutes whose end was not told yet.
    mutes: BTreeMap<JurisdictionId, Vec<Mute>>,
    /// Rosters with the stand-ins of today and later.
    rosters: BTreeMap<JurisdictionId, Arc<Rosters>>,
    /// Tokens by the hash of their secret.
    tokens: BTreeMap<Hash, TokenRow>,
    /// Published versions of the catalogue; the one in force stands in the directory.
    catalogues: BTreeMap<JurisdictionId, Vec<Catalogue>>,
    /// Every question that one of them asks or asked.
    asked: BTreeMap<JurisdictionId, Asked>,
    /// What can be answered on the spot: the newest version of each.
    spot_answers: BTreeMap<JurisdictionId, Arc<Vec<SpotVersion>>>,
    /// Rulings that the router goes by, the newest first.
    precedents: BTreeMap<JurisdictionId, Arc<Vec<Precedent>>>,
}

impl Shelf {
    /// Directories as they hold at an instant, and when that next changes.
    fn turn(&mut self, now: Instant) {
        let mut turns: Option<Instant> = None;
        for (id, directory) in &mut self.directories {
            let versions = self.catalogues.get(id).map(Vec::as_slice).unwrap_or_default();
            turns = turns.into_iter().chain(catalogue::next_turn(versions, now)).min();
            if let Some(version) = catalogue::in_force(versions, now)
                && directory.categories != version.categories
            {
                let categories = version.categories.clone();
                *directory = Arc::new(Directory { categories, ..(**directory).clone() });
            }
            let terms = directory.people.values().flat_map(|person| &person.terms);
            let next = terms.filter_map(|term| term.turns(now)).min();
            turns = turns.into_iter().chain(next).min();
            if directory.people.values().all(|person| person.terms.is_empty()) {
                continue;
            }
            let people = directory.people.iter().map(|(id, person)| (*id, person.at(now)));
            let people = people.collect();
            *directory = Arc::new(Directory { people, ..(**directory).clone() });
        }
        self.turns = turns;
    }
}

/// Charts, calendars and directories. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    shelf: Arc<RwLock<Shelf>>,
    /// One loads at a time: else what an earlier one read could stand over what a later one did.
    loading: Arc<Mutex<()>>,
}

impl Registry {
    /// Loads everything.
    ///
    /// # Errors
    /// What the store says, or a stored definition or calendar that cannot be read any more.
    pub(super) fn load(store: &Store, now: Instant) -> Result<Self, Error> {
        let registry = Self::default();
        registry.reload(store, now)?;
        Ok(registry)
    }

    /// Loads everything again; charts that are known already are kept.
    ///
    /// # Errors
    /// As for the first time; what was loaded before stays.
    pub(super) fn reload(&self, store: &Store, now: Instant) -> Result<(), Error> {
        let _turn = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.read(|shelf| shelf.versions.clone());
        let shelf = store.read(|reader| {
            let mut shelf = Shelf::default();
            let mut sources = Vec::new();
            for jurisdiction in reader.jurisdictions()? {
                let id = jurisdiction.id;
                sources.extend(reader.definitions(id)?);
                let tokens = reader.tokens(id, None)?;
                shelf.tokens.extend(tokens.into_iter().map(|token| (token.hash, token)));
                shelf.mutes.insert(id, reader.open_mutes(id)?);
                let subscriptions = reader.subscriptions(id)?;
                shelf.subscriptions.insert(id, Arc::new(subscriptions));
                let calendars = reader.calendars(id)?;
                let of_code = calendars.into_iter().filter(|c| c.code == jurisdiction.calendar);
                let texts: Vec<String> = of_code.map(|calendar| calendar.source).collect();
                shelf.calendars.insert(id, read_calendars(&texts));
                let directory = Arc::new(reader.directory(id)?.unwrap_or_default());
                shelf.directories.insert(id, Arc::clone(&directory));
                let mut catalogues = reader.catalogues(id)?;
                catalogues.retain(|version| version.published.is_some());
                shelf.asked.insert(id, Asked::of(&directory.categories, &catalogues));
                shelf.catalogues.insert(id, catalogues);
                let mut answers = reader.spot_answers(id)?;
                answers.dedup_by(|later, newest| later.answer.code == newest.answer.code);
                shelf.spot_answers.insert(id, Arc::new(answers));
                shelf.rosters.insert(id, Arc::new(roster::in_memory(reader, id, now)?));
                let calendars = shelf.calendars.get(&id).and_then(|all| all.last());
                let zone = calendars.map_or(TimeZone::UTC, |calendar| calendar.zone().clone());
                shelf
                    .precedents
                    .insert(id, Arc::new(lessons::in_force(reader, &directory, (&zone, now))?));
                sources.sort_by_key(|source| source.id);
            }
            Ok((shelf, sources))
        });
        let (mut shelf, sources) = shelf?;
        for source in sources {
            let version = match old.get(&source.id) {
                Some(known) => Version { current: false, ..known.clone() },
                None => read_definition(&source)?,
            };
            if source.retired_at.is_none() {
                let key = (source.jurisdiction, source.workflow.clone());
                shelf.current.insert(key, source.id);
            }
            shelf.versions.insert(source.id, version);
        }
        for id in shelf.current.values() {
            if let Some(version) = shelf.versions.get_mut(id) {
                version.current = true;
            }
        }
        shelf.turn(now);
        *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = shelf;
        Ok(())
    }

    /// Lets terms begin and end that have come to their day.
    pub(super) fn turn(&self, now: Instant) {
        if self.read(|shelf| shelf.turns.is_none_or(|turns| now < turns)) {
            return;
        }
        self.shelf.write().unwrap_or_else(PoisonError::into_inner).turn(now);
    }

    fn read<T>(&self, look: impl FnOnce(&Shelf) -> T) -> T {
        look(&self.shelf.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The chart of a version.
    ///
    /// # Errors
    /// When there is none.
    pub fn chart(&self, id: DefinitionId) -> Result<Arc<Chart>, Error> {
        self.read(|shelf| shelf.versions.get(&id).map(|version| Arc::clone(&version.chart)))
            .ok_or_else(|| Error::Internal(format!("there is no definition {id}")))
    }

    /// The version that new instances of a workflow start on.
    ///
    /// # Errors
    /// A refusal when no such workflow is published.
    pub fn current(
        &self,
        jurisdiction: JurisdictionId,
        workflow: &str,
    ) -> Result<DefinitionId, Error> {
        let key = (jurisdiction, workflow.to_owned());
        self.read(|shelf| shelf.current.get(&key).copied()).ok_or_else(|| {
            let (zh, en) = (format!("没有流程“{workflow}”"), format!("no workflow `{workflow}`"));
            Error::Refused(Refusal::new("unknown_workflow", Text::new(zh, en)))
        })
    }

    /// Every version of every workflow of a jurisdiction, in order of publication.
    #[must_use]
    pub fn versions(&self, jurisdiction: JurisdictionId) -> Vec<Version> {
        self.read(|shelf| {
            let versions = shelf.versions.values();
            versions.filter(|version| version.jurisdiction == jurisdiction).cloned().collect()
        })
    }

    /// The calendar that counts now.
    ///
    /// # Errors
    /// When none was loaded.
    pub fn calendar(&self, jurisdiction: JurisdictionId) -> Result<Calendar, Error> {
        self.read(|shelf| shelf.calendars.get(&jurisdiction)?.last().cloned())
            .ok_or_else(|| Error::Internal(format!("jurisdiction {jurisdiction} has no calendar")))
    }

    /// A certain version of the calendar, with which an old due date was counted.
    #[must_use]
    pub fn calendar_version(
        &self,
        jurisdiction: JurisdictionId,
        version: &str,
    ) -> Option<Calendar> {
        self.read(|shelf| {
            let mut calendars = shelf.calendars.get(&jurisdiction)?.iter();
            calendars.find(|calendar| calendar.version() == version).cloned()
        })
    }

    /// Who is who.
    ///
    /// # Errors
    /// When there is no such jurisdiction.
    pub fn directory(&self, jurisdiction: JurisdictionId) -> Result<Arc<Directory>, Error> {
        self.read(|shelf| shelf.directories.get(&jurisdiction).cloned())
            .ok_or_else(|| Error::Internal(format!("there is no jurisdiction {jurisdiction}")))
    }

    /// A question of the catalogue, also one that it asks no longer: of a category, or of any.
    pub(super) fn ever_asked(
        &self,
        jurisdiction: JurisdictionId,
        meant: (Option<&str>, &str),
    ) -> Option<Question> {
        self.read(|shelf| shelf.asked.get(&jurisdiction)?.find(meant).cloned())
    }

    /// Who is told by HTTP, in order of id.
    #[must_use]
    pub fn subscriptions(&self, jurisdiction: JurisdictionId) -> Arc<Vec<Subscription>> {
        self.read(|shelf| shelf.subscriptions.get(&jurisdiction).cloned().unwrap_or_default())
    }

    /// A subscription.
    #[must_use]
    pub fn subscription(
        &self,
        jurisdiction: JurisdictionId,
        id: SubscriptionId,
    ) -> Option<Subscription> {
        let all = self.subscriptions(jurisdiction);
        all.iter().find(|one| one.id == id).cloned()
    }

    /// The mute that holds back less urgent alerts to a person, if one does.
    #[must_use]
    pub fn mute_of(
        &self,
        jurisdiction: JurisdictionId,
        person: PersonId,
        now: Instant,
    ) -> Option<Mute> {
        self.read(|shelf| {
            let mut mutes = shelf.mutes.get(&jurisdiction)?.iter();
            mutes.find(|mute| mute.person == person && mute.holds(now)).cloned()
        })
    }

    /// The mutes of a jurisdiction whose end was not told yet, in order of id.
    #[must_use]
    pub fn open_mutes(&self, jurisdiction: JurisdictionId) -> Vec<Mute> {
        self.read(|shelf| shelf.mutes.get(&jurisdiction).cloned().unwrap_or_default())
    }

    /// Who is on duty when: rosters with the stand-ins of today and later.
    #[must_use]
    pub fn rosters(&self, jurisdiction: JurisdictionId) -> Arc<Rosters> {
        self.read(|shelf| shelf.rosters.get(&jurisdiction).cloned()).unwrap_or_default()
    }

    /// What can be answered on the spot: the newest version of each, also of those taken back.
    #[must_use]
    pub fn spot_answers(&self, jurisdiction: JurisdictionId) -> Arc<Vec<SpotVersion>> {
        self.read(|shelf| shelf.spot_answers.get(&jurisdiction).cloned()).unwrap_or_default()
    }

    /// Rulings that the router goes by, the newest first.
    #[must_use]
    pub fn precedents(&self, jurisdiction: JurisdictionId) -> Arc<Vec<Precedent>> {
        self.read(|shelf| shelf.precedents.get(&jurisdiction).cloned()).unwrap_or_default()
    }

    /// What decisions at an instant ask: who is on duty then, and who is who.
    ///
    /// # Errors
    /// When there is no such jurisdiction.
    pub fn facts(
        &self,
        jurisdiction: JurisdictionId,
        now: Instant,
    ) -> Result<Arc<dyn Facts + Send + Sync>, Error> {
        self.turn(now);
        let directory = self.directory(jurisdiction)?;
        let rosters = self.rosters(jurisdiction);
        if rosters.rosters.is_empty() {
            return Ok(directory);
        }
        let calendar = self.calendar(jurisdiction)?;
        Ok(Arc::new(OnDuty { directory, rosters, calendar, now }))
    }

    /// The token of a hash, as long as it is good.
    #[must_use]
    pub(super) fn token(&self, hash: &Hash, now: Instant) -> Option<TokenRow> {
        let token = self.read(|shelf| shelf.tokens.get(hash).cloned())?;
        let expired = token.expires_at.is_some_and(|end| end <= now);
        (token.revoked_at.is_none() && !expired).then_some(token)
    }

    /// Every jurisdiction.
    #[must_use]
    pub fn jurisdictions(&self) -> Vec<JurisdictionId> {
        self.read(|shelf| shelf.directories.keys().copied().collect())
    }
}

/// Calendars that can be read; a version that cannot is an operator's concern, not a reason to
/// stop the service that still has others.
fn read_calendars(texts: &[String]) -> Vec<Calendar> {
    let mut calendars = Vec::new();
    for text in texts {
        match Calendar::from_yaml(text) {
            Ok(calendar) => calendars.push(calendar),
            Err(error) => tracing::error!(%error, "a stored calendar cannot be read"),
        }
    }
    calendars
}

fn read_definition(source: &DefinitionSource) -> Result<Version, Error> {
    let (chart, findings) = chart::recall(&source.source);
    let Some(chart) = chart else {
        let workflow = &source.workflow;
        let drawing = chart::finding::draw(workflow, &source.source, &findings);
        let (id, number) = (source.id, source.number);
        return Err(Error::Internal(format!(
            "the stored definition {id} ({workflow} {number}) cannot be read any more:\n{drawing}"
        )));
    };
    Ok(Version {
        id: source.id,
        jurisdiction: source.jurisdiction,
        number: source.number,
        published_at: source.published_at,
        published_by: source.published_by.clone(),
        current: false,
        chart: Arc::new(chart),
        source: Arc::from(source.source.as_str()),
    })
}
