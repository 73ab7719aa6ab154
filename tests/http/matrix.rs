//! The table of rights, at every door: each operation of the API is tried with nobody, with the wrong
//! and with the right person, and the committed matrix says what is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fenliu::app::rights;
use fenliu::domain::Role;
use fenliu::policy::{Act, Column, Relation, reach};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{Answer, Office, read};

const DESK: &str = "gongan.dispatcher";

// Check 1.
#[test]
fn the_committed_matrix_of_rights_is_what_is_done() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = rights::report(&root.join("workflows")).unwrap();
    assert!(!made.failed, "a workflow names a role to which the table gives nothing (~~struck~~)");
    let committed = std::fs::read_to_string(root.join("docs/RIGHTS.md")).unwrap_or_default();
    let same = committed == made.text;
    assert!(same, "docs/RIGHTS.md is out of date: `fenliu rights > docs/RIGHTS.md`");
    // Nothing that is served or can be asked is missing in it.
    for (path, method) in fenliu::http::routes() {
        assert!(committed.contains(&format!("| {method} | `{path}` |")), "{method} {path}");
    }
    for file in fenliu::app::workflow::yaml_files(&root.join("workflows")).unwrap() {
        let source = std::fs::read_to_string(&file).unwrap();
        let chart = fenliu::chart::compile(&source).0.unwrap();
        let start = [&chart.start.name];
        for command in chart.commands.keys().chain(start) {
            let line = format!("| {} | {command} |", chart.workflow);
            assert!(committed.contains(&line), "{line}");
        }
    }
}

/// An operation of the API as its description has it.
struct Operation {
    method: Method,
    path: String,
    demand: &'static str,
    /// Whether it takes a body.
    body: bool,
}

async fn operations(office: &Office) -> Vec<Operation> {
    let api = office.get("nobody", "/api/openapi.json").await.ok(200);
    let demands: BTreeMap<(String, String), &str> = fenliu::http::demands()
        .into_iter()
        .map(|(path, method, demand)| ((path.replace(":.*", ""), method), demand))
        .collect();
    let mut all = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            all.push(Operation {
                demand: demands[&(path.clone(), method.clone())],
                method: method.parse().unwrap(),
                path: path.clone(),
                body: operation.get("requestBody").is_some(),
            });
        }
    }
    assert_eq!(all.len(), demands.len());
    all
}

impl Operation {
    /// The path with a matter's id, and something for every other part.
    fn at(&self, id: &str) -> String {
        let about_matter = self.path.contains("/referrals/") || self.path.contains("/instances/");
        let mut path = self.path.clone();
        if about_matter {
            path = path.replace("{id}", id);
        }
        for (part, value) in [
            ("{id}", "999999"),
            ("{name}", "accept"),
            ("{code}", "nosuch"),
            ("{source}", "nosuch"),
            ("{channel}", "sms"),
            ("{workflow}", "referral"),
            ("{number}", "1"),
            ("{version}", "nosuch"),
            ("{token}", "NOSUCH"),
            ("{file}", "index.css"),
        ] {
            path = path.replace(part, value);
        }
        path
    }

    async fn ask(&self, office: &Office, who: &str, id: &str, body: &Json) -> Answer {
        let request = office.ask(who, self.method.clone(), &self.at(id));
        read(if self.body { request.json(body) } else { request }).await
    }

    fn streams(&self) -> bool {
        self.path == "/api/v1/changes"
    }
}

