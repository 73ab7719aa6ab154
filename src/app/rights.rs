//! `fenliu rights`: the matrix of rights as a document, made from the policy table, the paths of the
//! API and the workflows, so that it cannot say anything else than what is done.

use std::fmt::Write;
use std::path::Path;

use super::workflow::{Report, yaml_files};
use crate::chart::{self, Chart, CommandSpec, Party, Selector};
use crate::http;
use crate::policy::{self, ACTS, Act, COLUMNS, Column, RELATIONS, Reach, Relation};

const HEAD: &str = "\
# Who may do and see what

Made by `fenliu rights`; a test compares it with the policy table (`src/policy/table.rs`), the paths of the API
(`src/http/route/table.rs`) and the commands of `workflows/`. What is not named here is not allowed.

Relations: `own` the person's own · `holder` the unit holds the matter · `party` it takes part · `post` the workflow's
commands are for the role · `named` the matter names the unit · `former` the unit took part: its own segment · `unit` a
thing of the unit · `other` anything else in the jurisdiction. `all` is all of them; another jurisdiction is never
reached. `county_leader` is a leader of the county government, besides what `leader` gives; `webhook` is a unit's own
system that is told by HTTP. Links in messages and replies by SMS act as the person they were sent to, by the same
table; a token can be narrowed to acts and units; a session shows `administrator`, `editor`, `auditor`, `director` and
`county_leader` only after a second factor, and links and replies, which show none, give no command by them: they
acknowledge.
";

/// The matrix for the workflows of a folder. It fails when a workflow gives a command to a role to
/// which the table gives none: that would be a rule without effect.
///
/// # Errors
/// When a file cannot be read.
pub fn report(folder: &Path) -> Result<Report, String> {
    let mut charts = Vec::new();
    for file in yaml_files(folder)? {
        let source = std::fs::read_to_string(&file);
        let source = source.map_err(|error| format!("{}: {error}", file.display()))?;
        let chart = chart::compile(&source).0;
        charts.push(chart.ok_or_else(|| format!("{}: this is no workflow", file.display()))?);
    }
    charts.sort_by(|one, other| one.workflow.cmp(&other.workflow));
    Ok(matrix(&charts))
}

/// The matrix for some workflows.
#[must_use]
pub fn matrix(charts: &[Chart]) -> Report {
    let mut text = HEAD.to_owned();
    acts(&mut text);
    paths(&mut text);
    let failed = commands(&mut text, charts);
    Report { text, failed }
}

fn acts(text: &mut String) {
    line(text, "\n## Acts\n");
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.code()).collect();
    line(text, &format!("| act | {} |", names.join(" | ")));
    line(text, &format!("|---|{}", "---|".repeat(COLUMNS.len())));
    for act in ACTS {
        let cells: Vec<String> =
            COLUMNS.iter().map(|column| words(policy::reach(*column, act))).collect();
        line(text, &format!("| {} | {} |", act.code(), cells.join(" | ")));
    }
}

fn words(reach: Reach) -> String {
    let within: Vec<&str> = RELATIONS
        .iter()
        .filter(|relation| reach.includes(**relation))
        .map(|relation| relation.code())
        .collect();
    match within.len() {
        0 => "-".to_owned(),
        count if count == RELATIONS.len() => "all".to_owned(),
        _ => within.join(", "),
    }
}

fn paths(text: &mut String) {
    line(text, "\n## Paths\n");
    line(
        text,
        "What is demanded before the thing is looked at; behind the door the same act is judged for the thing itself.\n",
    );
    line(text, "| method | path | demands | who may at all |");
    line(text, "|---|---|---|---|");
    for (path, method, demand) in http::demands() {
        let who = match Act::from_code(demand) {
            Some(act) => able(act).join(", "),
            None if demand == "(public)" => "anybody".to_owned(),
            None => "anybody who is known".to_owned(),
        };
        line(text, &format!("| {method} | `{path}` | {demand} | {who} |"));
    }
}

/// The columns that allow an act on something.
fn able(act: Act) -> Vec<&'static str> {
    let able = COLUMNS.iter().filter(|column| !policy::reach(**column, act).is_nothing());
    able.map(|column| column.code()).collect()
}

fn commands(text: &mut String, charts: &[Chart]) -> bool {
    line(text, "\n## Commands of the workflows\n");
    line(
        text,
        "Who may give each, of whom the workflow's `by` names: it narrows the table, never widens it.\n",
    );
    line(text, "| workflow | command | who |");
    line(text, "|---|---|---|");
    let mut failed = false;
    for chart in charts {
        let start = std::iter::once((&chart.start, Act::Open));
        let others = chart.commands.values().map(|spec| (spec, Act::Command));
        for (spec, act) in start.chain(others) {
            let (who, idle) = givers(spec, act);
            failed |= idle;
            line(text, &format!("| {} | {} | {} |", chart.workflow, spec.name, who.join(", ")));
        }
    }
    failed
}

/// Who may give a command; and whether somebody is named to whom the table gives nothing.
fn givers(spec: &CommandSpec, act: Act) -> (Vec<String>, bool) {
    let mut who: Vec<String> = Vec::new();
    let mut idle = false;
    if spec.by_parent {
        who.push("the parent".to_owned());
    }
    for Selector { party, role } in &spec.by {
        let (name, relation) = match party {
            Party::Body(name) => (name.clone(), Relation::Post),
            Party::Field(name) => (name.clone(), Relation::Named),
            Party::Input(name) => (format!("input.{name}"), Relation::Other),
        };
        let relation = if act == Act::Open { Relation::Other } else { relation };
        if policy::reach(Column::Role(*role), act).includes(relation) {
            who.push(format!("{name}.{role}"));
        } else {
            idle = true;
            who.push(format!("~~{name}.{role}~~"));
        }
    }
    idle |= who.is_empty();
    (who, idle)
}

fn line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    writeln!(text, "{line}").unwrap_or_default();
}
