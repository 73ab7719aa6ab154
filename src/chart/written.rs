//! Where fields are written.

use super::Chart;
use super::expression::Expression;

impl Chart {
    /// Every expression that is written into a field somewhere.
    pub fn written<'c>(&'c self, field: &'c str) -> impl Iterator<Item = &'c Expression> {
        let commands = self.commands.values().chain([&self.start]).map(|spec| &spec.effects);
        let nodes = self.nodes.iter().flat_map(|node| {
            let moves = node.on.values().flatten().chain(&node.always).map(|t| &t.effects);
            [&node.entry, &node.exit].into_iter().chain(moves)
        });
        let sets = commands.chain(nodes).flat_map(|effects| &effects.set);
        sets.filter(move |(name, _)| name == field).filter_map(|(_, value)| value.as_ref())
    }
}
