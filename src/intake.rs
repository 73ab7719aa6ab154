//! Calls that come as a file: tables whose columns are named as people name them, or lines of JSON;
//! each row becomes the input of the command that opens a matter.

pub mod categories;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};

use crate::chart::expression::Type;
use crate::chart::{CommandSpec, Input};
use crate::domain::sheet::{self, MARK, plain};
use crate::domain::{Directory, Instant, Text, Tier};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Rows and columns (CSV).
    Table,
    /// One JSON object a line.
    Lines,
}

/// Names under which a row says when the call came.
const WHEN: [&str; 6] =
    ["occurred_at", "接报时间", "来电时间", "发生时间", "received at", "occurred at"];

/// Inputs that are numbers by which something is found again, a matter or a caller.
const NUMBERS: [&str; 2] = ["source_number", "caller_phone"];

/// So many rows are read in one go.
pub const ROWS_MAX: usize = 500;

/// A row, as the input of the command.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its line in the file, from 1.
    pub line: usize,
    /// The input.
    pub input: Map<String, Json>,
    /// When the call came, if the row says it.
    pub occurred_at: Option<Instant>,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its line in the file, from 1.
    pub line: usize,
    /// What is wrong, and how to mend it.
    pub what: Text,
    /// In which column.
    pub input: Option<String>,
}

/// What a file is read by.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'s> {
    /// The command that opens a matter.
    pub spec: &'s CommandSpec,
    /// Units and categories, by code and name.
    pub directory: &'s Directory,
    /// The zone of times without one.
    pub zone: &'s TimeZone,
}

/// What a column is.
#[derive(Debug, Clone, Copy)]
enum Column<'s> {
    When,
    Input(&'s Input),
}

/// Reads a file. `first` is the line that its first line (of a table: the first below the head) has
/// for people who look for it.
///
/// # Errors
/// What is wrong with the file as a whole: columns that nobody knows, too many rows.
pub fn read(
    scene: Scene<'_>,
    form: Form,
    text: &str,
    first: usize,
) -> Result<Vec<Result<Row, Fault>>, Text> {
    let text = text.trim_start_matches(MARK);
    let rows = match form {
        Form::Table => read_table(scene, text, first)?,
        Form::Lines => read_lines(scene, text, first),
    };
    // Empty rows are no fault: a longer file may have whole pieces of them.
    let head = usize::from(form == Form::Table);
    if text.lines().nth(head).is_none() {
        return Err(Text::new("文件中没有数据行", "there are no rows in the file"));
    }
    if rows.len() > ROWS_MAX {
        let zh = format!("一次最多{ROWS_MAX}行，请分批导入");
        return Err(Text::new(zh, format!("at most {ROWS_MAX} rows at once: split the file")));
    }
    Ok(rows)
}

/// The line, from 1, at which a row of a table begins. Its reader's place is before the ends of lines
/// that are still to be passed over.
#[must_use]
pub fn line_at(text: &str, place: Option<&csv::Position>) -> usize {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let Some(place) = place else { return 0 };
    let rest = text.as_bytes().iter().skip(count(place.byte()));
    let ends = rest.take_while(|byte| matches!(byte, b'\r' | b'\n'));
    count(place.line()).saturating_add(ends.filter(|byte| **byte == b'\n').count())
}

/// Whether a row says nothing at all, as those that a spreadsheet keeps for their looks.
#[must_use]
pub fn is_blank(record: &csv::StringRecord) -> bool {
    record.iter().all(|cell| cell.trim().is_empty())
}

fn read_table(scene: Scene<'_>, text: &str, first: usize) -> Result<Vec<Result<Row, Fault>>, Text> {
    let separator = sheet::separator(text);
    if let Some(line) = sheet::unclosed(text, separator) {
        return Err(sheet::unclosed_at(first + line.saturating_sub(2)));
    }
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let head = reader.headers().cloned().unwrap_or_default();
    let columns: Vec<Option<Column<'_>>> =
        head.iter().map(|cell| column(scene, cell)).collect::<Result<_, _>>()?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let line =
            |at: Option<&csv::Position>| first.saturating_add(line_at(text, at).saturating_sub(2));
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = line(error.position());
                let what = Text::new("这一行读不出来", format!("cannot be read: {error}"));
                rows.push(Err(Fault { line, what, input: None }));
                continue;
            }
        };
        let line = line(record.position());
        if is_blank(&record) {
            continue;
        }
        if record.len() > columns.len() {
            let (is, head) = (record.len(), columns.len());
            let what = Text::new(
                format!("有{is}格，表头只有{head}列；含逗号的内容请加引号"),
                format!("{is} cells, the head has {head}: put a text with commas in quotes"),
            );
            rows.push(Err(Fault { line, what, input: None }));
            continue;
        }
        let cells = columns.iter().zip(&record).filter_map(|(column, cell)| {
            let cell = plain(cell);
            Some(((*column)?, Json::from(cell))).filter(|_| !cell.is_empty())
        });
        rows.push(row(scene, line, cells));
    }
    Ok(rows)
}

fn read_lines(scene: Scene<'_>, text: &str, first: usize) -> Vec<Result<Row, Fault>> {
    let mut rows = Vec::new();
    for (line, source) in (first..).zip(text.lines()) {
        if source.trim().is_empty() {
            continue;
        }
        rows.push(object(scene, line, source));
    }
    rows
}

