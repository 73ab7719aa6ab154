//! What can be proved to an outsider: nothing is altered, cut off or forged without being found.

use diesel::prelude::*;
use fenliu::app::{archive, backup};
use fenliu::config::job::{Does, Job};
use fenliu::config::settings::Settings;
use fenliu::domain::event::unhex;
use fenliu::domain::{
    Actor, ChainHash, Grant, InstanceId, Kind, Person, PersonId, Role, Scope, StoredEvent, Text,
    Unit,
};
use fenliu::engine::audit::{ClockLine, Part, PartyLine, Record, examine};
use fenliu::gate::{
    Attempt, AuditFilter, Caller, NewAccount, NewToken, NewUnit, Noted, Report, Request, SignIn,
    Target, verify, verify_signed,
};
use fenliu::scheduler::jobs::{Jobs, Plan};
use fenliu::seal::SigningKey;
use fenliu::store::{MessageFilter, Options, Store};

use serde_json::json;

use super::house::{House, LEADER, WORKFLOW, at, run, turn};
use crate::store::postgres;

fn key(byte: u8) -> SigningKey {
    SigningKey::from_seed(&[byte; 32]).unwrap()
}

/// Who noted the public key.
fn by_key(byte: u8) -> Noted {
    Noted { key: Some(key(byte).public().to_vec()), checkpoint: None }
}

fn administrator(house: &House) -> Caller {
    let grants = vec![Grant { role: Role::Administrator, unit: "gongan".to_owned() }];
    Caller { actor: Actor::person(PersonId(1), grants), jurisdiction: house.jurisdiction }
}

fn rename(house: &House, name: &str) {
    let unit = Unit {
        code: "gongan".to_owned(),
        name: Text::new(name, "police"),
        kind: "department".to_owned(),
        parent: None,
        active: true,
        successor: None,
    };
    house.gate.put_unit(&administrator(house), &NewUnit { unit, new_kind: false }).unwrap();
}

fn faults(report: &Report) -> String {
    report.seals.faults.join("\n")
}

#[test]
fn a_matter_that_vanishes_with_all_its_rows_is_missed_by_the_checkpoint() {
    run(async {
        let house = House::new();
        house.gate.use_seal(key(1));
        let id = house.register("larger").await;
        house.register("ordinary").await;
        let made = house.gate.make_checkpoint().unwrap().unwrap();
        assert_eq!((made.number, made.matters), (1, 2));
        for table in ["clock", "message", "party", "personal", "event"] {
            house.damage_some(&format!("DELETE FROM {table} WHERE instance_id = {id}"));
        }
        house.damage(&format!("DELETE FROM instance WHERE id = {id}"));
        let report = verify(&house.store, |_| ()).unwrap();
        assert_eq!(report.differing_count, 0, "by itself everything fits together");
        assert!(!report.is_sound());
        assert!(faults(&report).contains(&format!("checkpoint 1: event 1 of instance {id}")));
    });
}

#[test]
fn a_matter_whose_row_is_gone_is_found_by_whatever_it_has_left() {
    for (left, said) in [
        ("event", "but 1 events of it"),
        ("clock", "but the clock rows `handle` of it"),
        ("party", "units that take part of it"),
        ("personal", "but what its caller said of it"),
    ] {
        run(async {
            let house = House::new();
            let id = house.register("larger").await;
            house.damage_some(&format!(
                "INSERT OR IGNORE INTO personal (instance_id, field, jurisdiction_id, value) \
                 VALUES ({id}, 'caller', {}, 'x')",
                house.jurisdiction
            ));
            for table in ["clock", "message", "party", "personal", "event"] {
                if table != left {
                    house.damage_some(&format!("DELETE FROM {table} WHERE instance_id = {id}"));
                }
            }
            house.damage(&format!("DELETE FROM instance WHERE id = {id}"));
            let report = verify(&house.store, |_| ()).unwrap();
            assert_eq!(report.differing_count, 1, "{left}: {report:?}");
            let fault = report.first_fault.unwrap();
            let begins = format!("instance {id}: there is no instance {id}, but ");
            assert!(fault.starts_with(&begins) && fault.contains(said), "{left}: {fault}");
        });
    }
}

