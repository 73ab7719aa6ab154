//! The functions of the language and the attributes of units and categories.

use super::Type;

/// A function that expressions may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Has,
    Or,
    Size,
    Real,
    Work,
    Workdays,
    Days,
    After,
    Before,
    CloseOf,
    WorkdaysBetween,
    Max,
    Min,
    Open,
    Total,
    With,
    Without,
    Union,
    Shares,
    Within,
}

/// Every function, its name, how many arguments it takes, and how it is called (for help).
const FUNCTIONS: [(Function, &str, usize, &str); 20] = [
    (Function::Has, "has", 1, "has(name)"),
    (Function::Or, "or", 2, "or(name, default)"),
    (Function::Size, "size", 1, "size(text or set)"),
    (Function::Real, "real", 1, "real('30m')"),
    (Function::Work, "work", 1, "work('4h')"),
    (Function::Workdays, "workdays", 1, "workdays(5)"),
    (Function::Days, "days", 1, "days(3)"),
    (Function::After, "after", 2, "after(instant, limit)"),
    (Function::Before, "before", 2, "before(instant, limit)"),
    (Function::CloseOf, "close_of", 1, "close_of(date)"),
    (Function::WorkdaysBetween, "workdays_between", 2, "workdays_between(instant, instant)"),
    (Function::Max, "max", 2, "max(a, b)"),
    (Function::Min, "min", 2, "min(a, b)"),
    (Function::Open, "open", 1, "open(workflow)"),
    (Function::Total, "total", 1, "total(workflow)"),
    (Function::With, "with", 2, "with(set, member)"),
    (Function::Without, "without", 2, "without(set, member)"),
    (Function::Union, "union", 2, "union(set, set)"),
    (Function::Shares, "shares", 2, "shares(set, set)"),
    (Function::Within, "within", 2, "within(unit, 'territory')"),
];

impl Function {
    /// The function of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The names of all functions.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().map(|row| row.1)
    }

    fn row(self) -> (&'static str, usize, &'static str) {
        let row = FUNCTIONS.iter().find(|row| row.0 == self);
        row.map_or(("", 0, ""), |row| (row.1, row.2, row.3))
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        self.row().0
    }

    /// How many arguments it takes.
    pub(super) fn arity(self) -> usize {
        self.row().1
    }

    /// Whether its value is measured by the calendar; `after` and `before` are as their limit is.
    pub(super) fn asks_calendar(self) -> bool {
        matches!(
            self,
            Self::Work | Self::Workdays | Self::Days | Self::CloseOf | Self::WorkdaysBetween
        )
    }

    /// How it is called, as an example.
    pub(super) fn usage(self) -> &'static str {
        self.row().2
    }
}

/// Of what something is an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Unit,
    Category,
}

const UNIT: [(&str, Type); 3] =
    [("active", Type::Bool), ("kind", Type::Text), ("parent", Type::Text)];

const CATEGORY: [(&str, Type); 8] = [
    ("active", Type::Bool),
    ("police_kept", Type::Bool),
    ("police_first", Type::Bool),
    ("livelihood", Type::Bool),
    ("matter_class", Type::Text),
    ("legal_days", Type::Int),
    ("legal_calendar", Type::Bool),
    ("partners", Type::Set),
];

impl Owner {
    /// The owner that values of this type are, if they have attributes.
    pub(super) fn of(ty: &Type) -> Option<Self> {
        match ty {
            Type::Unit => Some(Self::Unit),
            Type::Category => Some(Self::Category),
            _ => None,
        }
    }

    /// The first segment of the questions about it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Category => "category",
        }
    }

    /// Its attributes with their types.
    pub(super) fn attributes(self) -> &'static [(&'static str, Type)] {
        match self {
            Self::Unit => &UNIT,
            Self::Category => &CATEGORY,
        }
    }

    /// The type of one attribute.
    pub(super) fn attribute(self, name: &str) -> Option<&'static Type> {
        self.attributes().iter().find(|(known, _)| *known == name).map(|(_, ty)| ty)
    }
}
