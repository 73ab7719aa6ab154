//! The service as a process of its own: its first start, its end, and what stands in the way.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use fenliu::domain::{PersonId, Role};
use fenliu::store::{Options, Store};

use super::process::{FENLIU, Folder, Service};

fn settings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fenliu.toml")
}

/// `fenliu` with its data in a folder, started from another one than the repository's.
fn fenliu(folder: &Folder, words: &[&str]) -> Command {
    let mut command = Command::new(FENLIU);
    command.current_dir(std::env::temp_dir()).args(words);
    command.env("FENLIU_DATABASE_FOLDER", &folder.0).env("FENLIU_SERVER_LISTEN", "127.0.0.1:0");
    // What is tested here needs no router, and training one takes its time.
    command.env("FENLIU_ROUTING_FOLDER", "");
    command.stderr(Stdio::piped());
    command
}

fn serve(folder: &Folder) -> Command {
    let mut command = fenliu(folder, &["serve", "--config"]);
    command.arg(settings());
    command
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "it went well");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

// Check 8.
#[test]
fn a_first_start_that_fails_does_not_swallow_the_administrators_token() {
    let folder = Folder::new("first-start");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = serve(&folder).env("FENLIU_SERVER_LISTEN", &address).output().unwrap();
    assert!(complaint(&refused).contains(&address));
    let jobs = folder.0.join("jobs.toml");
    std::fs::write(&jobs, "[job.digest]\ncron = \"whenever\"\ndoes = \"daily_digest\"\n").unwrap();
    let refused = fenliu(&folder, &["serve", "--config", jobs.to_str().unwrap()]).output().unwrap();
    assert!(complaint(&refused).contains("digest"));
    let service = Service::start(&mut serve(&folder));
    assert!(service.said.contains("fenliu_"), "{}", service.said);
    service.stop();
}

#[test]
fn after_an_orderly_end_the_database_file_alone_is_a_whole_backup() {
    let folder = Folder::new("backup");
    Service::start(&mut serve(&folder)).stop();
    let copy = folder.0.join("copy.db");
    std::fs::copy(folder.0.join("fenliu.db"), &copy).unwrap();
    let options = Options { read_only: true, ..Options::default() };
    let store = Store::open(&format!("sqlite:{}", copy.display()), options).unwrap();
    let kept = store.read(|reader| reader.setting("number_secret")).unwrap();
    assert!(kept.is_some(), "what was committed is in the copy");
    let log = std::fs::metadata(folder.0.join("fenliu.db-wal"));
    assert!(log.map_or(0, |log| log.len()) == 0, "nothing is left in the write-ahead log");
}