#[test]
fn a_workflow_or_calendar_that_is_not_as_it_was_published_is_found() {
    for (damage, said) in [
        (
            "UPDATE definition SET source = source || '\n# edited' WHERE number = 1",
            "version 1 of the workflow",
        ),
        ("UPDATE definition SET source = source || '\n# edited' WHERE number = 2", "version 2 of"),
        ("UPDATE calendar SET source = source || '\n# edited'", "of the calendar `"),
        ("DELETE FROM definition WHERE number = 2", ", which was published, is not there"),
    ] {
        run(async {
            let house = House::new();
            let editor = Caller { actor: Actor::System, jurisdiction: house.jurisdiction };
            let newer = format!("{WORKFLOW}\n# a second version\n");
            house.gate.publish(&editor, &newer).unwrap();
            let report = verify(&house.store, |_| ()).unwrap();
            assert!(report.is_sound(), "{report:?}");
            house.damage(damage);
            let report = verify(&house.store, |_| ()).unwrap();
            assert!(faults(&report).contains(said), "{damage}: {report:?}");
        });
    }
}

#[test]
fn a_checkpoint_names_only_what_has_changed_since_the_one_before() {
    run(async {
        let house = House::new();
        house.gate.use_seal(key(1));
        let id = house.register("larger").await;
        house.register("ordinary").await;
        house.gate.make_checkpoint().unwrap();
        assert_eq!(house.gate.make_checkpoint().unwrap().unwrap().matters, 0);
        house.finish(id).await;
        assert_eq!(house.gate.make_checkpoint().unwrap().unwrap().matters, 1);
        let report = verify_signed(&house.store, &by_key(1), |_| ()).unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(report.seals.checkpoints, 3);
    });
}

// Check 48.
#[test]
fn a_checkpoint_that_is_altered_forged_or_taken_away_is_found() {
    for (damage, said) in [
        (
            "UPDATE checkpoint SET body = replace(body, '\"matters\":1', '\"matters\":2') WHERE number = 1",
            "its signature is not of this key over this text",
        ),
        (
            "UPDATE checkpoint SET at = at + 1 WHERE number = 2",
            "its columns are not what its text says",
        ),
        ("DELETE FROM checkpoint WHERE number = 1", "checkpoints 1 to 1 are not there"),
        (
            "UPDATE checkpoint_head SET seq = seq + 1 WHERE checkpoint = 1",
            "the heads kept with it are not those that were signed",
        ),
        ("DELETE FROM checkpoint_head", "the heads kept with it are not those that were signed"),
        (
            "UPDATE checkpoint SET signature = zeroblob(64) WHERE number = 2",
            "its signature is not of this key over this text",
        ),
    ] {
        run(async {
            let house = House::new();
            house.gate.use_seal(key(1));
            house.register("larger").await;
            house.gate.make_checkpoint().unwrap();
            house.gate.make_checkpoint().unwrap();
            house.damage(damage);
            let report = verify(&house.store, |_| ()).unwrap();
            assert!(faults(&report).contains(said), "{damage}: {report:?}");
        });
    }
    // Who signs everything anew with a key of his own is found by whoever noted the right one.
    run(async {
        let house = House::new();
        house.gate.use_seal(key(2));
        house.register("larger").await;
        house.gate.make_checkpoint().unwrap();
        assert!(verify(&house.store, |_| ()).unwrap().is_sound());
        let report = verify_signed(&house.store, &by_key(1), |_| ()).unwrap();
        assert!(faults(&report).contains("its signature is not of this key"), "{report:?}");
    });
}

