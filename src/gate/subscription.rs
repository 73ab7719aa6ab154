//! Units' own systems and robots of chat groups: who is told by HTTP, and what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::json;

use super::error::{Error, refused};
use super::registry::Registry;
use super::sealing::{self, Deed};
use super::token::unnarrowed;
use super::{AlertRules, Caller, Gate, PublicIds, wording};
use crate::chart::Chart;
use crate::domain::{
    Actor, Directory, Form, Instant, Kind, Message, Person, Recipient, Subscription,
    SubscriptionId, Text, Tier, Wants,
};
use crate::engine::{self, Decision, Situation, is_urgent};
use crate::policy::{self, Act, Column, Relation};
use crate::store::NewAlarm;

/// A subscription to be made.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// The unit whose matters it hears of.
    pub unit: String,
    /// In whose form.
    pub form: Form,
    /// Where to.
    pub url: String,
    /// The secret; none: one is made.
    pub secret: Option<String>,
    /// What it wants; empty: everything its form can carry.
    pub wants: Vec<Wants>,
}

/// What a secret of Standard Webhooks begins with.
const SECRET_PREFIX: &str = "whsec_";

/// The operator alarm of a subscription whose maker serves its unit no longer.
const LEFT: &str = "subscription_left";

/// Why a webhook may not be posted to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreachable {
    /// The office names the hosts to post to, and this is none of them.
    Unlisted,
    /// Anything else, in an English sentence.
    Other(String),
}

/// Says why a webhook may not be posted to an address.
pub type HookGuard = Arc<dyn Fn(&str) -> Result<(), Unreachable> + Send + Sync>;

impl Gate {
    /// Addresses of subscriptions are asked of `guard` from now on, when one is made or switched on:
    /// nobody may make this house knock at its own doors.
    pub fn guard_webhooks(&self, guard: HookGuard) {
        *self.inner.hook_guard.write().unwrap_or_else(PoisonError::into_inner) = Some(guard);
    }

    fn may_post_to(&self, url: &str) -> Result<(), Error> {
        let guard = self.inner.hook_guard.read().unwrap_or_else(PoisonError::into_inner).clone();
        match guard.map_or(Ok(()), |guard| guard(url)) {
            Ok(()) => Ok(()),
            Err(Unreachable::Unlisted) => Err(refused(
                "host_not_allowed",
                "该“url”的主机不在本机关允许推送的名单内，请联系管理员",
                "the host of this `url` is none of those that the office posts to \
                 (`channel.webhook.hosts`): ask whoever keeps the settings",
            )),
            Err(Unreachable::Other(why)) => Err(Error::invalid(
                format!("不能向该“url”推送：{why}"),
                format!("nothing can be posted to this `url`: {why}"),
            )),
        }
    }

    /// The subscriptions that the caller may see, and end: an administrator all, others those of units
    /// they lead or speak for.
    ///
    /// # Errors
    /// `Forbidden` for those who see none.
    pub fn subscriptions(&self, caller: &Caller) -> Result<Vec<Subscription>, Error> {
        let all = policy::may(&caller.actor, Act::EndSubscriptions);
        let own = policy::units(&caller.actor, Act::EndSubscriptions, Relation::Unit);
        if !all && own.is_empty() {
            return Err(Error::Forbidden);
        }
        let found = self.inner.registry.subscriptions(caller.jurisdiction);
        let visible = found.iter().filter(|one| all || own.contains(one.unit.as_str()));
        Ok(visible.cloned().collect())
    }

    /// Whether the caller may have a system shown the matters of a unit: only who is shown them, for the
    /// unit, and not by a narrowed token, which ends sooner than what it would make.
    fn may_subscribe(&self, caller: &Caller, unit: &str) -> Result<(), Error> {
        let own = policy::units(&caller.actor, Act::Subscribe, Relation::Unit).contains(unit);
        if own || policy::may(&caller.actor, Act::Subscribe) {
            unnarrowed(caller)
        } else {
            Err(Error::Forbidden)
        }
    }

