//! Somebody calls about the same again: shown while it is typed, counted with one tap, nobody lost.

use std::sync::Arc;

use fenliu::gate::RoutingRules;
use fenliu::routing::knowledge::Topic;
use fenliu::routing::{Example, Knowledge, Router};
use serde_json::{Value as Json, json};

use super::office::Office;

const DESK: &str = "gongan.dispatcher";

/// A county whose router tells an outage from a danger.
async fn advised() -> Office {
    let office = Office::county().await;
    let mut small = Knowledge { police: "gongan".to_owned(), ..Knowledge::default() };
    (small.tuning.ask, small.tuning.ask_danger, small.tuning.keep) = (0.4, 0.4, 0.7);
    let words = Topic { words: "停电 来电 路灯".to_owned(), ..Topic::default() };
    small.lexicon.topics.insert("utility.power-fault".to_owned(), words);
    let example = |text: &str, unit: &str, divert: bool| Example {
        text: text.to_owned(),
        units: vec![unit.to_owned()],
        divert,
        emergency: !divert,
        ..Example::default()
    };
    for _ in 0..6 {
        for text in ["停电了一直没有来电", "整栋楼停电", "路灯不亮", "我们这里也停电了"]
        {
            small.examples.push(example(text, "gongdian", true));
        }
        for text in ["着火了有人困在里面", "有人被打伤倒在地上"] {
            small.examples.push(example(text, "gongan", false));
        }
    }
    office.use_router(Arc::new(Router::train(&small)));
    office
}

async fn register(office: &Office, text: &str, place: &str, phone: &str) -> Json {
    let input = json!({ "place": place, "text": text, "category": "utility.power-fault",
        "kind": "help", "caller_phone": phone });
    office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201)
}

async fn typed(office: &Office, who: &str, text: &str, place: &str, phone: &str) -> Vec<Json> {
    let body = json!({ "text": text, "place": place, "phone": phone });
    let said = office.post(who, "/api/v1/routing/suggest", body).await.ok(200);
    said["repeats"].as_array().unwrap().clone()
}

/// Sends what a tap offers, with what the caller said.
async fn tap(office: &Office, tap: &Json, said: Json) -> super::office::Answer {
    let mut body = tap["body"].clone();
    body["input"].as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
    office.post(DESK, tap["path"].as_str().unwrap(), body).await
}

