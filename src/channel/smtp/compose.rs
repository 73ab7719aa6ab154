//! A letter as a mail: headers and body.

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::response::Response;
use lettre::{Address, Message};

use super::super::Letter;
use super::super::answer::one_line;

/// A mail made ready.
pub(super) struct Mail {
    /// The one recipient.
    pub(super) to: Address,
    /// What is sent after DATA, with its end.
    pub(super) data: String,
}

/// The mail of a letter.
///
/// # Errors
/// Why there can be none, in a sentence without the address.
pub(super) fn mail(from: &Mailbox, letter: &Letter) -> Result<Mail, String> {
    let to: Address =
        letter.address.parse().map_err(|_said| "the address is no mail address".to_owned())?;
    let name = one_line(&letter.name);
    let host = from.email.domain();
    let name = (!name.is_empty()).then_some(name);
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(name, to.clone()))
        .subject(one_line(&letter.subject))
        // When it was written: a later attempt is the same mail.
        .date(letter.written_at.max(crate::domain::Instant(0)).timestamp().into())
        .message_id(Some(format!("<message.{}@{host}>", letter.id)));
    if let Some(thread) = &letter.thread {
        // All mails of a matter answer one that was never sent: that is what puts them together.
        let root = format!("<thread.{}@{host}>", token(thread));
        builder = builder.in_reply_to(root.clone()).references(root);
    }
    let mut headers = vec![("Auto-Submitted", "auto-generated")];
    if letter.urgent {
        headers.extend([("X-Priority", "1"), ("Importance", "high")]);
    }
    for (name, value) in headers {
        let name = HeaderName::new_from_ascii_str(name);
        builder = builder.raw_header(HeaderValue::new(name, value.to_owned()));
    }
    let text = letter.text.clone();
    let built = match &letter.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html.clone())),
        None => builder.singlepart(SinglePart::plain(text)),
    };
    let message = built.map_err(|error| format!("no mail can be made of it: {error}"))?;
    let text = String::from_utf8(message.formatted())
        .map_err(|error| format!("no mail can be made of it: {error}"))?;
    Ok(Mail { to, data: ended(&text) })
}

/// A mail with its end: a line of one dot, so that its own lines that begin with a dot get another
/// (RFC 5321, 4.5.2).
fn ended(text: &str) -> String {
    let mut data = String::with_capacity(text.len() + 5);
    for line in text.split_inclusive("\r\n") {
        if line.starts_with('.') {
            data.push('.');
        }
        data.push_str(line);
    }
    if !data.ends_with("\r\n") {
        data.push_str("\r\n");
    }
    data.push_str(".\r\n");
    data
}

/// A text as it may stand in a message id: other characters by their number.
fn token(text: &str) -> String {
    let mut token = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '.' || c == '-' {
            token.push(c);
        } else {
            token.push_str(&format!("_{:x}", u32::from(c)));
        }
    }
    // Dots may not stand at the ends or side by side.
    token.split('.').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
}

/// What the server calls the mail, if it says so: `250 2.0.0 Ok: queued as 4WxYz` and the like.
pub(super) fn queue_id(response: &Response) -> Option<String> {
    let said = response.first_line()?;
    let words: Vec<&str> = said.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().position(|one| one.eq_ignore_ascii_case(word))?;
        words.get(at + 1).copied()
    };
    let id = after("as").or_else(|| words.iter().find_map(|word| word.strip_prefix("id=")))?;
    let id: String =
        id.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests;
