//! What spreadsheet programs do to tables, and how it is read and written here.

use jiff::civil::{Date, DateTime, Time};

use super::text::Text;

/// Spreadsheets know by this that a file is UTF-8.
pub const MARK: char = '\u{feff}';

/// What separates the cells of a table: the mark that stands most often in its first line.
#[must_use]
pub fn separator(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let often = |separator: &u8| head.bytes().filter(|byte| byte == separator).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(often).unwrap_or(b',')
}

/// The line, from 1, on which a quotation mark is opened that is never closed: all that follows would be
/// taken for one cell.
#[must_use]
pub fn unclosed(text: &str, separator: u8) -> Option<usize> {
    let separator = char::from(separator);
    let (mut line, mut opened, mut begins) = (1, None, true);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, opened) {
            ('"', Some(_)) if letters.peek() == Some(&'"') => drop(letters.next()),
            ('"', Some(_)) => opened = None,
            ('"', None) if begins => opened = Some(line),
            _ => {}
        }
        begins = opened.is_none() && (letter == separator || letter == '\n');
        line += usize::from(letter == '\n');
    }
    opened
}

/// What is said of a quotation mark that is never closed.
#[must_use]
pub fn unclosed_at(line: usize) -> Text {
    Text::new(
        format!("第{line}行的引号没有成对，其后的内容都会被当作一格；请补上引号"),
        format!(
            "line {line}: a quotation mark is never closed, all that follows would be one cell: close it"
        ),
    )
}

/// Text that a spreadsheet does not take for a formula.
#[must_use]
pub fn harmless(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{text}") } else { text.to_owned() }
}

/// The text that [`harmless`] was given.
#[must_use]
pub fn plain(cell: &str) -> &str {
    let cell = cell.trim();
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => cell,
    }
}

/// `2026-11-23 08:30`, `2026/11/23 8:30`, or a date alone (its midnight).
#[must_use]
pub fn moment(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "0:00"));
    let mut parts = date.trim().split(['-', '/', '.']);
    let mut part = || parts.next()?.parse::<i16>().ok();
    let (year, month, day) = (part()?, i8::try_from(part()?).ok()?, i8::try_from(part()?).ok()?);
    let date = Date::new(year, month, day).ok().filter(|_| year >= 1000)?;
    let mut parts = time.trim().split(':');
    let hour: i8 = parts.next()?.parse().ok()?;
    let minute: i8 = parts.next()?.parse().ok()?;
    let second: i8 = parts.next().map_or(Some(0), |second| second.parse().ok())?;
    let end = parts.next().is_none();
    // Tables say 24:00 for the end of a day.
    let (date, hour) = if (hour, minute, second) == (24, 0, 0) {
        (date.tomorrow().ok()?, 0)
    } else {
        (date, hour)
    };
    let time = Time::new(hour, minute, second, 0).ok().filter(|_| end)?;
    Some(DateTime::from_parts(date, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_found_with_its_line() {
        let open = |text: &str| unclosed(text, b',');
        assert_eq!(open("a,b\n\"x, y\",2\n\"it\"\"s\",3\n"), None);
        assert_eq!(open("a,b\n1,\"two\nlines\"\n2,\"never\n3,x\n"), Some(4));
        // Within a cell it is a letter like others.
        assert_eq!(open("a,b\n1,5\" pipe\n"), None);
        assert_eq!(open(""), None);
    }
}
