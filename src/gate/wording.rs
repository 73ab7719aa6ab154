//! From what an event told whom to rows of the outbox.

use super::AlertRules;
use super::error::Error;
use super::registry::Registry;
use crate::chart::Chart;
use crate::domain::{Delivery, Instance, InstanceId, Kind, Message, MessageId, Recipient, Tier};
use crate::engine::Decision;
use crate::engine::wording::{Context, Speaker, fill};

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

/// The messages of a decision: one for each person and channel. Ids are filled in later.
///
/// # Errors
/// When the jurisdiction is not there.
pub(super) fn messages(
    registry: &Registry,
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
    let subject = format!("【{}】{} {number}", directory.name.zh, chart.title.zh);
    let urgent = instance.tier >= Tier::Larger.rank();
    let deadline_at = event.recorded_at.plus(rules.patience_ms(urgent));
    let mut messages = Vec::new();
    for told in &event.told {
        let speaker = told.clock.as_deref().map(|clock| {
            let change = event.clocks.iter().find(|change| change.clock == clock);
            Speaker { clock, due: change.and_then(|change| change.due) }
        });
        let entry = |name: &String| instance.clocks.get(name).map_or(0, |armed| armed.entry);
        let clock = told.clock.as_ref().map(|name| (name.clone(), entry(name)));
        let words = fill(chart, instance, &told.text, speaker, &context);
        for &person in &told.people {
            for channel in &told.via {
                messages.push(Message {
                    id: MessageId(0),
                    jurisdiction: instance.jurisdiction,
                    instance: Some(instance.id),
                    seq: event.seq,
                    to: Recipient::Person(person),
                    channel: channel.clone(),
                    kind: Kind::Alert,
                    tier: instance.tier,
                    urgent,
                    clock: clock.clone(),
                    offer: None,
                    subject: subject.clone(),
                    body: words.zh.clone(),
                    created_at: event.recorded_at,
                    due_at: event.recorded_at,
                    deadline_at,
                    attempts: 0,
                    unknowns: 0,
                    state: Delivery::Waiting,
                    sent_at: None,
                    reference: None,
                    delivered_at: None,
                    acknowledged_at: None,
                    instead_of: None,
                    bundle: None,
                    error: None,
                });
            }
        }
    }
    Ok(messages)
}
