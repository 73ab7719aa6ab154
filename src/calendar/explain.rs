//! The explanation of a due date: which days were counted, which were not, and why.

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use super::{
    Calendar, Limit,
    counting::{Counted, Reach},
    file::{dates, is_weekend},
    limit::{MINUTE, duration_in},
};
use crate::domain::{Instant, Text};

/// With more counted days than this, days that follow each other share a line.
const LONG: usize = 15;

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The day it speaks of, or the first one.
    pub date: Date,
    /// What happened to the count there.
    pub what: Text,
    /// The count after it: working days, working minutes, calendar days, or minutes.
    pub count: i64,
}

/// A due date with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The due instant.
    pub at: Instant,
    /// How it was counted, in order of time: the start, each counted day, the days left out, the
    /// warnings, the end.
    pub explanation: Vec<Line>,
    /// Whether a year without a confirmed notice was counted through, so that it may still move.
    pub unconfirmed: bool,
}

impl Calendar {
    /// The due instant of `limit` counted from `base` (rules: [`Calendar::due_at`]), with the
    /// explanation for officials and the warning of unconfirmed years.
    #[must_use]
    pub fn due(&self, base: Instant, limit: &Limit) -> Due {
        let mut counted = Vec::new();
        let reach = self.walk(base, limit, &mut |step| counted.push(step));
        let mut account = Account { calendar: self, lines: Vec::new(), count: 0 };
        account.start(base, limit);
        account.steps(self.date_of(base), &counted);
        account.moved(limit, &reach);
        account.warnings(limit, &reach);
        account.end(limit, &reach);
        let unconfirmed = self.unconfirmed_years(&reach).next().is_some();
        Due { at: reach.at, explanation: account.lines, unconfirmed }
    }

    /// The close of a day as a due instant, or of the next working day where it is a day off, with
    /// the explanation.
    #[must_use]
    pub fn due_on(&self, date: Date) -> Due {
        let at = self.close_on_or_after(date);
        let reached = self.date_of(at);
        let (zh_day, en_day) = weekday(date);
        let mut account = Account { calendar: self, lines: Vec::new(), count: 0 };
        if reached == date {
            let zh = format!("{date}{zh_day}为工作日，以当日下班时间为限");
            account.line(date, 0, zh, format!("{date} {en_day} is worked: its close of business"));
        } else {
            let zh = format!("{date}{zh_day}为休息日，顺延至下一个工作日{reached}");
            let en = format!("{date} {en_day} is a day off: it moves to {reached}");
            account.line(date, 0, zh, en);
        }
        account.close(reached, at);
        let unconfirmed = !self.is_confirmed(date.year()) || !self.is_confirmed(reached.year());
        Due { at, explanation: account.lines, unconfirmed }
    }

    /// An instant that nothing was counted for.
    #[must_use]
    pub fn due_at_instant(&self, at: Instant) -> Due {
        let mut account = Account { calendar: self, lines: Vec::new(), count: 0 };
        account.close(self.date_of(at), at);
        Due { at, explanation: account.lines, unconfirmed: false }
    }

    /// The years judged on the way that have no confirmed notice.
    fn unconfirmed_years(&self, reach: &Reach) -> impl Iterator<Item = i16> {
        let years = reach.judged.map(|(first, last)| first.year()..=last.year());
        years.into_iter().flatten().filter(|year| !self.is_confirmed(*year))
    }
}

/// An explanation being written.
struct Account<'a> {
    calendar: &'a Calendar,
    lines: Vec<Line>,
    /// Working days, or milliseconds, counted so far.
    count: i64,
}

