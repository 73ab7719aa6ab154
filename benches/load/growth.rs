//! The same load on a store with ten thousand instances and on one with a million, fifty thousand of
//! them open: commands go to the open ones.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant as Begun};

use fenliu::domain::{Instance, InstanceId, Instant, StoredEvent};
use fenliu::gate::PublicIds;
use fenliu::gate::{Caller, Gate, Request, Target};
use fenliu::store::{Batch, ClockRow, Options, PartyRow, Store};

use super::client::{Client, tokens};
use super::clocks::{gate, register, sqlite};
use super::life::{Load, Row, row};
use super::postgres::Cluster;
use super::service::{Service, folder};

/// Clients that command at once.
const CLIENTS: usize = 64;

/// What was measured on one size.
pub struct Grown {
    instances: usize,
    open: usize,
    row: Row,
    started_ms: u128,
    file_mib: u64,
    mapped_mib: f64,
}

async fn give(
    gate: &Gate,
    caller: &Caller,
    id: InstanceId,
    command: &str,
    input: serde_json::Value,
) {
    let request = Request {
        caller: caller.clone(),
        target: Target::Instance(id),
        command: command.to_owned(),
        input: input.as_object().unwrap().clone(),
        occurred_at: None,
        key: None,
        if_version: None,
        about: None,
    };
    gate.submit(request).await.unwrap();
}

/// Fills a store with copies of one open and one closed matter; answers the ids of the open ones.
async fn fill(url: &str, instances: usize, open: usize) -> (Vec<InstanceId>, PublicIds) {
    let start = Instant::parse("2036-07-01T09:00:00+08:00").unwrap();
    let (gate, _clock, caller) = gate(url, start);
    let opened = gate.submit(register(&caller)).await.unwrap().receipt.instance;
    give(&gate, &caller, opened, "route", serde_json::json!({ "unit": "huanbao" })).await;
    let closed = gate.submit(register(&caller)).await.unwrap().receipt.instance;
    let answer = serde_json::json!({ "answer": "已告知办理流程。" });
    give(&gate, &caller, closed, "answer_at_desk", answer).await;
    let public = gate.public_ids();
    drop(gate);
    // The committers end with the last gate; the file's lock follows.
    std::thread::sleep(Duration::from_millis(300));
    let store = Store::open(url, Options::default()).unwrap();
    let mut writer = store.writer().unwrap();
    let templates: Vec<_> = [opened, closed]
        .iter()
        .map(|id| {
            store
                .read(|reader| {
                    let (instance, head) = reader.instance(*id)?.unwrap();
                    Ok((instance, head, reader.events(*id, 0, 100)?))
                })
                .unwrap()
        })
        .collect();
    let first = writer.transaction(|t| t.reserve_ids("instance", instances as i64 + 64)).unwrap();
    let every = instances / open;
    let mut ids = Vec::with_capacity(open);
    let mut batch = Batch::default();
    for number in 0..instances {
        let id = InstanceId(first + number as i64);
        let is_open = number % every == 0 && ids.len() < open;
        let (instance, head, events) = &templates[usize::from(!is_open)];
        if is_open {
            ids.push(id);
        }
        copy(&mut batch, instance, *head, events, id);
        if batch.created.len() == 2_000 || number + 1 == instances {
            writer.transaction(|t| t.write(&batch)).unwrap();
            batch = Batch::default();
        }
    }
    (ids, public)
}

fn copy(
    batch: &mut Batch,
    instance: &Instance,
    head: [u8; 32],
    events: &[StoredEvent],
    id: InstanceId,
) {
    let own = Instance { id, family: id, ..instance.clone() };
    for event in events {
        batch.events.push(StoredEvent { instance: id, ..event.clone() });
    }
    for (name, clock) in &own.clocks {
        let Some(wake_at) = clock.wake else { continue };
        batch.clocks_set.push(ClockRow {
            instance: id,
            name: name.clone(),
            jurisdiction: own.jurisdiction,
            wake_at,
            due_at: clock.due,
            tier: own.tier,
            entry: clock.entry,
            step: clock.step,
        });
    }
    if own.closed_at.is_none() {
        for unit in ["gongan", "huanbao"] {
            batch.parties.push(PartyRow {
                instance: id,
                unit: unit.to_owned(),
                jurisdiction: own.jurisdiction,
                from_seq: 1,
                to_seq: None,
            });
        }
    }
    batch.created.push((own.into(), head));
}