// Check 48.
#[test]
fn a_store_put_back_to_an_older_day_is_found_by_whoever_kept_the_mail() {
    run(async {
        let house = House::new();
        house.gate.use_seal(key(1));
        let report = verify_signed(&house.store, &by_key(1), |_| ()).unwrap();
        assert!(faults(&report).contains("there is no checkpoint"), "all of them may be gone");
        let id = house.register("larger").await;
        house.gate.make_checkpoint().unwrap();
        let copy = house.folder.join("copy.db");
        let own = settings(&format!("sqlite:{}", house.folder.join("house.db").display()));
        backup::backup(&own, &copy, None).unwrap();
        house.finish(id).await;
        let mailed = house.gate.make_checkpoint().unwrap().unwrap();
        let hash = unhex(&mailed.hash).unwrap().try_into().unwrap();
        let noted = Noted { checkpoint: Some((mailed.number, hash)), ..by_key(1) };
        let report = verify_signed(&house.store, &noted, |_| ()).unwrap();
        assert!(report.is_sound(), "{report:?}");
        // Everything after the first night is cut off, and what is left fits together.
        let url = format!("sqlite:{}", copy.display());
        let older = Store::open(&url, Options { read_only: true, ..Options::default() }).unwrap();
        assert!(verify_signed(&older, &by_key(1), |_| ()).unwrap().is_sound());
        let report = verify_signed(&older, &noted, |_| ()).unwrap();
        assert!(
            faults(&report).contains("checkpoint 2, which was noted, is not there: the last is 1")
        );
        // Or it went on otherwise since then.
        let other = Noted { checkpoint: Some((1, hash)), key: None };
        let report = verify_signed(&older, &other, |_| ()).unwrap();
        assert!(faults(&report).contains("checkpoint 1: its hash is not the one that was noted"));
    });
}

// Check 47.
#[test]
fn who_called_is_what_the_events_say_until_somebody_erases_it() {
    let caller = "    caller: { type: text, personal: true, max: 60, title: { zh: 姓名, en: name } }\n  set:";
    let workflow = WORKFLOW.replacen("  set:", caller, 1);
    let copied = "INSERT INTO personal SELECT instance_id, 'caller@9', jurisdiction_id, value \
                  FROM personal WHERE field = 'caller'";
    for (damage, said) in [
        (
            "UPDATE personal SET value = substr(value, 1, 32) || '李四'",
            "`caller` of the caller is not what was said then",
        ),
        ("DELETE FROM personal", "`caller` of the caller is not there, and nobody erased it"),
        (copied, "`caller@9` of the caller stands in no event"),
    ] {
        run(async {
            let house = House::of(std::slice::from_ref(&workflow));
            let input = json!({ "tier": "larger", "place": "河边", "caller": "王小明" });
            let id = house.ask(Target::New("matter".to_owned()), "register", input.clone()).await;
            let id = id.receipt.instance;
            assert!(verify(&house.store, |_| ()).unwrap().is_sound());
            house.damage(damage);
            let report = verify(&house.store, |_| ()).unwrap();
            let fault = report.first_fault.clone().unwrap_or_default();
            assert!(!report.is_sound() && fault.contains(said), "{damage}: {report:?}");
            // Erased by who may, nothing is missed; brought back, it is.
            house.finish(id).await;
            let erase = Request {
                caller: Caller { actor: Actor::System, jurisdiction: house.jurisdiction },
                target: Target::Instance(id),
                command: fenliu::engine::ERASE.to_owned(),
                input: [("reason".to_owned(), json!("期限已到"))].into_iter().collect(),
                occurred_at: None,
                key: None,
                if_version: None,
                about: None,
            };
            house.gate.submit(erase).await.unwrap();
            assert!(verify(&house.store, |_| ()).unwrap().is_sound());
            house.damage(&format!("INSERT INTO personal VALUES ({id}, 'caller', 1, '007')"));
            let report = verify(&house.store, |_| ()).unwrap();
            let fault = report.first_fault.unwrap_or_default();
            assert!(fault.contains("was erased, and is there again"), "{fault}");
        });
    }
}

// Checks 45, 47.
#[test]
fn who_called_is_what_was_last_put_right() {
    let caller = "    caller: { type: text, personal: true, max: 60, title: { zh: 姓名, en: name } }\n  set:";
    let workflow = WORKFLOW.replacen("  set:", caller, 1);
    run(async {
        let house = House::of(std::slice::from_ref(&workflow));
        let input = json!({ "tier": "larger", "place": "河边", "caller": "王小名" });
        let id = house.ask(Target::New("matter".to_owned()), "register", input).await;
        let id = id.receipt.instance;
        let right = json!({ "reason": "来电人更正姓名", "call": 1, "caller": "王小明" });
        let correct = Request {
            caller: Caller { actor: Actor::System, jurisdiction: house.jurisdiction },
            target: Target::Instance(id),
            command: fenliu::engine::CORRECT.to_owned(),
            input: right.as_object().unwrap().clone(),
            occurred_at: None,
            key: None,
            if_version: None,
            about: None,
        };
        let before = house.store.read(|reader| reader.personal(id)).unwrap().remove(0).value;
        house.gate.submit(correct).await.unwrap();
        assert!(verify(&house.store, |_| ()).unwrap().is_sound());
        // Put back to what it was before, it is found.
        house.damage(&format!("UPDATE personal SET value = '{before}'"));
        let report = verify(&house.store, |_| ()).unwrap();
        let fault = report.first_fault.unwrap_or_default();
        assert!(fault.contains("`caller` of the caller is not what was said then"), "{fault}");
    });
}

