//! `fenliu intake …`: calls of a file sent to a running service, piece by piece, with a report of every
//! row that was not taken. A file may be sent again after an interruption: rows are recognised by their
//! numbers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::workflow::Report;
use crate::domain::sheet::{self, MARK};
use crate::intake::{is_blank, line_at};

/// What is wanted.
#[derive(Debug, clap::Subcommand)]
pub enum Wish {
    /// Register the calls of a table (CSV) or of lines of JSON.
    Import(Import),
}

/// A file to be sent.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The file: `.csv`, or `.jsonl`.
    file: PathBuf,
    /// The system of rows that name none: `paper`, for example.
    #[arg(long)]
    source: Option<String>,
    /// The service.
    #[arg(long, default_value = "http://127.0.0.1:8110")]
    server: String,
    /// A file that holds the access token of a dispatcher.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// The access token itself.
    #[arg(long, env = "FENLIU_TOKEN", hide_env_values = true, conflicts_with = "token_file")]
    token: Option<String>,
    /// Write what became of every row, with the reasons of those that were not taken, to this file (CSV).
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Rows that are sent at once.
const TOGETHER: usize = 100;

/// A piece that found the service busy or away is sent again so often, each time later.
const TRIES: u32 = 6;

/// What the service says of a piece.
#[derive(Debug, Deserialize)]
struct Answer {
    registered: usize,
    known: usize,
    refused: usize,
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    line: usize,
    outcome: String,
    number: Option<String>,
    #[serde(default)]
    reasons: Vec<Reason>,
}

#[derive(Debug, Deserialize)]
struct Reason {
    code: String,
    zh: String,
    en: String,
    input: Option<String>,
}

/// The code of a reason that says nothing of the row, but of whoever sends it.
const NOT_YOURS: &str = "not_yours";

/// So far.
#[derive(Debug, Default)]
struct Tally {
    rows: usize,
    registered: usize,
    known: usize,
    refused: usize,
    outcomes: Vec<Row>,
}

/// A piece of the file, and the line at which it begins.
struct Piece {
    first: usize,
    rows: usize,
    text: String,
}

/// Does what is wanted. `say` gets the progress: a bar for eyes, lines for files.
///
/// # Errors
/// What is wrong with the file, the token or the service. What was taken by then stays taken.
pub fn run(wish: &Wish, say: impl Fn(&str)) -> Result<Report, String> {
    let Wish::Import(import) = wish;
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = built.map_err(|error| error.to_string())?;
    let mut tally = Tally::default();
    let sent = runtime.block_on(send(import, &mut tally, say));
    // Also where it broke off: what became of the rows until then is said only once.
    if let Some(path) = import.report.as_ref().filter(|_| sent.is_ok() || tally.rows > 0) {
        let table = table(&tally.outcomes).map_err(|error| error.to_string())?;
        fs::write(path, table).map_err(|error| place(path, &error))?;
    }
    sent?;
    let mut text = String::new();
    for row in &tally.outcomes {
        for reason in &row.reasons {
            let input = reason.input.as_deref().map_or(String::new(), |input| format!("{input}: "));
            let (file, line) = (import.file.display(), row.line);
            text.push_str(&format!("{file}:{line}: {input}{} {}\n", reason.zh, reason.en));
        }
    }
    let (all, new, known) = (tally.rows, tally.registered, tally.known);
    let refused = tally.refused;
    text.push_str(&format!(
        "共{all}行，新登记{new}，已登记过{known}，未接收{refused}  {all} rows: {new} registered, \
         {known} known already, {refused} not taken\n"
    ));
    let mut report = Report::of(text);
    report.failed = refused > 0;
    Ok(report)
}

