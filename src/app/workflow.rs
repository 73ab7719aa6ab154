//! `fenliu workflow …`: checking, testing and drawing workflow files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::calendar::Calendar;
use crate::chart::check::{Member, check_family};
use crate::chart::{self, Chart, Finding, Severity, finding};
use crate::config::database::only_file;
use crate::config::jurisdiction::Jurisdiction;
use crate::domain::JurisdictionId;
use crate::scenario::Stage;

/// What a command says and whether all was well.
#[derive(Debug, Default)]
pub struct Report {
    /// For standard output.
    pub text: String,
    /// Whether anything was wrong.
    pub failed: bool,
}

/// How a workflow is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Mermaid's state diagram.
    Mermaid,
    /// Graphviz.
    Dot,
    /// W3C SCXML.
    Scxml,
}

impl Report {
    /// A report that all is well, with a text.
    #[must_use]
    pub fn of(text: String) -> Self {
        Self { text, failed: false }
    }

    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }
}

/// What is wanted of workflow files on the command line.
#[derive(Debug, clap::Subcommand)]
pub enum Wish {
    /// Say everything that is wrong with workflow files.
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Tell the scenarios beside the workflows of a folder, of one workflow, or one scenario alone.
    Test {
        /// A folder of workflows, a workflow file, or a scenario file.
        #[arg(default_value = "workflows")]
        path: PathBuf,
        /// Who is who: a file, or a folder with one.
        #[arg(long, default_value = "config/jurisdictions")]
        jurisdiction: PathBuf,
        /// Which days are worked: a file, or a folder with one.
        #[arg(long, default_value = "config/calendars")]
        calendar: PathBuf,
    },
    /// Draw a workflow.
    Diagram {
        /// The file.
        file: PathBuf,
        /// `mermaid`, `dot` or `scxml`.
        #[arg(long, default_value = "mermaid")]
        format: Format,
    },
    /// Print the JSON Schema of workflow files, for editors.
    Schema,
}

/// Does what is wanted.
///
/// # Errors
/// What cannot be read.
pub fn run(wish: Wish) -> Result<Report, String> {
    match wish {
        Wish::Check { files } => check(&files),
        Wish::Test { path, jurisdiction, calendar } => test(&path, &jurisdiction, &calendar),
        Wish::Diagram { file, format } => diagram(&file, format),
        Wish::Schema => schema(),
    }
}