fn kinds(repeat: &Json) -> Vec<&str> {
    repeat["why"].as_array().unwrap().iter().map(|why| why["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_calls_again_about_the_same_place_is_seen_while_the_call_is_typed() {
    let office = advised().await;
    let first = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0001").await;
    register(&office, "路灯不亮", "高燕镇街上", "023-5922-0002").await;
    let found = typed(&office, DESK, "我们这栋楼也停电了", "葛城街道土城路", "023-5922-0003").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["matter"]["id"], first["id"]);
    assert_eq!(found[0]["place"], "葛城街道土城路12号");
    assert_eq!(found[0]["taps"][0]["body"]["input"], json!({}), "a caller more");
    assert!(kinds(&found[0]).contains(&"same_place"), "{found:?}");
    assert!(kinds(&found[0]).contains(&"same_matter"), "{found:?}");
    // The same number is known whatever is said, however it is written.
    for written in ["02359220002", "+86 23 5922 0002", "008602359220002"] {
        let found = typed(&office, DESK, "那个事怎么样了", "", written).await;
        assert_eq!(kinds(&found[0])[0], "same_caller", "{written}: {found:?}");
    }
    // Spaces are no number.
    let blank = json!({ "input": { "text": "停电", "place": "葛城街道", "caller_phone": "  " } });
    let refused = office.post(DESK, "/api/v1/referrals", blank).await;
    assert_eq!(refused.problem(409), "caller_needed");
    let found = typed(&office, DESK, "那个事怎么样了", "", "02359220002").await;
    assert_eq!(found[0]["taps"][0]["body"]["input"], json!({ "same_caller": true }));
    // Another matter elsewhere from somebody else repeats nothing.
    assert!(typed(&office, DESK, "狗叫一晚上", "高观镇", "023-5922-0004").await.is_empty());
    // Who does not see every matter does not learn of others by typing.
    let told = typed(&office, "huimin.liaison", "整栋楼停电了", "葛城街道土城路", "").await;
    assert!(told.is_empty(), "{told:?}");
}

#[tokio::test]
async fn many_calls_about_one_thing_do_not_hide_the_others() {
    let office = advised().await;
    office.gate.use_routing_rules(RoutingRules { compared: 6, ..RoutingRules::default() });
    let lamp = register(&office, "路灯不亮", "高燕镇街上", "023-5922-0001").await;
    let first = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0002").await;
    for caller in 0..8 {
        let input = json!({ "place": "葛城街道土城路", "text": "我们这里也停电了", "kind": "help",
            "category": "utility.power-fault", "caller_phone": format!("023-5000-000{caller}"),
            "linked_to": first["number"] });
        office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    }
    let found = typed(&office, DESK, "路灯不亮", "高燕镇街上", "").await;
    assert_eq!(found[0]["matter"]["id"], lamp["id"], "{found:?}");
    // The one that all of them name is shown, too.
    let found = typed(&office, DESK, "整栋楼停电了", "葛城街道土城路12号", "").await;
    assert_eq!(found[0]["matter"]["id"], first["id"], "{found:?}");
}

#[tokio::test]
async fn paper_that_is_entered_later_hides_nothing_that_is_called_about_now() {
    let office = advised().await;
    office.gate.use_routing_rules(RoutingRules { compared: 3, ..RoutingRules::default() });
    let own = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0001").await;
    for form in 0..20 {
        let input = json!({ "place": format!("高燕镇{form}组"), "text": "路灯不亮", "kind": "help",
            "category": "city.facility", "anonymous": true });
        let body = json!({ "input": input, "occurred_at": "2018-06-28T09:00:00+08:00" });
        office.post(DESK, "/api/v1/referrals", body).await.ok(201);
    }
    let found = typed(&office, DESK, "我家也停电了", "葛城街道土城路12号", "").await;
    assert_eq!(found[0]["matter"]["id"], own["id"], "{found:?}");
}

#[tokio::test]
async fn five_hundred_calls_about_an_outage_do_not_hide_the_callers_own_older_matter() {
    let office = advised().await;
    let own = register(&office, "路灯不亮", "高燕镇街上", "023-5922-0001").await;
    // Nobody links them: each is a matter of its own, at the very place.
    for call in 0..500 {
        let phone = format!("023-5000-{call:04}");
        register(&office, "整栋楼停电了", "葛城街道土城路12号", &phone).await;
    }
    let said = ("整栋楼停电了", "葛城街道土城路12号");
    let found = typed(&office, DESK, said.0, said.1, "023-5922-0001").await;
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(kinds(&found[0]).contains(&"same_place"), "the outage first: {found:?}");
    let of_own: Vec<&Json> = found.iter().filter(|one| one["matter"]["id"] == own["id"]).collect();
    assert_eq!(of_own.len(), 1, "and his own matter with it: {found:?}");
    assert_eq!(kinds(of_own[0])[0], "same_caller");
    // Asked for by itself it stands first.
    let found = typed(&office, DESK, "那个事怎么样了", "", "023-5922-0001").await;
    assert_eq!(found[0]["matter"]["id"], own["id"], "{found:?}");
    // One who called thirty times about the outage had another matter before, too.
    let outage = register(&office, "路灯全灭了", "修齐镇", "023-5922-0001").await;
    let path = outage["id"].as_str().unwrap();
    for _ in 0..30 {
        let said =
            json!({ "text": "还没有亮", "caller_phone": "023-5922-0001", "same_caller": true });
        let attach = json!({ "command": "attach_repeat_call", "input": said });
        office.command(DESK, path, attach).await.ok(200);
    }
    let found = typed(&office, DESK, "那个事怎么样了", "", "023-5922-0001").await;
    let ids: Vec<&Json> = found.iter().map(|one| &one["matter"]["id"]).collect();
    assert!(ids.contains(&&own["id"]) && ids.contains(&&outage["id"]), "{found:?}");
}

#[tokio::test]
async fn what_machines_handed_in_is_merged_with_one_tap_each() {
    let office = advised().await;
    let mut handed_in = Vec::new();
    for call in 0..40 {
        let input = json!({ "place": "葛城街道土城路12号", "text": "整栋楼停电了", "kind": "help",
            "category": "utility.power-fault", "caller_phone": format!("023-5000-00{call:02}"),
            "source": "110", "source_number": format!("N{call}") });
        let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await;
        handed_in.push(opened.ok(201));
    }
    register(&office, "路灯不亮", "高燕镇街上", "023-5922-0002").await;
    let path = |at: usize| format!("/api/v1/referrals/{}", handed_in[at]["id"].as_str().unwrap());
    // As lists show them, the newest first; always the first tap of the first line.
    for at in (1..40).rev() {
        let found = office.get(DESK, &format!("{}/repeats", path(at))).await.ok(200);
        let items = found["items"].as_array().unwrap();
        let own = items.iter().find(|one| one["matter"]["id"] == handed_in[at]["id"]);
        assert!(own.is_none(), "nothing repeats itself: {found}");
        let first = &items[0];
        assert!(kinds(first).contains(&"same_matter") && kinds(first).contains(&"same_place"));
        let taps = [&first["taps"][0]["kind"], &first["taps"][1]["kind"]];
        assert_eq!(taps, [&json!("merge"), &json!("link")]);
        tap(&office, &first["taps"][0], json!({})).await.ok(200);
    }
    let seen = office.get(DESK, &path(0)).await.ok(200);
    assert_eq!(seen["fields"]["repeat_calls"], 39, "all in one, each caller counted: {seen}");
    let found = typed(&office, DESK, "我家也停电了", "葛城街道土城路12号", "").await;
    assert_eq!(found[0]["matter"]["id"], handed_in[0]["id"], "{found:?}");
    // The other system's number still leads to what it handed in.
    let found = office.get(DESK, "/api/v1/intake/110/N3").await.ok(200);
    assert_eq!(found["id"], handed_in[3]["id"]);
    // Who sees only his own matters is shown no others.
    let route = json!({ "command": "route", "input": { "unit": "gongdian" } });
    office.command(DESK, handed_in[0]["id"].as_str().unwrap(), route).await.ok(200);
    let told = office.get("gongdian.liaison", &format!("{}/repeats", path(0))).await.ok(200);
    assert_eq!(told["items"], json!([]));
}

#[tokio::test]
async fn who_called_about_a_merged_matter_is_shown_the_one_that_goes_on() {
    let office = advised().await;
    let first = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0001").await;
    let second = register(&office, "没有电了", "葛城街道滨河路", "023-5922-0002").await;
    let merge = json!({ "command": "merge", "input": { "into": first["number"] } });
    office.command(DESK, second["id"].as_str().unwrap(), merge).await.ok(200);
    let found = typed(&office, DESK, "那个事怎么样了", "", "023-5922-0002").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["matter"]["id"], first["id"]);
    assert_eq!(kinds(&found[0])[0], "same_caller");
}

