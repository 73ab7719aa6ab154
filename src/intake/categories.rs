//! The catalogue of categories as a table, for people with spreadsheets: one row a category.

use std::collections::BTreeMap;

use super::Fault;
use crate::domain::catalogue::Categories;
use crate::domain::category::KINDS;
use crate::domain::sheet::{self, MARK, harmless, plain};
use crate::domain::{Category, Directory, Question, Text};

/// The columns: the name that is written, and the names that are read.
const COLUMNS: [(&str, &[&str]); 15] = [
    ("code", &["代码"]),
    ("name_zh", &["名称", "类别"]),
    ("name_en", &["英文名称"]),
    ("units", &["承办单位"]),
    ("matter_class", &["事项分级"]),
    ("legal_days", &["法定时限"]),
    ("law_zh", &["法律依据"]),
    ("law_en", &["法律依据英文"]),
    ("police_kept", &["由公安处置"]),
    ("police_first", &["公安先期处警"]),
    ("livelihood", &["民生保障"]),
    ("retired", &["停用"]),
    ("kind", &["性质"]),
    ("territory", &["属地"]),
    ("questions", &["询问"]),
];

/// The classes as people write them.
const CLASSES: [(&str, &str); 4] = [
    ("一般事项", "general"),
    ("特殊事项", "special"),
    ("有法定时限", "legal"),
    ("重大复杂事项", "major_complex"),
];

