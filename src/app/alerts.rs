//! `fenliu alerts …`: the texts of messages, checked and looked at without a running service.

use std::path::{Path, PathBuf};

use super::workflow::{Report, yaml_files};
use super::{rehearsal, serve};
use crate::chart::{self, Chart, finding};
use crate::config::settings::Settings;
use crate::config::texts;
use crate::domain::{Kind, Language, Text};
use crate::gate::{self, sample_letter};
use crate::template::{Sample, Templates, parts, units};

/// What is wanted of alerts on the command line.
#[derive(Debug, clap::Subcommand)]
pub enum Wish {
    /// Say everything that is wrong with the message templates, and which SMS are long.
    Check {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Show a message with sample values.
    Preview {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Which text.
        #[command(flatten)]
        wish: PreviewWish,
    },
    /// Show who would be told, when, by which channel, if a matter began at a time and nobody acted.
    /// Sends nothing; a running service is not disturbed.
    Rehearse {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
        /// When, and of what.
        #[command(flatten)]
        wish: rehearsal::Wish,
    },
}

/// What is to be looked at, as the command line says it.
#[derive(Debug, Clone, clap::Args)]
pub struct PreviewWish {
    /// `alert`, `bundle`, `code`, `reply`, `digest`, `mute`, `handover`, `alarm`, `coverage`,
    /// `checkpoint` or `test`.
    #[arg(long, default_value = "alert")]
    kind: String,
    /// `sms`, `email`, `console` or `webhook`.
    #[arg(long, default_value = "sms")]
    channel: String,
    /// `zh` or `en`.
    #[arg(long, default_value = "zh")]
    language: String,
    /// A workflow of the folder named in `founding.workflows` …
    #[arg(long, requires = "text")]
    workflow: Option<String>,
    /// … and one of its texts.
    #[arg(long, requires = "workflow")]
    text: Option<String>,
    /// Print the HTML instead of the text.
    #[arg(long)]
    html: bool,
}

/// Does what is wanted, with the settings of a file and of the environment.
///
/// # Errors
/// What is wrong with settings, texts or wishes.
pub fn run(
    wish: Wish,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Report, String> {
    let settings = |config| serve::settings(config, environment).map_err(|error| error.to_string());
    match wish {
        Wish::Check { config } => check(&settings(config)?),
        Wish::Preview { config, wish } => preview(&settings(config)?, &wish),
        Wish::Rehearse { config, wish } => rehearsal::rehearse(&settings(config)?, &wish),
    }
}

/// The templates of the settings' folder, or those built in.
///
/// # Errors
/// What cannot be read, or every fault.
pub fn templates(settings: &Settings) -> Result<Templates, String> {
    let folder = settings.beside(&settings.alerts.templates);
    let read = if settings.alerts.templates.as_os_str().is_empty() {
        Templates::shipped()
    } else {
        Templates::read(texts::read(&folder).map_err(|error| error.to_string())?)
    };
    read.map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
        format!("the message templates in `{}` are wrong:{}", folder.display(), lines.concat())
    })
}

/// Checks the templates against the workflows of the folder in the settings; lists every SMS that
/// needs more than one part.
///
/// # Errors
/// What cannot be read.
pub fn check(settings: &Settings) -> Result<Report, String> {
    let charts = charts(&settings.beside(&settings.founding.workflows))?;
    let sample = sample(settings);
    let checked = templates(settings)?.check(&charts, &sample);
    let mut report = Report::default();
    for fault in checked.all_faults() {
        report.text.push_str(&format!("error: {fault}\n"));
        report.failed = true;
    }
    for warning in &checked.warnings {
        report.text.push_str(&format!("warning: {warning}\n"));
    }
    let texts: usize = charts.iter().map(|chart| chart.texts.len()).sum();
    let (faults, warnings) = (checked.all_faults().count(), checked.warnings.len());
    report.text.push_str(&format!("{texts} texts: {faults} errors, {warnings} warnings\n"));
    Ok(report)
}

/// Shows a message with sample values.
///
/// # Errors
/// What cannot be read, or is not there.
pub fn preview(settings: &Settings, wish: &PreviewWish) -> Result<Report, String> {
    let bundle = wish.kind == "bundle";
    let kind = if bundle { Some(Kind::Alert) } else { Kind::from_code(&wish.kind) };
    let kind = kind.ok_or_else(|| format!("there is no kind `{}`", wish.kind))?;
    let language = Language::ALL.into_iter().find(|known| known.code() == wish.language);
    let language = language.ok_or_else(|| format!("there is no language `{}`", wish.language))?;
    let text = wish.workflow.clone().zip(wish.text.clone());
    let charts = if text.is_some() {
        charts(&settings.beside(&settings.founding.workflows))?
    } else {
        Vec::new()
    };
    let chart = text.as_ref().map(|(workflow, _)| {
        let mut known = charts.iter();
        let found = known.find(|chart| chart.workflow == *workflow);
        found.ok_or_else(|| format!("there is no workflow `{workflow}`"))
    });
    let chart = chart.transpose()?;
    if let (Some(chart), Some((workflow, name))) = (chart, &text)
        && !chart.texts.contains_key(name)
    {
        let known: Vec<&str> = chart.texts.keys().map(String::as_str).collect();
        let known = known.join(", ");
        return Err(format!("`{workflow}` has no text `{name}`; its texts are: {known}"));
    }
    let asked = gate::Wish { kind, channel: wish.channel.clone(), language, bundle, text };
    let written = sample_letter(&templates(settings)?, chart, &asked, &sample(settings));
    let written = written.map_err(|error| format!("{}: {error}", wish.kind))?;
    if wish.html {
        return Ok(Report::of(written.html.unwrap_or_default()));
    }
    let units = units(&written.text);
    let size = if wish.channel == "sms" {
        {
            let parts = parts(units);
            let word = if parts == 1 { "part" } else { "parts" };
            format!("\n\n{units} units, {parts} {word}")
        }
    } else {
        String::new()
    };
    Ok(Report::of(format!("{}\n\n{}{size}\n", written.subject, written.text)))
}

fn sample(settings: &Settings) -> Sample {
    let public_url = settings.alerts.public_url.trim_end_matches('/').to_owned();
    Sample { office: Text::new("某县", "Some County"), public_url }
}

fn charts(folder: &Path) -> Result<Vec<Chart>, String> {
    let mut charts = Vec::new();
    for file in yaml_files(folder)? {
        let source = std::fs::read_to_string(&file);
        let source = source.map_err(|error| format!("{}: {error}", file.display()))?;
        let (chart, findings) = chart::compile(&source);
        let broken = || finding::draw(&file.display().to_string(), &source, &findings);
        charts.push(chart.ok_or_else(broken)?);
    }
    Ok(charts)
}
