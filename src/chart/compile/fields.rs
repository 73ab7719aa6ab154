//! Fields, inputs and parties.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::document::{Document, FieldDoc, InputDoc, Kind, Spot, Table};
use super::super::expression::Type;
use super::super::{Field, Input, Party};
use super::Compiler;
use crate::domain::{EVERY_UNIT, Text, Tier, Value};

/// The longest text that a field or input holds when it declares no bound, in characters.
const TEXT_MAX: i64 = 2000;

/// The finding of a command that has the name of one of the service's own.
pub(super) const RESERVED_NAME: &str = "reserved_name";

/// Commands that the service itself knows in every workflow, or gives alone.
const RESERVED: [&str; 4] = ["acknowledge", "alert.receipt", "recount_clocks", "succeed_unit"];

impl Compiler<'_> {
    /// Names must be identifiers, and stand for one thing only.
    pub(super) fn identifiers(&mut self, document: &Document) {
        let tables = [
            document.fields.keys().collect::<Vec<_>>(),
            document.commands.keys().chain([&document.start.command]).collect(),
            document.signals.keys().collect(),
            document.clocks.keys().collect(),
            document.ladders.keys().collect(),
            document.texts.keys().collect(),
            vec![&document.workflow],
        ];
        for table in tables {
            let mut seen = BTreeSet::new();
            for name in table {
                self.identifier(name);
                if !seen.insert(&name.value) {
                    let message = format!("`{}` is there twice", name.value);
                    self.error("duplicate_name", &name.span, message);
                }
            }
        }
        for name in document.commands.keys().chain([&document.start.command]) {
            if RESERVED.contains(&name.value.as_str()) {
                let message = format!(
                    "`{}` is the service's own command; a workflow's needs another name",
                    name.value
                );
                self.error(RESERVED_NAME, &name.span, message).help = Some(
                    "links and replies by SMS give `acknowledge`; call formal acceptance `accept`"
                        .to_owned(),
                );
            }
        }
        for party in &document.parties {
            if document.fields.get(party).is_some() {
                let message = format!("`{}` is a party and a field", party.value);
                self.error("duplicate_name", &party.span, message).help =
                    Some("give one of them another name".to_owned());
            }
        }
    }

    pub(super) fn identifier(&mut self, name: &Spot<String>) {
        let mut chars = name.value.chars();
        let first = chars.next().is_some_and(|c| c.is_alphabetic());
        if !first || !chars.all(|c| c.is_alphanumeric() || c == '_') {
            let message = format!("`{}` is not an identifier", name.value);
            self.error("not_an_identifier", &name.span, message).help =
                Some("a letter, then letters, digits and `_`".to_owned());
        }
    }

    pub(super) fn read_fields(&mut self, table: &Table<FieldDoc>) -> BTreeMap<String, Field> {
        let mut fields = BTreeMap::new();
        for (name, doc) in table.iter() {
            if ["input", "at", "now", "actor", "clock", "each", "unset"].contains(&name.as_str()) {
                let message = format!("`{}` has a meaning of its own in expressions", name.value);
                self.error(RESERVED_NAME, &name.span, message);
            }
            let ty = self.type_of(name, &doc.kind, &doc.of, doc.at_most);
            self.field_fits(name, doc, &ty);
            let initial = self.initial(doc, &ty);
            let optional = initial.is_unset();
            fields.insert(
                name.value.clone(),
                Field {
                    ty,
                    kind: doc.kind.value,
                    title: doc.title.clone(),
                    of: titles(&doc.of),
                    initial,
                    optional,
                    at_most: match doc.kind.value {
                        Kind::Text => Some(doc.max.unwrap_or(TEXT_MAX)),
                        _ => doc.at_most,
                    },
                    shown: doc.shown,
                    sees: doc.sees,
                    seals: doc.seals,
                },
            );
        }
        fields
    }

    pub(super) fn read_inputs(&mut self, table: &Table<InputDoc>) -> Vec<Input> {
        let mut inputs = Vec::new();
        let mut seen = BTreeSet::new();
        for (name, doc) in table.iter() {
            self.identifier(name);
            if !seen.insert(name.value.as_str()) {
                let message = format!("the input `{}` is there twice", name.value);
                self.error("duplicate_name", &name.span, message);
            }
            if doc.personal && doc.kind.value != Kind::Text {
                let message = format!("the personal input `{}` is not a text", name.value);
                self.error("wrong_type", &doc.kind.span, message);
            }
            if doc.content && !doc.personal {
                let message = format!("`{}` is content, yet not personal", name.value);
                self.error("wrong_type", &name.span, message).help =
                    Some("`content: true` stands beside `personal: true`".to_owned());
            }
            if doc.linked && !matches!(doc.kind.value, Kind::Unit | Kind::Units) {
                let message = format!("`{}` is linked, yet no unit", name.value);
                self.error("wrong_type", &doc.kind.span, message).help =
                    Some("`linked` stands at inputs of type unit or units".to_owned());
            }
            if doc.ended && doc.kind.value != Kind::Matter {
                let message = format!("`{}` may have ended, yet is no matter", name.value);
                self.error("wrong_type", &doc.kind.span, message).help =
                    Some("`ended` stands at inputs of type matter".to_owned());
            }
            let most = doc.at_most.or(match doc.kind.value {
                Kind::Count => Some(i64::MAX),
                _ => None,
            });
            let ty = self.type_of(name, &doc.kind, &doc.of, most);
            let max = match doc.kind.value {
                Kind::Text | Kind::Matter => Some(doc.max.unwrap_or(TEXT_MAX)),
                _ => doc.max.or(doc.at_most),
            };
            inputs.push(Input {
                name: name.value.clone(),
                ty,
                kind: doc.kind.value,
                title: doc.title.clone(),
                of: titles(&doc.of),
                optional: doc.optional,
                min: doc.min,
                max,
                personal: doc.personal,
                content: doc.content,
                linked: doc.linked,
                ended: doc.ended,
            });
        }
        inputs
    }

    /// What only some kinds of fields may say.
    fn field_fits(&mut self, name: &Spot<String>, doc: &FieldDoc, ty: &Type) {
        let name = &name.value;
        if !doc.sees && !matches!(ty, Type::Unit | Type::Set) {
            let message = format!("`{name}` is no unit: it never gives sight");
            self.error("wrong_type", &doc.kind.span, message).help =
                Some("`sees` stands at fields of type unit or units".to_owned());
        }
        if doc.seals.is_some() && *ty != Type::Bool {
            let message = format!("`{name}` seals the caller's identity, yet is no flag");
            self.error("wrong_type", &doc.kind.span, message).help =
                Some("`seals` stands at fields of type flag".to_owned());
        }
        if doc.kind.value == Kind::Matter {
            let message = format!("the field `{name}` cannot be a matter");
            self.error("wrong_type", &doc.kind.span, message).help =
                Some("`type: matter` is for inputs; keep the number as a text".to_owned());
        }
    }

    fn type_of(
        &mut self,
        name: &Spot<String>,
        kind: &Spot<Kind>,
        of: &Table<Text>,
        at_most: Option<i64>,
    ) -> Type {
        if (kind.value == Kind::Enum) == of.is_empty() {
            let message = if of.is_empty() {
                format!("the enum `{}` has no codes", name.value)
            } else {
                format!("`{}` is no enum, yet has codes", name.value)
            };
            self.error("wrong_type", &kind.span, message).help =
                Some("list codes with titles in `of`, for `type: enum` only".to_owned());
        }
        if matches!(kind.value, Kind::Count | Kind::Units) && at_most.is_none_or(|most| most < 1) {
            let message = format!("`{}` has no bound", name.value);
            self.error("unbounded", &kind.span, message).help =
                Some("give `at_most`: what cannot be bounded cannot be proved".to_owned());
        }
        match kind.value {
            Kind::Flag => Type::Bool,
            Kind::Count | Kind::Number => Type::Int,
            Kind::Text | Kind::Matter => Type::Text,
            Kind::Enum => {
                let codes: Vec<String> = of.keys().map(|code| code.value.clone()).collect();
                Type::Enum(Arc::from(codes))
            }
            Kind::Tier => Type::Tier,
            Kind::Instant => Type::Instant,
            Kind::Date => Type::Date,
            Kind::Unit => Type::Unit,
            Kind::Category => Type::Category,
            Kind::Units => Type::Set,
        }
    }

    fn initial(&mut self, doc: &FieldDoc, ty: &Type) -> Value {
        let Some(text) = &doc.initial else {
            return match ty {
                Type::Bool => Value::Bool(false),
                Type::Int if doc.kind.value == Kind::Count => Value::Int(0),
                Type::Tier => Value::Int(Tier::Ordinary.rank()),
                Type::Set => Value::List(Vec::new()),
                _ => Value::Unset,
            };
        };
        let value = match ty {
            Type::Bool => text.value.parse().ok().map(Value::Bool),
            Type::Int => text.value.parse().ok().map(Value::Int),
            Type::Tier => Tier::from_code(&text.value).map(|tier| Value::Int(tier.rank())),
            Type::Enum(codes) => codes.contains(&text.value).then(|| text.value.as_str().into()),
            Type::Text => Some(text.value.as_str().into()),
            _ => None,
        };
        value.unwrap_or_else(|| {
            let message = format!("`{}` cannot be the initial value here", text.value);
            self.error("wrong_type", &text.span, message);
            Value::Unset
        })
    }

    pub(super) fn tier_field(&mut self, document: &Document) -> Option<String> {
        let mut tiers = document.fields.iter().filter(|(_, doc)| doc.kind.value == Kind::Tier);
        let first = tiers.next();
        if let Some((second, _)) = tiers.next() {
            let message = format!("`{}` is a second field of type tier", second.value);
            self.error("two_tiers", &second.span, message).help =
                Some("one field says how urgent an instance is".to_owned());
        }
        first.map(|(name, _)| name.value.clone())
    }

    /// All units together can be told something; they hold nothing and give no commands.
    pub(super) fn not_everybody(&mut self, name: &Spot<String>, party: &Party) {
        if matches!(party, Party::Body(body) if body == EVERY_UNIT) {
            let message = format!("`{EVERY_UNIT}` cannot stand here: it is no single unit");
            self.error("wrong_type", &name.span, message).help =
                Some("it can only be told something".to_owned());
        }
    }

    /// Reads who plays a part.
    pub(super) fn party(&mut self, name: &Spot<String>) -> Option<Party> {
        if self.parties.contains(name.value.as_str()) {
            return Some(Party::Body(name.value.clone()));
        }
        match self.fields.get(&name.value) {
            Some(field) if matches!(field.ty, Type::Unit | Type::Set) => {
                Some(Party::Field(name.value.clone()))
            }
            Some(_) => {
                let message = format!("the field `{}` is not of type unit", name.value);
                self.error("wrong_type", &name.span, message);
                None
            }
            None => {
                let units = self.fields.iter().filter(|(_, field)| field.ty == Type::Unit);
                let known: Vec<String> = units.map(|(name, _)| name.clone()).collect();
                let parties: Vec<String> = self.parties.iter().map(|&p| p.to_owned()).collect();
                let known = known.iter().chain(&parties).map(String::as_str);
                self.unknown("party or unit field", name, known);
                None
            }
        }
    }
}

fn titles(of: &Table<Text>) -> Vec<(String, Text)> {
    of.iter().map(|(code, title)| (code.value.clone(), title.clone())).collect()
}
