//! `fenliu alerts rehearse`: who would be told, when, by which channel; without sending anything, and
//! beside a running service.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::DateTime;

use super::workflow::{Report, yaml_files};
use crate::calendar::Calendar;
use crate::chart::expression::Type;
use crate::chart::{self, Chart, finding};
use crate::clock::{Clock, SystemClock};
use crate::config::database::only_file;
use crate::config::jurisdiction::Jurisdiction;
use crate::config::settings::Settings;
use crate::domain::{self, Instant, JurisdictionId, Language, PersonId, Tier};
use crate::engine::run::rehearsal::{Ladder, Rung};
use crate::gate::{Flow, Ground, Rehearsal, RehearsalWish, spoken, step, stored_ground};
use crate::http;
use crate::roster::Rosters;
use crate::store::{Options, Store};

/// What is to be rehearsed, as the command line says it.
#[derive(Debug, Clone, clap::Args)]
pub struct Wish {
    /// When: `2026-10-01 03:00` in the jurisdiction's zone, or RFC 3339.
    #[arg(long)]
    at: String,
    /// `ordinary`, `larger`, `major` or `extraordinary`.
    #[arg(long, default_value = "ordinary")]
    tier: String,
    /// The unit that has the matter; else the first one.
    #[arg(long)]
    unit: Option<String>,
    /// One workflow only.
    #[arg(long)]
    workflow: Option<String>,
    /// How many repetitions at the end of a ladder are shown.
    #[arg(long, default_value_t = 2)]
    repeats: usize,
    /// The jurisdiction's code; else the only one.
    #[arg(long)]
    jurisdiction: Option<String>,
    /// As JSON, as the API shows it.
    #[arg(long)]
    json: bool,
}

/// Rehearses by the database of the settings; by the founding files where there is none yet.
///
/// # Errors
/// What cannot be read, or is not there.
pub fn rehearse(settings: &Settings, wish: &Wish) -> Result<Report, String> {
    let (ground, source) = ground(settings, wish)?;
    let tier = Tier::from_code(&wish.tier).ok_or_else(|| {
        let known = Tier::ALL.map(Tier::code).join(", ");
        format!("there is no tier `{}`; tiers are {known}", wish.tier)
    })?;
    let asked = RehearsalWish {
        at: at(&wish.at, &ground)?,
        tier,
        unit: wish.unit.clone(),
        workflow: wish.workflow.clone(),
        repeats: wish.repeats,
    };
    let rehearsal = ground.rehearse(&asked).map_err(|error| match (&error, &wish.workflow) {
        (crate::gate::Error::NotFound, Some(workflow)) => {
            let known: Vec<&str> =
                ground.charts.iter().map(|chart| chart.workflow.as_str()).collect();
            format!("there is no workflow `{workflow}`; workflows are {}", known.join(", "))
        }
        _ => error.to_string(),
    })?;
    if wish.json {
        let text = http::rehearsal_shown(&ground, &rehearsal).map_err(|error| error.to_string())?;
        return Ok(Report::of(text + "\n"));
    }
    Ok(Report::of(Table { ground: &ground, rehearsal: &rehearsal }.draw(&source)))
}

fn at(text: &str, ground: &Ground) -> Result<Instant, String> {
    if let Ok(at) = Instant::parse(text) {
        return Ok(at);
    }
    let wrong = || format!("`--at {text}` is no time; write such as \"2026-10-01 03:00\"");
    let civil: DateTime = text.trim().parse().map_err(|_parse| wrong())?;
    let zoned = civil.to_zoned(ground.calendar.zone().clone()).map_err(|_gap| wrong())?;
    Ok(Instant::from(zoned.timestamp()))
}

