//! A chart as a picture: Mermaid for pages, DOT for Graphviz, SCXML for other tools.
//!
//! Pure text, the same for the same chart. Transitions that lead nowhere are not drawn.

mod dot;
mod mermaid;
mod scxml;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use dot::dot;
pub use mermaid::mermaid;
pub use scxml::scxml;

use super::{Chart, Node, Target, machine};
use crate::domain::Text;

/// In which language titles stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// 中文
    Chinese,
    /// English
    English,
}

impl Language {
    fn of(self, text: &Text) -> &str {
        match self {
            Self::Chinese => &text.zh,
            Self::English => &text.en,
        }
    }
}

/// An arrow of the picture.
struct Arrow {
    from: usize,
    target: Target,
    label: String,
}

/// Every arrow once, in the order of the states.
fn arrows(chart: &Chart, language: Language) -> Vec<Arrow> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (from, node) in chart.nodes.iter().enumerate() {
        let lists = node.on.iter().map(|(trigger, list)| (trigger.as_str(), list));
        for (trigger, list) in lists.chain([(machine::ALWAYS, &node.always)]) {
            for transition in list {
                let Some(target) = transition.target else { continue };
                let mut label = trigger_words(chart, trigger, language);
                if let Some(when) = &transition.when {
                    let gap = if label.is_empty() { "" } else { " " };
                    label.push_str(&format!("{gap}[{when}]"));
                }
                if seen.insert((from, target.state, label.clone())) {
                    all.push(Arrow { from, target, label });
                }
            }
        }
    }
    all
}

/// What people call a trigger.
fn trigger_words(chart: &Chart, trigger: &str, language: Language) -> String {
    let mut parts = trigger.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(machine::ALWAYS), None, _) => String::new(),
        (Some("clock"), Some(clock), step) => {
            let spec = chart.clocks.get(clock);
            let title = spec.map_or(clock, |spec| language.of(&spec.title));
            step.map_or_else(|| format!("⏰ {title}"), |step| format!("⏰ {title} / {step}"))
        }
        (Some("signal"), Some(signal), _) => format!("✉ {signal}"),
        (Some("ended"), Some(workflow), _) => format!("{workflow} ✓"),
        _ => chart
            .commands
            .get(trigger)
            .map_or_else(|| trigger.to_owned(), |spec| language.of(&spec.title).to_owned()),
    }
}

/// The states directly inside `parent` (the outermost for None), in the order of the file.
fn children(chart: &Chart, parent: Option<usize>) -> impl Iterator<Item = (usize, &Node)> {
    chart.nodes.iter().enumerate().filter(move |(_, node)| node.parent() == parent)
}
