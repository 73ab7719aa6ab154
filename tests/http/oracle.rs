//! What is done for somebody does not tell what is there: by how much work, which takes time. (How long
//! it takes is measured by the benchmark `load --only oracle`.)

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::accounts::{PASSWORD, account, sign_in};
use super::office::{Office, read};

/// How many statements the database is given, and passwords are compared, for what is done.
async fn work<T>(office: &Office, done: impl Future<Output = T>) -> (T, u64, u64) {
    let before = (office.gate.statements(), office.gate.figures().compared());
    let done = done.await;
    let after = (office.gate.statements(), office.gate.figures().compared());
    (done, after.0 - before.0, after.1 - before.1)
}

// Check 3.
#[tokio::test]
async fn a_foreign_matter_costs_exactly_as_many_statements_as_a_missing_one() {
    let office = Office::open().await;
    let foreign = office.assigned("pier 4", "divers").await;
    let missing = "ins_0000000000000".to_owned();
    let (get, post) = (Method::GET, Method::POST);
    let command = |name: &str| Some(json!({ "command": name }));
    let asked: Vec<(&Method, &str, Option<Json>)> = vec![
        (&get, "", None),
        (&get, "/events", None),
        (&get, "/clocks", None),
        (&get, "/clocks/accept", None),
        (&get, "/children", None),
        (&get, "/messages", None),
        (&post, "/commands", command("accept")),
        (&post, "/commands", command("assign")),
        (&post, "/commands", command("no_such_command")),
        (&post, "/reveal", Some(json!({ "purpose": "to call back about the crane" }))),
    ];
    let ask = async |method: &Method, path: String, body: &Option<Json>| {
        let request = office.ask("Baraka", method.clone(), &path);
        let answer = read(if let Some(body) = body { request.json(body) } else { request }).await;
        assert!([403, 404].contains(&answer.status), "{method} {path}: {}", answer.text);
        answer.text
    };
    let mut counted = 0;
    for (method, path, body) in &asked {
        for face in ["referrals", "instances"] {
            let at = |id: &str| format!("/api/v1/{face}/{id}{path}");
            // The first one of a kind opens connections and prepares what is asked.
            ask(method, at(&missing), body).await;
            let (said, statements, _) = work(&office, ask(method, at(&foreign), body)).await;
            let (absent, expected, _) = work(&office, ask(method, at(&missing), body)).await;
            assert_eq!(said, absent, "{method} {face} {path}");
            assert_eq!(statements, expected, "{method} {face} {path}");
            counted += statements;
        }
    }
    assert!(counted > 20, "statements are counted at all: {counted}");
}

// Check 9.
#[tokio::test]
async fn an_unknown_name_costs_as_much_as_a_wrong_password() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    // Somebody who has not chosen a password yet.
    office.put("Dalila", "/api/v1/people/2/account", json!({ "login": "baraka" })).await.ok(200);
    let try_it = async |login: &str| {
        let answer = sign_in(&office, login, "Matofali 9 ya bandari", None).await;
        assert_eq!(answer.problem(401), "wrong_login");
        answer.text
    };
    try_it("first").await;
    let mut work_of = Vec::new();
    for login in ["asha", "baraka", "nobody", "another"] {
        let (said, statements, compared) = work(&office, try_it(login)).await;
        work_of.push((said, statements, compared));
    }
    assert!(work_of[0].1 > 3, "statements are counted at all");
    assert_eq!(work_of[0].2, 1, "one password is compared");
    for (login, work) in ["baraka", "nobody", "another"].iter().zip(&work_of[1..]) {
        assert_eq!(work, &work_of[0], "{login}");
    }
    let (_, _, compared) = work(&office, sign_in(&office, "asha", PASSWORD, None)).await;
    assert_eq!(compared, 1);
}
