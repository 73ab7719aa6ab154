//! How messages are worded: the templates in force, what they are told about a message, and the
//! messages that the house writes on its own account.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::tz::TimeZone;

use super::error::Error;
use super::{Caller, Gate, number_of};
use crate::chart::Chart;
use crate::domain::person::CONSOLE;
use crate::domain::{
    Instant, JurisdictionId, Kind, Language, Message, Person, PersonId, Recipient, Text, Tier,
};
use crate::policy::Act;
use crate::store::{self, Transaction};
use crate::template::{
    About, CHANNELS, Checked, Fault, Offer, Sample, Templates, TierWord, Written,
};

/// Templates, and where links lead.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) templates: Templates,
    /// Without a slash at its end; empty: messages have no links.
    pub(super) public_url: String,
}

/// The sheet in force. All clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Letters {
    sheet: Arc<RwLock<Arc<Sheet>>>,
}

impl Letters {
    /// The texts of the distribution, without links.
    pub(super) fn shipped() -> Result<Self, Error> {
        let templates =
            Templates::shipped().map_err(|faults| Error::Internal(unfit(&faults).to_string()))?;
        let sheet = Arc::new(Sheet { templates, public_url: String::new() });
        Ok(Self { sheet: Arc::new(RwLock::new(sheet)) })
    }

    pub(super) fn sheet(&self) -> Arc<Sheet> {
        Arc::clone(&self.sheet.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, sheet: Sheet) {
        *self.sheet.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(sheet);
    }
}

fn unfit(faults: &[Fault]) -> Error {
    let listed = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ");
    Error::invalid(format!("消息模板有误：{listed}"), listed)
}

/// A message of the house itself to one person, not worded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// To whom.
    pub person: PersonId,
    /// By which channel; none: by the person's first one for messages of this urgency.
    pub channel: Option<String>,
    /// What it is for.
    pub kind: Kind,
    /// Whether it is urgent.
    pub urgent: bool,
    /// What it is about, in the person's language; office, name and time are filled in.
    pub about: About,
}

/// What is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The kind of message.
    pub kind: Kind,
    /// The channel.
    pub channel: String,
    /// The language.
    pub language: Language,
    /// Whether it is the summary of several alerts.
    pub bundle: bool,
    /// For an alert: a text of a workflow, by both names.
    pub text: Option<(String, String)>,
}

impl Gate {
    /// Takes other templates and another public address into use, if every text of every version of
    /// every workflow can be worded with them; answers what is worth knowing. They are in force from
    /// the next message on.
    ///
    /// # Errors
    /// `Invalid` with every fault; then nothing has changed.
    pub fn use_templates(&self, templates: Templates, public_url: &str) -> Result<Checked, Error> {
        let public_url = public_url.trim_end_matches('/').to_owned();
        let mut charts: Vec<Arc<Chart>> = Vec::new();
        for jurisdiction in self.inner.registry.jurisdictions() {
            let versions = self.inner.registry.versions(jurisdiction);
            charts.extend(versions.into_iter().map(|version| version.chart));
        }
        let sample = Sample { office: Text::default(), public_url: public_url.clone() };
        let checked = templates.check(charts.iter().map(AsRef::as_ref), &sample);
        let faults: Vec<Fault> = checked.all_faults().cloned().collect();
        if !faults.is_empty() {
            return Err(unfit(&faults));
        }
        self.inner.letters.replace(Sheet { templates, public_url });
        Ok(checked)
    }

    /// Whether every text of a workflow can be worded: else the next start would be refused.
    /// Wordings of texts that it no longer has are other versions' business.
    pub(super) fn can_be_said(&self, chart: &Chart) -> Result<(), Error> {
        let sheet = self.inner.letters.sheet();
        let sample = Sample { office: Text::default(), public_url: sheet.public_url.clone() };
        let faults = sheet.templates.check([chart], &sample).faults;
        if faults.is_empty() { Ok(()) } else { Err(unfit(&faults)) }
    }

    /// The public address below which links lead, without a slash at its end; empty if messages have
    /// no links.
    #[must_use]
    pub fn public_url(&self) -> String {
        self.inner.letters.sheet().public_url.clone()
    }

