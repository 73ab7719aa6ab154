//! What `check` has to say about a workflow file: code, place, excerpt, help.

mod words;

use std::fmt;
use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};
use serde::Serialize;

pub use words::in_chinese;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The definition can't be published.
    Error,
    /// An administrator may publish it all the same, with a reason.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable code, e.g. `unknown_name`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// Where, in bytes of the file.
    #[serde(skip)]
    pub span: Range<usize>,
    /// Where: line, from 1.
    pub line: usize,
    /// Where: character of the line, from 1.
    pub column: usize,
}

impl Finding {
    /// A finding at a place of `source`.
    #[must_use]
    pub fn new(
        source: &str,
        severity: Severity,
        code: &str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let before = source.get(..span.start).unwrap_or(source);
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().map_or(1, |row| row.chars().count() + 1);
        let code = code.to_owned();
        Self { code, severity, message: message.into(), help: None, span, line, column }
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Draws findings the way a compiler does, excerpt and all, without colours.
#[must_use]
pub fn draw(file: &str, source: &str, findings: &[Finding]) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_context_lines(1)
        .with_width(110);
    let mut drawing = String::new();
    for finding in findings {
        let row = source.lines().nth(finding.line.saturating_sub(1)).unwrap_or_default();
        let report = Report { finding, source: NamedSource::new(file, source.to_owned()) };
        let mut one = String::new();
        // Nobody reads an excerpt of a line that fills screens; and a place outside the file can't be
        // drawn. The words still count.
        if row.len() > ROW_LONGEST || handler.render_report(&mut one, &report).is_err() {
            let Finding { code, line, column, message, .. } = finding;
            drawing.push_str(&format!("{code} {file}:{line}:{column}: {message}\n"));
            continue;
        }
        drawing.push_str(&counted_in_characters(one, file, finding));
    }
    drawing
}

/// The longest line that is shown, in bytes.
const ROW_LONGEST: usize = 1_000;

/// The drawing's own header counts bytes; editors count characters.
fn counted_in_characters(drawing: String, file: &str, finding: &Finding) -> String {
    let opening = format!("[{file}:");
    let Some((before, rest)) = drawing.split_once(&opening) else { return drawing };
    let Some((_, after)) = rest.split_once(']') else { return drawing };
    format!("{before}{opening}{}:{}]{after}", finding.line, finding.column)
}

#[derive(Debug)]
struct Report<'f> {
    finding: &'f Finding,
    source: NamedSource<String>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl std::error::Error for Report<'_> {}

impl Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.finding.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help: Box<dyn fmt::Display> = Box::new(self.finding.help.as_ref()?);
        Some(help)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.finding.span.clone();
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, span))))
    }
}
