//! Calendar files (iCalendar, RFC 5545): shifts as events, and events as duties.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, ToSpan as _, Zoned};

use super::icalendar_lines::{self as lines, Line, escape, push, quote};
use super::{ENTRIES_MAX, Entry, Scene, Wrong};
use crate::domain::{Directory, Instant, PersonId};
use crate::roster::{Roster, Shift, knows};

/// The head of a calendar: its name, and when it was made.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Who is who.
    pub directory: &'a Directory,
    /// The zone in which its times are written.
    pub zone: &'a TimeZone,
    /// When it was made.
    pub made: Instant,
}

/// Shifts of some rosters as a calendar. A shift keeps its UID as long as it begins when it did,
/// whoever comes.
#[must_use]
pub fn write(head: Head<'_>, duties: &[(&Roster, Vec<Shift>)]) -> String {
    let mut out = String::new();
    for line in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//fenliu//duty roster//ZH"] {
        push(&mut out, line);
    }
    push(&mut out, "CALSCALE:GREGORIAN");
    push(&mut out, "METHOD:PUBLISH");
    push(&mut out, &format!("X-WR-CALNAME:{}", escape(head.name)));
    let all = || duties.iter().flat_map(|(_, shifts)| shifts);
    let from = all().map(|shift| shift.from).min().unwrap_or(head.made);
    let until = all().map(|shift| shift.until).max().unwrap_or(head.made);
    if let Some(name) = zone_name(head.zone) {
        zone(&mut out, name, head.zone, (from, until));
    }
    for (roster, shifts) in duties {
        for shift in shifts {
            event(&mut out, head, roster, shift);
        }
    }
    push(&mut out, "END:VCALENDAR");
    out
}

/// The zone's name, if times can be written in it.
fn zone_name(zone: &TimeZone) -> Option<&str> {
    zone.iana_name().filter(|name| *name != "UTC")
}

fn event(out: &mut String, head: Head<'_>, roster: &Roster, shift: &Shift) {
    let Head { directory, made, .. } = head;
    let source = match (shift.rotation, shift.stand_in) {
        (Some(rotation), _) => format!("r{rotation}"),
        (None, Some(id)) => format!("s{id}"),
        (None, None) => "x".to_owned(),
    };
    let name = |person: PersonId| {
        let known = directory.people.get(&person);
        known.map_or_else(|| person.to_string(), |person| person.name.clone())
    };
    push(out, "BEGIN:VEVENT");
    let uid = format!("{}-{source}-{}@{}.fenliu", roster.code, shift.from.0, directory.code);
    push(out, &format!("UID:{}", escape(&uid)));
    push(out, &format!("DTSTAMP:{}", utc(made)));
    push(out, &time("DTSTART", shift.from, head.zone));
    push(out, &time("DTEND", shift.until, head.zone));
    let summary = format!("{} {}", roster.title.zh, name(shift.person));
    push(out, &format!("SUMMARY:{}", escape(&summary)));
    if let Some(gone) = shift.instead_of {
        push(out, &format!("DESCRIPTION:{}", escape(&format!("代{}", name(gone)))));
    }
    let person = directory.people.get(&shift.person);
    if let Some(email) = person.and_then(|person| person.email.as_deref()) {
        let email: String = email.chars().filter(|c| !c.is_control()).collect();
        push(out, &format!("ATTENDEE;CN={}:mailto:{email}", quote(&name(shift.person))));
    }
    push(out, "TRANSP:OPAQUE");
    push(out, "END:VEVENT");
}

