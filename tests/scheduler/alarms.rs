//! Each new operator alarm wakes somebody: once, not for each count, and never in a circle.

use std::sync::Arc;

use fenliu::channel::{Channel, Letter, Outcome};
use fenliu::clock::StillClock;
use fenliu::domain::{Actor, InstanceId, Kind, Message, PersonId};
use fenliu::gate::{AlertRules, Caller, Gate, NewAlarm, Parts};
use fenliu::scheduler::alarms::Alarms;
use fenliu::scheduler::outbox::{Options, Outbox};
use fenliu::scheduler::{Duty, Next};
use futures_util::future::BoxFuture;

use super::house::{House, LEADER, LIAISON, MORNING, at, door, run, turn};

/// A house whose leader is told of alarms.
fn watched() -> House {
    let house = House::new();
    house.gate.tell_alarms_to(&["desk.leader".to_owned()]).unwrap();
    house
}

fn alarm(house: &House, kind: &str, instance: Option<InstanceId>, detail: &str) -> NewAlarm {
    NewAlarm {
        kind: kind.to_owned(),
        jurisdiction: Some(house.jurisdiction),
        instance,
        at: house.gate.now(),
        detail: detail.to_owned(),
    }
}

fn raise(house: &House, kind: &str, detail: &str) {
    house.gate.raise_alarm(&alarm(house, kind, None, detail)).unwrap();
}

/// Messages that tell of alarms: to whom, by what, the text.
fn told(house: &House) -> Vec<(PersonId, String, String)> {
    let ours = house.messages().into_iter().filter(|one| one.kind == Kind::Alarm);
    ours.map(|one| (one.to.person().unwrap(), one.channel, one.body)).collect()
}

fn to_leader(text: &str) -> (PersonId, String, String) {
    (LEADER, "sms".to_owned(), text.to_owned())
}

#[test]
fn a_new_alarm_is_told_once_however_often_it_is_counted() {
    run(async {
        let house = watched();
        let mut alarms = Alarms::new(house.duty.clone());
        raise(&house, "channel_test.sms", "the channel `sms` failed its self-test: no answer");
        turn(&mut alarms).await;
        let text = "【系统告警】短信通道自检失败。请值班人员处理。";
        assert_eq!(told(&house), [to_leader(text)]);
        let message = house.messages().pop().unwrap();
        assert!(message.urgent, "quiet hours and mutes do not hold it back");
        assert_eq!(message.subject, "【南县】系统告警1条");
        let again = alarm(&house, "channel_test.sms", None, "still no answer");
        house.store.writer().unwrap().transaction(|t| t.count_alarm(&again)).unwrap();
        turn(&mut alarms).await;
        assert_eq!(told(&house).len(), 1, "counted again, told once");
        let open = house.store.read(|reader| reader.alarms(true, 10)).unwrap();
        assert_eq!((open[0].times, open[0].told_at), (2, Some(house.gate.now())));
    });
}

#[test]
fn an_alarm_of_a_matter_names_it() {
    run(async {
        let house = watched();
        let id = house.register("larger").await;
        let number = fenliu::gate::number_of(id);
        let new = alarm(&house, "nobody_told", Some(id), "`half` reached nobody");
        house.gate.raise_alarm(&new).unwrap();
        turn(&mut Alarms::new(house.duty.clone())).await;
        let text = format!("【系统告警】{number} 提醒无人可通知。请值班人员处理。");
        assert_eq!(told(&house), [to_leader(&text)]);
    });
}

#[test]
fn the_first_is_told_at_once_and_what_follows_in_a_summary_each_minute() {
    run(async {
        let house = watched();
        let parts = Parts {
            store: house.store.clone(),
            clock: Arc::<StillClock>::clone(&house.clock),
            entropy: |bytes| bytes.fill(7),
            batch_max: 64,
            alerts: AlertRules::default(),
        };
        let gate = Gate::open(parts).unwrap();
        gate.tell_alarms_to(&["desk.leader".to_owned()]).unwrap();
        let mut alarms = Alarms::new(Duty::new(gate));
        raise(&house, "clock_jumped", "by a minute");
        turn(&mut alarms).await;
        house.clock.set(at(MORNING).plus(10_000));
        for number in 1..=9 {
            let id = house.register("ordinary").await;
            let detail = format!("message {number} was given up");
            let new = alarm(&house, "message_failed", Some(id), &detail);
            house.gate.raise_alarm(&new).unwrap();
        }
        raise(&house, "audit_behind", "too slow");
        let next = turn(&mut alarms).await;
        assert_eq!(next, Next::At(at(MORNING).plus(60_000)));
        assert_eq!(told(&house).len(), 1);
        house.clock.set(at(MORNING).plus(60_000));
        turn(&mut alarms).await;
        let summary = "【系统告警】消息未能送达9条、系统核对进度落后1条。请值班人员处理。";
        assert_eq!(told(&house)[1..], [to_leader(summary)]);
    });
}

/// A channel that takes nothing, ever.
struct Never;

