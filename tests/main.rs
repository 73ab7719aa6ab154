//! The one binary of integration tests.

#[cfg(test)]
mod alerts;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod channel;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod http;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod process;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod scheduler;
#[cfg(test)]
mod semantics;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod store;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod whole;
