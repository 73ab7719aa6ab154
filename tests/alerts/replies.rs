//! People answer: by the page behind the link, and by SMS.

use fenliu::domain::event::ClockVerb;
use fenliu::gate::number_of;
use reqwest::Method;

use super::county::{County, play};
use super::language::{called_out, landslide};

const DUTY: &str = "县应急办值班员乙";

/// Whether the history of a matter says that somebody has acknowledged the call-out.
fn acknowledged(county: &County, id: fenliu::domain::InstanceId) -> bool {
    let events = county.events(id);
    let mut changes = events.iter().flat_map(|event| &event.clocks);
    changes.any(|one| one.change == ClockVerb::Acknowledged && one.clock == "call_out")
}

#[test]
fn a_mail_scanner_acknowledges_nothing_and_the_person_with_one_button() {
    play(async |county| {
        let id = landslide(county, "larger").await;
        let mail = county.expect_email(DUTY, "请立即签收");
        for method in [Method::GET, Method::HEAD, Method::GET] {
            county.looks_at(&mail, method).await;
        }
        assert!(!acknowledged(county, id), "looking is no answer");
        let page = county.looks_at(&mail, Method::GET).await;
        assert!(page.contains("确认收到") && page.contains("坪坝镇某村后山"), "{page}");
        assert_eq!(county.presses(&mail, "acknowledge").await, 200);
        assert!(acknowledged(county, id));
        // The others were called out as well; the step five minutes later is held back.
        county.read_everything();
        county.fast_forward(9).await;
        county.expect_nothing();
        let page = county.looks_at(&mail, Method::GET).await;
        assert!(page.contains("您已确认收到 (07-02 09:10)"), "{page}");
    });
}

#[test]
fn one_with_the_number_acknowledges_by_sms_and_is_answered() {
    play(async |county| {
        let id = landslide(county, "larger").await;
        called_out(county, DUTY);
        let number = number_of(id);
        county.replies(DUTY, &format!("1 {number}")).await;
        county.expect_sms(DUTY, &format!("事项{number}已确认收到"));
        assert!(acknowledged(county, id));
        county.fast_forward(9).await;
        county.expect_nothing();
    });
}

#[test]
fn acknowledged_but_idle_is_called_out_again_when_the_hold_is_over() {
    play(async |county| {
        landslide(county, "larger").await;
        county.replies(DUTY, "1").await;
        county.read_everything();
        let called = |lines: Vec<String>| {
            lines.into_iter().filter(|line| line.contains("警报仍未签收")).collect::<Vec<_>>()
        };
        let hold = county.now().plus(30 * 60_000);
        county.until(hold.plus(-60_000)).await;
        let within = called(county.lines());
        // That the ten minutes ran out is not hidden by an acknowledgement; nothing else comes.
        assert!(within.iter().all(|line| line.starts_with("09:20")), "{within:#?}");
        county.until(hold).await;
        let after = called(county.lines());
        for who in [DUTY, "县应急办主任", "县政府分管负责人"] {
            let called = after.iter().any(|line| line.contains(who));
            assert!(called, "{who} is not called again: {after:#?}");
        }
    });
}

#[test]
fn a_reply_without_number_is_asked_which_when_several_matters_wait() {
    play(async |county| {
        let one = landslide(county, "larger").await;
        let other = landslide(county, "larger").await;
        county.read_everything();
        county.replies(DUTY, "1").await;
        county.expect_sms(DUTY, "有多个事项，请带编号回复");
        assert!(!acknowledged(county, one) && !acknowledged(county, other));
        county.replies(DUTY, &format!("１　{}", number_of(other))).await;
        county.expect_sms(DUTY, "已确认收到");
        assert!(!acknowledged(county, one) && acknowledged(county, other));
    });
}

#[test]
fn what_is_no_answer_changes_nothing_and_is_explained() {
    play(async |county| {
        let id = landslide(county, "larger").await;
        county.read_everything();
        for (text, said) in [("收到", "未能识别"), ("1 99999999", "没有需要您确认的事项99999999")]
        {
            county.replies(DUTY, text).await;
            county.expect_sms(DUTY, said);
        }
        county.replies(DUTY, &format!("2 {}", number_of(id))).await;
        county.expect_sms(DUTY, "没有可直接办理的操作");
        assert!(!acknowledged(county, id));
    });
}

#[test]
fn a_strangers_reply_does_nothing_and_is_not_answered() {
    play(async |county| {
        let id = landslide(county, "larger").await;
        county.read_everything();
        county.delivers("8613999999999", &format!("1 {}", number_of(id))).await;
        // Nor can somebody whom the matter does not concern answer for others.
        county.replies("教委联络员", &format!("1 {}", number_of(id))).await;
        county.expect_sms("教委联络员", "没有需要您确认的事项");
        assert!(!acknowledged(county, id));
    });
}

#[test]
fn receipts_and_acknowledgements_are_facts_of_the_matter() {
    play(async |county| {
        let id = landslide(county, "larger").await;
        let sms = county.expect_sms(DUTY, "请立即签收");
        county.read_everything();
        county.receipt(&sms, "DELIVRD").await;
        let events = county.events(id);
        let receipt = events.last().unwrap();
        let input = |name: &str| receipt.command.input[name].as_text().unwrap().to_owned();
        assert_eq!((input("channel"), input("result")), ("sms".to_owned(), "delivered".to_owned()));
        let told =
            county.messages().into_iter().find(|one| one.reference == sms.ids.first().cloned());
        assert_eq!(told.unwrap().delivered_at, Some(county.now()));
    });
}
