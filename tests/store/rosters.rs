//! Duty rosters, stand-ins and notes, on both databases.

use fenliu::domain::{HandoverNote, Instant, PersonId, Roster, StandIn};
use fenliu::store::StandInFilter;
use serde_json::json;

use super::on_every_store;
use super::place::{OTHERS, OURS, Place};

on_every_store!(
    a_roster_is_kept_changed_and_taken_away_with_its_stand_ins,
    stand_ins_are_found_by_roster_span_and_page,
    both_halves_of_a_swap_are_agreed_to_or_go_together,
    a_note_is_read_once_and_found_by_time,
);

fn roster(code: &str, shift: &str) -> Roster {
    serde_json::from_value(json!({
        "code": code, "title": { "zh": "值班", "en": "duty" }, "unit": "yingji", "role": "duty",
        "rotations": [{
            "name": { "zh": "夜班", "en": "night" }, "people": [4, 5], "first": "2026-11-23T17:30",
            "until": "2027-01-01T00:00", "shift": shift, "days": "days_off", "hours": "17:30-08:30",
        }],
    }))
    .unwrap()
}

fn stand_in(roster: &str, from: i64, until: i64) -> StandIn {
    StandIn {
        id: 0,
        roster: roster.to_owned(),
        from: Instant(from),
        until: Instant(until),
        person: Some(PersonId(6)),
        instead_of: None,
        swap: None,
        agreed_at: None,
        note: "病假".to_owned(),
        made_by: "person:1".to_owned(),
        made_at: Instant(1),
    }
}

fn stand_ins(place: &Place, filter: StandInFilter<'_>) -> Vec<StandIn> {
    place.store.read(|reader| reader.stand_ins(OURS, filter)).unwrap()
}

fn a_roster_is_kept_changed_and_taken_away_with_its_stand_ins(place: &Place) {
    let mut writer = place.writer();
    let revision = || place.store.read(|reader| reader.revision(OURS)).unwrap();
    let before = revision();
    assert!(!writer.transaction(|t| t.put_roster(OURS, &roster("b", "1d"))).unwrap());
    assert!(revision() > before, "other nodes would not notice");
    writer.transaction(|t| t.put_roster(OURS, &roster("a", "12h"))).unwrap();
    assert!(writer.transaction(|t| t.put_roster(OURS, &roster("b", "2w"))).unwrap());
    let kept = place.store.read(|reader| reader.rosters(OURS)).unwrap();
    assert_eq!(kept, [roster("a", "12h"), roster("b", "2w")]);
    assert_eq!(place.store.read(|reader| reader.rosters(OTHERS)).unwrap(), []);
    let rows = [stand_in("a", 10, 20), stand_in("b", 10, 20)];
    writer.transaction(|t| t.add_stand_ins(OURS, &rows)).unwrap();
    assert!(!writer.transaction(|t| t.drop_roster(OTHERS, "a")).unwrap());
    assert!(writer.transaction(|t| t.drop_roster(OURS, "a")).unwrap());
    assert!(!writer.transaction(|t| t.drop_roster(OURS, "a")).unwrap());
    let left = stand_ins(place, StandInFilter::default());
    assert_eq!(left.iter().map(|one| one.roster.as_str()).collect::<Vec<_>>(), ["b"]);
}

fn stand_ins_are_found_by_roster_span_and_page(place: &Place) {
    let mut writer = place.writer();
    let mut odd = stand_in("a", 30, 40);
    (odd.person, odd.instead_of) = (None, Some(PersonId(4)));
    let rows = [stand_in("a", 10, 20), odd, stand_in("b", 10, 50), stand_in("a", 15, 35)];
    let ids = writer.transaction(|t| t.add_stand_ins(OURS, &rows)).unwrap();
    assert_eq!(ids.len(), 4);
    let found = |filter: StandInFilter<'_>| -> Vec<i64> {
        let all = stand_ins(place, filter);
        all.iter().map(|one| one.id - ids[0]).collect()
    };
    let of_a = StandInFilter { roster: Some("a"), ..StandInFilter::default() };
    assert_eq!(found(of_a), [0, 1, 3]);
    // One that ends or begins exactly at the end of a span does not touch it.
    let span = StandInFilter { from: Some(Instant(20)), until: Some(Instant(30)), ..of_a };
    assert_eq!(found(span), [3]);
    let page = StandInFilter { after: ids[0], limit: Some(2), ..StandInFilter::default() };
    assert_eq!(found(page), [1, 2]);
    let all = stand_ins(place, StandInFilter::default());
    assert_eq!(all[1], StandIn { id: ids[1], ..rows[1].clone() });
    // One that has begun is ended.
    assert_eq!(writer.transaction(|t| t.end_stand_in(OURS, ids[2], Instant(12))).unwrap(), 1);
    assert_eq!(stand_ins(place, StandInFilter::default())[2].until, Instant(12));
}

