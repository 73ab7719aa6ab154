//! statig walks the chart: which state is offered a trigger, which are left, which are entered.
//!
//! statig tells states apart by the discriminant of an enum known at compile time; a chart is known
//! at run time. So the machine calls statig's own extension methods (`handle`, `exit`, `enter`) with
//! the number of levels computed from the transition's domain, and statig never has to compare two
//! states (`docs/adr/0001`). A state is its lineage: the numbers from the outermost state to itself.

use statig::Outcome;
use statig::blocking::{IntoStateMachine, State, StateExt, Superstate};

use super::{Chart, Target, Transition};

/// What the engine does while statig walks.
pub trait Hands {
    /// A state is offered the trigger's transitions in document order.
    fn offer(&mut self, transitions: &[Transition]) -> Offer;
    /// A state is left.
    fn leave(&mut self, state: usize);
    /// A state is entered.
    fn enter(&mut self, state: usize);
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// None of them applies: the next outer state is asked.
    Pass,
    /// The transition of this index is taken.
    Take(usize),
    /// The trigger is refused; outer states are not asked.
    Refuse,
}

/// Who took a trigger.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'c> {
    /// The transition.
    pub transition: &'c Transition,
}

/// A state as statig sees it: its lineage.
#[derive(Debug, Clone, Copy)]
struct Lineage<'c>(&'c [usize]);

/// A trigger as statig sees it.
struct Trigger<'t>(&'t str);

/// The machine as statig sees it, for one walk.
struct Walker<'c> {
    chart: &'c Chart,
    taken: Option<&'c Transition>,
}

impl<'c> IntoStateMachine for Walker<'c> {
    type Event<'evt> = Trigger<'evt>;
    type Context<'ctx> = &'ctx mut dyn Hands;
    type State = Lineage<'c>;
    type Superstate<'sub>
        = Lineage<'sub>
    where
        Self::State: 'sub;

    fn initial() -> Lineage<'c> {
        Lineage(&[])
    }
}

impl<'c> Walker<'c> {
    fn ask(
        &mut self,
        state: Option<usize>,
        trigger: &str,
        hands: &mut dyn Hands,
    ) -> Outcome<Lineage<'c>> {
        let Some(node) = state.and_then(|number| self.chart.nodes.get(number)) else {
            return Outcome::Super;
        };
        let transitions = match trigger {
            ALWAYS => node.always.as_slice(),
            name => node.on.get(name).map(Vec::as_slice).unwrap_or_default(),
        };
        if transitions.is_empty() {
            return Outcome::Super;
        }
        match hands.offer(transitions) {
            Offer::Pass => Outcome::Super,
            Offer::Refuse => Outcome::Handled,
            Offer::Take(index) => {
                self.taken = transitions.get(index);
                match self.taken.and_then(|transition| transition.target) {
                    Some(target) => Outcome::Transition(lineage(self.chart, target.leaf)),
                    None => Outcome::Handled,
                }
            }
        }
    }
}

impl<'c> State<Walker<'c>> for Lineage<'c> {
    fn call_handler(
        &mut self,
        walker: &mut Walker<'c>,
        trigger: &Trigger<'_>,
        hands: &mut &mut dyn Hands,
    ) -> Outcome<Self> {
        walker.ask(self.0.last().copied(), trigger.0, *hands)
    }

    fn call_entry_action(&mut self, _: &mut Walker<'c>, hands: &mut &mut dyn Hands) {
        if let Some(&state) = self.0.last() {
            hands.enter(state);
        }
    }

    fn call_exit_action(&mut self, _: &mut Walker<'c>, hands: &mut &mut dyn Hands) {
        if let Some(&state) = self.0.last() {
            hands.leave(state);
        }
    }

    fn superstate(&mut self) -> Option<Lineage<'_>> {
        outer(self.0)
    }
}

impl<'c> Superstate<Walker<'c>> for Lineage<'_> {
    fn call_handler(
        &mut self,
        walker: &mut Walker<'c>,
        trigger: &Trigger<'_>,
        hands: &mut &mut dyn Hands,
    ) -> Outcome<Lineage<'c>> {
        walker.ask(self.0.last().copied(), trigger.0, *hands)
    }

    fn call_entry_action(&mut self, _: &mut Walker<'c>, hands: &mut &mut dyn Hands) {
        if let Some(&state) = self.0.last() {
            hands.enter(state);
        }
    }

    fn call_exit_action(&mut self, _: &mut Walker<'c>, hands: &mut &mut dyn Hands) {
        if let Some(&state) = self.0.last() {
            hands.leave(state);
        }
    }

    fn superstate(&mut self) -> Option<Lineage<'_>> {
        outer(self.0)
    }
}

/// The trigger of transitions that need none.
pub const ALWAYS: &str = "always";

/// Offers a trigger to the active states, innermost first. None: nobody took it (a refusal is
/// known to `hands`).
pub fn dispatch<'c>(
    chart: &'c Chart,
    leaf: usize,
    trigger: &str,
    hands: &mut dyn Hands,
) -> Option<Taken<'c>> {
    let mut walker = Walker { chart, taken: None };
    let mut state = lineage(chart, leaf);
    let mut context: &mut dyn Hands = hands;
    // The outcome is in the walker too: statig cannot say "refused" or "stayed" apart.
    drop(StateExt::handle(&mut state, &mut walker, &Trigger(trigger), &mut context));
    walker.taken.map(|transition| Taken { transition })
}

/// Leaves what a transition leaves, inside out.
pub fn leave(chart: &Chart, leaf: usize, target: Target, hands: &mut dyn Hands) {
    let mut walker = Walker { chart, taken: None };
    let mut state = lineage(chart, leaf);
    let levels = state.0.len().saturating_sub(target.kept);
    let mut context: &mut dyn Hands = hands;
    StateExt::exit(&mut state, &mut walker, &mut context, levels);
}

/// Enters what a transition enters, outside in.
pub fn enter(chart: &Chart, target: Target, hands: &mut dyn Hands) {
    let mut walker = Walker { chart, taken: None };
    let mut state = lineage(chart, target.leaf);
    let levels = state.0.len().saturating_sub(target.kept);
    let mut context: &mut dyn Hands = hands;
    StateExt::enter(&mut state, &mut walker, &mut context, levels);
}

fn lineage(chart: &Chart, number: usize) -> Lineage<'_> {
    Lineage(chart.nodes.get(number).map(|node| node.lineage.as_slice()).unwrap_or_default())
}

fn outer(lineage: &[usize]) -> Option<Lineage<'_>> {
    match lineage.split_last() {
        Some((_, outer)) if !outer.is_empty() => Some(Lineage(outer)),
        _ => None,
    }
}