#[test]
fn what_administrators_do_stands_in_a_chain_of_its_own() {
    run(async {
        let house = House::new();
        let who = administrator(&house);
        rename(&house, "公安局甲");
        let person = Person {
            id: PersonId(0),
            name: "新人".to_owned(),
            grants: vec![Grant { role: Role::Leader, unit: "gongan".to_owned() }],
            active: true,
            ..Person::default()
        };
        house.gate.put_person(&who, &person).unwrap();
        let log = house.gate.audit_log(&who, &AuditFilter::default(), 10).unwrap();
        let kinds: Vec<_> = log.iter().map(|entry| (entry.seq, entry.kind.as_str())).collect();
        assert_eq!(kinds, [(3, "person_put"), (2, "unit_put"), (1, "founded")]);
        assert_eq!(log[0].actor, "person:1");
        assert!(log[0].body.contains("gongan.leader"), "{}", log[0].body);
        assert!(verify(&house.store, |_| ()).unwrap().is_sound());
    });
}

// Check 47.
#[test]
fn an_audit_log_that_is_altered_or_cut_is_found() {
    for (damage, said) in [
        (
            "UPDATE audit_entry SET body = replace(body, '公安局甲', '公安局乙') WHERE seq = 2",
            "audit entry 2 of jurisdiction 1 is not what its hash was made from",
        ),
        (
            "UPDATE audit_entry SET actor = 'person:9' WHERE seq = 2",
            "audit entry 2 of jurisdiction 1: its columns are not what its text says",
        ),
        (
            "DELETE FROM audit_entry WHERE seq = 2",
            "audit entries 2 to 2 of jurisdiction 1 are not there",
        ),
        // The end is cut off: only the checkpoint knows.
        (
            "DELETE FROM audit_entry WHERE seq >= 3",
            "checkpoint 1: audit entry 3 of jurisdiction 1, which it signed, is not there any more",
        ),
    ] {
        run(async {
            let house = House::new();
            house.gate.use_seal(key(1));
            rename(&house, "公安局甲");
            rename(&house, "公安局丙");
            house.gate.make_checkpoint().unwrap();
            house.damage(damage);
            let report = verify(&house.store, |_| ()).unwrap();
            assert!(faults(&report).contains(said), "{damage}: {report:?}");
        });
    }
}

// Check 48.
#[test]
fn each_day_a_checkpoint_is_made_and_mailed_to_those_who_keep_it() {
    run(async {
        let house = House::new();
        house.gate.use_seal(key(1));
        let job = Job {
            name: "checkpoint".to_owned(),
            cron: "0 15 0 * * *".to_owned(),
            does: Does::Checkpoint,
            to: vec!["desk.leader".to_owned()],
            days: 7,
        };
        let mut jobs = Jobs::new(house.duty.clone(), Plan::new(&[job]).unwrap());
        turn(&mut jobs).await;
        let id = house.register("larger").await;
        house.set("2026-03-03T00:15:00+08:00");
        turn(&mut jobs).await;
        let row = house.store.read(|reader| reader.last_checkpoint()).unwrap().unwrap();
        assert_eq!(row.at, at("2026-03-03T00:15:00+08:00"));
        let heads = house.store.read(|reader| reader.checkpoint_heads(1)).unwrap();
        assert_eq!(heads.iter().map(|head| head.instance).collect::<Vec<_>>(), [id]);
        let mails = house.messages().into_iter().filter(|one| one.kind == Kind::Checkpoint);
        let mails: Vec<_> = mails.collect();
        assert_eq!(mails.len(), 1);
        assert_eq!((mails[0].to.person(), mails[0].channel.as_str()), (Some(LEADER), "email"));
        let signature: String = row.signature.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(mails[0].body.contains(&signature), "{}", mails[0].body);
    });
}