// Checks 1, 2.
#[tokio::test]
async fn every_operation_is_refused_to_nobody_and_to_those_whose_roles_do_not_allow_it() {
    let office = Office::county().await;
    // One person for each role, and one without any.
    let mut people: BTreeMap<Role, String> = BTreeMap::new();
    for role in Role::ALL {
        let post = office.tokens.keys().find(|post| post.ends_with(&format!(".{role}")));
        people.insert(role, post.unwrap_or_else(|| panic!("nobody is {role}")).clone());
    }
    let id = "ins_0000000000000";
    let (mut refused, mut allowed, mut everything) = (0, 0, 0);
    for operation in operations(&office).await.iter().filter(|one| !one.streams()) {
        let name = format!("{} {}", operation.method, operation.path);
        let body = json!({});
        let nobody = operation.ask(&office, "nobody", id, &body).await;
        if operation.demand == "(public)" {
            assert!(![401, 403].contains(&nobody.status), "{name}: {}", nobody.text);
            continue;
        }
        assert_eq!(nobody.problem(401), "unauthorized", "{name}");
        for (role, who) in &people {
            let before = office.gate.figures().denied();
            let answer = operation.ask(&office, who, id, &body).await;
            // The door counts whom it sends away; what is refused behind it is refused for the thing.
            let at_the_door = office.gate.figures().denied() - before;
            let act = Act::from_code(operation.demand);
            let columns = [Some(Column::Role(*role)), county(who)];
            let may = act.is_none_or(|act| {
                columns.iter().flatten().any(|column| !reach(*column, act).is_nothing())
            });
            if may {
                allowed += 1;
                assert!(
                    answer.status != 401 && answer.status < 500,
                    "{name} {who}: {}",
                    answer.text
                );
                assert_ne!(answer.json["code"], "unauthorized", "{name} {who}");
                assert_eq!(at_the_door, 0, "{name} {who} was sent away");
                let all = |column: &Column| {
                    act.is_some_and(|act| reach(*column, act).includes(Relation::Other))
                };
                if columns.iter().flatten().any(all) {
                    everything += 1;
                    assert_ne!(answer.json["code"], "forbidden", "{name} as {who}, who may all");
                }
            } else {
                refused += 1;
                assert_eq!(answer.problem(403), "forbidden", "{name} as {who}");
                assert_eq!(at_the_door, 1, "{name} as {who} was let in");
            }
        }
    }
    assert!(refused > 250 && allowed > 300, "{refused} refused, {allowed} let through");
    assert!(everything > 250, "{everything} who may do it to everything");
}

/// A leader of the county government has a column more.
fn county(who: &str) -> Option<Column> {
    (who == "zhengfu.leader").then_some(Column::CountyLeader)
}

/// Twelve units and a matter of each, in several states.
async fn matters(office: &Office) -> Vec<(&'static str, String)> {
    let units = [
        "huanbao",
        "huimin",
        "ranqi",
        "gongdian",
        "minzheng",
        "renshe",
        "chengguan",
        "gongshang",
        "jiaotong",
        "shuiwu",
        "weiji",
        "lvyou",
    ];
    let mut matters = Vec::new();
    for (place, unit) in units.into_iter().enumerate() {
        let id = registered(office).await;
        let route = json!({ "command": "route", "input": { "unit": unit } });
        office.command(DESK, &id, route).await.ok(200);
        if place % 2 == 0 {
            let liaison = format!("{unit}.liaison");
            office.command(&liaison, &id, json!({ "command": "accept" })).await.ok(200);
        }
        matters.push((unit, id));
    }
    matters
}

/// What was tried, and what somebody learned by it.
#[derive(Default)]
struct Tally {
    attempts: usize,
    leaks: Vec<String>,
}

impl Tally {
    /// A foreign thing must be answered exactly as one that is not there.
    fn note(&mut self, foreign: &Answer, absent: &Answer, what: impl Fn() -> String) {
        self.attempts += 1;
        let same = foreign.status == absent.status
            && foreign.text == absent.text
            && foreign.header("content-length") == absent.header("content-length")
            && names(foreign) == names(absent);
        if !same || foreign.status < 400 {
            self.leaks.push(format!("{}: {} {}", what(), foreign.status, foreign.text));
        }
    }
}

// Checks 2, 3.
#[tokio::test]
async fn five_thousand_attempts_at_foreign_matters_learn_nothing() {
    let office = Office::county().await;
    let matters = matters(&office).await;
    let operations = operations(&office).await;
    let about_matters: Vec<&Operation> = operations
        .iter()
        .filter(|one| ["/referrals/{id}", "/instances/{id}"].iter().any(|p| one.path.contains(p)))
        .collect();
    assert!(about_matters.len() >= 18);
    let bodies = [
        json!({ "command": "accept" }),
        json!({ "command": "urge" }),
        json!({ "command": "no_such_command" }),
        json!({ "purpose": "核实情况联系来电人" }),
        json!({ "reason": "来电人要求删除" }),
        json!({ "command": "caller.revealed", "input": { "purpose": "核实情况" } }),
    ];
    let mut tally = Tally::default();
    for (unit, _) in &matters {
        let who = format!("{unit}.liaison");
        let foreign: Vec<_> = matters.iter().filter(|(owner, _)| owner != unit).collect();
        for operation in &about_matters {
            let tried = if operation.body { &bodies[..] } else { &bodies[..1] };
            for body in tried {
                let absent = operation.ask(&office, &who, "ins_0000000000000", body).await;
                for (owner, id) in &foreign {
                    let answer = operation.ask(&office, &who, id, body).await;
                    tally.note(&answer, &absent, || {
                        format!(
                            "{who} at {owner}'s: {} {} {body}",
                            operation.method, operation.path
                        )
                    });
                }
            }
        }
        // Lists show nothing of them either.
        let list = office.get(&who, "/api/v1/instances?limit=200").await;
        tally.attempts += foreign.len();
        let listed = foreign.iter().filter(|(_, id)| list.text.contains(id.as_str()));
        tally.leaks.extend(listed.map(|(_, id)| format!("{who} sees {id} in the list")));
    }
    let Tally { attempts, leaks } = tally;
    assert!(leaks.is_empty(), "{} of {attempts}: {:#?}", leaks.len(), &leaks[..leaks.len().min(5)]);
    assert!(attempts >= 5000, "{attempts} attempts");
}

