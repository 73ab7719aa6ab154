use super::*;

fn person(grants: &[(Role, &str)]) -> Actor {
    let grants = grants.iter().map(|(role, unit)| Grant { role: *role, unit: (*unit).to_owned() });
    Actor::person(crate::domain::PersonId(1), grants.collect())
}

#[test]
fn the_table_has_a_line_for_every_act_and_a_column_for_every_role() {
    for act in ACTS {
        assert_eq!(Act::from_code(act.code()), Some(act));
        let somebody = COLUMNS.iter().any(|column| !reach(*column, act).is_nothing());
        assert!(somebody, "nobody may {}", act.code());
    }
    for role in Role::ALL {
        assert!(COLUMNS.contains(&Column::Role(role)), "{role}");
    }
}

// Check 7.
#[test]
fn administrators_auditors_and_editors_are_kept_apart() {
    let only = |role: Role, act: Act| {
        let able = Role::ALL.into_iter().filter(|r| !reach(Column::Role(*r), act).is_nothing());
        able.collect::<Vec<_>>() == [role]
    };
    assert!(only(Role::Administrator, Act::WriteDirectory));
    assert!(only(Role::Administrator, Act::KeepAccounts));
    assert!(only(Role::Editor, Act::Publish));
    // Who audits changes nothing, and who keeps the house sees no matter.
    for act in
        [Act::Open, Act::Command, Act::WriteDirectory, Act::Publish, Act::EraseCaller, Act::Operate]
    {
        assert!(reach(Column::Role(Role::Auditor), act).is_nothing(), "{}", act.code());
    }
    for role in [Role::Administrator, Role::Editor] {
        for act in [Act::SeeMatter, Act::SeeContent, Act::SeeCaller, Act::Command] {
            assert!(reach(Column::Role(role), act).is_nothing(), "{role} {}", act.code());
        }
    }
}

#[test]
fn a_units_people_reach_no_further_than_their_unit() {
    let liaison = person(&[(Role::Liaison, "huanbao")]);
    assert!(!may(&liaison, Act::SeeMatter) && may_somewhere(&liaison, Act::SeeMatter, None));
    assert_eq!(units(&liaison, Act::SeeMatter, Relation::Former), ["huanbao"].into());
    let none = BTreeSet::new;
    assert!(takes_part(&liaison, ["huanbao"].into_iter(), none, None));
    assert!(!takes_part(&liaison, ["minzheng"].into_iter(), none, None));
    // Several units at once: each right counts where it was given.
    let both = person(&[(Role::Liaison, "huanbao"), (Role::Auditor, "yingji")]);
    assert!(sees_all(&both, None));
    assert!(!takes_part(&both, ["yingji"].into_iter(), none, None));
}

#[test]
fn leading_the_county_is_more_than_leading_a_unit() {
    let leader = person(&[(Role::Leader, "zhengfu")]);
    assert!(sees_all(&leader, Some("zhengfu")) && !sees_all(&leader, Some("other")));
    assert!(may_at(&leader, Act::RevealCaller, Relation::Other, Some("zhengfu")));
    assert!(needs_second_factor(&leader.grants()[0], Some("zhengfu")));
    assert!(without_second_factor(leader.grants(), Some("zhengfu")).is_empty());
    assert_eq!(without_second_factor(leader.grants(), Some("other")), leader.grants());
}

#[test]
fn a_post_named_by_a_workflow_gives_nothing_that_the_table_denies() {
    let grant = Grant { role: Role::Administrator, unit: "yingji".to_owned() };
    let posts = BTreeSet::from([grant]);
    let administrator = person(&[(Role::Administrator, "yingji")]);
    assert!(!holds_post(&administrator, Act::SeeMatter, &posts));
    assert!(!takes_part(&administrator, std::iter::empty(), || posts, None));
}
