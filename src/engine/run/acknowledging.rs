//! Acknowledging an alert: whoever was told it is left in peace for a while, and nobody else.

use super::Run;
use crate::chart::ClockSpec;
use crate::domain::event::ClockVerb;
use crate::domain::instance::REPETITION;
use crate::domain::{ArmedClock, Grant, Refusal, Text, Value};
use crate::engine::agenda;

impl Run<'_> {
    /// Somebody has seen an alert that a step of a ladder told them. The steps to come that tell
    /// them wait for the hold of that step; it counts once, from the first acknowledgement. Steps
    /// that tell others come at their own times, and the due instant is never moved.
    ///
    /// # Errors
    /// `nothing_to_acknowledge` when no ladder has told the actor anything, and it is no answer to a
    /// message.
    pub fn acknowledge(&mut self) -> Result<(), Refusal> {
        let chart = self.situation.chart;
        let wanted = self.command.input.get("clock").and_then(Value::as_text);
        let names: Vec<String> = self
            .instance
            .clocks
            .iter()
            .filter(|(name, armed)| {
                armed.frozen.is_none() && wanted.is_none_or(|wanted| wanted == name.as_str())
            })
            .map(|(name, _)| name.clone())
            .collect();
        let mut any = false;
        for name in names {
            let Some(spec) = chart.clocks.get(&name) else { continue };
            let Some(mut armed) = self.instance.clocks.get(&name).cloned() else { continue };
            let Some(grant) = self.seen(spec, &mut armed) else { continue };
            armed.acknowledged_at = Some(self.at);
            self.plan(spec, &mut armed);
            self.note(&name, ClockVerb::Acknowledged, Some(armed.due));
            self.instance.clocks.insert(name, armed);
            self.grant = Some(grant);
            any = true;
        }
        self.word_only = true;
        // Whoever answers a message has seen it, even if no ladder waits for that any more.
        if any || self.command.input.contains_key("message") {
            return Ok(());
        }
        Err(Refusal::new(
            "nothing_to_acknowledge",
            Text::new("没有需要您确认的提醒", "No alert here waits for your acknowledgement"),
        ))
    }

    /// Notes on a clock that the actor has seen what it told; answers the role that it was told to,
    /// none if it has told the actor nothing.
    fn seen(&self, spec: &ClockSpec, armed: &mut ArmedClock) -> Option<Grant> {
        let told = armed.told.iter().rev();
        let mut told = told.filter_map(|(&number, &end)| {
            let step = agenda::step(spec, armed, number)?;
            Some((number, end, step.hold, self.grant_for(&step.tell)?))
        });
        let (number, end, hold, grant) = told.next()?;
        // Who was waited for is the step that spoke last; others' word does not answer for them.
        let asked = Some(number) == armed.last || told.any(|(one, ..)| Some(one) == armed.last);
        if asked {
            armed.hurry = None;
        }
        let now = self.situation.now;
        let end = end.unwrap_or_else(|| now.plus(hold));
        let ahead = (0_u8..).zip(&spec.steps).filter(|(one, _)| !agenda::is_done(armed, *one));
        let ahead = ahead.chain(agenda::repetition(spec, armed).map(|step| (REPETITION, step)));
        let theirs: Vec<u8> = ahead
            .filter(|(_, step)| end > now && self.grant_for(&step.tell).is_some())
            .map(|(one, _)| one)
            .collect();
        if !theirs.is_empty() {
            armed.told.insert(number, Some(end));
        }
        for one in theirs {
            let quiet = armed.quiet.entry(one).or_insert(end);
            *quiet = end.max(*quiet);
        }
        Some(grant)
    }
}