#[test]
fn a_log_in_a_file_has_no_colour_codes() {
    let folder = Folder::new("colours");
    let log = Service::start(&mut serve(&folder)).stop();
    assert!(log.contains("asked to stop") && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn who_reads_only_the_first_lines_of_an_answer_makes_nothing_fall() {
    let folder = Folder::new("piped");
    let mut child = fenliu(&folder, &["components"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

// Check 40.
#[test]
fn the_unit_that_is_shipped_leaves_an_attacker_little() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/fenliu.service");
    // From 0 (closed) to 100; 12 when this was written: the network, and no list of addresses.
    let mut analyse = Command::new("systemd-analyze");
    analyse.args(["security", "--offline=true", "--no-pager", "--threshold=15"]).arg(unit);
    let told = analyse.output().expect("make setup-test installs systemd-analyze");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stdout));
}

#[test]
fn what_the_guide_says_to_install_is_enough_to_start() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(root.join("docs/OPERATING.md")).unwrap();
    let step = guide.split("0. Install:").nth(1).unwrap().split("\n1. ").next().unwrap();
    let named: Vec<&str> = step.split('`').filter(|word| word.starts_with("config/")).collect();
    assert!(named.len() >= 4, "{step}");
    let folder = Folder::new("installed");
    let etc = folder.0.join("etc");
    let copy = |from: &Path, to: &Path| {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        let done = Command::new("cp").arg("-r").args([from, to]).status().unwrap();
        assert!(done.success(), "{}", from.display());
    };
    for path in named {
        copy(&root.join(path), &etc.join(path.trim_start_matches("config/").trim_end_matches('/')));
    }
    copy(&root.join("workflows"), &etc.join("workflows"));
    let settings = etc.join("fenliu.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let moved = text.replacen("\"../workflows\"", "\"workflows\"", 1);
    std::fs::write(&settings, moved).unwrap();
    let mut start = fenliu(&folder, &["serve", "--config", settings.to_str().unwrap()]);
    let service = Service::start(start.env_remove("FENLIU_ROUTING_FOLDER"));
    assert!(service.said.contains("fenliu_"), "{}", service.said);
    service.stop();
    std::fs::copy(etc.join("jurisdictions/chengkou.yaml"), etc.join("jurisdictions/other.yaml"))
        .unwrap();
    let mut again = fenliu(&folder, &["serve", "--config", settings.to_str().unwrap()]);
    let said =
        complaint(&again.env("FENLIU_DATABASE_FOLDER", folder.0.join("new")).output().unwrap());
    assert!(said.contains("founding.jurisdiction") && said.contains("name the one"), "{said}");
}

#[test]
fn a_founding_file_that_is_missing_is_named_by_key_and_path() {
    let folder = Folder::new("founding");
    let file = folder.0.join("fenliu.toml");
    std::fs::write(&file, "[founding]\njurisdiction = \"who.yaml\"\n").unwrap();
    let output = fenliu(&folder, &["serve", "--config", file.to_str().unwrap()]).output().unwrap();
    let said = complaint(&output);
    let tried = folder.0.join("who.yaml");
    assert!(
        said.contains("founding.jurisdiction") && said.contains(tried.to_str().unwrap()),
        "{said}"
    );
}

#[test]
fn a_token_for_a_database_that_is_not_there_makes_none() {
    let folder = Folder::new("no-database");
    let output = fenliu(&folder, &["token", "--person", "1"]).output().unwrap();
    assert!(complaint(&output).contains("fenliu.db"));
    assert!(!folder.0.join("fenliu.db").exists());
}

#[test]
fn what_is_no_export_is_refused_before_a_database_is_made() {
    let folder = Folder::new("no-export");
    let output = fenliu(&folder, &["import", "/nope"]).output().unwrap();
    assert!(complaint(&output).contains("the folder that `fenliu export` wrote"));
    assert!(!folder.0.join("fenliu.db").exists());
}

#[test]
fn an_empty_database_is_said_to_be_empty_and_how_it_is_filled() {
    let folder = Folder::new("empty");
    let url = format!("sqlite:{}", folder.0.join("fenliu.db").display());
    Store::open(&url, Options { create: true, ..Options::default() }).unwrap().migrate().unwrap();
    for words in [
        &["verify"][..],
        &["token", "--person", "1"],
        &["alerts", "rehearse", "--at", "2026-10-01 03:00"],
    ] {
        let said = complaint(&fenliu(&folder, words).output().unwrap());
        assert!(said.contains("is empty") && said.contains("fenliu serve"), "{words:?}: {said}");
    }
}

#[test]
fn what_stands_in_the_way_is_named_with_its_setting_and_what_helps() {
    let folder = Folder::new("in-the-way");
    let file = folder.0.join("file");
    std::fs::write(&file, "").unwrap();
    let refused =
        |name: &str, value: &str| complaint(&serve(&folder).env(name, value).output().unwrap());
    let said = refused("FENLIU_DATABASE_FOLDER", file.to_str().unwrap());
    assert!(said.contains("database.folder") && said.contains("is a file"), "{said}");
    let said = refused("FENLIU_SERVER_LISTEN", "hello");
    assert!(
        said.contains("server.listen = \"hello\"") && said.contains("127.0.0.1:8110"),
        "{said}"
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let said = refused("FENLIU_SERVER_LISTEN", &taken.local_addr().unwrap().to_string());
    assert!(said.contains("server.listen") && said.contains("give another port"), "{said}");
    let said = refused("FENLIU_SERVER_MANAGEMENT", &taken.local_addr().unwrap().to_string());
    assert!(said.contains("server.management") && said.contains("give another port"), "{said}");
    std::fs::remove_file(folder.0.join("seal.key")).unwrap();
    let said = complaint(&fenliu(&folder, &["key"]).output().unwrap());
    assert!(said.contains("seal.key") && said.contains("fenliu serve"), "{said}");
}

#[test]
fn a_token_is_given_to_nobody_where_two_people_have_the_name() {
    let folder = Folder::new("namesakes");
    Service::start(&mut serve(&folder)).stop();
    let output = fenliu(&folder, &["token", "--person", "2"]).output().unwrap();
    let whose = String::from_utf8(output.stderr).unwrap();
    assert!(whose.contains("(id 2)"), "{whose}");
    let url = format!("sqlite:{}", folder.0.join("fenliu.db").display());
    {
        let store = Store::open(&url, Options::default()).unwrap();
        let whose = store.read(|reader| reader.jurisdictions()).unwrap()[0].id;
        let mut directory = store.read(|reader| reader.directory(whose)).unwrap().unwrap();
        let mut person = directory.people.remove(&PersonId(1)).unwrap();
        person.id = PersonId(0);
        store.writer().unwrap().transaction(|t| t.put_person(whose, &person)).unwrap();
    }
    let name = {
        let store = Store::open(&url, Options { read_only: true, ..Options::default() }).unwrap();
        let whose = store.read(|reader| reader.jurisdictions()).unwrap()[0].id;
        let directory = store.read(|reader| reader.directory(whose)).unwrap().unwrap();
        directory.people[&PersonId(1)].name.clone()
    };
    let said = complaint(&fenliu(&folder, &["token", "--person", &name]).output().unwrap());
    assert!(said.contains("2 people") && said.contains("\n  1 gongan.dispatcher"), "{said}");
}

#[test]
fn whoever_has_lost_the_last_administrator_makes_one_on_the_command_line() {
    let folder = Folder::new("administrator");
    Service::start(&mut serve(&folder)).stop();
    let output = fenliu(&folder, &["administrator", "--person", "1"]).output().unwrap();
    let secret = String::from_utf8(output.stdout).unwrap();
    assert!(secret.starts_with("fenliu_"), "{}", String::from_utf8_lossy(&output.stderr));
    let url = format!("sqlite:{}", folder.0.join("fenliu.db").display());
    let store = Store::open(&url, Options { read_only: true, ..Options::default() }).unwrap();
    let whose = store.read(|reader| reader.jurisdictions()).unwrap()[0].id;
    let directory = store.read(|reader| reader.directory(whose)).unwrap().unwrap();
    let grants = &directory.people[&PersonId(1)].grants;
    assert!(grants.iter().any(|grant| grant.role == Role::Administrator), "{grants:?}");
}

#[test]
fn a_second_demonstration_leaves_the_first_ones_data_alone() {
    let folder = Folder::new("two-demos");
    let calls = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/calls.jsonl");
    let demo = |listen: &str| {
        let words = ["demo", "--unread", "--calls-max", "1", "--listen", listen, "--calls"];
        let mut command = fenliu(&folder, &words);
        command.arg(&calls).current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    };
    let first = Service::start(&mut demo("127.0.0.1:0"));
    let address = first.said.split("http://").nth(1).unwrap().split_whitespace().next().unwrap();
    let file = folder.0.join("demo/fenliu.db");
    let same_port = complaint(&demo(address).output().unwrap());
    assert!(same_port.contains(address) && file.exists(), "{same_port}");
    let same_folder = complaint(&demo("127.0.0.1:0").output().unwrap());
    assert!(same_folder.contains("fenliu.db") && file.exists(), "{same_folder}");
    first.kill();
}

// Check 37.
#[test]
fn in_clear_text_other_machines_are_answered_only_if_the_settings_say_so() {
    let folder = Folder::new("plain");
    let mut command = serve(&folder);
    command.env("FENLIU_SERVER_LISTEN", "0.0.0.0:0");
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("server.allow_plain_http = true"), "{said}");
    assert!(said.contains("server.certificate"), "{said}");
}

// Check 50.
#[test]
fn an_address_for_management_that_others_reach_in_clear_text_is_refused_like_the_public_one() {
    let folder = Folder::new("plain-management");
    for (address, why) in [("0.0.0.0:0", "server.allow_plain_http = true"), ("8111", "no address")]
    {
        let output = serve(&folder).env("FENLIU_SERVER_MANAGEMENT", address).output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("server.management = \"{address}\"")), "{said}");
        assert!(said.contains(why), "{said}");
    }
}

