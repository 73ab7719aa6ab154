//! What every store must do: batches, versions, events, answers, clocks, ids, occurrences, alarms.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use fenliu::domain::event::NO_HASH;
use fenliu::domain::{ChainHash, InstanceId, Instant, JurisdictionId, StoredEvent};
use fenliu::store::{AlarmFilter, Batch, Error, Kind, NewAlarm};

use super::on_every_store;
use super::place::{OURS, Place};
use super::samples::{answer, clock, event, instance, opening, step};

on_every_store!(
    an_instance_comes_back_as_it_was_written,
    a_batch_is_written_whole_or_not_at_all,
    a_version_conflict_changes_nothing,
    a_large_batch_goes_through,
    events_chain_and_come_back_byte_for_byte,
    events_are_found_by_their_kinds_in_order_of_instance_and_number,
    an_event_needs_its_instance_in_the_batch,
    the_stream_shows_every_event_once_in_order,
    an_idempotency_key_keeps_its_answer,
    old_answers_are_forgotten_oldest_first,
    clocks_are_due_by_tier_then_due_and_never_before,
    a_clock_is_replaced_and_dropped_by_its_name,
    ids_are_unique_over_two_writers,
    an_occurrence_is_taken_once,
    an_open_alarm_is_not_doubled,
    alarms_are_taken_for_telling_once,
    readers_see_whole_batches_beside_the_writer,
    a_failed_transaction_leaves_the_writer_usable,
    a_panic_in_a_transaction_leaves_nothing_behind,
    settings_are_kept,
);

fn an_instance_comes_back_as_it_was_written(place: &Place) {
    place.write(&opening([1])).unwrap();
    let (found, head) = place.store.read(|reader| reader.instance(InstanceId(1))).unwrap().unwrap();
    assert_eq!(found, instance(1));
    assert_eq!(head, event(1, 1, &NO_HASH).hash);
    assert!(place.store.read(|reader| reader.instance(InstanceId(2))).unwrap().is_none());
    let unknown_too = [InstanceId(9), InstanceId(1), InstanceId(1)];
    let locked = place.writer().transaction(|t| t.instances(&unknown_too)).unwrap();
    assert_eq!(locked, [(instance(1), head)]);
    let mut closed = instance(1);
    closed.version = 2;
    closed.closed_at = Some(Instant(3_000));
    (closed.holder, closed.outcome) = (None, None);
    closed.clocks.clear();
    closed.children.clear();
    let updated = vec![(closed.clone().into(), [3; 32], 1)];
    place.write(&Batch { updated, ..Batch::default() }).unwrap();
    let (found, head) = place.store.read(|reader| reader.instance(InstanceId(1))).unwrap().unwrap();
    assert_eq!((found, head), (closed, [3; 32]));
}

fn a_batch_is_written_whole_or_not_at_all(place: &Place) {
    place.write(&opening([1])).unwrap();
    let mut doomed = opening([2, 3]);
    doomed.answers.push(answer("key-1", 3));
    let error = place.write(&doomed).unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    place
        .store
        .read(|reader| {
            assert_eq!(reader.instance_ids(InstanceId(0), 10)?, [InstanceId(1)]);
            assert!(reader.events(InstanceId(2), 1, 10)?.is_empty());
            assert!(reader.clocks(InstanceId(2))?.is_empty());
            assert_eq!(reader.raw_counts()?.waiting_messages, 1);
            assert_eq!(reader.events_after(0, None, 10)?.len(), 1);
            assert!(reader.parties(InstanceId(3))?.is_empty());
            assert!(reader.personal(InstanceId(3))?.is_empty());
            Ok(())
        })
        .unwrap();
}

fn a_version_conflict_changes_nothing(place: &Place) {
    let opened = opening([1, 2]);
    place.write(&opened).unwrap();
    let heads: Vec<_> = opened.created.iter().map(|(_, head)| *head).collect();
    let mut both = step(1, 1, &heads[0]);
    let stale = step(2, 7, &heads[1]);
    both.updated.extend(stale.updated);
    both.events.extend(stale.events);
    let error = place.write(&both).unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    for id in [1, 2] {
        let (found, _) =
            place.store.read(|reader| reader.instance(InstanceId(id))).unwrap().unwrap();
        assert_eq!(found.version, 1);
    }
    place.write(&step(1, 1, &heads[0])).unwrap();
    let error = place.write(&step(1, 1, &heads[0])).unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
}

