//! Alerts as the office sees them: the shipped county, a mail server and an SMS centre that are not
//! ours, a clock that the test moves. A test says what arrives at whom; whatever else arrives, and
//! whatever alarm nobody spoke of, fails it at its end.

mod county;
mod faults;
mod language;
mod mailbox;
mod older;
mod operators;
mod outage;
mod recipients;
mod replies;
mod rivals;
mod saturday;
mod silence;
