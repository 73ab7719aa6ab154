//! Tables: one row a duty. What a spreadsheet would take for a formula is written as text.

use super::{ENTRIES_MAX, Entry, Scene, Wrong};
use crate::domain::Instant;
use crate::domain::sheet::{self, MARK, harmless, plain};
use crate::roster::{Shift, rotation};

/// The columns, with the names that are read.
const COLUMNS: [(&str, &[&str]); 7] = [
    ("from", &["开始", "开始时间", "start"]),
    ("until", &["结束", "结束时间", "end", "to"]),
    ("person_id", &["人员编号", "编号"]),
    ("person", &["姓名", "人员", "值班人", "name"]),
    ("rotation", &["班次", "轮班"]),
    ("instead_of", &["代替", "替"]),
    ("note", &["备注", "说明"]),
];

/// Shifts as a table, its first row the names of the columns.
///
/// # Errors
/// What the writer of tables says; it writes to memory.
pub fn write(scene: Scene<'_>, shifts: &[Shift]) -> Result<String, csv::Error> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    writer.write_record(["from", "until", "person_id", "person", "rotation", "note"])?;
    let time = |at: Instant| {
        let civil = scene.zone.to_datetime(at.timestamp());
        civil
            .strftime(if civil.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" })
            .to_string()
    };
    for shift in shifts {
        let note = shift.instead_of.map(|gone| format!("代{}", scene.name(gone)));
        writer.write_record([
            time(shift.from),
            time(shift.until),
            shift.person.to_string(),
            harmless(&scene.name(shift.person)),
            harmless(scene.rotation(shift)),
            harmless(&note.unwrap_or_default()),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(format!("{MARK}{}", String::from_utf8_lossy(&bytes)))
}

/// The number of each known column.
type Columns = [Option<usize>; COLUMNS.len()];

/// Reads a table; every row that is wrong with its reason.
#[must_use]
pub fn read(scene: Scene<'_>, text: &str) -> (Vec<Entry>, Vec<Wrong>) {
    let text = text.trim_start_matches(MARK);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(sheet::separator(text))
        .from_reader(text.as_bytes());
    let (mut entries, mut wrong) = (Vec::new(), Vec::new());
    let mut columns: Option<Columns> = None;
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, |place| line_of(place.line()));
                wrong.push(Wrong::new(line, "这一行读不出来", format!("cannot be read: {error}")));
                break;
            }
        };
        let line = record.position().map_or(1, |place| line_of(place.line()));
        let Some(columns) = &columns else {
            match head_of(&record) {
                Ok(found) => columns = Some(found),
                Err(faults) => {
                    let of_line = |(zh, en)| Wrong::new(line, zh, en);
                    return (entries, faults.into_iter().map(of_line).collect());
                }
            }
            continue;
        };
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if entries.len() + wrong.len() >= ENTRIES_MAX {
            let (zh, en) = (
                format!("一次最多{ENTRIES_MAX}行，请分开导入"),
                format!("at most {ENTRIES_MAX} rows at once; split the file"),
            );
            wrong.push(Wrong::new(line, zh, en));
            break;
        }
        match row(scene, columns, &record, line) {
            Ok(entry) => entries.push(entry),
            Err(fault) => wrong.push(fault),
        }
    }
    if columns.is_none() {
        wrong.push(Wrong::new(1, "文件是空的", "the file is empty"));
    }
    (entries, wrong)
}

fn line_of(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}

fn head_of(record: &csv::StringRecord) -> Result<Columns, Vec<(String, String)>> {
    let mut columns = Columns::default();
    let mut faults = Vec::new();
    for (number, cell) in record.iter().enumerate() {
        let cell = cell.trim().to_lowercase();
        let known = COLUMNS
            .iter()
            .position(|(name, others)| *name == cell || others.contains(&cell.as_str()));
        match known.and_then(|known| columns.get_mut(known)) {
            Some(place @ None) => *place = Some(number),
            Some(_) => faults
                .push((format!("“{cell}”列重复"), format!("the column `{cell}` is there twice"))),
            None if cell.is_empty() => {}
            None => {
                let known: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
                let known = known.join(", ");
                faults.push((
                    format!("没有“{cell}”列；可用的列：{known}"),
                    format!("there is no column `{cell}`; columns are {known}"),
                ));
            }
        }
    }
    let [from, until, id, person, ..] = columns;
    if from.is_none() || until.is_none() || (id.is_none() && person.is_none()) {
        faults.push((
            "第一行须有from（开始）、until（结束）和person（姓名）或person_id（人员编号）"
                .to_owned(),
            "the first row must name `from`, `until`, and `person` or `person_id`".to_owned(),
        ));
    }
    if faults.is_empty() { Ok(columns) } else { Err(faults) }
}

fn row(
    scene: Scene<'_>,
    columns: &Columns,
    record: &csv::StringRecord,
    line: usize,
) -> Result<Entry, Wrong> {
    let [from, until, id, person, _, instead_of, note] = columns
        .map(|number| plain(number.and_then(|number| record.get(number)).unwrap_or_default()));
    let time = |name: &str, cell: &str| {
        moment(scene, cell).ok_or_else(|| {
            Wrong::new(
                line,
                format!("{name}：“{cell}”不是时间；请写作2026-11-23 08:30"),
                format!("{name}: `{cell}` is no time; write such as 2026-11-23 08:30"),
            )
        })
    };
    let who = |cell: &str| scene.person(cell).map_err(|why| Wrong { line, why });
    let (from, until) = (time("from", from)?, time("until", until)?);
    let person = match (id, person) {
        ("", "") => return Err(Wrong::new(line, "没有填写人员", "nobody is named")),
        ("", name) => who(name)?,
        (id, _) => who(id)?,
    };
    let instead_of = if instead_of.is_empty() { None } else { Some(who(instead_of)?) };
    Ok(Entry { line, from, until, person, instead_of, note: note.to_owned() })
}

/// `2026-11-23 08:30`, `2026/11/23 8:30`, a date alone (its midnight), or RFC 3339.
fn moment(scene: Scene<'_>, text: &str) -> Option<Instant> {
    if let Ok(instant) = Instant::parse(text) {
        return Some(instant);
    }
    sheet::moment(text).map(|moment| rotation::instant(scene.zone, moment))
}