#[tokio::test]
async fn who_calls_about_a_matter_that_was_merged_finds_the_one_that_goes_on() {
    let office = advised().await;
    let first = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0001").await;
    let second = register(&office, "整条街没有电", "葛城街道滨河路", "023-5922-0002").await;
    let merge = json!({ "command": "merge", "input": { "into": second["number"] } });
    office.command(DESK, first["id"].as_str().unwrap(), merge).await.ok(200);
    let found = typed(&office, DESK, "我们这栋楼也停电了", "葛城街道土城路12号", "").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["matter"]["id"], second["id"]);
    assert_eq!(found[0]["taps"][0]["kind"], "attach");
}

#[tokio::test]
async fn near_each_other_calls_of_one_category_need_be_less_alike() {
    let office = advised().await;
    register(&office, "整栋楼停电了冰箱里东西都化了", "葛城街道土城路12号", "023-5922-0001").await;
    let near = async |category: &str| {
        let body = json!({ "text": "没有电了，什么时候来电", "place": "葛城街道滨河路", "category": category });
        let said = office.post(DESK, "/api/v1/routing/suggest", body).await.ok(200);
        said["repeats"].as_array().unwrap().clone()
    };
    let found = near("utility.power-fault").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(kinds(&found[0]).contains(&"same_category"), "{found:?}");
    let likeness = found[0]["likeness_per_mille"].as_i64().unwrap();
    assert!((250..450).contains(&likeness), "else this test shows nothing: {likeness}");
    assert!(near("noise.industry").await.is_empty(), "another matter");
}

