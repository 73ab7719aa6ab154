//! What went wrong elsewhere, played here: each test is named after the thread in which the users of
//! another system told it (by the name of its repository and the number of the thread).

use std::sync::Arc;

use fenliu::channel::guard;
use fenliu::domain::{Actor, Delivery, Role};
use fenliu::gate::{AlertRules, Caller};
use fenliu::scheduler::outbox::{Options, Outbox};
use serde_json::json;

use super::county::{County, Setting, http_gateway, play, play_in, shipped_workflows};
use super::language::{called_out, landslide};
use super::mailbox::Way;
use super::replies::noise;
use crate::channel::run;
use crate::channel::stub::{Say, Stub};
use crate::scheduler::house::{House, turn};
use crate::store::postgres;

const DUTY: &str = "县应急办值班员乙";
const OTHER: &str = "县应急办值班员甲";

/// After an upgrade no escalation fired any more, and nothing said so.
#[test]
fn zammad_3523_an_upgrade_in_the_middle_of_a_matter_stops_no_escalation() {
    play(async |county| {
        landslide(county, "larger").await;
        called_out(county, DUTY);
        // The office publishes new versions of every workflow, and the service is started again.
        let caller =
            Caller { actor: Actor::System, ..county.caller("县应急办系统管理员") };
        for workflow in shipped_workflows() {
            county.gate.publish(&caller, &format!("# a new version\n{workflow}")).unwrap();
        }
        county.restarts();
        let deadline = county.now().plus(5 * 60_000);
        county.until(deadline).await;
        // The old matter goes on climbing, to the minute …
        let again = county.expect_sms(DUTY, "警报仍未签收");
        assert_eq!(again.at, deadline);
        county.expect_nothing();
        // … and a new one, on the new version, climbs as well.
        landslide(county, "larger").await;
        called_out(county, DUTY);
        county.fast_forward(5).await;
        let lines = county.lines();
        let count = |who: &str| lines.iter().filter(|line| line.contains(who)).count();
        assert_eq!((count(DUTY), count("县应急办主任")), (2, 1), "{lines:#?}");
    });
}

/// A second reminder of the same kind on the same day was taken for a repetition and swallowed.
#[test]
fn zammad_4348_a_second_reminder_of_the_same_day_is_sent_too() {
    play(async |county| {
        landslide(county, "ordinary").await;
        county.expect_sms("guotu.liaison", "请立即签收并派员处置");
        county.fast_forward(120).await;
        let lines = county.lines();
        // Not noted after 15 minutes, the leader after 30, then both every half hour by the clock on
        // the wall: the same words each time.
        let times = |who: &str| -> Vec<&str> {
            let lines = lines.iter().filter(|line| line.contains(who) && line.contains("未签收"));
            lines.map(|line| line.get(..5).unwrap()).collect()
        };
        assert_eq!(times("国土房管局联络员"), ["09:25"]);
        assert_eq!(
            times("国土房管局分管负责人"),
            ["09:40", "10:00", "10:30", "11:00"],
            "{lines:#?}"
        );
    });
}

/// A mail that bounced kept its recipient from being told for sixty days, and by a bug for ever.
#[test]
fn zammad_3389_a_bounce_mutes_nobody() {
    play(async |county| {
        let full = json!({"step": "rcpt", "code": 552, "text": "5.2.2 mailbox full", "times": 4});
        county.tell_mail(full).await;
        landslide(county, "larger").await;
        for who in [DUTY, "guotu.leader", "gongan.leader", "110台值班长"] {
            county.expect_sms(who, "请立即签收");
        }
        county.expect_alarm("message_failed", "5.2.2");
        landslide(county, "larger").await;
        called_out(county, DUTY);
        let sms = county.box_of.all.iter().find(|one| one.who == DUTY).unwrap().clone();
        county.receipt(&sms, "UNDELIV").await;
        landslide(county, "larger").await;
        called_out(county, DUTY);
    });
}

/// A step for which nobody was on duty still took its whole delay; nobody was told meanwhile.
#[test]
fn goalert_4548_a_step_that_finds_nobody_passes_on_at_once() {
    let setting = Setting {
        change: |people, _| {
            let guotu = |grant: &fenliu::domain::Grant| {
                grant.unit == "guotu" && grant.role == Role::Liaison
            };
            people.people.retain(|_, person| !person.grants.iter().any(guotu));
        },
        ..Setting::default()
    };
    play_in(setting, async |county| {
        let opened = county.now();
        landslide(county, "ordinary").await;
        // The liaison is missing; what waits for him does not take its 15 minutes.
        let told = county.expect_sms("110台值班长", "未签收，请立即处置");
        assert_eq!(told.at, opened);
        county.expect_alarm("nobody_told", "no active person has the role of guotu.liaison");
    });
}

/// The same at the weekend, with a roster that knows working days only: everybody with the role is
/// told, at once.
#[test]
fn goalert_4548_a_weekday_roster_leaves_no_weekend_without_a_person() {
    let setting = Setting {
        at: "2018-07-07T23:50:00+08:00",
        change: |_, rosters| {
            for rotation in rosters.iter_mut().flat_map(|roster| &mut roster.rotations) {
                rotation.days = fenliu::domain::roster::Cover::WorkingDays;
                rotation.shift = "1d".parse().unwrap();
            }
        },
        ..Setting::default()
    };
    play_in(setting, async |county| {
        landslide(county, "larger").await;
        let called = county.expect_sms(DUTY, "请立即签收");
        assert_eq!(called.at, county.now());
        county.expect_email(DUTY, "请立即签收");
        called_out(county, OTHER);
    });
}

