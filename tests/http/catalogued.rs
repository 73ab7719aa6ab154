//! What the catalogue says stands before what the router has learned: questions, places, changes.

use std::sync::Arc;

use fenliu::routing::knowledge::Matter;
use fenliu::routing::{Example, Knowledge, Router};
use serde_json::{Value as Json, json};

use super::office::Office;

const DESK: &str = "gongan.dispatcher";
const ADMIN: &str = "yingji.administrator";

/// A county whose router knows two kinds of matters.
async fn advised() -> Office {
    let office = Office::county().await;
    let mut small = Knowledge { police: "gongan".to_owned(), ..Knowledge::default() };
    (small.tuning.ask, small.tuning.ask_danger, small.tuning.keep) = (0.9, 0.9, 0.95);
    for (code, unit, text) in [
        ("city.facility", "chengguan", "路灯不亮"),
        ("utility.power-fault", "gongdian", "停电一天"),
        ("env.solid-waste", "huanbao", "垃圾没人收"),
    ] {
        let units = vec![unit.to_owned()];
        small.categories.push(Matter { code: code.to_owned(), units: units.clone(), kept: false });
        let (text, category) = (text.to_owned(), Some(code.to_owned()));
        let example = Example { text, units, divert: true, category, ..Example::default() };
        small.examples.extend(vec![example; 4]);
    }
    for _ in 0..4 {
        let (text, units) = ("着火有人困住".to_owned(), vec!["gongan".to_owned()]);
        small.examples.push(Example { text, units, emergency: true, ..Example::default() });
    }
    office.use_router(Arc::new(Router::train(&small)));
    office
}

async fn suggested(office: &Office, body: Json) -> Json {
    office.post(DESK, "/api/v1/routing/suggest", body).await.ok(200)
}

#[tokio::test]
async fn the_answer_to_a_question_of_the_catalogue_changes_the_suggestion_and_is_recorded() {
    let office = advised().await;
    let said = suggested(&office, json!({ "text": "停电一天" })).await;
    assert_eq!(said["units"][0]["code"], "gongdian", "{said}");
    assert_eq!(said["questions"][0]["code"], "line-down");
    assert_eq!(said["categories"][0]["kind"], "help");
    let yes = json!({ "text": "停电一天", "answers": { "line-down": true } });
    let said = suggested(&office, yes).await;
    assert_eq!((&said["verdict"], &said["police_first"]), (&json!("keep"), &json!(true)), "{said}");
    assert_eq!(said["categories"][0]["code"], "police.utility-danger");
    assert_eq!(said["reasons"][0]["kind"], "answer");
    let joint: Vec<&str> = said["joint_units"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| u["code"].as_str().unwrap())
        .collect();
    assert_eq!(joint, ["huimin", "gongdian", "ranqi"]);
    let no = json!({ "text": "停电一天", "answers": { "line-down": false } });
    let said = suggested(&office, no).await;
    assert_eq!((&said["verdict"], &said["questions"]), (&json!("divert"), &json!([])), "{said}");
    // The registration keeps what was answered, and goes by it.
    let input = |answers: &str| {
        json!({ "input": { "text": "停电一天", "place": "葛城街道", "kind": "help",
            "category": "utility.power-fault", "anonymous": true, "answers": answers } })
    };
    let opened = office.post(DESK, "/api/v1/referrals", input("line-down=yes")).await.ok(201);
    let path = format!("/api/v1/referrals/{}", opened["id"].as_str().unwrap());
    let fields = office.get(DESK, &path).await.ok(200)["fields"].clone();
    assert_eq!(fields["answers"], "line-down=yes");
    assert_eq!((&fields["guard"], &fields["police_kept"]), (&json!("keep"), &json!(true)));
    for wrong in ["wet=yes", "line-down", "line-down=perhaps"] {
        let refused = office.post(DESK, "/api/v1/referrals", input(wrong)).await;
        assert_eq!(refused.problem(422), "wrong_input", "{wrong}");
        assert_eq!(refused.json["reasons"][0]["input"], "answers");
        // A machine that asked what is asked no longer is not turned away.
        let mut handed_in = input(wrong);
        handed_in["input"]["source"] = json!("alarm-110");
        handed_in["input"]["source_number"] = json!(wrong);
        office.post(DESK, "/api/v1/referrals", handed_in).await.ok(201);
    }
}