// Check 38.
#[test]
fn a_line_in_clear_text_is_opened_only_if_the_settings_say_so_and_shows_until_it_is_mended() {
    let folder = Folder::new("wires");
    // An address for examples: nobody is there, and nothing is sent.
    let mail = [
        ("KIND", "smtp"),
        ("HOST", "192.0.2.1"),
        ("SECURITY", "none"),
        ("GUARD_TEST_MINUTES", "0"),
    ];
    let with_mail = |more: &[(&str, &str)]| {
        let mut command = serve(&folder);
        for (name, value) in mail.iter().chain(more) {
            command.env(format!("FENLIU_CHANNEL_EMAIL_{name}"), value);
        }
        command
    };
    let said = complaint(&with_mail(&[]).output().unwrap());
    assert!(said.contains("channel.email.security: ") && said.contains("clear text"), "{said}");
    assert!(said.contains("allow_clear_text = true"), "{said}");
    let open = || {
        let options = Options { read_only: true, ..Options::default() };
        let url = format!("sqlite:{}", folder.0.join("fenliu.db").display());
        let alarms = Store::open(&url, options).unwrap().read(|reader| reader.alarms(true, 100));
        alarms.unwrap().into_iter().map(|alarm| alarm.raised.kind).collect::<Vec<_>>()
    };
    let service = Service::start(&mut with_mail(&[("ALLOW_CLEAR_TEXT", "true")]));
    assert!(open().contains(&"clear_text.email".to_owned()), "{:?}", open());
    let log = service.stop();
    assert!(log.contains("a line to another machine is in clear text"), "{log}");
    Service::start(&mut with_mail(&[("SECURITY", "starttls")])).stop();
    assert!(!open().contains(&"clear_text.email".to_owned()), "{:?}", open());
    let mut command = serve(&folder);
    command.env("FENLIU_DATABASE_URL", "postgres://u:s3cret@db.invalid/fenliu");
    let said = complaint(&command.output().unwrap());
    assert!(said.contains("sslmode=verify-full") && !said.contains("s3cret"), "{said}");
    let words = ["verify", "--database", "postgres://u:s3cret@db.invalid/fenliu"];
    let said = complaint(&fenliu(&folder, &words).output().unwrap());
    assert!(said.contains("sslmode=verify-full"), "by whichever command: {said}");
}