/// Those of the second level had no way of being told; the alert went on to the directors in silence.
#[test]
fn oncall_1326_somebody_without_any_address_is_an_alarm_at_once() {
    let setting = Setting {
        change: |people, _| {
            for person in people.people.values_mut().filter(|person| person.name == DUTY) {
                (person.phone, person.email) = (None, None);
            }
        },
        ..Setting::default()
    };
    play_in(setting, async |county| {
        landslide(county, "larger").await;
        for who in ["guotu.leader", "gongan.leader", "110台值班长"] {
            county.expect_sms(who, "请立即签收");
            county.expect_email(who, "请立即签收");
        }
        let id = county.person(DUTY).id;
        county.expect_alarm("message_failed", &format!("to person {id} by"));
        // The step after five minutes is for him alone: it reaches nobody, and the director is called
        // at once instead of another five minutes later.
        let start = county.now();
        county.fast_forward(5).await;
        let called = county.expect_sms("县应急办主任", "警报仍未签收");
        assert_eq!(called.at, start.plus(5 * 60_000));
        county.fast_forward(4).await;
        county.expect_nothing();
    });
}

/// The next step of the chain cancelled the ways of being told that a person had still before it.
#[test]
fn oncall_934_a_persons_second_way_is_used_although_the_ladder_goes_on() {
    play(async |county| {
        let id = landslide(county, "larger").await;
        called_out(county, DUTY);
        county.centre_is_down().await;
        county.fast_forward(20).await;
        // Steps by SMS alone came after five and ten minutes; each was tried for five minutes and
        // then went by mail, whatever step the ladder had come to meanwhile.
        let lines = county.lines();
        let mails = |who: &str| {
            let fits = |line: &&String| line.contains(who) && line.contains("警报仍未签收");
            lines.iter().filter(fits).map(|line| line.get(..11).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(mails(DUTY), ["09:20 email", "09:25 email"], "{lines:#?}");
        assert_eq!(mails("县应急办主任"), ["09:25 email"], "{lines:#?}");
        county.expect_alarm("message_failed", "by sms was given up");
        county.does(DUTY, id, "note_alarm", json!({})).await;
        county.centre_is_back().await;
        county.read_everything();
    });
}

/// Two nodes tried a receiver that was down; when it was back, each of them told it.
#[test]
fn alertmanager_4108_two_nodes_that_try_again_tell_it_once() {
    run(async {
        let url = postgres::migrated_database();
        let one = House::at(&url);
        let two = House::next_to(&one, &url);
        one.register("ordinary").await;
        one.set("2026-03-02T10:30:00+08:00");
        one.run_clocks(&mut one.clocks()).await;
        let stub = Stub::start(None).await;
        for _ in 0..6 {
            stub.say(Say::status(503));
        }
        for _ in 0..9 {
            stub.say(Say::body(r#"{"code": "0", "sid": "s-1"}"#));
        }
        let outbox = |house: &House| {
            let gateway = Arc::new(http_gateway(stub.port, &house.clock));
            let outbox = Outbox::new(house.duty.clone(), "sms", gateway, Options::default());
            outbox.guarded(guard::Options::default())
        };
        let (mut here, mut there) = (outbox(&one), outbox(&two));
        let mut minutes = 0;
        while one.messages()[0].state != Delivery::Sent || minutes < 60 {
            futures_util::future::join(turn(&mut here), turn(&mut there)).await;
            one.clock.set(one.gate.now().plus(60_000));
            minutes += 1;
            assert!(minutes < 110, "it is never sent");
        }
        assert_eq!(stub.asked().len(), 7, "six refusals, one success");
        assert_eq!(one.alarms(), []);
    });
}

/// The first alert to somebody leaves at once, what comes within the minute in one summary; graver
/// ones are never put into it, and nothing is left out.
#[test]
fn many_alerts_to_one_person_are_put_together_and_none_is_hidden() {
    let rules = AlertRules { bundle_ms: 60_000, replies: true, ..AlertRules::default() };
    play_in(Setting { rules, ..Setting::default() }, async |county| {
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(noise(county).await);
        }
        let first = county.expect_sms("guotu.liaison", "请立即签收处置");
        assert_eq!(first.at, county.now());
        let more = county.box_of.unread().into_iter();
        let more: Vec<_> = more.filter(|one| one.way == Way::Sms && one.who == first.who).collect();
        assert!(more.is_empty(), "unexpected: {more:#?}");
        county.read_everything();
        landslide(county, "larger").await;
        called_out(county, DUTY);
        county.fast_forward(1).await;
        let summary = county.expect_sms("guotu.liaison", "【汇总】3条提醒");
        for id in ids.iter().skip(1) {
            let number = fenliu::gate::number_of(*id);
            assert!(summary.text.contains(&number), "{summary:?}");
        }
        county.read_everything();
    });
}

/// What the county owes its people is kept while the service is down.
#[test]
fn what_fell_due_while_the_service_was_down_is_told_once_at_the_start() {
    play(async |county: &mut County| {
        landslide(county, "larger").await;
        called_out(county, DUTY);
        county.restarts();
        county.down_until(county.now().plus(12 * 60_000)).await;
        let mut lines = county.lines();
        lines.retain(|line| line.contains("警报仍未签收"));
        // The steps of five and ten minutes, each once.
        let told = |who: &str| lines.iter().filter(|line| line.contains(who)).count();
        assert_eq!((told(DUTY), told("县应急办主任")), (2, 1), "{lines:#?}");
    });
}
