//! The exact semantics of the workflow language (`docs/WORKFLOWS.md` §13), sentence by sentence.

mod bench;
mod clocks;
mod commands;
mod domains;
mod family;
mod findings;
mod ladders;
mod random;
mod recount;
mod routing;
mod schema;
mod shipped;
mod targets;