async fn send(import: &Import, tally: &mut Tally, say: impl Fn(&str)) -> Result<(), String> {
    let is_table = is_table(&import.file)?;
    let text = fs::read_to_string(&import.file).map_err(|error| {
        let hint = if error.kind() == std::io::ErrorKind::InvalidData {
            "；表格请另存为“CSV UTF-8” save the table as UTF-8"
        } else {
            ""
        };
        format!("{}{hint}", place(&import.file, &error))
    })?;
    let separator = sheet::separator(&text);
    if let Some(line) = sheet::unclosed(&text, separator).filter(|_| is_table) {
        return Err(place(&import.file, &sheet::unclosed_at(line)));
    }
    let pieces = if is_table {
        table_pieces(&text).map_err(|error| place(&import.file, &error))?
    } else {
        line_pieces(&text)
    };
    if pieces.is_empty() {
        return Err(place(&import.file, &"没有数据行 there are no rows in it: nothing was sent"));
    }
    let all = pieces.iter().map(|piece| piece.rows).sum();
    let token = token(import)?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build();
    let client = client.map_err(|error| error.to_string())?;
    let mut url = format!("{}/api/v1/intake/batches", import.server.trim_end_matches('/'))
        .parse::<reqwest::Url>()
        .map_err(|error| format!("--server: {error}"))?;
    if let Some(source) = &import.source {
        url.query_pairs_mut().append_pair("source", source);
    }
    let kind = if is_table { "text/csv" } else { "application/x-ndjson" };
    for piece in pieces {
        let mut url = url.clone();
        url.query_pairs_mut().append_pair("first_line", &piece.first.to_string());
        let request = client.post(url).bearer_auth(&token).header("Content-Type", kind);
        let answer = ask(&request.body(piece.text)).await?;
        let mut reasons = answer.rows.iter().flat_map(|row| &row.reasons);
        if let Some(Reason { zh, en, .. }) = reasons.find(|reason| reason.code == NOT_YOURS) {
            return Err(format!(
                "该令牌无权登记警情 this token may not register calls: {zh} {en}; use that of a dispatcher"
            ));
        }
        tally.rows += piece.rows;
        tally.registered += answer.registered;
        tally.known += answer.known;
        tally.refused += answer.refused;
        let told = answer.registered + answer.known + answer.refused;
        if told != answer.rows.len() {
            return Err("the service's answer does not add up".to_owned());
        }
        tally.outcomes.extend(answer.rows);
        say(&bar(tally, all));
    }
    Ok(())
}

/// Sends a piece until it is answered: the service may be busy or starting.
async fn ask(request: &reqwest::RequestBuilder) -> Result<Answer, String> {
    let mut last = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(250 << attempt)).await;
        }
        let Some(request) = request.try_clone() else { break };
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                last = error.to_string();
                continue;
            }
        };
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if status.is_success() {
            return serde_json::from_str(&text).map_err(|error| error.to_string());
        }
        last = format!("{status}: {}", said(&text));
        if !(status.is_server_error() || status.as_u16() == 429) {
            return Err(format!("the service did not take it: {last}"));
        }
    }
    Err(format!("the service did not take it; send the file again to go on: {last}"))
}

/// The words of a problem.
fn said(text: &str) -> String {
    let problem: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let word = |name: &str| problem.get(name).and_then(|word| word.as_str()).unwrap_or_default();
    format!("{} {}", word("detail_zh"), word("detail"))
}

fn token(import: &Import) -> Result<String, String> {
    let kept = match &import.token_file {
        Some(path) => Some(fs::read_to_string(path).map_err(|error| place(path, &error))?),
        None => import.token.clone(),
    };
    let token = kept.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
    token.ok_or_else(|| "give a token: --token-file, or FENLIU_TOKEN".to_owned())
}

/// Whether a file is a table, else lines of JSON: by how its name ends.
fn is_table(file: &Path) -> Result<bool, String> {
    let end = file.extension().map(|end| end.to_ascii_lowercase());
    match end.as_ref().and_then(|end| end.to_str()) {
        Some("csv") => Ok(true),
        Some("jsonl" | "ndjson") => Ok(false),
        _ => Err(place(
            file,
            &"文件名应以.csv或.jsonl结尾 a file ends in .csv (a table) or in .jsonl (lines of JSON)",
        )),
    }
}