#[tokio::test]
async fn one_tap_counts_the_caller_and_keeps_what_he_said() {
    let office = advised().await;
    let first = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0001").await;
    let found = typed(&office, DESK, "我家也停电了", "葛城街道土城路", "").await;
    assert_eq!(found[0]["taps"][0]["kind"], "attach");
    let said = json!({ "text": "我家也停电了", "caller_phone": "023-5922-0007" });
    tap(&office, &found[0]["taps"][0], said).await.ok(200);
    let path = format!("/api/v1/referrals/{}", first["id"].as_str().unwrap());
    let seen = office.get(DESK, &path).await.ok(200);
    assert_eq!(seen["fields"]["repeat_calls"], 1);
    assert_eq!(seen["calls"][0]["personal"]["caller_phone"], "023-5922-0007");
    // The second number is known from now on, too.
    let found = typed(&office, DESK, "来电没有", "", "023-5922-0007").await;
    assert_eq!(found[0]["matter"]["id"], first["id"]);
    assert!(kinds(&found[0]).contains(&"counted"), "{found:?}");
    // Or it becomes a matter of its own that names the first.
    let said = json!({ "text": "我家停电，冰箱也坏了", "place": "葛城街道土城路", "kind": "help",
        "category": "utility.power-fault", "anonymous": true });
    assert_eq!(found[0]["taps"][1]["kind"], "link");
    let own = tap(&office, &found[0]["taps"][1], said).await.ok(201);
    let path = format!("/api/v1/referrals/{}", own["id"].as_str().unwrap());
    let fields = office.get(DESK, &path).await.ok(200)["fields"].clone();
    assert_eq!(fields["linked_to"], first["number"]);
}

#[tokio::test]
async fn who_remained_anonymous_and_calls_again_with_his_number_is_somebody_to_tell() {
    let office = advised().await;
    let input = json!({ "place": "葛城街道土城路", "text": "整栋楼停电", "category": "utility.power-fault",
        "kind": "help", "caller_phone": "023-5922-0001", "anonymous": true });
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let again =
        async || typed(&office, DESK, "还没有来电", "葛城街道土城路", "023-5922-0001").await;
    let found = again().await;
    assert!(kinds(&found[0]).contains(&"same_caller"), "{found:?}");
    assert_eq!(found[0]["taps"][0]["body"]["input"], json!({}), "nobody would tell him");
    let said = json!({ "text": "还没有来电", "caller_phone": "023-5922-0001" });
    tap(&office, &found[0]["taps"][0], said).await.ok(200);
    let path = format!("/api/v1/referrals/{}", opened["id"].as_str().unwrap());
    let seen = office.get(DESK, &path).await.ok(200);
    let counts = [&seen["fields"]["repeat_calls"], &seen["fields"]["nobody_new"]];
    assert_eq!(counts, [&json!(1), &json!(0)], "{seen}");
    // From now on he is waited for, once.
    let found = again().await;
    assert_eq!(found[0]["taps"][0]["body"]["input"], json!({ "same_caller": true }));
}

