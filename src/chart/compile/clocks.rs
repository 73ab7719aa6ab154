//! Clocks, ladders and the placeholders of texts.

use std::collections::BTreeMap;

use super::super::document::{Document, Spot, StepDoc};
use super::super::expression::{Expected, Type};
use super::super::{ClockSpec, Moment, Step};
use super::Compiler;
use crate::calendar::{Limit, cron::Cron, parse_duration};

/// How long an acknowledgement pauses a ladder that says nothing else: one hour.
const HOLD: i64 = 3_600_000;

/// The most steps of a ladder: the done ones are kept as bits of an integer.
const STEPS_MAX: usize = 60;

impl Compiler<'_> {
    pub(super) fn read_clocks(&mut self, document: &Document) -> BTreeMap<String, ClockSpec> {
        let mut clocks = BTreeMap::new();
        for (name, doc) in document.clocks.iter() {
            let scope = self.scope.clone();
            let from = doc
                .from
                .as_ref()
                .and_then(|text| self.expression(text, &scope, &Expected::Exactly(Type::Instant)));
            let due = self.expression(&doc.due, &scope, &Expected::LimitOrInstant);
            if let Some(other) = &doc.replaces {
                self.clock_list(std::slice::from_ref(other));
            }
            let Some(ladder) = document.ladders.get(&doc.ladder) else {
                let known = document.ladders.keys().map(|name| name.value.as_str());
                self.unknown("ladder", &doc.ladder, known);
                continue;
            };
            let (steps, mut repeats) = self.ladder(&doc.ladder, ladder);
            let every = repeats.pop();
            let Some(due) = due else { continue };
            clocks.insert(
                name.value.clone(),
                ClockSpec {
                    name: name.value.clone(),
                    title: doc.title.clone(),
                    from,
                    due,
                    replaces: doc.replaces.as_ref().map(|other| other.value.clone()),
                    steps,
                    every_when: repeats,
                    every,
                },
            );
        }
        clocks
    }

    /// The steps of a ladder, and its repetitions: those for a case first, the one for every other
    /// last.
    fn ladder(&mut self, name: &Spot<String>, docs: &[StepDoc]) -> (Vec<Step>, Vec<Step>) {
        let (mut steps, mut repeats) = (Vec::new(), Vec::new());
        if docs.len() > STEPS_MAX {
            let message = format!("the ladder `{}` has more than {STEPS_MAX} steps", name.value);
            self.error("too_many_steps", &name.span, message).help =
                Some("let the last step repeat (`every`) instead".to_owned());
        }
        for (index, doc) in docs.iter().enumerate() {
            let Some(step) = self.step(name, doc) else { continue };
            let last = index + 1 == docs.len();
            let mut rest = docs.iter().skip(index + 1);
            let for_a_case = step.when.is_some() && rest.all(|doc| doc.every.is_some());
            if !matches!(step.at, Moment::Every(_)) {
                steps.push(step);
            } else if last || for_a_case {
                repeats.push(step);
            } else {
                let message = "a repetition stands last in its ladder; before it only others, for a \
                               case (`when`)";
                let span = doc.every.as_ref().map_or(&name.span, |text| &text.span);
                self.error("repetition_not_last", span, message).help =
                    Some("put it at the end; give all but the last a `when`".to_owned());
            }
        }
        (steps, repeats)
    }

    fn step(&mut self, ladder: &Spot<String>, doc: &StepDoc) -> Option<Step> {
        let scope = self.scope.clone();
        let at = match (&doc.at, &doc.every) {
            (Some(at), None) => self.moment(at),
            (None, Some(every)) => match Cron::parse(&every.value) {
                Ok(cron) => Some(Moment::Every(Box::new(cron))),
                Err(error) => {
                    self.error("not_a_moment", &every.span, error.to_string()).help =
                        Some("`0 0 9 * * MON` is every Monday at nine".to_owned());
                    None
                }
            },
            _ => {
                let message = "a step needs either `at` or `every`";
                let place = doc.tell.first().or(doc.text.as_ref()).unwrap_or(ladder);
                self.error("not_a_moment", &place.span, message).help = Some(
                    "`at: due`, or `every:` with a cron expression in the last step".to_owned(),
                );
                None
            }
        };
        if let Some(text) = &doc.text {
            self.text_name(text);
        }
        if !doc.tell.is_empty() && (doc.text.is_none() || doc.via.is_empty()) {
            let span = doc.tell.first().map_or(&ladder.span, |tell| &tell.span);
            self.error("tells_nothing", span, "a step that tells needs `text` and `via`").help =
                Some("name a text of `texts`, and channels such as `via: [sms]`".to_owned());
        }
        if doc.tell.is_empty() && doc.raise.is_none() {
            let place = doc.at.as_ref().or(doc.every.as_ref());
            let span = place.map_or(&ladder.span, |text| &text.span);
            self.error("empty_step", span, "a step tells somebody or raises something").help =
                Some("give it `tell` with `via` and `text`, or `raise`".to_owned());
        }
        let (tell, via) = (self.selectors(&doc.tell), self.channels(&doc.via));
        let when = self.condition(doc.when.as_ref(), &scope);
        self.heard(doc, at.as_ref());
        let acknowledge_within = doc.acknowledge_within.as_ref().and_then(|t| self.duration(t));
        let hold = doc.hold.as_ref().and_then(|text| self.duration(text)).unwrap_or(HOLD);
        Some(Step {
            at: at?,
            tell,
            via,
            text: doc.text.as_ref().map(|text| text.value.clone()),
            offer: doc.offer.as_ref().and_then(|name| self.offer(name)),
            when,
            acknowledge_within,
            hold,
            raise: doc.raise.as_ref().map(|name| name.value.clone()),
        })
    }

    /// What matters must come to people themselves: nobody need look at a screen, and units' systems
    /// are told beside people, not instead of them. A reminder before the due instant may stand on
    /// the screens only, unless an acknowledgement of it is waited for.
    fn heard(&mut self, doc: &StepDoc, at: Option<&Moment>) {
        let carries = |channel: &str| doc.via.iter().any(|via| via.value == channel);
        let early = matches!(
            at,
            Some(Moment::Percent(_) | Moment::BeforeDue(_) | Moment::AfterBase(_)) | None
        );
        let screen = early && doc.acknowledge_within.is_none() && carries("console");
        let Some(first) = doc.via.first() else { return };
        if doc.tell.is_empty() || carries("sms") || carries("email") || screen {
            return;
        }
        let message = "this step comes to nobody's telephone or mailbox";
        self.error("ladder_unheard", &first.span, message).help = Some(
            "add `sms` or `email` to `via`; units' systems hear of it by their subscriptions"
                .to_owned(),
        );
    }

    fn duration(&mut self, text: &Spot<String>) -> Option<i64> {
        match parse_duration(&text.value) {
            Ok(millis) => Some(millis),
            Err(error) => {
                self.error("not_a_duration", &text.span, error.to_string());
                None
            }
        }
    }

    fn moment(&mut self, text: &Spot<String>) -> Option<Moment> {
        let words = text.value.trim();
        if words == "due" {
            return Some(Moment::Due);
        }
        if words == "base" {
            return Some(Moment::AfterBase(Limit::Real(0)));
        }
        if let Some(percent) = words.strip_suffix('%') {
            if let Ok(percent @ 1..=99) = percent.trim().parse() {
                return Some(Moment::Percent(percent));
            }
        } else {
            let split = |word: &str, sign: char| {
                let rest = words.strip_prefix(word)?.trim_start().strip_prefix(sign)?;
                rest.trim().parse::<Limit>().ok()
            };
            let found = split("due", '+')
                .map(Moment::AfterDue)
                .or_else(|| split("due", '-').map(Moment::BeforeDue))
                .or_else(|| split("base", '+').map(Moment::AfterBase));
            if found.is_some() {
                return found;
            }
        }
        let message = format!("`{words}` is no moment of a ladder");
        self.error("not_a_moment", &text.span, message).help = Some(
            "`50%`, `due`, `due + work('4h')`, `due - real('5m')` or `base + real('15m')`"
                .to_owned(),
        );
        None
    }

    /// Placeholders must be known, and braces closed.
    pub(super) fn check_texts(&mut self, document: &Document) {
        for (name, text) in document.texts.iter() {
            for words in [&text.zh, &text.en] {
                for placeholder in placeholders(words) {
                    let known = PLACEHOLDERS.contains(&placeholder)
                        || self.fields.contains_key(placeholder);
                    if !known {
                        let message =
                            format!("the text `{}` knows no `{{{placeholder}}}`", name.value);
                        self.error("unknown_name", &name.span, message).help =
                            Some(format!("any field, or one of {}", PLACEHOLDERS.join(", ")));
                    }
                }
            }
        }
    }
}

/// Placeholders that are no fields.
pub(super) const PLACEHOLDERS: [&str; 6] = ["number", "status", "stage", "due", "clock", "holder"];

/// The names between braces.
fn placeholders(words: &str) -> impl Iterator<Item = &str> {
    words.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or(rest))
}
