//! What the service finds when it starts: checkpoints that do not agree with the database.

use fenliu::app::backup;
use fenliu::config::settings::Settings;
use fenliu::domain::event::{Hash, unhex};
use fenliu::gate::Sealed;
use fenliu::seal::SigningKey;

use super::house::{House, run};

fn key(byte: u8) -> SigningKey {
    SigningKey::from_seed(&[byte; 32]).unwrap()
}

/// A house of which two nights are signed.
async fn two_nights() -> (House, [Sealed; 2]) {
    let house = House::new();
    house.gate.use_seal(key(1));
    let id = house.register("larger").await;
    let first = house.gate.make_checkpoint().unwrap().unwrap();
    house.register("ordinary").await;
    house.finish(id).await;
    let second = house.gate.make_checkpoint().unwrap().unwrap();
    (house, [first, second])
}

fn noted(sealed: &Sealed) -> (i64, Hash) {
    (sealed.number, unhex(&sealed.hash).unwrap().try_into().unwrap())
}

fn faults(house: &House, kept: &[(i64, Hash)]) -> String {
    house.gate.anchored(kept).unwrap().faults.join("\n")
}

// Check 48.
#[test]
fn a_start_finds_whatever_the_newest_checkpoint_says_otherwise() {
    run(async {
        let (mut house, [_, newest]) = two_nights().await;
        let found = house.gate.anchored(&[]).unwrap();
        assert_eq!(found.newest, Some((2, newest.hash)));
        assert!(found.faults.is_empty(), "{:?}", found.faults);
        // Signed by another key than the service has now.
        house.restarted();
        house.gate.use_seal(key(2));
        assert!(faults(&house, &[]).contains("checkpoint 2: its signature is not of this key"));
        for (sql, fault) in [
            ("UPDATE checkpoint SET body = body || ' ' WHERE number = 2", "its signature is not"),
            ("DELETE FROM checkpoint WHERE number = 1", "checkpoint 1 is not there"),
            (
                "UPDATE checkpoint_head SET seq = seq + 1 WHERE checkpoint = 2",
                "the heads kept with it are not those that were signed",
            ),
            ("DELETE FROM event WHERE seq = 2", "which it signed, is not there any more as it was"),
            ("UPDATE event SET hash = zeroblob(32)", "is not there any more as it was"),
            ("DELETE FROM audit_entry", "audit entry"),
            ("DELETE FROM checkpoint", "there is no checkpoint"),
        ] {
            let (mut house, _) = two_nights().await;
            house.damage(sql);
            house.restarted();
            house.gate.use_seal(key(1));
            assert!(faults(&house, &[]).contains(fault), "{sql}: {}", faults(&house, &[]));
        }
    });
}

// Check 48.
#[test]
fn a_start_finds_that_the_database_is_older_than_the_checkpoint_that_is_kept_elsewhere() {
    run(async {
        let house = House::new();
        house.gate.use_seal(key(1));
        let id = house.register("larger").await;
        let first = noted(&house.gate.make_checkpoint().unwrap().unwrap());
        let mut own = Settings::default();
        own.database.url = format!("sqlite:{}", house.folder.join("house.db").display());
        let copy = house.folder.join("copy.db");
        backup::backup(&own, &copy, None).unwrap();
        house.finish(id).await;
        let second = noted(&house.gate.make_checkpoint().unwrap().unwrap());
        assert_eq!(faults(&house, &[first, second]), "");
        let older = House::next_to(&house, &format!("sqlite:{}", copy.display()));
        older.gate.use_seal(key(1));
        assert_eq!(faults(&older, &[first]), "", "of itself it is whole");
        let said = faults(&older, &[first, second]);
        assert!(said.contains("checkpoint 2, which is kept elsewhere, is not there"), "{said}");
        // It went on since then, otherwise than what was kept.
        older.register("major").await;
        older.gate.make_checkpoint().unwrap();
        let said = faults(&older, &[(2, second.1)]);
        assert!(said.contains("checkpoint 2 is not the one that is kept elsewhere"), "{said}");
        // An older one is looked at with what it signed, too.
        house.damage("UPDATE event SET hash = zeroblob(32) WHERE seq = 1");
        assert_eq!(faults(&house, &[second]), "", "the newest signed the last events only");
        assert!(faults(&house, &[first]).contains("checkpoint 1: event 1 of instance"));
    });
}
