//! One PostgreSQL cluster for the whole run of tests, on a free port of the loopback, in a folder of
//! its own; one database per test. A shell watches a pipe from this process and stops the cluster
//! when the pipe closes, however this process ends.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use fenliu::store::{Options, Store};

/// Makes, starts, watches and removes the cluster: $1 programs, $2 folder, $3 port, $4 more settings.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
"$1/initdb" -D "$2/data" -U fenliu -A trust -E UTF8 --locale=C -N >"$2/log" 2>&1 &&
"$1/pg_ctl" -D "$2/data" -s -w -l "$2/log" -o "-c listen_addresses=127.0.0.1 -c port=$3 \
  -c unix_socket_directories='' -c fsync=off -c full_page_writes=off -c shared_buffers=64MB \
  -c max_connections=200 -c autovacuum=off $4" start >>"$2/log" 2>&1 </dev/null &&
echo ready || { echo failed; cat "$2/log"; }
read -r end
"$1/pg_ctl" -D "$2/data" -s -m immediate stop >>"$2/log" 2>&1
rm -rf "$2"
"#;

pub(crate) struct Cluster {
    port: u16,
    /// Holds the pipe open until this process ends.
    _watchdog: Child,
}

/// The database that is migrated once and copied for each test.
const TEMPLATE: &str = "fenliu_template";

impl Cluster {
    /// One of its own, which speaks TLS with this certificate and key (PEM).
    pub(crate) fn with_tls(certificate: &str, key: &str) -> Self {
        start("tls", &[("shown.pem", certificate), ("key.pem", key)])
    }

    /// The port at which it listens, on the loopback.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://fenliu@127.0.0.1:{}/{database}", self.port)
    }

    fn run(&self, sql: &str) {
        let mut connection = PgConnection::establish(&self.url("postgres")).unwrap();
        connection.batch_execute(sql).unwrap();
    }
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = start("postgres", &[]);
        cluster.run(&format!("CREATE DATABASE {TEMPLATE}"));
        Store::open(&cluster.url(TEMPLATE), Options::default()).unwrap().migrate().unwrap();
        cluster
    })
}

fn next_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("case_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The URL of a new database with the newest schema.
pub(crate) fn migrated_database() -> String {
    let (cluster, name) = (cluster(), next_name());
    cluster.run(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"));
    cluster.url(&name)
}

/// The URL of a new, empty database.
pub(crate) fn empty_database() -> String {
    let (cluster, name) = (cluster(), next_name());
    cluster.run(&format!("CREATE DATABASE {name} TEMPLATE template0"));
    cluster.url(&name)
}

/// Where the newest PostgreSQL's own programs are.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, bin)| bin.join("initdb").is_file())
        .collect();
    found.sort();
    let newest = found.pop();
    newest.expect("these tests need PostgreSQL's initdb and pg_ctl in /usr/lib/postgresql/*/bin: install the package `postgresql`").1
}

/// A number of `user` (`-u` or `-g`), if there is such a user.
fn id(which: &str, user: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(which).args(user).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().ok()
}

/// Starts a cluster in a folder of this name with these files; where there is a certificate, with TLS.
fn start(name: &str, files: &[(&str, &str)]) -> Cluster {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = std::env::temp_dir().join(format!("fenliu-{name}-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "watchdog"]).arg(programs()).arg(&folder).arg(port.to_string());
    let shown = folder.display();
    command.arg(match files {
        [] => String::new(),
        _ => {
            format!("-c ssl=on -c ssl_cert_file={shown}/shown.pem -c ssl_key_file={shown}/key.pem")
        }
    });
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
    for (path, (_, text)) in paths.iter().zip(files) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    command.current_dir(&folder).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
    if id("-u", None) == Some(0) {
        // PostgreSQL refuses to run as root.
        let user = ["postgres", "nobody"]
            .into_iter()
            .find_map(|user| Some((id("-u", Some(user))?, id("-g", Some(user))?)));
        let (user, group) = user.expect("run as root, these tests need a user `postgres`");
        for path in paths.iter().chain([&folder]) {
            chown(path, Some(user), Some(group)).unwrap();
        }
        command.uid(user).gid(group);
    }
    let mut watchdog = command.spawn().unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(watchdog.stdout.take().unwrap()).lines();
    if lines.next().transpose().unwrap().as_deref() != Some("ready") {
        drop(watchdog.stdin.take());
        lines.map_while(Result::ok).for_each(|line| said = format!("{said}\n{line}"));
        panic!("PostgreSQL does not start:{said}");
    }
    Cluster { port, _watchdog: watchdog }
}
