//! fenliu 分流: diverts each non-emergency police call to the one public body that must handle it.
//!
//! The rooms in reading order, floor by floor; arrows point down only (`tests/tidy` holds the law).

// Floor 0, words: pure.
pub mod calendar;
pub mod domain;

// Floor 1, judgement: pure.
pub mod chart;

// Floor 2, hands.
pub mod store;
