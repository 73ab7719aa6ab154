//! The lines of calendar files (RFC 5545): folded, with parameters, with escaped texts.

/// A line holds at most so many bytes, without its end.
const FOLD: usize = 75;

/// Adds a line, folded between characters.
pub(super) fn push(out: &mut String, line: &str) {
    let mut room = FOLD;
    for character in line.chars() {
        let size = character.len_utf8();
        if size > room {
            out.push_str("\r\n ");
            room = FOLD - 1;
        }
        room -= size;
        out.push(character);
    }
    out.push_str("\r\n");
}

/// A text as a value.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            _ if character.is_control() => {}
            _ => out.push(character),
        }
    }
    out
}

/// A text as the value of a parameter: in quotes, which it cannot hold itself.
pub(super) fn quote(text: &str) -> String {
    let sound = |c: &char| !c.is_control() && *c != '"';
    format!("\"{}\"", text.chars().filter(sound).collect::<String>())
}

/// The text of a value.
pub(super) fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            _ => out.push(character),
        }
    }
    out
}

/// One property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The line of the file on which it begins, from 1.
    pub(super) number: usize,
    /// Its name, in capitals.
    pub(super) name: String,
    /// Its parameters, names in capitals.
    pub(super) parameters: Vec<(String, String)>,
    /// Its value as it stands there.
    pub(super) value: String,
}

impl Line {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The properties of a file, unfolded. What is no property is left out.
pub(super) fn read(text: &str) -> Vec<Line> {
    let mut whole: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), whole.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            _ => whole.push((number, line.trim_start_matches('\u{feff}').to_owned())),
        }
    }
    whole.iter().filter_map(|(number, line)| property(*number, line)).collect()
}

/// `NAME;PARAMETER="quoted: value":value`.
fn property(number: usize, line: &str) -> Option<Line> {
    let mut quoted = false;
    let mut parts: Vec<String> = vec![String::new()];
    let mut characters = line.chars();
    let mut ended = false;
    for character in characters.by_ref() {
        match character {
            '"' => quoted = !quoted,
            ':' if !quoted => {
                ended = true;
                break;
            }
            ';' if !quoted => parts.push(String::new()),
            _ => parts.last_mut()?.push(character),
        }
    }
    let mut parts = parts.into_iter();
    let name = parts.next().filter(|name| ended && !name.is_empty())?.to_ascii_uppercase();
    let parameters = parts.filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.to_ascii_uppercase(), value.to_owned()))
    });
    let parameters = parameters.collect();
    Some(Line { number, name, parameters, value: characters.collect() })
}