#[tokio::test]
async fn an_answer_to_a_question_that_was_retired_a_moment_ago_holds_no_call_up() {
    let office = advised().await;
    // The dispatcher has the question before him, and the administrator takes it out of the catalogue.
    let path = "/api/v1/categories/utility.power-fault";
    let mut category = office.get(DESK, path).await.ok(200);
    category["questions"] = json!([]);
    office.put(ADMIN, path, category).await.ok(200);
    let register = async |answers: &str| {
        let input = json!({ "text": "停电一天", "place": "葛城街道", "kind": "help",
            "category": "utility.power-fault", "anonymous": true, "answers": answers });
        let path = "/api/v1/referrals";
        let opened = office.post(DESK, path, json!({ "input": input })).await.ok(201);
        let path = format!("/api/v1/referrals/{}", opened["id"].as_str().unwrap());
        office.get(DESK, &path).await.ok(200)["fields"].clone()
    };
    let fields = register("line-down=no").await;
    assert_eq!((&fields["answers"], &fields["guard"]), (&json!("line-down=no"), &json!("divert")));
    let note = fields["suggestion"].as_str().unwrap();
    assert!(note.contains("已不再询问") && note.contains("asked no longer"), "{note}");
    // What led to the police is not passed over: the dispatcher asks once more.
    let fields = register("line-down=yes").await;
    assert_eq!((&fields["answers"], &fields["guard"]), (&json!("line-down=yes"), &json!("ask")));
    assert!(fields["suggestion"].as_str().unwrap().contains("已不再询问"), "{fields}");
    // Nor does the suggestion fail while the call is typed.
    let typed = json!({ "text": "停电一天", "category": "utility.power-fault",
        "answers": { "line-down": true } });
    let said = suggested(&office, typed).await;
    assert_eq!((&said["verdict"], &said["reasons"][0]["kind"]), (&json!("ask"), &json!("answer")));
    assert!(said["question"]["zh"].as_str().unwrap().contains("是否仍是这样"), "{said}");
}

#[tokio::test]
async fn the_place_decides_among_units_where_the_catalogue_says_so() {
    let office = advised().await;
    let at = |place: &str| json!({ "text": "路灯不亮", "place": place });
    let said = suggested(&office, at("葛城街道土城路")).await;
    assert_eq!(said["units"][0]["code"], "chengguan", "{said}");
    assert_eq!(said["sub_unit"]["code"], "chengguan-shizheng");
    assert_eq!(said["reasons"][0]["kind"], "territory");
    assert_eq!(suggested(&office, at("高燕镇街上")).await["sub_unit"], Json::Null);
    // A unit of its own for one township, from now on.
    let path = "/api/v1/categories/env.solid-waste";
    let mut category = office.get(DESK, path).await.ok(200);
    category["territory"] = json!({ "gaoyan": "gaoyan" });
    office.put(ADMIN, path, category.clone()).await.ok(200);
    let at = |place: &str| json!({ "text": "垃圾没人收", "place": place });
    let said = suggested(&office, at("高燕街上")).await;
    assert_eq!(said["units"][0]["code"], "gaoyan", "{said}");
    assert_eq!(said["units"][0]["per_mille"], said["confidence_per_mille"]);
    assert_eq!(suggested(&office, at("修齐镇")).await["units"][0]["code"], "huanbao");
    // What is no township, or no unit in use, is said.
    for (township, unit) in [("huanbao", "gaoyan"), ("gaoyan", "nosuch"), ("gaoyan", "zhengfu")] {
        category["territory"] = json!({ township: unit });
        let refused = office.put(ADMIN, path, category.clone()).await;
        assert_eq!(refused.problem(422), "invalid", "{township} {unit}");
    }
}

#[tokio::test]
async fn a_change_of_the_catalogue_is_followed_before_the_router_has_learned_it() {
    let office = advised().await;
    let path = "/api/v1/categories/env.solid-waste";
    let mut category = office.get(DESK, path).await.ok(200);
    category["units"] = json!(["chengguan", "huanbao"]);
    office.put(ADMIN, path, category).await.ok(200);
    let said = suggested(&office, json!({ "text": "垃圾没人收" })).await;
    assert_eq!(said["units"][0]["code"], "chengguan", "{said}");
    assert_eq!(said["reasons"][0]["kind"], "catalogue");
    assert!(said["reasons"][0]["text"]["zh"].as_str().unwrap().contains("县城市管理局"), "{said}");
    // The category that the desk chooses leads at once, too.
    let chosen = json!({ "text": "垃圾没人收", "category": "tourism.service" });
    assert_eq!(suggested(&office, chosen).await["units"][0]["code"], "lvyou");
    let strange = json!({ "text": "垃圾没人收", "category": "nosuch" });
    let refused = office.post(DESK, "/api/v1/routing/suggest", strange).await;
    assert_eq!(refused.problem(422), "invalid");
    let long = json!({ "text": "长".repeat(4001) });
    let refused = office.post(DESK, "/api/v1/routing/suggest", long).await;
    assert_eq!(refused.problem(422), "invalid");
}

