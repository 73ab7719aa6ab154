//! Calls from elsewhere: by the number that another system gave them, many at once, and from paper.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{Answer, Office, read};

const DESK: &str = "gongan.dispatcher";

fn call(number: &str, text: &str) -> Json {
    json!({ "place": "葛城街道", "text": text, "category": "utility.power-fault", "kind": "help",
        "anonymous": true, "source": "110", "source_number": number })
}

async fn register(office: &Office, who: &str, input: Json) -> Answer {
    office.post(who, "/api/v1/referrals", json!({ "input": input })).await
}

async fn send(office: &Office, query: &str, kind: &str, body: String) -> Answer {
    let path = format!("/api/v1/intake/batches{query}");
    read(office.ask(DESK, Method::POST, &path).header("Content-Type", kind).body(body)).await
}

#[tokio::test]
async fn the_same_number_of_the_110_system_is_the_same_referral() {
    let office = Office::county().await;
    let first = register(&office, DESK, call("20180702-0017", "停电一天")).await.ok(201);
    // Sent again by whoever is on duty then.
    let again = register(&office, "gongan.shift_leader", call("20180702-0017", "停电一天")).await;
    let again = again.ok(201);
    assert_eq!((&again["id"], &again["replayed"]), (&first["id"], &json!(true)));
    let other = register(&office, DESK, call("20180702-0017", "井盖没了")).await;
    assert_eq!(other.problem(409), "number_taken");
    assert_eq!(other.json["reasons"][0]["input"], "source_number");
    let said = other.json["detail_zh"].as_str().unwrap();
    assert!(said.contains(first["number"].as_str().unwrap()), "{said}");
    // Another system counts for itself.
    let mut mail = call("20180702-0017", "停电一天");
    mail["source"] = json!("mailbox");
    assert_ne!(register(&office, DESK, mail).await.ok(201)["id"], first["id"]);
    let found = office.get(DESK, "/api/v1/intake/110/20180702-0017").await.ok(200);
    assert_eq!(found["id"], first["id"]);
    let none = office.get(DESK, "/api/v1/intake/110/20180702-9999").await;
    assert_eq!(none.problem(404), "not_found");
    let strange = office.get(DESK, "/api/v1/intake/110/%00").await;
    assert_eq!(strange.problem(404), "not_found");
    let strange = register(&office, DESK, call("a\0b", "停电一天")).await;
    assert_eq!(strange.json["code"], "wrong_input", "{}", strange.text);
    // Who may not register is not told what is registered.
    let told = register(&office, "huimin.liaison", call("20180702-0017", "停电一天")).await;
    assert_eq!(told.status, 403, "{}", told.text);
    let foreign = office.get("huimin.liaison", "/api/v1/intake/110/20180702-0017").await;
    assert_eq!(foreign.problem(404), "not_found");
}

// Check 3.
#[tokio::test]
async fn a_unit_that_hands_in_under_a_foreign_source_learns_of_no_number_there() {
    let office = Office::county().await;
    register(&office, DESK, call("20180702-0017", "停电一天")).await.ok(201);
    let peer = "12345.liaison";
    let free = register(&office, peer, call("20180702-9999", "停电一天")).await;
    assert_eq!(free.json["code"], "own_source_only", "{}", free.text);
    for text in ["停电一天", "井盖没了"] {
        let taken = register(&office, peer, call("20180702-0017", text)).await;
        assert_eq!((taken.status, &taken.text), (free.status, &free.text), "{text}");
    }
    // Its own numbers go on being known again, whether it still has the matter or not.
    let mut own = call("W-1", "停电一天");
    own["source"] = json!("12345");
    let first = register(&office, peer, own.clone()).await.ok(201);
    let again = register(&office, peer, own.clone()).await.ok(201);
    assert_eq!((&again["id"], &again["replayed"]), (&first["id"], &json!(true)));
    own["text"] = json!("井盖没了");
    assert_eq!(register(&office, peer, own).await.problem(409), "number_taken");
}

