//! Lists and the directory: filters, cursors, parties, who is who.

use fenliu::domain::event::NO_HASH;
use fenliu::domain::{Category, Instance, InstanceId, Instant, PersonId, Scope, Text, Unit};
use fenliu::store::{Batch, CalendarSource, DefinitionSource, Error, Filter, PartyRow, TokenRow};

use super::on_every_store;
use super::place::{OTHERS, OURS, Place, definition, jurisdiction, person};
use super::samples::{event, grants, instance, opening, party, personal};

on_every_store!(
    each_filter_of_a_list_narrows_it,
    a_cursor_walks_through_a_list_without_gap_or_repetition,
    children_are_found_by_their_parent,
    a_unit_sees_what_it_is_or_was_party_to,
    personal_data_is_replaced_and_erased,
    a_directory_comes_back_and_every_change_raises_its_revision,
    a_person_stays_in_its_jurisdiction,
    definitions_are_numbered_and_never_replaced,
    calendars_are_kept_by_version,
    tokens_are_found_by_hash_and_revoked_once,
);

fn open(place: &Place, instances: Vec<Instance>) {
    let mut batch = Batch::default();
    for instance in instances {
        let event = event(instance.id.0, 1, &NO_HASH);
        batch.created.push((instance.into(), event.hash));
        batch.events.push(event);
    }
    place.write(&batch).unwrap();
}

fn listed(place: &Place, filter: &Filter) -> Vec<i64> {
    let found = place.store.read(|reader| reader.list(filter, 100)).unwrap();
    found.into_iter().map(|one| one.id.0).collect()
}

fn each_filter_of_a_list_narrows_it(place: &Place) {
    let mut all: Vec<_> = (1..=6).map(instance).collect();
    all[0].jurisdiction = OTHERS;
    all[1].workflow = "incident".to_owned();
    all[2].status = "closed".to_owned();
    all[2].closed_at = Some(Instant(5));
    all[3].holder = Some("chengguan".to_owned());
    all[4].tier = 3;
    all[4].opened_at = Instant(2_000);
    all[5].parent = Some(InstanceId(1));
    all[5].clocks.clear();
    open(place, all);
    let shows = |filter: Filter, expected: &[i64]| assert_eq!(listed(place, &filter), expected);
    let any = Filter::default;
    shows(any(), &[6, 5, 4, 3, 2, 1]);
    shows(Filter { jurisdiction: Some(OTHERS), ..any() }, &[1]);
    shows(Filter { workflow: Some("incident".to_owned()), ..any() }, &[2]);
    let statuses = vec!["closed".to_owned(), "unknown".to_owned()];
    shows(Filter { statuses: statuses.clone(), ..any() }, &[3]);
    shows(Filter { statuses, open_only: true, ..any() }, &[]);
    shows(Filter { holder: Some("chengguan".to_owned()), open_only: true, ..any() }, &[4]);
    shows(Filter { open_only: true, ..any() }, &[6, 5, 4, 2, 1]);
    shows(Filter { tier_at_least: Some(2), ..any() }, &[5]);
    shows(Filter { opened_from: Some(Instant(2_000)), ..any() }, &[5]);
    shows(Filter { opened_to: Some(Instant(2_000)), ..any() }, &[6, 4, 3, 2, 1]);
    shows(Filter { parent: Some(InstanceId(1)), ..any() }, &[6]);
    shows(Filter { due_before: Some(Instant(9_000)), ..any() }, &[]);
    shows(Filter { due_before: Some(Instant(9_001)), ..any() }, &[5, 4, 3, 2, 1]);
    let counts = place
        .store
        .read(|reader| reader.count_by_status(&Filter { jurisdiction: Some(OURS), ..any() }));
    assert_eq!(counts.unwrap(), [("closed".to_owned(), 1), ("routed".to_owned(), 4)]);
    assert_eq!(place.store.read(|reader| reader.raw_counts()).unwrap().open_instances, 5);
}

fn a_cursor_walks_through_a_list_without_gap_or_repetition(place: &Place) {
    place.write(&opening(1..=25)).unwrap();
    let mut filter = Filter { parties: vec!["huanbao".to_owned()], ..Filter::default() };
    let mut walked = Vec::new();
    loop {
        let page = place.store.read(|reader| reader.list(&filter, 10)).unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        walked.extend(page.iter().map(|one| one.id.0));
    }
    assert_eq!(walked, (1..=25).rev().collect::<Vec<_>>());
    let ids = |after, limit| {
        let found = place.store.read(|reader| reader.instance_ids(InstanceId(after), limit));
        found.unwrap().into_iter().map(|id| id.0).collect::<Vec<_>>()
    };
    assert_eq!(ids(0, 3), [1, 2, 3]);
    assert_eq!(ids(23, 3), [24, 25]);
}

