//! The report at the end of a demonstration: figures of the API and of the stream, checked against
//! the event log, which is replayed and verified as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use serde::Serialize;

use super::board::Words;
use super::driver::{Driver, lock, missing};
use crate::domain::Role;
use crate::gate::{Gate, Retold};

/// The flat statuses of a referral that the card names.
const CARD: [&str; 9] = [
    "received",
    "routed",
    "accepted",
    "returned_to_110",
    "disputed",
    "ruled_by_government",
    "handling",
    "resolved",
    "overdue",
];

/// Matters are counted so often before they are said not to stand still.
const READINGS: usize = 50;

/// What a demonstration came to.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Calls played.
    pub calls: usize,
    /// Calls by what the guard made of them: `divert`, `ask`, `keep`; `unread` without a router.
    pub guard: BTreeMap<String, u64>,
    /// Referrals by flat status at the end.
    pub referrals_by_status: BTreeMap<String, i64>,
    /// Flat statuses of the card that were reached.
    pub states_reached: Vec<String>,
    /// Flat statuses of the card that were not.
    pub states_missing: Vec<String>,
    /// Events in the log, by workflow and kind.
    pub events_by_kind: BTreeMap<String, u64>,
    /// Limits that ran out, by workflow and clock.
    pub limits_run_out: BTreeMap<String, u64>,
    /// Reports to the emergency office that were not made in time.
    pub report_breaches: BTreeMap<String, u64>,
    /// Messages written, by channel.
    pub messages: BTreeMap<String, u64>,
    /// Commands acknowledged to the players.
    pub commands_acknowledged: u64,
    /// Commands refused, by code.
    pub commands_refused: BTreeMap<String, u64>,
    /// Requests that were repeated because no answer came.
    pub requests_repeated: u64,
    /// Acknowledged commands that are not in the store: must be 0.
    pub commands_lost: u64,
    /// Instances in the store.
    pub instances: u64,
    /// Events in the store.
    pub events: u64,
    /// Instances whose chain of hashes is whole.
    pub chains_verified: u64,
    /// Instances whose events, decided again, give exactly the stored instance.
    pub instances_replayed: u64,
    /// Instances with any difference: must be 0.
    pub instances_differing: u64,
    /// What is not as it should be; empty when all is well.
    pub faults: Vec<String>,
    /// What people call things.
    #[serde(skip)]
    words: Words,
}

/// Makes the report.
pub(super) async fn make(
    gate: &Gate,
    driver: &Driver,
    calls: usize,
    words: Words,
) -> Result<Report, String> {
    let mut faults = Vec::new();
    let lost = lost(driver).await?;
    let (door, verified) = (gate.clone(), tokio::task::spawn_blocking);
    let log = verified(move || door.verify()).await.map_err(|error| error.to_string())?;
    let found = log.map_err(|error| error.to_string())?;
    let log = &found.tally;
    let of_log = counted(gate, driver, &mut faults).await?;
    if lost > 0 {
        faults.push(format!("{lost} acknowledged commands are not in the store"));
    }
    if let Some(fault) = &found.first_fault {
        faults.push(fault.clone());
    }
    let reached: BTreeSet<&str> =
        log.statuses_seen.iter().filter_map(|name| name.strip_prefix("referral.")).collect();
    let (have, missing): (Vec<&str>, Vec<&str>) =
        CARD.iter().copied().partition(|status| reached.contains(status));
    let run_out = |suffix: &str| {
        let kinds = log.run_out.iter().filter(move |(name, _)| name.ends_with(suffix));
        kinds.map(|(name, n)| (name.clone(), *n)).collect::<BTreeMap<_, _>>()
    };
    Ok(Report {
        calls,
        guard: lock(&driver.tally.guard).clone(),
        referrals_by_status: of_log,
        states_reached: have.into_iter().map(str::to_owned).collect(),
        states_missing: missing.into_iter().map(str::to_owned).collect(),
        events_by_kind: log.kinds.clone(),
        limits_run_out: run_out(""),
        report_breaches: run_out(".phone").into_iter().chain(run_out(".written")).collect(),
        messages: log.messages.clone(),
        commands_acknowledged: driver.tally.acknowledged.load(Ordering::Relaxed),
        commands_refused: lock(&driver.tally.codes).clone(),
        requests_repeated: driver.tally.repeated.load(Ordering::Relaxed),
        commands_lost: lost,
        instances: found.instances,
        events: found.events,
        chains_verified: found.chains_ok,
        instances_replayed: found.replayed,
        instances_differing: found.differing_count,
        faults,
        words,
    })
}

/// Referrals by flat status, counted three ways: by the API, from the rows and from the event log. Clocks
/// go on meanwhile, so the API is asked before and after, until both answers are the same.
async fn counted(
    gate: &Gate,
    driver: &Driver,
    faults: &mut Vec<String>,
) -> Result<BTreeMap<String, i64>, String> {
    let mut shown = shown_by_api(driver).await?;
    for _ in 0..READINGS {
        let (door, told) = (gate.clone(), tokio::task::spawn_blocking);
        let retold = told(move || door.retell("referral")).await.map_err(|e| e.to_string())?;
        let Retold { rows, log, versions, events } = retold.map_err(|error| error.to_string())?;
        let again = shown_by_api(driver).await?;
        if shown != again {
            shown = again;
            continue;
        }
        if rows != log {
            faults.push(format!("the rows count {rows:?}, the event log {log:?}"));
        }
        if versions != events {
            faults.push(format!("the rows are at {versions} events in sum, the log has {events}"));
        }
        if shown != log {
            faults.push(format!("the API counts {shown:?}, the event log {log:?}"));
        }
        return Ok(log);
    }
    Err(format!("the matters did not stand still during {READINGS} readings"))
}

