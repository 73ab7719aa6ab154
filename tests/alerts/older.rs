//! Data of before: orders that were opened by an older definition go on, and so do ladders that were
//! kept in an older form.

use fenliu::domain::{Actor, DefinitionId, Delivery, JurisdictionId};
use fenliu::gate::Caller;
use fenliu::store::DefinitionSource;
use serde_json::json;

use super::county::{County, play, shipped_workflows};

/// The supervision order as it was when a unit accepted it by `acknowledge`.
fn older() -> String {
    let shipped = shipped_workflows().into_iter();
    let order = shipped.into_iter().find(|text| text.contains("\nworkflow: supervision\n"));
    let renamed = order
        .unwrap()
        .replace("\n  accept:\n", "\n  acknowledge:\n")
        .replace("          accept: {", "          acknowledge: {")
        .replace(", offer: accept", "");
    assert_eq!(renamed.matches("acknowledge: {").count(), 1);
    renamed
}

/// It was published when nothing spoke against it: today it would be refused.
fn published_before(county: &mut County, jurisdiction: JurisdictionId) {
    let source = DefinitionSource {
        id: DefinitionId(0),
        jurisdiction,
        workflow: "supervision".to_owned(),
        number: 0,
        source: older(),
        hash: [7; 32],
        published_at: county.now(),
        published_by: "system".to_owned(),
        retired_at: None,
    };
    let mut writer = county.store.writer().unwrap();
    writer.transaction(|transaction| transaction.add_definition(&source)).unwrap();
}

#[test]
fn an_order_opened_by_an_older_definition_goes_on_after_a_new_start() {
    play(async |county| {
        let jurisdiction = county.caller("县应急办系统管理员").jurisdiction;
        let system = Caller { actor: Actor::System, jurisdiction };
        let refused = county.gate.publish(&system, &older()).unwrap_err();
        assert_eq!(refused.to_string(), "the definition has errors");
        published_before(county, jurisdiction);
        county.restarts();
        let duty = "县应急办值班员乙";
        let input = json!({ "unit": "huanbao", "level": "normal", "reason": "暗访发现办理不实" });
        let id = county.opens(duty, ("supervision", "draft"), input).await;
        county.does(duty, id, "issue", json!({ "demand": "限期整改并报告结果" })).await;
        county.restarts();
        county.read_everything();
        // Who answers the message has seen it, and has accepted nothing by that.
        let told = county.messages();
        let liaison = county.person("huanbao.liaison");
        let ours = |one: &&fenliu::domain::Message| {
            one.to.person() == Some(liaison.id) && one.channel == "sms"
        };
        let message = told.iter().find(ours).unwrap().clone();
        assert_eq!(message.state, Delivery::Sent);
        let caller = county.caller("huanbao.liaison");
        county.gate.answer_message(&message, &caller, "acknowledge").await.unwrap();
        let seen = county.messages().into_iter().find(|one| one.id == message.id).unwrap();
        assert_eq!(seen.acknowledged_at, Some(county.now()));
        let state = |county: &County| {
            county.store.read(|reader| reader.instance(id)).unwrap().unwrap().0.status
        };
        assert_eq!(state(county), "issued");
        county.does("huanbao.liaison", id, "acknowledge", json!({})).await;
        assert_eq!(state(county), "acknowledged");
        let found = county.gate.examine(id).unwrap().unwrap();
        assert!(found.differences.is_empty(), "{:?}", found.differences);
        county.fast_forward(4 * 24 * 60).await;
        let lines = county.lines();
        assert!(lines.iter().any(|line| line.contains("环保局分管负责人")), "{lines:#?}");
    });
}
