//! The typed language of guards, assignments and limits (`docs/WORKFLOWS.md` §12).
//!
//! An expression is checked once, when its workflow is published, against the names and types that
//! it may use; every complaint is given at once, with its place and how to mend it. What has been
//! checked cannot fail and always ends: there are no loops, no recursion and no partial functions.
//! Pure: everything it reads comes from an [`Env`].

mod check;
mod evaluate;
mod function;
mod kinds;
mod narrow;
mod near;
mod node;
mod parse;
mod resolve;
mod satisfy;
#[cfg(test)]
mod tests;
mod timing;
mod token;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

pub use self::kinds::{Expected, Known, Type};
pub(super) use self::near::did_you_mean;
pub use self::satisfy::{Domains, Satisfiability, satisfiable};
pub use self::timing::Timing;
use crate::calendar::Calendar;
use crate::domain::Value;

/// The longest source, in bytes.
pub const MAX_SOURCE: usize = 4096;

/// The deepest nesting of a tree: enough for people, and far from the end of any stack.
pub const MAX_DEPTH: usize = 64;

/// What an expression may name: the checker's view of fields, input, clocks and relatives.
pub trait Names {
    /// What is known of a dotted path (`returns`, `input.unit`, `clock.handle.due`), if it exists.
    fn lookup(&self, path: &str) -> Option<Known>;
    /// Every path that [`Names::lookup`] knows: material for "did you mean".
    fn candidates(&self) -> Vec<String>;
    /// The workflows that `open()` and `total()` may count.
    fn workflows(&self) -> Vec<String>;
}

/// What an expression reads while it is evaluated.
pub trait Env {
    /// The value of a dotted path; `Unset` if it has none.
    fn name(&self, path: &str) -> Value;
    /// The answer to a question about the world outside, such as `unit/water/active`.
    fn ask(&self, question: &str) -> Value;
    /// The calendar by which limits are counted.
    fn calendar(&self) -> &Calendar;
    /// How many children of a workflow there are: those still open, or all.
    fn children(&self, workflow: &str, open: bool) -> i64;
}

/// What is wrong with an expression, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Stable: `syntax`, `too_long`, `too_deep`, `unknown_name`, `unknown_function`,
    /// `unknown_workflow`, `unknown_attribute`, `wrong_arguments`, `wrong_type`, `may_be_unset`,
    /// `no_such_member`, `not_a_date`, `not_a_duration`.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// How to mend it, where that is known: "did you mean …".
    pub help: Option<String>,
    /// The place, in bytes of the source.
    pub span: Range<usize>,
}

impl Complaint {
    fn new(code: &'static str, message: String, span: Range<usize>) -> Self {
        Self { code, message, help: None, span }
    }

    fn helped(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

/// A checked expression. `Display` gives its canonical text, which compiles to an equal expression.
#[derive(Debug, Clone)]
pub struct Expression {
    root: node::Node,
    source: Box<str>,
    ty: Type,
    optional: bool,
    reads: BTreeSet<String>,
    proves: BTreeSet<String>,
}

impl Expression {
    /// Parses `source` and checks it against `names` and what is `expected` where it stands.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the source; never empty.
    pub fn compile(
        source: &str,
        names: &dyn Names,
        expected: &Expected,
    ) -> Result<Self, Vec<Complaint>> {
        let mut root = parse::parse(source)?;
        let checked = check::check(&mut root, names, expected)?;
        Ok(Self {
            root,
            source: source.into(),
            ty: checked.ty,
            optional: checked.optional,
            reads: checked.reads,
            proves: checked.proves,
        })
    }

    /// Its value. Total: it has been checked, and a value of `env` that is not of the type promised
    /// counts as the type's neutral value. Limits come as their text, tiers as their rank.
    pub fn evaluate(&self, env: &dyn Env) -> Value {
        evaluate::value(&self.root, &evaluate::World(env)).into_value()
    }

    /// Whether a guard holds: [`Expression::evaluate`] without a detour over a value. False for an
    /// expression that is no flag.
    pub fn holds(&self, env: &dyn Env) -> bool {
        evaluate::truth(&self.root, &evaluate::World(env))
    }

    /// The type of its value.
    #[must_use]
    pub fn type_of(&self) -> &Type {
        &self.ty
    }

    /// Whether its value may be `Unset` (only where that was allowed).
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The paths it may read, as [`Env::name`] is asked for them.
    #[must_use]
    pub fn reads(&self) -> &BTreeSet<String> {
        &self.reads
    }

    /// Whether working days, calendar days or office hours may matter to its value.
    #[must_use]
    pub fn asks_calendar(&self) -> bool {
        self.root.asks_calendar()
    }

    /// The optional paths that are surely set whenever this guard holds (it asks `has(…)`), so that
    /// what follows the guard may use them without asking again.
    #[must_use]
    pub fn proves(&self) -> &BTreeSet<String> {
        &self.proves
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root && self.ty == other.ty
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}