fn a_large_batch_goes_through(place: &Place) {
    let opened = opening(1..=1_003);
    place.write(&opened).unwrap();
    let mut stepped = Batch::default();
    for (instance, head) in &opened.created {
        let one = step(instance.id.0, 1, head);
        stepped.updated.extend(one.updated);
        stepped.events.extend(one.events);
        stepped.clocks_gone.push((instance.id, "accept".to_owned()));
    }
    place.write(&stepped).unwrap();
    let counts = place.store.read(|reader| reader.raw_counts()).unwrap();
    assert_eq!((counts.open_instances, counts.clocks, counts.waiting_messages), (1_003, 0, 1_003));
    let ids: Vec<_> = (1..=1_003).map(InstanceId).collect();
    let keys: Vec<_> = (1..=1_003).map(|id| ("person:1".to_owned(), format!("key-{id}"))).collect();
    let (loaded, answers) =
        place.writer().transaction(|t| Ok((t.instances(&ids)?, t.answers(&keys)?))).unwrap();
    assert_eq!(loaded.iter().map(|(one, _)| one.id).collect::<Vec<_>>(), ids);
    assert!(loaded.iter().all(|(one, _)| one.version == 2));
    assert_eq!(answers.len(), 1_003);
}

fn events_chain_and_come_back_byte_for_byte(place: &Place) {
    let mut batch = opening([1]);
    let mut written = batch.events.clone();
    for seq in 2..=40 {
        let next = event(1, seq, &written.last().unwrap().hash);
        written.push(next.clone());
        batch.events.push(next);
    }
    place.write(&batch).unwrap();
    let read = place.store.read(|reader| reader.events(InstanceId(1), 1, 100)).unwrap();
    assert_eq!(read, written);
    let mut head = NO_HASH;
    for event in &read {
        head = ChainHash::Sha256.link(&head, &event.body);
        assert_eq!(head, event.hash);
    }
    let page = place.store.read(|reader| reader.events(InstanceId(1), 39, 1)).unwrap();
    assert_eq!(page, written[38..39]);
    let again = Batch { events: vec![written[0].clone()], ..step(1, 1, &NO_HASH) };
    assert!(matches!(place.write(&again).unwrap_err(), Error::Conflict(_)));
}

