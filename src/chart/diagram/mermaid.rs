//! Mermaid's `stateDiagram-v2`.

use super::super::{Chart, Shape};
use super::{Language, arrows, children};

/// Draws a chart for Mermaid: states nested, titles in the language, transitions labelled by the
/// titles of commands and clocks.
#[must_use]
pub fn mermaid(chart: &Chart, language: Language) -> String {
    let mut out = String::from("stateDiagram-v2\n");
    out.push_str(&format!("    [*] --> s{}\n", outermost(chart, chart.initial)));
    inside(chart, None, 1, language, &mut out);
    for arrow in arrows(chart, language) {
        let label = escaped(&arrow.label);
        let gap = if label.is_empty() { "" } else { " : " };
        out.push_str(&format!("    s{} --> s{}{gap}{label}\n", arrow.from, arrow.target.state));
    }
    out
}

fn inside(
    chart: &Chart,
    parent: Option<usize>,
    depth: usize,
    language: Language,
    out: &mut String,
) {
    let indent = "    ".repeat(depth);
    for (number, node) in children(chart, parent) {
        let title = escaped(language.of(&node.title));
        out.push_str(&format!("{indent}state \"{title}\" as s{number}"));
        if let Shape::Composite(leaf) = node.shape {
            out.push_str(" {\n");
            let first = step_towards(chart, node.depth(), leaf);
            out.push_str(&format!("{indent}    [*] --> s{first}\n"));
            inside(chart, Some(number), depth + 1, language, out);
            out.push_str(&format!("{indent}}}\n"));
        } else {
            out.push('\n');
        }
        if node.shape == Shape::Final {
            out.push_str(&format!("{indent}s{number} --> [*]\n"));
        }
    }
}

fn outermost(chart: &Chart, leaf: usize) -> usize {
    step_towards(chart, 0, leaf)
}

/// The ancestor of `leaf` (or itself) that lies `depth` levels inside.
fn step_towards(chart: &Chart, depth: usize, leaf: usize) -> usize {
    chart.node(leaf).and_then(|node| node.lineage.get(depth).copied()).unwrap_or(leaf)
}

/// Characters that mean something to Mermaid become numbered entities.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '#' | ';' | ':' | '{' | '}' | '<' | '>' | '\\' | '`' | '%' => {
                out.push_str(&format!("#{};", u32::from(c)));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