    /// Makes a subscription; the answer holds the secret, which is not shown again. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `Refused` by a narrowed token, and with `host_not_allowed` for a host that the office
    /// does not post to; `Invalid` for a unit or an address that cannot be meant.
    pub fn subscribe(&self, caller: &Caller, new: NewSubscription) -> Result<Subscription, Error> {
        self.may_subscribe(caller, &new.unit)?;
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        if !directory.units.contains_key(&new.unit) {
            return Err(Error::invalid(
                format!("没有单位“{}”", new.unit),
                format!("there is no unit `{}`", new.unit),
            ));
        }
        let known = ["https://", "http://"].iter().any(|scheme| new.url.starts_with(scheme));
        if !known || new.url.chars().any(char::is_whitespace) || new.url.len() > 2000 {
            let en = "`url` is an address that begins with https://, at most 2000 characters";
            return Err(Error::invalid("“url”应为以https://开头的地址，不超过2000字符", en));
        }
        self.may_post_to(&new.url)?;
        let robot = new.form != Form::Standard;
        if robot && new.wants.contains(&Wants::Change) {
            let en = "a robot of a chat group can be told alerts only: leave `change` out";
            return Err(Error::invalid("群机器人只能接收提醒，请去掉“change”", en));
        }
        let wants = match (new.wants.is_empty(), robot) {
            (false, _) => new.wants,
            (true, true) => vec![Wants::Alert],
            (true, false) => Wants::ALL.to_vec(),
        };
        let secret = new.secret.unwrap_or_else(|| self.new_secret());
        let mut made = Subscription {
            id: SubscriptionId(0),
            jurisdiction: caller.jurisdiction,
            unit: new.unit,
            form: new.form,
            url: new.url,
            secret,
            wants,
            active: true,
            made_by: caller.actor.name(),
            made_at: self.now(),
        };
        made.id = self.change(|transaction, now| {
            let id = transaction.put_subscription(&made)?;
            let deed = Deed::of(caller, "subscription_made", format!("subscription:{id}"));
            // The address itself is the secret of many a robot, and what is logged stays for ever.
            let place = (made.place(), sealing::digest(&made.url));
            let said = json!({ "unit": made.unit, "host": place.0, "url_sha256": place.1 });
            deed.with(said).write(transaction, now)?;
            Ok(id)
        })?;
        Ok(made)
    }

    fn new_secret(&self) -> String {
        let mut bytes = [0_u8; 24];
        (self.inner.entropy)(&mut bytes);
        format!("{SECRET_PREFIX}{}", BASE64.encode(bytes))
    }

    /// Switches a subscription on or off. Blocks.
    ///
    /// # Errors
    /// `Forbidden` also to switch on for who only ends them; `NotFound`; `Refused` to switch on by a
    /// narrowed token, and with `host_not_allowed`; `Invalid` when it is switched on, and nothing may be
    /// posted to its address.
    pub fn switch_subscription(
        &self,
        caller: &Caller,
        id: SubscriptionId,
        active: bool,
    ) -> Result<Subscription, Error> {
        let known = self.subscriptions(caller)?.into_iter().find(|one| one.id == id);
        let mut known = known.ok_or(Error::NotFound)?;
        if active {
            self.may_subscribe(caller, &known.unit)?;
            self.may_post_to(&known.url)?;
        }
        known.active = active;
        let deed = Deed::of(caller, "subscription_switched", format!("subscription:{id}"));
        let deed = deed.with(json!({ "active": active }));
        let owner = caller.jurisdiction;
        let there = self.administer_if(deed, |t, _| t.switch_subscription(owner, id, active))?;
        if there { Ok(known) } else { Err(Error::NotFound) }
    }

    /// Takes a subscription away. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub fn unsubscribe(&self, caller: &Caller, id: SubscriptionId) -> Result<(), Error> {
        let known = self.subscriptions(caller)?.iter().any(|one| one.id == id);
        let owner = caller.jurisdiction;
        let deed = Deed::of(caller, "subscription_dropped", format!("subscription:{id}"));
        let gone = known && self.administer_if(deed, |t, _| t.drop_subscription(owner, id))?;
        if gone { Ok(()) } else { Err(Error::NotFound) }
    }
}

/// What goes on being posted where somebody wished who serves the unit no longer, once a person is `after`:
/// an alarm, since ending it by itself could silence a system that the unit needs. None where this person
/// leaves nothing new behind.
pub(super) fn left_behind(
    directory: &Directory,
    all: &[Subscription],
    after: &Person,
    at: Instant,
) -> Option<NewAlarm> {
    let before = directory.people.get(&after.id)?;
    let after = after.at(at);
    let name = |person: &Person| Actor::person(person.id, Vec::new()).name();
    let people = directory.people.values();
    let people = people.map(|one| if one.id == after.id { &after } else { one });
    let makers: BTreeMap<String, &Person> = people.map(|one| (name(one), one)).collect();
    let serves = |person: &Person, unit: &str| {
        person.active && person.grants.iter().any(|grant| grant.unit == unit)
    };
    let left = all.iter().filter(|one| {
        let maker = makers.get(&one.made_by);
        one.active && maker.is_some_and(|maker| !serves(maker, &one.unit))
    });
    let left: Vec<&Subscription> = left.collect();
    let own = name(before);
    let new = left.iter().any(|one| one.made_by == own && serves(before, &one.unit));
    let said = |one: &&Subscription| format!("{} ({}, {})", one.id, one.unit, one.made_by);
    let list = left.iter().map(said).collect::<Vec<_>>().join(", ");
    new.then(|| NewAlarm {
        kind: LEFT.to_owned(),
        jurisdiction: Some(directory.jurisdiction),
        instance: None,
        at,
        detail: format!(
            "these subscriptions go on, and who made them serves the unit no longer: {list}; look \
             whether their addresses are still the unit's, else delete them"
        ),
    })
}

