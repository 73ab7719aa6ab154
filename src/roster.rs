//! Who is on duty: worked out from rosters, stand-ins and the working calendar. Pure: the time is an
//! argument.
//!
//! A shift belongs to the day on which it begins, and whether that day is covered the calendar
//! says: holidays, make-up Saturdays and all. Turns are counted in what a rotation covers, so that
//! nobody of a rotation over days off gets every Sunday and another every Saturday.

mod check;
mod duty;
mod facts;
mod rotation;
#[cfg(test)]
mod tests;
pub mod transfer;

pub use check::{check, knows};
pub use duty::{Gap, Handover, Plan, Shift};
pub use facts::{OnDuty, Rosters};

pub use crate::domain::roster::{Cover, HandoverNote, Hours, Length, Roster, Rotation, StandIn};