fn events_are_found_by_their_kinds_in_order_of_instance_and_number(place: &Place) {
    let mut batch = opening([1, 2, 3]);
    for id in [2, 1] {
        let head = batch.events.iter().find(|one| one.instance.0 == id).unwrap().hash;
        for (seq, kind) in [(2, "call"), (3, "tell"), (4, "call")] {
            let kind = kind.to_owned();
            batch.events.push(StoredEvent { kind, ..event(id, seq, &head) });
        }
    }
    place.write(&batch).unwrap();
    let found = |kinds: &[&str]| {
        let ids = [InstanceId(2), InstanceId(1)];
        let events = place.store.read(|reader| reader.events_of_kinds(&ids, kinds)).unwrap();
        events.iter().map(|one| (one.instance.0, one.seq)).collect::<Vec<_>>()
    };
    assert_eq!(found(&["tell"]), [(1, 3), (2, 3)]);
    assert_eq!(found(&["tell", "call"]), [(1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (2, 4)]);
    assert_eq!(found(&[]), []);
    let seqs = |id, kinds: &[&str]| {
        place.store.read(|reader| reader.seqs_of_kinds(InstanceId(id), kinds)).unwrap()
    };
    assert_eq!(seqs(1, &["call"]), [2, 4]);
    assert!(seqs(3, &["call", "tell"]).is_empty() && seqs(1, &[]).is_empty());
}

fn an_event_needs_its_instance_in_the_batch(place: &Place) {
    place.write(&opening([1])).unwrap();
    let lonely = Batch { events: vec![event(1, 2, &NO_HASH)], ..Batch::default() };
    assert!(matches!(place.write(&lonely).unwrap_err(), Error::Refused(_)));
    let mut homeless = opening([2]);
    homeless.clocks_set.push(clock(77, "accept", 1, 1, 1));
    assert!(matches!(place.write(&homeless).unwrap_err(), Error::Refused(_)));
}

fn the_stream_shows_every_event_once_in_order(place: &Place) {
    assert_eq!(place.store.read(|reader| reader.last_position()).unwrap(), 0);
    for id in 1..=5 {
        place.write(&opening([id])).unwrap();
    }
    let mut position = 0;
    let mut seen = Vec::new();
    loop {
        let page = place.store.read(|reader| reader.events_after(position, Some(OURS), 2)).unwrap();
        let Some(last) = page.last() else { break };
        position = last.position;
        seen.extend(page.into_iter().map(|found| found.event.instance.0));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(place.store.read(|reader| reader.last_position()).unwrap(), position);
    let others = Some(super::place::OTHERS);
    assert!(place.store.read(|reader| reader.events_after(0, others, 9)).unwrap().is_empty());
}

fn an_idempotency_key_keeps_its_answer(place: &Place) {
    place.write(&opening([1, 2])).unwrap();
    let key = |actor: &str, key: &str| (actor.to_owned(), key.to_owned());
    let asked = [key("person:1", "key-2"), key("person:2", "key-1"), key("person:1", "other")];
    let found = place.writer().transaction(|t| t.answers(&asked)).unwrap();
    assert_eq!(found, [answer("key-2", 2)]);
    let again = Batch { answers: vec![answer("key-1", 1)], ..Batch::default() };
    assert!(matches!(place.write(&again).unwrap_err(), Error::Conflict(_)));
}

fn old_answers_are_forgotten_oldest_first(place: &Place) {
    place.write(&opening(1..=5)).unwrap();
    let forget = |before, limit| {
        place.writer().transaction(|t| t.forget_answers(Instant(before), limit)).unwrap()
    };
    assert_eq!(forget(1_001, 10), 0);
    assert_eq!(forget(1_004, 2), 2);
    assert_eq!(forget(1_004, 10), 1);
    let keys = [("person:1".to_owned(), "key-4".to_owned())];
    assert_eq!(place.writer().transaction(|t| t.answers(&keys)).unwrap().len(), 1);
}

fn clocks_are_due_by_tier_then_due_and_never_before(place: &Place) {
    let mut batch = opening(1..=4);
    batch.clocks_set = vec![
        clock(1, "accept", 100, 900, 1),
        clock(2, "accept", 100, 300, 1),
        clock(3, "report", 200, 800, 4),
        clock(4, "accept", 201, 201, 4),
        clock(1, "handle", 50, 900, 1),
    ];
    place.write(&batch).unwrap();
    let next = || place.store.read(|reader| reader.next_wake()).unwrap();
    assert_eq!(next(), Some(Instant(50)));
    let due = |now, limit| {
        let found = place.writer().transaction(|t| t.due_clocks(Instant(now), limit, 1_000));
        found.unwrap().into_iter().map(|clock| (clock.instance.0, clock.name)).collect::<Vec<_>>()
    };
    let names = |list: &[(i64, &str)]| {
        list.iter().map(|(id, name)| (*id, (*name).to_owned())).collect::<Vec<_>>()
    };
    assert!(due(49, 10).is_empty());
    let in_order = names(&[(3, "report"), (2, "accept"), (1, "accept"), (1, "handle")]);
    assert_eq!(due(200, 10), in_order);
    if place.store.kind() == Kind::Sqlite {
        assert_eq!(due(200, 2), in_order[..2]);
    } else {
        // Leased until 1200: another node meanwhile gets the others only.
        assert_eq!(due(200, 10), []);
        assert_eq!(next(), Some(Instant(201)));
        assert_eq!(due(1_199, 10), names(&[(4, "accept")]));
        assert_eq!(due(1_200, 2), in_order[..2]);
    }
}

fn a_clock_is_replaced_and_dropped_by_its_name(place: &Place) {
    place.write(&opening([1])).unwrap();
    let stepped = Batch {
        clocks_gone: vec![(InstanceId(1), "accept".to_owned())],
        clocks_set: vec![clock(1, "handle", 70, 80, 2), clock(1, "accept", 60, 90, 3)],
        ..Batch::default()
    };
    place.write(&stepped).unwrap();
    let clocks = place.store.read(|reader| reader.clocks(InstanceId(1))).unwrap();
    assert_eq!(clocks, [clock(1, "accept", 60, 90, 3), clock(1, "handle", 70, 80, 2)]);
    let names = ["accept", "handle", "unknown"];
    let clocks_gone = names.map(|name| (InstanceId(1), name.to_owned())).to_vec();
    place.write(&Batch { clocks_gone, ..Batch::default() }).unwrap();
    assert_eq!(place.store.read(|reader| reader.next_wake()).unwrap(), None);
}

fn ids_are_unique_over_two_writers(place: &Place) {
    let take = || {
        let mut writer = place.writer();
        let mut taken = Vec::new();
        for count in 1..=20 {
            let first = writer.transaction(|t| t.reserve_ids("message", count)).unwrap();
            taken.extend(first..first + count);
        }
        taken
    };
    let (mut all, more) = thread::scope(|scope| {
        let one = scope.spawn(take);
        let other = scope.spawn(take);
        (one.join().unwrap(), other.join().unwrap())
    });
    all.extend(more);
    let different: BTreeSet<_> = all.iter().copied().collect();
    assert_eq!(different, (1..=420).collect());
    assert_eq!(all.len(), 420);
    assert_eq!(place.writer().transaction(|t| t.reserve_ids("instance", 3)).unwrap(), 1);
}

fn an_occurrence_is_taken_once(place: &Place) {
    let take = |job: &str, due| {
        place.writer().transaction(|t| t.take_occurrence(job, Instant(due), Instant(99))).unwrap()
    };
    assert!(take("daily", 10));
    assert!(!take("daily", 10));
    assert!(take("daily", 20));
    assert!(take("weekly", 10));
    let last = |job: &str| place.store.read(|reader| reader.last_occurrence(job)).unwrap();
    assert_eq!(last("daily"), Some(Instant(20)));
    assert_eq!(last("never"), None);
}

fn an_open_alarm_is_not_doubled(place: &Place) {
    let alarm = |kind: &str, instance: Option<i64>| NewAlarm {
        kind: kind.to_owned(),
        jurisdiction: Some(OURS),
        instance: instance.map(InstanceId),
        at: Instant(5),
        detail: "缺下一年度放假通知".to_owned(),
    };
    let raise = |new: &NewAlarm| place.writer().transaction(|t| t.raise_alarm(new)).unwrap();
    assert!(raise(&alarm("calendar", None)));
    assert!(!raise(&alarm("calendar", None)));
    assert!(raise(&alarm("calendar", Some(1))));
    assert!(raise(&alarm("drift", None)));
    let open = |only| place.store.read(|reader| reader.alarms(only, 10)).unwrap();
    assert_eq!(open(true).len(), 3);
    let first = open(true).pop().unwrap();
    assert_eq!(first.raised, alarm("calendar", None));
    let clear = |id| place.writer().transaction(|t| t.clear_alarm(id, Instant(7))).unwrap();
    assert!(clear(first.id));
    assert!(!clear(first.id));
    assert_eq!((open(true).len(), open(false).len()), (2, 3));
    assert!(raise(&alarm("calendar", None)));
    // What happens again is counted, and the last time is what is said.
    let later = NewAlarm { at: Instant(9), detail: "再次".to_owned(), ..alarm("drift", None) };
    place.writer().transaction(|t| t.count_alarm(&later)).unwrap();
    let drift = open(true).into_iter().find(|one| one.raised.kind == "drift").unwrap();
    assert_eq!((drift.times, drift.raised), (2, later));
    let other = JurisdictionId(OURS.0 + 1);
    let filter =
        AlarmFilter { jurisdiction: Some(other), open_only: true, ..AlarmFilter::default() };
    let theirs = place.store.read(|reader| reader.some_alarms(&filter, 10)).unwrap();
    assert!(theirs.is_empty(), "another county's hide nobody's own");
    // Page by page, of one kind, and all of a kind cleared.
    let page = |kind: Option<&str>, before| {
        let kind = kind.map(str::to_owned);
        let filter = AlarmFilter { kind, before, ..AlarmFilter::default() };
        let page = place.store.read(|reader| reader.some_alarms(&filter, 2)).unwrap();
        page.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    let first = page(None, None);
    let second = page(None, first.last().copied());
    assert_eq!((first.len(), second.len()), (2, 2));
    assert!(first.last() > second.first());
    assert_eq!(page(Some("drift"), None), [drift.id]);
    let clear = |whose, kind: &str| {
        place.writer().transaction(|t| t.clear_alarms(whose, kind, Instant(11))).unwrap()
    };
    assert_eq!((clear(other, "calendar"), clear(OURS, "calendar"), open(true).len()), (0, 2, 1));
}

fn alarms_are_taken_for_telling_once(place: &Place) {
    let alarm = |kind: &str, at| NewAlarm {
        kind: kind.to_owned(),
        jurisdiction: Some(OURS),
        instance: None,
        at: Instant(at),
        detail: String::new(),
    };
    for kind in ["one", "two", "three"] {
        place.writer().transaction(|t| t.raise_alarm(&alarm(kind, 1))).unwrap();
    }
    let untold = |without: &[&str]| {
        place.store.read(|reader| reader.untold_alarms(Some(OURS), without, 10)).unwrap()
    };
    let owners =
        |without: &[&str]| place.store.read(|reader| reader.owners_of_untold(without)).unwrap();
    assert_eq!(owners(&["one", "two"]), [Some(OURS)]);
    assert!(owners(&["one", "two", "three"]).is_empty());
    assert_eq!(untold(&["two"]).len(), 2);
    let nobodys = place.store.read(|reader| reader.untold_alarms(None, &[], 10)).unwrap();
    assert!(nobodys.is_empty());
    let ids: Vec<i64> = untold(&[]).iter().map(|one| one.id).collect();
    place.writer().transaction(|t| t.clear_alarm(ids[2], Instant(2))).unwrap();
    let take = |at| place.writer().transaction(|t| t.take_alarms(&ids, Instant(at))).unwrap();
    assert_eq!(take(3).into_iter().collect::<Vec<_>>(), ids[..2], "not what was cleared");
    assert!(take(4).is_empty() && untold(&[]).is_empty());
    let last = |whose| place.store.read(|reader| reader.last_alarm_told(whose)).unwrap();
    assert_eq!((last(Some(OURS)), last(None)), (Some(Instant(3)), None));
    // One that takes the place of one that was told is told already; another is not.
    for kind in ["one", "four"] {
        place.writer().transaction(|t| t.renew_alarm(&alarm(kind, 5))).unwrap();
    }
    let open = place.store.read(|reader| reader.alarms(true, 10)).unwrap();
    let said = |kind: &str| {
        let one = open.iter().find(|one| one.raised.kind == kind).unwrap();
        (one.raised.at, one.told_at)
    };
    assert_eq!(said("one"), (Instant(5), Some(Instant(3))));
    assert_eq!(said("four"), (Instant(5), None));
    assert_eq!(open.len(), 3);
}

fn readers_see_whole_batches_beside_the_writer(place: &Place) {
    place.write(&opening([1])).unwrap();
    let together = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                together.wait();
                for _ in 0..40 {
                    let seen = place.store.read(|reader| {
                        let (found, head) = reader.instance(InstanceId(1))?.unwrap();
                        let events = reader.events(InstanceId(1), 1, 1_000)?;
                        Ok((found.version, head, events))
                    });
                    let (version, head, events) = seen.unwrap();
                    let last = events.last().unwrap();
                    assert_eq!((last.seq, last.hash), (version, head));
                }
            });
        }
        let mut writer = place.writer();
        let mut head = event(1, 1, &NO_HASH).hash;
        together.wait();
        for version in 1..=40 {
            let batch = step(1, version, &head);
            head = batch.updated[0].1;
            writer.transaction(|t| t.write(&batch)).unwrap();
        }
    });
}

