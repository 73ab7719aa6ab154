//! Whatever comes in, nothing falls: workflow files, expressions, what an SMS centre sends, bodies of
//! requests. Each input that is kept in `tests/corpus` is tried as it is, and with random edits, the same
//! in every run (`make test SEED=7` makes others).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant as Monotonic};

use fenliu::channel::Incoming;
use fenliu::channel::smpp::{Bind, Options, Smpp};
use fenliu::chart;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::channel;
use tokio::time::timeout;

use super::http::office::{Office, read};

/// Nothing small may take so long, whatever else the machine does.
const LONGEST: Duration = Duration::from_secs(20);

/// So much more memory (MiB) than before means that something grows without end.
const MOST_MEMORY: u64 = 2048;

/// The seed of this run.
#[expect(clippy::disallowed_methods, reason = "a knob of the tests, not of the product")]
fn seed() -> u64 {
    std::env::var("PROPTEST_RNG_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_180_701)
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn of(target: &str) -> Self {
        Self(target.bytes().fold(seed(), |all, byte| all.wrapping_mul(31) + u64::from(byte)))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Some edits of one input: bytes changed, pieces taken out, doubled, put elsewhere, words put in,
    /// the end of another input.
    fn edited(&mut self, inputs: &[Vec<u8>], words: &[&[u8]]) -> Vec<u8> {
        let mut bytes = self.pick(inputs).clone();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            let to = (at + 1 + self.below(40)).min(bytes.len());
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                1 => drop(bytes.drain(at.min(to)..to)),
                2 => {
                    let piece = bytes[at.min(to)..to].to_vec();
                    let piece = piece.repeat(1 + self.below(50));
                    bytes.splice(at..at, piece);
                }
                3 => {
                    let piece: Vec<u8> = bytes.drain(at.min(to)..to).collect();
                    let there = self.below(bytes.len() + 1);
                    bytes.splice(there..there, piece);
                }
                4 => drop(bytes.splice(at..at, self.pick(words).to_vec())),
                5 => bytes.truncate(at),
                _ => {
                    let other = self.pick(inputs);
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[self.below(other.len() + 1)..]);
                }
            }
        }
        bytes.truncate(65_536);
        bytes
    }
}

fn corpus(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn lines(file: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.as_bytes().to_vec()).collect()
}

/// The most memory that this process ever had, MiB.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// Tries every input as it is, and `count` edited ones: `work` neither falls, nor goes on without end.
fn hold(name: &str, inputs: &[Vec<u8>], words: &[&[u8]], count: usize, work: impl Fn(&[u8])) {
    let (mut dice, before) = (Dice::of(name), most_memory());
    let edited: Vec<Vec<u8>> = (0..count).map(|_| dice.edited(inputs, words)).collect();
    for input in inputs.iter().chain(&edited) {
        let begun = Monotonic::now();
        let fell = catch_unwind(AssertUnwindSafe(|| work(input))).is_err();
        let shown =
            || format!("{name}: keep this in tests/corpus: {:?}", String::from_utf8_lossy(input));
        assert!(!fell, "it fell over {}", shown());
        assert!(begun.elapsed() < LONGEST, "it took {:?} over {}", begun.elapsed(), shown());
        let more = most_memory().saturating_sub(before);
        assert!(more < MOST_MEMORY, "it took {more} MiB over {}", shown());
    }
}

// Check 27.
#[test]
fn no_workflow_file_makes_its_reader_fall() {
    let read = |path: PathBuf| std::fs::read(path).unwrap();
    let mut inputs: Vec<Vec<u8>> =
        corpus("tests/corpus/definition").into_iter().map(read).collect();
    // The shipped ones are long: their shapes are tried with fewer edits.
    let shipped: Vec<Vec<u8>> = corpus("workflows").into_iter().map(read).collect();
    let words: [&[u8]; 12] = [
        b"&a ",
        b"*a",
        b"<<: *a\n",
        b"!!str ",
        b"{",
        b"[",
        b"\n  - ",
        b": ",
        b"\"\\u0000\"",
        b"| \n",
        b"99999999999999999999",
        "等级".as_bytes(),
    ];
    let compile = |bytes: &[u8]| drop(chart::compile(&String::from_utf8_lossy(bytes)));
    hold("shipped workflows", &shipped, &words, 40, compile);
    inputs.push(super::http::office::WORKFLOW.as_bytes().to_vec());
    hold("workflows", &inputs, &words, 1500, compile);
}

// Check 26.
#[test]
fn no_expression_makes_its_checker_fall() {
    let inputs = lines("expression/expressions.txt");
    let words: [&[u8]; 14] = [
        b"(",
        b")",
        b"!",
        b"-",
        b" && ",
        b" || ",
        b" ? ",
        b" : ",
        b"'",
        b"count",
        b"tier",
        b"has(",
        b"real('1h')",
        "'民政局'".as_bytes(),
    ];
    let small =
        corpus("tests/corpus/definition").into_iter().find(|path| path.ends_with("small.yaml"));
    let small = std::fs::read_to_string(small.unwrap()).unwrap();
    hold("expressions", &inputs, &words, 3000, |bytes| {
        // A JSON text is one of YAML, too.
        let text = serde_json::Value::from(String::from_utf8_lossy(bytes)).to_string();
        drop(chart::compile(&small.replacen("\"count < 9\"", &text, 1)));
        drop(chart::compile(&small.replacen("\"real('1h')\"", &text, 1)));
    });
}

