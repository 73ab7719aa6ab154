//! The text of a workflow file, read as the shapes of a document; what is wrong with it by its place.

use std::ops::Range;

use crate::chart::document::Document;
use crate::chart::{Finding, Severity};

/// The longest workflow file that is read, in bytes.
pub const SOURCE_MAX: usize = 1_048_576;

/// The code of a finding about a name that stands twice.
pub(super) const TWICE: &str = "duplicate_name";

/// Reads the shapes of a workflow file.
///
/// # Errors
/// The first place that is not YAML, or has not the shape of a workflow.
pub fn read(source: &str) -> Result<Document, Finding> {
    read_as(source, false)
}

/// The same; of names that stand twice the first is meant if `first` says so.
pub(super) fn read_as(source: &str, first: bool) -> Result<Document, Finding> {
    if source.len() > SOURCE_MAX {
        let message = format!("the file is longer than {SOURCE_MAX} bytes");
        return Err(Finding::new(source, Severity::Error, "too_long", 0..0, message));
    }
    let mut options = serde_saphyr::Options::default();
    if first {
        options.duplicate_keys = serde_saphyr::DuplicateKeyPolicy::FirstWins;
    }
    serde_saphyr::from_str_with_options::<Document>(source, options).map_err(|error| {
        let place = error.location().map_or(0..0, |location| place_of(source, location));
        let message = error.without_snippet().to_string();
        let Some((said, _)) = message.split_once(", set DuplicateKeyPolicy") else {
            return Finding::new(source, Severity::Error, "not_a_workflow", place, message)
                .help("`fenliu workflow schema` prints the form of workflow files");
        };
        Finding::new(source, Severity::Error, TWICE, place, said)
            .help("give one of them another name, or take it away; the first one is judged here")
    })
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
