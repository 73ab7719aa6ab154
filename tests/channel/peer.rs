//! A program that a channel talks to: started on a free port, told what to do and asked what it saw
//! in lines of JSON, ended with the test.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// A running program.
pub(crate) struct Peer {
    child: Child,
    input: ChildStdin,
    events: UnboundedReceiver<Json>,
    pub(crate) port: u16,
}

/// So long an event is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

impl Peer {
    /// Starts a script of `tests/peers`.
    pub(crate) async fn start(script: &str, settings: &Json) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        assert!(folder.join("node_modules").is_dir(), "the peers are missing: `make setup-test`");
        let mut command = Command::new("node");
        command.arg(folder.join(script)).arg(settings.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir(&folder);
        let mut child = command.spawn().expect("node cannot be started: `make setup-test`");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, events) = unbounded_channel();
        std::thread::spawn(move || {
            for line in output.lines() {
                let Ok(line) = line else { return };
                let event = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let mut peer = Self { child, input, events, port: 0 };
        let port = peer.expect("listening").await["port"].as_u64().unwrap();
        peer.port = u16::try_from(port).unwrap();
        peer
    }

    /// Tells it to do something; it has understood when this returns.
    pub(crate) async fn tell(&mut self, what: &Json) -> Vec<Json> {
        let mut line = what.to_string();
        line.push('\n');
        self.input.write_all(line.as_bytes()).unwrap();
        self.input.flush().unwrap();
        let mut before = Vec::new();
        loop {
            let event = self.next().await;
            if event["event"] == "told" {
                return before;
            }
            before.push(event);
        }
    }

    async fn next(&mut self) -> Json {
        let event = timeout(PATIENCE, self.events.recv()).await;
        event.expect("the peer says nothing").expect("the peer has ended")
    }

    /// The next thing it saw, which must be of this kind.
    #[track_caller]
    pub(crate) fn expect(&mut self, kind: &str) -> impl Future<Output = Json> {
        let (kind, place) = (kind.to_owned(), std::panic::Location::caller());
        async move {
            let event = self.next().await;
            assert_eq!(event["event"], kind, "{place}: {event:#}");
            event
        }
    }

    /// The next thing of this kind; what is seen before it does not matter here.
    pub(crate) async fn wait_for(&mut self, kind: &str) -> Json {
        loop {
            let event = self.next().await;
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Everything that was seen and not read yet, of one kind.
    pub(crate) fn unread(&mut self, kind: &str) -> Vec<Json> {
        let mut unread = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            if event["event"] == kind {
                unread.push(event);
            }
        }
        unread
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends by itself too, when its input closes.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