#[tokio::test]
async fn a_call_of_danger_is_never_hidden_in_another_matter() {
    let office = advised().await;
    let first = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0001").await;
    let found = typed(&office, DESK, "停电的楼着火了有人困在里面", "葛城街道土城路12号", "").await;
    let offered: Vec<&Json> =
        found.iter().flat_map(|one| one["taps"].as_array().unwrap()).collect();
    assert!(offered.iter().all(|tap| tap["kind"] == "link"), "{offered:?}");
    let id = first["id"].as_str().unwrap();
    let input = json!({ "text": "着火了有人困在里面", "guard": "divert", "danger_asked": true });
    let body = json!({ "command": "attach_repeat_call", "input": input });
    let refused = office.command(DESK, id, body).await;
    assert_eq!(refused.json["code"], "register_by_itself", "{}", refused.text);
    // Registered by itself it is kept, and then takes the next caller about the same danger.
    let own =
        register(&office, "停电的楼着火了有人困在里面", "葛城街道土城路12号", "023-5922-0008")
            .await;
    let found = typed(&office, DESK, "楼着火了有人困在里面", "葛城街道土城路12号", "").await;
    let of_own = found.iter().find(|one| one["matter"]["id"] == own["id"]).unwrap();
    assert_eq!(of_own["taps"][0]["kind"], "attach", "{found:?}");
    let said = json!({ "text": "楼着火了有人困在里面", "caller_phone": "023-5922-0009" });
    tap(&office, &of_own["taps"][0], said).await.ok(200);
}