    /// Words a message for its channel, in its person's language. Of an alert the kept text is the
    /// sentence inside the channel's template; a message of the house itself was worded when it was
    /// written, and only its HTML is made now. A template that breaks holds no message back: the
    /// kept text is sent as it is.
    #[must_use]
    pub fn word(&self, message: &Message, language: Language, about: &About) -> Written {
        let sheet = self.inner.letters.sheet();
        let plain =
            |html| Written { subject: message.subject.clone(), text: message.body.clone(), html };
        let (kind, channel) = (message.kind, message.channel.as_str());
        let worded = match kind {
            Kind::Alert => sheet.templates.write(language, kind, channel, about),
            _ => sheet.templates.html(language, kind, channel, about).map(plain),
        };
        worded.unwrap_or_else(|error| {
            tracing::error!(%error, kind = kind.code(), channel, "a message is sent without template");
            plain(None)
        })
    }

    /// What the templates are told about a message to a person. Reads the instance it is about.
    /// Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn about(&self, message: &Message, person: &Person) -> Result<About, Error> {
        let registry = &self.inner.registry;
        let directory = registry.directory(message.jurisdiction)?;
        let calendar = registry.calendar(message.jurisdiction)?;
        let language = person.rules.language;
        let tier = Tier::from_rank(message.tier).unwrap_or_default();
        let mut about = About {
            office: directory.name.say(language).to_owned(),
            sentence: message.body.clone(),
            subject: message.subject.clone(),
            tier: TierWord { word: tier.title().say(language).to_owned(), rank: tier.rank() },
            urgent: message.urgent,
            name: person.name.clone(),
            sent_at: minute(message.created_at, calendar.zone()),
            reply: self.inner.alerts.replies && message.channel == "sms",
            ..About::default()
        };
        let Some(id) = message.instance else { return Ok(about) };
        let public_url = self.public_url();
        if !public_url.is_empty() {
            about.link = format!("{public_url}/a/{}", self.link_token(message));
        }
        let found = self.read(|reader| reader.instance(id))?;
        let Some((instance, _)) = found else { return Ok(about) };
        let chart = registry.chart(instance.definition)?;
        about.number = number_of(instance.family);
        about.workflow = chart.title.say(language).to_owned();
        if let Some((clock, entry)) = &message.clock {
            let armed = instance.clocks.get(clock).filter(|armed| armed.entry == *entry);
            about.due = armed.map(|armed| short(armed.due, calendar.zone())).unwrap_or_default();
        }
        if let Some(offered) = self.offered(message, person, (&chart, &instance))? {
            let title = offered.title.say(language).to_owned();
            if offered.needs_sign_in {
                about.sign_in = title;
            } else {
                about.offer = Some(Offer { title, digit: 2 });
            }
        }
        Ok(about)
    }

    /// A message as it would be worded, with sample values. For editors and administrators.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` for a workflow or text that there is not; `Invalid` for a channel
    /// that there is not.
    pub fn preview(&self, caller: &Caller, wish: &Wish) -> Result<Written, Error> {
        self.permit(caller, Act::PreviewTexts)?;
        let registry = &self.inner.registry;
        let sheet = self.inner.letters.sheet();
        let office = registry.directory(caller.jurisdiction)?.name.clone();
        let sample = Sample { office, public_url: sheet.public_url.clone() };
        let chart = match &wish.text {
            Some((workflow, _)) => {
                let current = registry.current(caller.jurisdiction, workflow);
                Some(registry.chart(current.map_err(|_unknown| Error::NotFound)?)?)
            }
            None => None,
        };
        sample_letter(&sheet.templates, chart.as_deref(), wish, &sample)
    }

    /// Rows for a message of the house itself; none if the person is not active.
    pub(super) fn compose(
        &self,
        jurisdiction: JurisdictionId,
        note: &Note,
        now: Instant,
    ) -> Result<Option<Message>, Error> {
        let registry = &self.inner.registry;
        let directory = registry.directory(jurisdiction)?;
        let calendar = registry.calendar(jurisdiction)?;
        let person = directory.people.get(&note.person).filter(|person| person.active);
        let Some(person) = person else { return Ok(None) };
        let language = person.rules.language;
        let first = person.wished(note.urgent).or(person.ways(note.urgent).first().copied());
        let first = first.unwrap_or(CONSOLE);
        let channel = note.channel.clone().unwrap_or_else(|| first.to_owned());
        let about = About {
            office: directory.name.say(language).to_owned(),
            name: person.name.clone(),
            urgent: note.urgent,
            sent_at: minute(now, calendar.zone()),
            ..note.about.clone()
        };
        let templates = &self.inner.letters.sheet().templates;
        let written = templates
            .write(language, note.kind, &channel, &about)
            .map_err(|error| Error::Internal(error.to_string()))?;
        let patience = self.inner.alerts.patience_ms(note.urgent);
        let to = Recipient::Person(note.person);
        Ok(Some(Message {
            channel,
            urgent: note.urgent,
            subject: written.subject,
            body: written.text,
            ..Message::new(jurisdiction, to, note.kind, now, patience)
        }))
    }

    /// Rows for several messages of the house itself.
    pub(super) fn compose_all(
        &self,
        jurisdiction: JurisdictionId,
        notes: &[Note],
        now: Instant,
    ) -> Result<Vec<Message>, Error> {
        let rows = notes.iter().map(|note| self.compose(jurisdiction, note, now).transpose());
        rows.flatten().collect()
    }

    /// One transaction that leaves messages; senders are woken after its commit.
    pub(super) fn write_and_ring<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, store::Error>,
    ) -> Result<T, Error> {
        let done = self.inner.store.writer()?.transaction(work)?;
        self.inner.wake.notify_waiters();
        Ok(done)
    }

    /// Day and minute in a jurisdiction's zone, as messages say them: `11-26 17:30`.
    ///
    /// # Errors
    /// When the jurisdiction has no calendar.
    pub fn spoken_time(&self, jurisdiction: JurisdictionId, at: Instant) -> Result<String, Error> {
        Ok(short(at, self.inner.registry.calendar(jurisdiction)?.zone()))
    }
}

