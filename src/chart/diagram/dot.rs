//! Graphviz DOT: composites are clusters.

use super::super::{Chart, Shape};
use super::{Language, arrows, children};

/// Draws a chart for Graphviz: `dot -Tsvg` makes a picture of it. Titles stand in both languages.
#[must_use]
pub fn dot(chart: &Chart) -> String {
    let mut out = format!("digraph {} {{\n", quoted(&chart.workflow));
    out.push_str("    compound=true;\n    node [shape=box, style=rounded];\n");
    out.push_str(&format!("    start [shape=point];\n    start -> s{};\n", chart.initial));
    inside(chart, None, 1, &mut out);
    for arrow in arrows(chart, Language::Chinese) {
        let (from, to) = (arrow.from, arrow.target.state);
        let mut more = String::new();
        let composite = |number: usize| {
            chart.node(number).is_some_and(|node| matches!(node.shape, Shape::Composite(_)))
        };
        let lineage = |number: usize| chart.node(number).map(|node| node.lineage.clone());
        let within = |inner, outer: usize| lineage(inner).is_some_and(|l| l.contains(&outer));
        // Graphviz clips an arrow at a cluster only if its other end lies outside of it.
        if composite(from) && !within(to, from) {
            more.push_str(&format!(", ltail=cluster_{from}"));
        }
        if composite(to) && !within(from, to) {
            more.push_str(&format!(", lhead=cluster_{to}"));
        }
        let (tail, label) = (leaf(chart, from), quoted(&arrow.label));
        out.push_str(&format!("    s{tail} -> s{} [label={label}{more}];\n", arrow.target.leaf));
    }
    out.push_str("}\n");
    out
}

fn inside(chart: &Chart, parent: Option<usize>, depth: usize, out: &mut String) {
    let indent = "    ".repeat(depth);
    for (number, node) in children(chart, parent) {
        let label = quoted(&format!("{}\n{}", node.title.zh, node.title.en));
        match node.shape {
            Shape::Composite(_) => {
                out.push_str(&format!("{indent}subgraph cluster_{number} {{\n"));
                out.push_str(&format!("{indent}    label={label};\n"));
                inside(chart, Some(number), depth + 1, out);
                out.push_str(&format!("{indent}}}\n"));
            }
            Shape::Final => {
                out.push_str(&format!("{indent}s{number} [label={label}, peripheries=2];\n"));
            }
            Shape::Rest => {
                out.push_str(&format!("{indent}s{number} [label={label}, style=dashed];\n"));
            }
            Shape::Waiting => out.push_str(&format!("{indent}s{number} [label={label}];\n")),
        }
    }
}

fn leaf(chart: &Chart, number: usize) -> usize {
    match chart.node(number).map(|node| node.shape) {
        Some(Shape::Composite(leaf)) => leaf,
        _ => number,
    }
}

/// A quoted string: quotes and backslashes are escaped, line ends written as DOT's own.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
