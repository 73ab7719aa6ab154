//! A major event at 23:50 on a Saturday, with definitions, roster and calendar as shipped: who is told
//! what, when and by what, message by message.
//!
//! On duty that night is 值班员甲: the turns of 24 hours began on 27 February at 08:30 with 甲, and
//! 7 July is 130 days later.

use std::collections::BTreeMap;

use serde_json::json;

use super::county::{County, Setting, play_in};
use super::mailbox::Way;

const SATURDAY: &str = "2018-07-07T23:50:00+08:00";

fn saturday_night() -> Setting {
    Setting { at: SATURDAY, ..Setting::default() }
}

async fn opened(county: &mut County) -> fenliu::domain::InstanceId {
    let input = json!({ "tier": "major", "started_at": SATURDAY, "coordination": true,
        "police_first": false, "unit": "guotu", "category": "land.geohazard",
        "place": "坪坝镇某村后山", "joint_units": ["shuiwu"] });
    county.opens("110台值班长", ("incident", "open_incident"), input).await
}

async fn until(county: &mut County, time: &str) {
    county.until(fenliu::domain::Instant::parse(time).unwrap()).await;
}

const DUTY: &str = "县应急办值班员甲";
const DIRECTOR: &str = "县应急办主任";
const COUNTY: &str = "县政府分管负责人";
const SHIFT: &str = "110台值班长";
const LIAISON: &str = "国土房管局联络员";
const LEADER: &str = "国土房管局分管负责人";
const POLICE: &str = "县公安局分管负责人";
const WATER: &str = "水务局分管负责人";

const CALLED: &str =
    "坪坝镇某村后山（地质灾害险情）重大突发事件，责任单位县国土房管局，请立即签收。";
const AGAIN: &str = "重大突发事件警报仍未签收，请县应急办立即处置。";
const PHONE_SOON: &str = "请于07-08 00:20前向县政府应急办电话报告。";
const PHONE_BREACH: &str = "县国土房管局至07-08 00:20未电话报告，已记录超时，请立即补报。";
const PHONE_MISSING: &str = "电话报告仍未收到，请县国土房管局立即报告。";
const WRITTEN_SOON: &str = "请于07-08 00:50前向县政府应急办报送书面报告。";
const WRITTEN_BREACH: &str = "县国土房管局至07-08 00:50未书面报告，已记录超时，请立即补报。";

const SMS: &[Way] = &[Way::Sms];
const BOTH: &[Way] = &[Way::Sms, Way::Email];

/// All who are called out to a major event.
const ALL: &[&str] = &[DUTY, DIRECTOR, LEADER, POLICE, SHIFT, COUNTY, WATER];
/// Those who are called until somebody acts.
const OFFICE: &[&str] = &[DUTY, DIRECTOR, COUNTY];
/// Those who hear of a breach.
const BREACH: &[&str] = &[LIAISON, LEADER, SHIFT, DUTY, DIRECTOR, COUNTY];
const MISSING: &[&str] = &[LIAISON, LEADER, SHIFT, DUTY];

