//! Nobody makes this house knock at its own doors: where webhooks may lead is asked when a
//! subscription is made, and when it is switched on again.

use fenliu::app::channels::reach;
use fenliu::config::settings::Settings;
use reqwest::Method;
use serde_json::json;

use super::office::{Office, read};

const ALL: &str = "/api/v1/subscriptions";

// Check 31.
#[tokio::test]
async fn an_address_inside_this_network_cannot_be_subscribed_unless_the_settings_allow_it() {
    let office = Office::open().await;
    office.gate.guard_webhooks(reach(&Settings::default()).unwrap());
    let wish = |url: &str| json!({ "unit": "cranes", "url": url });
    for url in [
        "http://unit.example/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://192.168.1.7/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://name:word@unit.example/hook",
    ] {
        let answer = office.post("Baraka", ALL, wish(url)).await;
        assert_eq!(answer.problem(422), "invalid", "{url}");
        assert!(!answer.text.contains(url), "what was asked is not said again: {}", answer.text);
    }
    office.post("Baraka", ALL, wish("https://unit.example/hook")).await.ok(201);
    let mut settings = Settings::default();
    settings.channel.webhook.allow_http = true;
    settings.channel.webhook.allow_private = true;
    office.gate.guard_webhooks(reach(&settings).unwrap());
    let inside = office.post("Baraka", ALL, wish("http://192.168.1.7/hook")).await.ok(201);
    let never = office.post("Baraka", ALL, wish("http://169.254.169.254/")).await;
    assert_eq!(never.problem(422), "invalid");
    // The settings become stricter: it can be switched off, and not on again.
    office.gate.guard_webhooks(reach(&Settings::default()).unwrap());
    let path = format!("{ALL}/{}", inside["id"]);
    let switch = |active: bool| {
        read(office.ask("Baraka", Method::PUT, &path).json(&json!({ "active": active })))
    };
    assert_eq!(switch(false).await.ok(200)["active"], false);
    assert_eq!(switch(true).await.problem(422), "invalid");
}

// Check 31.
#[tokio::test]
async fn where_the_office_names_hosts_no_other_is_subscribed_or_switched_on() {
    let office = Office::open().await;
    let wish = |url: &str| json!({ "unit": "cranes", "url": url });
    let before = office.post("Baraka", ALL, wish("https://elsewhere.example/hook")).await.ok(201);
    let mut settings = Settings::default();
    settings.channel.webhook.hosts =
        ["hooks.kisima.example", "*.units.example"].map(str::to_owned).into();
    office.gate.guard_webhooks(reach(&settings).unwrap());
    for url in [
        "https://elsewhere.example/hook",
        "https://units.example/hook",
        "https://hooks.kisima.example.elsewhere.example/",
        "https://elsewhere.example/#hooks.kisima.example",
        "https://1.1.1.1/hook",
    ] {
        let answer = office.post("Baraka", ALL, wish(url)).await;
        assert_eq!(answer.problem(422), "host_not_allowed", "{url}");
        assert!(answer.json["detail_zh"].as_str().unwrap().contains("名单"), "{}", answer.text);
        assert!(!answer.text.contains(url), "what was asked is not said again: {}", answer.text);
    }
    for url in ["https://hooks.kisima.example/a", "https://CRANES.units.example:8443/a"] {
        office.post("Baraka", ALL, wish(url)).await.ok(201);
    }
    // What was subscribed before is not switched on again.
    let path = format!("{ALL}/{}", before["id"]);
    let on = office.ask("Baraka", Method::PUT, &path).json(&json!({ "active": true }));
    assert_eq!(read(on).await.problem(422), "host_not_allowed");
    settings.channel.webhook.hosts = vec!["https://hooks.kisima.example".to_owned()];
    let error = reach(&settings).err().unwrap().to_string();
    assert!(error.starts_with("channel.webhook.hosts: `https://hooks.kisima.example`"), "{error}");
}