fn utc(at: Instant) -> String {
    TimeZone::UTC.to_datetime(at.timestamp()).strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn time(property: &str, at: Instant, zone: &TimeZone) -> String {
    match zone_name(zone) {
        Some(name) => {
            let civil = zone.to_datetime(at.timestamp()).strftime("%Y%m%dT%H%M%S");
            format!("{property};TZID={name}:{civil}")
        }
        None => format!("{property}:{}", utc(at)),
    }
}

/// What the zone does within a span: one observance for each of its changes.
fn zone(out: &mut String, name: &str, zone: &TimeZone, (from, until): (Instant, Instant)) {
    let first = zone.to_offset_info(from.timestamp());
    let mut now = first.offset();
    let start = zone.preceding(from.timestamp()).next();
    let start = start.map_or(DateTime::constant(1970, 1, 1, 0, 0, 0, 0), |change| {
        now.to_datetime(change.timestamp())
    });
    let mut changes = vec![(first.dst().is_dst(), start, now, now)];
    for change in zone.following(from.timestamp()) {
        if Instant::from(change.timestamp()) > until {
            break;
        }
        let civil = now.to_datetime(change.timestamp());
        changes.push((change.dst().is_dst(), civil, now, change.offset()));
        now = change.offset();
    }
    let shown = |offset: Offset| {
        let minutes = offset.seconds().abs() / 60;
        let sign = if offset.seconds() < 0 { '-' } else { '+' };
        format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
    };
    push(out, "BEGIN:VTIMEZONE");
    push(out, &format!("TZID:{name}"));
    for (is_dst, civil, before, after) in changes {
        let kind = if is_dst { "DAYLIGHT" } else { "STANDARD" };
        push(out, &format!("BEGIN:{kind}"));
        push(out, &format!("DTSTART:{}", civil.strftime("%Y%m%dT%H%M%S")));
        push(out, &format!("TZOFFSETFROM:{}", shown(before)));
        push(out, &format!("TZOFFSETTO:{}", shown(after)));
        push(out, &format!("END:{kind}"));
    }
    push(out, "END:VTIMEZONE");
}

/// An event as it is read.
#[derive(Default)]
struct Event {
    line: usize,
    start: Option<Line>,
    end: Option<Line>,
    duration: Option<Line>,
    repeats: Option<usize>,
    cancelled: bool,
    summary: String,
    note: String,
    mails: Vec<String>,
}

/// Reads a calendar file: one duty for each event; every event that cannot be taken with the
/// reason. Cancelled events are left out.
#[must_use]
pub fn read(scene: Scene<'_>, text: &str) -> (Vec<Entry>, Vec<Wrong>) {
    let (mut entries, mut wrong) = (Vec::new(), Vec::new());
    let properties = lines::read(text);
    let begins = properties
        .first()
        .is_some_and(|line| line.name == "BEGIN" && line.value.eq_ignore_ascii_case("VCALENDAR"));
    if !begins {
        let (zh, en) =
            ("不是iCalendar文件", "this is no iCalendar file: BEGIN:VCALENDAR is missing");
        return (entries, vec![Wrong::new(1, zh, en)]);
    }
    let zones = fixed_zones(&properties);
    let mut open: Vec<&str> = Vec::new();
    let mut event = Event::default();
    for line in &properties {
        match line.name.as_str() {
            "BEGIN" => {
                open.push(&line.value);
                if line.value.eq_ignore_ascii_case("VEVENT") {
                    event = Event { line: line.number, ..Event::default() };
                }
            }
            "END" => {
                open.pop();
                if !line.value.eq_ignore_ascii_case("VEVENT") || event.cancelled {
                    continue;
                }
                if entries.len() + wrong.len() >= ENTRIES_MAX {
                    let (zh, en) = (
                        format!("一次最多{ENTRIES_MAX}个日程，请分开导入"),
                        format!("at most {ENTRIES_MAX} events at once; split the file"),
                    );
                    wrong.push(Wrong::new(line.number, zh, en));
                    return (entries, wrong);
                }
                match duty(scene, &zones, &event) {
                    Ok(entry) => entries.push(entry),
                    Err(fault) => wrong.push(fault),
                }
            }
            _ if open.last().is_some_and(|kind| kind.eq_ignore_ascii_case("VEVENT")) => {
                event.take(line);
            }
            _ => {}
        }
    }
    if !open.is_empty() {
        let last = properties.last().map_or(1, |line| line.number);
        let (zh, en) = ("文件不完整：缺少END", "the file is cut off: an END is missing");
        wrong.push(Wrong::new(last, zh, en));
    }
    (entries, wrong)
}

impl Event {
    fn take(&mut self, line: &Line) {
        match line.name.as_str() {
            "DTSTART" => self.start = Some(line.clone()),
            "DTEND" => self.end = Some(line.clone()),
            "DURATION" => self.duration = Some(line.clone()),
            "RRULE" | "RDATE" => self.repeats = Some(line.number),
            "STATUS" => self.cancelled = line.value.eq_ignore_ascii_case("CANCELLED"),
            "SUMMARY" => lines::unescape(&line.value).trim().clone_into(&mut self.summary),
            "DESCRIPTION" => {
                self.note = lines::unescape(&line.value).trim().chars().take(2_000).collect();
            }
            "ATTENDEE" => {
                let mail = line.value.trim();
                let scheme = mail.get(..7).filter(|head| head.eq_ignore_ascii_case("mailto:"));
                let mail = scheme.and_then(|head| mail.get(head.len()..)).unwrap_or(mail);
                self.mails.push(mail.to_ascii_lowercase());
            }
            _ => {}
        }
    }
}

/// Zones that a file brings along and that never change: those with one offset. (Calendars name
/// zones in their own ways.)
fn fixed_zones(properties: &[Line]) -> BTreeMap<String, TimeZone> {
    let mut offsets: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    let mut name: Option<&str> = None;
    for line in properties {
        match (line.name.as_str(), name) {
            ("TZID", _) => name = Some(&line.value),
            ("END", _) if line.value.eq_ignore_ascii_case("VTIMEZONE") => name = None,
            ("TZOFFSETTO", Some(name)) => {
                if let Some(seconds) = offset_seconds(&line.value) {
                    offsets.entry(name.to_owned()).or_default().insert(seconds);
                }
            }
            _ => {}
        }
    }
    let fixed = offsets.into_iter().filter_map(|(name, offsets)| {
        let only = offsets.first().filter(|_| offsets.len() == 1)?;
        Some((name, TimeZone::fixed(Offset::from_seconds(*only).ok()?)))
    });
    fixed.collect()
}

/// `+0800` or `-023000`.
fn offset_seconds(text: &str) -> Option<i32> {
    let digits = text.trim();
    let sign = if digits.starts_with('-') { -1 } else { 1 };
    let digits = digits.trim_start_matches(['+', '-']);
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i32>().ok();
    Some(sign * (part(0..2)? * 3600 + part(2..4)? * 60 + part(4..6).unwrap_or(0)))
}

fn duty(
    scene: Scene<'_>,
    zones: &BTreeMap<String, TimeZone>,
    event: &Event,
) -> Result<Entry, Wrong> {
    if let Some(line) = event.repeats {
        let (zh, en) = (
            "不支持重复日程；请导出为单个日程，或在值班表中设轮班",
            "repeated events are not taken; write single ones, or a rotation in the roster",
        );
        return Err(Wrong::new(line, zh, en));
    }
    let missing = |what: &str| {
        let (zh, en) = (format!("缺少{what}"), format!("the event has no {what}"));
        Wrong::new(event.line, zh, en)
    };
    let start = event.start.as_ref().ok_or_else(|| missing("DTSTART"))?;
    let (from, whole_day) = moment(scene, zones, start)?;
    let until = match (&event.end, &event.duration) {
        (Some(end), _) => moment(scene, zones, end)?.0,
        (None, Some(line)) => {
            let span = line.value.trim().parse::<Span>().ok();
            let end = span.and_then(|span| from.checked_add(span).ok());
            end.ok_or_else(|| unreadable(line, "P1D或PT8H", "P1D or PT8H"))?
        }
        // An event of a date without an end lasts that day.
        (None, None) if whole_day => from.saturating_add(1.days()),
        (None, None) => return Err(missing("DTEND")),
    };
    let person = who(scene, event).map_err(|(zh, en)| Wrong::new(event.line, zh, en))?;
    let instant = |zoned: &Zoned| Instant::from(zoned.timestamp());
    Ok(Entry {
        line: event.line,
        from: instant(&from),
        until: instant(&until),
        person,
        instead_of: None,
        note: event.note.clone(),
    })
}

fn unreadable(line: &Line, zh: &str, en: &str) -> Wrong {
    let (name, value) = (&line.name, &line.value);
    Wrong::new(
        line.number,
        format!("{name}：“{value}”读不出来；请写作{zh}"),
        format!("{name}: `{value}` cannot be read; write such as {en}"),
    )
}

/// A time, and whether it is a date alone (its midnight).
fn moment(
    scene: Scene<'_>,
    zones: &BTreeMap<String, TimeZone>,
    line: &Line,
) -> Result<(Zoned, bool), Wrong> {
    let wrong = || unreadable(line, "20261123T083000", "20261123T083000");
    let zone = match line.parameter("TZID") {
        None => scene.zone.clone(),
        Some(name) => {
            let known = TimeZone::get(name.trim_start_matches('/')).ok();
            known.or_else(|| zones.get(name).cloned()).ok_or_else(|| {
                Wrong::new(
                    line.number,
                    format!("没有时区“{name}”；请用IANA名称，如Asia/Shanghai"),
                    format!(
                        "there is no time zone `{name}`; use an IANA name such as Asia/Shanghai"
                    ),
                )
            })?
        }
    };
    let value = line.value.trim();
    if value.len() == 8 {
        let date = Date::strptime("%Y%m%d", value).map_err(|_form| wrong())?;
        return Ok((date.to_zoned(zone).map_err(|_range| wrong())?, true));
    }
    let (civil, zone) = match value.strip_suffix('Z') {
        Some(civil) => (civil, TimeZone::UTC),
        None => (value, zone),
    };
    let civil = DateTime::strptime("%Y%m%dT%H%M%S", civil).map_err(|_form| wrong())?;
    Ok((civil.to_zoned(zone).map_err(|_range| wrong())?, false))
}

/// Who is meant: an attendee's mail, else the name in the summary.
fn who(scene: Scene<'_>, event: &Event) -> Result<PersonId, (String, String)> {
    let Scene { roster, directory, .. } = scene;
    let has_mail = |person: &&crate::domain::Person| {
        let mail = person.email.as_ref().map(|email| email.to_ascii_lowercase());
        mail.is_some_and(|mail| event.mails.contains(&mail))
    };
    let people = || {
        directory.people.values().filter(|one| knows(directory, &roster.unit, roster.role, one.id))
    };
    let mut invited: Vec<PersonId> = people().filter(has_mail).map(|person| person.id).collect();
    if invited.len() != 1 {
        // The longest name in the summary counts: one may be part of another.
        let named = people().filter(|one| event.summary.contains(&one.name));
        let longest = named.clone().map(|one| one.name.chars().count()).max().unwrap_or(0);
        let named = named.filter(|one| one.name.chars().count() == longest);
        invited = named.map(|person| person.id).collect();
    }
    match invited.as_slice() {
        [one] => Ok(*one),
        [] => Err((
            format!("日程“{}”中没有本值班表角色的人员姓名，也没有其邮箱", event.summary),
            format!(
                "the event `{}` names nobody who has the roster's role, nor invites their mail",
                event.summary
            ),
        )),
        _ => Err((
            format!("日程“{}”指向多人；请只写一人，或邀请其邮箱", event.summary),
            format!(
                "the event `{}` may mean several people; name one, or invite their mail",
                event.summary
            ),
        )),
    }
}