/// What a decision tells to systems: the change to those whose unit takes part, and each alert to
/// those whose people are told. Callers' personal data are in neither.
///
/// # Errors
/// When the jurisdiction is not there.
pub(super) fn messages(
    registry: &Registry,
    ids: PublicIds,
    chart: &Chart,
    decision: &Decision,
    rules: AlertRules,
) -> Result<Vec<Message>, Error> {
    let (instance, event) = (&decision.instance, &decision.event);
    // Word of an alert is no change of the matter; systems have receipts of their own.
    let subscriptions = registry.subscriptions(instance.jurisdiction);
    if subscriptions.is_empty() || engine::is_word(&event.command.name) {
        return Ok(Vec::new());
    }
    // A unit's system sees what the table gives to such systems: matters that its unit takes part in.
    let sees = policy::reach(Column::System, Act::SeeMatter).includes(Relation::Party);
    let parties: BTreeSet<&str> = chart.parties_of(instance).filter(|_| sees).collect();
    let directory = registry.directory(instance.jurisdiction)?;
    let calendar = registry.calendar(instance.jurisdiction)?;
    let now = event.recorded_at;
    let urgent =
        is_urgent(Situation { chart, calendar: &calendar, facts: &*directory, now }, instance);
    let mut messages = Vec::new();
    for one in subscriptions.iter().filter(|one| one.active) {
        let to = |kind, body| message((decision, urgent), one.id, kind, body, rules);
        if one.wants.contains(&Wants::Change) && parties.contains(one.unit.as_str()) {
            messages.push(to(Kind::Change, change(ids, decision)));
        }
        if !one.wants.contains(&Wants::Alert) {
            continue;
        }
        for told in &event.told {
            let ours = told
                .to
                .iter()
                .any(|place| place.rsplit_once('.').is_some_and(|(unit, _)| unit == one.unit));
            if ours {
                let sentence = wording::sentence(registry, chart, decision, told)?;
                let body = match one.form {
                    Form::Standard => alert(ids, decision, &told.text, &sentence),
                    Form::Wecom | Form::Dingtalk => sentence.zh.clone(),
                };
                messages.push(to(Kind::Alert, body));
            }
        }
    }
    Ok(messages)
}

fn message(
    (decision, urgent): (&Decision, bool),
    to: SubscriptionId,
    kind: Kind,
    body: String,
    rules: AlertRules,
) -> Message {
    let (instance, event) = (&decision.instance, &decision.event);
    let (owner, to) = (instance.jurisdiction, Recipient::Subscription(to));
    Message {
        instance: Some(instance.id),
        seq: event.seq,
        channel: "webhook".to_owned(),
        tier: instance.tier,
        urgent,
        subject: format!("{}.{}", instance.workflow, event.command.name),
        body,
        ..Message::new(owner, to, kind, event.recorded_at, rules.hook_ms)
    }
}

/// What is posted of a change: enough to ask the API for the rest.
fn change(ids: PublicIds, decision: &Decision) -> String {
    let (instance, event) = (&decision.instance, &decision.event);
    json!({
        "type": format!("{}.{}", instance.workflow, event.command.name),
        "timestamp": event.recorded_at.to_string(),
        "data": {
            "instance": ids.instance(instance.id),
            "number": wording::number_of(instance.family),
            "workflow": instance.workflow,
            "seq": event.seq,
            "status": instance.status,
            "stage": instance.stage,
            "holder": instance.holder,
            "tier": Tier::from_rank(instance.tier).unwrap_or_default().code(),
        },
    })
    .to_string()
}

fn alert(ids: PublicIds, decision: &Decision, text: &str, sentence: &Text) -> String {
    let (instance, event) = (&decision.instance, &decision.event);
    json!({
        "type": format!("{}.alert.{text}", instance.workflow),
        "timestamp": event.recorded_at.to_string(),
        "data": {
            "instance": ids.instance(instance.id),
            "number": wording::number_of(instance.family),
            "seq": event.seq,
            "tier": Tier::from_rank(instance.tier).unwrap_or_default().code(),
            "zh": sentence.zh,
            "en": sentence.en,
        },
    })
    .to_string()
}