/// What a command said that went well.
fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

// Check 52.
#[test]
fn a_service_that_runs_is_copied_exported_and_verified_with_the_key_it_signs_with() {
    let folder = Folder::new("copy");
    let service = Service::start(&mut serve(&folder));
    let run = |words: &[&str]| said(&fenliu(&folder, words).output().unwrap());
    let key = run(&["key"]);
    // Nobody else on the machine reads them.
    for file in ["seal.key", "field.keys", "fenliu.db", "fenliu.db-wal", "messages.log"] {
        let mode = std::fs::metadata(folder.0.join(file)).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600, "{file}");
    }
    let (copy, export) = (folder.0.join("copy.db"), folder.0.join("export"));
    let copied = run(&["backup", copy.to_str().unwrap()]);
    assert!(copied.contains("0 differing"), "{copied}");
    // The founding with its answers on the spot, and the first token.
    let audited = copied.lines().find(|line| line.contains(" audit entries, 1 checkpoints, "));
    let audited = audited.unwrap_or_else(|| panic!("{copied}"));
    assert!(!audited.starts_with('0'), "{audited}");
    run(&["export", export.to_str().unwrap()]);
    let other = format!("sqlite:{}", folder.0.join("other.db").display());
    let taken = run(&["import", export.to_str().unwrap(), "--database", &other]);
    assert!(taken.contains(audited), "{taken}");
    run(&["verify", "--export", export.to_str().unwrap(), "--key", key.trim()]);
    let wrong = fenliu(&folder, &["verify", "--key", "abc"]).output().unwrap();
    assert!(complaint(&wrong).contains("64 hexadecimal digits"));
    let wrong = fenliu(&folder, &["verify", "--checkpoint", "1"]).output().unwrap();
    assert!(complaint(&wrong).contains("a number, `:`, and a hash"));
    let noted = format!("1:{}", "0".repeat(64));
    let forged = fenliu(&folder, &["verify", "--checkpoint", &noted]).output().unwrap();
    assert!(!forged.status.success());
    assert!(String::from_utf8_lossy(&forged.stdout).contains("not the one that was noted"));
    let again = fenliu(&folder, &["backup", copy.to_str().unwrap()]).output().unwrap();
    assert!(complaint(&again).contains("is there already"), "a copy is never written over");
    let again = fenliu(&folder, &["export", export.to_str().unwrap()]).output().unwrap();
    assert!(complaint(&again).contains("is there already"), "nor is an export");
    service.stop();
}

