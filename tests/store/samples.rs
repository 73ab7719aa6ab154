//! Data for the cases.

use std::collections::BTreeMap;

use fenliu::domain::event::{Hash, NO_HASH};
use fenliu::domain::{
    ArmedClock, ChainHash, Children, DefinitionId, Delivery, Grant, Instance, InstanceId, Instant,
    Kind, Message, MessageId, PersonId, Recipient, Rest, Role, StoredEvent, Value,
};
use fenliu::store::{Answer, Batch, ClockRow, PartyRow, PersonalRow};

use super::place::OURS;

pub(crate) fn grants() -> Vec<Grant> {
    vec![Grant { role: Role::Liaison, unit: "huanbao".to_owned() }]
}

/// An instance with something in every field.
pub(crate) fn instance(id: i64) -> Instance {
    let clock = ArmedClock {
        entry: 2,
        scope: "open.with_unit".to_owned(),
        base: Instant(1_000),
        due: Instant(9_000),
        limit: "workdays(2)".to_owned(),
        calendar: "cn-2018.1".to_owned(),
        wake: Some(Instant(5_000)),
        step: 1,
        done: 1,
        hurry: Some(Instant(5_000)),
        told: [(0, None), (60, Some(Instant(4_000)))].into(),
        last: Some(60),
        every: Some(0),
        quiet: [(60, Instant(4_000))].into(),
        ran_out_at: None,
        acknowledged_at: Some(Instant(1_500)),
        frozen: None,
        rest: None,
    };
    let frozen = ArmedClock {
        due: Instant(500),
        wake: None,
        frozen: Some("workdays(1)".to_owned()),
        rest: Some(Rest { since: Instant(300), limit: "workdays(2)".to_owned() }),
        ..clock.clone()
    };
    Instance {
        id: InstanceId(id),
        family: InstanceId(id),
        parent: None,
        jurisdiction: OURS,
        workflow: "referral".to_owned(),
        definition: DefinitionId(1),
        state: "open.with_unit.routed".to_owned(),
        version: 1,
        entries: 3,
        fields: [
            ("place".to_owned(), Value::Text("𠮷祥路\u{0007}\"'\\ 😀".to_owned())),
            ("returns".to_owned(), Value::Int(i64::MAX)),
            ("ruled".to_owned(), Value::Bool(false)),
            ("units".to_owned(), Value::List(vec![Value::Text("chengguan".to_owned())])),
        ]
        .into(),
        clocks: [("accept".to_owned(), clock), ("handle".to_owned(), frozen)].into(),
        children: BTreeMap::from([("co_task".to_owned(), Children { open: 1, total: 2 })]),
        holder: Some("huanbao".to_owned()),
        status: "routed".to_owned(),
        stage: "with_unit".to_owned(),
        tier: 1,
        touched: 1,
        outcome: Some("办结".to_owned()),
        opened_at: Instant(1_000),
        updated_at: Instant(1_000),
        last_at: Instant(1_000),
        closed_at: None,
    }
}

/// The event `seq` of an instance after `previous`.
pub(crate) fn event(id: i64, seq: i64, previous: &Hash) -> StoredEvent {
    let body = format!(
        "{{\"seq\":{seq}, \"text\" : \"噪声扰民 𠮷𪚥 😀\\u0000\\n\",\"odd\":1.50e+3,\"seq\":{seq}}}"
    );
    StoredEvent {
        instance: InstanceId(id),
        seq,
        at: Instant(1_000 + seq),
        kind: "open".to_owned(),
        actor: "person:1".to_owned(),
        hash: ChainHash::Sha256.link(previous, &body),
        body,
    }
}

pub(crate) fn clock(id: i64, name: &str, wake: i64, due: i64, tier: i64) -> ClockRow {
    ClockRow {
        instance: InstanceId(id),
        name: name.to_owned(),
        jurisdiction: OURS,
        wake_at: Instant(wake),
        due_at: Instant(due),
        tier,
        entry: 1,
        step: 0,
    }
}

pub(crate) fn message(id: i64, instance: i64, tier: i64, due: i64) -> Message {
    Message {
        id: MessageId(id),
        jurisdiction: OURS,
        instance: Some(InstanceId(instance)),
        seq: 1,
        to: Recipient::Person(PersonId(1)),
        channel: "sms".to_owned(),
        kind: Kind::Alert,
        urgent: tier >= 2,
        clock: Some(("accept".to_owned(), 3)),
        offer: None,
        tier,
        subject: "待签收".to_owned(),
        body: "请在30分钟内签收 𠮷".to_owned(),
        created_at: Instant(1_000),
        due_at: Instant(due),
        deadline_at: Instant(due + 3_600_000),
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
    }
}

pub(crate) fn answer(key: &str, instance: i64) -> Answer {
    Answer {
        jurisdiction: OURS,
        actor: "person:1".to_owned(),
        key: key.to_owned(),
        request_hash: [9; 32],
        instance: Some(InstanceId(instance)),
        seq: Some(1),
        answer: "{\"status\":\"routed\"}".to_owned(),
        at: Instant(1_000 + instance),
    }
}

pub(crate) fn party(instance: i64, unit: &str) -> PartyRow {
    PartyRow {
        instance: InstanceId(instance),
        unit: unit.to_owned(),
        jurisdiction: OURS,
        from_seq: 1,
        to_seq: None,
    }
}

pub(crate) fn personal(instance: i64) -> PersonalRow {
    PersonalRow {
        instance: InstanceId(instance),
        field: "caller_phone".to_owned(),
        jurisdiction: OURS,
        value: "13800000000".to_owned(),
    }
}

/// A batch that opens the given instances, with a row in every table.
pub(crate) fn opening(ids: impl IntoIterator<Item = i64>) -> Batch {
    let mut batch = Batch::default();
    for id in ids {
        let event = event(id, 1, &NO_HASH);
        batch.created.push((instance(id).into(), event.hash));
        batch.events.push(event);
        batch.clocks_set.push(clock(id, "accept", 5_000, 9_000, 1));
        batch.messages.push(message(id, id, 1, 2_000));
        batch.answers.push(answer(&format!("key-{id}"), id));
        batch.personal.push(personal(id));
        batch.parties.push(party(id, "huanbao"));
    }
    batch
}

/// A batch that takes an instance from `version` to the next.
pub(crate) fn step(id: i64, version: i64, head: &Hash) -> Batch {
    let event = event(id, version + 1, head);
    let mut instance = instance(id);
    instance.version = version + 1;
    instance.state = "open.with_unit.accepted".to_owned();
    instance.status = "accepted".to_owned();
    Batch {
        updated: vec![(instance.into(), event.hash, version)],
        events: vec![event],
        ..Batch::default()
    }
}