/// A centre that says yes to whoever binds, and then sends what it is given.
async fn centre(listener: &TcpListener) -> TcpStream {
    let (mut line, _) = timeout(LONGEST, listener.accept()).await.expect("it comes back").unwrap();
    let mut head = [0_u8; 16];
    line.read_exact(&mut head).await.unwrap();
    let length = usize::try_from(u32::from_be_bytes(head[..4].try_into().unwrap())).unwrap();
    let mut body = vec![0_u8; length - 16];
    line.read_exact(&mut body).await.unwrap();
    let mut answer = 23_u32.to_be_bytes().to_vec();
    answer.extend(0x8000_0009_u32.to_be_bytes());
    answer.extend(0_u32.to_be_bytes());
    answer.extend(&head[12..16]);
    answer.extend(b"centre\0");
    line.write_all(&answer).await.unwrap();
    line
}

fn unhex(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    fenliu::domain::event::unhex(text.split_whitespace().next().unwrap()).unwrap()
}

#[tokio::test]
async fn whatever_an_sms_centre_sends_the_next_answer_of_a_person_arrives() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, mut inbox) = channel(4096);
    let soon = Duration::from_millis(20);
    let options = Options {
        tls: false,
        roots: Vec::new(),
        allow_clear_text: false,
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        bind: Bind::Transceiver,
        system_id: "fenliu".to_owned(),
        password: "s3cret".to_owned(),
        system_type: String::new(),
        source: String::new(),
        source_kind: (0, 0),
        recipient_kind: (0, 0),
        window: 10,
        receipts: true,
        wide_reference: false,
        idle: Duration::from_secs(30),
        answer: Duration::from_secs(10),
        pause: soon,
        again: soon,
        again_max: soon,
        time: Duration::from_secs(15),
    };
    let _smpp = Smpp::start(options, sender).unwrap();
    let inputs: Vec<Vec<u8>> =
        lines("smpp/deliveries.hex").iter().map(|line| unhex(line)).collect();
    let good = inputs[0].clone();
    let words: [&[u8]; 6] =
        [b"\0", b"\xff\xff\xff\xff", b"\0\0\0\x10", b"\0\0\0\x05", b"\x04\x24\0\x08", b"stat:"];
    let mut dice = Dice::of("smpp");
    let edited = (0..1200).map(|_| dice.edited(&inputs, &words)).collect::<Vec<_>>();
    let all: Vec<Vec<u8>> = inputs.iter().cloned().chain(edited).collect();
    for some in all.chunks(20) {
        let mut line = centre(&listener).await;
        for bytes in some {
            // It may hang up on what cannot be read on.
            if line.write_all(bytes).await.is_err() {
                break;
            }
        }
        // It reads everything before it hears that the line is closed.
        if line.shutdown().await.is_ok() {
            let mut said = Vec::new();
            let over = timeout(LONGEST, line.read_to_end(&mut said)).await;
            drop(over.expect("it hangs up, too"));
        }
    }
    let mut line = centre(&listener).await;
    line.write_all(&good).await.unwrap();
    let wanted = |one: &Incoming| matches!(one, Incoming::Reply { from, text } if from == "13800000072" && text == "收到");
    // What the edits made of it may have arrived before.
    let begun = Monotonic::now();
    loop {
        let one = timeout(LONGEST, inbox.recv()).await.expect("it arrives").unwrap();
        if wanted(&one) {
            break;
        }
        assert!(begun.elapsed() < LONGEST);
    }
}

// Check 28.
#[tokio::test]
async fn no_body_of_a_request_makes_the_service_fall() {
    let office = Office::county().await;
    let call = json!({ "input": { "text": "半夜施工", "place": "葛城街道",
        "category": "noise.construction-night", "kind": "complaint", "caller_phone": "000" } });
    let opened = office.post("gongan.dispatcher", "/api/v1/referrals", call).await.ok(201);
    let id = opened["id"].as_str().unwrap().to_owned();
    let inputs = lines("http/bodies.txt");
    let words: [&[u8]; 12] = [
        b"{",
        b"[",
        b"\"",
        b"null",
        b"-1",
        b"1e999",
        b"99999999999999999999",
        b"\\u0000",
        b"\\ud800",
        b",",
        b"\"input\":{}",
        "\"民政局\"".as_bytes(),
    ];
    let split = |line: &[u8]| -> (Method, String, Vec<u8>) {
        let text = String::from_utf8_lossy(line).into_owned();
        let mut parts = text.splitn(3, ' ').map(str::to_owned);
        let method = parts.next().unwrap().parse().unwrap();
        let path = parts.next().unwrap().replace("{id}", &id);
        (method, path, parts.next().unwrap().into_bytes())
    };
    let places: Vec<(Method, String, Vec<u8>)> = inputs.iter().map(|line| split(line)).collect();
    let bodies: Vec<Vec<u8>> = places.iter().map(|(_, _, body)| body.clone()).collect();
    let mut dice = Dice::of("http");
    let whole = places.iter().cloned();
    let edited: Vec<_> = (0..1200)
        .map(|_| {
            let (method, path, _) = dice.pick(&places).clone();
            (method, path, dice.edited(&bodies, &words))
        })
        .collect();
    for (method, path, body) in whole.chain(edited) {
        // The administrator may ask for most of it, the desk for the rest.
        let who =
            if path.contains("referrals") { "gongan.dispatcher" } else { "yingji.administrator" };
        let shown = String::from_utf8_lossy(&body).into_owned();
        let request = office.ask(who, method, &path).header("content-type", "application/json");
        let answer = timeout(LONGEST, read(request.body(body))).await.expect("it answers");
        assert!(answer.status < 500, "{path} {shown}: {} {}", answer.status, answer.text);
        if answer.status >= 400 {
            assert!(answer.json["code"].is_string(), "{path} {shown}: {}", answer.text);
        }
    }
    assert_eq!(office.get("nobody", "/ready").await.ok(200)["ready"], true);
}
