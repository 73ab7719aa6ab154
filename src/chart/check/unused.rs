//! What is written and never used.

use std::collections::BTreeSet;

use super::super::document::{Kind, Spot};
use super::super::expression::Expression;
use super::super::names::SUCCEEDED;
use super::super::{Chart, Effects, Party, Require, Selector, Status, Step, Transition};
use super::Checker;

impl<'c> Checker<'c> {
    pub(super) fn unused(&mut self) {
        self.never_taken();
        self.fields();
        let used: BTreeSet<&str> =
            self.document.clocks.iter().map(|(_, doc)| doc.ladder.as_str()).collect();
        let armed: BTreeSet<&str> = self
            .places
            .iter()
            .flat_map(|place| &place.doc.clocks)
            .map(|clock| clock.value.as_str())
            .collect();
        let texts = texts(self.chart);
        let document = self.document;
        self.all("ladder_unused", document.ladders.keys(), &used, "no clock has the ladder");
        self.all("never_armed", document.clocks.keys(), &armed, "no state arms the clock");
        self.all("text_unused", document.texts.keys(), &texts, "nobody is told the text");
        let parties = read(self.chart);
        let parties: BTreeSet<&str> = parties.iter().map(String::as_str).collect();
        self.all("party_unused", document.parties.iter(), &parties, "nothing names the party");
    }

    /// Warns of every name that is not among the used ones.
    fn all<'n>(
        &mut self,
        code: &str,
        names: impl Iterator<Item = &'n Spot<String>>,
        used: &BTreeSet<&str>,
        sentence: &str,
    ) {
        for name in names.filter(|name| !used.contains(name.as_str())) {
            let message = format!("{sentence} `{}`", name.value);
            self.warn(code, &name.span, message, "use it, or leave it out");
        }
    }

    /// Commands that no state takes, signals that nobody reacts to.
    fn never_taken(&mut self) {
        let triggers: BTreeSet<&str> =
            self.chart.nodes.iter().flat_map(|node| node.on.keys()).map(String::as_str).collect();
        let signals: BTreeSet<&str> =
            triggers.iter().filter_map(|trigger| trigger.strip_prefix("signal.")).collect();
        let document = self.document;
        let command = "no state takes the command";
        self.all("command_unused", document.commands.keys(), &triggers, command);
        let signal = "no state reacts to the signal";
        self.all("signal_unused", document.signals.keys(), &signals, signal);
    }

    /// Fields that are never set, and fields hidden from people that nothing reads.
    fn fields(&mut self) {
        let (set, read) = (self.fields_set(), read(self.chart));
        for (name, doc) in self.document.fields.iter() {
            if !set.contains(&name.value) {
                let message = format!("the field `{}` is never set", name.value);
                self.warn("never_set", &name.span, message, "set it somewhere, or leave it out");
            }
            let seen = doc.shown || matches!(doc.kind.value, Kind::Unit | Kind::Units | Kind::Tier);
            if !seen && !read.contains(&name.value) {
                let message = format!("the field `{}` is hidden and nothing reads it", name.value);
                self.warn("never_read", &name.span, message, "show it, use it, or leave it out");
            }
        }
    }

    /// The fields that some block sets.
    pub(super) fn fields_set(&self) -> BTreeSet<String> {
        let sets = effects(self.chart).into_iter().flat_map(|block| &block.set);
        sets.filter(|(_, value)| value.is_some()).map(|(name, _)| name.clone()).collect()
    }
}

fn transitions(chart: &Chart) -> impl Iterator<Item = &Transition> {
    chart.nodes.iter().flat_map(|node| node.on.values().flatten().chain(&node.always))
}

fn steps(chart: &Chart) -> impl Iterator<Item = &Step> {
    chart
        .clocks
        .values()
        .flat_map(|clock| clock.steps.iter().chain(&clock.every_when).chain(&clock.every))
}

/// Every block that does something.
pub(super) fn effects(chart: &Chart) -> Vec<&Effects> {
    let mut all = vec![&chart.start.effects];
    all.extend(chart.commands.values().map(|command| &command.effects));
    all.extend(chart.nodes.iter().flat_map(|node| [&node.entry, &node.exit]));
    all.extend(transitions(chart).map(|transition| &transition.effects));
    all
}

/// Every expression of a chart.
fn expressions(chart: &Chart) -> Vec<&Expression> {
    fn checks(requires: &[Require]) -> impl Iterator<Item = &Expression> {
        requires.iter().map(|require| &require.check)
    }
    let mut all: Vec<&Expression> = Vec::new();
    for block in effects(chart) {
        all.extend(block.set.iter().filter_map(|(_, value)| value.as_ref()));
        all.extend(block.tell.iter().filter_map(|tell| tell.when.as_ref()));
        for start in &block.start {
            all.extend(start.when.iter().chain(&start.each));
            all.extend(start.with.iter().map(|(_, value)| value));
        }
        for send in &block.signal {
            all.extend(&send.when);
            all.extend(send.with.iter().map(|(_, value)| value));
        }
    }
    for transition in transitions(chart) {
        all.extend(transition.when.as_ref());
        all.extend(checks(&transition.require));
    }
    for command in chart.commands.values().chain([&chart.start]) {
        all.extend(checks(&command.require));
    }
    for clock in chart.clocks.values() {
        all.extend(clock.from.iter().chain([&clock.due]));
    }
    all.extend(steps(chart).filter_map(|step| step.when.as_ref()));
    all.extend(chart.laws.iter().map(|law| &law.when));
    all.extend(&chart.urgent);
    all.extend(chart.nodes.iter().filter_map(|node| match &node.status {
        Status::Choice(condition, ..) => Some(&**condition),
        Status::Fixed(_) => None,
    }));
    all
}

fn selectors(chart: &Chart) -> impl Iterator<Item = &Selector> {
    let commands = chart.commands.values().chain([&chart.start]).flat_map(|command| &command.by);
    let told = effects(chart).into_iter().flat_map(|block| &block.tell).flat_map(|tell| &tell.to);
    commands.chain(told).chain(steps(chart).flat_map(|step| &step.tell))
}

/// The paths that are read somewhere: by expressions, as people, in texts.
fn read(chart: &Chart) -> BTreeSet<String> {
    let mut read: BTreeSet<String> =
        expressions(chart).into_iter().flat_map(Expression::reads).cloned().collect();
    let holders = chart.nodes.iter().filter_map(|node| node.holder.as_ref());
    for party in selectors(chart).map(|selector| &selector.party).chain(holders) {
        if let Party::Field(name) | Party::Body(name) = party {
            read.insert(name.clone());
        }
    }
    for text in chart.texts.values() {
        for words in [&text.zh, &text.en] {
            let names = words.split('{').skip(1).filter_map(|rest| rest.split('}').next());
            read.extend(names.map(str::to_owned));
        }
    }
    read
}

fn texts(chart: &Chart) -> BTreeSet<&str> {
    let told = effects(chart).into_iter().flat_map(|block| &block.tell);
    let of_steps = steps(chart).filter_map(|step| step.text.as_deref());
    told.map(|tell| tell.text.as_str()).chain(of_steps).chain([SUCCEEDED]).collect()
}
