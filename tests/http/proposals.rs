//! Two people for what concerns everybody: one proposes, another one approves, in a session of his own.

use fenliu::gate::AccessRules;
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::accounts::{Browser, with_device};
use super::office::{Office, WORKFLOW, read};

/// A house with a second administrator (Faraji) where changes need two people.
async fn office() -> Office {
    let office = Office::open().await;
    let faraji =
        json!({ "name": "Faraji", "grants": [{ "role": "administrator", "unit": "office" }] });
    office.post("Dalila", "/api/v1/people", faraji).await.ok(201);
    let rules = AccessRules { second_person_ms: Some(72 * 3_600_000), ..AccessRules::default() };
    office.gate.use_access_rules(rules);
    office
}

/// Asha as she is, and with some roles.
fn asha(roles: &[&str]) -> Json {
    let grants: Vec<Json> =
        roles.iter().map(|role| json!({ "role": role, "unit": "office" })).collect();
    json!({ "name": "Asha", "grants": grants })
}

async fn grants(office: &Office) -> usize {
    let seen = office.get("Dalila", "/api/v1/people/1").await.ok(200);
    seen["grants"].as_array().unwrap().len()
}

async fn decide(who: &Browser<'_>, proposal: &Json, verdict: &str) -> super::office::Answer {
    who.post(&format!("/api/v1/proposals/{}/{verdict}", proposal["id"]), json!({})).await
}

// Check 30.
#[tokio::test]
async fn nobody_gets_rights_by_the_word_of_one_person() {
    let office = office().await;
    let dalila = with_device(&office, 4, "dalila").await;
    let faraji = with_device(&office, 6, "faraji").await;
    let path = "/api/v1/people/1";
    let asked = office.put("Dalila", path, asha(&["dispatcher", "shift_leader"])).await;
    let place = asked.header("location").to_owned();
    let proposal = asked.ok(202);
    assert_eq!((&proposal["kind"], &proposal["state"]), (&json!("person"), &json!("open")));
    assert_eq!(grants(&office).await, 1, "nothing has changed yet");
    // Whoever approves sees what it is.
    let seen = faraji.get(&place).await.ok(200);
    assert_eq!(seen["content"]["grants"][1]["role"], "shift_leader");
    assert_eq!(seen["instead_of"]["grants"].as_array().unwrap().len(), 1);
    let list = faraji.get("/api/v1/proposals").await.ok(200);
    assert_eq!(
        (list["items"][0]["id"].clone(), list["items"][0].get("content")),
        (proposal["id"].clone(), None)
    );
    assert_eq!(decide(&dalila, &proposal, "approve").await.problem(409), "own_proposal");
    let by_token = office.post("Dalila", &format!("{place}/approve"), json!({})).await;
    assert_eq!(by_token.problem(409), "no_session", "a token could be anybody's");
    for (who, status, code) in [("Asha", 403, "forbidden"), ("Enzi", 404, "not_found")] {
        let other = office.post(who, &format!("{place}/withdraw"), json!({})).await;
        assert_eq!(other.problem(status), code, "{who}");
    }
    assert_eq!(decide(&faraji, &proposal, "approve").await.ok(200)["state"], "approved");
    assert_eq!(grants(&office).await, 2);
    assert_eq!(decide(&faraji, &proposal, "approve").await.problem(409), "proposal_decided");
    // Both stand in the log: who proposed, and who did it.
    let log = office.get("Dalila", "/api/v1/audit").await.ok(200);
    let entry = |kind: &str| {
        let mut all = log["items"].as_array().unwrap().iter();
        all.find(|entry| entry["kind"] == kind && entry["subject"] == "person:1").unwrap().clone()
    };
    assert_eq!(
        (&entry("proposed")["actor"], &entry("person_put")["actor"]),
        (&json!("person:4"), &json!("person:6"))
    );
    assert_eq!(entry("person_put")["detail"]["proposed_by"], "person:4");
    // What was proposed beside something that has changed since is not what anybody wants now.
    let more = asha(&["dispatcher", "shift_leader", "director"]);
    let stale = office.put("Dalila", path, more).await.ok(202);
    let gone = json!({ "name": "Asha", "grants": [], "active": false });
    office.put("Dalila", path, gone).await.ok(200);
    assert_eq!(decide(&faraji, &stale, "approve").await.problem(409), "proposal_outdated");
    let back = office.put("Dalila", path, asha(&["dispatcher", "shift_leader"])).await.ok(202);
    decide(&faraji, &back, "approve").await.ok(200);
    // Rights are taken away, and names changed, by one alone.
    let less = json!({ "name": "Asha K.", "grants": [{ "role": "dispatcher", "unit": "office" }] });
    office.put("Dalila", path, less).await.ok(200);
    assert_eq!(grants(&office).await, 1);
}

