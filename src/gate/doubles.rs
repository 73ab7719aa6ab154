//! Registered matters that may be one: what comes by a machine or in a file was compared with nothing
//! while it was typed.

use super::error::Error;
use super::repeats::{Call, Repeat};
use super::{Caller, Gate};
use crate::chart::CommandSpec;
use crate::chart::document::Kind;
use crate::chart::routed::{CATEGORY, MERGED};
use crate::domain::{InstanceId, Value};
use crate::policy::Act;
use crate::routing::Traits;

/// A command by which a matter is joined to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    /// Its name.
    pub command: String,
    /// The input that names the other one.
    pub input: String,
    /// Whether this one then goes on in the other; else both go on.
    pub merges: bool,
}

/// A matter that a registered one may repeat.
#[derive(Debug, Clone)]
pub struct Double {
    /// The other one; as it is for one more call, but that it takes none here.
    pub repeat: Repeat,
    /// What the caller could do about both now.
    pub joinings: Vec<Joining>,
}

impl Gate {
    /// Matters that a registered one may repeat, without itself, the likeliest first; nothing for those who do
    /// not see every matter, nor when what was said has been erased. Blocks.
    ///
    /// # Errors
    /// `NotFound`, also for what the caller may not see, and what the store says.
    pub fn doubles(&self, caller: &Caller, id: InstanceId) -> Result<Vec<Double>, Error> {
        let own = self.instance(caller, id)?;
        if !self.may_all(caller, Act::SeeMatter)? {
            return Ok(Vec::new());
        }
        let Some(trace) = self.read(|reader| reader.trace(id))? else { return Ok(Vec::new()) };
        // Whose number belongs to which matter is told to those only to whom callers are shown.
        let knows_callers = self.may_all(caller, Act::SeeCaller)?;
        let call = Call {
            place: &trace.place,
            traits: &Traits::decode(&trace.traits),
            category: own.instance.fields.get(CATEGORY).and_then(Value::as_text),
            phones: trace.phone.filter(|_| knows_callers).into_iter().collect(),
            itself: Some(id),
        };
        let (possible, _) = self.possible(caller, &own)?;
        let joinings: Vec<Joining> =
            possible.iter().filter_map(|name| joining(own.chart.command(name)?)).collect();
        let found = self.alike(caller, &call)?.into_iter();
        let doubles = found.map(|(hit, (_, seen))| {
            let ended = seen.instance.closed_at.is_some();
            let fit = joinings.iter().filter(|one| !(one.merges && ended));
            Double { joinings: fit.cloned().collect(), repeat: Repeat::shown(hit, seen) }
        });
        Ok(doubles.collect())
    }
}

/// How a command joins a matter to another, if it does.
fn joining(spec: &CommandSpec) -> Option<Joining> {
    let input = spec.input.iter().find(|input| input.kind == Kind::Matter)?;
    let merges = spec.effects.set.iter().any(|(field, _)| field == MERGED);
    Some(Joining { command: spec.name.clone(), input: input.name.clone(), merges })
}
