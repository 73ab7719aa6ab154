//! What the router goes by in a workflow that is marked for it, checked before it is published.

use super::bench::findings;

const SHIPPED: &str = include_str!("../../workflows/referral.yaml");

/// The findings about routing when something of the shipped workflow is written otherwise: code, line and
/// words of each.
fn about_routing(from: &str, to: &str) -> Vec<(String, String, String)> {
    assert!(SHIPPED.contains(from), "{from}");
    let text = SHIPPED.replacen(from, to, 1);
    let found = findings(&text).into_iter().filter(|one| one.code.starts_with("routing_"));
    let line = |number: usize| text.lines().nth(number - 1).unwrap().trim().to_owned();
    let words = |one: &fenliu::chart::Finding| one.help.clone().unwrap_or_default();
    found.map(|one| (one.code.clone(), line(one.line), words(&one))).collect()
}

#[test]
fn what_the_router_goes_by_cannot_be_renamed_without_a_word() {
    let found = about_routing("  first_unit: { type: unit", "  first_holder: { type: unit");
    let [(code, line, help)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((code.as_str(), line.as_str()), ("routing_needs", "routing: true"));
    assert!(help.contains("first_unit: { type: unit"), "{help}");
    // What the caller says is found by its name, too, where the call is taken.
    let found =
        about_routing("    text: { type: text, personal", "    words: { type: text, personal");
    let [(code, line, _)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((code.as_str(), line.as_str()), ("routing_needs", "command: register"));
    // And it tells of a person.
    let found = about_routing(
        "    text: { type: text, personal: true, content: true",
        "    text: { type: text",
    );
    let [(code, line, _)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(code, "routing_personal");
    assert!(line.starts_with("text: { type: text"), "{line}");
}

#[test]
fn what_the_router_goes_by_has_the_type_and_the_codes_that_it_reads() {
    let found = about_routing("  accepted_at: { type: instant", "  accepted_at: { type: date");
    let [(code, line, _)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(code, "routing_type");
    assert!(line.starts_with("accepted_at: { type: date"), "{line}");
    let found = about_routing("      pending: { zh: 待认定", "      waiting: { zh: 待认定");
    let [(code, line, help)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((code.as_str(), line.as_str()), ("routing_codes", "last_return:"));
    assert!(help.contains("pending"), "{help}");
    let found =
        about_routing("      precedent_until: { type: date", "      precedent_end: { type: date");
    let [(code, line, _)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((code.as_str(), line.as_str()), ("routing_needs", "rule:"));
}

#[test]
fn what_says_who_was_told_is_held_by_its_name_too() {
    for (from, to, place) in [
        ("  tell_caller:\n    title", "  inform_caller:\n    title", "routing: true"),
        ("  reopen:\n    title", "  open_again:\n    title", "routing: true"),
        ("  merged_here:\n    input", "  joined_here:\n    input", "routing: true"),
        ("  opener_told: { type: flag", "  first_told: { type: flag", "routing: true"),
        ("      merged: { type: text", "      of_merged: { type: text", "tell_caller:"),
        ("      calls: { type: text", "      which: { type: text", "tell_callers:"),
        (
            "      same_caller: { type: flag",
            "      known_caller: { type: flag",
            "attach_repeat_call:",
        ),
    ] {
        let found = about_routing(from, to);
        let [(code, line, help)] = found.as_slice() else { panic!("{from}: {found:?}") };
        assert_eq!((code.as_str(), line.as_str()), ("routing_needs", place), "{from}");
        assert!(help.starts_with("write `"), "{help}");
    }
}

#[test]
fn a_workflow_that_is_not_marked_for_routing_may_name_things_as_it_likes() {
    assert!(about_routing("routing: true\n", "").is_empty());
    assert!(about_routing("routing: true", "routing: true").is_empty(), "as it is shipped");
}
