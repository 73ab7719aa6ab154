//! Codes of a person's device: nobody guesses them, and nobody goes round the device.

use serde_json::{Value as Json, json};

use super::accounts::{Browser, PASSWORD, account, by_provider, device, sign_in};
use super::office::Office;

const DEVICE: &str = "/api/v1/me/second-factor";
const CONFIRM: &str = "/api/v1/me/second-factor/confirm";

/// Dalila, who administers, with a password, a device and a name at the identity provider; the
/// device's secret.
async fn administrator(office: &Office) -> Json {
    account(office, 4, "dalila").await;
    let named = json!({ "login": "dalila", "subject": "dalila@kisima" });
    office.put("Dalila", "/api/v1/people/4/account", named).await.ok(200);
    let me = Browser::of(office, sign_in(office, "dalila", PASSWORD, None).await);
    let secret = me.post(DEVICE, json!({ "password": PASSWORD })).await.ok(200);
    let code = device(secret["secret"].as_str().unwrap(), office.gate.now());
    assert_eq!(me.post(CONFIRM, json!({ "code": code })).await.status, 200);
    office.minutes_later(1);
    secret
}

// Checks 11, 12.
#[tokio::test]
async fn whoever_knows_the_password_and_has_a_session_guesses_five_codes_and_no_more() {
    let office = Office::open().await;
    let secret = administrator(&office).await;
    let thief = by_provider(&office, "dalila@kisima").await;
    for _ in 0..4 {
        assert_eq!(
            thief.post(CONFIRM, json!({ "code": "no code" })).await.problem(409),
            "wrong_code"
        );
    }
    // Neither the right password nor another session makes the wrong codes forgotten.
    let again = thief.post(DEVICE, json!({ "password": PASSWORD })).await;
    assert_eq!(again.problem(409), "second_factor_set");
    let thief = by_provider(&office, "dalila@kisima").await;
    assert_eq!(thief.post(CONFIRM, json!({ "code": "no code" })).await.problem(409), "wrong_code");
    let code = device(secret["secret"].as_str().unwrap(), office.gate.now());
    let stopped = thief.post(CONFIRM, json!({ "code": code })).await;
    assert_eq!(stopped.problem(429), "too_many_attempts");
    let elsewhere = sign_in(&office, "dalila", PASSWORD, Some(&code)).await;
    assert_eq!(elsewhere.problem(429), "too_many_attempts", "they count at every door");
    // She is let in again a quarter of an hour later.
    office.minutes_later(16);
    let code = device(secret["secret"].as_str().unwrap(), office.gate.now());
    Browser::of(&office, sign_in(&office, "dalila", PASSWORD, Some(&code)).await);
}

// Check 12.
#[tokio::test]
async fn a_session_that_somebody_began_with_the_password_ends_when_the_device_is_set_up() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let thief = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    let me = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    let secret = me.post(DEVICE, json!({ "password": PASSWORD })).await.ok(200);
    thief.get("/api/v1/referrals").await.ok(200);
    let code = device(secret["secret"].as_str().unwrap(), office.gate.now());
    let me = Browser::of(&office, me.post(CONFIRM, json!({ "code": code })).await);
    assert_eq!(thief.get("/api/v1/referrals").await.problem(401), "unauthorized");
    me.get("/api/v1/referrals").await.ok(200);
}
