//! A unit was merged or renamed: another one goes on with its work.

use super::Run;
use crate::chart::expression::Type;
use crate::chart::names::SUCCEEDED;
use crate::domain::event::Told;
use crate::domain::{PersonId, Refusal, Role, Text, Value};

/// The inputs: whose work, and who goes on with it.
const FROM: &str = "from";
const TO: &str = "to";

impl Run<'_> {
    /// Puts the successor in the place of a unit in every field that says who has to do with the
    /// matter now. What only says how it was stays: a matter that a unit rightly returned may be just
    /// the successor's.
    ///
    /// # Errors
    /// `wrong_input` without the two; `nothing_follows` when the unit has nothing to do with it.
    pub fn succeed(&mut self) -> Result<(), Refusal> {
        let given = |name: &str| self.command.input.get(name).and_then(Value::as_text);
        let (Some(from), Some(to)) = (given(FROM), given(TO)) else {
            let zh = "请写明原单位（from）和后续单位（to）";
            return Err(Refusal::new("wrong_input", Text::new(zh, "`from` and `to` name units")));
        };
        let mut follows = false;
        let fields = self.situation.chart.fields.iter();
        for (name, field) in fields.filter(|(_, field)| field.sees) {
            match (&field.ty, self.instance.fields.get_mut(name)) {
                (Type::Unit, Some(Value::Text(unit))) if unit == from => {
                    to.clone_into(unit);
                    follows = true;
                }
                (Type::Set, Some(Value::List(units)))
                    if units.iter().any(|unit| unit.as_text() == Some(from)) =>
                {
                    units.retain(|unit| unit.as_text() != Some(from));
                    units.push(to.into());
                    units.sort();
                    units.dedup();
                    follows = true;
                }
                _ => {}
            }
        }
        if follows {
            self.tell_successor(to);
            return Ok(());
        }
        let zh = format!("该事项与“{from}”无关");
        Err(Refusal::new(
            "nothing_follows",
            Text::new(zh, format!("nothing of it is with `{from}`")),
        ))
    }

    /// Those who answer for the unit that goes on with the work hear of each matter.
    fn tell_successor(&mut self, unit: &str) {
        if !self.situation.chart.texts.contains_key(SUCCEEDED) {
            return;
        }
        let (mut to, mut people) = (Vec::new(), Vec::new());
        for role in [Role::Liaison, Role::Leader] {
            let answer = self.situation.facts.ask(&format!("people/{unit}/{role}"));
            let found = answer.as_list().unwrap_or_default().iter().filter_map(Value::as_int);
            people.extend(found.map(PersonId));
            to.push(format!("{unit}.{role}"));
        }
        people.sort();
        people.dedup();
        let via = ["sms", "email"].map(str::to_owned).into();
        let text = SUCCEEDED.to_owned();
        self.told.push(Told { text, to, people, via, clock: None, offer: None });
    }
}
