//! Whether what an input names is there: units, categories, other matters. What is asked stands in
//! the event with the answers, so that a replay judges by what was there then.

use super::Run;
use crate::chart::{Input, Kind};
use crate::domain::refusal::Reason;
use crate::domain::{Refusal, Text, Value};

impl Run<'_> {
    /// Looks up everything that the input names by a code or a number.
    ///
    /// # Errors
    /// `wrong_input` with a reason for every name that stands for nothing, or for something that
    /// may not stand there.
    pub(super) fn known(&self, inputs: &[Input]) -> Result<(), Refusal> {
        let mut reasons = Vec::new();
        for input in inputs {
            for code in codes(self.command.input.get(&input.name)) {
                if let Some(text) = self.doubt(input, code) {
                    let (code, input) = ("wrong_input".to_owned(), Some(input.name.clone()));
                    reasons.push(Reason { code, text, input });
                }
            }
        }
        if reasons.is_empty() {
            return Ok(());
        }
        Err(Refusal { code: "wrong_input".to_owned(), reasons, possible: Vec::new() })
    }

    fn doubt(&self, input: &Input, code: &str) -> Option<Text> {
        let title = if input.title.zh.is_empty() { &input.name } else { &input.title.zh };
        let name = &input.name;
        match input.kind {
            Kind::Unit | Kind::Units => {
                let kind = self.situation.facts.ask(&format!("unit/{code}/kind"));
                if kind.is_unset() {
                    return Some(Text::new(
                        format!("“{title}”：没有代码为“{code}”的单位"),
                        format!("`{name}`: there is no unit `{code}`"),
                    ));
                }
                let active = || self.situation.facts.ask(&format!("unit/{code}/active"));
                let may = !input.linked
                    || (kind.as_text() != Some("body") && active() == Value::Bool(true));
                (!may).then(|| {
                    Text::new(
                        format!("“{title}”：“{code}”不是在用的联动单位"),
                        format!("`{name}`: `{code}` is no active linked unit"),
                    )
                })
            }
            Kind::Category => {
                let class = self.situation.facts.ask(&format!("category/{code}/matter_class"));
                class.is_unset().then(|| {
                    Text::new(
                        format!("“{title}”：没有代码为“{code}”的类别"),
                        format!("`{name}`: there is no category `{code}`"),
                    )
                })
            }
            Kind::Matter => self.doubt_matter(title, input, code),
            _ => None,
        }
    }

    /// Only another matter of the same workflow can be named, one that is still open unless the input
    /// says otherwise.
    fn doubt_matter(&self, title: &str, input: &Input, number: &str) -> Option<Text> {
        let name = &input.name;
        let ask = |what: &str| self.situation.facts.ask(&format!("matter/{number}/{what}"));
        let Some(id) = ask("id").as_int() else {
            return Some(Text::new(
                format!("“{title}”：没有编号为“{number}”的事项"),
                format!("`{name}`: there is no matter `{number}`"),
            ));
        };
        if id == self.instance.family.0 {
            return Some(Text::new(
                format!("“{title}”：“{number}”就是本事项"),
                format!("`{name}`: `{number}` is this very matter"),
            ));
        }
        if ask("workflow").as_text() != Some(&self.situation.chart.workflow) {
            return Some(Text::new(
                format!("“{title}”：“{number}”不是同类事项"),
                format!("`{name}`: `{number}` is another kind of matter"),
            ));
        }
        (!input.ended && ask("open") != Value::Bool(true)).then(|| {
            Text::new(
                format!("“{title}”：“{number}”已办结"),
                format!("`{name}`: `{number}` is closed"),
            )
        })
    }
}

fn codes(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Text(code)) => vec![code],
        Some(Value::List(members)) => members.iter().filter_map(Value::as_text).collect(),
        _ => Vec::new(),
    }
}