/// A catalogue as a table, its first row the names of the columns in Chinese.
///
/// # Errors
/// What the writer of tables says; it writes to memory.
pub fn write(categories: &Categories) -> Result<String, csv::Error> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    writer.write_record(COLUMNS.iter().filter_map(|(_, names)| names.first()))?;
    for category in categories.values() {
        writer.write_record(cells(category).map(|cell| harmless(&cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(format!("{MARK}{}", String::from_utf8_lossy(&bytes)))
}

fn cells(category: &Category) -> [String; COLUMNS.len()] {
    let flag = |value: bool| if value { "是" } else { "" }.to_owned();
    let class = CLASSES.iter().find(|(_, code)| *code == category.matter_class);
    let law = category.law.clone().unwrap_or_default();
    [
        category.code.clone(),
        category.name.zh.clone(),
        category.name.en.clone(),
        category.units.join("、"),
        class.map_or(category.matter_class.clone(), |(zh, _)| (*zh).to_owned()),
        category.legal_text(),
        law.zh,
        law.en,
        flag(category.police_kept),
        flag(category.police_first),
        flag(category.livelihood),
        flag(category.retired),
        KINDS.iter().find(|(code, _)| *code == category.kind).map_or("", |(_, zh)| zh).to_owned(),
        category.territory_text(),
        category.questions_text(),
    ]
}

/// The same as a workbook of a spreadsheet program (XLSX).
///
/// # Errors
/// What the writer of workbooks says; it writes to memory.
pub fn write_book(categories: &Categories) -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
    let mut book = rust_xlsxwriter::Workbook::new();
    // The same catalogue is the same file, whenever it is written.
    let when = rust_xlsxwriter::ExcelDateTime::from_ymd(2018, 1, 1)?;
    let properties = rust_xlsxwriter::DocProperties::new().set_creation_datetime(&when);
    book.set_properties(&properties);
    let sheet = book.add_worksheet();
    sheet.set_name("目录")?;
    sheet.set_freeze_panes(1, 0)?;
    let head = COLUMNS.iter().filter_map(|(_, names)| names.first());
    for (column, name) in (0..).zip(head) {
        sheet.write_string(0, column, *name)?;
    }
    for (row, category) in (1..).zip(categories.values()) {
        for (column, cell) in (0..).zip(cells(category)) {
            sheet.write_string(row, column, cell)?;
        }
    }
    book.save_to_buffer()
}

/// So many bytes may a workbook have when it is unpacked: a catalogue has a hundredth of it, and a small
/// file can unpack to more than any memory.
const UNPACKED_MAX: u64 = 32 << 20;

/// Unpacks a workbook into nothing, as far as is allowed.
fn unpacks_within(bytes: &[u8], most: u64) -> Result<(), String> {
    let mut archive =
        zip::ZipArchive::new(std::io::Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let mut left = most;
    for number in 0..archive.len() {
        let file = archive.by_index(number).map_err(|error| error.to_string())?;
        let mut some = std::io::Read::take(file, left + 1);
        let read = std::io::copy(&mut some, &mut std::io::sink()).map_err(|e| e.to_string())?;
        left = left.checked_sub(read).ok_or_else(|| {
            format!("解压后超过{0} MiB unpacked it is larger than {0} MiB", most >> 20)
        })?;
    }
    Ok(())
}

/// The cells of a sheet, each row with its line.
type Rows = Vec<(usize, Vec<String>)>;

/// Reads a table as a whole catalogue; units by code or by name.
///
/// # Errors
/// Everything that is wrong with it, each with its line.
pub fn read(directory: &Directory, text: &str) -> Result<Categories, Vec<Fault>> {
    let text = text.trim_start_matches(MARK);
    let separator = sheet::separator(text);
    if let Some(line) = sheet::unclosed(text, separator) {
        return Err(vec![Fault { line, what: sheet::unclosed_at(line), input: None }]);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut rows = Rows::new();
    for record in reader.records() {
        let line = |at: Option<&csv::Position>| {
            at.map_or(1, |place| usize::try_from(place.line()).unwrap_or(usize::MAX))
        };
        match record {
            Ok(record) => {
                let cells = record.iter().map(|cell| plain(cell).to_owned());
                rows.push((line(record.position()), cells.collect()));
            }
            Err(error) => {
                let what = Text::new("这一行读不出来", format!("cannot be read: {error}"));
                return Err(vec![Fault { line: line(error.position()), what, input: None }]);
            }
        }
    }
    sorted(directory, &rows)
}

/// Reads the first sheet of a workbook (XLSX) in the same way.
///
/// # Errors
/// As for a table.
pub fn read_book(directory: &Directory, bytes: &[u8]) -> Result<Categories, Vec<Fault>> {
    use calamine::{Data, Reader as _, Xlsx};
    let unread = |error: &dyn std::fmt::Display| {
        let what = Text::new(
            format!("这不是可读取的Excel工作簿（.xlsx）：{error}"),
            format!("this is no workbook (.xlsx) that can be read: {error}"),
        );
        vec![Fault { line: 1, what, input: None }]
    };
    unpacks_within(bytes, UNPACKED_MAX).map_err(|e| unread(&e))?;
    let mut book: Xlsx<_> =
        calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).map_err(|e| unread(&e))?;
    let first = book.worksheet_range_at(0).ok_or_else(|| unread(&"no sheet"))?;
    let sheet = first.map_err(|error| unread(&error))?;
    let begins = sheet.start().map_or(0, |(row, _)| row);
    let begins = usize::try_from(begins).unwrap_or_default();
    let rows = (begins + 1..).zip(sheet.rows()).map(|(line, cells)| {
        let cells = cells.iter().map(|cell| match cell {
            // A number of days is a whole one, whatever the program makes of it.
            Data::Float(number) => format!("{number}"),
            other => plain(&other.to_string()).to_owned(),
        });
        (line, cells.collect())
    });
    sorted(directory, &rows.collect::<Rows>())
}

/// Rows as categories: the first one names the columns.
fn sorted(directory: &Directory, rows: &Rows) -> Result<Categories, Vec<Fault>> {
    let none = (1, Vec::new());
    let (head, rows) = rows.split_first().unwrap_or((&none, &[]));
    let columns = columns(head)?;
    let (mut categories, mut faults) = (Categories::new(), Vec::new());
    for (line, cells) in rows.iter().filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()))
    {
        match category(directory, &columns, cells) {
            Ok(category) => {
                let code = category.code.clone();
                if categories.insert(code.clone(), category).is_some() {
                    let what = Text::new(
                        format!("代码“{code}”出现了两次"),
                        format!("the code `{code}` is there twice"),
                    );
                    faults.push(Fault { line: *line, what, input: Some("code".to_owned()) });
                }
            }
            Err((input, what)) => {
                faults.push(Fault { line: *line, what, input: Some(input.to_owned()) });
            }
        }
    }
    if faults.is_empty() { Ok(categories) } else { Err(faults) }
}

/// Where each known column stands.
fn columns(
    (line, head): &(usize, Vec<String>),
) -> Result<[Option<usize>; COLUMNS.len()], Vec<Fault>> {
    let mut columns = [None; COLUMNS.len()];
    let mut faults = Vec::new();
    let mut fault = |zh: String, en: String| {
        faults.push(Fault { line: *line, what: Text::new(zh, en), input: None });
    };
    for (number, cell) in head.iter().enumerate() {
        let cell = cell.trim().to_lowercase();
        let known = COLUMNS
            .iter()
            .position(|(name, others)| *name == cell || others.contains(&cell.as_str()));
        match known.and_then(|known| columns.get_mut(known)) {
            Some(place @ None) => *place = Some(number),
            Some(_) => {
                fault(format!("“{cell}”列重复"), format!("the column `{cell}` is there twice"));
            }
            None if cell.is_empty() => {}
            None => {
                let zh: Vec<&str> =
                    COLUMNS.iter().filter_map(|(_, names)| names.first().copied()).collect();
                let en: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
                fault(
                    format!("没有“{cell}”列；可用的列：{}", zh.join("、")),
                    format!("there is no column `{cell}`; columns are {}", en.join(", ")),
                );
            }
        }
    }
    let [code, name, ..] = columns;
    if code.is_none() || name.is_none() {
        fault(
            "第一行须有“代码”和“名称”".to_owned(),
            "the first row must name `code` and `name_zh`".to_owned(),
        );
    }
    if faults.is_empty() { Ok(columns) } else { Err(faults) }
}

/// A row as a category, or what is wrong in which column.
fn category(
    directory: &Directory,
    columns: &[Option<usize>; COLUMNS.len()],
    cells: &[String],
) -> Result<Category, Wrong> {
    let [
        code,
        name_zh,
        name_en,
        units,
        class,
        days,
        law_zh,
        law_en,
        kept,
        first,
        livelihood,
        retired,
        kind,
        territory,
        questions,
    ] = columns.map(|at| at.and_then(|at| cells.get(at)).map_or("", |cell| cell.trim()));
    let units = units.split(SEPARATORS).filter(|unit| !unit.is_empty());
    let units = units.map(|named| unit(directory, "units", named));
    let kind =
        KINDS.iter().find(|(code, zh)| *zh == kind || *code == kind).map_or(kind, |one| one.0);
    let flag = |column: &'static str, cell: &str| match cell.to_lowercase().as_str() {
        "" | "否" | "false" | "no" | "0" => Ok(false),
        "是" | "true" | "yes" | "1" | "√" => Ok(true),
        _ => Err((
            column,
            Text::new(format!("“{cell}”应为是或否"), format!("`{cell}` is neither yes nor no")),
        )),
    };
    let matter_class = CLASSES.iter().find(|(zh, code)| *zh == class || *code == class);
    let (legal_days, legal_calendar) = statutory(days)?;
    let law = Text::new(law_zh, if law_en.is_empty() { law_zh } else { law_en });
    Ok(Category {
        code: code.to_owned(),
        name: Text::new(name_zh, if name_en.is_empty() { name_zh } else { name_en }),
        units: units.collect::<Result<_, _>>()?,
        matter_class: matter_class.map_or(class, |(_, code)| code).to_owned(),
        legal_days,
        legal_calendar,
        law: (!law.zh.is_empty()).then_some(law),
        police_kept: flag("police_kept", kept)?,
        police_first: flag("police_first", first)?,
        livelihood: flag("livelihood", livelihood)?,
        retired: flag("retired", retired)?,
        kind: kind.to_owned(),
        territory: territories(directory, territory)?,
        questions: questions.lines().map(question).collect::<Result<_, _>>()?,
    })
}

