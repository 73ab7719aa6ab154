//! Callers' data and the secrets of devices as they are kept: locked, each in its place.

use std::sync::{Arc, Mutex};

use fenliu::domain::{InstanceId, Instant, PersonId};
use fenliu::store::{AccountRow, Error, Keys, Reader, Transaction, Walk, tables};
use fenliu::vault::Vault;
use serde_json::Value as Json;

use super::on_every_store;
use super::place::{OURS, Place};
use super::samples::opening;

on_every_store!(
    callers_and_devices_are_kept_locked_and_come_back,
    what_was_kept_plainly_is_locked_and_what_an_old_key_locked_is_locked_anew,
    a_value_that_was_moved_is_refused,
    once_everything_is_locked_a_value_in_clear_is_refused,
    without_its_key_nothing_is_read_and_nothing_is_lost,
);

const OLD: &str =
    "old aes-256-gcm 1111111111111111111111111111111111111111111111111111111111111111";
const NEW: &str = "new sm4-gcm 22222222222222222222222222222222";

fn randomness(bytes: &mut [u8]) {
    getrandom::fill(bytes).unwrap();
}

/// A file of keys.
struct File(Arc<Mutex<String>>);

impl File {
    /// Lets a store use it.
    fn of(place: &Place, text: &str) -> Self {
        let file = Arc::new(Mutex::new(text.to_owned()));
        let read = Arc::clone(&file);
        let keys = move || Vault::read(&read.lock().unwrap(), randomness);
        place.store.use_keys(Keys::new(move || keys().map_err(|e| e.to_string()))).unwrap();
        Self(file)
    }

    /// Somebody writes it anew.
    fn write(&self, text: &str) {
        text.clone_into(&mut self.0.lock().unwrap());
    }
}

/// A table as it is kept.
fn kept(place: &Place, name: &str) -> Vec<Json> {
    let table = tables().find(|table| table.name == name).unwrap();
    place.store.read(|reader| reader.dump(table, None, 1000)).unwrap()
}

fn phone(place: &Place, id: i64) -> Result<String, Error> {
    let rows = place.store.read(|reader| reader.personal(InstanceId(id)))?;
    Ok(rows.into_iter().next().unwrap().value)
}

fn account(place: &Place) {
    let row = AccountRow {
        person: PersonId(1),
        jurisdiction: OURS,
        login: "wangfang".to_owned(),
        password: None,
        password_at: None,
        earlier: Vec::new(),
        setup: None,
        totp: Some(b"12345678901234567890".to_vec()),
        totp_at: Some(Instant(1)),
        totp_step: 0,
        subject: None,
        made_at: Instant(1),
    };
    place.writer().transaction(|t| t.put_account(&row)).unwrap();
}

fn secret(place: &Place) -> Vec<u8> {
    let found = place.store.read(|reader| reader.account(PersonId(1))).unwrap();
    found.unwrap().totp.unwrap()
}

/// Locks everything by the present key; answers how many values were not.
fn relock(place: &Place) -> usize {
    let (mut walk, mut changed) = (Walk::Begun, 0);
    while walk != Walk::Ended {
        let next = place.writer().transaction(|t| t.relock(&walk, 7)).unwrap();
        (walk, changed) = (next.walk, changed + next.changed);
    }
    changed
}

// Check 41.
fn callers_and_devices_are_kept_locked_and_come_back(place: &Place) {
    File::of(place, OLD);
    place.write(&opening(1..=3)).unwrap();
    account(place);
    let plain = phone(place, 2).unwrap();
    for row in kept(place, "personal") {
        let value = row["value"].as_str().unwrap();
        assert!(value.starts_with("lock1.old.") && !value.contains(&plain), "{row}");
    }
    let totp = kept(place, "account")[0]["totp"].as_str().unwrap().to_owned();
    // In hexadecimal: `lock1.old.`, and not `1234567890`.
    assert!(totp.starts_with("6c6f636b312e6f6c642e") && !totp.contains("31323334353637383930"));
    assert_eq!(secret(place), b"12345678901234567890");
    let counts = place.store.read(Reader::locked_by).unwrap();
    assert_eq!(counts, [("old".to_owned(), 4)].into());
}

// Check 41.
fn what_was_kept_plainly_is_locked_and_what_an_old_key_locked_is_locked_anew(place: &Place) {
    place.write(&opening(1..=20)).unwrap();
    account(place);
    place.writer().transaction(|t| t.set_secret("match_key", "00ff")).unwrap();
    let plain = phone(place, 20).unwrap();
    assert!(kept(place, "personal").iter().any(|row| row["value"] == plain.as_str()));
    let file = File::of(place, OLD);
    assert_eq!(phone(place, 20).unwrap(), plain, "what is not locked yet is read as it is");
    assert_eq!(relock(place), 22);
    assert_eq!(relock(place), 0, "a walk that begins again only looks");
    file.write(&format!("{OLD}\n{NEW}"));
    place.store.refresh_keys().unwrap();
    place.write(&opening(21..=25)).unwrap();
    let before = place.store.read(Reader::locked_by).unwrap();
    assert_eq!(before, [("old".to_owned(), 22), ("new".to_owned(), 5)].into());
    // A walk that was broken off goes on where it was.
    let some = place.writer().transaction(|t| t.relock(&Walk::Begun, 7)).unwrap();
    assert_eq!((some.changed, matches!(some.walk, Walk::Callers(..))), (7, true));
    assert_eq!(relock(place), 15);
    let after = place.store.read(Reader::locked_by).unwrap();
    assert_eq!(after, [("new".to_owned(), 27)].into());
    for id in [1, 20, 25] {
        assert_eq!(phone(place, id).unwrap(), plain);
    }
    assert_eq!(secret(place), b"12345678901234567890");
    assert_eq!(
        place.store.read(|reader| reader.secret("match_key")).unwrap().as_deref(),
        Some("00ff")
    );
}