#[tokio::test]
async fn a_number_outlives_the_keys_of_requests() {
    let office = Office::county().await;
    let first = register(&office, DESK, call("A-1", "停电一天")).await.ok(201);
    let gate = office.gate.clone();
    let much_later = office.gate.now().plus(400 * 24 * 3_600_000);
    let forget = move || gate.forget_answers(much_later).unwrap();
    tokio::task::spawn_blocking(forget).await.unwrap();
    let again = register(&office, DESK, call("A-1", "停电一天")).await.ok(201);
    assert_eq!(again["id"], first["id"]);
}

#[tokio::test]
async fn half_a_number_is_said_to_be_incomplete() {
    let office = Office::county().await;
    let mut half = call("A-1", "停电一天");
    half.as_object_mut().unwrap().remove("source");
    let answer = register(&office, DESK, half).await;
    assert_eq!(answer.json["code"], "source_incomplete", "{}", answer.text);
}

const TABLE: &str = "\u{feff}来源编号,接报时间,警情内容,地点,事项类别,性质,来电号码,匿名\n\
    P-001,2018-07-01 08:15,\"停电一天，冰箱化了\",葛城街道,停电/线路故障,求助,000-0000-0001,\n\
    P-002,2018/7/1 9:40,下水道堵了,高燕镇,env.waste-water,投诉,,是\n\
    P-003,昨天上午,井盖没了,高燕镇,停电/线路故障,求助,,是\n\
    P-004,2018-07-01 10:00,路灯不亮,高燕镇,没有这类,求助,,是\n\
    ,2018-07-01 10:05,路灯不亮,高燕镇,停电/线路故障,求助,,是\n";

#[tokio::test]
async fn paper_forms_are_entered_later_as_a_table_with_their_true_times() {
    let office = Office::county().await;
    let done = send(&office, "?source=paper", "text/csv", TABLE.to_owned()).await.ok(200);
    let counts = (&done["registered"], &done["known"], &done["refused"]);
    assert_eq!(counts, (&json!(2), &json!(0), &json!(3)), "{done}");
    let rows = done["rows"].as_array().unwrap();
    let lines: Vec<i64> = rows.iter().map(|row| row["line"].as_i64().unwrap()).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6]);
    let first = rows[0]["id"].as_str().unwrap();
    let seen = office.get(DESK, &format!("/api/v1/referrals/{first}")).await.ok(200);
    assert_eq!(seen["fields"]["received_at"], "2018-07-01T08:15:00+08:00");
    assert_eq!(seen["fields"]["source"], "paper");
    assert_eq!(seen["personal"]["text"], "停电一天，冰箱化了");
    // What is wrong, where, and how to mend it.
    let reason = |row: usize| rows[row]["reasons"][0].clone();
    assert_eq!(reason(2)["input"], "occurred_at");
    assert!(reason(2)["zh"].as_str().unwrap().contains("请写作"), "{}", reason(2));
    assert_eq!(reason(3)["input"], "category");
    assert_eq!(reason(4)["input"], "source_number");
    // Mended and sent once more: what is there already is not taken twice.
    let mended = TABLE.replace("昨天上午", "2018-07-01 09:50").replace("没有这类", "停电/线路故障");
    let again = send(&office, "?source=paper", "text/csv", mended).await.ok(200);
    let counts = (&again["registered"], &again["known"], &again["refused"]);
    assert_eq!(counts, (&json!(2), &json!(2), &json!(1)), "{again}");
    assert_eq!(again["rows"][0]["id"], first);
}