fn a_failed_transaction_leaves_the_writer_usable(place: &Place) {
    let mut writer = place.writer();
    let refused = writer.transaction(|t| {
        t.write(&opening([1]))?;
        Err::<(), _>(Error::Conflict("changed my mind".to_owned()))
    });
    assert!(matches!(refused, Err(Error::Conflict(_))));
    writer.transaction(|t| t.write(&opening([1]))).unwrap();
    writer.transaction(|t| t.write(&opening([1]))).unwrap_err();
    writer.transaction(|t| t.write(&opening([2]))).unwrap();
    assert_eq!(place.store.read(|r| r.instance_ids(InstanceId(0), 9)).unwrap().len(), 2);
}

fn a_panic_in_a_transaction_leaves_nothing_behind(place: &Place) {
    let mut writer = place.writer();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        writer.transaction(|t| {
            t.write(&opening([1]))?;
            std::panic::resume_unwind(Box::new("a bug"));
            #[expect(unreachable_code, reason = "gives the closure its type")]
            Ok(())
        })
    }));
    assert!(caught.is_err());
    assert!(place.store.read(|r| r.instance(InstanceId(1))).unwrap().is_none());
    writer.transaction(|t| t.write(&opening([1]))).unwrap();
    let panicking = || {
        place.store.read(|_| -> Result<(), _> { std::panic::resume_unwind(Box::new("another")) })
    };
    for _ in 0..9 {
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panicking)).is_err());
    }
    assert!(place.store.read(|r| r.instance(InstanceId(1))).unwrap().is_some());
}

fn settings_are_kept(place: &Place) {
    let get = || place.store.read(|reader| reader.setting("salt")).unwrap();
    assert_eq!(get(), None);
    for value in ["盐", "新盐"] {
        place.writer().transaction(|t| t.set_setting("salt", value)).unwrap();
        assert_eq!(get().as_deref(), Some(value));
    }
}
