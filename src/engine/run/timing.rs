//! Where the due instant of a clock comes from that its definition computes.

use super::Run;
use crate::chart::expression::Timing;
use crate::domain::{ArmedClock, Value};

impl Run<'_> {
    /// Where the due instant of an armed clock comes from, if what its definition says now still
    /// gives the same instant. A field's instant is looked for where the workflow writes the field.
    #[must_use]
    pub fn timing(&mut self, name: &str, armed: &ArmedClock) -> Option<Timing> {
        let chart = self.situation.chart;
        let spec = chart.clocks.get(name)?;
        self.at = armed.base;
        let due = Value::Int(armed.due.0);
        match spec.due.timing(self)? {
            Timing::Field(field) => {
                let mut written = chart.written(&field).filter(|one| one.evaluate(self) == due);
                let timing = written.find_map(|one| one.timing(self));
                timing.filter(|timing| !matches!(timing, Timing::Field(_)))
            }
            timing => (spec.due.evaluate(self) == due).then_some(timing),
        }
    }
}
