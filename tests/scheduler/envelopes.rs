//! Copies and exports that are locked for somebody: opened by the right key alone, whole or not at all.

use std::path::{Path, PathBuf};

use fenliu::app::envelope::{Identities, Recipients, make_key};
use fenliu::app::{archive, backup};
use fenliu::config::settings::Settings;
use fenliu::gate::{Noted, verify};
use fenliu::store::{Options, Store};

use super::house::{House, run};
use crate::store::postgres;

fn settings(url: &str) -> Settings {
    let mut settings = Settings::default();
    settings.database.url = url.to_owned();
    settings
}

fn of(house: &House, name: &str) -> PathBuf {
    house.folder.join(name)
}

/// A key in a file of the house's folder, and whom it is locked for.
fn key(house: &House, name: &str) -> (Identities, Recipients) {
    let recipient = make_key(&of(house, name)).unwrap();
    let file = of(house, &format!("{name}.recipients"));
    std::fs::write(&file, format!("# 审计员\n{recipient}\n")).unwrap();
    (Identities::read(&of(house, name)).unwrap(), Recipients::read(&file).unwrap())
}

fn says(file: &Path, words: &[&str]) -> bool {
    let bytes = std::fs::read(file).unwrap();
    let has = |word: &&str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
    words.iter().any(has)
}

// Check 52.
#[test]
fn a_locked_export_tells_nothing_and_comes_in_again_by_its_key_alone() {
    run(async {
        let house = House::new();
        for _ in 0..30 {
            house.register("ordinary").await;
        }
        let own = settings(&format!("sqlite:{}", of(&house, "house.db").display()));
        let (right, recipients) = key(&house, "right.key");
        let (wrong, _) = key(&house, "wrong.key");
        let export = of(&house, "export");
        let made = archive::export(&own, &export, Some(&recipients)).unwrap();
        for file in std::fs::read_dir(&export).unwrap().map(|file| file.unwrap().path()) {
            assert!(file.to_str().unwrap().ends_with(".age"), "{}", file.display());
            assert!(!says(&file, &["河边", "register", "jurisdiction", "sha256"]), "{file:?}");
        }
        let (none, noted) = (None::<&Identities>, Noted::default());
        let refused = archive::verify_export(&own, &export, &noted, none).unwrap_err().to_string();
        assert!(refused.contains("is locked") && refused.contains("--identity"), "{refused}");
        let refused = archive::verify_export(&own, &export, &noted, Some(&wrong)).unwrap_err();
        assert!(refused.to_string().contains("not one that it was locked for"), "{refused}");
        let report = archive::verify_export(&own, &export, &noted, Some(&right)).unwrap();
        assert!(report.is_sound() && report.instances == 30, "{report:?}");
        let other = settings(&format!("sqlite:{}", of(&house, "other.db").display()));
        archive::import(&other, &export, false, Some(&wrong)).unwrap_err();
        assert!(!of(&house, "other.db").exists(), "of what cannot be opened nothing is made");
        archive::import(&other, &export, false, Some(&right)).unwrap();
        let again = archive::export(&other, &of(&house, "again"), None).unwrap();
        assert_eq!(again.tables, made.tables, "the same, file by file");
    });
}

