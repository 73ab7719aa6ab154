//! Everybody who called about one matter is kept, counted and told, also when matters are merged.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::office::{Answer, Office};

const DESK: &str = "gongan.dispatcher";

async fn register(office: &Office, more: Json) -> (String, String) {
    let mut input =
        json!({ "text": "整栋楼停电了", "place": "葛城街道", "category": "utility.power-fault" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    (text("id"), text("number"))
}

async fn ask(office: &Office, who: &str, id: &str, command: &str, input: Json) -> Answer {
    office.command(who, id, json!({ "command": command, "input": input })).await
}

async fn give(office: &Office, who: &str, id: &str, command: &str, input: Json) {
    ask(office, who, id, command, input).await.ok(200);
}

async fn look(office: &Office, who: &str, id: &str) -> Json {
    office.get(who, &format!("/api/v1/referrals/{id}")).await.ok(200)
}

/// Registers a matter and so many further callers, whose numbers begin alike.
async fn called(office: &Office, numbers: &str, further: usize) -> (String, String) {
    let phone = |call: usize| format!("{numbers}-{call:04}");
    let (id, number) = register(office, json!({ "caller_phone": phone(0) })).await;
    for call in 1..=further {
        let input = json!({ "text": "我家也停电", "caller_phone": phone(call) });
        give(office, DESK, &id, "attach_repeat_call", input).await;
    }
    (id, number)
}

/// How `tell_caller` names a call of the list.
fn named(call: &Json) -> Json {
    let mut input = json!({ "call": call["seq"], "what": "已恢复供电" });
    if let Some(number) = call.get("number") {
        input["merged"] = number.clone();
    }
    input
}

fn calls(seen: &Json) -> Vec<Json> {
    seen["calls"].as_array().unwrap().clone()
}

fn of_phone(seen: &Json, phone: &str) -> Json {
    let found = calls(seen).into_iter().find(|call| call["personal"]["caller_phone"] == phone);
    found.unwrap_or_else(|| panic!("{phone} is not in {seen}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_matters_of_one_outage_become_one_with_every_caller_counted_and_told_once() {
    let office = Office::county().await;
    let (first, _) = called(&office, "023-5000", 20).await;
    let (second, number) = called(&office, "023-6000", 20).await;
    give(&office, DESK, &first, "merge", json!({ "into": number })).await;
    let seen = look(&office, DESK, &second).await;
    assert_eq!(seen["fields"]["repeat_calls"], 41, "20 of its own, and 21 who came with the other");
    assert_eq!(seen["fields"]["proposed_tier"], "larger", "30 was stepped over");
    let calls = calls(&seen);
    let phones: BTreeSet<&str> = calls
        .iter()
        .filter_map(|call| call["personal"]["caller_phone"].as_str())
        .chain(seen["personal"]["caller_phone"].as_str())
        .collect();
    assert_eq!(phones.len(), 42, "{seen}");
    for call in &calls {
        give(&office, DESK, &second, "tell_caller", named(call)).await;
    }
    let again = ask(&office, DESK, &second, "tell_caller", named(&calls[40])).await;
    assert_eq!(again.problem(409), "told_before");
    let seen = look(&office, DESK, &second).await;
    assert!(self::calls(&seen).iter().all(|call| call["told"] == true), "{seen}");
    assert_eq!(seen["fields"]["callers_told"], 41, "all but who called first");
    // The number of the merge itself is no caller's.
    let merge = office.get(DESK, &format!("/api/v1/referrals/{second}/events")).await.ok(200);
    let events = merge["items"].as_array().unwrap().iter();
    let merge = events.clone().find(|event| event["kind"] == "signal.merged_here").unwrap();
    let input = json!({ "call": merge["seq"], "what": "已恢复供电" });
    let refused = ask(&office, DESK, &second, "tell_caller", input).await;
    assert_eq!(refused.problem(422), "wrong_input");
}

#[tokio::test]
async fn a_matter_merged_twice_keeps_its_callers_and_what_they_were_told() {
    let office = Office::county().await;
    let (a, a_number) = called(&office, "023-5000", 2).await;
    let (b, b_number) = called(&office, "023-6000", 1).await;
    let (c, c_number) = called(&office, "023-7000", 1).await;
    let told = json!({ "call": 0, "what": "已报供电公司" });
    give(&office, DESK, &a, "tell_caller", told).await;
    give(&office, DESK, &a, "merge", json!({ "into": b_number })).await;
    let of_a = of_phone(&look(&office, DESK, &b).await, "023-5000-0001");
    give(&office, DESK, &b, "tell_caller", named(&of_a)).await;
    give(&office, DESK, &c, "route", json!({ "unit": "gongdian" })).await;
    give(&office, DESK, &b, "merge", json!({ "into": c_number })).await;
    let seen = look(&office, "gongdian.liaison", &c).await;
    assert_eq!(
        (&seen["fields"]["repeat_calls"], &seen["fields"]["callers_told"]),
        (&json!(6), &json!(2))
    );
    for (phone, told, number) in [
        ("023-5000-0000", true, Some(&a_number)),
        ("023-5000-0001", true, Some(&a_number)),
        ("023-5000-0002", false, Some(&a_number)),
        ("023-6000-0000", false, Some(&b_number)),
        ("023-7000-0001", false, None),
    ] {
        let call = of_phone(&seen, phone);
        assert_eq!(call["told"], told, "{phone}: {call}");
        assert_eq!(call["number"].as_str(), number.map(String::as_str), "{phone}");
        let answer = ask(&office, "gongdian.liaison", &c, "tell_caller", named(&call)).await;
        assert_eq!(answer.status, if told { 409 } else { 200 }, "{phone}: {}", answer.text);
    }
    // Told where it is now, and nowhere else; and only who is there.
    let gone = ask(&office, DESK, &a, "tell_caller", json!({ "call": 2, "what": "已恢复" })).await;
    assert_eq!(gone.problem(409), "told_where_merged");
    let (_, foreign) = called(&office, "023-8000", 0).await;
    for (number, input) in [(&foreign, "merged"), (&c_number, "merged"), (&a_number, "call")] {
        let tell = json!({ "merged": number, "call": 99, "what": "已恢复" });
        let answer = ask(&office, DESK, &c, "tell_caller", tell).await;
        assert_eq!(answer.problem(422), "wrong_input");
        assert_eq!(answer.json["reasons"][0]["input"], input, "{number}");
    }
}

/// Every page of those who called about a matter, of so many calls each.
async fn pages(office: &Office, who: &str, id: &str, question: &str) -> Vec<Json> {
    let path = format!("/api/v1/referrals/{id}/calls?{question}");
    let (mut all, mut next) = (Vec::new(), String::new());
    loop {
        let page = office.get(who, &format!("{path}{next}")).await.ok(200);
        all.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next"].as_str() else { return all };
        next = format!("&cursor={cursor}");
    }
}

async fn sound(office: &Office) {
    let gate = office.gate.clone();
    let report = tokio::task::spawn_blocking(move || gate.verify().unwrap()).await.unwrap();
    assert_eq!(report.differing_count, 0, "{:?}", report.first_fault);
}

#[tokio::test]
async fn one_word_for_all_who_wait_is_one_event_and_each_is_counted_once() {
    let office = Office::county().await;
    let (first, first_number) = called(&office, "023-5000", 3).await;
    let (second, number) = called(&office, "023-6000", 4).await;
    give(&office, DESK, &second, "attach_repeat_call", json!({ "danger_asked": true })).await;
    give(&office, DESK, &first, "merge", json!({ "into": number })).await;
    give(&office, DESK, &second, "route", json!({ "unit": "gongdian" })).await;
    give(&office, DESK, &second, "tell_caller", json!({ "call": 3, "what": "已报" })).await;
    let all = pages(&office, DESK, &second, "limit=4").await;
    assert_eq!(all.len(), 10, "{all:?}");
    let waiting = pages(&office, "gongdian.liaison", &second, "untold=true&limit=3").await;
    // One was told, and one left no number.
    assert_eq!(waiting.len(), 8, "{waiting:?}");
    assert_eq!((&waiting[0]["seq"], &waiting[0]["told"]), (&json!(0), &json!(false)));
    // A list: whoever was told before, or left no number, is passed over.
    let some =
        json!({ "calls": format!("2-3, 6, {first_number}:0"), "what": "抢修中", "callers": 99 });
    give(&office, DESK, &second, "tell_callers", some).await;
    let seen = look(&office, DESK, &second).await;
    assert_eq!(seen["fields"]["callers_told"], 3, "one by one, and two of the list");
    assert_eq!(of_phone(&seen, "023-5000-0000")["told"], true);
    assert_eq!(of_phone(&seen, "023-5000-0001")["told"], false);
    for (calls, input) in [("2, 99", "calls"), ("二", "calls"), ("00000099:0", "calls")] {
        let tell = json!({ "calls": calls, "what": "抢修中" });
        let refused = ask(&office, DESK, &second, "tell_callers", tell).await;
        assert_eq!(refused.problem(422), "wrong_input", "{calls}");
        assert_eq!(refused.json["reasons"][0]["input"], input);
    }
    // All who wait, by the unit.
    let what = || json!({ "what": "已恢复供电" });
    give(&office, "gongdian.liaison", &second, "tell_callers", what()).await;
    let seen = look(&office, DESK, &second).await;
    let told = [&seen["fields"]["callers_told"], &seen["fields"]["opener_told"]];
    assert_eq!(told, [&json!(9), &json!(true)]);
    assert!(pages(&office, DESK, &second, "untold=true").await.is_empty());
    let again = ask(&office, DESK, &second, "tell_callers", what()).await;
    assert_eq!(again.problem(409), "nobody_waits");
    let one = json!({ "call": 2, "what": "已恢复供电" });
    let again = ask(&office, DESK, &second, "tell_caller", one).await;
    assert_eq!(again.problem(409), "told_before");
    let events = office.get(DESK, &format!("/api/v1/referrals/{second}/events")).await.ok(200);
    let kinds = events["items"].as_array().unwrap().iter();
    let many: Vec<&Json> = kinds.filter(|event| event["kind"] == "tell_callers").collect();
    assert_eq!(many.len(), 2);
    assert_eq!(many[1]["input"]["calls"], format!("{first_number}:2-4, 0, 4-5"));
    assert_eq!(many[1]["input"]["callers"], 6);
    sound(&office).await;
}

#[tokio::test]
async fn when_the_result_proves_false_everybody_is_to_be_told_again() {
    let office = Office::county().await;
    let (merged, _) = called(&office, "023-5000", 1).await;
    let (id, number) = called(&office, "023-6000", 0).await;
    give(&office, DESK, &merged, "tell_caller", json!({ "call": 2, "what": "已报" })).await;
    give(&office, DESK, &merged, "merge", json!({ "into": number })).await;
    give(&office, DESK, &id, "route", json!({ "unit": "gongdian" })).await;
    let answer = json!({ "answer": "线路故障已排除", "caller_told": "by_phone" });
    give(&office, "gongdian.liaison", &id, "answer_on_the_spot", answer).await;
    let seen = look(&office, DESK, &id).await;
    assert_eq!(seen["fields"]["callers_untold"], 1, "who opened the merged matter");
    assert_eq!(of_phone(&seen, "023-5000-0001")["told"], true);
    let again = json!({ "ground": "false_record", "facts": "实际没有恢复供电" });
    give(&office, DESK, &id, "reopen", again).await;
    let seen = look(&office, DESK, &id).await;
    let call = of_phone(&seen, "023-5000-0001");
    assert_eq!(call["told"], false, "{seen}");
    give(&office, DESK, &id, "tell_caller", named(&call)).await;
}

#[tokio::test]
async fn who_leaves_no_number_is_counted_and_shown_but_nobody_waits_to_tell_him() {
    let office = Office::county().await;
    let (id, _) = register(&office, json!({ "anonymous": true })).await;
    give(&office, DESK, &id, "attach_repeat_call", json!({ "danger_asked": true })).await;
    let input = json!({ "danger_asked": true, "caller_phone": "023-5000-0001" });
    give(&office, DESK, &id, "attach_repeat_call", input).await;
    let seen = look(&office, DESK, &id).await;
    assert!(seen["personal"].get("caller_phone").is_none(), "not the number of who called first");
    let seqs: Vec<Json> = calls(&seen).iter().map(|call| call["seq"].clone()).collect();
    assert_eq!(seqs, [2, 3], "each call is shown, also one that left nothing");
    assert_eq!(of_phone(&seen, "023-5000-0001")["seq"], 3);
    for nobody in [0, 2] {
        let tell = json!({ "call": nobody, "what": "已恢复供电" });
        let refused = ask(&office, DESK, &id, "tell_caller", tell).await;
        assert_eq!(refused.problem(409), "nobody_to_tell", "{nobody}");
    }
    // Who calls again from his own number is told once.
    let again =
        json!({ "text": "还没有来电", "caller_phone": "023-5000-0001", "same_caller": true });
    give(&office, DESK, &id, "attach_repeat_call", again).await;
    let tell = json!({ "call": 4, "what": "已恢复供电" });
    let refused = ask(&office, DESK, &id, "tell_caller", tell).await;
    assert_eq!(refused.problem(409), "nobody_to_tell");
    let early = ask(&office, DESK, &id, "answer_at_desk", json!({ "answer": "计划检修" })).await;
    assert_eq!(early.problem(409), "others_wait");
    give(&office, DESK, &id, "tell_caller", json!({ "call": 3, "what": "计划检修" })).await;
    give(&office, DESK, &id, "answer_at_desk", json!({ "answer": "计划检修" })).await;
    assert_eq!(look(&office, DESK, &id).await["fields"]["callers_untold"], 0);
}

/// The shipped workflow, put into other words.
fn reworded(change: impl Fn(String) -> String) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/workflows/referral.yaml");
    change(std::fs::read_to_string(path).unwrap())
}

/// As it was when a merge only counted one caller more.
fn without_counts(text: String) -> String {
    let cut = |text: &str, from: &str, to: &str, instead: &str| {
        let (before, rest) = text.split_once(from).unwrap();
        let (_, after) = rest.split_once(to).unwrap();
        format!("{before}{instead}{to}{after}")
    };
    let text =
        cut(&text, "  merged_here:\n    input:", "  # From a supervision", "  merged_here: {}\n");
    let text = cut(&text, "name: merged_here, with: {", " }\n", "name: merged_here");
    let taken = |line: &&str| !line.contains("has(input.handed_in)");
    let text: String = text.lines().filter(taken).map(|line| format!("{line}\n")).collect();
    ["calls", "told", "nobody_new"].iter().fold(text, |text, name| {
        let one = if *name == "calls" { "1" } else { "0" };
        text.replace(&format!("or(input.{name}, {one})"), one)
    })
}

/// As it was when merges went by another name, of which the router knew nothing.
fn unjoined(text: String) -> String {
    text.replace("merged_here", "joined_here").replace("\nrouting: true\n", "\n")
}

async fn published(office: &Office, source: String) {
    let body = json!({ "source": source });
    let answer = office.post("yingji.editor", "/api/v1/definitions", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test]
async fn matters_of_an_older_version_of_the_workflow_are_merged_with_those_of_a_newer() {
    let office = Office::county().await;
    published(&office, reworded(without_counts)).await;
    let (old, old_number) = called(&office, "023-5000", 1).await;
    let (older, _) = called(&office, "023-5500", 1).await;
    published(&office, reworded(|text| text)).await;
    let (new, _) = called(&office, "023-6000", 2).await;
    let (third, third_number) = called(&office, "023-7000", 0).await;
    give(&office, DESK, &new, "merge", json!({ "into": old_number })).await;
    let seen = look(&office, DESK, &old).await;
    // Everybody who called is there and can be told; the old version counts each merge as one.
    let phones: BTreeSet<String> = calls(&seen)
        .iter()
        .filter_map(|call| Some(call["personal"]["caller_phone"].as_str()?.to_owned()))
        .collect();
    assert_eq!(phones.len(), 4, "{seen}");
    assert_eq!(seen["fields"]["repeat_calls"], 2);
    let call = of_phone(&seen, "023-6000-0002");
    give(&office, DESK, &old, "tell_caller", named(&call)).await;
    assert_eq!(of_phone(&look(&office, DESK, &old).await, "023-6000-0002")["told"], true);
    // The other way round as well.
    give(&office, DESK, &older, "merge", json!({ "into": third_number })).await;
    assert_eq!(calls(&look(&office, DESK, &third).await).len(), 2);
    let gate = office.gate.clone();
    let report = tokio::task::spawn_blocking(move || gate.verify().unwrap()).await.unwrap();
    assert_eq!(report.differing_count, 0, "{:?}", report.first_fault);
}

#[tokio::test]
async fn where_an_older_version_knows_no_merge_that_is_said_and_what_to_do() {
    let office = Office::county().await;
    published(&office, reworded(unjoined)).await;
    let (old, old_number) = called(&office, "023-5000", 0).await;
    published(&office, reworded(|text| text)).await;
    let (new, _) = called(&office, "023-6000", 0).await;
    let refused = ask(&office, DESK, &new, "merge", json!({ "into": old_number })).await;
    assert_eq!(refused.problem(409), "other_version");
    assert!(refused.json["detail_zh"].as_str().unwrap().contains("关联"), "{}", refused.text);
    let seen = look(&office, DESK, &old).await;
    assert_eq!(seen["fields"]["repeat_calls"], 0, "nothing has happened");
    assert_eq!(look(&office, DESK, &new).await["status"], "received");
    give(&office, DESK, &new, "link", json!({ "number": old_number })).await;
}

#[tokio::test]
async fn the_peer_that_handed_in_a_merged_matter_sees_the_one_that_goes_on_and_nobody_of_it() {
    let office = Office::county().await;
    let peer = "12345.liaison";
    let own = json!({ "input": { "text": "整栋楼停电了", "place": "葛城街道", "category": "utility.power-fault",
        "caller_phone": "000-0001-0000", "source": "12345", "source_number": "W1" } });
    let handed_in = office.post(peer, "/api/v1/referrals", own).await.ok(201);
    let handed_in = handed_in["id"].as_str().unwrap().to_owned();
    let (on, number) = called(&office, "000-0002", 2).await;
    let path = format!("/api/v1/referrals/{on}");
    assert_eq!(office.get(peer, &path).await.problem(404), "not_found", "it is not the peer's");
    give(&office, DESK, &handed_in, "merge", json!({ "into": number })).await;
    let seen = office.get(peer, &path).await;
    assert!(!seen.text.contains("000-0002"), "who called besides: {}", seen.text);
    let seen = seen.ok(200);
    assert_eq!(seen["fields"]["handed_in_merged"], json!(["12345"]), "{seen}");
    // It hears how that one goes, by the list of what changes for it.
    give(&office, DESK, &on, "route", json!({ "unit": "gongdian" })).await;
    let listed = office.get(peer, "/api/v1/referrals").await.ok(200);
    let of_on = listed["items"].as_array().unwrap().iter().find(|one| one["id"] == json!(on));
    assert_eq!(of_on.unwrap()["status"], "routed", "{listed}");
}
