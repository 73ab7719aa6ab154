//! Mutes are not forgotten: each morning while one lasts its person is reminded, and told when it
//! has ended; each once, on whichever node comes first, also after downtime.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use jiff::ToSpan;
use jiff::civil::time;
use jiff::tz::TimeZone;

use super::{Duty, Next, Poll};
use crate::domain::{Instant, Mute};
use crate::gate::{Error, Leaves};

/// Reminders come at eight in the morning, in the jurisdiction's zone.
const MORNING: i8 = 8;

/// Changes on other nodes and failures are looked at after this.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The loop.
pub struct Mutes {
    duty: Duty,
}

impl Poll for Mutes {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            let registry = self.duty.gate.registry();
            let mut next: Option<Instant> = None;
            for jurisdiction in registry.jurisdictions() {
                for mute in registry.open_mutes(jurisdiction) {
                    match self.turn(&mute).await {
                        Ok(Some(at)) => next = Some(next.map_or(at, |next| next.min(at))),
                        Ok(None) => {}
                        // The others have their turns all the same.
                        Err(error) => tracing::error!(%error, mute = mute.id,
                            "a mute could not be looked after; it is tried again"),
                    }
                }
            }
            next.map_or(Next::In(LOOK_AGAIN), Next::At)
        }
        .boxed()
    }
}

impl Mutes {
    /// Looks after the mutes behind a door.
    #[must_use]
    pub fn new(duty: Duty) -> Self {
        Self { duty }
    }

    /// Tells what is to be told of one mute now; answers when there is more.
    async fn turn(&self, mute: &Mute) -> Result<Option<Instant>, Error> {
        let now = self.duty.gate.now();
        let one = mute.clone();
        if now >= mute.until {
            self.duty.ask(move |gate| gate.close_mute(&one)).await?;
            return Ok(None);
        }
        let calendar = self.duty.gate.registry().calendar(mute.jurisdiction)?;
        let (last, next) = mornings(now, calendar.zone());
        if last > mute.from {
            let key = format!("mute.{}", mute.id);
            let of = key.clone();
            let told = self.duty.ask(move |gate| gate.last_occurrence(&of)).await?;
            if told.is_none_or(|told| told < last) {
                self.duty
                    .ask(move |gate| {
                        let note = gate.mute_reminder(&one)?;
                        let notes = vec![(one.jurisdiction, note)];
                        let leaves = Leaves { notes, ..Leaves::default() };
                        gate.take_occurrence(&key, last, last, &leaves)
                    })
                    .await?;
            }
        }
        Ok(Some(next.min(mute.until)))
    }
}

/// The last morning that has come, and the next one.
fn mornings(now: Instant, zone: &TimeZone) -> (Instant, Instant) {
    let today = zone.to_datetime(now.timestamp()).date();
    let eight = |days: i32| {
        let date = today.saturating_add(days.days());
        let zoned = date.to_datetime(time(MORNING, 0, 0, 0)).to_zoned(zone.clone());
        // A zone that has no such morning at all is not among those that jiff knows.
        zoned.map_or(now, |zoned| Instant::from(zoned.timestamp()))
    };
    let this = eight(0);
    if this <= now { (this, eight(1)) } else { (eight(-1), this) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mornings_lie_around_now() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at = |text: &str| Instant::parse(text).unwrap();
        let (one, two) = (at("2026-03-02T08:00:00+08:00"), at("2026-03-03T08:00:00+08:00"));
        assert_eq!(mornings(at("2026-03-02T08:00:00+08:00"), &zone), (one, two));
        assert_eq!(mornings(at("2026-03-03T07:59:00+08:00"), &zone), (one, two));
    }
}