type Line = (&'static str, &'static [Way], &'static str, &'static [&'static str]);

/// Nobody does anything, from 23:50 to 00:50.
const NOBODY_ACTS: &[Line] = &[
    ("23:50", BOTH, CALLED, ALL),
    ("23:55", SMS, AGAIN, OFFICE),
    ("00:00", SMS, AGAIN, OFFICE),
    ("00:05", SMS, AGAIN, OFFICE),
    ("00:05", SMS, PHONE_SOON, &[LIAISON, SHIFT]),
    ("00:10", SMS, AGAIN, OFFICE),
    ("00:15", SMS, AGAIN, OFFICE),
    ("00:15", SMS, PHONE_SOON, &[LIAISON, LEADER, SHIFT]),
    ("00:20", SMS, AGAIN, OFFICE),
    ("00:20", BOTH, PHONE_BREACH, BREACH),
    ("00:25", SMS, AGAIN, OFFICE),
    ("00:25", SMS, PHONE_MISSING, MISSING),
    ("00:30", SMS, AGAIN, OFFICE),
    ("00:30", SMS, PHONE_MISSING, MISSING),
    ("00:35", SMS, AGAIN, OFFICE),
    ("00:35", SMS, PHONE_MISSING, MISSING),
    ("00:35", SMS, WRITTEN_SOON, &[LIAISON, SHIFT]),
    ("00:40", SMS, AGAIN, OFFICE),
    ("00:40", SMS, PHONE_MISSING, MISSING),
    ("00:45", SMS, AGAIN, OFFICE),
    ("00:45", SMS, PHONE_MISSING, MISSING),
    ("00:45", SMS, WRITTEN_SOON, &[LIAISON, LEADER, SHIFT]),
    ("00:50", SMS, AGAIN, OFFICE),
    ("00:50", SMS, PHONE_MISSING, MISSING),
    ("00:50", BOTH, WRITTEN_BREACH, BREACH),
];

/// Both reports are made in time, and the alarm is noted after two minutes.
const IN_TIME: &[Line] = &[
    ("23:50", BOTH, CALLED, ALL),
    ("00:05", SMS, PHONE_SOON, &[LIAISON, SHIFT]),
    ("00:10", SMS, "县国土房管局已登记电话报告，请于5分钟内确认。", &[DUTY]),
    ("00:35", SMS, WRITTEN_SOON, &[LIAISON, SHIFT]),
    ("00:40", BOTH, "县国土房管局已报送书面报告，请查收确认。", &[DUTY]),
];

/// What came, in the form of the tables above.
type Told = BTreeMap<(String, Way, String), Vec<String>>;

fn expected(lines: &[Line]) -> Told {
    let mut told = Told::new();
    for (at, ways, sentence, people) in lines {
        for way in *ways {
            let mut people: Vec<String> = people.iter().map(|who| (*who).to_owned()).collect();
            people.sort();
            told.insert(((*at).to_owned(), *way, (*sentence).to_owned()), people);
        }
    }
    told
}

fn came(county: &mut County) -> Told {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let told = county.told().into_iter().map(|((at, way, sentence), people)| {
        let at = at.timestamp().to_zoned(zone.clone());
        // Exactly on the minute, or the line is not one of the table.
        let form = if at.second() == 0 && at.millisecond() == 0 { "%H:%M" } else { "%H:%M:%S%.f" };
        ((at.strftime(form).to_string(), way, sentence), people)
    });
    told.collect()
}

#[test]
fn when_nobody_acts_the_right_people_are_told_each_time_until_both_breaches_are_filed() {
    play_in(saturday_night(), async |county| {
        let id = opened(county).await;
        until(county, "2018-07-08T00:50:00+08:00").await;
        assert_eq!(came(county), expected(NOBODY_ACTS));
        let (instance, _) = county.store.read(|reader| reader.instance(id)).unwrap().unwrap();
        for breach in ["phone_breached", "written_breached"] {
            assert_eq!(instance.fields[breach].as_bool(), Some(true), "{breach}");
        }
        // Everybody of the table was on the way by rights: nobody else, and 值班员乙 slept.
        until(county, "2018-07-08T08:29:00+08:00").await;
        let slept = |line: &String| !line.contains("县应急办值班员乙");
        assert!(county.lines().iter().all(slept));
        until(county, "2018-07-08T08:35:00+08:00").await;
        let lines = county.lines();
        let told = |who: &str| lines.iter().any(|line| line.contains(who));
        assert!(told("县应急办值班员乙") && !told(DUTY), "handed over at 08:30: {lines:#?}");
    });
}

#[test]
fn reports_made_in_time_are_followed_by_no_alarm() {
    play_in(saturday_night(), async |county| {
        let id = opened(county).await;
        county.fast_forward(2).await;
        county.does(DUTY, id, "note_alarm", json!({})).await;
        until(county, "2018-07-08T00:10:00+08:00").await;
        let report =
            json!({ "receiver": "值班员甲", "summary": "后山滑坡，已转移群众12人，无伤亡" });
        county.does(LIAISON, id, "report_phone", report).await;
        county.fast_forward(2).await;
        county.does(DUTY, id, "confirm_phone", json!({})).await;
        until(county, "2018-07-08T00:40:00+08:00").await;
        let report = json!({ "number": "城国土专报〔2018〕3号", "signer": "分管负责人" });
        county.does(LEADER, id, "send_written", report).await;
        county.fast_forward(4).await;
        county.does(DUTY, id, "receive_written", json!({})).await;
        until(county, "2018-07-08T01:39:00+08:00").await;
        assert_eq!(came(county), expected(IN_TIME));
    });
}

#[test]
fn a_phone_report_in_the_last_second_is_in_time() {
    play_in(saturday_night(), async |county| {
        let id = opened(county).await;
        until(county, "2018-07-08T00:19:59.999+08:00").await;
        let report =
            json!({ "receiver": "值班员甲", "summary": "后山滑坡，已转移群众12人，无伤亡" });
        county.does(LIAISON, id, "report_phone", report).await;
        until(county, "2018-07-08T00:24:00+08:00").await;
        let told = came(county);
        assert!(!told.keys().any(|(_, _, text)| text == PHONE_BREACH), "{told:#?}");
    });
}