#[tokio::test]
async fn a_merged_bureau_stands_where_the_shares_of_all_that_went_into_it_put_it() {
    let office = Office::county().await;
    let mut small = Knowledge { police: "gongan".to_owned(), ..Knowledge::default() };
    small.tuning.ask = 0.9;
    // Three bureaus divide a matter that a fourth has most of.
    for (unit, times) in [("fagai", 4), ("gongshang", 3), ("zhijian", 3), ("shiyao", 2)] {
        let (text, units) = ("商家称不准".to_owned(), vec![unit.to_owned()]);
        let example = Example { text, units, divert: true, ..Example::default() };
        small.examples.extend(vec![example; times]);
    }
    office.use_router(Arc::new(Router::train(&small)));
    let ask = json!({ "text": "商家称不准" });
    let first = |said: &Json| said["units"][0]["code"].as_str().unwrap().to_owned();
    assert_eq!(first(&suggested(&office, ask.clone()).await), "fagai");
    for (code, zh) in [("gongshang", "县工商局"), ("zhijian", "县质监局")] {
        let put =
            json!({ "name": { "zh": zh, "en": zh }, "kind": "department", "successor": "shiyao" });
        office.put(ADMIN, &format!("/api/v1/units/{code}"), put).await.ok(200);
    }
    let said = suggested(&office, ask).await;
    assert_eq!(first(&said), "shiyao", "{said}");
    assert_eq!(said["units"][0]["per_mille"], said["confidence_per_mille"], "{said}");
    assert_eq!(said["units"][1]["code"], "fagai", "{said}");
    let change = said["reasons"].as_array().unwrap().iter().find(|one| one["kind"] == "change");
    assert_eq!(change.unwrap()["text"]["zh"], "次选单位为fagai", "{said}");
}

#[tokio::test]
async fn what_would_change_it_is_said_of_what_is_suggested_in_the_end() {
    let office = advised().await;
    let change = |said: &Json| {
        let reasons = said["reasons"].as_array().unwrap();
        let change = reasons.iter().find(|one| one["kind"] == "change");
        change.unwrap()["text"]["zh"].as_str().unwrap().to_owned()
    };
    let yes = json!({ "text": "停电一天", "answers": { "line-down": true } });
    let said = suggested(&office, yes).await;
    assert!(change(&said).contains("变更类别"), "it is kept: {said}");
    let path = "/api/v1/categories/env.solid-waste";
    let mut category = office.get(DESK, path).await.ok(200);
    category["units"] = json!(["chengguan", "huanbao"]);
    category["law"] = json!({ "zh": "《固废法》第四十八条", "en": "Solid Waste Law, article 48" });
    office.put(ADMIN, path, category).await.ok(200);
    let said = suggested(&office, json!({ "text": "垃圾没人收" })).await;
    assert_eq!(said["units"][0]["code"], "chengguan", "{said}");
    assert!(!change(&said).contains("chengguan"), "it stands first already: {said}");
    let law = said["reasons"].as_array().unwrap().iter().find(|one| one["kind"] == "law");
    assert_eq!(law.unwrap()["text"]["zh"], "法律依据：《固废法》第四十八条");
    // It is quoted for nobody else.
    let chosen = json!({ "text": "垃圾没人收", "category": "tourism.service" });
    let said = suggested(&office, chosen).await;
    assert!(said["reasons"].as_array().unwrap().iter().all(|one| one["kind"] != "law"), "{said}");
}

#[tokio::test]
async fn what_is_kept_with_a_matter_is_what_the_dispatcher_saw_with_his_category() {
    let office = advised().await;
    let register = async |text: &str, category: &str| {
        let input = json!({ "text": text, "place": "葛城街道土城路", "category": category,
            "kind": "help", "anonymous": true });
        let opened =
            office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
        let path = format!("/api/v1/referrals/{}", opened["id"].as_str().unwrap());
        let seen = office.get(DESK, &path).await.ok(200);
        seen["fields"]["suggestion"].as_str().unwrap().to_owned()
    };
    let chosen = json!({ "text": "垃圾没人收", "category": "tourism.service" });
    assert_eq!(suggested(&office, chosen).await["units"][0]["code"], "lvyou");
    let kept = register("垃圾没人收", "tourism.service").await;
    assert!(kept.starts_with("建议单位：县旅游局（lvyou）"), "{kept}");
    // With the sub-unit, and with whom the catalogue sends where the police may have to go first.
    let kept = register("路灯不亮", "city.facility").await;
    for part in ["二级单位", "（chengguan-shizheng）", "可能须公安先期处警", "联合处置单位"]
    {
        assert!(kept.contains(part), "{part}: {kept}");
    }
    assert!(kept.contains("sub-unit") && kept.contains("police may have to go first"), "{kept}");
}