fn a_value_that_was_moved_is_refused(place: &Place) {
    let file = File::of(place, OLD);
    place.write(&opening(1..=2)).unwrap();
    let table = tables().find(|table| table.name == "personal").unwrap();
    let mut rows = kept(place, "personal");
    let swapped = [rows[1]["value"].clone(), rows[0]["value"].clone()];
    for (row, value) in rows.iter_mut().zip(swapped) {
        row["value"] = value;
    }
    let swap = |t: &mut Transaction<'_>| {
        t.erase_personal(InstanceId(1))?;
        t.erase_personal(InstanceId(2))?;
        t.restore(table, &rows)
    };
    place.writer().transaction(swap).unwrap();
    let refused = phone(place, 1).unwrap_err();
    assert!(matches!(refused, Error::Altered(_)), "{refused:?}");
    assert!(refused.to_string().contains("it was altered or moved"), "{refused}");
    let check = |reader: &mut Reader| reader.check_locked(&Walk::Begun, 10);
    let (_, faults) = place.store.read(check).unwrap();
    assert_eq!(faults.len(), 2, "{faults:?}");
    // A new key does not stumble over them, and does not make them good.
    file.write(&format!("{OLD}\n{NEW}"));
    place.store.refresh_keys().unwrap();
    let done = place.writer().transaction(|t| t.relock(&Walk::Begun, 10)).unwrap();
    assert_eq!((done.changed, done.altered), (0, 2));
    assert!(matches!(phone(place, 1), Err(Error::Altered(_))));
}

// Check 41.
fn once_everything_is_locked_a_value_in_clear_is_refused(place: &Place) {
    File::of(place, OLD);
    place.write(&opening(1..=2)).unwrap();
    let table = tables().find(|table| table.name == "personal").unwrap();
    let mut rows = kept(place, "personal");
    rows[0]["value"] = Json::from("00112233445566778899aabbccddeeff13900000000");
    let plant = |t: &mut Transaction<'_>| {
        t.erase_personal(InstanceId(1))?;
        t.restore(table, &rows[..1])
    };
    place.writer().transaction(plant).unwrap();
    assert!(phone(place, 1).is_ok(), "it may be from the time before there were keys");
    place.writer().transaction(|t| t.set_all_locked_by("old")).unwrap();
    place.store.read(Reader::refuse_clear).unwrap();
    let refused = phone(place, 1).unwrap_err();
    assert!(matches!(refused, Error::Altered(_)), "{refused:?}");
    assert!(phone(place, 2).is_ok());
    let check = |reader: &mut Reader| reader.check_locked(&Walk::Begun, 10);
    let (_, faults) = place.store.read(check).unwrap();
    assert!(faults.len() == 1 && faults[0].contains("is not locked"), "{faults:?}");
    // The secrets of the house are no exception.
    place.writer().transaction(|t| t.set_setting("link_secret", "00ff")).unwrap();
    assert!(place.store.read(Reader::fits).is_err());
}

fn without_its_key_nothing_is_read_and_nothing_is_lost(place: &Place) {
    let file = File::of(place, OLD);
    place.write(&opening([1])).unwrap();
    let plain = phone(place, 1).unwrap();
    file.write(NEW);
    place.store.refresh_keys().unwrap();
    let refused = phone(place, 1).unwrap_err().to_string();
    assert!(refused.contains("is locked by the key `old`, which is not among the keys"));
    let relock = place.writer().transaction(|t| t.relock(&Walk::Begun, 10));
    assert!(matches!(relock, Err(Error::Keys(_))), "it is not written over");
    file.write("no key at all");
    assert!(matches!(place.store.refresh_keys(), Err(Error::Keys(_))), "those of before stay");
    // A key that is put back is found by whoever needs it.
    file.write(&format!("{OLD}\n{NEW}"));
    assert_eq!(phone(place, 1).unwrap(), plain);
}

#[test]
fn nothing_of_what_was_kept_plainly_or_erased_is_left_in_the_file() {
    let place = Place::file();
    let long = "金丝雀".repeat(2000);
    let mut batch = opening(1..=3);
    batch.personal[2].value.clone_from(&long);
    place.write(&batch).unwrap();
    let phone = batch.personal[0].value.as_str();
    let left = |word: &str| {
        assert!(place.store.settle().unwrap());
        let file = place.url.strip_prefix("sqlite:").unwrap();
        let bytes = std::fs::read(file).unwrap();
        bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count()
    };
    assert!(left(phone) > 0 && left("金丝雀") > 0, "it is plain at first");
    place.writer().transaction(|t| t.erase_personal(InstanceId(1))).unwrap();
    assert!(left(phone) > 0, "of somebody else");
    File::of(&place, OLD);
    assert_eq!(relock(&place), 2);
    assert_eq!((left(phone), left("金丝雀")), (0, 0));
}