// Check 48.
#[test]
fn a_service_whose_database_is_older_than_what_is_kept_elsewhere_says_so_and_answers_all_the_same()
{
    let folder = Folder::new("anchors");
    let kept = folder.0.join("kept.txt");
    let serve = || {
        let mut command = serve(&folder);
        command.env("FENLIU_DATABASE_CHECKPOINTS", &kept);
        command
    };
    std::fs::write(&kept, "# none yet\n").unwrap();
    let log = Service::start(&mut serve()).stop();
    assert!(log.contains("no checkpoint stands in it"), "{log}");
    let url = format!("sqlite:{}", folder.0.join("fenliu.db").display());
    let options = || Options { read_only: true, ..Options::default() };
    let store = Store::open(&url, options()).unwrap();
    let first = store.read(|reader| reader.last_checkpoint()).unwrap().unwrap();
    let hash = fenliu::domain::event::hex(&fenliu::seal::hash_of(Default::default(), &first.body));
    std::fs::write(&kept, format!("1:{hash} # by mail\n")).unwrap();
    let log = Service::start(&mut serve()).stop();
    assert!(log.contains("the newest checkpoint agrees with the database"), "{log}");
    // A later one was mailed; the database knows nothing of it.
    std::fs::write(&kept, format!("1:{hash}\n2:{}\n", "ab".repeat(32))).unwrap();
    let service = Service::start(&mut serve());
    let base = service.said.split("http://").nth(1).unwrap().split_whitespace().next().unwrap();
    let mut asked = std::net::TcpStream::connect(base).unwrap();
    std::io::Write::write_all(&mut asked, b"GET /ready HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut asked, &mut answer).unwrap();
    assert!(answer.contains("200 OK"), "{answer}");
    let log = service.stop();
    assert!(log.contains("checkpoint 2, which is kept elsewhere, is not there"), "{log}");
    assert!(log.contains("fenliu verify --key"), "it says what to do: {log}");
    let alarms = store.read(|reader| reader.alarms(true, 100)).unwrap();
    let alarm = alarms.into_iter().find(|alarm| alarm.raised.kind == "audit_difference").unwrap();
    assert!(alarm.raised.detail.contains("checkpoint"), "{}", alarm.raised.detail);
}

// Check 52.
#[test]
fn copies_are_locked_for_whom_the_settings_name_and_restored_by_the_key_alone() {
    let folder = Folder::new("locked-copy");
    let service = Service::start(&mut serve(&folder));
    let of = |name: &str| folder.0.join(name).display().to_string();
    let run = |words: &[&str]| {
        let mut command = fenliu(&folder, words);
        command.env("FENLIU_BACKUP_RECIPIENTS", of("recipients")).output().unwrap()
    };
    let refused = complaint(&run(&["backup", &of("copy.age")]));
    assert!(refused.contains("recipients"), "not in clear by mistake: {refused}");
    let recipient = said(&run(&["key", "backup", &of("away.key")]));
    let mode = std::fs::metadata(folder.0.join("away.key")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    std::fs::write(of("recipients"), &recipient).unwrap();
    let copied = said(&run(&["backup", &of("copy.age")]));
    assert!(copied.contains("0 differing"), "{copied}");
    said(&run(&["export", &of("export")]));
    service.stop();
    let target = format!("sqlite:{}", of("again.db"));
    let restore = ["restore", &of("copy.age"), "--database", &target];
    let refused = complaint(&run(&restore));
    assert!(refused.contains("is locked") && refused.contains("--identity"), "{refused}");
    said(&run(&["key", "backup", &of("other.key")]));
    let by = |key: &str| run(&[&restore[..], &["--identity", key]].concat());
    let refused = complaint(&by(&of("other.key")));
    assert!(refused.contains("not one that it was locked for"), "{refused}");
    assert!(!folder.0.join("again.db").exists());
    assert_eq!(said(&by(&of("away.key"))), copied, "the same is found in it");
    let verified = ["verify", "--export", &of("export"), "--identity", &of("away.key")];
    assert!(said(&run(&verified)).contains("0 differing"));
    let refused = complaint(&by(&of("recipients")));
    assert!(refused.contains("AGE-SECRET-KEY-1"), "what was given is no key: {refused}");
}

/// What a rehearsal answers.
fn rehearse(folder: &Folder, words: &[&str]) -> Output {
    let mut command = fenliu(folder, &["alerts", "rehearse", "--config"]);
    command.arg(settings()).args(["--at", "2026-10-01 03:00", "--tier", "larger"]).args(words);
    command.output().unwrap()
}

#[test]
fn a_rehearsal_is_read_before_the_first_start_and_beside_a_running_service() {
    let folder = Folder::new("rehearsal");
    let before = rehearse(&folder, &["--workflow", "incident", "--unit", "huimin"]);
    let text = String::from_utf8(before.stdout).unwrap();
    assert!(before.status.success(), "{text}");
    for line in [
        "提醒演练 10-01周四 03:00，较大，承办单位县惠民公司；依据初始文件",
        "  警报签收时限 call_out  到期 due 10-01周四 03:10",
        "    10-01周四 03:00  第2级  短信、邮件  call_out  5分钟内须确认 within 5 min  ",
        "    10-01周四 03:05  第4级  短信  call_out_again",
        "【〔编号〕】较大突发事件警报仍未签收",
        "        县政府应急办公室值班员：县应急办值班员乙（短信",
        "    …… 此后继续重复，直至有人处理",
        "人的联系方式均未验证",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let service = Service::start(&mut serve(&folder));
    let beside = rehearse(&folder, &["--workflow", "incident", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&beside.stdout).unwrap();
    assert_eq!(json["at"], "2026-10-01T03:00:00+08:00");
    assert_eq!(json["workflows"][0]["clocks"][0]["clock"], "assess");
    service.stop();
    for (words, said) in [
        (["--workflow", "nosuch"], "there is no workflow `nosuch`; workflows are co_task, "),
        (["--unit", "nosuch"], "there is no unit `nosuch`"),
        (["--jurisdiction", "nosuch"], "there is no such jurisdiction in the database"),
    ] {
        let wrong = complaint(&rehearse(&folder, &words));
        assert!(wrong.contains(said), "{wrong}");
    }
}
