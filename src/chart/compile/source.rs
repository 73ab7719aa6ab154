//! The text of a workflow file, read as the shapes of a document; what is wrong with it by its place.

use std::ops::Range;

use crate::chart::document::Document;
use crate::chart::expression::did_you_mean;
use crate::chart::{Finding, Severity};

/// The longest workflow file that is read, in bytes.
pub const SOURCE_MAX: usize = 1_048_576;

/// The code of a finding about a name that stands twice.
const TWICE: &str = "duplicate_name";

/// So many names that nothing is called are said at once.
const UNKNOWN_MAX: usize = 50;

/// Reads the shapes of a workflow file.
///
/// # Errors
/// The first place that is not YAML, or has not the shape of a workflow.
pub fn read(source: &str) -> Result<Document, Finding> {
    read_as(source, source, false).map_err(|wrong| wrong.finding)
}

/// The same, as far as a file can be understood that is wrong: a name that nothing has is passed
/// over with what it holds, and of names that stand twice the first is meant. Answers the document,
/// if one is left, and what was wrong so far.
pub(super) fn read_on(source: &str) -> (Option<Document>, Vec<Finding>) {
    let (mut text, mut found, mut first) = (source.to_owned(), Vec::new(), false);
    loop {
        let wrong = match read_as(source, &text, first) {
            Ok(document) => return (Some(document), found),
            Err(wrong) => wrong,
        };
        let twice = wrong.finding.code == TWICE && !first;
        let next = match wrong.unknown {
            true if found.len() < UNKNOWN_MAX => without(&text, wrong.finding.span.start),
            _ => None,
        };
        // What cannot be read as YAML once something was passed over is our doing.
        if found.is_empty() || serde_saphyr::from_str::<serde_json::Value>(&text).is_ok() || first {
            found.push(wrong.finding);
        }
        first |= twice;
        match next {
            Some(next) => text = next,
            None if twice => {}
            None => return (None, found),
        }
    }
}

/// What keeps a text from being read.
struct Wrong {
    finding: Finding,
    /// It is a name that nothing has.
    unknown: bool,
}

/// Reads `text`, whose places are those of `source`; of names that stand twice the first is meant if
/// `first` says so.
fn read_as(source: &str, text: &str, first: bool) -> Result<Document, Wrong> {
    let finding = |code: &str, place, message: &str| {
        Finding::new(source, Severity::Error, code, place, message)
    };
    if source.len() > SOURCE_MAX {
        let message = format!("the file is longer than {SOURCE_MAX} bytes");
        return Err(Wrong { finding: finding("too_long", 0..0, &message), unknown: false });
    }
    let mut options = serde_saphyr::Options::default();
    if first {
        options.duplicate_keys = serde_saphyr::DuplicateKeyPolicy::FirstWins;
    }
    serde_saphyr::from_str_with_options::<Document>(text, options).map_err(|error| {
        let place = error.location().map_or(0..0, |location| place_of(text, location));
        let message = error.without_snippet().to_string();
        if let Some((said, _)) = message.split_once(", set DuplicateKeyPolicy") {
            let help =
                "give one of them another name, or take it away; the first one is judged here";
            return Wrong { finding: finding(TWICE, place, said).help(help), unknown: false };
        }
        // The place is shown beside it.
        let said = message.rsplit_once(" at line ").map_or(message.as_str(), |(said, _)| said);
        let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
        let near = unknown.and_then(|(name, rest)| {
            did_you_mean(name, rest.split([',', ' ', '`']).filter(|word| !word.is_empty()))
        });
        let schema = "`fenliu workflow schema` prints the form of workflow files".to_owned();
        let help = near.unwrap_or(schema);
        let finding = finding("not_a_workflow", place, said).help(help);
        Wrong { finding, unknown: unknown.is_some() }
    })
}

/// The text with the entry of a mapping that begins at `start` blanked out, so that all else keeps its
/// place; none if its end cannot be seen.
fn without(text: &str, start: usize) -> Option<String> {
    let (before, rest) = text.split_at_checked(start)?;
    let above = before.rsplit('\n').next().unwrap_or_default();
    let alone = above.chars().all(|c| c == ' ' || c == '-');
    let end = if alone { end_of_block(rest, above.len()) } else { end_in_braces(rest)? };
    let (entry, after) = rest.split_at_checked(end)?;
    let blank = entry.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' });
    Some(before.chars().chain(blank).chain(after.chars()).collect())
}

/// Where an entry that begins a line ends: before the next line that stands as far left.
fn end_of_block(rest: &str, column: usize) -> usize {
    let mut lines = rest.split_inclusive('\n');
    let first = lines.next().map_or(0, str::len);
    let deeper = lines.take_while(|line| {
        let inner = line.trim_start();
        inner.is_empty() || line.len() - inner.len() > column
    });
    first + deeper.map(str::len).sum::<usize>()
}

/// Where an entry between braces ends: behind its comma, or before the brace that closes.
fn end_in_braces(rest: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, ',') if depth == 0 => return Some(at + 1),
            (None, '}' | ']') if depth == 0 => return Some(at),
            (None, '}' | ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The bytes of a place that the reader of YAML names: some of its complaints know line and column only.
fn place_of(source: &str, location: serde_saphyr::Location) -> Range<usize> {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let span = location.span();
    let start = span.byte_offset().map(whole).unwrap_or_else(|| {
        let above = whole(location.line()).saturating_sub(1);
        let lines: usize = source.split_inclusive('\n').take(above).map(str::len).sum();
        let row = source.get(lines..).unwrap_or_default();
        let before = row.chars().take(whole(location.column()).saturating_sub(1));
        lines + before.map(char::len_utf8).sum::<usize>()
    });
    let length = span.byte_len().map_or(1, whole);
    start.min(source.len())..start.saturating_add(length).min(source.len())
}
