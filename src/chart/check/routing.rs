//! What is missing in a workflow that is marked for routing: the router would silently learn nothing from
//! it, or read nothing.

use std::ops::Range;

use super::super::document::{FieldDoc, InputDoc, Kind, Spot, Table};
use super::super::routed::{
    CALL, CALL_AGAIN, CLAUSE, COMMANDS, FIELDS, GUARD, MERGED_HERE, Needed, PRECEDENT, RETURN,
    RULING, SAID, TELL, TELL_MANY, TELLING, TELLING_MANY,
};
use super::Checker;

/// A field or input as the file has it.
struct Written<'d> {
    name: &'d Spot<String>,
    kind: &'d Spot<Kind>,
    codes: Vec<&'d str>,
    personal: bool,
}

impl Checker<'_> {
    /// Whether everything is there that the router goes by.
    pub(super) fn routing(&mut self) {
        let document = self.document;
        let Some(mark) = document.routing.as_ref().filter(|mark| mark.value) else { return };
        let fields: Vec<Written<'_>> = document.fields.iter().map(Written::field).collect();
        self.needs(FIELDS, &fields, ("`fields`", &mark.span));
        let start = &document.start;
        let call = inputs(&start.input);
        self.needs(CALL, &call, ("the input of the start command", &start.command.span));
        for (name, command) in document.commands.iter() {
            let given = inputs(&command.input);
            let has = |wanted: &str| given.iter().any(|one| one.name.value == wanted);
            let whose = format!("the input of `{}`", name.value);
            let of_mark = [
                (has(PRECEDENT), RULING),
                (has(CLAUSE), RETURN),
                (has(SAID) && has(GUARD), CALL_AGAIN),
                (name.value == TELL, TELLING),
                (name.value == TELL_MANY, TELLING_MANY),
            ];
            for (_, needed) in of_mark.iter().filter(|(marked, _)| *marked) {
                self.needs(needed, &given, (&whose, &name.span));
            }
        }
        self.needs_named(&mark.span);
    }

    /// Commands and signals that are known by their names.
    fn needs_named(&mut self, span: &Range<usize>) {
        let document = self.document;
        for (name, why) in COMMANDS {
            if document.commands.keys().all(|known| known.value != *name) {
                let message = format!("routing needs the command `{name}`");
                let help = format!("write `{name}: {{ … }}` in `commands`: {why}");
                self.error("routing_needs", span, message, help);
            }
        }
        let signal = MERGED_HERE.trim_start_matches("signal.");
        if document.signals.keys().all(|known| known.value != signal) {
            let message = format!("routing needs the signal `{signal}`");
            let help = format!(
                "write `{signal}: {{ … }}` in `signals`: a merged matter brings its callers by it"
            );
            self.error("routing_needs", span, message, help);
        }
    }

    fn needs(
        &mut self,
        needed: &[Needed],
        written: &[Written<'_>],
        (place, span): (&str, &Range<usize>),
    ) {
        for Needed { name, kind, codes, personal, why } in needed {
            let kind_word = word(*kind);
            let help = if *personal {
                format!(
                    "write `{name}: {{ type: {kind_word}, personal: true, … }}` in {place}: {why}"
                )
            } else {
                format!("write `{name}: {{ type: {kind_word}, … }}` in {place}: {why}")
            };
            let Some(found) = written.iter().find(|one| one.name.value == *name) else {
                let message = format!("routing needs `{name}` in {place}");
                self.error("routing_needs", span, message, help);
                continue;
            };
            if found.kind.value != *kind {
                let message =
                    format!("routing needs `{name}` in {place} to be of type {kind_word}");
                self.error("routing_type", &found.kind.span, message, help);
            } else if *personal && !found.personal {
                let message = format!("`{name}` in {place} tells of the caller");
                self.error("routing_personal", &found.name.span, message, help);
            }
            let missing: Vec<&str> =
                codes.iter().copied().filter(|code| !found.codes.contains(code)).collect();
            if found.kind.value == Kind::Enum && !missing.is_empty() {
                let missing = missing.join(", ");
                let message = format!("routing needs the codes {missing} of `{name}` in {place}");
                let help = format!("add {missing} to `of`: {why}");
                self.error("routing_codes", &found.name.span, message, help);
            }
        }
    }
}

fn inputs(table: &Table<InputDoc>) -> Vec<Written<'_>> {
    table.iter().map(Written::input).collect()
}

impl<'d> Written<'d> {
    fn field((name, doc): (&'d Spot<String>, &'d FieldDoc)) -> Self {
        let codes = doc.of.keys().map(|code| code.value.as_str()).collect();
        Self { name, kind: &doc.kind, codes, personal: false }
    }

    fn input((name, doc): (&'d Spot<String>, &'d InputDoc)) -> Self {
        let codes = doc.of.keys().map(|code| code.value.as_str()).collect();
        Self { name, kind: &doc.kind, codes, personal: doc.personal }
    }
}

/// A kind as it is written.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "flag",
        Kind::Count => "count",
        Kind::Number => "number",
        Kind::Text => "text",
        Kind::Enum => "enum",
        Kind::Tier => "tier",
        Kind::Instant => "instant",
        Kind::Date => "date",
        Kind::Unit => "unit",
        Kind::Category => "category",
        Kind::Units => "units",
        Kind::Matter => "matter",
    }
}
