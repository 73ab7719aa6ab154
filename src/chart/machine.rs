//! statig walks the chart: which state is offered a trigger, which are left, which are entered.
//!
//! statig tells states apart by the discriminant of an enum known at compile time; a chart is known
//! at run time. So the machine calls statig's own extension methods (`handle`, `exit`, `enter`) with
//! the number of levels computed from the transition's domain, and statig never has to compare two
//! states (`docs/adr/0001`). A state is its lineage: the numbers from the outermost state to itself.

use std::sync::Arc;

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

/// A leaf as statig sees it: its lineage. (statig asks of superstates that they live for any
/// lifetime, which makes the leaf's own type `'static`: so it is shared, not borrowed.)
#[derive(Debug, Clone)]
struct Leaf(Arc<[usize]>);

/// A state above the leaf.
#[derive(Debug, Clone, Copy)]
struct Above<'s>(&'s [usize]);

/// A trigger as statig sees it.
struct Trigger<'t>(&'t str);

/// The machine as statig sees it, for one walk.
struct Walker<'c> {
    chart: &'c Chart,
    taken: Option<&'c Transition>,
}

impl IntoStateMachine for Walker<'_> {
    type Event<'evt> = Trigger<'evt>;
    type Context<'ctx> = &'ctx mut dyn Hands;
    type State = Leaf;
    type Superstate<'sub> = Above<'sub>;

    fn initial() -> Leaf {
        Leaf(Arc::new([]))
    }
}

impl<'c> Walker<'c> {
    fn ask(&mut self, lineage: &[usize], trigger: &str, hands: &mut dyn Hands) -> Outcome<Leaf> {
        let Some(node) = lineage.last().and_then(|&number| self.chart.nodes.get(number)) else {
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
                    Some(target) => Outcome::Transition(leaf_of(self.chart, target.leaf)),
                    None => Outcome::Handled,
                }
            }
        }
    }
}

/// Both kinds of states answer alike; statig wants two types.
macro_rules! answers {
    () => {
        fn call_handler(
            &mut self,
            walker: &mut Walker<'c>,
            trigger: &Trigger<'_>,
            hands: &mut &mut dyn Hands,
        ) -> Outcome<Leaf> {
            walker.ask(&self.0, trigger.0, *hands)
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

        fn superstate(&mut self) -> Option<Above<'_>> {
            match self.0.split_last() {
                Some((_, above)) if !above.is_empty() => Some(Above(above)),
                _ => None,
            }
        }
    };
}

impl<'c> State<Walker<'c>> for Leaf {
    answers!();
}

impl<'c> Superstate<Walker<'c>> for Above<'_> {
    answers!();
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
    let mut state = leaf_of(chart, leaf);
    let mut context: &mut dyn Hands = hands;
    // The outcome is in the walker too: statig cannot say "refused" or "stayed" apart.
    drop(StateExt::handle(&mut state, &mut walker, &Trigger(trigger), &mut context));
    walker.taken.map(|transition| Taken { transition })
}

/// Leaves what a transition leaves, inside out.
pub fn leave(chart: &Chart, leaf: usize, target: Target, hands: &mut dyn Hands) {
    let mut walker = Walker { chart, taken: None };
    let mut state = leaf_of(chart, leaf);
    let levels = state.0.len().saturating_sub(target.kept);
    let mut context: &mut dyn Hands = hands;
    StateExt::exit(&mut state, &mut walker, &mut context, levels);
}

/// Enters what a transition enters, outside in.
pub fn enter(chart: &Chart, target: Target, hands: &mut dyn Hands) {
    let mut walker = Walker { chart, taken: None };
    let mut state = leaf_of(chart, target.leaf);
    let levels = state.0.len().saturating_sub(target.kept);
    let mut context: &mut dyn Hands = hands;
    StateExt::enter(&mut state, &mut walker, &mut context, levels);
}

fn leaf_of(chart: &Chart, number: usize) -> Leaf {
    chart.nodes.get(number).map_or_else(Walker::initial, |node| Leaf(Arc::clone(&node.lineage)))
}
