//! The program as a process of its own: started, killed or asked to stop, and not left behind by a
//! test that fails.

use std::io::{BufRead, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The executable under test.
pub(crate) const FENLIU: &str = env!("CARGO_BIN_EXE_fenliu");

/// A folder of its own, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fenliu-{name}-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path).unwrap();
        }
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A service that runs.
pub(crate) struct Service {
    child: Child,
    /// The lines it said before it answered.
    pub(crate) said: String,
    /// The token it printed, if this was its first start.
    pub(crate) token: Option<String>,
}

impl Service {
    /// Starts it and waits until it answers.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (mut said, mut token) = (String::new(), None);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.by_ref().map_while(Result::ok) {
            said.push_str(&line);
            said.push('\n');
            if let Some(at) = line.find("fenliu_") {
                let rest = line.get(at..).unwrap();
                token = rest.split_whitespace().next().map(str::to_owned);
            }
            if line.contains("http://") {
                break;
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, said, token }
    }

    /// As a power cut of the process: no word of farewell.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as the system does, and waits; answers what it logged, if that is kept.
    pub(crate) fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        let mut log = String::new();
        if let Some(mut kept) = self.child.stderr.take() {
            kept.read_to_string(&mut log).unwrap();
        }
        log
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Only a test that failed leaves it running.
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}