/// A statutory limit: its days, and whether they are calendar days. A bare number is working days.
fn statutory(cell: &str) -> Result<(i64, bool), Wrong> {
    let end = cell.find(|c: char| !c.is_ascii_digit()).unwrap_or(cell.len());
    let (digits, unit) = cell.split_at(end);
    let calendar = match unit.trim() {
        "" | "个工作日" | "工作日" | "working days" => Some(false),
        "日" | "天" | "个自然日" | "自然日" | "days" => Some(true),
        _ => None,
    };
    match (digits.parse(), calendar) {
        (Ok(days), Some(calendar)) => Ok((days, calendar)),
        _ if cell.is_empty() => Ok((0, false)),
        _ => {
            let zh = format!("法定时限“{cell}”应为天数，例如60个工作日、60日");
            let en = format!("`{cell}` is no limit; write `60 working days` or `60 days`");
            Err(("legal_days", Text::new(zh, en)))
        }
    }
}

/// What stands between several names in one cell.
const SEPARATORS: [char; 6] = ['、', ',', '，', ';', '；', ' '];

/// A fault in a column.
type Wrong = (&'static str, Text);

/// The code of a unit that a cell names.
fn unit(directory: &Directory, column: &'static str, named: &str) -> Result<String, Wrong> {
    let mut all = directory.units.values();
    let found = all.find(|unit| unit.code == named || unit.name.zh == named);
    found.map(|unit| unit.code.clone()).ok_or_else(|| {
        let zh = format!("没有单位“{named}”，请填写单位代码或名称");
        (column, Text::new(zh, format!("there is no unit `{named}`")))
    })
}

/// `葛城街道=县市政设施管理所、…`, by code or by name.
fn territories(directory: &Directory, cell: &str) -> Result<BTreeMap<String, String>, Wrong> {
    const COLUMN: &str = "territory";
    let pairs = cell.split(SEPARATORS).filter(|pair| !pair.is_empty());
    let read = pairs.map(|pair| {
        let (township, held_by) = pair.split_once('=').ok_or_else(|| {
            let zh = format!("“{pair}”应写作：乡镇街道=单位");
            (COLUMN, Text::new(zh, format!("`{pair}` is to be written as township=unit")))
        })?;
        let unit = |named: &str| unit(directory, COLUMN, named.trim());
        Ok((unit(township)?, unit(held_by)?))
    });
    read.collect()
}

/// `代码|问题|英文问题|答是时的类别|答否时的类别`; the last three may be left out.
fn question(line: &str) -> Result<Question, Wrong> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
    let category = |at: usize| Some(cell(at).to_owned()).filter(|code| !code.is_empty());
    let (code, zh, en) = (cell(0), cell(1), cell(2));
    if code.is_empty() || zh.is_empty() || cells.len() > 5 {
        let words = format!("“{line}”应写作：代码|问题|英文问题|答是时的类别|答否时的类别");
        let en = format!("`{line}` is to be written as code|question|in English|yes|no");
        return Err(("questions", Text::new(words, en)));
    }
    let ask = Text::new(zh, if en.is_empty() { zh } else { en });
    Ok(Question { code: code.to_owned(), ask, yes: category(3), no: category(4) })
}

#[cfg(test)]
mod tests {
    use super::statutory;

    #[test]
    fn a_statutory_limit_is_read_as_people_write_it() {
        for (cell, limit) in [
            ("", (0, false)),
            ("60", (60, false)),
            ("60个工作日", (60, false)),
            ("60 working days", (60, false)),
            ("60日", (60, true)),
            ("60 days", (60, true)),
        ] {
            assert_eq!(statutory(cell), Ok(limit), "{cell}");
        }
        for wrong in ["日", "-1", "六十日", "60周", "99999999999999999999"] {
            assert!(statutory(wrong).is_err(), "{wrong}");
        }
    }
}