/// A message as it would be worded, with sample values.
///
/// # Errors
/// `NotFound` for a text that there is not; `Invalid` for a channel that there is not, or a template
/// that breaks.
pub fn sample_letter(
    templates: &Templates,
    chart: Option<&Chart>,
    wish: &Wish,
    sample: &Sample,
) -> Result<Written, Error> {
    if !CHANNELS.contains(&wish.channel.as_str()) {
        let (channel, known) = (&wish.channel, CHANNELS.join(", "));
        return Err(Error::invalid(
            format!("没有渠道“{channel}”；可用渠道：{known}"),
            format!("there is no channel `{channel}`; channels are {known}"),
        ));
    }
    if wish.kind == Kind::Change {
        let en = "what is told to systems has no template";
        return Err(Error::invalid("发给系统的通知没有模板", en));
    }
    let broken = |error: crate::template::Error| {
        Error::invalid(format!("模板有误：{error}"), error.to_string())
    };
    let mut about = About::default_sample(wish.language, sample);
    if let (Some(chart), Some((_, name))) = (chart, &wish.text) {
        let text = chart.texts.get(name).ok_or(Error::NotFound)?;
        let of = templates.sample_of(chart, (name, text), wish.language, &wish.channel, sample);
        let items = std::mem::take(&mut about.items);
        about = About { items, ..of.map_err(broken)? };
    }
    if wish.kind == Kind::Alert && !wish.bundle {
        about.items.clear();
    }
    templates.write(wish.language, wish.kind, &wish.channel, &about).map_err(broken)
}

/// `2026-11-24 03:17`.
fn minute(at: Instant, zone: &TimeZone) -> String {
    at.timestamp().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// `11-26 17:30`.
fn short(at: Instant, zone: &TimeZone) -> String {
    at.timestamp().to_zoned(zone.clone()).strftime("%m-%d %H:%M").to_string()
}