/// Checks files, each by itself and then all of them as a family; says everything that is wrong.
///
/// # Errors
/// When a file cannot be read.
pub fn check(files: &[PathBuf]) -> Result<Report, String> {
    let mut report = Report::default();
    let mut read_files = Vec::new();
    for file in files {
        let source = read(file)?;
        let (chart, findings) = chart::compile(&source);
        read_files.push((file.display().to_string(), source, chart, findings));
    }
    let members: Vec<Member<'_>> = read_files
        .iter()
        .filter_map(|(file, source, chart, _)| {
            Some(Member { file, source, chart: chart.as_ref()? })
        })
        .collect();
    // What a family lacks can only be said when all of it is there and sound.
    let whole = members.len() == read_files.len() && members.len() > 1;
    let family = if whole { check_family(&members) } else { Vec::new() };
    for (name, source, _, findings) in &read_files {
        let of_family = family.iter().filter(|(file, _)| file == name).map(|(_, finding)| finding);
        let all: Vec<Finding> = findings.iter().chain(of_family).cloned().collect();
        report.text.push_str(&finding::draw(name, source, &all));
        let count = |severity| all.iter().filter(|f| f.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let some = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let (errors_said, warnings) = (some(errors, "error"), some(warnings, "warning"));
        report.line(format!("{name}: {errors_said}, {warnings}"));
        report.failed |= errors > 0;
    }
    Ok(report)
}

/// Tells every scenario beside the workflows of a folder, those of one workflow file, or one scenario.
///
/// # Errors
/// When a file cannot be read or a workflow is broken.
pub fn test(path: &Path, jurisdiction: &Path, calendar: &Path) -> Result<Report, String> {
    let (workflows, scenarios) = meant(path)?;
    let stage = stage(&workflows, jurisdiction, calendar)?;
    let mut report = Report::default();
    let (mut told, mut failed) = (0, 0);
    for file in scenarios {
        let yaml = read(&file)?;
        told += 1;
        match stage.tell(&yaml) {
            Ok(story) => report.line(format!("ok    {}  {}", file.display(), story.scenario.zh)),
            Err(error) => {
                failed += 1;
                report.line(format!("FAIL  {}\n      {error}", file.display()));
            }
        }
    }
    report.line(format!("{told} scenario{}, {failed} failed", if told == 1 { "" } else { "s" }));
    if told == 0 {
        report.line(format!("no scenario stands in {}", path.display()));
    }
    // Nothing told is nothing proved.
    report.failed = failed > 0 || told == 0;
    Ok(report)
}

/// The folder of workflows that is meant, and the scenarios.
fn meant(path: &Path) -> Result<(PathBuf, Vec<PathBuf>), String> {
    let above = |path: &Path| match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    if !path.is_file() {
        return Ok((path.to_owned(), scenario_files(path)?));
    }
    let folder = above(path);
    if folder.extension().is_some_and(|extension| extension == "scenarios") {
        return Ok((above(&folder), vec![path.to_owned()]));
    }
    let own = yaml_files(&path.with_extension("scenarios"))?;
    Ok((folder, own))
}

/// Draws a workflow.
///
/// # Errors
/// When the file cannot be read, or the workflow is broken.
pub fn diagram(file: &Path, format: Format) -> Result<Report, String> {
    let source = read(file)?;
    let (chart, findings) = chart::compile(&source);
    let Some(chart) = chart else {
        return Err(finding::draw(&file.display().to_string(), &source, &findings));
    };
    Ok(Report::of(match format {
        Format::Mermaid => chart::diagram::mermaid(&chart, chart::diagram::Language::Chinese),
        Format::Dot => chart::diagram::dot(&chart),
        Format::Scxml => chart::diagram::scxml(&chart),
    }))
}

/// The JSON Schema of workflow files.
///
/// # Errors
/// When it cannot be written as JSON, which should not be.
pub fn schema() -> Result<Report, String> {
    let schema = serde_json::to_string_pretty(&chart::schema::schema());
    Ok(Report::of(format!("{}\n", schema.map_err(|error| error.to_string())?)))
}

/// The stage on which the scenarios of a folder play.
///
/// # Errors
/// When a file cannot be read, or a workflow, the jurisdiction or the calendar is broken.
pub fn stage(workflows: &Path, jurisdiction: &Path, calendar: &Path) -> Result<Stage, String> {
    let mut charts: Vec<Chart> = Vec::new();
    for file in yaml_files(workflows)? {
        let source = read(&file)?;
        let (chart, findings) = chart::compile(&source);
        match chart {
            Some(chart) => charts.push(chart),
            None => return Err(finding::draw(&file.display().to_string(), &source, &findings)),
        }
    }
    let (who, days) = (read(&only_file(jurisdiction)?)?, read(&only_file(calendar)?)?);
    let who = Jurisdiction::from_yaml(&who).map_err(|error| error.to_string())?;
    let days = Calendar::from_yaml(&days).map_err(|error| error.to_string())?;
    let stage = Stage::new(charts, days, who.directory(JurisdictionId(1)));
    Ok(stage.with_rosters(who.rosters()))
}

/// The scenario files beside the workflows of a folder, in order of name.
///
/// # Errors
/// When a folder cannot be read.
pub fn scenario_files(workflows: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for folder in entries(workflows)? {
        if folder.extension().is_some_and(|extension| extension == "scenarios") {
            files.extend(yaml_files(&folder)?);
        }
    }
    Ok(files)
}

/// The YAML files of a folder, in order of name.
///
/// # Errors
/// When the folder cannot be read.
pub fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    Ok(entries(folder)?.into_iter().filter(is_yaml).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let listing = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in listing {
        paths.push(entry.map_err(|error| format!("{}: {error}", folder.display()))?.path());
    }
    paths.sort();
    Ok(paths)
}

fn read(file: &Path) -> Result<String, String> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..good).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}: not UTF-8 after byte {good}: save the file as UTF-8", file.display())
    })
}