async fn shown_by_api(driver: &Driver) -> Result<BTreeMap<String, i64>, String> {
    let counts = driver.look("desk", Role::Dispatcher, "/counts?workflow=referral").await;
    let counts = counts.map_err(|error| error.to_string())?;
    serde_json::from_value(counts["statuses"].clone()).map_err(|error| error.to_string())
}

/// Acknowledged commands that have no event of their own in the history that people read.
async fn lost(driver: &Driver) -> Result<u64, String> {
    let told = lock(&driver.tally.told).clone();
    let mut lost = 0;
    for (id, told) in told {
        let mut events = Vec::new();
        let mut next = Some("1".to_owned());
        while let Some(from) = next {
            let path = format!("/instances/{id}/events?limit=200&from={from}");
            // The emergency office sees every matter of the county.
            let page = driver.look("emergency_office", Role::Duty, &path).await;
            let page = page.map_err(|error| error.to_string())?;
            let items = page["items"].as_array().into_iter().flatten();
            events.extend(items.filter_map(|event| {
                Some((event["seq"].as_i64()?, event["kind"].as_str()?.to_owned()))
            }));
            next = page["next"].as_str().map(str::to_owned);
        }
        lost += u64::try_from(missing(&told, &events)).unwrap_or(u64::MAX);
    }
    Ok(lost)
}

/// The column at which what is said of a label begins.
const COLUMN: usize = 28;

/// A label in both languages, and what is said of it, in a column of its own.
fn row(label: &str, said: &str) -> String {
    // Chinese characters take two columns.
    let wide: usize = label.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum();
    format!("{label}{}{said}", " ".repeat(COLUMN.saturating_sub(wide)))
}

/// Figures with the names of what they count; nothing is said in words.
fn list<'n>(figures: impl Iterator<Item = (String, &'n u64)>) -> String {
    let words: Vec<String> = figures.map(|(name, n)| format!("{name} {n}")).collect();
    if words.is_empty() { "无 none".to_owned() } else { words.join(", ") }
}

/// What the guard made of a call, or the channel of a message, for people.
fn titled(code: &str) -> String {
    let zh = match code {
        "divert" => "可分流",
        "ask" => "先询问",
        "keep" => "留处",
        "unread" => "未识别",
        "sms" => "短信",
        "email" => "邮件",
        "console" => "系统",
        "webhook" => "接口",
        other => return other.to_owned(),
    };
    format!("{zh} {code}")
}

impl Report {
    /// The report for people.
    #[must_use]
    pub fn draw(&self) -> String {
        let plain = |table: &BTreeMap<String, u64>| list(table.iter().map(|(c, n)| (titled(c), n)));
        let clocks = |table: &BTreeMap<String, u64>| {
            list(table.iter().map(|(c, n)| (self.words.clock(c), n)))
        };
        let status = |status: &String| self.words.status(status);
        let referrals = self.referrals_by_status.iter();
        let referrals: Vec<String> =
            referrals.map(|(code, n)| format!("{} {n}", status(code))).collect();
        let reached: Vec<String> = self.states_reached.iter().map(status).collect();
        let verdict = if self.faults.is_empty() {
            "一切正常 all is as it should be".to_owned()
        } else {
            self.faults.join("; ")
        };
        [
            "── 结果 report ─────────────────────────────────────────────".to_owned(),
            "剧本中安排了逾期和报告超时；结论只判断数据是否完整、一致、无丢失".to_owned(),
            "Overdue matters and breaches are part of the script; the verdict is about integrity."
                .to_owned(),
            row("来电 calls", &self.calls.to_string()),
            row("险情识别 guard", &plain(&self.guard)),
            row("事项 referrals", &referrals.join(", ")),
            row("状态 states reached", &reached.join(", ")),
            row("超时 limits run out", &clocks(&self.limits_run_out)),
            row("报告超时 report breaches", &clocks(&self.report_breaches)),
            row("提醒 messages", &plain(&self.messages)),
            row("命令 commands", &format!("{} acknowledged", self.commands_acknowledged)),
            row("未接受 refused", &plain(&self.commands_refused)),
            row("丢失 lost", &self.commands_lost.to_string()),
            row("事件 events", &format!("{} in {} instances", self.events, self.instances)),
            row("链 chains verified", &self.chains_verified.to_string()),
            row(
                "重放 replayed",
                &format!(
                    "{} alike, {} differing",
                    self.instances_replayed, self.instances_differing
                ),
            ),
            row("结论 verdict", &verdict),
            String::new(),
        ]
        .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_begins_in_one_column_whatever_the_label_is_written_in() {
        for label in ["来电 calls", "报告超时 report breaches", "链 chains verified"] {
            let row = row(label, "7");
            let wide: usize = row.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum();
            assert_eq!(wide, COLUMN + 1, "{row}");
        }
    }
}
