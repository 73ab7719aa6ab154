//! The door to the street, asked over real connections, in a jurisdiction that is no Chinese county:
//! a harbour office with its own parties, units, hours and zone.

mod accounts;
mod administration;
mod advice;
mod alarms;
mod answers;
mod catalogue;
mod catalogued;
mod contacts;
mod county;
mod description;
mod following;
mod hooks;
mod intake;
mod life;
mod links;
mod lists;
mod log;
mod matrix;
mod merged;
mod mutes;
mod nonsense;
pub(crate) mod office;
mod order;
mod personal;
mod proposals;
mod provider;
mod races;
mod recount;
mod rehearsal;
mod repeats;
mod rights;
mod roster;
mod shield;
mod spot;
mod subscriptions;
mod teaching;
