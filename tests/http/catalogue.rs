//! The catalogue of categories is drafted by one, published by another, and in force from its day; units
//! that are merged are followed by what they had open.

use fenliu::gate::AccessRules;
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{Answer, Office, read};

const ADMIN: &str = "yingji.administrator";
const DIRECTOR: &str = "yingji.director";
const DUTY: &str = "yingji.duty";
const DESK: &str = "gongan.dispatcher";
const VERSIONS: &str = "/api/v1/catalogue/versions";

async fn export(office: &Office) -> String {
    office.get(DESK, "/api/v1/catalogue/export").await.text
}

async fn draft(office: &Office, who: &str, table: String) -> Answer {
    let path = format!("{VERSIONS}?note=%E8%B0%83%E6%95%B4%E7%9B%AE%E5%BD%95");
    read(office.ask(who, Method::POST, &path).header("Content-Type", "text/csv").body(table)).await
}

async fn units_of(office: &Office, code: &str) -> Json {
    office.get(DESK, &format!("/api/v1/categories/{code}")).await.ok(200)["units"].clone()
}

/// The exported table with the units of one row replaced.
fn with_units(table: &str, code: &str, units: &str) -> String {
    let line = table.lines().find(|line| line.starts_with(&format!("{code},"))).unwrap();
    let mut cells: Vec<&str> = line.split(',').collect();
    cells[3] = units;
    table.replace(line, &cells.join(","))
}

#[tokio::test]
async fn a_version_is_drafted_as_a_table_and_published_by_another_for_a_day_to_come() {
    let office = Office::county().await;
    let before = export(&office).await;
    assert!(before.starts_with("\u{feff}代码,名称,"), "{before}");
    // What was exported is drafted again without any difference.
    let same = draft(&office, ADMIN, before.clone()).await.ok(201);
    assert_eq!(same["differences"], json!([]), "{same}");
    // Units by name, as people write them.
    let table = with_units(&before, "env.solid-waste", "县城市管理局、huanbao");
    let drafted = draft(&office, ADMIN, table).await.ok(201);
    let number = drafted["number"].as_i64().unwrap();
    let said = drafted["differences"][0]["what"]["zh"].as_str().unwrap();
    assert!(said.contains("huanbao、chengguan → chengguan、huanbao"), "{said}");
    let publish = format!("{VERSIONS}/{number}/publish");
    assert_eq!(office.post(ADMIN, &publish, json!({})).await.problem(403), "forbidden");
    let body = json!({ "effective_at": "2018-07-02T11:00:00+08:00" });
    let done = office.post(DIRECTOR, &publish, body).await.ok(200);
    assert_eq!(done["state"], "published");
    // In force when its time has come, also for whoever asks first then.
    assert_eq!(units_of(&office, "env.solid-waste").await[0], "huanbao");
    office.minutes_later(120);
    office
        .gate
        .registry()
        .facts(office.gate.registry().jurisdictions()[0], office.gate.now())
        .unwrap();
    assert_eq!(units_of(&office, "env.solid-waste").await[0], "chengguan");
    let all = office.get(DUTY, VERSIONS).await.ok(200);
    assert_eq!(all["items"][0]["state"], "in_force", "{all}");
    assert_eq!(all["items"][1]["state"], "draft");
    assert_eq!(office.post(DUTY, &publish, json!({})).await.problem(409), "no_draft");
    // What is not wanted is withdrawn, and stays in the list.
    let first = format!("{VERSIONS}/{}", number - 1);
    let gone = read(office.ask(ADMIN, Method::DELETE, &first)).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    let refused = office.post(DIRECTOR, &format!("{first}/publish"), json!({})).await;
    assert_eq!(refused.problem(409), "no_draft");
}

#[tokio::test]
async fn the_catalogue_goes_out_and_comes_in_as_a_workbook() {
    const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let office = Office::county().await;
    let asked = office.ask(DESK, Method::GET, "/api/v1/catalogue/export?format=xlsx");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], WORKBOOK);
    let book = answer.bytes().await.unwrap().to_vec();
    let send = |body: Vec<u8>| {
        let path = format!("{VERSIONS}?note=%E8%B0%83%E6%95%B4");
        let request = office.ask(ADMIN, Method::POST, &path).header("Content-Type", WORKBOOK);
        read(request.body(body))
    };
    let drafted = send(book).await.ok(201);
    assert_eq!(drafted["differences"], json!([]), "{drafted}");
    assert_eq!(send(b"PK no workbook".to_vec()).await.problem(422), "wrong_rows");
    assert_eq!(send(Vec::new()).await.problem(422), "wrong_rows");
    // A small file that unpacks to more than any memory is not unpacked.
    let mut bomb = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    bomb.start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default()).unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..40 {
        std::io::Write::write_all(&mut bomb, &block).unwrap();
    }
    let bomb = bomb.finish().unwrap().into_inner();
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let answer = send(bomb).await;
    assert_eq!(answer.problem(422), "wrong_rows");
    assert!(answer.text.contains("32 MiB"), "{}", answer.text);
}