fn children_are_found_by_their_parent(place: &Place) {
    let mut family: Vec<_> = (1..=4).map(instance).collect();
    for child in &mut family[1..] {
        child.parent = Some(InstanceId(1));
        child.family = InstanceId(1);
        child.workflow = "co_task".to_owned();
    }
    family[2].closed_at = Some(Instant(9));
    open(place, family.clone());
    let children = place.store.read(|reader| reader.children(InstanceId(1))).unwrap();
    assert_eq!(children, family[1..]);
    let parents = [InstanceId(1), InstanceId(2), InstanceId(3)];
    let open = place.writer().transaction(|t| t.open_children(&parents)).unwrap();
    let co_task = |id| (InstanceId(1), InstanceId(id), "co_task".to_owned());
    assert_eq!(open, [co_task(2), co_task(4)]);
}

fn a_unit_sees_what_it_is_or_was_party_to(place: &Place) {
    place.write(&opening([1, 2, 3])).unwrap();
    let returned = PartyRow { from_seq: 9, to_seq: Some(4), ..party(1, "huanbao") };
    let parties = vec![returned, party(1, "chengguan")];
    place.write(&Batch { parties, ..Batch::default() }).unwrap();
    let of = |units: &[&str], jurisdiction| {
        let parties = units.iter().map(|unit| (*unit).to_owned()).collect();
        listed(place, &Filter { parties, jurisdiction, ..Filter::default() })
    };
    assert_eq!(of(&["chengguan"], Some(OURS)), [1]);
    assert_eq!(of(&["chengguan", "huanbao"], Some(OURS)), [3, 2, 1]);
    assert!(of(&["huanbao"], Some(OTHERS)).is_empty());
    assert!(of(&["shuiwu"], None).is_empty());
    let parties = place.store.read(|reader| reader.parties(InstanceId(1))).unwrap();
    let kept = PartyRow { to_seq: Some(4), ..party(1, "huanbao") };
    assert_eq!(parties, [party(1, "chengguan"), kept]);
}

fn personal_data_is_replaced_and_erased(place: &Place) {
    place.write(&opening([1, 2])).unwrap();
    let mut changed = personal(1);
    changed.value = "13900000000".to_owned();
    place.write(&Batch { personal: vec![changed.clone()], ..Batch::default() }).unwrap();
    let get = |id| place.store.read(|reader| reader.personal(InstanceId(id))).unwrap();
    assert_eq!(get(1), [changed]);
    let gone = place.writer().transaction(|t| t.erase_personal(InstanceId(1))).unwrap();
    assert_eq!((gone, get(1).len(), get(2).len()), (1, 0, 1));
}

fn a_directory_comes_back_and_every_change_raises_its_revision(place: &Place) {
    let revision = || place.store.read(|reader| reader.revision(OURS)).unwrap().unwrap();
    let mut last = revision();
    let mut raised = || {
        let now = revision();
        assert!(now > last, "{now} after {last}");
        last = now;
    };
    let mut unit = Unit {
        code: "huanbao".to_owned(),
        name: Text::new("环保局", "Environment"),
        kind: "department".to_owned(),
        parent: None,
        active: true,
        successor: None,
    };
    let category = Category {
        code: "noise".to_owned(),
        units: vec!["huanbao".to_owned()],
        legal_days: 60,
        ..Category::default()
    };
    let mut writer = place.writer();
    writer.transaction(|t| t.put_unit(OURS, &unit)).unwrap();
    raised();
    unit.active = false;
    unit.parent = Some("gongan".to_owned());
    writer.transaction(|t| t.put_unit(OURS, &unit)).unwrap();
    raised();
    writer.transaction(|t| t.put_category(OURS, &category)).unwrap();
    raised();
    let mut ours = jurisdiction(fenliu::domain::JurisdictionId(0), "nanxian");
    ours.bodies.insert("government".to_owned(), "xianzhengfu".to_owned());
    assert_eq!(writer.transaction(|t| t.put_jurisdiction(&ours)).unwrap(), OURS);
    raised();
    let found = place.store.read(|reader| reader.directory(OURS)).unwrap().unwrap();
    assert_eq!(found.units, [("huanbao".to_owned(), unit)].into());
    assert_eq!(found.categories, [("noise".to_owned(), category)].into());
    assert_eq!((found.code.as_str(), &found.bodies), ("nanxian", &ours.bodies));
    let known = found.people.get(&PersonId(1)).unwrap();
    assert_eq!((known.name.as_str(), &known.grants), ("王芳", &grants()));
    let nowhere = fenliu::domain::JurisdictionId(99);
    let refused = writer.transaction(|t| t.put_unit(nowhere, &found.units["huanbao"]));
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    assert!(place.store.read(|reader| reader.directory(nowhere)).unwrap().is_none());
    let all = place.store.read(|reader| reader.jurisdictions()).unwrap();
    assert_eq!(all.iter().map(|one| one.id).collect::<Vec<_>>(), [OURS, OTHERS]);
}