fn object(scene: Scene<'_>, line: usize, source: &str) -> Result<Row, Fault> {
    let object: Map<String, Json> = serde_json::from_str(source).map_err(|error| {
        let zh = format!("不是JSON对象（第{}个字符附近）", error.column());
        let en = format!("is no JSON object: see character {}", error.column());
        Fault { line, what: Text::new(zh, en), input: None }
    })?;
    let mut cells = Vec::new();
    for (name, value) in object {
        let known = column(scene, &name);
        let known = known.map_err(|what| Fault { line, what, input: Some(name) })?;
        let empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        cells.extend(known.filter(|_| !empty).map(|column| (column, value)));
    }
    row(scene, line, cells.into_iter())
}

/// The column of a name; none for one without a name, which is passed over.
fn column<'s>(scene: Scene<'s>, name: &str) -> Result<Option<Column<'s>>, Text> {
    let name = name.trim_start_matches(MARK).trim();
    if name.is_empty() {
        return Ok(None);
    }
    let same = |other: &str| other.eq_ignore_ascii_case(name);
    if WHEN.iter().any(|when| same(when)) {
        return Ok(Some(Column::When));
    }
    let inputs = &scene.spec.input;
    let found = inputs
        .iter()
        .find(|input| same(&input.name) || same(&input.title.zh) || same(&input.title.en));
    found.map(|input| Some(Column::Input(input))).ok_or_else(|| {
        let zh: Vec<&str> = inputs.iter().map(|input| input.title.zh.as_str()).collect();
        let en: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        Text::new(
            format!("没有“{name}”列；可用的列：接报时间、{}", zh.join("、")),
            format!("there is no column `{name}`; columns are occurred_at, {}", en.join(", ")),
        )
    })
}

fn row<'s>(
    scene: Scene<'s>,
    line: usize,
    cells: impl Iterator<Item = (Column<'s>, Json)>,
) -> Result<Row, Fault> {
    let mut read = Row { line, input: Map::new(), occurred_at: None };
    let mut given = BTreeMap::new();
    for (column, value) in cells {
        let name = match column {
            Column::When => WHEN[0],
            Column::Input(input) => input.name.as_str(),
        };
        if given.insert(name, ()).is_some() {
            let zh = format!("“{name}”出现了两次");
            let what = Text::new(zh, format!("`{name}` is there twice"));
            return Err(Fault { line, what, input: Some(name.to_owned()) });
        }
        let text = value.as_str().unwrap_or_default().trim();
        if NUMBERS.contains(&name) && is_shortened(text) {
            return Err(Fault { line, what: shortened(text), input: Some(name.to_owned()) });
        }
        match column {
            Column::When => {
                let text = value.as_str().unwrap_or_default();
                let at = instant(scene.zone, text).ok_or_else(|| Fault {
                    line,
                    what: Text::new(
                        format!("“{text}”不是时间；请写作2018-07-02 09:10"),
                        format!("`{text}` is no time; write such as 2018-07-02 09:10"),
                    ),
                    input: Some(name.to_owned()),
                })?;
                read.occurred_at = Some(at);
            }
            Column::Input(input) => {
                let value = match &value {
                    Json::String(text) => meant(scene, input, text.trim()),
                    _ => value,
                };
                read.input.insert(name.to_owned(), value);
            }
        }
    }
    Ok(read)
}

/// Whether a number is one that a spreadsheet has shortened: `2.01812E+13`.
fn is_shortened(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((number, power)) = text.split_once("E+") else { return false };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    whole.len() == 1 && digits(whole) && digits(fraction) && digits(power)
}

/// What is said of such a number.
fn shortened(text: &str) -> Text {
    Text::new(
        format!("“{text}”是表格软件缩写的长号码，已不完整；请将该列设为“文本”格式，重填完整号码"),
        format!(
            "`{text}` is what a spreadsheet made of a longer number, with digits lost: format the \
             column as text, and enter the whole number again"
        ),
    )
}

fn instant(zone: &TimeZone, text: &str) -> Option<Instant> {
    if let Ok(instant) = Instant::parse(text) {
        return Some(instant);
    }
    let civil = sheet::moment(text)?;
    Some(zone.to_ambiguous_timestamp(civil).compatible().ok()?.into())
}

/// A text of a cell as its input wants it: a name as its code. What is not known stays as it is, and
/// is refused in words when the command is read.
fn meant(scene: Scene<'_>, input: &Input, text: &str) -> Json {
    let named = |name: &Text| name.zh == text || name.en.eq_ignore_ascii_case(text);
    let as_it_is = || Json::from(text);
    match &input.ty {
        Type::Bool => match text.to_lowercase().as_str() {
            "是" | "有" | "true" | "yes" | "y" | "1" | "√" => Json::from(true),
            "否" | "无" | "false" | "no" | "n" | "0" => Json::from(false),
            _ => as_it_is(),
        },
        Type::Int => text.parse::<i64>().map_or_else(|_words| as_it_is(), Json::from),
        Type::Tier => {
            let tier = Tier::ALL.into_iter().find(|tier| named(&tier.title()));
            tier.map_or_else(as_it_is, |tier| Json::from(tier.code()))
        }
        Type::Enum(_) => {
            let found = input.of.iter().find(|(_, title)| named(title));
            found.map_or_else(as_it_is, |(code, _)| Json::from(code.as_str()))
        }
        Type::Category => {
            let mut all = scene.directory.categories.values();
            let found = all.find(|category| category.code == text || named(&category.name));
            found.map_or_else(as_it_is, |category| Json::from(category.code.as_str()))
        }
        Type::Unit => {
            let mut all = scene.directory.units.values();
            let found = all.find(|unit| unit.code == text || named(&unit.name));
            found.map_or_else(as_it_is, |unit| Json::from(unit.code.as_str()))
        }
        Type::Instant => instant(scene.zone, text)
            .map_or_else(as_it_is, |instant| Json::from(instant.in_zone(scene.zone))),
        _ => as_it_is(),
    }
}