#[tokio::test]
async fn in_doubt_the_police_stand_third_whoever_the_catalogue_puts_first() {
    let office = Office::county().await;
    let mut small = Knowledge { police: "gongan".to_owned(), ..Knowledge::default() };
    (small.tuning.ask, small.tuning.ask_danger, small.tuning.keep) = (0.05, 0.05, 0.95);
    // Told by many, for everybody, and as danger: nobody can know.
    for unit in ["huanbao", "chengguan", "gongdian", "ranqi", "gongan"] {
        let (text, units, divert) = ("冒烟".to_owned(), vec![unit.to_owned()], unit != "gongan");
        let example = Example { text, units, divert, emergency: !divert, ..Example::default() };
        small.examples.extend(vec![example; 4]);
    }
    office.use_router(Arc::new(Router::train(&small)));
    let is_third = |said: &Json| {
        assert_eq!(said["verdict"], "ask", "{said}");
        let third = &said["units"][2];
        assert_eq!(
            (&third["code"], &third["per_mille"]),
            (&json!("gongan"), &said["kept_per_mille"])
        );
        let police = said["units"].as_array().unwrap().iter().filter(|u| u["code"] == "gongan");
        assert_eq!(police.count(), 1, "{said}");
    };
    let said = suggested(&office, json!({ "text": "冒烟" })).await;
    is_third(&said);
    // The desk chooses a category of a unit that was not named.
    let chosen = json!({ "text": "冒烟", "category": "tourism.service" });
    let said = suggested(&office, chosen).await;
    assert_eq!(said["units"][0]["code"], "lvyou", "{said}");
    is_third(&said);
    // The township has a unit of its own.
    let path = "/api/v1/categories/tourism.service";
    let mut category = office.get(DESK, path).await.ok(200);
    category["territory"] = json!({ "gaoyan": "gaoyan" });
    office.put(ADMIN, path, category).await.ok(200);
    let there = json!({ "text": "冒烟", "category": "tourism.service", "place": "高燕镇" });
    let said = suggested(&office, there).await;
    assert_eq!(
        (&said["units"][0]["code"], &said["units"][1]["code"]),
        (&json!("gaoyan"), &json!("lvyou"))
    );
    is_third(&said);
}

#[tokio::test]
async fn the_unit_of_a_township_leads_only_in_a_matter_that_the_first_unit_takes_too() {
    let office = Office::county().await;
    let mut small = Knowledge { police: "gongan".to_owned(), ..Knowledge::default() };
    (small.tuning.ask, small.tuning.ask_danger, small.tuning.keep) = (0.9, 0.9, 0.95);
    let text = "河边有臭味".to_owned();
    let of = |unit: &str, category: Option<&str>| Example {
        text: text.clone(),
        units: vec![unit.to_owned()],
        category: category.map(str::to_owned),
        divert: true,
        ..Example::default()
    };
    // For whom it is is known well; what it is not so well.
    small.examples.extend(vec![of("shuiwu", None); 8]);
    small.examples.push(of("huanbao", Some("env.solid-waste")));
    for (code, unit) in [("env.solid-waste", "huanbao"), ("tourism.service", "lvyou")] {
        let (code, units) = (code.to_owned(), vec![unit.to_owned()]);
        small.categories.push(Matter { code, units, kept: false });
    }
    office.use_router(Arc::new(Router::train(&small)));
    let path = "/api/v1/categories/env.solid-waste";
    let mut category = office.get(DESK, path).await.ok(200);
    category["territory"] = json!({ "gaoyan": "gaoyan" });
    office.put(ADMIN, path, category).await.ok(200);
    let at =
        |category: Option<&str>| json!({ "text": text, "place": "高燕镇", "category": category });
    let said = suggested(&office, at(None)).await;
    assert_eq!(said["categories"][0]["code"], "env.solid-waste", "{said}");
    assert_eq!(said["units"][0]["code"], "shuiwu", "{said}");
    assert_ne!(said["reasons"][0]["kind"], "territory", "{said}");
    // Once the desk has said what it is, the township has it.
    let said = suggested(&office, at(Some("env.solid-waste"))).await;
    assert_eq!(said["units"][0]["code"], "gaoyan", "{said}");
    assert_eq!(said["reasons"][0]["kind"], "territory");
}
