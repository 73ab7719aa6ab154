//! The service as a process of its own, as an office runs it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running service; killed when dropped.
pub struct Service {
    child: Child,
    /// Where it answers.
    pub address: String,
    /// The administrator's token, printed at the first start.
    pub admin: String,
    /// How long it took until it answered.
    pub started_in: Duration,
}

impl Service {
    /// Starts the service on a database and waits until it answers.
    pub fn start(folder: &Path, url: &str, known_admin: Option<&str>) -> Self {
        Self::start_with(folder, url, known_admin, &[])
    }

    /// The same with more settings.
    pub fn start_with(
        folder: &Path,
        url: &str,
        known_admin: Option<&str>,
        settings: &[(&str, String)],
    ) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_fenliu"))
            .arg("serve")
            .env("FENLIU_SERVER_LISTEN", &address)
            .env("FENLIU_DATABASE_FOLDER", folder)
            .env("FENLIU_DATABASE_URL", url)
            .env("FENLIU_LOG_FILTER", "error")
            .env("FENLIU_SERVER_REQUESTS_PER_SECOND", "0")
            .envs(settings.iter().map(|(name, value)| (*name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut admin = known_admin.map(str::to_owned);
        for line in lines.by_ref() {
            let line = line.unwrap();
            if let Some(at) = line.find("fenliu_") {
                let rest = line.get(at..).unwrap();
                admin = Some(rest.split_whitespace().next().unwrap().to_owned());
            }
            if line.contains("http://") {
                break;
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        let admin = admin.expect("the service printed no token");
        Self { child, address, admin, started_in: begun.elapsed() }
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }

    /// CPU seconds used so far.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        ticks / 100.0
    }

    /// Memory of its own, MiB.
    pub fn memory_mib(&self) -> f64 {
        self.status_mib("RssAnon")
    }

    /// Pages of files that it has mapped, the database above all, MiB: the system takes them back
    /// when somebody needs the room.
    pub fn mapped_mib(&self) -> f64 {
        self.status_mib("RssFile")
    }

    fn status_mib(&self, name: &str) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// An empty folder of its own.
pub fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("fenliu-bench-{name}-{}", std::process::id()));
    if path.exists() {
        std::fs::remove_dir_all(&path).unwrap();
    }
    std::fs::create_dir_all(&path).unwrap();
    path
}
