//! The door to the street, asked over real connections, in a jurisdiction that is no Chinese county:
//! a harbour office with its own parties, units, hours and zone.

mod accounts;
mod administration;
mod contacts;
mod county;
mod description;
mod following;
mod life;
mod lists;
mod matrix;
mod mutes;
mod nonsense;
mod office;
mod order;
mod personal;
mod provider;
mod recount;
mod rights;
mod roster;
mod shield;
