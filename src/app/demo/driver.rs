//! Playing desk, units and emergency office through the HTTP API, as their own programs would.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use crate::clock::{Clock, FastClock};
use crate::domain::{Instant, Role};

/// A command is repeated with the same key until it is answered, at most so many times.
const TRIES: usize = 200;

/// Milliseconds between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Acknowledged commands by the instance's id outside: the version of the answer, and the command; none
/// for what opened the instance.
pub type Told = BTreeMap<String, Vec<(i64, Option<String>)>>;

/// How many acknowledged commands of an instance have no event of their own among its events (number
/// and kind, in order): each has one that came after the command acknowledged before it.
pub(super) fn missing(told: &[(i64, Option<String>)], events: &[(i64, String)]) -> usize {
    let mut told: Vec<_> = told.iter().collect();
    told.sort_unstable();
    let mut taken = 0;
    let mut missing = 0;
    for (version, command) in told {
        let own = events.iter().find(|(seq, kind)| {
            *seq > taken && seq <= version && command.as_ref().is_none_or(|name| name == kind)
        });
        match own {
            Some((seq, _)) => taken = *seq,
            None => missing += 1,
        }
    }
    missing
}

/// What the driver found out about the service while playing.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) acknowledged: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) repeated: AtomicU64,
    /// What was acknowledged, by the instance's id outside.
    pub(super) told: Mutex<Told>,
    /// What the guard made of calls: may be diverted, asked about, kept.
    pub(super) guard: Mutex<BTreeMap<String, u64>>,
    /// Refusals by code.
    pub(super) codes: Mutex<BTreeMap<String, u64>>,
}

/// Everybody's hands: one HTTP client and a token for each post.
pub(super) struct Driver {
    client: reqwest::Client,
    base: String,
    admin: String,
    /// Who has which post.
    posts: BTreeMap<(String, Role), Json>,
    tokens: Mutex<BTreeMap<(String, Role), String>>,
    bodies: BTreeMap<String, String>,
    zone: TimeZone,
    pub(super) clock: FastClock,
    pub(super) tally: Tally,
    keys: AtomicU64,
    run: String,
}

/// Why the play cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the service does not answer: {0}")]
    Silent(String),
    #[error("the service answered {status} to {what}: {body}")]
    Unexpected { what: String, status: u16, body: String },
    #[error("nobody is {0} in this jurisdiction")]
    Nobody(String),
}

/// What came of a command.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Done(Json),
    Refused(String),
}