// Checks 2, 3.
#[tokio::test]
async fn what_is_another_persons_or_another_units_own_is_as_if_it_were_not_there() {
    let office = Office::county().await;
    let owner = "huanbao.liaison";
    let id = registered(&office).await;
    let route = json!({ "command": "route", "input": { "unit": "huanbao" } });
    office.command(DESK, &id, route).await.ok(200);
    let me = office.get(owner, "/api/v1/me").await.ok(200)["person"]["id"].as_i64().unwrap();
    let ids = office.gate.public_ids();
    let message = ids.message(office.newest_to(me).await.id);
    let wish = json!({ "unit": "huanbao", "url": "https://hooks.example.org/fenliu" });
    let subscription =
        office.post(owner, "/api/v1/subscriptions", wish).await.ok(201)["id"].clone();
    let (no_message, nobody) = (ids.message(fenliu::domain::MessageId(987_654)), 999_999);
    let own = |path: &str, thing: &str| path.replace("{}", thing);
    let mut tally = Tally::default();
    for (method, path, thing, absent, body) in [
        (Method::GET, "/api/v1/messages/{}", message.clone(), no_message.clone(), None),
        // Without a body: whether one that nobody reads closes the connection is chance.
        (Method::POST, "/api/v1/messages/{}/acknowledge", message, no_message, None),
        (
            Method::PUT,
            "/api/v1/subscriptions/{}",
            subscription.to_string(),
            nobody.to_string(),
            Some(json!({ "active": false })),
        ),
        (
            Method::DELETE,
            "/api/v1/subscriptions/{}",
            subscription.to_string(),
            nobody.to_string(),
            None,
        ),
    ] {
        for unit in ["huimin", "ranqi", "minzheng", "chengguan"] {
            let who = format!("{unit}.liaison");
            let ask = async |thing: &str| {
                let request = office.ask(&who, method.clone(), &own(path, thing));
                read(if let Some(body) = &body { request.json(body) } else { request }).await
            };
            let (foreign, absent) = (ask(&thing).await, ask(&absent).await);
            tally.note(&foreign, &absent, || format!("{who}: {method} {path}"));
        }
    }
    assert!(tally.leaks.is_empty(), "{:#?}", tally.leaks);
    assert_eq!(tally.attempts, 16);
    // That there is such a person is known in the house; what is his own is not.
    for path in ["messages", "rules", "mutes"] {
        let path = format!("/api/v1/people/{me}/{path}");
        office.get(owner, &path).await.ok(200);
        let foreign = office.get("huimin.liaison", &path).await;
        assert!([403, 404].contains(&foreign.status), "{path}: {}", foreign.text);
    }
    // That somebody can be reached is known, too; how is masked.
    let path = format!("/api/v1/people/{me}/contacts");
    let own = office.get(owner, &path).await.ok(200);
    let foreign = office.get("huimin.liaison", &path).await;
    let own = own["items"].as_array().unwrap();
    assert!(!own.is_empty());
    for item in own {
        let address = item["address"].as_str().unwrap();
        assert!(!address.contains('*') && !foreign.text.contains(address), "{}", foreign.text);
    }
}

/// The headers of an answer, without the number that each request has.
fn names(answer: &Answer) -> BTreeSet<&str> {
    let names = answer.headers.keys().map(reqwest::header::HeaderName::as_str);
    names.filter(|name| !["x-request-id", "date"].contains(name)).collect()
}

async fn registered(office: &Office) -> String {
    let input = json!({ "text": "路灯不亮", "place": "葛城街道", "category": "env.waste-water",
        "kind": "help", "caller_phone": "000-0000-0001" });
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    opened["id"].as_str().unwrap().to_owned()
}
