//! Texts with values in them, escaped for the place where they stand.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::answer::one_line;
use super::Body;

/// The values that may stand in a template.
const NAMES: [&str; 12] = [
    "address",
    "text",
    "text_json",
    "id",
    "time",
    "time_ms",
    "time_iso",
    "nonce",
    "key",
    "secret",
    "body_sha256",
    "signature",
];

/// What stands for each name.
pub(super) struct Values(BTreeMap<&'static str, String>);

impl Values {
    pub(super) fn new<const N: usize>(values: [(&'static str, String); N]) -> Self {
        Self(values.into())
    }

    pub(super) fn set(&mut self, name: &'static str, value: String) {
        self.0.insert(name, value);
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// A text with places for values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(String),
}

impl Template {
    /// Reads `text {name} text`; `{{` and `}}` are braces.
    pub(super) fn parse(template: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = template.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' if rest.next_if_eq(&'{').is_some() => text.push('{'),
                '}' if rest.next_if_eq(&'}').is_some() => text.push('}'),
                '}' => return Err("a `}` closes nothing; write `}}` for a brace".to_owned()),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match rest.next() {
                            Some('}') => break,
                            Some(c) => name.push(c),
                            None => {
                                return Err(format!(
                                    "`{{{name}` has no end; write `{{{{` for a brace"
                                ));
                            }
                        }
                    }
                    if !NAMES.contains(&name.as_str()) {
                        let names = NAMES.join(", ");
                        return Err(format!("there is no `{{{name}}}`; there are: {names}"));
                    }
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    pieces.push(Piece::Value(name));
                }
                c => text.push(c),
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Self(pieces))
    }

    /// Whether a value stands in it.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Value(value) if value == name))
    }

    fn fill(&self, values: &Values, escape: impl Fn(&str) -> String) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Value(name) => escape(values.get(name)),
        });
        pieces.collect()
    }

    /// The text with the values as they are.
    pub(super) fn plain(&self, values: &Values) -> String {
        self.fill(values, str::to_owned)
    }

    /// The text as an address: values cannot leave their place in it.
    pub(super) fn in_url(&self, values: &Values) -> String {
        self.fill(values, percent)
    }

    /// The text as the value of a header: on one line.
    pub(super) fn in_header(&self, values: &Values) -> String {
        one_line(&self.plain(values))
    }
}

/// A body with places for values.
#[derive(Debug)]
pub(super) enum Document {
    Json(Node),
    Form(Vec<(Template, Template)>),
    None,
}

/// A part of a JSON body.
#[derive(Debug)]
pub(super) enum Node {
    Text(Template),
    List(Vec<Node>),
    Table(Vec<(Template, Node)>),
    Plain(Json),
}

impl Document {
    pub(super) fn parse(kind: Body, template: &str) -> Result<Self, String> {
        match kind {
            Body::None if template.is_empty() => Ok(Self::None),
            Body::None => Err("there is a body, but its kind is `none`".to_owned()),
            Body::Json => {
                let json = serde_json::from_str(template);
                let json: Json = json.map_err(|error| format!("this is no JSON: {error}"))?;
                Node::parse(&json).map(Self::Json)
            }
            Body::Form => {
                let pairs = template.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    Ok((Template::parse(key)?, Template::parse(value)?))
                });
                pairs.collect::<Result<_, String>>().map(Self::Form)
            }
        }
    }

    /// Whether a value stands in it.
    pub(super) fn names(&self, name: &str) -> bool {
        match self {
            Self::Json(node) => node.names(name),
            Self::Form(pairs) => {
                pairs.iter().any(|(key, value)| key.names(name) || value.names(name))
            }
            Self::None => false,
        }
    }

    /// The kind of content, and the body.
    pub(super) fn fill(&self, values: &Values) -> Option<(&'static str, String)> {
        match self {
            Self::Json(node) => {
                Some(("application/json; charset=utf-8", node.fill(values).to_string()))
            }
            Self::Form(pairs) => {
                let pair = |(key, value): &(Template, Template)| {
                    format!("{}={}", percent(&key.plain(values)), percent(&value.plain(values)))
                };
                let pairs: Vec<String> = pairs.iter().map(pair).collect();
                Some(("application/x-www-form-urlencoded; charset=utf-8", pairs.join("&")))
            }
            Self::None => None,
        }
    }
}

impl Node {
    fn parse(json: &Json) -> Result<Self, String> {
        Ok(match json {
            Json::String(text) => Self::Text(Template::parse(text)?),
            Json::Array(items) => {
                Self::List(items.iter().map(Self::parse).collect::<Result<_, _>>()?)
            }
            Json::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(key, value)| Ok((Template::parse(key)?, Self::parse(value)?)));
                Self::Table(fields.collect::<Result<_, String>>()?)
            }
            plain => Self::Plain(plain.clone()),
        })
    }

    fn names(&self, name: &str) -> bool {
        match self {
            Self::Text(template) => template.names(name),
            Self::List(items) => items.iter().any(|item| item.names(name)),
            Self::Table(fields) => {
                fields.iter().any(|(key, value)| key.names(name) || value.names(name))
            }
            Self::Plain(_) => false,
        }
    }

    fn fill(&self, values: &Values) -> Json {
        match self {
            Self::Text(template) => Json::String(template.plain(values)),
            Self::List(items) => items.iter().map(|item| item.fill(values)).collect(),
            Self::Table(fields) => {
                let field =
                    |(key, value): &(Template, Self)| (key.plain(values), value.fill(values));
                Json::Object(fields.iter().map(field).collect())
            }
            Self::Plain(json) => json.clone(),
        }
    }
}

/// Everything but letters, digits and `-._~` by number, as RFC 3986 has it.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