impl Account<'_> {
    fn line(&mut self, date: Date, count: i64, zh: String, en: String) {
        self.lines.push(Line { date, what: Text { zh, en }, count });
    }

    /// The line of the start.
    fn start(&mut self, base: Instant, limit: &Limit) {
        let date = self.calendar.date_of(base);
        let (zh_day, en_day) = weekday(date);
        let time = self.calendar.time_of(base);
        match *limit {
            Limit::Real(millis) => {
                let (zh, en) = length(millis);
                let zh = format!("自{zh_day}{time}起，连续计{zh}");
                let en = format!("{en} by the clock from {en_day} {time}");
                self.line(date, 0, zh, en);
                self.count = millis.max(0);
            }
            Limit::Work(_) => {
                let zh = format!("自{zh_day}{time}起计工作时间");
                self.line(date, 0, zh, format!("working time counts from {en_day} {time}"));
            }
            Limit::Workdays(_) | Limit::Days(_) => {
                let zh = format!("起算日（{zh_day}{time}），不计入");
                self.line(date, 0, zh, format!("start day ({en_day} {time}), not counted"));
            }
        }
    }

    /// The lines of everything the walk counted, and of the days off in between.
    fn steps(&mut self, start: Date, counted: &[Counted]) {
        let long = counted.len() > LONG;
        let mut previous = start;
        let mut run: Vec<Counted> = Vec::new();
        for &step in counted {
            let (first, last) = match step {
                Counted::Day(date) | Counted::Time(date, _) => (date, date),
                Counted::Span(first, last) => (first, last),
            };
            let follows = previous.tomorrow().is_ok_and(|next| next == first);
            let joins = run.is_empty() || (long && follows);
            if !joins {
                self.run(&std::mem::take(&mut run));
            }
            self.days_off(previous, first);
            run.push(step);
            previous = last;
        }
        self.run(&run);
    }

    /// One line for counted days that follow each other.
    fn run(&mut self, run: &[Counted]) {
        let before = self.count;
        let mut names = Vec::new();
        let mut worked = 0;
        for &step in run {
            match step {
                Counted::Day(date) => {
                    self.count += 1;
                    names.push(self.named(date));
                }
                Counted::Time(date, millis) => {
                    self.count += millis;
                    worked += millis;
                    names.push(self.named(date));
                }
                Counted::Span(first, last) => return self.calendar_days(first, last),
            }
        }
        let (Some(first), true) = (run.first(), !names.is_empty()) else { return };
        let zh_days = names.iter().map(|(zh, _)| zh.as_str()).collect::<Vec<_>>().join("、");
        let en_days = names.iter().map(|(_, en)| en.as_str()).collect::<Vec<_>>().join(", ");
        match *first {
            Counted::Day(date) => {
                let (from, to) = (before + 1, self.count);
                let number = if from == to { to.to_string() } else { format!("{from}-{to}") };
                let zh = format!("第{number}个工作日：{zh_days}");
                self.line(date, to, zh, format!("working day {number}: {en_days}"));
            }
            Counted::Time(date, _) | Counted::Span(date, _) => {
                let ((zh, en), (zh_all, en_all)) = (length(worked), length(self.count));
                let zh = format!("计{zh}，累计{zh_all}：{zh_days}");
                let en = format!("{en} counted, {en_all} so far: {en_days}");
                self.line(date, self.count / MINUTE, zh, en);
            }
        }
    }

    /// The line of calendar days.
    fn calendar_days(&mut self, first: Date, last: Date) {
        let days = dates(first, last).count();
        self.count = i64::try_from(days).unwrap_or(i64::MAX);
        let zh = format!("第1日至第{days}日：{first}至{last}");
        self.line(first, self.count, zh, format!("days 1 to {days}: {first} to {last}"));
    }

    /// A line for the days between two counted ones, if there are any.
    fn days_off(&mut self, previous: Date, next: Date) {
        let days: Vec<Date> = dates(previous, next)
            .filter(|date| *date != previous && *date != next)
            .filter(|date| !self.calendar.is_working_day(*date))
            .collect();
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
        let holiday = days.iter().any(|date| self.calendar.is_made_off(*date));
        let (zh_kind, en_kind) =
            if holiday { ("放假", "holiday") } else { ("周末", "weekend") };
        let (zh, en) = if first == last {
            (format!("{zh_kind}，不计入"), format!("{en_kind}, not counted"))
        } else {
            let number = days.len();
            (
                format!("{zh_kind}{number}天，至{last}，不计入"),
                format!("{en_kind}, {number} days to {last}, not counted"),
            )
        };
        self.line(*first, self.shown(), zh, en);
    }

    /// The line that says that a last calendar day off moved the end.
    fn moved(&mut self, limit: &Limit, reach: &Reach) {
        if let (Limit::Days(_), Some((last, moved))) = (limit, reach.judged)
            && moved > last
        {
            let zh = format!("末日为休息日，顺延至下一工作日{moved}");
            let en = format!("the last day is a day off: moved to the next working day, {moved}");
            self.line(last, self.shown(), zh, en);
        }
    }

    /// A line for each year without a confirmed notice.
    fn warnings(&mut self, limit: &Limit, reach: &Reach) {
        let date = self.midnight(limit, reach).unwrap_or_else(|| self.calendar.date_of(reach.at));
        for year in self.calendar.unconfirmed_years(reach) {
            let zh = format!("注意：{year}年放假安排尚未确认，期限可能变动");
            let en = format!("warning: the days off of {year} are not confirmed, this may move");
            self.line(date, self.shown_for(reach), zh, en);
        }
    }

    /// The day at whose 24:00 a limit in calendar days ends, if it does: the next day by the clock.
    fn midnight(&self, limit: &Limit, reach: &Reach) -> Option<Date> {
        match (limit, reach.judged) {
            (Limit::Days(_), Some((_, last))) => {
                Some(last).filter(|last| self.calendar.end_of(*last) == reach.at)
            }
            _ => None,
        }
    }

    /// The line of the end.
    fn end(&mut self, limit: &Limit, reach: &Reach) {
        let midnight = self.midnight(limit, reach);
        let date = midnight.unwrap_or_else(|| self.calendar.date_of(reach.at));
        let time = midnight.map_or_else(|| self.calendar.time_of(reach.at), |_| "24:00".to_owned());
        let (zh_day, en_day) = weekday(date);
        let count = self.shown_for(reach);
        let zh = format!("到期：{date} {time}（{zh_day}）");
        self.line(date, count, zh, format!("due {en_day} {date} {time}"));
    }

    /// The last line of an instant that was not counted.
    fn close(&mut self, date: Date, at: Instant) {
        let (time, (zh_day, en_day)) = (self.calendar.time_of(at), weekday(date));
        let zh = format!("到期：{date} {time}（{zh_day}）");
        self.line(date, 0, zh, format!("due {en_day} {date} {time}"));
    }

    /// The count as the lines show it before the end.
    fn shown(&self) -> i64 {
        self.lines.last().map_or(0, |line| line.count)
    }

    /// The count as the last lines show it: minutes where only the clock was read.
    fn shown_for(&self, reach: &Reach) -> i64 {
        if reach.judged.is_none() { self.count / MINUTE } else { self.shown() }
    }

    /// A counted day by name, with the reason why a weekend day counts.
    fn named(&self, date: Date) -> (String, String) {
        let (zh, en) = weekday(date);
        if is_weekend(date) {
            (format!("{date}{zh}（调休上班）"), format!("{date} {en} (make-up workday)"))
        } else {
            (format!("{date}{zh}"), format!("{date} {en}"))
        }
    }
}

/// A length of time in both languages.
fn length(millis: i64) -> (String, String) {
    (
        duration_in(millis, ["小时", "分钟", "秒", "毫秒"]),
        duration_in(millis, [" h ", " min ", " s ", " ms"]).trim_end().to_owned(),
    )
}

/// The day of the week in both languages.
fn weekday(date: Date) -> (&'static str, &'static str) {
    match date.weekday() {
        Weekday::Monday => ("星期一", "Monday"),
        Weekday::Tuesday => ("星期二", "Tuesday"),
        Weekday::Wednesday => ("星期三", "Wednesday"),
        Weekday::Thursday => ("星期四", "Thursday"),
        Weekday::Friday => ("星期五", "Friday"),
        Weekday::Saturday => ("星期六", "Saturday"),
        Weekday::Sunday => ("星期日", "Sunday"),
    }
}