/// The file in pieces, each with the head and without empty rows.
fn table_pieces(text: &str) -> Result<Vec<Piece>, csv::Error> {
    let text = text.trim_start_matches(MARK);
    let delimiter = sheet::separator(text);
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let head = reader.headers()?.clone();
    let mut pieces = Vec::new();
    let mut open: Vec<csv::StringRecord> = Vec::new();
    let mut first = 2;
    let mut lines = 0;
    let mut close = |open: &mut Vec<csv::StringRecord>, first: usize| -> Result<(), csv::Error> {
        let mut writer =
            csv::WriterBuilder::new().flexible(true).delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(&head)?;
        for record in open.iter() {
            writer.write_record(record)?;
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        pieces.push(Piece { first, rows: open.len(), text });
        open.clear();
        Ok(())
    };
    for record in reader.records() {
        let record = record?;
        if is_blank(&record) {
            continue;
        }
        let line = line_at(text, record.position());
        // Rows of several lines, and empty ones, end a piece: its lines are counted from its first.
        let joined = open.is_empty() || line == first + lines;
        if open.len() == TOGETHER || !joined {
            close(&mut open, first)?;
        }
        if open.is_empty() {
            (first, lines) = (line, 0);
        }
        lines += 1;
        open.push(record);
    }
    if !open.is_empty() {
        close(&mut open, first)?;
    }
    Ok(pieces)
}

fn line_pieces(text: &str) -> Vec<Piece> {
    let lines: Vec<&str> = text.lines().collect();
    let pieces = (1..).step_by(TOGETHER).zip(lines.chunks(TOGETHER));
    let pieces = pieces.map(|(first, lines)| Piece {
        first,
        rows: lines.iter().filter(|line| !line.trim().is_empty()).count(),
        text: lines.join("\n"),
    });
    pieces.filter(|piece| piece.rows > 0).collect()
}

/// How far it is, for eyes.
fn bar(tally: &Tally, all: usize) -> String {
    const WIDTH: usize = 30;
    let done = (tally.rows * WIDTH).checked_div(all).unwrap_or(WIDTH).min(WIDTH);
    format!(
        "[{}{}] {}/{all}  新 new {}  已有 known {}  未收 not taken {}",
        "#".repeat(done),
        "·".repeat(WIDTH - done),
        tally.rows,
        tally.registered,
        tally.known,
        tally.refused
    )
}

/// What became of every row, as a table.
fn table(rows: &[Row]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["line 行", "outcome 结果", "number 编号", "input 列", "zh 原因", "en"])?;
    for row in rows {
        let mut write = |input: &str, zh: &str, en: &str| {
            let number = row.number.clone().unwrap_or_default();
            let [input, zh, en] = [input, zh, en].map(sheet::harmless);
            let begin = [row.line.to_string(), row.outcome.clone(), number];
            writer.write_record(begin.into_iter().chain([input, zh, en]))
        };
        if row.reasons.is_empty() {
            write("", "", "")?;
        }
        for reason in &row.reasons {
            write(reason.input.as_deref().unwrap_or_default(), &reason.zh, &reason.en)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(format!("{MARK}{}", String::from_utf8_lossy(&bytes)))
}

fn place(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_into_pieces_that_know_where_they_begin() {
        let rows: String = (1..=250).map(|row| format!("{row},内容\n")).collect();
        let pieces = table_pieces(&format!("编号,内容\n{rows}")).unwrap();
        let begins: Vec<(usize, usize)> = pieces.iter().map(|one| (one.first, one.rows)).collect();
        assert_eq!(begins, [(2, 100), (102, 100), (202, 50)]);
        assert!(pieces.iter().all(|piece| piece.text.starts_with("编号,内容\n")));
        let several = table_pieces("编号,内容\n1,\"两\n行\"\n2,一行\n").unwrap();
        let begins: Vec<(usize, usize)> = several.iter().map(|one| (one.first, one.rows)).collect();
        assert_eq!(begins, [(2, 1), (4, 1)]);
        let lines: String = (1..=150).map(|row| format!("{{\"a\":{row}}}\n")).collect();
        let begins: Vec<usize> = line_pieces(&lines).iter().map(|piece| piece.first).collect();
        assert_eq!(begins, [1, 101]);
    }

    #[test]
    fn empty_rows_are_left_out_and_the_others_keep_their_lines() {
        let begins = |text: &str| -> Vec<(usize, usize)> {
            let pieces = table_pieces(text).unwrap();
            pieces.iter().map(|one| (one.first, one.rows)).collect()
        };
        let rows: String = (1..=100).map(|row| format!("{row},内容\n")).collect();
        assert_eq!(begins(&format!("编号,内容\n{rows},\n")), [(2, 100)]);
        let (empty, more) = (" ,\n".repeat(150), "x,内容\n".repeat(10));
        let table = format!("编号,内容\n{rows}{empty}{more}");
        assert_eq!(begins(&table), [(2, 100), (252, 10)]);
        // The ends of lines as Excel writes them, and lines with nothing at all.
        assert_eq!(begins(&table.replace('\n', "\r\n")), [(2, 100), (252, 10)]);
        assert_eq!(begins("编号,内容\n\n\n1,一\n\n2,二\n"), [(4, 1), (6, 1)]);
        assert!(begins("编号,内容\n,\n,\n").is_empty());
    }
}
