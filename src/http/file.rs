//! Files that come as the body of a request, by their Content-Type.

use std::future::Future;
use std::pin::Pin;

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev};

use super::problem::Problem;
use super::receive::{read, unsupported, utf8};

/// A table or a calendar file, by its Content-Type.
pub(super) struct File {
    pub(super) kind: FileKind,
    pub(super) text: String,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// Rows and columns (CSV).
    Table,
    /// A calendar file (iCalendar).
    Calendar,
    /// One JSON object a line.
    Lines,
}

impl FromRequest for File {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let kind = match request.content_type().to_ascii_lowercase().as_str() {
            "text/csv" => Some(FileKind::Table),
            "text/calendar" => Some(FileKind::Calendar),
            "application/x-ndjson" | "application/jsonl" => Some(FileKind::Lines),
            _ => None,
        };
        let bytes = read(request, payload);
        Box::pin(async move {
            let kind =
                kind.ok_or_else(|| unsupported("text/csv, text/calendar or application/x-ndjson"))?;
            Ok(Self { kind, text: utf8(&bytes.await?)? })
        })
    }
}