/// What the rehearsal is by, and where that comes from.
fn ground(settings: &Settings, wish: &Wish) -> Result<(Ground, String), String> {
    let url = settings.database_url();
    let file = url.strip_prefix("sqlite:");
    if file.is_some_and(|file| !Path::new(file).exists()) {
        let ground = founding(settings)?;
        return Ok((ground, "founding".to_owned()));
    }
    let options = Options { read_only: true, ..super::house::options(settings) };
    let store = Store::open(&url, options).map_err(|error| error.to_string())?;
    let now = SystemClock::new().now();
    let ground = stored_ground(&store, wish.jurisdiction.as_deref(), now);
    let ground = ground.map_err(|error| match error {
        crate::gate::Error::NotFound if wish.jurisdiction.is_none() => {
            super::house::empty(&store.address()).to_string()
        }
        crate::gate::Error::NotFound => "there is no such jurisdiction in the database".to_owned(),
        other => other.to_string(),
    })?;
    Ok((ground, "database".to_owned()))
}

fn founding(settings: &Settings) -> Result<Ground, String> {
    let files = &settings.founding;
    let read = |path: &Path| {
        let path = only_file(&settings.beside(path))?;
        let text = std::fs::read_to_string(&path);
        text.map_err(|error| format!("{}: {error}", path.display()))
    };
    let who = Jurisdiction::from_yaml(&read(&files.jurisdiction)?).map_err(|e| e.to_string())?;
    let calendar = Calendar::from_yaml(&read(&files.calendar)?).map_err(|e| e.to_string())?;
    let mut charts = Vec::new();
    for file in yaml_files(&settings.beside(&files.workflows))? {
        let source = std::fs::read_to_string(&file);
        let source = source.map_err(|error| format!("{}: {error}", file.display()))?;
        let (chart, findings) = chart::compile(&source);
        let broken = || finding::draw(&file.display().to_string(), &source, &findings);
        charts.push(Arc::new(chart.ok_or_else(broken)?));
    }
    Ok(Ground {
        charts,
        calendar,
        directory: Arc::new(who.directory(JurisdictionId(0))),
        rosters: Arc::new(Rosters::new(who.rosters())),
    })
}

/// A rehearsal for people, Chinese first.
struct Table<'t> {
    ground: &'t Ground,
    rehearsal: &'t Rehearsal,
}