/// Everything about one matter, as an auditor reads it.
fn record(house: &House, id: InstanceId) -> Record {
    house
        .store
        .read(|reader| {
            let (instance, head) = reader.instance(id)?.unwrap();
            let clocks = reader.clocks(id)?.into_iter().map(|row| ClockLine {
                name: row.name,
                jurisdiction: row.jurisdiction,
                wake_at: row.wake_at,
                due_at: row.due_at,
                tier: row.tier,
                entry: row.entry,
                step: row.step,
            });
            let clocks = clocks.collect();
            let of = MessageFilter { instance: Some(id), ..MessageFilter::default() };
            let messages = reader.messages(&of, 1000)?.into_iter();
            let messages =
                messages.filter_map(|one| Some((one.seq, one.to.person()?, one.channel)));
            let messages = messages.collect();
            let events = reader.events(id, 1, 1000)?;
            let chain = ChainHash::Sha256;
            let parties = reader.parties(id)?.into_iter().map(|row| PartyLine {
                unit: row.unit,
                jurisdiction: row.jurisdiction,
                from_seq: row.from_seq,
                to_seq: row.to_seq,
            });
            let parties = parties.collect();
            Ok(Record { instance, chain, head, events, clocks, messages, parties })
        })
        .unwrap()
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Changes one thing about some rows; says what.
fn forge(events: &mut Vec<StoredEvent>, dice: &mut Dice) -> String {
    let at = dice.below(events.len());
    let event = &mut events[at];
    match dice.below(9) {
        0 => {
            let mut bytes = event.body.clone().into_bytes();
            let place = dice.below(bytes.len());
            bytes[place] = if bytes[place] == b'7' { b'8' } else { b'7' };
            let forged = String::from_utf8_lossy(&bytes).into_owned();
            let what = format!("byte {place} of the text of event {at}");
            event.body = forged;
            what
        }
        1 => {
            let place = dice.below(32);
            event.hash[place] ^= 1 << dice.below(8);
            format!("a bit of the hash of event {at}")
        }
        2 => {
            event.seq += 1;
            format!("the number of event {at}")
        }
        3 => {
            event.at.0 += 1;
            format!("the time of event {at}")
        }
        4 => {
            event.kind.push('x');
            format!("the kind of event {at}")
        }
        5 => {
            event.actor = "person:99".to_owned();
            format!("the actor of event {at}")
        }
        6 => {
            events.remove(at);
            format!("event {at} is gone")
        }
        7 => {
            let other = (at + 1 + dice.below(events.len() - 1)) % events.len();
            let (one, two) = (events[at].clone(), events[other].clone());
            (events[at].body, events[at].hash) = (two.body, two.hash);
            (events[other].body, events[other].hash) = (one.body, one.hash);
            format!("events {at} and {other} are exchanged")
        }
        _ => {
            let copy = event.clone();
            events.insert(at, copy);
            format!("event {at} is there twice")
        }
    }
}

// Check 47.
#[test]
fn ten_thousand_edits_cuts_and_swaps_of_events_are_all_found() {
    run(async {
        let house = House::new();
        let mut clocks = house.clocks();
        let mut ids = Vec::new();
        for tier in ["ordinary", "larger", "major"] {
            ids.push(house.register(tier).await);
        }
        house.set("2026-03-02T11:05:00+08:00");
        house.run_clocks(&mut clocks).await;
        house.finish(ids[0]).await;
        let records: Vec<Record> = ids.iter().map(|id| record(&house, *id)).collect();
        let registry = house.gate.registry();
        for record in &records {
            assert_eq!(examine(record, registry), [], "untouched");
        }
        let mut dice = Dice(20_180_701);
        for round in 0..10_000 {
            let mut forged = records[dice.below(records.len())].clone();
            let what = forge(&mut forged.events, &mut dice);
            let found = examine(&forged, registry);
            assert!(found.iter().any(|one| one.part == Part::Chain), "{round}: {what}: {found:?}");
        }
    });
}

/// A house with some history, in a file.
async fn lived_in() -> House {
    let house = House::new();
    house.gate.use_seal(key(1));
    let id = house.register("larger").await;
    house.register("major").await;
    house.set("2026-03-02T11:05:00+08:00");
    house.run_clocks(&mut house.clocks()).await;
    house.finish(id).await;
    rename(&house, "公安局甲");
    house.gate.make_checkpoint().unwrap();
    house
}

#[test]
fn a_store_may_be_founded_on_sm3_and_no_chain_mixes_hashes() {
    run(async {
        let folder = House::new();
        let database = postgres::migrated_database();
        for url in [format!("sqlite:{}", folder.folder.join("sm3.db").display()), database] {
            let store = Store::open(&url, Options { create: true, ..Options::default() }).unwrap();
            store.migrate().unwrap();
            assert_eq!(store.choose_chain(ChainHash::Sm3).unwrap(), ChainHash::Sm3);
            drop(store);
            let house = House::at(&url);
            house.gate.use_seal(key(1));
            let id = house.register("larger").await;
            house.finish(id).await;
            rename(&house, "公安局乙");
            let sealed = house.gate.make_checkpoint().unwrap().unwrap();
            assert!(sealed.body.contains("\"chain\":\"sm3\""), "{}", sealed.body);
            house.gate.make_checkpoint().unwrap();
            let report = verify_signed(&house.store, &by_key(1), |_| ()).unwrap();
            assert!(report.is_sound() && report.chains_ok == 1, "{url}: {report:?}");
            // A choice stands: who wishes otherwise later is told by what it is.
            assert_eq!(house.store.choose_chain(ChainHash::Sha256).unwrap(), ChainHash::Sm3);
            // An export knows it, too.
            let export = house.folder.join("export");
            archive::export(&settings(&url), &export, None).unwrap();
            let again = archive::verify_export(&settings(&url), &export, &by_key(1), None);
            assert!(again.unwrap().is_sound());
            // Said to be another one, no link fits any more.
            let other =
                |t: &mut fenliu::store::Transaction<'_>| t.set_setting("chain_hash", "sha256");
            house.store.writer().unwrap().transaction(other).unwrap();
            let options = Options { read_only: true, ..Options::default() };
            let mixed = verify(&Store::open(&url, options).unwrap(), |_| ()).unwrap();
            assert_eq!((mixed.chains_ok, mixed.differing_count), (0, 1));
            assert!(faults(&mixed).contains("it speaks by sm3, the chains are by sha256"));
        }
        // A store that was founded before there was a choice stays by what it has.
        assert_eq!(folder.store.choose_chain(ChainHash::Sm3).unwrap(), ChainHash::Sha256);
    });
}

fn settings(url: &str) -> Settings {
    let mut settings = Settings::default();
    settings.database.url = url.to_owned();
    settings
}

// Check 52.
#[test]
fn an_export_can_be_verified_taken_in_elsewhere_and_is_the_same_again() {
    run(async {
        let house = lived_in().await;
        let of = |name: &str| house.folder.join(name);
        let own = settings(&format!("sqlite:{}", of("house.db").display()));
        let made = archive::export(&own, &of("export"), None).unwrap();
        let rows = |table: &str| made.tables.iter().find(|part| part.table == table).unwrap().rows;
        assert_eq!((rows("instance"), rows("checkpoint")), (2, 1));
        let report = archive::verify_export(&own, &of("export"), &by_key(1), None);
        let report = report.unwrap();
        assert!(report.is_sound() && report.instances == 2, "{report:?}");

        let database = postgres::empty_database();
        let places = [format!("sqlite:{}", of("other.db").display()), database];
        for (number, url) in places.iter().enumerate() {
            let other = settings(url);
            archive::import(&other, &of("export"), false, None).unwrap();
            let store = Store::open(url, Options::default()).unwrap();
            let report = verify(&store, |_| ()).unwrap();
            assert!(report.is_sound(), "{url}: {report:?}");
            drop(store);
            let again = archive::export(&other, &of(&format!("again-{number}")), None).unwrap();
            assert_eq!(again.tables, made.tables, "the same, file by file, from {url}");
            // Not into a store that has something.
            let refused =
                archive::import(&other, &of("export"), false, None).unwrap_err().to_string();
            assert!(refused.contains("the store is not empty"), "{refused}");
        }
    });
}

#[test]
fn taken_in_elsewhere_nobody_is_signed_in_and_tokens_are_kept_only_if_that_is_wished() {
    run(async {
        let house = House::new();
        let system = Caller { actor: Actor::System, jurisdiction: house.jurisdiction };
        let (label, scope) = ("console".to_owned(), Scope::default());
        let new = NewToken { person: LEADER, label, expires_at: None, scope };
        let token = house.gate.issue_token(&system, &new).unwrap().secret;
        let account = NewAccount { login: "leader".to_owned(), subject: None };
        let code = house.gate.give_account(&system, LEADER, &account).unwrap().unwrap().code;
        let password = "Shuiku-2018 liang";
        house.gate.set_up("leader", &code, password, "10.0.0.1").unwrap();
        let wish = SignIn { login: "leader", password, code: None };
        let session = house.gate.sign_in(wish, Attempt { from: "10.0.0.1", older: None }).unwrap();
        assert!(house.gate.bearer(&token).is_ok() && house.gate.session(&session.secret).is_ok());
        let of = |name: &str| house.folder.join(name);
        let own = settings(&format!("sqlite:{}", of("house.db").display()));
        archive::export(&own, &of("export"), None).unwrap();
        for (name, keep) in [("drill.db", false), ("moved.db", true)] {
            let url = format!("sqlite:{}", of(name).display());
            archive::import(&settings(&url), &of("export"), keep, None).unwrap();
            let there = House::next_to(&house, &url);
            assert_eq!(there.gate.bearer(&token).is_ok(), keep, "{name}");
            assert!(there.gate.session(&session.secret).is_err(), "{name}");
        }
    });
}

#[test]
fn an_export_that_was_altered_is_refused_with_the_name_of_the_file() {
    run(async {
        let house = lived_in().await;
        let of = |name: &str| house.folder.join(name);
        let own = settings(&format!("sqlite:{}", of("house.db").display()));
        archive::export(&own, &of("export"), None).unwrap();
        let file = of("export").join("event.jsonl");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replacen("register", "registar", 1)).unwrap();
        let refused = archive::verify_export(&own, &of("export"), &Noted::default(), None);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("event.jsonl") && refused.contains("altered"), "{refused}");
        // Nor may it be written over.
        let refused = archive::export(&own, &of("export"), None).unwrap_err().to_string();
        assert!(refused.contains("is there already"), "{refused}");
    });
}

