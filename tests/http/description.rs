//! What the service says about itself.

use std::collections::BTreeSet;

use reqwest::Method;

use super::office::{Office, read};

// Check 50.
#[tokio::test]
async fn every_path_served_is_described_and_none_else() {
    let office = Office::open().await;
    let api = office.get("nobody", "/api/openapi.json").await.ok(200);
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut described = BTreeSet::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let summary = operation["summary"].as_str().or(operation["description"].as_str());
            assert!(summary.is_some_and(|words| !words.is_empty()), "{method} {path}");
            described.insert((path.clone(), method.to_uppercase()));
        }
    }
    let served: BTreeSet<_> = fenliu::http::routes()
        .into_iter()
        .map(|(path, method)| (path.replace(":.*", ""), method))
        .collect();
    assert_eq!(described, served);
}

#[tokio::test]
async fn every_schema_referred_to_is_there_and_every_operation_has_a_name_of_its_own() {
    let office = Office::open().await;
    let answer = office.get("nobody", "/api/openapi.json").await;
    let schemas = answer.json["components"]["schemas"].as_object().unwrap();
    for part in answer.text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    let mut names = BTreeSet::new();
    for item in answer.json["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()));
        }
    }
}

#[tokio::test]
async fn the_example_of_a_new_referral_can_be_sent_as_it_stands() {
    let office = Office::county().await;
    let api = office.get("nobody", "/api/openapi.json").await.ok(200);
    let content = &api["paths"]["/api/v1/referrals"]["post"]["requestBody"]["content"];
    let examples = content["application/json"]["examples"].as_object().unwrap();
    for (name, example) in examples {
        let sent = office.post("gongan.dispatcher", "/api/v1/referrals", example["value"].clone());
        let sent = sent.await;
        assert_eq!(sent.status, 201, "{name}: {}", sent.text);
    }
}

#[tokio::test]
async fn the_page_and_the_documentation_are_served_with_a_strict_policy() {
    let office = Office::open().await;
    let front = office.get("nobody", "/").await;
    assert!(front.text.contains("分流"));
    assert!(front.header("content-security-policy").contains("frame-ancestors 'none'"));
    let docs = office.get("nobody", "/api/docs").await;
    assert_eq!(docs.status, 200);
    assert!(docs.text.contains("swagger-ui"));
    let script = office.get("nobody", "/api/docs/swagger-initializer.js").await;
    assert!(script.text.contains("/api/openapi.json"));
    assert_eq!(office.get("nobody", "/api/docs/../secret").await.status, 404);
}

#[tokio::test]
async fn every_answer_carries_its_number_and_keeps_browsers_from_guessing() {
    let office = Office::open().await;
    for path in ["/health", "/api/v1/referrals", "/nowhere"] {
        let answer = office.get("nobody", path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.header("x-request-id").is_empty());
    }
    let request = office.ask("nobody", Method::GET, "/health").header("x-request-id", "proxy-7");
    assert_eq!(read(request).await.header("x-request-id"), "proxy-7");
    assert_eq!(office.get("nobody", "/ready").await.ok(200)["ready"], true);
}

#[tokio::test]
async fn metrics_can_be_read_by_a_program() {
    let office = Office::open().await;
    office.report("Pier 4").await;
    office.get("Asha", "/api/v1/referrals/ins_0000000000000").await;
    let metrics = office.get("Dalila", "/metrics").await;
    assert_eq!(metrics.status, 200, "{}", metrics.text);
    assert!(metrics.text.ends_with("# EOF\n"));
    for line in metrics.text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("fenliu_") && value.parse::<f64>().is_ok(), "{line}");
    }
    for line in [
        "fenliu_up 1",
        "fenliu_commands_accepted_total 1",
        "fenliu_instances_open 1",
        "fenliu_clocks 1",
        "fenliu_http_requests_total{method=\"POST\",route=\"/api/v1/referrals\",status=\"201\"} 1",
        "fenliu_http_requests_total{method=\"GET\",route=\"/api/v1/referrals/{id}\",status=\"404\"} 1",
    ] {
        assert!(metrics.text.lines().any(|l| l == line), "{line}\n{}", metrics.text);
    }
}

#[tokio::test]
async fn what_is_answered_a_few_at_a_time_says_so_and_nothing_else_does() {
    let office = Office::open().await;
    let api = office.get("nobody", "/api/openapi.json").await.ok(200);
    let heavy: BTreeSet<_> = fenliu::http::heavy().into_iter().collect();
    assert!(heavy.contains(&("/api/v1/callers/export".to_owned(), "POST".to_owned())));
    for (path, method) in fenliu::http::routes() {
        let operation = &api["paths"][path.replace(":.*", "")][method.to_lowercase()];
        let said = operation["responses"]["503"]["description"].as_str().unwrap_or_default();
        let listed = heavy.contains(&(path.clone(), method.clone()));
        assert_eq!(said.contains("too_many_at_once"), listed, "{method} {path}");
    }
}