/// Urges random open matters.
async fn urge(address: String, token: String, load: Rc<Load>, paths: Rc<Vec<String>>, seed: u64) {
    let mut client = Client::connect(&address).await;
    let mut dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while Begun::now() < load.until {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let path = &paths[(dice % paths.len() as u64) as usize];
        load.timed(&mut client, path, &token, r#"{"command":"urge","input":{}}"#).await;
    }
}

async fn one(cluster: Option<&Cluster>, instances: usize, span: Duration) -> Grown {
    let open = (instances / 20).max(5_000);
    let name = format!("growth_{instances}");
    let folder = folder(&name);
    let url = cluster.map_or_else(|| sqlite(&folder), |cluster| cluster.database(&name));
    let (ids, public) = fill(&url, instances, open).await;
    if let Some(cluster) = cluster {
        // What autovacuum does within minutes of such a load.
        cluster.settle(&name);
    }
    let paths = ids.iter().map(|id| format!("/api/v1/instances/{}/commands", public.instance(*id)));
    let paths = Rc::new(paths.collect::<Vec<_>>());
    let admin = admin(&folder, &url);
    let service = Service::start(&folder, &url, Some(&admin));
    let started_ms = service.started_in.as_millis();
    let tokens = tokens(&service.address, &service.admin, "huanbao").await;
    let micros = Rc::new(RefCell::new(Vec::with_capacity(1_000_000)));
    let load = Rc::new(Load { until: Begun::now() + span, micros: Rc::clone(&micros) });
    let (cpu, begun) = (service.cpu_seconds(), Begun::now());
    let local = tokio::task::LocalSet::new();
    for client in 0..CLIENTS {
        let (address, token) = (service.address.clone(), tokens.desk.clone());
        let (load, paths) = (Rc::clone(&load), Rc::clone(&paths));
        local.spawn_local(urge(address, token, load, paths, client as u64 + 1));
    }
    local.await;
    let row = row(&service, CLIENTS, cpu, begun, &micros.borrow());
    let mapped_mib = service.mapped_mib();
    drop(service);
    let file_mib = match cluster {
        Some(cluster) => cluster.size_mib(&name),
        None => std::fs::metadata(folder.join("fenliu.db")).unwrap().len() / 1_048_576,
    };
    std::fs::remove_dir_all(folder).unwrap();
    Grown { instances, open, row, started_ms, file_mib, mapped_mib }
}

/// A token for the administrator, made on the command line as an operator would.
fn admin(folder: &std::path::Path, url: &str) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_fenliu"))
        .args(["token", "--person", "县应急办系统管理员"])
        .env("FENLIU_DATABASE_FOLDER", folder)
        .env("FENLIU_DATABASE_URL", url)
        .env("FENLIU_SERVER_REQUESTS_PER_SECOND", "0")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Ten thousand, then `large`; on SQLite, or on a cluster.
pub async fn measure(cluster: Option<&Cluster>, large: usize, span: Duration) -> [Grown; 2] {
    [one(cluster, 10_000, span).await, one(cluster, large, span).await]
}

/// A table, and the ratio.
pub fn print(kind: &str, grown: &[Grown]) {
    println!("## growth: commands to random open matters, {kind}, {CLIENTS} clients\n");
    println!(
        "| instances | open | commands/s | p99 ms | start ms | file MiB | own MiB | mapped MiB |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    for one in grown {
        println!(
            "| {} | {} | {:.0} | {:.2} | {} | {} | {:.0} | {:.0} |",
            one.instances,
            one.open,
            one.row.rate,
            one.row.p99_ms,
            one.started_ms,
            one.file_mib,
            one.row.memory_mib,
            one.mapped_mib
        );
    }
    let ratio = grown[1].row.rate / grown[0].row.rate;
    println!("\nlarge / small: {ratio:.2}\n");
}