impl Channel for Never {
    fn name(&self) -> &'static str {
        "never"
    }

    fn send<'a>(&'a self, _letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        Box::pin(std::future::ready(Outcome::never("no such address")))
    }
}

async fn refuses(house: &House, name: &str) {
    turn(&mut Outbox::new(house.duty.clone(), name, Arc::new(Never), Options::default())).await;
}

#[test]
fn word_that_does_not_arrive_goes_by_the_next_channel_and_raises_an_alarm_that_is_only_shown() {
    run(async {
        let house = watched();
        let mut alarms = Alarms::new(house.duty.clone());
        raise(&house, "clock_jumped", "by a minute");
        turn(&mut alarms).await;
        refuses(&house, "sms").await;
        refuses(&house, "email").await;
        turn(&mut alarms).await;
        refuses(&house, "sms").await;
        let channels: Vec<String> = told(&house).into_iter().map(|(_, way, _)| way).collect();
        assert_eq!(channels, ["sms", "email"], "each way once, and then no more");
        assert_eq!(house.alarm_kinds(), ["alarm_unheard", "clock_jumped"]);
        let waiting = |one: &Message| one.state == fenliu::domain::Delivery::Waiting;
        assert!(!house.messages().iter().any(waiting));
    });
}

#[test]
fn where_nobody_can_be_told_that_is_shown_and_whoever_comes_is_told() {
    run(async {
        let house = watched();
        let system = Caller { actor: Actor::System, jurisdiction: house.jurisdiction };
        let directory = house.gate.registry().directory(house.jurisdiction).unwrap();
        let leader = directory.people[&LEADER].clone();
        let mut silent = leader.clone();
        (silent.phone, silent.email) = (None, None);
        house.gate.put_person(&system, &silent).unwrap();
        let mut alarms = Alarms::new(house.duty.clone());
        raise(&house, "clock_jumped", "by a minute");
        turn(&mut alarms).await;
        turn(&mut alarms).await;
        assert!(told(&house).is_empty());
        let unheard = house.alarms().into_iter().find(|(kind, ..)| kind == "alarm_unheard");
        assert_eq!(
            unheard.unwrap().2,
            "alarms wait untold: nobody who can be reached is `desk.leader`"
        );
        house.gate.put_person(&system, &leader).unwrap();
        turn(&mut alarms).await;
        assert_eq!(told(&house).len(), 1);
    });
}

#[test]
fn what_the_daily_looks_say_themselves_and_what_they_say_again_is_no_news() {
    run(async {
        let house = watched();
        let mut alarms = Alarms::new(house.duty.clone());
        for kind in ["digest", "coverage"] {
            raise(&house, kind, "told by the job itself");
        }
        raise(&house, "calendar_missing", "2027");
        turn(&mut alarms).await;
        assert_eq!(told(&house).len(), 1);
        let renewed = alarm(&house, "calendar_missing", None, "2027, still");
        house.store.writer().unwrap().transaction(|t| t.renew_alarm(&renewed)).unwrap();
        turn(&mut alarms).await;
        assert_eq!(told(&house).len(), 1, "the same, a day later");
        assert_eq!(house.alarm_kinds(), ["calendar_missing", "coverage", "digest"]);
    });
}

#[test]
fn an_alarm_of_the_whole_service_is_told_besides_those_of_the_county() {
    run(async {
        let house = watched();
        raise(&house, "clock_jumped", "by a minute");
        let service = NewAlarm {
            jurisdiction: None,
            ..alarm(&house, "channel_test.email", None, "no answer")
        };
        house.gate.raise_alarm(&service).unwrap();
        turn(&mut Alarms::new(house.duty.clone())).await;
        let mut said: Vec<String> = told(&house).into_iter().map(|(_, _, text)| text).collect();
        said.sort();
        assert_eq!(
            said,
            [
                "【系统告警】系统时间跳变。请值班人员处理。",
                "【系统告警】邮件通道自检失败。请值班人员处理。",
            ]
        );
    });
}

#[test]
fn two_nodes_tell_it_once_and_a_new_start_does_not_tell_it_again() {
    run(async {
        let mut house = watched();
        raise(&house, "clock_jumped", "by a minute");
        let other = door(&house.store, &house.clock);
        other.tell_alarms_to(&["desk.leader".to_owned(), "desk.liaison".to_owned()]).unwrap();
        turn(&mut Alarms::new(Duty::new(other))).await;
        turn(&mut Alarms::new(house.duty.clone())).await;
        house.restarted();
        house.gate.tell_alarms_to(&["desk.leader".to_owned()]).unwrap();
        turn(&mut Alarms::new(house.duty.clone())).await;
        let people: Vec<PersonId> = told(&house).into_iter().map(|(who, ..)| who).collect();
        assert_eq!(people, [LIAISON, LEADER]);
    });
}

#[test]
fn a_setting_that_names_nobody_is_refused_with_how_to_mend_it() {
    let house = House::new();
    let refused = house.gate.tell_alarms_to(&["desk.king".to_owned()]).unwrap_err().to_string();
    assert!(refused.contains("`desk.king` names nobody"), "{refused}");
    assert!(refused.contains("emergency_office.duty"), "{refused}");
}
