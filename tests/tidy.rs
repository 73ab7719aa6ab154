//! The order of the house, held by tests: floors and arrows, who owns which crate, sizes, names.

mod arrows;
mod checks;
mod county;
mod migrations;
mod shapes;
mod sizes;
mod source;
mod statements;
mod supply;
