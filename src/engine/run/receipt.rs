//! What became of an alert: a fact on the instance, and a reason to hurry if nobody was reached.

use super::Run;
use crate::domain::Value;
use crate::engine::agenda;

impl Run<'_> {
    /// Notes a receipt. Its input says which message, to whom, on which channel and what became of
    /// it; `dead` says that nobody was reached by what the event told, and `clock` and `entry` whose
    /// ladder spoke: then its next step, if there is one, comes at once, as if the step had found
    /// nobody.
    pub fn receipt(&mut self) {
        self.word_only = true;
        let input = &self.command.input;
        if input.get("dead") != Some(&Value::Bool(true)) {
            return;
        }
        let Some(name) = input.get("clock").and_then(Value::as_text) else { return };
        let entry = input.get("entry").and_then(Value::as_int);
        let Some(spec) = self.situation.chart.clocks.get(name) else { return };
        let Some(mut armed) = self.instance.clocks.remove(name) else { return };
        // Reminders before the due instant do not drag the alarm forward, unless an
        // acknowledgement was waited for.
        let now = self.situation.now;
        let late = armed.due <= now || armed.hurry.is_some();
        // Repetitions do not chase themselves: where everything is refused at once they would come
        // without end.
        let mut steps = (0_u8..).zip(&spec.steps);
        let waits = late && steps.any(|(number, _)| !agenda::is_done(&armed, number));
        if entry == Some(armed.entry) && armed.frozen.is_none() && waits {
            armed.hurry = Some(now);
            self.plan(spec, &mut armed);
        }
        self.instance.clocks.insert(name.to_owned(), armed);
    }
}
