//! What can be wrong with a calendar file, a limit or a cron expression.

/// Why a calendar file, a limit, a duration or a cron expression was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no YAML, or lacks a field, or has one that is not known.
    #[error("calendar file, line {line}, column {column}: {what}")]
    Unreadable {
        /// The line, from 1; 0 if nobody can say.
        line: u64,
        /// The character of the line, from 1.
        column: u64,
        /// The reader's own words.
        what: String,
    },
    /// `code` or `version` is empty.
    #[error("calendar file: `{field}` is empty; write a short text")]
    Empty {
        /// The field's name.
        field: &'static str,
    },
    /// The zone is not in the time zone data compiled in.
    #[error(
        "calendar file, `zone`: `{zone}` is no known time zone; write an IANA name such as Asia/Shanghai"
    )]
    Zone {
        /// What was written.
        zone: String,
        /// The time library's own words.
        source: jiff::Error,
    },
    /// A day that is no date of its year.
    #[error(
        "calendar file, `{at}`: `{text}` is no date; write MM-DD or YYYY-MM-DD, and FROM..TO for a range"
    )]
    Day {
        /// Where in the file.
        at: String,
        /// What was written.
        text: String,
    },
    /// A range whose end lies before its start.
    #[error("calendar file, `{at}`: the range `{text}` ends before it starts")]
    Backwards {
        /// Where in the file.
        at: String,
        /// What was written.
        text: String,
    },
    /// A year outside the years that can be counted.
    #[error("calendar file, `years.{year}`: only the years {first} to {last} can be counted")]
    Year {
        /// The year.
        year: i16,
        /// The first year that can be counted.
        first: i16,
        /// The last year that can be counted.
        last: i16,
    },
    /// A day that the notice for this year cannot change.
    #[error(
        "calendar file, `{at}`: {date} is neither in {year} nor in the December before; list it under its own year"
    )]
    Foreign {
        /// Where in the file.
        at: String,
        /// The day.
        date: jiff::civil::Date,
        /// The year of the entry.
        year: i16,
    },
    /// A day named twice in one year's entry.
    #[error(
        "calendar file, `years.{year}`: {date} is listed twice; keep it once, under `off` or under `work`"
    )]
    Twice {
        /// The year of the entry.
        year: i16,
        /// The day.
        date: jiff::civil::Date,
    },
    /// A make-up workday that is worked anyway.
    #[error(
        "calendar file, `years.{year}.work`: {date} is no weekend day, it is worked anyway; check the date"
    )]
    NoWeekend {
        /// The year of the entry.
        year: i16,
        /// The day.
        date: jiff::civil::Date,
    },
    /// A confirmed year without its source.
    #[error("calendar file, `years.{year}`: a confirmed year names its `notice`")]
    NoNotice {
        /// The year.
        year: i16,
    },
    /// Days listed for a year whose notice is not out.
    #[error(
        "calendar file, `years.{year}`: days are listed, but the year is not confirmed; set `confirmed: true` with its `notice`, or remove them"
    )]
    Unconfirmed {
        /// The year.
        year: i16,
    },
    /// A span of office hours that is no span.
    #[error(
        "calendar file, `{at}`: `{text}` is no span of hours; write HH:MM-HH:MM, start before end, at latest 24:00"
    )]
    Span {
        /// Where in the file.
        at: String,
        /// What was written.
        text: String,
    },
    /// A span that starts before the one before it ended, or a season without any.
    #[error("calendar file, `{at}`: list at least one span of hours, in order and without overlap")]
    Spans {
        /// Where in the file.
        at: String,
    },
    /// A day of the year with no office hours, or with two sets of them.
    #[error(
        "calendar file, `office_hours`: {day} (MM-DD) is in {count} seasons; every day of the year, 02-29 too, needs exactly one"
    )]
    Season {
        /// The first such day, `MM-DD`.
        day: String,
        /// How many seasons hold it.
        count: usize,
    },
    /// A limit that is none.
    #[error("`{text}` is no limit: {why}; write real('30m'), work('4h'), workdays(5) or days(3)")]
    Limit {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A duration that is none.
    #[error(
        "`{text}` is no duration: {why}; write such as 1h30m (units h, m, s, ms, largest first)"
    )]
    Duration {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A cron expression that is none.
    #[error(
        "`{text}` is no cron expression: {why}; write second minute hour day month weekday, such as 0 0 9 * * *"
    )]
    Cron {
        /// What was written.
        text: String,
        /// The reader's own words.
        why: String,
    },
}

impl Error {
    /// The same in Chinese; what the reader of the file says stays as it says it.
    #[must_use]
    pub fn zh(&self) -> String {
        let said = match self {
            Self::Unreadable { line, column, what } => {
                format!("第{line}行第{column}列有误：{what}")
            }
            Self::Empty { field } => format!("“{field}”为空，请填写"),
            Self::Zone { zone, .. } => {
                format!("“zone”：没有时区“{zone}”，应为IANA名称，例如Asia/Shanghai")
            }
            Self::Day { at, text } => {
                format!("“{at}”：“{text}”不是日期，应为MM-DD或YYYY-MM-DD，一段日期写作“起..止”")
            }
            Self::Backwards { at, text } => format!("“{at}”：“{text}”的止日早于起日"),
            Self::Year { year, first, last } => {
                format!("“years.{year}”：只能计算{first}年至{last}年")
            }
            Self::Foreign { at, date, year } => {
                format!("“{at}”：{date}既不在{year}年，也不在上一年12月，请列在所属年份")
            }
            Self::Twice { year, date } => {
                format!("“years.{year}”：{date}列了两次，请只留在off或work之一")
            }
            Self::NoWeekend { year, date } => {
                format!("“years.{year}.work”：{date}不是周末，本就上班，请核对日期")
            }
            Self::NoNotice { year } => {
                format!("“years.{year}”：已确认的年份须注明放假通知（notice）")
            }
            Self::Unconfirmed { year } => {
                format!(
                    "“years.{year}”：列有放假日期但年份未确认，请写明confirmed: true和notice，或删去日期"
                )
            }
            Self::Span { at, text } => {
                format!("“{at}”：“{text}”不是时段，应为HH:MM-HH:MM，起早于止，最晚24:00")
            }
            Self::Spans { at } => format!("“{at}”：至少列一个时段，依次排列，不得重叠"),
            Self::Season { day, count } => {
                format!(
                    "“office_hours”：{day}属于{count}个时令，全年每一天（含02-29）须恰好属于一个"
                )
            }
            Self::Limit { text, why } => {
                return format!(
                    "“{text}”不是时限（{why}），应为real('30m')、work('4h')、workdays(5)或days(3)"
                );
            }
            Self::Duration { text, why } => {
                return format!("“{text}”不是时长（{why}），例如1h30m");
            }
            Self::Cron { text, why } => {
                return format!("“{text}”不是定时表达式（{why}），例如0 0 9 * * *（每天9时）");
            }
        };
        format!("日历文件：{said}")
    }
}
