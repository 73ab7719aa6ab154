//! People answer: by the page behind the link, and by SMS.

use fenliu::domain::event::ClockVerb;
use fenliu::domain::{InstanceId, Message, Role};
use fenliu::gate::number_of;
use reqwest::Method;
use serde_json::json;

use super::county::{County, play};
use super::language::{called_out, landslide};

const DUTY: &str = "县应急办值班员乙";

/// Whether the history of a matter says that somebody has acknowledged the call-out.
fn acknowledged(county: &County, id: InstanceId) -> bool {
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
        // The unit's leader is told, and may not note the alarm of the emergency office.
        county.proves("guotu.leader", "sms");
        county.replies("guotu.leader", &format!("2 {}", number_of(id))).await;
        county.expect_sms("guotu.leader", "没有可直接办理的操作");
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

/// The last SMS that somebody got.
fn last_sms(county: &County, who: &str) -> super::mailbox::Arrived {
    let name = county.person(who).name;
    let all = county.box_of.all.iter().rev();
    let mut sms = all.filter(|one| one.way == super::mailbox::Way::Sms && one.who == name);
    sms.next().unwrap_or_else(|| panic!("nothing came to {name}")).clone()
}

/// Opens a matter of a workflow; whom it tells, and a word of what.
async fn opens(county: &mut County, workflow: &str) -> (InstanceId, &'static str) {
    match workflow {
        "incident" => (landslide(county, "larger").await, DUTY),
        "dispatch_order" => {
            let input = json!({ "unit": "guotu", "content": "立即组织撤离", "tier": "major" });
            (county.opens(DUTY, (workflow, "issue"), input).await, "guotu.leader")
        }
        "supervision" => {
            let input = json!({ "unit": "guotu", "level": "normal", "reason": "多次逾期未办结" });
            let id = county.opens(DUTY, (workflow, "draft"), input).await;
            county.does(DUTY, id, "issue", json!({ "demand": "三日内办结并报告" })).await;
            (id, "guotu.leader")
        }
        _ => (noise(county).await, "guotu.liaison"),
    }
}

/// A referral that is not urgent, with its unit.
pub(super) async fn noise(county: &mut County) -> InstanceId {
    let input = json!({ "text": "半夜施工", "place": "葛城街道", "kind": "complaint",
        "category": "noise.construction-night", "caller_phone": "00000000000" });
    let id = county.opens("110台值班长", ("referral", "register"), input).await;
    county.does("110台值班长", id, "route", json!({ "unit": "guotu" })).await;
    id
}

#[test]
fn an_alert_of_every_workflow_is_acknowledged_by_its_link_and_by_sms() {
    for workflow in ["referral", "incident", "dispatch_order", "supervision"] {
        play(async |county| {
            for by_sms in [false, true] {
                let (id, who) = opens(county, workflow).await;
                let sms = last_sms(county, who);
                if by_sms {
                    county.replies(who, &format!("1 {}", number_of(id))).await;
                    let said = format!("事项{}已确认收到", number_of(id));
                    let answered = county.box_of.all.iter().any(|one| one.text.contains(&said));
                    assert!(answered, "{workflow}: {:?}", last_sms(county, who));
                } else {
                    assert_eq!(county.presses(&sms, "acknowledge").await, 200, "{workflow}");
                }
                let last = county.events(id).pop().unwrap();
                assert_eq!(last.command.name, "acknowledge", "{workflow}");
                assert_eq!(last.from, last.to, "having seen it is no answer to the matter");
                // What follows within minutes would leave in a summary.
                county.fast_forward(20).await;
                county.read_everything();
            }
        });
    }
}

#[test]
fn an_incident_and_an_urgent_referral_of_ordinary_tier_do_not_wait_for_the_morning() {
    play(async |county| {
        landslide(county, "ordinary").await;
        let all_urgent = |messages: Vec<Message>| {
            assert!(!messages.is_empty());
            messages.into_iter().find(|one| !one.urgent)
        };
        assert_eq!(all_urgent(county.messages()), None);
        let before = county.messages().len();
        for (urgent, more) in [(false, json!({})), (true, json!({ "urgent": true }))] {
            let mut input = json!({ "text": "半夜施工", "place": "葛城街道", "kind": "complaint",
                "category": "noise.construction-night", "caller_phone": "00000000000" });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let id = county.opens("110台值班长", ("referral", "register"), input).await;
            county.does("110台值班长", id, "route", json!({ "unit": "guotu" })).await;
            let messages = county.messages();
            let own: Vec<_> = messages.iter().filter(|one| one.instance == Some(id)).collect();
            assert!(!own.is_empty() && messages.len() > before);
            assert!(own.iter().all(|one| one.urgent == urgent), "urgent {urgent}: {own:#?}");
        }
        county.read_everything();
    });
}

#[test]
fn the_alarm_is_noted_by_sms_from_a_proved_number_and_not_from_another() {
    play(async |county| {
        let id = landslide(county, "larger").await;
        county.read_everything();
        county.replies(DUTY, &format!("2 {}", number_of(id))).await;
        county.expect_sms(DUTY, "手机号尚未验证");
        let gone = |county: &County| {
            let (instance, _) = county.store.read(|reader| reader.instance(id)).unwrap().unwrap();
            !instance.clocks.contains_key("call_out")
        };
        assert!(!gone(county));
        county.proves(DUTY, "sms");
        county.replies(DUTY, &format!("2 {}", number_of(id))).await;
        county.expect_sms(DUTY, "已办理");
        assert!(gone(county), "the call-out has ended");
    });
}

const DIRECTOR: &str = "县应急办主任";

/// Whether the call-out still waits for somebody who notes it.
fn waits(county: &County, id: InstanceId) -> bool {
    let (instance, _) = county.store.read(|reader| reader.instance(id)).unwrap().unwrap();
    instance.clocks.contains_key("call_out")
}

// Check 12.
#[test]
fn who_rules_says_by_message_that_he_is_awake_and_signs_in_for_the_rest() {
    play(async |county| {
        let id = landslide(county, "major").await;
        let sms = county.expect_sms(DIRECTOR, "“应急办签收警报”请登录办理");
        let mail = county.expect_email(DIRECTOR, "“应急办签收警报”须登录系统并用动态口令办理");
        for arrived in [&sms, &mail] {
            let page = county.looks_at(arrived, Method::GET).await;
            assert!(!page.contains("value=\"offer\""), "{page}");
            assert!(page.contains("“应急办签收警报”须登录系统并用动态口令办理"), "{page}");
            assert_eq!(county.presses(arrived, "offer").await, 409);
        }
        county.read_everything();
        county.proves(DIRECTOR, "sms");
        county.replies(DIRECTOR, &format!("2 {}", number_of(id))).await;
        county.expect_sms(DIRECTOR, "“应急办签收警报”须登录系统并用动态口令办理，不能以短信办理");
        assert!(waits(county, id), "nobody has noted it");
        assert!(!acknowledged(county, id));
        assert_eq!(county.presses(&sms, "acknowledge").await, 200);
        assert!(acknowledged(county, id), "that he is awake needs no device");
        assert!(waits(county, id));
        // The duty officer, whose role needs none, notes it by the link.
        let duty = last_sms(county, DUTY);
        assert!(!duty.text.contains("登录"), "{duty:?}");
        assert_eq!(county.presses(&duty, "offer").await, 200);
        assert!(!waits(county, id));
        county.read_everything();
    });
}

// Check 12.
#[test]
fn whoever_was_made_a_director_since_an_alert_gives_no_command_by_its_link() {
    play(async |county| {
        let id = landslide(county, "larger").await;
        let sms = county.expect_sms(DUTY, "请立即签收");
        county.read_everything();
        county.changes_role(DUTY, Role::Director);
        let page = county.looks_at(&sms, Method::GET).await;
        assert!(!page.contains("value=\"offer\""), "{page}");
        assert_eq!(county.presses(&sms, "offer").await, 409);
        assert!(waits(county, id));
        county.read_everything();
    });
}