// Check 30.
#[tokio::test]
async fn a_token_that_acts_as_somebody_else_is_good_when_a_second_person_approves() {
    let office = office().await;
    let faraji = with_device(&office, 6, "faraji").await;
    let body = json!({ "person": 1, "label": "the desk's console", "acts": ["see_matter"] });
    let asked = office.post("Dalila", "/api/v1/tokens", body).await;
    let place = asked.header("location").to_owned();
    let asked = asked.ok(202);
    let ask = async || {
        let token = asked["token"].as_str().unwrap();
        read(office.ask("nobody", Method::GET, "/api/v1/referrals").bearer_auth(token)).await.status
    };
    assert_eq!(ask().await, 401, "not yet");
    let seen = faraji.get(&place).await;
    assert!(!seen.text.contains(asked["token"].as_str().unwrap()));
    assert_eq!(seen.ok(200)["content"]["label"], "the desk's console");
    decide(&faraji, &asked["proposal"], "approve").await.ok(200);
    assert_eq!(ask().await, 200);
    let log = office.get("Dalila", "/api/v1/audit").await.ok(200);
    let entry = log["items"].as_array().unwrap().iter().find(|e| e["kind"] == "token_issued");
    let entry = entry.unwrap();
    let named = (&entry["actor"], &entry["subject"], &entry["detail"]["proposed_by"]);
    assert_eq!(named, (&json!("person:6"), &json!("person:1"), &json!("person:4")));
    let own = json!({ "person": 4, "label": "my own" });
    office.post("Dalila", "/api/v1/tokens", own).await.ok(201);
}

// Check 30.
#[tokio::test]
async fn alerts_are_led_elsewhere_and_units_merged_only_by_two_people() {
    let office = office().await;
    let faraji = with_device(&office, 6, "faraji").await;
    let known = office.get("Dalila", "/api/v1/people/1").await.ok(200);
    let moved = json!({ "name": known["name"], "phone": "0700000099",
        "grants": [{ "role": "dispatcher", "unit": "office" }] });
    let asked = office.put("Dalila", "/api/v1/people/1", moved).await.ok(202);
    assert_eq!(asked["content"]["phone"], "0700000099");
    let unit = office.get("Dalila", "/api/v1/units/cranes").await.ok(200);
    let put = async |zh: &str, successor: Option<&str>| {
        let body = json!({ "name": { "zh": zh, "en": "Cranes" }, "kind": unit["kind"],
            "successor": successor });
        office.put("Dalila", "/api/v1/units/cranes", body).await
    };
    put("起重机", None).await.ok(200);
    let merged = put("起重机", Some("divers")).await.ok(202);
    assert_eq!((&merged["kind"], &merged["subject"]), (&json!("unit"), &json!("unit:cranes")));
    let now = async || office.get("Dalila", "/api/v1/units/cranes").await.ok(200)["active"].clone();
    assert_eq!(now().await, json!(true), "nothing has changed yet");
    decide(&faraji, &merged, "approve").await.ok(200);
    assert_eq!(now().await, json!(false));
}