impl Table<'_> {
    fn draw(&self, source: &str) -> String {
        let Rehearsal { at, tier, unit, flows, faults, .. } = self.rehearsal;
        let named = self.ground.directory.units.get(unit);
        let unit_name = named.map(|unit| unit.name.zh.as_str()).unwrap_or_default();
        let (title, zh) = (tier.title(), self.time(*at));
        let from = match source {
            "founding" => {
                "依据初始文件，尚无数据库 by the founding files, there is no database yet"
            }
            _ => "依据数据库 by the database",
        };
        let mut text = format!(
            "提醒演练 {zh}，{}，承办单位{unit_name}；{from}\n\
             rehearsal: {}, unit {unit}; nothing is sent, and nobody acts\n",
            title.zh, title.en
        );
        for flow in flows {
            line(&mut text, 0, &format!("\n■ {} {}", flow.title.zh, flow.workflow));
            for ladder in &flow.ladders {
                self.ladder(&mut text, flow, ladder);
            }
        }
        if faults.is_empty() {
            line(&mut text, 0, "\n没有发现问题 nothing is wrong");
        } else {
            let count = faults.len();
            line(
                &mut text,
                0,
                &format!(
                    "\n▲ 发现{count}个问题 {count} {}",
                    if count == 1 { "fault" } else { "faults" }
                ),
            );
            for fault in faults {
                line(&mut text, 2, &format!("- {}", fault.zh));
                line(&mut text, 4, &fault.en);
            }
        }
        text
    }

    fn time(&self, at: Instant) -> String {
        spoken(at, self.ground.calendar.zone(), Language::Zh)
    }

    fn ladder(&self, text: &mut String, flow: &Flow, ladder: &Ladder) {
        let due = if ladder.limit.is_empty() {
            "期限由事项决定 a field of the matter decides".to_owned()
        } else {
            format!("到期 due {}", self.time(ladder.due))
        };
        line(text, 2, &format!("{} {}  {due}", ladder.title.zh, ladder.clock));
        for rung in &ladder.rungs {
            self.rung(text, flow, ladder, rung);
        }
        if ladder.goes_on {
            line(text, 4, "…… 此后继续重复，直至有人处理 and so on until somebody acts");
        }
    }

    fn rung(&self, text: &mut String, flow: &Flow, ladder: &Ladder, rung: &Rung) {
        let via: Vec<&str> = rung.via.iter().map(|channel| channel_word(channel)).collect();
        let (at, step, via) = (self.time(rung.at), step(rung).zh, via.join("、"));
        let chart = self.ground.charts.iter().find(|chart| chart.workflow == flow.workflow);
        let said = chart.map(|chart| self.said(chart, ladder, &rung.text)).unwrap_or_default();
        let within = rung.acknowledge_within.map(|within| {
            let minutes = within / 60_000;
            format!("  {minutes}分钟内须确认 within {minutes} min")
        });
        let within = within.unwrap_or_default();
        line(text, 4, &format!("{at}  {step}  {via}  {}{within}  {said}", rung.text));
        for place in &rung.places {
            let people: Vec<String> =
                place.people.iter().map(|person| self.person(*person, &rung.via)).collect();
            let people =
                if people.is_empty() { "无人 nobody".to_owned() } else { people.join("；") };
            line(text, 8, &format!("{}：{people}", self.ground.place(place).zh));
        }
        if rung.people().is_empty() {
            line(text, 8, "▲ 此级无人，立即进入下一级 empty: the next step comes at once");
        }
    }

    /// A text as far as it is known without a matter: what only a matter tells stands by its title.
    fn said(&self, chart: &Chart, ladder: &Ladder, text: &str) -> String {
        let words = chart.texts.get(text).map(|text| text.zh.as_str()).unwrap_or_default();
        domain::fill(words, |name| match name {
            "number" => "〔编号〕".to_owned(),
            "status" => "〔状态〕".to_owned(),
            "stage" => "〔阶段〕".to_owned(),
            "holder" => "〔承办单位〕".to_owned(),
            "clock" => ladder.title.zh.clone(),
            "due" if ladder.limit.is_empty() => "〔期限〕".to_owned(),
            "due" => self.time(ladder.due),
            name => match chart.fields.get(name) {
                Some(field) if field.ty == Type::Tier => self.rehearsal.tier.title().zh,
                Some(field) => format!("〔{}〕", field.title.zh),
                None => format!("〔{name}〕"),
            },
        })
    }

    /// A person with the channels of a step, and what is proved.
    fn person(&self, id: PersonId, via: &[String]) -> String {
        let person = self.ground.directory.people.get(&id);
        let name = person.map_or_else(|| id.to_string(), |person| person.name.clone());
        let ways = self.rehearsal.ways.get(&id).map(Vec::as_slice).unwrap_or_default();
        if ways.is_empty() {
            return format!("{name}（▲无法通知 cannot be reached）");
        }
        let mut said = Vec::new();
        let wished = ways.iter().filter(|way| way.wished).map(|way| &way.channel);
        let also = wished.filter(|channel| !via.contains(channel));
        for channel in via.iter().chain(also).filter(|channel| *channel != "console") {
            let word = channel_word(channel);
            said.push(match ways.iter().find(|way| way.channel == *channel) {
                None => format!("{word}▲无地址"),
                Some(way) => match way.verified_at {
                    Some(at) => format!("{word}{} 已验证{}", way.address, self.day(at)),
                    None => format!("{word}{} 未验证", way.address),
                },
            });
        }
        if said.is_empty() { name } else { format!("{name}（{}）", said.join("，")) }
    }

    fn day(&self, at: Instant) -> String {
        let zoned = at.timestamp().to_zoned(self.ground.calendar.zone().clone());
        zoned.strftime("%Y-%m-%d").to_string()
    }
}

fn channel_word(channel: &str) -> &str {
    match channel {
        "sms" => "短信",
        "email" => "邮件",
        "console" => "系统",
        "webhook" => "接口",
        other => other,
    }
}

fn line(text: &mut String, indent: usize, words: &str) {
    // Writing to a string cannot fail.
    writeln!(text, "{:indent$}{words}", "").unwrap_or_default();
}
