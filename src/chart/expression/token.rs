//! Source text to words and signs.

use std::ops::Range;

use super::Complaint;

/// A word or sign of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// An identifier or keyword.
    Word(String),
    Int(i64),
    Text(String),
    /// An operator or punctuation mark.
    Sign(&'static str),
    End,
}

/// Signs, longer ones before their beginnings.
const SIGNS: [&str; 21] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", "+", "-", "*", "(", ")", "[", "]",
    ",", ".", "=",
];

/// A token and where it stands, in bytes.
pub(super) type Placed = (Token, Range<usize>);

/// Whether `c` may begin a name.
fn begins_word(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

/// Whether `text` is one identifier.
#[cfg(test)]
pub(super) fn is_word(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(begins_word) && chars.all(|c| c == '_' || c.is_alphanumeric())
}

/// Reads a source from left to right.
struct Reader<'s> {
    source: &'s str,
    at: usize,
    tokens: Vec<Placed>,
    complaints: Vec<Complaint>,
}

/// The tokens of `source`, ending with [`Token::End`], and every complaint about its spelling.
pub(super) fn tokens(source: &str) -> (Vec<Placed>, Vec<Complaint>) {
    let mut reader = Reader { source, at: 0, tokens: Vec::new(), complaints: Vec::new() };
    while let Some(c) = reader.peek() {
        reader.token(c);
    }
    let end = source.len();
    reader.tokens.push((Token::End, end..end));
    (reader.tokens, reader.complaints)
}

impl<'s> Reader<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes the longest run of characters that `wanted` accepts.
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn token(&mut self, c: char) {
        let start = self.at;
        let token = if c.is_whitespace() {
            self.take(char::is_whitespace);
            return;
        } else if begins_word(c) {
            Token::Word(self.take(|c| c == '_' || c.is_alphanumeric()).to_owned())
        } else if c.is_ascii_digit() {
            self.number()
        } else if c == '\'' {
            self.text()
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) {
            self.at += sign.len();
            Token::Sign(sign)
        } else {
            self.at += c.len_utf8();
            let help = match c {
                '"' => Some("texts stand in single quotes: 'text'".to_owned()),
                '&' | '|' => Some(format!("write `{c}{c}`")),
                '/' | '%' => Some("there is no division; only `+`, `-` and `*`".to_owned()),
                '，' | '（' | '）' | '＝' | '＞' | '＜' | '！' | '‘' | '’' | '：' | '？' => {
                    Some("use the narrow (ASCII) sign".to_owned())
                }
                _ => None,
            };
            let message = format!("`{c}` has no meaning here");
            self.complaints.push(Complaint::new("syntax", message, start..self.at).helped(help));
            return;
        };
        self.tokens.push((token, start..self.at));
    }

    fn number(&mut self) -> Token {
        let start = self.at;
        let digits = self.take(|c| c.is_alphanumeric() || c == '_');
        let value = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok());
        match value {
            Some(Some(value)) => Token::Int(value),
            Some(None) => {
                let message = format!("`{digits}` is too large for a whole number");
                self.complaints.push(Complaint::new("syntax", message, start..self.at));
                Token::Int(0)
            }
            None => {
                let message = format!("`{digits}` is neither a number nor a name");
                let help =
                    "durations stand in quotes: real('30m'); names do not begin with a digit";
                let complaint = Complaint::new("syntax", message, start..self.at);
                self.complaints.push(complaint.helped(Some(help.to_owned())));
                Token::Int(0)
            }
        }
    }

    fn text(&mut self) -> Token {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((index, c)) = chars.next() {
            match c {
                '\'' => {
                    self.at = start + index + 1;
                    return Token::Text(text);
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('\'' | '\\'))) => text.push(escaped),
                    Some((after, other)) => {
                        let span = start + index..start + after + other.len_utf8();
                        let message = format!("`\\{other}` is no escape");
                        let help = "only \\' and \\\\ are".to_owned();
                        let complaint = Complaint::new("syntax", message, span);
                        self.complaints.push(complaint.helped(Some(help)));
                    }
                    None => break,
                },
                _ => text.push(c),
            }
        }
        self.at = self.source.len();
        let message = "the text is not closed".to_owned();
        let complaint = Complaint::new("syntax", message, start..self.at);
        self.complaints.push(complaint.helped(Some("add a ' at its end".to_owned())));
        Token::Text(text)
    }
}