#[tokio::test]
async fn lines_of_json_are_taken_as_well_and_a_row_that_comes_twice_is_one_matter() {
    let office = Office::county().await;
    let line = json!({ "source": "12345", "source_number": "W1", "text": "停水三天", "place": "葛城街道",
        "category": "utility.water-fault", "kind": "help", "anonymous": true });
    let lines = format!("{line}\n\n{line}\n{{\"nosuch\":1}}\nnot json\n");
    let done = send(&office, "", "application/x-ndjson", lines).await.ok(200);
    let outcomes: Vec<&str> = done["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["registered", "known", "refused", "refused"], "{done}");
    assert_eq!(done["rows"][0]["number"], done["rows"][1]["number"]);
    assert_eq!(done["rows"][3]["line"], 5);
}

#[tokio::test]
async fn a_column_that_nobody_knows_stops_the_file_before_anything_is_lost() {
    let office = Office::county().await;
    let table = "来源编号,警情内容,备注\nP-1,停电,急\n".to_owned();
    let answer = send(&office, "?source=paper", "text/csv", table).await;
    assert_eq!(answer.problem(422), "invalid");
    let said = answer.json["detail_zh"].as_str().unwrap();
    assert!(said.contains("“备注”") && said.contains("警情内容"), "{said}");
    for (kind, body) in [("text/csv", ""), ("text/csv", "来源编号\n"), ("text/calendar", "x")] {
        assert!(send(&office, "", kind, body.to_owned()).await.status >= 400, "{kind} {body}");
    }
    let many = format!("来源编号\n{}", "x\n".repeat(501));
    assert_eq!(send(&office, "", "text/csv", many).await.problem(422), "invalid");
}

#[tokio::test]
async fn a_call_of_which_neither_kind_nor_place_is_known_lands_with_somebody_who_is_woken() {
    let office = Office::county().await;
    let input = json!({ "text": "听不清，断线了", "anonymous": true });
    let opened = register(&office, DESK, input).await.ok(201);
    let id = opened["id"].as_str().unwrap();
    let path = format!("/api/v1/referrals/{id}");
    let seen = office.get(DESK, &path).await.ok(200);
    assert_eq!(
        (&seen["status"], &seen["holder"]["code"]),
        (&json!("to_classify"), &json!("gongan"))
    );
    assert_eq!(seen["clocks"][0]["name"], "desk_route", "{seen}");
    let queue = office.get(DESK, "/api/v1/referrals?status=to_classify").await.ok(200);
    assert_eq!(queue["items"][0]["id"], json!(id), "{queue}");
    let told = office.get(DESK, &format!("{path}/messages")).await.ok(200);
    assert!(told["items"][0]["body"].as_str().unwrap().contains("待甄别"), "{told}");
    // It goes on as soon as it is known what it is.
    let early = json!({ "command": "route", "input": { "unit": "gongdian" } });
    let refused = office.command(DESK, id, early.clone()).await;
    assert_eq!(refused.problem(409), "classify_first");
    let known = json!({ "category": "utility.power-fault", "place": "葛城街道" });
    let complete = json!({ "command": "complete", "input": known });
    office.command(DESK, id, complete).await.ok(200);
    office.command(DESK, id, early).await.ok(200);
    // Also from a file: a row without them is a matter, not a fault.
    let table = "来源编号,警情内容,匿名\nP-9,说不清,是\n".to_owned();
    let done = send(&office, "?source=paper", "text/csv", table).await.ok(200);
    assert_eq!(done["registered"], 1, "{done}");
}

#[tokio::test]
async fn what_a_peer_hands_in_wakes_the_desk_and_danger_the_police_too() {
    let office = Office::county().await;
    let hand_in = |number: &str, category: &str| {
        let input = json!({ "source": "12345", "source_number": number, "text": "楼里着火了",
            "place": "葛城街道", "category": category, "anonymous": true });
        register(&office, "12345.liaison", input)
    };
    let told = async |opened: Json| {
        let path = format!("/api/v1/referrals/{}/messages", opened["id"].as_str().unwrap());
        office.get(DESK, &path).await.ok(200)["items"].as_array().unwrap().clone()
    };
    let people = office.get("yingji.administrator", "/api/v1/people").await.ok(200);
    let post = |message: &Json| {
        let mut all = people["items"].as_array().unwrap().iter();
        let person = all.find(|person| person["id"] == message["person"]["id"]).unwrap();
        let grant = &person["grants"][0];
        format!("{}.{}", grant["unit"].as_str().unwrap(), grant["role"].as_str().unwrap())
    };
    let kept = told(hand_in("W-1", "police.fire").await.ok(201)).await;
    let posts: Vec<String> = kept.iter().map(post).collect();
    for wanted in ["gongan.dispatcher", "gongan.shift_leader", "gongan.leader"] {
        assert!(posts.iter().any(|post| post == wanted), "{wanted}: {posts:?}");
    }
    assert!(kept[0]["body"].as_str().unwrap().contains("请派警"), "{kept:?}");
    let other = told(hand_in("W-2", "utility.power-fault").await.ok(201)).await;
    let posts: Vec<String> = other.iter().map(post).collect();
    assert!(!posts.is_empty() && posts.iter().all(|post| post == "gongan.dispatcher"), "{posts:?}");
}

#[tokio::test]
async fn a_quotation_mark_that_is_never_closed_is_said_with_its_line_and_nothing_is_taken() {
    let office = Office::county().await;
    let table = "来源编号,警情内容,地点,匿名\nP-1,停电,葛城街道,是\nP-2,\"井盖没了,葛城街道,是\nP-3,停水,葛城街道,是\n";
    let answer = send(&office, "?source=paper", "text/csv", table.to_owned()).await;
    assert_eq!(answer.problem(422), "invalid");
    let said = answer.json["detail_zh"].as_str().unwrap();
    assert!(said.contains("第3行") && said.contains("引号"), "{said}");
    let none = office.get(DESK, "/api/v1/referrals").await.ok(200);
    assert_eq!(none["items"], json!([]));
    // In a longer file the line is that of the file.
    let answer = send(&office, "?source=paper&first_line=102", "text/csv", table.to_owned()).await;
    assert!(answer.json["detail_zh"].as_str().unwrap().contains("第103行"), "{}", answer.text);
}

#[tokio::test]
async fn empty_rows_are_no_fault_and_leave_the_others_their_lines() {
    let office = Office::county().await;
    let head = "来源编号,警情内容,地点,事项类别,性质,匿名\n";
    let table = format!("{head},,,,,\n\nP-1,停电,葛城街道,停电/线路故障,求助,是\n , ,,,,\n");
    for (table, outcome) in [(table.clone(), "registered"), (table.replace('\n', "\r\n"), "known")]
    {
        let done = send(&office, "?source=paper", "text/csv", table).await.ok(200);
        assert_eq!(done["rows"].as_array().unwrap().len(), 1, "{done}");
        assert_eq!(done["rows"][0]["outcome"], outcome, "{done}");
        assert_eq!(done["rows"][0]["line"], 4, "{done}");
    }
    // A piece of a longer file may have no others.
    let path = "?source=paper&first_line=102";
    let done = send(&office, path, "text/csv", format!("{head}{}", ",,,,,\n".repeat(150))).await;
    assert_eq!(done.ok(200)["rows"], json!([]));
}

#[tokio::test]
async fn a_number_that_a_spreadsheet_has_shortened_is_refused_with_what_to_do() {
    let office = Office::county().await;
    let table = "来源编号,警情内容,地点,事项类别,性质,来电号码\n\
        2.01812E+13,停电,葛城街道,停电/线路故障,求助,000-0000-0001\n\
        P-2,停电,葛城街道,停电/线路故障,求助,8.6138E+12\n\
        P-3,2.5E+3,葛城街道,停电/线路故障,求助,000-0000-0003\n\
        1E+5号,停电,葛城街道,停电/线路故障,求助,000-0000-0004\n\
        2E+13,停电,葛城街道,停电/线路故障,求助,000-0000-0005\n";
    let done = send(&office, "?source=paper", "text/csv", table.to_owned()).await.ok(200);
    let rows = done["rows"].as_array().unwrap();
    let outcomes: Vec<&str> = rows.iter().map(|row| row["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["refused", "refused", "registered", "registered", "refused"], "{done}");
    for (row, input) in [(0, "source_number"), (1, "caller_phone"), (4, "source_number")] {
        let reason = &rows[row]["reasons"][0];
        assert_eq!(reason["input"], input, "{reason}");
        assert!(reason["zh"].as_str().unwrap().contains("“文本”格式"), "{reason}");
        assert!(reason["en"].as_str().unwrap().contains("column as text"), "{reason}");
    }
}
