//! A program of the documentation, run as its reader would run it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::house::House;

/// Hooks that may call this machine, where the example listens.
pub(super) const HOOKS: &str =
    "[channel.webhook]\nkind = \"http\"\nallow_http = true\nallow_private = true\n";

/// The program; it ends with the test.
pub(super) struct Example {
    child: Child,
    lines: UnboundedReceiver<String>,
}

impl Example {
    /// Starts `docs/examples/<name>` for a unit of the house with what it reads, once it listens.
    pub(super) async fn start(
        name: &str,
        house: &House,
        unit: &str,
        token: &str,
        input: &str,
    ) -> Self {
        Self::start_at(name, &house.base, unit, token, input).await
    }

    /// The same where the house is reached elsewhere.
    pub(super) async fn start_at(
        name: &str,
        base: &str,
        unit: &str,
        token: &str,
        input: &str,
    ) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/");
        let mut child = Command::new("python3")
            .arg(format!("{script}{name}"))
            .env("FENLIU_API", format!("{base}/api/v1"))
            .env("FENLIU_TOKEN", token)
            .env("FENLIU_UNIT", unit)
            .env("LISTEN", "127.0.0.1:0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (said, lines) = unbounded_channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| said.send(line))
        });
        let mut example = Self { child, lines };
        assert_eq!(example.line().await, "listening");
        example
    }

    /// What it says next.
    pub(super) async fn line(&mut self) -> String {
        self.lines.recv().await.expect("the example has ended")
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
