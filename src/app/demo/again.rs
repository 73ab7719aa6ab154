//! Looking again at a store after a play: is everything there that was acknowledged?

use std::collections::{BTreeMap, BTreeSet};

use super::driver::missing;
use super::{Error, Played};
use crate::domain::{Event, InstanceId};
use crate::gate;
use crate::http::PublicIds;
use crate::store::{Options, Store};

/// What is not as it should be; all empty when all is well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Acknowledged commands that are not there.
    pub lost: Vec<String>,
    /// Steps of clocks and ladders that were taken.
    pub fired: usize,
    /// Clocks that did one thing twice.
    pub twice: Vec<String>,
    /// What the auditor finds: chains, decisions (a clock that fired early is refused when it is
    /// decided again), rows.
    pub faults: Vec<String>,
}

/// Compares a store, which nobody writes any more, with what players were told.
///
/// # Errors
/// When the store cannot be read.
pub fn look_again(url: &str, played: &Played) -> Result<Found, Error> {
    let play = |error: &dyn std::fmt::Display| Error::Play(error.to_string());
    // Whether the line may be as it is was judged when the house was opened.
    let options = Options { read_only: true, allow_clear_text: true, ..Options::default() };
    let store = Store::open(url, options).map_err(|error| play(&error))?;
    let mut found = Found::default();
    let secret = store.read(|reader| reader.setting("number_secret"));
    let secret = secret.map_err(|error| play(&error))?.unwrap_or_default();
    let ids =
        PublicIds::new(secret.parse().map_err(|error: std::num::ParseIntError| play(&error))?);
    let mut kept: BTreeMap<InstanceId, Vec<(i64, String)>> = BTreeMap::new();
    let mut after = 0;
    let mut fired = BTreeSet::new();
    loop {
        let page = store.read(|reader| reader.events_after(after, None, 1000));
        let page = page.map_err(|error| play(&error))?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for positioned in &page {
            let stored = &positioned.event;
            kept.entry(stored.instance).or_default().push((stored.seq, stored.kind.clone()));
            if !stored.kind.starts_with("clock.") {
                continue;
            }
            let event: Event = serde_json::from_str(&stored.body).map_err(|error| play(&error))?;
            if !fired.insert((stored.instance, stored.kind.clone(), event.command.input)) {
                found.twice.push(format!("{} of instance {}", stored.kind, stored.instance));
            }
        }
    }
    found.fired = fired.len();
    for (public, told) in &played.told {
        let id = ids.read_instance(public).unwrap_or(InstanceId(-1));
        let events = kept.get(&id).map(Vec::as_slice).unwrap_or_default();
        let missing = missing(told, events);
        if missing > 0 {
            let (all, there) = (told.len(), events.len());
            found.lost.push(format!("{public}: {missing} of {all} commands, {there} events there"));
        }
    }
    let report = gate::verify(&store, |_| ()).map_err(|error| play(&error))?;
    found.faults.extend(report.first_fault);
    Ok(found)
}