fn a_person_stays_in_its_jurisdiction(place: &Place) {
    let mut writer = place.writer();
    let mut moved = person();
    moved.id = PersonId(1);
    let refused = writer.transaction(|t| t.put_person(OTHERS, &moved));
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    moved.id = PersonId(40);
    assert_eq!(writer.transaction(|t| t.put_person(OTHERS, &moved)).unwrap(), PersonId(40));
    let next = writer.transaction(|t| t.put_person(OURS, &person())).unwrap();
    assert_eq!(next, PersonId(41));
}

fn definitions_are_numbered_and_never_replaced(place: &Place) {
    let mut writer = place.writer();
    let (id, number) = writer.transaction(|t| t.add_definition(&definition())).unwrap();
    assert_eq!((id.0, number), (2, 2));
    let again = DefinitionSource { number: 2, ..definition() };
    let refused = writer.transaction(|t| t.add_definition(&again));
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let found = place.store.read(|reader| reader.definition(id)).unwrap().unwrap();
    assert_eq!(found, DefinitionSource { id, number, ..definition() });
    let all = place.store.read(|reader| reader.definitions(OURS)).unwrap();
    let shown: Vec<_> = all.iter().map(|one| (one.number, one.retired_at)).collect();
    assert_eq!(shown, [(1, None), (2, None)]);
}

fn calendars_are_kept_by_version(place: &Place) {
    let calendar = |version: &str| CalendarSource {
        id: 0,
        jurisdiction: OURS,
        code: "cn".to_owned(),
        version: version.to_owned(),
        source: "2018: [元旦]".to_owned(),
        loaded_at: Instant(3),
    };
    let add = |new: &CalendarSource| place.writer().transaction(|t| t.add_calendar(new));
    let id = add(&calendar("2018.1")).unwrap();
    add(&calendar("2018.2")).unwrap();
    assert!(matches!(add(&calendar("2018.1")), Err(Error::Conflict(_))));
    let all = place.store.read(|reader| reader.calendars(OURS)).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0], CalendarSource { id, ..calendar("2018.1") });
}

fn tokens_are_found_by_hash_and_revoked_once(place: &Place) {
    let token = TokenRow {
        id: 0,
        hash: [5; 32],
        person: PersonId(1),
        jurisdiction: OURS,
        label: "值班手机".to_owned(),
        created_at: Instant(1),
        expires_at: Some(Instant(900)),
        revoked_at: None,
        last_used_at: None,
        scope: Scope { acts: vec!["see_matter".to_owned()], units: Vec::new(), strong: false },
    };
    let mut writer = place.writer();
    let id = writer.transaction(|t| t.add_token(&token)).unwrap();
    let twice = writer.transaction(|t| t.add_token(&token));
    assert!(matches!(twice, Err(Error::Conflict(_))), "{twice:?}");
    writer.transaction(|t| t.touch_token(id, Instant(4))).unwrap();
    assert!(writer.transaction(|t| t.revoke_token(id, Instant(6))).unwrap());
    assert!(!writer.transaction(|t| t.revoke_token(id, Instant(7))).unwrap());
    let found = place.store.read(|reader| reader.token(&[5; 32])).unwrap().unwrap();
    let (used, revoked) = (Some(Instant(4)), Some(Instant(6)));
    assert_eq!(found, TokenRow { id, last_used_at: used, revoked_at: revoked, ..token });
    assert!(place.store.read(|reader| reader.token(&[6; 32])).unwrap().is_none());
    let of = |person| place.store.read(|r| r.tokens(OURS, Some(PersonId(person)))).unwrap().len();
    assert_eq!((of(1), of(2)), (1, 0));
}
