//! Mail servers, SMS centres and gateways misbehave; whoever is to be told is told all the same, and
//! what is not known is counted.

use fenliu::domain::Delivery;
use serde_json::json;

use super::county::{County, Setting, play, play_in};
use super::language::{called_out, landslide};
use super::mailbox::{Arrived, Way};
use crate::channel::stub::Say;

const DUTY: &str = "县应急办值班员乙";

/// How often one message came to somebody.
fn copies(county: &County, who: &str, way: Way, text: &str) -> Vec<Arrived> {
    let fits = |one: &&Arrived| one.who == who && one.way == way && one.text.contains(text);
    county.box_of.all.iter().filter(fits).cloned().collect()
}

#[test]
fn greylisted_mail_comes_once_at_the_next_attempt() {
    play(async |county| {
        let grey = json!({"step": "rcpt", "code": 451, "text": "4.7.1 greylisted", "times": 4});
        county.tell_mail(grey).await;
        landslide(county, "larger").await;
        assert_eq!(copies(county, DUTY, Way::Email, "请立即签收").len(), 0);
        county.fast_forward(1).await;
        called_out(county, DUTY);
    });
}

#[test]
fn a_mail_that_broke_off_is_sent_again_under_the_same_id_and_counted() {
    play(async |county| {
        // The server has the whole mail and drops the line before it says so; once it takes it.
        county.tell_mail(json!({"step": "data", "drop": true, "times": 4})).await;
        landslide(county, "larger").await;
        county.fast_forward(1).await;
        called_out(county, DUTY);
        let unknown: i64 = county.messages().iter().map(|one| one.unknowns).sum();
        assert_eq!(unknown, 4);
    });
}

#[test]
fn a_mail_server_that_hangs_holds_up_no_sms() {
    let setting = Setting { patience: 1, ..Setting::default() };
    play_in(setting, async |county| {
        county.tell_mail(json!({"step": "data", "hang": true, "times": 4})).await;
        landslide(county, "larger").await;
        let waiting = county.messages().into_iter().filter(|one| one.state == Delivery::Waiting);
        assert!(waiting.clone().all(|one| one.channel == "email" && one.unknowns == 1));
        assert_eq!(waiting.count(), 4);
        county.fast_forward(1).await;
        called_out(county, DUTY);
    });
}

#[test]
fn a_mail_box_that_is_not_there_is_an_alarm_and_the_sms_comes() {
    play(async |county| {
        county.tell_mail(json!({"step": "rcpt", "code": 550, "text": "5.1.1 no such user"})).await;
        let id = landslide(county, "larger").await;
        county.read_everything();
        let failed = county.messages().into_iter().filter(|one| one.state == Delivery::Failed);
        assert_eq!(failed.count(), 1);
        county.expect_alarm("message_failed", "by email was given up after 1 attempts");
        let receipts = county.events(id).into_iter().filter(|event| {
            event.command.input.get("result").and_then(|one| one.as_text()) == Some("given_up")
        });
        assert_eq!(receipts.count(), 1, "it stands in the history");
    });
}

#[test]
fn a_centre_that_throttles_gets_every_sms_in_the_end_and_each_once() {
    play(async |county| {
        county.tell_centre(json!({"deed": "plan", "plan": {"status": 0x58, "times": 4}})).await;
        landslide(county, "larger").await;
        county.fast_forward(1).await;
        called_out(county, DUTY);
    });
}

#[test]
fn a_centre_that_hangs_up_gets_the_sms_when_it_answers_again() {
    play(async |county| {
        county.centre_is_down().await;
        landslide(county, "larger").await;
        for who in [DUTY, "guotu.leader", "gongan.leader", "110台值班长"] {
            county.expect_email(who, "请立即签收");
        }
        county.expect_nothing();
        county.centre_is_back().await;
        county.fast_forward(1).await;
        for who in [DUTY, "guotu.leader", "gongan.leader", "110台值班长"] {
            county.expect_sms(who, "请立即签收");
        }
    });
}

#[test]
fn an_sms_whose_receipt_is_lost_is_not_sent_again() {
    play(async |county| {
        let id = landslide(county, "larger").await;
        called_out(county, DUTY);
        county.does(DUTY, id, "note_alarm", json!({})).await;
        county.fast_forward(14).await;
        county.expect_nothing();
    });
}

#[test]
fn an_sms_that_did_not_reach_the_telephone_is_followed_by_the_alarm() {
    play(async |county| {
        landslide(county, "larger").await;
        let sms = county.expect_sms(DUTY, "请立即签收");
        county.read_everything();
        county.receipt(&sms, "UNDELIV").await;
        county.expect_alarm("message_failed", "by sms was given up");
        // By mail he has it already; one mail is enough.
        county.expect_nothing();
    });
}

#[test]
fn a_gateway_that_answers_200_with_an_error_has_not_taken_the_sms() {
    let setting = Setting { gateway: true, ..Setting::default() };
    play_in(setting, async |county| {
        let stub = county.gateway.as_ref().unwrap();
        for body in [r#"{"code": "1099"}"#, "<html>sign in</html>", r#"{"code": "1099"}"#, ""] {
            stub.say(Say::body(body));
        }
        for _ in 0..4 {
            stub.say(Say::body(r#"{"code": "0", "sid": "s"}"#));
        }
        landslide(county, "larger").await;
        county.read_everything();
        let open = |county: &County| {
            let all = county.messages().into_iter();
            all.filter(|one| one.channel == "sms" && one.state == Delivery::Waiting).count()
        };
        assert_eq!(open(county), 4, "none of them was a success");
        county.fast_forward(1).await;
        called_again(county);
        assert_eq!(open(county), 0);
    });
}

/// The same four SMS, posted once more.
fn called_again(county: &mut County) {
    for who in [DUTY, "guotu.leader", "gongan.leader", "110台值班长"] {
        county.expect_sms(who, "请立即签收");
    }
}

#[test]
fn when_nothing_goes_out_any_more_the_operator_alarm_stands_and_the_ladder_hurries() {
    play(async |county| {
        county.mail_is_down().await;
        county.centre_is_down().await;
        let id = landslide(county, "larger").await;
        county.fast_forward(8).await;
        county.expect_nothing();
        county.expect_alarm("message_failed", "was given up after");
        // What was given up for the last time is a fact of the matter.
        let dead = |event: &fenliu::domain::Event| {
            event.command.input.get("dead").and_then(|one| one.as_bool()) == Some(true)
        };
        assert!(county.events(id).iter().any(dead));
        county.mail_is_back().await;
        county.centre_is_back().await;
        // As soon as they are back people are told how it stands.
        county.fast_forward(5).await;
        let lines = county.lines();
        for who in [DUTY, "县应急办主任"] {
            assert!(lines.iter().any(|line| line.contains(who)), "{who}: {lines:#?}");
        }
    });
}
