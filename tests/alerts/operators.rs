//! Operator alarms wake the officer on duty, by the ways that still work.

use fenliu::gate::number_of;
use serde_json::json;

use super::county::{County, play};
use super::language::landslide;
use super::mailbox::Way;

const DUTY: &str = "县应急办值班员乙";

fn watched(county: &County) {
    county.gate.tell_alarms_to(&["emergency_office.duty".to_owned()]).unwrap();
}

#[test]
fn a_dead_letter_wakes_the_officer_on_duty_at_once_and_those_after_it_in_a_minute() {
    play(async |county| {
        watched(county);
        let nobody = json!({"step": "rcpt", "code": 550, "text": "5.1.1 no such user"});
        county.tell_mail(nobody.clone()).await;
        let first = landslide(county, "larger").await;
        county.expect_sms(DUTY, "较大突发事件");
        let number = number_of(first);
        let text = format!("【系统告警】{number} 消息未能送达。请值班人员处理。");
        let word = county.expect_sms(DUTY, &text);
        assert_eq!((word.text.chars().count() <= 70, word.at), (true, county.now()));
        county.expect_alarm("message_failed", "by email was given up after 1 attempts");
        county.read_everything();
        for _ in 0..2 {
            county.tell_mail(nobody.clone()).await;
            landslide(county, "larger").await;
            county.expect_alarm("message_failed", "by email was given up after 1 attempts");
        }
        county.read_everything();
        county.fast_forward(1).await;
        county.expect_sms(DUTY, "【系统告警】消息未能送达2条。请值班人员处理。");
        county.expect_nothing();
    });
}

#[test]
fn while_the_centre_is_down_word_of_alarms_comes_by_mail_and_does_not_run_in_a_circle() {
    play(async |county| {
        watched(county);
        county.centre_is_down().await;
        landslide(county, "larger").await;
        county.read_everything();
        // After five minutes the SMS are given up; after five more that about it, too.
        county.fast_forward(12).await;
        let word = county.box_of.unread().into_iter().filter(|one| one.text.contains("系统告警"));
        let word: Vec<(Way, &str)> = word.map(|one| (one.way, one.who.as_str())).collect();
        assert_eq!(word, [(Way::Email, DUTY)], "one matter, one alarm, one word");
        county.read_everything();
        county.expect_alarm("message_failed", "by sms was given up");
        county.expect_alarm("alarm_unheard", "by sms was given up");
        county.centre_is_back().await;
        county.read_everything();
    });
}
