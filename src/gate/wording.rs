//! From what an event told whom to rows of the outbox.

use super::AlertRules;
use super::error::Error;
use super::letters::{Letters, Sheet};
use super::registry::Registry;
use crate::chart::Chart;
use crate::domain::event::Told;
use crate::domain::{
    Actor, Directory, Event, Instance, InstanceId, Kind, Language, Message, PersonId, Recipient,
    Text, Tier,
};
use crate::engine::wording::{Context, Speaker, fill, placeholders};
use crate::engine::{Decision, Situation, is_urgent, possible};
use crate::template::{About, TierWord};

/// What people call a matter: the number of its family, eight digits.
#[must_use]
pub(super) fn number(instance: &Instance) -> String {
    number_of(instance.family)
}

/// What people call the matter of a family.
#[must_use]
pub fn number_of(family: InstanceId) -> String {
    format!("{:08}", family.0)
}

/// The family that a number stands for, if it is a number.
#[must_use]
pub fn family_of(number: &str) -> Option<InstanceId> {
    let digits = number.len() >= 8 && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| digits).map(InstanceId)
}

/// The messages of a decision: one for each person and channel, in the person's language. Ids are
/// filled in later.
///
/// # Errors
/// When the jurisdiction is not there.
pub(super) fn messages(
    registry: &Registry,
    letters: &Letters,
    chart: &Chart,
    decision: &Decision,
    rules: AlertRules,
) -> Result<Vec<Message>, Error> {
    let (instance, event) = (&decision.instance, &decision.event);
    if event.told.is_empty() {
        return Ok(Vec::new());
    }
    let directory = registry.directory(instance.jurisdiction)?;
    let calendar = registry.calendar(instance.jurisdiction)?;
    let number = number(instance);
    let context = Context { number: &number, zone: calendar.zone(), facts: &*directory };
    let sheet = letters.sheet();
    let situation =
        Situation { chart, calendar: &calendar, facts: &*directory, now: event.recorded_at };
    let urgent = is_urgent(situation, instance);
    let writer = Writer { directory: &directory, sheet: &sheet, chart, instance, context, urgent };
    let unworded = unworded(decision, urgent, rules);
    // Nobody is offered what they may not do: a step may tell several roles.
    let offered = |offer: &String, person: PersonId| {
        directory.people.get(&person).is_some_and(|person| {
            let actor = Actor::person(person.id, person.grants.clone());
            possible::is(situation, instance, &actor, offer)
        })
    };
    let mut messages = Vec::new();
    for told in &event.told {
        let speaker = speaker(event, told);
        let entry = |name: &String| instance.clocks.get(name).map_or(0, |armed| armed.entry);
        let clock = told.clock.as_ref().map(|name| (name.clone(), entry(name)));
        let words = fill(chart, instance, &told.text, speaker, &context);
        for &person in &told.people {
            let known = directory.people.get(&person);
            let language = known.map(|person| person.rules.language).unwrap_or_default();
            let offer = told.offer.clone().filter(|offer| offered(offer, person));
            // Systems are told through subscriptions, not through people.
            let mut via: Vec<&str> = told.via.iter().map(String::as_str).collect();
            via.retain(|channel| *channel != "webhook");
            let wished = known.and_then(|person| person.wished(unworded.urgent));
            via.extend(wished.filter(|wished| !told.via.iter().any(|channel| channel == wished)));
            for channel in via {
                let own = writer.words_anew((&told.text, channel), &words, speaker, language);
                messages.push(Message {
                    to: Recipient::Person(person),
                    channel: channel.to_owned(),
                    clock: clock.clone(),
                    offer: offer.clone(),
                    subject: writer.subject(language),
                    body: own.unwrap_or_else(|| words.say(language).to_owned()),
                    ..unworded.clone()
                });
            }
        }
    }
    Ok(messages)
}

/// An alert of a decision, to nobody yet.
fn unworded(decision: &Decision, urgent: bool, rules: AlertRules) -> Message {
    let (instance, at) = (&decision.instance, decision.event.recorded_at);
    let (nobody, patience) = (Recipient::Person(PersonId(0)), rules.patience_ms(urgent));
    Message {
        instance: Some(instance.id),
        seq: decision.event.seq,
        tier: instance.tier,
        urgent,
        ..Message::new(instance.jurisdiction, nobody, Kind::Alert, at, patience)
    }
}

/// The sentence of an alert in both languages.
///
/// # Errors
/// When the jurisdiction is not there.
pub(super) fn sentence(
    registry: &Registry,
    chart: &Chart,
    decision: &Decision,
    told: &Told,
) -> Result<Text, Error> {
    let instance = &decision.instance;
    let directory = registry.directory(instance.jurisdiction)?;
    let calendar = registry.calendar(instance.jurisdiction)?;
    let number = number(instance);
    let context = Context { number: &number, zone: calendar.zone(), facts: &*directory };
    Ok(fill(chart, instance, &told.text, speaker(&decision.event, told), &context))
}

/// The clock that speaks, as the event left it.
fn speaker<'t>(event: &Event, told: &'t Told) -> Option<Speaker<'t>> {
    let clock = told.clock.as_deref()?;
    let change = event.clocks.iter().find(|change| change.clock == clock);
    Some(Speaker { clock, due: change.and_then(|change| change.due) })
}

/// Words the alerts of one decision.
struct Writer<'w> {
    directory: &'w Directory,
    sheet: &'w Sheet,
    chart: &'w Chart,
    instance: &'w Instance,
    context: Context<'w>,
    urgent: bool,
}

impl Writer<'_> {
    /// The subject as it is kept, and as it is shown where a message is listed.
    fn subject(&self, language: Language) -> String {
        let (office, title) = (self.directory.name.say(language), self.chart.title.say(language));
        let number = self.context.number;
        match language {
            Language::Zh => format!("【{office}】{title} {number}"),
            Language::En => format!("[{office}] {title} {number}"),
        }
    }

    /// The sentence in a file's own words, where there is one for this text and channel.
    fn words_anew(
        &self,
        (text, channel): (&str, &str),
        words: &Text,
        speaker: Option<Speaker<'_>>,
        language: Language,
    ) -> Option<String> {
        let Self { directory, sheet, chart, instance, context, urgent } = self;
        let of = (chart.workflow.as_str(), text);
        if !sheet.templates.words_anew(language, of, channel) {
            return None;
        }
        let tier = Tier::from_rank(instance.tier).unwrap_or_default();
        let fields = placeholders(chart, instance, speaker, context, language);
        let about = About {
            office: directory.name.say(language).to_owned(),
            number: context.number.to_owned(),
            workflow: chart.title.say(language).to_owned(),
            sentence: words.say(language).to_owned(),
            subject: self.subject(language),
            tier: TierWord { word: tier.title().say(language).to_owned(), rank: tier.rank() },
            urgent: *urgent,
            due: speaker.and_then(|_| fields.get("due").cloned()).unwrap_or_default(),
            fields,
            ..About::default()
        };
        match sheet.templates.sentence(language, of, channel, &about) {
            Ok(own) => own,
            // The workflow's own sentence is good enough; nobody goes without a message.
            Err(error) => {
                tracing::error!(%error, "a text is said in the workflow's own words");
                None
            }
        }
    }
}