#[tokio::test]
async fn who_called_and_what_was_said_is_forgotten_for_repeats_when_it_is_erased() {
    let office = advised().await;
    let first = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0001").await;
    let id = first["id"].as_str().unwrap();
    let answer = json!({ "command": "answer_at_desk", "input": { "answer": "已查明为计划检修" } });
    office.command(DESK, id, answer).await.ok(200);
    assert_eq!(typed(&office, DESK, "停电", "", "023-5922-0001").await.len(), 1);
    let path = format!("/api/v1/referrals/{id}/erase");
    let reason = json!({ "reason": "来电人要求删除个人信息" });
    assert_eq!(office.post("gongan.shift_leader", &path, reason).await.status, 204);
    assert!(
        typed(&office, DESK, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0001")
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_callers_about_one_outage_are_one_matter_and_none_is_lost() {
    let office = Arc::new(advised().await);
    let first = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5000-0000").await;
    let id = first["id"].as_str().unwrap().to_owned();
    let route = json!({ "command": "route", "input": { "unit": "gongdian" } });
    office.command(DESK, &id, route).await.ok(200);
    // Ten dispatchers type and tap, ten minutes long.
    let dispatchers = (0..10).map(|dispatcher| {
        let (office, id) = (Arc::clone(&office), id.clone());
        tokio::spawn(async move {
            for call in (dispatcher..499).step_by(10) {
                let phone = format!("023-5000-{:04}", call + 1);
                let text = ["我们这里也停电了", "停电了一直没有来电"][call % 2];
                let found = typed(&office, DESK, text, "葛城街道土城路", &phone).await;
                assert_eq!(found[0]["matter"]["id"], json!(id), "{found:?}");
                let said = json!({ "text": text, "caller_phone": phone });
                tap(&office, &found[0]["taps"][0], said).await.ok(200);
            }
        })
    });
    for dispatcher in dispatchers.collect::<Vec<_>>() {
        dispatcher.await.unwrap();
    }
    let list = office.get(DESK, "/api/v1/referrals").await.ok(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "one matter");
    let path = format!("/api/v1/referrals/{id}");
    let seen = office.get(DESK, &path).await.ok(200);
    assert_eq!(seen["fields"]["repeat_calls"], 499);
    let calls = seen["calls"].as_array().unwrap();
    let phones: std::collections::BTreeSet<&str> = calls
        .iter()
        .filter_map(|call| call["personal"]["caller_phone"].as_str())
        .chain(seen["personal"]["caller_phone"].as_str())
        .collect();
    assert_eq!(phones.len(), 500, "every caller is kept");
    // A graver tier was proposed to people, who decide.
    assert_eq!(seen["fields"]["proposed_tier"], "major");
    assert_eq!(seen["fields"]["tier"], "ordinary");
    let told = office.get(DESK, &format!("{path}/messages?limit=200")).await.ok(200);
    let told = told["items"].as_array().unwrap();
    let with = |words: &str| {
        told.iter()
            .filter(|one| one["body"].as_str().is_some_and(|body| body.contains(words)))
            .count()
    };
    assert!(with("建议升级") >= 2, "{told:?}");
    assert!(with("重复来电】") < 40, "the unit is not drowned: {}", with("重复来电】"));
    // Each of them can be told the result.
    let last = calls.last().unwrap()["seq"].clone();
    let tell = json!({ "command": "tell_caller", "input": { "call": last, "what": "已恢复供电" } });
    office.command(DESK, &id, tell).await.ok(200);
    let seen = office.get(DESK, &path).await.ok(200);
    assert_eq!(seen["fields"]["callers_told"], 1);
    assert_eq!(seen["calls"].as_array().unwrap().last().unwrap()["told"], true);
    assert_eq!(seen["calls"][0]["told"], false);
    let dismiss =
        json!({ "command": "dismiss_proposed_tier", "input": { "reason": "已全部恢复供电" } });
    office.command("gongan.shift_leader", &id, dismiss).await.ok(200);
}

#[tokio::test]
async fn each_caller_is_told_once_and_only_callers_that_are_there() {
    let office = advised().await;
    let first = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0001").await;
    let id = first["id"].as_str().unwrap().to_owned();
    let again = json!({ "text": "我家也停电了", "caller_phone": "023-5922-0007" });
    let attach = json!({ "command": "attach_repeat_call", "input": again });
    office.command(DESK, &id, attach).await.ok(200);
    let path = format!("/api/v1/referrals/{id}");
    let call = office.get(DESK, &path).await.ok(200)["calls"][0]["seq"].clone();
    let tell = |call: Json| {
        let input = json!({ "call": call, "what": "已恢复供电" });
        office.command(DESK, &id, json!({ "command": "tell_caller", "input": input }))
    };
    tell(call.clone()).await.ok(200);
    assert_eq!(tell(call.clone()).await.problem(409), "told_before");
    for none in [json!(1), json!(99_999), json!(call.as_i64().unwrap() + 1)] {
        let answer = tell(none.clone()).await;
        assert_eq!(answer.problem(422), "wrong_input", "{none}");
        assert_eq!(answer.json["reasons"][0]["input"], "call");
    }
    // Who called first is one of them.
    tell(json!(0)).await.ok(200);
    assert_eq!(tell(json!(0)).await.problem(409), "told_before");
    let told = office.get(DESK, &path).await.ok(200)["fields"].clone();
    assert_eq!((&told["callers_told"], &told["opener_told"]), (&json!(2), &json!(true)));
}

// Check 42.
#[tokio::test]
async fn whose_number_belongs_to_a_matter_is_found_out_only_by_who_sees_callers() {
    let office = advised().await;
    let own = register(&office, "整栋楼停电了", "葛城街道土城路12号", "023-5922-0001").await;
    let shown =
        async |who: &str, phone: &str| typed(&office, who, "那个事怎么样了", "", phone).await;
    assert_eq!(shown(DESK, "023-5922-0001").await[0]["matter"]["id"], own["id"]);
    for who in ["yingji.auditor", "yingji.duty", "yingji.director", "zhengfu.leader"] {
        for phone in ["023-5922-0001", "023-5922-0009", ""] {
            assert!(shown(who, phone).await.is_empty(), "{who} {phone}");
        }
    }
}