// Check 52.
#[test]
fn after_a_restore_what_fell_due_meanwhile_fires_once() {
    run(async {
        let house = House::new();
        let id = house.register("major").await;
        let copy = house.folder.join("copy.db");
        let own = settings(&format!("sqlite:{}", house.folder.join("house.db").display()));
        backup::backup(&own, &copy, None).unwrap();
        // What happens after the copy is lost with the machine.
        house.finish(id).await;
        house.set("2026-03-02T11:05:00+08:00");
        let url = format!("sqlite:{}", copy.display());
        let restored = House::next_to(&house, &url);
        restored.run_clocks(&mut restored.clocks()).await;
        restored.run_clocks(&mut restored.clocks()).await;
        let now = at("2026-03-02T11:05:00+08:00");
        assert_eq!(restored.firings(), [(id, now), (id, now)], "half time, and the end, once each");
        assert!(verify(&restored.store, |_| ()).unwrap().is_sound());
    });
}

// Check 52.
#[test]
fn a_copy_taken_under_load_is_whole() {
    run(async {
        let house = House::new();
        let own = settings(&format!("sqlite:{}", house.folder.join("house.db").display()));
        let copy = house.folder.join("copy.db");
        let file = copy.clone();
        let copying = tokio::task::spawn_blocking(move || backup::backup(&own, &file, None));
        for _ in 0..50 {
            house.register("ordinary").await;
        }
        copying.await.unwrap().unwrap();
        let options = Options { read_only: true, ..Options::default() };
        let store = Store::open(&format!("sqlite:{}", copy.display()), options).unwrap();
        let report = verify(&store, |_| ()).unwrap();
        assert!(report.is_sound(), "{report:?}");
        drop(store);
        let mut hand = SqliteConnection::establish(&copy.to_string_lossy()).unwrap();
        diesel::sql_query("PRAGMA integrity_check").execute(&mut hand).unwrap();
    });
}