impl Driver {
    /// Learns who is who. Tokens are made when a post is first played.
    pub(super) async fn new(
        base: &str,
        admin: &str,
        bodies: BTreeMap<String, String>,
        zone: TimeZone,
        clock: FastClock,
    ) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .pool_max_idle_per_host(64)
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| Error::Silent(error.to_string()))?;
        let mut driver = Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
            admin: admin.to_owned(),
            posts: BTreeMap::new(),
            tokens: Mutex::default(),
            bodies,
            zone,
            clock,
            tally: Tally::default(),
            keys: AtomicU64::new(0),
            run: clock.anchor().0.to_string(),
        };
        let people = driver.get(admin, "/people").await?;
        for person in people["items"].as_array().into_iter().flatten() {
            for grant in person["grants"].as_array().into_iter().flatten() {
                let role = grant["role"].as_str().and_then(|code| code.parse::<Role>().ok());
                if let (Some(role), Some(unit)) = (role, grant["unit"].as_str()) {
                    let post = (unit.to_owned(), role);
                    driver.posts.entry(post).or_insert_with(|| person["id"].clone());
                }
            }
        }
        Ok(driver)
    }

    /// The unit that plays a party; the name itself for a unit's code.
    pub(super) fn unit<'u>(&'u self, party: &'u str) -> &'u str {
        self.bodies.get(party).map_or(party, String::as_str)
    }

    async fn token(&self, party: &str, role: Role) -> Result<String, Error> {
        let post = (self.unit(party).to_owned(), role);
        if let Some(token) = lock(&self.tokens).get(&post) {
            return Ok(token.clone());
        }
        let person = self.posts.get(&post);
        let person = person.ok_or_else(|| Error::Nobody(format!("{party}.{role}")))?;
        let body = json!({ "person": person, "label": "demo", "strong": true });
        let answer = self.post(&self.admin, "/tokens", &body, None).await?;
        let Outcome::Done(issued) = answer else {
            return Err(Error::Nobody(format!("{party}.{role}")));
        };
        let secret = issued["token"].as_str().unwrap_or_default().to_owned();
        lock(&self.tokens).insert(post, secret.clone());
        Ok(secret)
    }

    /// Whether somebody has this post.
    pub(super) fn has(&self, party: &str, role: Role) -> bool {
        self.posts.contains_key(&(self.unit(party).to_owned(), role))
    }

    /// Reads something as a post sees it.
    pub(super) async fn look(&self, party: &str, role: Role, path: &str) -> Result<Json, Error> {
        self.get(&self.token(party, role).await?, path).await
    }

    /// Gives a command; repeated with the same key until it is answered.
    pub(super) async fn give(
        &self,
        party: &str,
        role: Role,
        id: &str,
        command: &str,
        input: Json,
    ) -> Result<Outcome, Error> {
        let token = self.token(party, role).await?;
        let body = json!({ "command": command, "input": input });
        self.act(&token, &format!("/instances/{id}/commands"), &body).await
    }

    /// Opens an instance.
    pub(super) async fn open(
        &self,
        party: &str,
        role: Role,
        workflow: &str,
        input: Json,
    ) -> Result<Outcome, Error> {
        let token = self.token(party, role).await?;
        let body = json!({ "workflow": workflow, "input": input });
        self.act(&token, "/instances", &body).await
    }

    async fn act(&self, token: &str, path: &str, body: &Json) -> Result<Outcome, Error> {
        let key = format!("demo-{}-{}", self.run, self.keys.fetch_add(1, Ordering::Relaxed));
        let outcome = self.post(token, path, body, Some(&key)).await?;
        match &outcome {
            Outcome::Done(answer) => {
                self.tally.acknowledged.fetch_add(1, Ordering::Relaxed);
                if let (Some(id), Some(version)) =
                    (answer["id"].as_str(), answer["version"].as_i64())
                {
                    let command = body["command"].as_str().map(str::to_owned);
                    let mut told = lock(&self.tally.told);
                    told.entry(id.to_owned()).or_default().push((version, command));
                }
            }
            Outcome::Refused(code) => {
                self.tally.refused.fetch_add(1, Ordering::Relaxed);
                *lock(&self.tally.codes).entry(code.clone()).or_default() += 1;
            }
        }
        Ok(outcome)
    }

    async fn post(
        &self,
        token: &str,
        path: &str,
        body: &Json,
        key: Option<&str>,
    ) -> Result<Outcome, Error> {
        let mut last = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.tally.repeated.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(PAUSE).await;
            }
            let url = format!("{}/api/v1{path}", self.base);
            let mut request = self.client.post(url).bearer_auth(token).json(body);
            if let Some(key) = key {
                request = request.header("Idempotency-Key", key);
            }
            match request.send().await {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    let text = match answer.text().await {
                        Ok(text) => text,
                        Err(error) => {
                            last = error.to_string();
                            continue;
                        }
                    };
                    let json: Json = serde_json::from_str(&text).unwrap_or_default();
                    match status {
                        200..=299 => return Ok(Outcome::Done(json)),
                        503 => text.clone_into(&mut last),
                        403 | 404 | 409 | 412 | 422 => {
                            let code = json["code"].as_str().unwrap_or("unknown");
                            return Ok(Outcome::Refused(code.to_owned()));
                        }
                        _ => {
                            let what = format!("POST {path}");
                            return Err(Error::Unexpected { what, status, body: text });
                        }
                    }
                }
                Err(error) => last = error.to_string(),
            }
        }
        Err(Error::Silent(last))
    }

    async fn get(&self, token: &str, path: &str) -> Result<Json, Error> {
        let mut last = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let url = format!("{}/api/v1{path}", self.base);
            match self.client.get(url).bearer_auth(token).send().await {
                Ok(answer) if answer.status().is_success() => match answer.json().await {
                    Ok(json) => return Ok(json),
                    Err(error) => last = error.to_string(),
                },
                Ok(answer) if answer.status().as_u16() == 503 => "busy".clone_into(&mut last),
                Ok(answer) => {
                    let (what, status) = (format!("GET {path}"), answer.status().as_u16());
                    let body = answer.text().await.unwrap_or_default();
                    return Err(Error::Unexpected { what, status, body });
                }
                Err(error) => last = error.to_string(),
            }
        }
        Err(Error::Silent(last))
    }

    /// The day of the play, so many days from today, as an office writes it.
    pub(super) fn clock_date(&self, days: i64) -> String {
        let at = self.clock.now().plus(days.saturating_mul(86_400_000));
        at.timestamp().to_zoned(self.zone.clone()).date().to_string()
    }

    /// Waits until the clock of the play has reached an instant.
    pub(super) async fn wait_until(&self, until: Instant) {
        tokio::time::sleep(self.clock.wait_until(until)).await;
    }

    /// Waits for so many minutes of the play.
    pub(super) async fn wait(&self, minutes: i64) {
        self.wait_until(self.clock.now().plus(minutes.saturating_mul(60_000))).await;
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn a_command_that_is_gone_is_missed_though_a_clock_came_after_it() {
        let told = [(1, None), (2, Some("route".to_owned())), (3, Some("accept".to_owned()))];
        let events = |kinds: &[&str]| -> Vec<(i64, String)> {
            (1..).zip(kinds.iter().map(|kind| (*kind).to_owned())).collect()
        };
        assert_eq!(missing(&told, &events(&["register", "route", "accept"])), 0);
        assert_eq!(missing(&told, &events(&["register", "route", "clock.accept", "accept"])), 1);
        assert_eq!(missing(&told, &events(&["register", "clock.desk_route", "accept"])), 1);
        assert_eq!(missing(&told, &events(&[])), 3);
        let twice = [(2, Some("note".to_owned())), (4, Some("note".to_owned()))];
        assert_eq!(missing(&twice, &events(&["register", "note", "clock.a", "clock.b"])), 1);
    }
}
