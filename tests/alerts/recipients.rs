//! Who is told is somebody of the directory, at the address that stands there when the message leaves.

use serde_json::json;

use super::county::play;

/// Addresses of somebody who is nobody here.
const BAIT: &str = "13900001111 evil@elsewhere.example";

// Check 31.
#[test]
fn no_address_that_a_call_brings_is_ever_written_to() {
    play(async |county| {
        // Wherever words may stand, there are addresses.
        let input = json!({ "text": format!("半夜施工，请回复 {BAIT}"), "place": BAIT,
            "exact_place": BAIT, "kind": "complaint", "category": "noise.construction-night",
            "caller_phone": "13900001111", "caller_name": BAIT, "caller_address": BAIT });
        let id = county.opens("110台值班长", ("referral", "register"), input).await;
        county.does("110台值班长", id, "route", json!({ "unit": "guotu" })).await;
        // Nobody accepts: the ladder is climbed for two days.
        county.fast_forward(2 * 24 * 60).await;
        let known = county.people();
        let known: Vec<&str> = known.people.values().map(|one| one.name.as_str()).collect();
        let told = county.told();
        assert!(told.values().flatten().count() > 5, "{told:#?}");
        for who in told.values().flatten() {
            assert!(known.contains(&who.as_str()), "{who} is nobody of the directory");
        }
    });
}