#[tokio::test]
async fn everything_wrong_with_a_table_is_said_with_its_line() {
    let office = Office::county().await;
    let table = export(&office).await;
    let wrong = with_units(&table, "env.solid-waste", "没有这局");
    let answer = draft(&office, ADMIN, wrong).await;
    assert_eq!(answer.problem(422), "wrong_rows");
    let reason = &answer.json["reasons"][0];
    assert!(reason["zh"].as_str().unwrap().contains("没有单位“没有这局”"), "{reason}");
    assert_eq!(reason["input"], "units");
    // A category that is left out would be lost to the matters that have it.
    let lines: Vec<&str> = table.lines().collect();
    let shorter = lines[..lines.len() - 1].join("\r\n");
    let answer = draft(&office, ADMIN, shorter).await;
    assert_eq!(answer.problem(422), "wrong_catalogue");
    assert!(answer.text.contains("停用"), "{}", answer.text);
    let unknown = draft(&office, ADMIN, "代码,名称,颜色\na,b,c\n".to_owned()).await;
    assert_eq!(unknown.problem(422), "wrong_rows");
    assert_eq!(draft(&office, DESK, table).await.problem(403), "forbidden");
}

#[tokio::test]
async fn a_retired_category_is_chosen_no_more_and_stays_readable() {
    let office = Office::county().await;
    let mut category = office.get(DESK, "/api/v1/categories/other.vague").await.ok(200);
    category["retired"] = json!(true);
    office.put(ADMIN, "/api/v1/categories/other.vague", category).await.ok(200);
    let input = json!({ "place": "葛城街道", "text": "说不清", "category": "other.vague", "kind": "help",
        "anonymous": true });
    let refused = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await;
    assert_eq!(refused.json["code"], "category_retired", "{}", refused.text);
    // Nor does a matter come to stand in it later.
    let input = json!({ "place": "葛城街道", "text": "说不清", "category": "other.general", "anonymous": true });
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let input = json!({ "category": "other.vague", "reason": "应属此类" });
    let change = json!({ "command": "reclassify", "input": input });
    let id = opened["id"].as_str().unwrap();
    let refused = office.command("gongan.shift_leader", id, change).await;
    assert_eq!(refused.problem(409), "category_retired");
    // One change at once is a version of its own.
    let all = office.get(DUTY, VERSIONS).await.ok(200);
    assert_eq!(all["items"][0]["state"], "in_force");
}

#[tokio::test]
async fn where_two_people_are_wanted_nobody_changes_a_category_alone() {
    let office = Office::county().await;
    let rules = AccessRules { second_person_ms: Some(72 * 3_600_000), ..AccessRules::default() };
    office.gate.use_access_rules(rules);
    let category = office.get(DESK, "/api/v1/categories/other.vague").await.ok(200);
    let answer = office.put(ADMIN, "/api/v1/categories/other.vague", category).await;
    assert_eq!(answer.problem(409), "draft_needed");
}

async fn routed(office: &Office, unit: &str) -> String {
    let input = json!({ "place": "葛城街道", "text": "超市卖过期奶粉", "category": "env.solid-waste",
        "kind": "report", "anonymous": true });
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let id = opened["id"].as_str().unwrap().to_owned();
    let route = json!({ "command": "route", "input": { "unit": unit } });
    office.command(DESK, &id, route).await.ok(200);
    id
}

