//! Whole life cycles over HTTP: register, route, accept, contact, progress, resolve, confirm.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::client::{Client, Tokens, tokens};
use super::postgres::{Baseline, Cluster};
use super::service::{Service, folder};

/// The unit that handles every matter of the benchmark.
const UNIT: &str = "huanbao";

/// The commands of a life after it was registered: who, what, with which input.
const LIFE: [(bool, &str, &str); 6] = [
    (true, "route", r#"{"unit":"huanbao"}"#),
    (false, "accept", "{}"),
    (false, "contacted_caller", r#"{"how":"phone","reached":true}"#),
    (false, "progress", r#"{"note":"已派人到现场查看"}"#),
    (false, "resolve", r#"{"result":"已处置完毕，问题解决。","caller_told":"by_phone"}"#),
    (true, "confirm", r#"{"satisfaction":"satisfied"}"#),
];

const REGISTER: &str = r#"{"workflow":"referral","input":{"text":"工地夜间施工，吵得睡不着","place":"葛城街道","category":"noise.construction-night","kind":"complaint","caller_name":"来电人","caller_phone":"00000000000"}}"#;

/// What was measured with so many clients.
pub struct Row {
    pub clients: usize,
    pub rate: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// CPU time of the service for each command.
    pub cpu_us: f64,
    /// CPU time of the PostgreSQL server for each command.
    pub server_us: f64,
    pub memory_mib: f64,
}

/// One command each time; latencies are noted.
pub struct Load {
    pub until: Instant,
    pub micros: Rc<RefCell<Vec<u32>>>,
}

impl Load {
    /// Gives one command and notes how long it took.
    pub async fn timed(&self, client: &mut Client, path: &str, token: &str, body: &str) -> String {
        let begun = Instant::now();
        let (status, answer) = client.ask("POST", path, token, body).await;
        assert!(status < 300, "{path} {body}: {status} {answer}");
        let answer = answer.to_owned();
        let micros = u32::try_from(begun.elapsed().as_micros()).unwrap();
        self.micros.borrow_mut().push(micros);
        answer
    }
}

/// The id in an answer.
pub fn id_of(answer: &str) -> &str {
    let rest = answer.split("\"id\":\"").nth(1).unwrap_or_else(|| panic!("no id in {answer}"));
    rest.split('"').next().unwrap()
}

async fn live(address: String, tokens: Tokens, load: Rc<Load>) {
    let mut client = Client::connect(&address).await;
    while Instant::now() < load.until {
        let opened = load.timed(&mut client, "/api/v1/instances", &tokens.desk, REGISTER).await;
        let path = format!("/api/v1/instances/{}/commands", id_of(&opened));
        for (desk, command, input) in LIFE {
            let token = if desk { &tokens.desk } else { &tokens.unit };
            let body = format!(r#"{{"command":"{command}","input":{input}}}"#);
            load.timed(&mut client, &path, token, &body).await;
        }
    }
}

/// Runs so many clients for a while.
pub async fn run(service: &Service, tokens: &Tokens, clients: usize, span: Duration) -> Row {
    let micros = Rc::new(RefCell::new(Vec::with_capacity(1_000_000)));
    let load = Rc::new(Load { until: Instant::now() + span, micros: Rc::clone(&micros) });
    let (cpu, begun) = (service.cpu_seconds(), Instant::now());
    let local = tokio::task::LocalSet::new();
    for _ in 0..clients {
        let (address, tokens, load) = (service.address.clone(), tokens.clone(), Rc::clone(&load));
        local.spawn_local(live(address, tokens, load));
    }
    local.await;
    row(service, clients, cpu, begun, &micros.borrow())
}

/// The figures of a run.
pub fn row(service: &Service, clients: usize, cpu: f64, begun: Instant, micros: &[u32]) -> Row {
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = service.cpu_seconds() - cpu;
    let mut sorted = micros.to_vec();
    sorted.sort_unstable();
    let at = |part: f64| f64::from(sorted[(sorted.len() as f64 * part) as usize]) / 1000.0;
    Row {
        clients,
        rate: sorted.len() as f64 / seconds,
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        cpu_us: cpu * 1e6 / sorted.len() as f64,
        server_us: 0.0,
        memory_mib: service.memory_mib(),
    }
}

/// So many clients, one number after the other, each against a fresh store.
pub async fn measure(kind: &str, cluster: &Cluster, numbers: &[usize], span: Duration) -> Vec<Row> {
    let mut rows = Vec::new();
    for &clients in numbers {
        let folder = folder(kind);
        let url = match kind {
            "postgres" => cluster.database(&format!("fenliu_{clients}")),
            _ => String::new(),
        };
        let service = Service::start(&folder, &url, None);
        let tokens = tokens(&service.address, &service.admin, UNIT).await;
        run(&service, &tokens, clients.min(16), Duration::from_secs(1)).await;
        let server = cluster.cpu_seconds();
        let row = run(&service, &tokens, clients, span).await;
        let server = cluster.cpu_seconds() - server;
        let commands = row.rate * span.as_secs_f64();
        rows.push(Row { server_us: server * 1e6 / commands, ..row });
        drop(service);
        std::fs::remove_dir_all(folder).unwrap();
    }
    rows
}

/// A table with the ratios to pgbench.
pub fn print(rows: &[Row], baseline: &Baseline) {
    println!(
        "| clients | commands/s | x pgbench tps | p50 ms | p99 ms | p99 / pgbench mean | p99 / pgbench p99 | CPU us | server CPU us | own MiB |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for row in rows {
        println!(
            "| {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} | {:.0} |",
            row.clients,
            row.rate,
            row.rate / baseline.tps,
            row.p50_ms,
            row.p99_ms,
            row.p99_ms / baseline.mean_ms,
            row.p99_ms / baseline.p99_ms,
            row.cpu_us,
            row.server_us,
            row.memory_mib
        );
    }
    println!();
}