// Check 4.
#[tokio::test]
async fn addresses_in_a_proposal_are_read_by_who_decides_on_it_and_kept_until_then() {
    let office = office().await;
    let faraji = with_device(&office, 6, "faraji").await;
    let put = async |phone: &str| {
        let body = json!({ "name": "Asha", "phone": phone, "email": "asha@kisima.invalid",
            "grants": [{ "role": "dispatcher", "unit": "office" }] });
        office.put("Dalila", "/api/v1/people/1", body).await.ok(202)
    };
    let first = put("0700000099").await;
    let place = |one: &Json| format!("/api/v1/proposals/{}", one["id"]);
    // Who writes workflows approves, too, but not this.
    let editor = office.get("Enzi", &place(&first)).await;
    assert_eq!(editor.problem(404), "not_found");
    assert_eq!(office.get("Enzi", "/api/v1/proposals").await.ok(200)["items"], json!([]));
    let seen = faraji.get(&place(&first)).await.ok(200);
    assert_eq!(seen["content"]["phone"], "0700000099");
    decide(&faraji, &first, "approve").await.ok(200);
    let second = put("0700000088").await;
    assert_eq!(second["instead_of"]["phone"], "0700000099");
    decide(&faraji, &second, "withdraw").await.ok(200);
    let lapsed = put("0700000077").await;
    office.minutes_later(72 * 60);
    put("0700000066").await;
    for one in [&first, &second, &lapsed] {
        let kept = office.get("Dalila", &place(one)).await;
        for address in ["07000000", "@kisima"] {
            assert!(!kept.text.contains(address), "{}", kept.text);
        }
        assert_eq!(kept.ok(200)["content"]["phone"], "…", "that it changes is still seen");
    }
}

// Check 30.
#[tokio::test]
async fn a_workflow_that_one_person_proposes_is_published_by_another_or_withdrawn() {
    let office = office().await;
    let second = json!({ "name": "Goma", "grants": [{ "role": "editor", "unit": "office" }] });
    let faraji = with_device(&office, 6, "faraji").await;
    let proposal = office.post("Dalila", "/api/v1/people", second).await.ok(202);
    decide(&faraji, &proposal, "approve").await.ok(200);
    let goma = with_device(&office, 7, "goma").await;
    let send = async |text: String| {
        let request = office.ask("Enzi", Method::POST, "/api/v1/definitions");
        read(request.header("content-type", "text/yaml").body(text)).await
    };
    let version = async || {
        let seen = office.get("Enzi", "/api/v1/definitions/referral").await.ok(200);
        (seen["version"].as_i64().unwrap(), seen["published_by"].as_str().unwrap().to_owned())
    };
    let broken = send(WORKFLOW.replacen("initial:", "initial_:", 1)).await;
    assert_eq!(broken.problem(422), "broken_definition", "nobody is asked about what is unsound");
    let next = format!("{WORKFLOW}\n# another hand\n");
    let first = send(next.clone()).await.ok(202);
    assert_eq!(first["content"], next.as_str());
    assert_eq!(version().await.0, 1);
    assert_eq!(decide(&faraji, &first, "approve").await.problem(404), "not_found", "no editor");
    assert_eq!(decide(&goma, &first, "withdraw").await.ok(200)["state"], "withdrawn");
    assert_eq!(decide(&goma, &first, "approve").await.problem(409), "proposal_decided");
    let good = send(next.clone()).await.ok(202);
    decide(&goma, &good, "approve").await.ok(200);
    assert_eq!(version().await, (2, "person:5".to_owned()));
    let same = send(next.clone()).await;
    assert_eq!(same.problem(409), "definition_unchanged", "nobody is asked about what stands");
    let late = send(format!("{next}# and again\n")).await.ok(202);
    office.minutes_later(72 * 60);
    let list = office.get("Enzi", "/api/v1/proposals").await.ok(200);
    assert_eq!(
        (&list["items"][0]["id"], &list["items"][0]["state"]),
        (&late["id"], &json!("lapsed"))
    );
    let path = format!("/api/v1/proposals/{}/withdraw", late["id"]);
    assert_eq!(office.post("Enzi", &path, json!({})).await.problem(409), "proposal_decided");
}