#[tokio::test]
async fn what_a_merged_unit_had_open_follows_and_what_is_meant_for_it_goes_to_its_successor() {
    let office = Office::county().await;
    let open = routed(&office, "gongshang").await;
    let accepted = routed(&office, "gongshang").await;
    let accept = json!({ "command": "accept" });
    office.command("gongshang.liaison", &accepted, accept.clone()).await.ok(200);
    let put = |successor: &str| {
        json!({ "name": { "zh": "县工商局", "en": "Industry and Commerce" },
        "kind": "department", "successor": successor })
    };
    let path = "/api/v1/units/gongshang";
    assert_eq!(office.put(ADMIN, path, put("nosuch")).await.problem(422), "invalid");
    assert_eq!(office.put(ADMIN, path, put("gongshang")).await.problem(422), "invalid");
    let unit = office.put(ADMIN, path, put("shiyao")).await.ok(200);
    assert_eq!((&unit["active"], &unit["successor"]), (&json!(false), &json!("shiyao")));
    let owner = office.gate.registry().jurisdictions()[0];
    assert_eq!(office.gate.follow_successors(owner).await.unwrap(), 2);
    assert_eq!(office.gate.follow_successors(owner).await.unwrap(), 0, "each once");
    for id in [&open, &accepted] {
        let seen = office.get("shiyao.liaison", &format!("/api/v1/referrals/{id}")).await.ok(200);
        assert_eq!(seen["holder"]["code"], "shiyao");
    }
    // Its people hear of each.
    let messages = office.get(DESK, &format!("/api/v1/referrals/{open}/messages")).await.ok(200);
    let told = messages["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["body"].as_str().is_some_and(|body| body.contains("转由贵单位承接")));
    assert_eq!(told.count(), 4, "liaison and leader, by SMS and mail: {messages}");
    office.command("shiyao.liaison", &open, accept).await.ok(200);
    // Who had it still reads its own part, under the name it had.
    let seen = office.get(DESK, &format!("/api/v1/referrals/{open}")).await.ok(200);
    assert_eq!(seen["fields"]["first_unit"], "gongshang");
    assert_eq!(seen["names"]["first_unit"]["zh"], "县工商局");
    let next = routed(&office, "gongshang").await;
    let seen = office.get(DESK, &format!("/api/v1/referrals/{next}")).await.ok(200);
    assert_eq!(seen["holder"]["code"], "shiyao");
    // Nobody but the service moves a matter so.
    let by_hand =
        json!({ "command": "succeed_unit", "input": { "from": "shiyao", "to": "huimin" } });
    let refused = office.command(DESK, &next, by_hand).await;
    assert_eq!(refused.json["code"], "unknown_command", "{}", refused.text);
    // It all stands in the history, and the history says what stands.
    let gate = office.gate.clone();
    let report = tokio::task::spawn_blocking(move || gate.verify().unwrap()).await.unwrap();
    assert_eq!(report.differing_count, 0, "{:?}", report.first_fault);
}

#[tokio::test]
async fn a_category_that_nobody_would_take_is_not_published() {
    let office = Office::county().await;
    // While somebody takes everything else, no call is stranded.
    let path = "/api/v1/categories/tourism.service";
    let mut category = office.get(DESK, path).await.ok(200);
    category["units"] = json!(["guotu-fangguan"]);
    office.put(ADMIN, path, category.clone()).await.ok(200);
    // Nobody does any more: refused, by both doors.
    let gone = |active: bool| json!({ "name": { "zh": "其他单位", "en": "Other units" }, "kind": "other", "active": active });
    let refused = office.put(ADMIN, "/api/v1/units/qita", gone(false)).await;
    assert_eq!(refused.problem(422), "invalid");
    assert!(refused.text.contains("catch_all"), "{}", refused.text);
    office.put(ADMIN, "/api/v1/units/qita", gone(true)).await.ok(200);
}

#[tokio::test]
async fn what_stays_with_the_police_is_made_divertible_by_nobody() {
    let office = Office::county().await;
    let path = "/api/v1/categories/police.fire";
    let mut category = office.get(DESK, path).await.ok(200);
    category["police_kept"] = json!(false);
    let refused = office.put(ADMIN, path, category).await;
    assert_eq!(refused.problem(422), "invalid");
    assert!(refused.text.contains("不得改为可分流"), "{}", refused.text);
    let table = export(&office).await;
    let line = table.lines().find(|line| line.starts_with("police.fire,")).unwrap();
    let mut cells: Vec<&str> = line.split(',').collect();
    assert_eq!(cells[8], "是");
    cells[8] = "";
    let answer = draft(&office, ADMIN, table.replace(line, &cells.join(","))).await;
    assert_eq!(answer.problem(422), "wrong_catalogue");
}

#[tokio::test]
async fn whoever_publishes_a_category_of_a_unit_that_nobody_serves_is_told() {
    let office = Office::county().await;
    let unit = json!({ "name": { "zh": "县气象局", "en": "Weather" }, "kind": "department" });
    office.put(ADMIN, "/api/v1/units/weather", unit).await.ok(200);
    let table = with_units(&export(&office).await, "env.solid-waste", "weather");
    let number = draft(&office, ADMIN, table).await.ok(201)["number"].as_i64().unwrap();
    let publish = format!("{VERSIONS}/{number}/publish");
    let done = office.post(DIRECTOR, &publish, json!({})).await.ok(200);
    let warnings = done["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{done}");
    assert!(warnings[0]["zh"].as_str().unwrap().contains("县气象局"), "{done}");
}

async fn publish(office: &Office, number: i64, effective_at: Option<&str>) -> Answer {
    let path = format!("{VERSIONS}/{number}/publish");
    office.post(DIRECTOR, &path, json!({ "effective_at": effective_at })).await
}

/// Drafts a table; its number.
async fn drafted(office: &Office, table: String) -> i64 {
    draft(office, ADMIN, table).await.ok(201)["number"].as_i64().unwrap()
}

async fn put_units(office: &Office, code: &str, units: Json) -> Answer {
    let path = format!("/api/v1/categories/{code}");
    let mut category = office.get(DESK, &path).await.ok(200);
    category["units"] = units;
    office.put(ADMIN, &path, category).await
}

/// Its day has come, and somebody asks.
fn days_later(office: &Office, days: i64) {
    office.minutes_later(days * 24 * 60);
    office.gate.registry().facts(office.owner(), office.gate.now()).unwrap();
}

const TOMORROW: &str = "2018-07-03T09:00:00+08:00";
const NEXT_WEEK: &str = "2018-07-09T09:00:00+08:00";

#[tokio::test]
async fn what_is_changed_at_once_is_not_undone_when_a_version_comes_in_force_that_was_planned_before()
 {
    let office = Office::county().await;
    let planned = with_units(&export(&office).await, "env.solid-waste", "chengguan、huanbao");
    let planned = drafted(&office, planned).await;
    publish(&office, planned, Some(TOMORROW)).await.ok(200);
    put_units(&office, "tourism.service", json!(["qita", "lvyou"])).await.ok(200);
    assert_eq!(units_of(&office, "tourism.service").await[0], "qita");
    // The plan goes on as a version of its own that has both; the old one is kept, and is said.
    let all = office.get(DUTY, VERSIONS).await.ok(200);
    let items = all["items"].as_array().unwrap();
    assert_eq!(items[0]["effective_at"], TOMORROW, "{all}");
    assert_eq!(items[0]["drafted_by"], items[2]["drafted_by"], "the plan is still who made it");
    assert!(items[0]["note"].as_str().unwrap().contains(&format!("第{planned}版")), "{all}");
    assert_eq!((&items[1]["state"], &items[2]["state"]), (&json!("in_force"), &json!("withdrawn")));
    let path = "/api/v1/audit?kind=catalogue_carried";
    let log = office.get("yingji.administrator", path).await.ok(200);
    assert_eq!(log["items"][0]["detail"]["of"], planned, "{log}");
    days_later(&office, 1);
    assert_eq!(units_of(&office, "env.solid-waste").await[0], "chengguan", "as it was planned");
    assert_eq!(units_of(&office, "tourism.service").await[0], "qita", "and as it was changed");
}

#[tokio::test]
async fn a_change_at_once_that_a_planned_version_has_otherwise_is_refused_with_what_it_has() {
    let office = Office::county().await;
    let planned = with_units(&export(&office).await, "tourism.service", "wenhua");
    let planned = drafted(&office, planned).await;
    publish(&office, planned, Some(TOMORROW)).await.ok(200);
    let refused = put_units(&office, "tourism.service", json!(["qita", "lvyou"])).await;
    assert_eq!(refused.problem(409), "planned_otherwise");
    let said = refused.json["reasons"][0]["zh"].as_str().unwrap();
    assert!(said.contains(&format!("第{planned}版")), "{said}");
    assert!(refused.json["reasons"][1]["zh"].as_str().unwrap().contains("tourism.service"));
    assert_eq!(units_of(&office, "tourism.service").await[0], "lvyou", "nothing is changed");
    // Who wants it nevertheless takes the plan back first.
    let path = format!("{VERSIONS}/{planned}");
    let gone = read(office.ask(ADMIN, Method::DELETE, &path)).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    put_units(&office, "tourism.service", json!(["qita", "lvyou"])).await.ok(200);
    days_later(&office, 1);
    assert_eq!(units_of(&office, "tourism.service").await[0], "qita");
    let gone = read(office.ask(ADMIN, Method::DELETE, &path)).await;
    assert_eq!(gone.problem(404), "not_found", "each once");
}

#[tokio::test]
async fn a_draft_of_before_is_outdated_and_says_what_changed_meanwhile() {
    let office = Office::county().await;
    let table = export(&office).await;
    let old = drafted(&office, with_units(&table, "env.solid-waste", "chengguan")).await;
    put_units(&office, "tourism.service", json!(["qita", "lvyou"])).await.ok(200);
    let refused = publish(&office, old, None).await;
    assert_eq!(refused.problem(409), "draft_outdated");
    let reasons = refused.json["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 2, "{}", refused.text);
    let said = reasons[1]["zh"].as_str().unwrap();
    assert!(said.contains("tourism.service") && said.contains("→ qita、lvyou"), "{said}");
}

#[tokio::test]
async fn a_draft_for_a_later_day_does_not_undo_what_is_planned_for_before() {
    let office = Office::county().await;
    let table = export(&office).await;
    let first = drafted(&office, with_units(&table, "env.solid-waste", "chengguan")).await;
    publish(&office, first, Some(TOMORROW)).await.ok(200);
    // Drafted today from what is in force today, for next week.
    let blind = drafted(&office, with_units(&table, "tourism.service", "qita")).await;
    let refused = publish(&office, blind, Some(NEXT_WEEK)).await;
    assert_eq!(refused.problem(409), "draft_outdated");
    assert!(refused.json["reasons"][1]["zh"].as_str().unwrap().contains("env.solid-waste"));
    // At once it undoes nothing: the plan for tomorrow takes it in.
    publish(&office, blind, None).await.ok(200);
    // With what is planned in it, it is published for next week.
    let both = with_units(&export(&office).await, "env.solid-waste", "chengguan");
    let both = drafted(&office, with_units(&both, "post.service", "qita")).await;
    publish(&office, both, Some(NEXT_WEEK)).await.ok(200);
    let units = async || {
        let mut all = Vec::new();
        for code in ["env.solid-waste", "tourism.service", "post.service"] {
            all.push(units_of(&office, code).await[0].as_str().unwrap().to_owned());
        }
        all
    };
    let before = units().await;
    assert_eq!(before[..2], ["huanbao", "qita"]);
    days_later(&office, 1);
    assert_eq!(units().await, ["chengguan", "qita", before[2].as_str()]);
    days_later(&office, 7);
    assert_eq!(units().await, ["chengguan", "qita", "qita"]);
}

#[tokio::test]
async fn a_ruling_that_changes_the_catalogue_stays_when_what_was_planned_comes_in_force() {
    let office = Office::county().await;
    let table = export(&office).await;
    let planned = drafted(&office, with_units(&table, "tourism.service", "qita")).await;
    publish(&office, planned, Some(TOMORROW)).await.ok(200);
    let input = json!({ "place": "葛城街道", "text": "河边堆的东西有臭味", "anonymous": true,
        "category": "env.solid-waste", "kind": "complaint" });
    // The ruling is a precedent where somebody has read the call.
    let mut small =
        fenliu::routing::Knowledge { police: "gongan".to_owned(), ..Default::default() };
    small.examples.push(fenliu::routing::Example {
        text: "河边有臭味".to_owned(),
        units: vec!["huanbao".to_owned()],
        divert: true,
        ..Default::default()
    });
    office.use_router(std::sync::Arc::new(fenliu::routing::Router::train(&small)));
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let id = opened["id"].as_str().unwrap();
    let ruling = json!({ "unit": "shuiwu", "reason": "河道保洁属县水务局职责" });
    let designate = json!({ "command": "designate", "input": ruling });
    office.command(DIRECTOR, id, designate).await.ok(200);
    let accept = json!({ "accept": true, "note": "按指定意见调整目录" });
    let path = format!("/api/v1/routing/proposals/{id}");
    office.post(DIRECTOR, &path, accept).await.ok(200);
    days_later(&office, 1);
    assert_eq!(units_of(&office, "env.solid-waste").await[0], "shuiwu");
    assert_eq!(units_of(&office, "tourism.service").await[0], "qita");
}