fn both_halves_of_a_swap_are_agreed_to_or_go_together(place: &Place) {
    let mut writer = place.writer();
    let half = |from| StandIn { swap: Some(0), ..stand_in("a", from, from + 5) };
    let mut add = || writer.transaction(|t| t.add_stand_ins(OURS, &[half(10), half(20)])).unwrap();
    let (one, two) = (add(), add());
    let alone = add_alone(place);
    assert_eq!(writer.transaction(|t| t.agree_swap(OURS, one[0], Instant(7))).unwrap(), 2);
    assert_eq!(writer.transaction(|t| t.agree_swap(OURS, one[0], Instant(8))).unwrap(), 0);
    let all = stand_ins(place, StandInFilter::default());
    let force: Vec<(Option<i64>, bool)> = all.iter().map(|s| (s.swap, s.in_force())).collect();
    let (first, second) = (Some(one[0]), Some(two[0]));
    assert_eq!(
        force,
        [(first, true), (first, true), (second, false), (second, false), (None, true)]
    );
    assert_eq!(all[0].agreed_at, Some(Instant(7)));
    assert_eq!(writer.transaction(|t| t.drop_stand_in(OURS, "a", &all[3])).unwrap(), 2);
    assert_eq!(writer.transaction(|t| t.drop_stand_in(OURS, "a", &all[4])).unwrap(), 1);
    let left: Vec<i64> =
        stand_ins(place, StandInFilter::default()).iter().map(|one| one.id).collect();
    assert_eq!(left, one);
    assert!(alone > two[1]);
}

fn add_alone(place: &Place) -> i64 {
    let rows = [stand_in("a", 30, 40)];
    place.writer().transaction(|t| t.add_stand_ins(OURS, &rows)).unwrap()[0]
}

fn a_note_is_read_once_and_found_by_time(place: &Place) {
    let mut writer = place.writer();
    let note = |roster: &str, at| HandoverNote {
        id: 0,
        roster: roster.to_owned(),
        at: Instant(at),
        person: PersonId(4),
        note: "水位上涨".to_owned(),
        read: None,
    };
    let mut add = |new: &HandoverNote| writer.transaction(|t| t.add_handover(OURS, new)).unwrap();
    let (one, two) = (add(&note("a", 10)), add(&note("a", 20)));
    add(&note("b", 30));
    let read = |bounds, limit| {
        let notes = place.store.read(|r| r.handovers(OURS, "a", bounds, limit)).unwrap();
        notes.iter().map(|note| note.id).collect::<Vec<_>>()
    };
    assert_eq!(read((None, None), 10), [two, one]);
    assert_eq!(read((None, None), 1), [two]);
    assert_eq!(read((Some(two), None), 10), [one]);
    assert_eq!(read((None, Some(Instant(19))), 10), [one]);
    let mut mark = |id, at, by| {
        let stamp = (Instant(at), PersonId(by));
        writer.transaction(|t| t.read_handover(OURS, ("a", id), stamp)).unwrap()
    };
    assert!(mark(one, 25, 5));
    assert!(!mark(one, 26, 6));
    assert!(!mark(999, 26, 6));
    let notes = place.store.read(|r| r.handovers(OURS, "a", (Some(two), None), 1)).unwrap();
    assert_eq!(notes[0].read, Some((Instant(25), PersonId(5))));
}
