//! Callers' data at rest, as an operator has them: no byte of the database tells who called, a new key
//! is taken up while people work, and without its keys the service says so instead of starting.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::desk::{ADDRESS, Desk, NAME, PHONE, PLACE, SAID};
use super::process::{FENLIU, Folder, Service};

fn fenliu(folder: &Folder, words: &[&str]) -> Command {
    let mut command = Command::new(FENLIU);
    command.current_dir(std::env::temp_dir()).args(words);
    command.env("FENLIU_DATABASE_FOLDER", &folder.0).env("FENLIU_SERVER_LISTEN", "127.0.0.1:0");
    command.env("FENLIU_ROUTING_FOLDER", "");
    command.stderr(Stdio::piped());
    command
}

fn serve(folder: &Folder) -> Command {
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fenliu.toml");
    let mut command = fenliu(folder, &["serve", "--config"]);
    command.arg(settings);
    command
}

fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn run(folder: &Folder, words: &[&str]) -> String {
    said(&fenliu(folder, words).output().unwrap())
}

/// What a service says that does not start.
fn complaint(folder: &Folder) -> String {
    let output = serve(folder).output().unwrap();
    assert!(!output.status.success(), "it started");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// How often a word stands in the files of the database, byte for byte.
fn times_in_database(folder: &Folder, word: &str) -> usize {
    let files = std::fs::read_dir(&folder.0).unwrap().map(|file| file.unwrap().path());
    let database = files.filter(|path| path.file_name().unwrap().to_str().unwrap().contains(".db"));
    let bytes = database.flat_map(|path| std::fs::read(path).unwrap()).collect::<Vec<u8>>();
    bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count()
}

/// Which key has locked how many values, as the command prints it.
fn locked(folder: &Folder) -> Vec<(String, u32)> {
    let text = run(folder, &["key", "fields"]);
    let lines = text.lines().map(|line| {
        let mut words = line.split_whitespace();
        (words.next().unwrap().to_owned(), words.next().unwrap().parse().unwrap())
    });
    lines.collect()
}

// Check 41.
#[tokio::test]
async fn no_byte_of_the_database_tells_who_called_and_its_keys_alone_open_it() {
    let folder = Folder::new("locked");
    let service = Service::start(&mut serve(&folder));
    let token = service.token.clone().unwrap();
    let desk = Desk::at(&service, &token, None).await;
    let id = desk.called(PHONE).await;
    assert_eq!(desk.phone_of(&id).await, PHONE);
    // As after a power cut: most of it stands in the write-ahead log.
    service.kill();
    for word in [NAME, PHONE, ADDRESS, SAID] {
        assert_eq!(times_in_database(&folder, word), 0, "{word}");
    }
    assert!(times_in_database(&folder, PLACE) > 0, "what is not the caller's is there");
    let keys = folder.0.join("field.keys");
    let mode = std::fs::metadata(&keys).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    // A copy and an export are locked as the database is, and are sound without the keys, too.
    let (copy, export) = (folder.0.join("copy.db"), folder.0.join("export"));
    let (copy, export) = (copy.to_str().unwrap(), export.to_str().unwrap());
    run(&folder, &["backup", copy]);
    run(&folder, &["export", export]);
    let whole = std::fs::read_to_string(Path::new(export).join("personal.jsonl")).unwrap();
    assert!(whole.contains("lock1.") && !whole.contains(PHONE), "{whole}");
    let elsewhere = Folder::new("locked-elsewhere");
    let unlooked = run(&elsewhere, &["verify", "--export", export]);
    assert!(unlooked.contains("without their keys"), "{unlooked}");
    assert!(!run(&folder, &["verify", "--export", export]).contains("without their keys"));
    // Keys that others may read, wrong ones, none at all: the service says so, and makes none.
    let text = std::fs::read_to_string(&keys).unwrap();
    let (name, rest) = text.split_once(' ').unwrap();
    let other = format!("{name} aes-256-gcm {}\n", "ab".repeat(32));
    assert!(rest.starts_with("aes-256-gcm "));
    std::fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    assert!(complaint(&folder).contains("chmod 600"));
    std::fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(&keys, &other).unwrap();
    let wrong = complaint(&folder);
    assert!(wrong.contains("are not all that this database is locked by"), "{wrong}");
    std::fs::remove_file(&keys).unwrap();
    let missing = complaint(&folder);
    assert!(missing.contains("field.keys is not there") && !keys.exists(), "{missing}");
    // From the environment, as from the file.
    let service = Service::start(serve(&folder).env("FENLIU_VAULT_KEYS", text.trim()));
    let desk = Desk::at(&service, &token, Some(&desk.token)).await;
    assert_eq!(desk.phone_of(&id).await, PHONE);
    service.stop();
}

// Check 41.
#[tokio::test]
async fn a_new_key_is_taken_up_while_people_call_and_the_old_one_may_go_then() {
    let folder = Folder::new("rotated");
    let service = Service::start(&mut serve(&folder));
    let token = service.token.clone().unwrap();
    let desk = Desk::at(&service, &token, None).await;
    let mut calls = Vec::new();
    for number in 0..20 {
        let phone = format!("139000000{number:02}");
        calls.push((desk.called(&phone).await, phone));
    }
    let old = locked(&folder);
    let rotated = run(&folder, &["key", "rotate"]);
    assert!(rotated.contains("the running service takes it up"), "{rotated}");
    // People go on calling until everything is locked by the new key.
    for number in 20.. {
        let phone = format!("139000000{number:02}");
        calls.push((desk.called(&phone).await, phone));
        assert_eq!(desk.phone_of(&calls[0].0).await, calls[0].1);
        let counts = locked(&folder);
        if counts.iter().any(|(key, count)| *key == old[0].0 && *count == 0) {
            assert_eq!(counts.len(), 2);
            break;
        }
        assert!(number < 99, "{counts:?}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    service.stop();
    let keys = folder.0.join("field.keys");
    let text = std::fs::read_to_string(&keys).unwrap();
    std::fs::write(&keys, text.lines().last().unwrap()).unwrap();
    // Without a service it is done on the spot.
    let mut command = fenliu(&folder, &["key", "rotate"]);
    let here = said(&command.env("FENLIU_VAULT_ALGORITHM", "sm4-gcm").output().unwrap());
    assert!(here.contains("values were locked anew"), "{here}");
    assert!(std::fs::read_to_string(&keys).unwrap().contains(" sm4-gcm "));
    let service = Service::start(&mut serve(&folder));
    let desk = Desk::at(&service, &token, Some(&desk.token)).await;
    for (id, phone) in &calls {
        assert_eq!(desk.phone_of(id).await, *phone);
    }
    service.stop();
    let sound = run(&folder, &["verify"]);
    assert!(sound.contains("0 differing") && !sound.contains("cannot be opened"), "{sound}");
}

// Checks 41, 47.
#[tokio::test]
async fn a_secret_that_was_altered_hides_nothing_else_from_whoever_verifies() {
    let folder = Folder::new("blinded");
    let service = Service::start(&mut serve(&folder));
    let desk = Desk::at(&service, &service.token.clone().unwrap(), None).await;
    desk.called(PHONE).await;
    service.stop();
    let database = folder.0.join("fenliu.db");
    let whole = std::fs::read(&database).unwrap();
    assert!(run(&folder, &["verify"]).contains("0 differing"));
    let secret = "WHERE name = 'link_secret'";
    for blinding in [
        // The value itself, and the name of its key.
        format!(
            "UPDATE setting SET value = substr(value, 1, length(value) - 4) || 'AAAA' {secret}"
        ),
        format!("UPDATE setting SET value = replace(value, 'lock1.', 'lock1.x') {secret}"),
    ] {
        std::fs::write(&database, &whole).unwrap();
        alter(&database, &blinding);
        alter(&database, "DELETE FROM personal WHERE field = 'caller_phone'");
        let output = fenliu(&folder, &["verify"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success(), "{blinding}: {text}");
        assert!(text.contains("`caller_phone` of the caller is not there"), "{blinding}: {text}");
        assert!(text.contains("link_secret"), "{blinding}: {text}");
    }
}

/// Changes a database behind the service's back.
fn alter(database: &Path, sql: &str) {
    use diesel::{Connection as _, RunQueryDsl as _};
    let address = database.to_str().unwrap();
    let mut connection = diesel::SqliteConnection::establish(address).unwrap();
    assert!(diesel::sql_query(sql).execute(&mut connection).unwrap() > 0, "{sql}");
}

#[test]
fn who_may_not_read_the_keys_verifies_what_can_be_verified_and_is_told_the_rest() {
    let (folder, other) = (Folder::new("not-my-keys"), Folder::new("not-my-keys-copy"));
    Service::start(&mut serve(&folder)).stop();
    let copy = other.0.join("copy.db");
    run(&folder, &["backup", copy.to_str().unwrap()]);
    let database = format!("sqlite:{}", copy.display());
    let mut verify = fenliu(&folder, &["verify", "--database", &database]);
    // The number that systems give to the user `nobody`; whoever is not root keeps its own.
    const NOBODY: u32 = 65_534;
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        for path in [&other.0, &copy] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        verify.uid(NOBODY).gid(NOBODY);
    } else {
        let none = std::fs::Permissions::from_mode(0o000);
        std::fs::set_permissions(folder.0.join("field.keys"), none).unwrap();
    }
    let text = said(&verify.output().unwrap());
    assert!(text.contains("callers' data are locked; without their keys"), "{text}");
}
