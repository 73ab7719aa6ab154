//! A PostgreSQL cluster on loopback with default durability, and pgbench beside it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running cluster; stopped when dropped.
pub struct Cluster {
    folder: PathBuf,
    bin: PathBuf,
    port: u16,
    server: Child,
}

/// What pgbench says.
#[derive(Clone, Copy)]
pub struct Baseline {
    /// Transactions per second.
    pub tps: f64,
    /// Mean latency.
    pub mean_ms: f64,
    /// The latency that 99 of 100 transactions stay below.
    pub p99_ms: f64,
}

impl Cluster {
    /// Makes and starts a cluster in a temporary folder.
    pub fn start() -> Self {
        let bin = newest("/usr/lib/postgresql");
        let folder = std::env::temp_dir().join(format!("fenliu-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let data = folder.join("data");
        run(&mut Command::new("chown"), &["-R", "postgres", folder.to_str().unwrap()], true);
        let initdb = bin.join("initdb");
        let options =
            ["-D", data.to_str().unwrap(), "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"];
        run(&mut as_user(&initdb), &options, false);
        let server = as_user(&bin.join("postgres"))
            .args(["-D", data.to_str().unwrap(), "-p", &port.to_string(), "-h", "127.0.0.1"])
            .args([
                "-c",
                "shared_buffers=1GB",
                "-c",
                "max_wal_size=4GB",
                "-c",
                "max_connections=200",
            ])
            .args(["-k", folder.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let cluster = Self { folder, bin, port, server };
        cluster.wait();
        cluster.database("bench");
        cluster.tool("pgbench", &["-i", "-q", "-s", "10", "bench"]);
        cluster
    }

    fn wait(&self) {
        for _ in 0..200 {
            let ready = as_user(&self.bin.join("pg_isready"))
                .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
                .stdout(Stdio::null())
                .status()
                .unwrap();
            if ready.success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("PostgreSQL did not start");
    }

    fn tool(&self, name: &str, words: &[&str]) -> String {
        let output = as_user(&self.bin.join(name))
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Makes an empty database; answers its address.
    pub fn database(&self, name: &str) -> String {
        self.tool("createdb", &[name]);
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// Brings the statistics of a database up to date.
    pub fn settle(&self, name: &str) {
        self.tool("vacuumdb", &["--quiet", "--analyze", name]);
    }

    /// How large a database is.
    pub fn size_mib(&self, name: &str) -> u64 {
        let query = format!("SELECT pg_database_size('{name}') / 1048576");
        self.tool("psql", &["-At", "-c", &query]).trim().parse().unwrap()
    }

    /// CPU seconds that the server's processes have used so far, those that ended included.
    pub fn cpu_seconds(&self) -> f64 {
        let server = self.server.id();
        let mut ticks = ticks(server).map_or(0.0, |(_, own, ended)| own + ended);
        for entry in std::fs::read_dir("/proc").unwrap() {
            let name = entry.unwrap().file_name();
            let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            ticks += ticks_of_child(id, server);
        }
        ticks / 100.0
    }

    /// `pgbench -N -M prepared` with 64 clients: the yardstick of this machine.
    pub fn pgbench(&self, seconds: u64) -> Baseline {
        let seconds = seconds.to_string();
        let prefix = self.folder.join("pgbench");
        let words = ["-N", "-M", "prepared", "-c", "64", "-j", "2", "-T", &seconds];
        let noted = ["-l", "--log-prefix", prefix.to_str().unwrap(), "bench"];
        let text = self.tool("pgbench", &[&words[..], &noted[..]].concat());
        let figure = |before: &str| {
            let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("pgbench said: {text}"));
            rest.split_whitespace().next().unwrap().parse::<f64>().unwrap()
        };
        let p99_ms = self.noted_p99();
        Baseline { tps: figure("tps = "), mean_ms: figure("latency average = "), p99_ms }
    }

    /// From the notes of pgbench's threads (client, transaction, microseconds …), which are removed.
    fn noted_p99(&self) -> f64 {
        let mut micros = Vec::new();
        for entry in std::fs::read_dir(&self.folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with("pgbench.") {
                let text = std::fs::read_to_string(&path).unwrap();
                let took = |line: &str| line.split(' ').nth(2).unwrap().parse::<u32>().unwrap();
                micros.extend(text.lines().map(took));
                std::fs::remove_file(path).unwrap();
            }
        }
        micros.sort_unstable();
        f64::from(micros[micros.len() * 99 / 100]) / 1000.0
    }
}

/// Parent, own ticks and ticks of ended children of a process; none if it has gone.
fn ticks(id: u32) -> Option<(u32, f64, f64)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let figure = |at: usize| fields.get(at)?.parse::<f64>().ok();
    let parent = fields.get(1)?.parse().ok()?;
    Some((parent, figure(11)? + figure(12)?, figure(13)? + figure(14)?))
}

fn ticks_of_child(id: u32, server: u32) -> f64 {
    ticks(id).filter(|(parent, ..)| *parent == server).map_or(0.0, |(_, own, _)| own)
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        let words = ["-D", data.to_str().unwrap(), "-m", "immediate", "stop"];
        let stopped = as_user(&self.bin.join("pg_ctl")).args(words).output();
        if stopped.is_err() {
            self.server.kill().unwrap();
        }
        self.server.wait().unwrap();
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn newest(root: &str) -> PathBuf {
    let versions =
        std::fs::read_dir(root).expect("PostgreSQL is not installed: run `make setup-test`");
    let mut folders: Vec<PathBuf> = versions.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.pop().expect("PostgreSQL is not installed: run `make setup-test`").join("bin")
}

/// PostgreSQL refuses to run as root.
fn as_user(program: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn run(command: &mut Command, words: &[&str], only_root: bool) {
    if only_root && !is_root() {
        return;
    }
    let output = command.args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").map(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0).unwrap()
}
