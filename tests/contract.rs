//! The API as its own description has it, tried by schemathesis: nothing makes the service fail, and no
//! answer is other than described.

use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::json;

use super::desk::Desk;
use super::process::{FENLIU, Folder, Service};

/// Operations by which whoever asks takes his own token away: they are tried last, and less.
const SUICIDAL: [&str; 6] = [
    "put_people_id",
    "delete_people_id_account",
    "put_people_id_account",
    "post_people_id_account_reset",
    "delete_tokens_id",
    "post_me_password",
];

/// What is looked for.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_schema_conformance,response_headers_conformance,ignored_auth";

fn serve(folder: &Folder) -> Command {
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fenliu.toml");
    let mut command = Command::new(FENLIU);
    command.current_dir(std::env::temp_dir()).args(["serve", "--config"]).arg(settings);
    command.env("FENLIU_DATABASE_FOLDER", &folder.0).env("FENLIU_SERVER_LISTEN", "127.0.0.1:0");
    command.env("FENLIU_ROUTING_FOLDER", "").env("FENLIU_SERVER_REQUESTS_PER_SECOND", "0");
    let log = std::fs::File::create(folder.0.join("log")).unwrap();
    command.env("FENLIU_LOG_FILTER", "error").stderr(Stdio::from(log));
    command
}

/// Somebody who may do almost everything, at the service.
async fn jack(administrator: &Desk) -> Desk {
    let grants = [
        ("dispatcher", "gongan"),
        ("shift_leader", "gongan"),
        ("administrator", "yingji"),
        ("editor", "yingji"),
        ("director", "yingji"),
        ("liaison", "huanbao"),
    ];
    let grants: Vec<_> =
        grants.iter().map(|(role, unit)| json!({ "role": role, "unit": unit })).collect();
    let body = json!({ "name": "多面手", "grants": grants });
    let person = administrator.ask(Method::POST, "/api/v1/people", &body).await;
    let body = json!({ "person": person["id"], "label": "contract", "strong": true });
    let issued = administrator.ask(Method::POST, "/api/v1/tokens", &body).await;
    administrator.administrator(issued["token"].as_str().unwrap())
}

/// Lets schemathesis try some operations for so many seconds at most; answers what it said.
fn tried(desk: &Desk, folder: &Folder, seconds: &str, which: &str) -> (bool, String) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/venv/bin/st");
    assert!(program.exists(), "`make setup-test` brings schemathesis");
    let mut command = Command::new(program);
    command.current_dir(&folder.0).args(["run", &format!("{}/api/openapi.json", desk.base)]);
    command.args(["--header", &format!("Authorization: Bearer {}", desk.token)]);
    command.args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]);
    command.args(["--seed", "20180701", "--max-examples", "8", "--max-time", seconds]);
    command.args(["--request-timeout", "20", "--continue-on-failure", "--no-color"]);
    // What it found in an earlier run is not what this run is about.
    command.args(["--generation-database", "none", "--output-truncate", "false"]);
    for operation in SUICIDAL {
        command.args([which, operation]);
    }
    // A stream without end.
    command.args(["--exclude-path", "/api/v1/changes"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said + &String::from_utf8_lossy(&output.stderr))
}

// Checks 49, 50.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_service_keeps_what_its_description_promises() {
    let folder = Folder::new("contract");
    let service = Service::start(&mut serve(&folder));
    let token = service.token.clone().unwrap();
    let desk = Desk::at(&service, &token, None).await;
    desk.called("00000000000").await;
    let jack = jack(&desk.administrator(&token)).await;
    for (seconds, which) in [("50", "--exclude-operation-id"), ("15", "--include-operation-id")] {
        let (well, said) = tried(&jack, &folder, seconds, which);
        assert!(well, "{said}");
        assert!(
            said.contains("Selected:") && said.contains("generated"),
            "it tried nothing: {said}"
        );
    }
    let ready = desk.text("/ready").await;
    assert!(ready.contains("true"), "{ready}");
    service.stop();
    let log = std::fs::read_to_string(folder.0.join("log")).unwrap();
    assert!(!log.contains("internal error") && !log.contains("panicked"), "{log}");
}