// Check 52.
#[test]
fn a_locked_copy_that_was_cut_or_altered_anywhere_is_refused_and_leaves_nothing_behind() {
    run(async {
        let house = House::new();
        for _ in 0..10 {
            house.register("ordinary").await;
        }
        let own = settings(&format!("sqlite:{}", of(&house, "house.db").display()));
        let (right, recipients) = key(&house, "right.key");
        let copy = of(&house, "copy.db.age");
        let report = backup::backup(&own, &copy, Some(&recipients)).unwrap();
        assert!(report.is_sound() && report.instances == 10, "{report:?}");
        let left = std::fs::read_dir(&house.folder).unwrap();
        let left: Vec<_> = left.map(|one| one.unwrap().file_name()).collect();
        let clear = |name: &std::ffi::OsString| name.to_str().unwrap().starts_with("backup-");
        assert!(!left.iter().any(clear), "nothing in clear is left: {left:?}");
        assert!(!says(&copy, &["SQLite format", "河边", "CREATE TABLE"]));
        let whole = std::fs::read(&copy).unwrap();
        let (broken, target) = (of(&house, "broken.age"), of(&house, "broken.db"));
        let place = settings(&format!("sqlite:{}", target.display()));
        let refuse = |bytes: &[u8], what: &str| {
            std::fs::write(&broken, bytes).unwrap();
            let refused = backup::restore(&place, &broken, Some(&right)).unwrap_err().to_string();
            assert!(refused.contains("broken.age cannot be opened"), "{what}: {refused}");
            assert!(!target.exists(), "{what}: something was left behind");
        };
        // Pieces are of 64 KiB: cuts between them, within them, in the head and before the end.
        assert!(whole.len() > 3 * 65_536, "{}", whole.len());
        let head = whole.len() % (65_536 + 16);
        for cut in
            [30, 150, head, head + 65_552, head + 2 * 65_552, whole.len() / 2, whole.len() - 1]
        {
            refuse(&whole[..cut], &format!("cut after {cut}"));
        }
        for step in 0..40 {
            // The first line says what it is; a file without it is no locked one.
            let at = 22 + step * (whole.len() - 23) / 39;
            let mut altered = whole.clone();
            altered[at] ^= 1;
            refuse(&altered, &format!("altered at {at}"));
        }
        let mut longer = whole;
        longer.extend_from_slice(b"more");
        refuse(&longer, "something put at its end");
        let restored = backup::restore(&place, &copy, Some(&right)).unwrap();
        assert!(restored.is_sound() && restored.instances == 10, "{restored:?}");
        let refused = backup::restore(&place, &copy, Some(&right)).unwrap_err().to_string();
        assert!(refused.contains("is there already"), "{refused}");
    });
}

/// Registers matters while something else is done.
async fn under_load<T: Send + 'static>(
    house: &House,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let work = tokio::task::spawn_blocking(work);
    while !work.is_finished() {
        house.register("ordinary").await;
    }
    for _ in 0..5 {
        house.register("ordinary").await;
    }
    work.await.unwrap()
}

// Check 52.
#[test]
fn a_copy_that_is_locked_under_load_is_whole_when_it_is_restored() {
    run(async {
        let house = House::new();
        let own = settings(&format!("sqlite:{}", of(&house, "house.db").display()));
        for _ in 0..20 {
            house.register("ordinary").await;
        }
        let (right, recipients) = key(&house, "right.key");
        let copy = of(&house, "copy.db.age");
        let file = copy.clone();
        let copied = under_load(&house, move || backup::backup(&own, &file, Some(&recipients)));
        let copied = copied.await.unwrap();
        let url = format!("sqlite:{}", of(&house, "restored.db").display());
        let restored = backup::restore(&settings(&url), &copy, Some(&right)).unwrap();
        assert!(restored.is_sound() && restored.instances >= 20, "{restored:?}");
        assert_eq!(restored, copied, "what was verified before it was locked is what came back");
    });
}

// Check 52.
#[test]
fn an_export_of_postgresql_under_load_is_whole_and_of_one_moment() {
    run(async {
        let url = postgres::migrated_database();
        let house = House::at(&url);
        for _ in 0..20 {
            house.register("ordinary").await;
        }
        let (right, recipients) = key(&house, "right.key");
        let (export, own) = (of(&house, "export"), settings(&url));
        let folder = export.clone();
        let made = under_load(&house, move || archive::export(&own, &folder, Some(&recipients)));
        let made = made.await.unwrap();
        let rows = |table: &str| made.tables.iter().find(|part| part.table == table).unwrap().rows;
        assert!(rows("instance") >= 20, "{}", rows("instance"));
        let report =
            archive::verify_export(&settings(&url), &export, &Noted::default(), Some(&right));
        let report = report.unwrap();
        assert!(report.is_sound() && report.instances == rows("instance"), "{report:?}");
        // Into another PostgreSQL, and into a file.
        let places =
            [postgres::empty_database(), format!("sqlite:{}", of(&house, "file.db").display())];
        for place in places {
            archive::import(&settings(&place), &export, false, Some(&right)).unwrap();
            let store = Store::open(&place, Options::default()).unwrap();
            let report = verify(&store, |_| ()).unwrap();
            assert!(report.is_sound() && report.instances == rows("instance"), "{report:?}");
        }
    });
}
