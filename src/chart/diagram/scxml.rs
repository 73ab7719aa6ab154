//! W3C State Chart XML 1.0: states, transitions, conditions. What is done on the way is ours and
//! is not written; titles, holders and clocks stand in attributes of our own name space.

use super::super::{Chart, Node, Party, Shape, Transition, machine};
use super::children;

/// Writes a chart as SCXML. Transitions into a state's own inside are `internal`, as they do not
/// leave it; conditions are in the language of workflows.
#[must_use]
pub fn scxml(chart: &Chart) -> String {
    let initial = path(chart, chart.initial);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<scxml xmlns=\"http://www.w3.org/2005/07/scxml\" xmlns:fenliu=\"urn:fenliu\" version=\"1.0\" \
         datamodel=\"fenliu\" name=\"{}\" initial=\"{}\">\n",
        escaped(&chart.workflow),
        escaped(initial)
    ));
    inside(chart, None, 1, &mut out);
    out.push_str("</scxml>\n");
    out
}

fn inside(chart: &Chart, parent: Option<usize>, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for (number, node) in children(chart, parent) {
        let tag = if node.shape == Shape::Final { "final" } else { "state" };
        out.push_str(&format!("{indent}<{tag}{}", attributes(chart, node)));
        let empty = !matches!(node.shape, Shape::Composite(_))
            && node.on.is_empty()
            && node.always.is_empty();
        if empty {
            out.push_str("/>\n");
            continue;
        }
        out.push_str(">\n");
        for (trigger, list) in &node.on {
            for transition in list {
                out.push_str(&arrow(chart, number, Some(trigger), transition, &indent));
            }
        }
        for transition in &node.always {
            out.push_str(&arrow(chart, number, None, transition, &indent));
        }
        inside(chart, Some(number), depth + 1, out);
        out.push_str(&format!("{indent}</{tag}>\n"));
    }
}

fn attributes(chart: &Chart, node: &Node) -> String {
    let mut out = format!(" id=\"{}\"", escaped(&node.path));
    if let Shape::Composite(leaf) = node.shape {
        out.push_str(&format!(" initial=\"{}\"", escaped(path(chart, leaf))));
    }
    let title = format!("{} {}", node.title.zh, node.title.en);
    out.push_str(&format!(" fenliu:title=\"{}\"", escaped(&title)));
    if let Some(Party::Body(name) | Party::Field(name) | Party::Input(name)) = &node.holder {
        out.push_str(&format!(" fenliu:holder=\"{}\"", escaped(name)));
    }
    if !node.clocks.is_empty() {
        out.push_str(&format!(" fenliu:clocks=\"{}\"", escaped(&node.clocks.join(" "))));
    }
    out
}

fn arrow(
    chart: &Chart,
    owner: usize,
    trigger: Option<&str>,
    transition: &Transition,
    indent: &str,
) -> String {
    let mut out = format!("{indent}  <transition");
    if let Some(trigger) = trigger.filter(|trigger| *trigger != machine::ALWAYS) {
        out.push_str(&format!(" event=\"{}\"", escaped(trigger)));
    }
    if let Some(when) = &transition.when {
        out.push_str(&format!(" cond=\"{}\"", escaped(&when.to_string())));
    }
    if let Some(target) = transition.target {
        out.push_str(&format!(" target=\"{}\"", escaped(path(chart, target.state))));
        let inner = chart.node(target.state).map(|node| node.lineage.contains(&owner));
        if inner == Some(true) && target.state != owner {
            out.push_str(" type=\"internal\"");
        }
    }
    out.push_str("/>\n");
    out
}

fn path(chart: &Chart, number: usize) -> &str {
    chart.node(number).map_or("", |node| &node.path)
}

/// Text inside an attribute; characters that XML 1.0 cannot hold become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
