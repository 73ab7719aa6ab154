//! A gateway that is down is known before an alert needs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fenliu::channel::{Channel, Letter, Outcome};
use fenliu::domain::{Actor, Grant, PersonId, Role};
use fenliu::gate::Caller;
use fenliu::scheduler::self_test::SelfTest;
use futures_util::future::{BoxFuture, FutureExt, ready};

use super::house::{House, run, turn};

#[derive(Default)]
struct Gateway {
    down: AtomicBool,
}

impl Channel for Gateway {
    fn name(&self) -> &'static str {
        "smpp"
    }

    fn send<'a>(&'a self, _letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        panic!("a test sends nothing")
    }

    fn test(&self) -> BoxFuture<'_, Outcome> {
        let down = self.down.load(Ordering::SeqCst);
        ready(if down { Outcome::later("no answer from the centre") } else { Outcome::ACCEPTED })
            .boxed()
    }
}

#[test]
fn a_failed_self_test_is_an_alarm_that_ends_when_the_channel_works_again() {
    run(async {
        let house = House::new();
        let gateway = Arc::new(Gateway::default());
        let channel: Arc<Gateway> = Arc::clone(&gateway);
        let mut test = SelfTest::new(house.duty.clone(), "sms", channel, Duration::ZERO);
        turn(&mut test).await;
        assert!(house.alarms().is_empty());
        gateway.down.store(true, Ordering::SeqCst);
        turn(&mut test).await;
        turn(&mut test).await;
        let alarms = house.alarms();
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        assert_eq!(
            (alarms[0].0.as_str(), alarms[0].2.as_str()),
            (
                "channel_test.sms",
                "the channel `sms` failed its self-test: no answer from the centre"
            )
        );
        let grants = vec![Grant { role: Role::Auditor, unit: "gongan".to_owned() }];
        let actor = Actor::person(PersonId(1), grants);
        let caller = Caller { actor, jurisdiction: house.jurisdiction };
        let shown = house.gate.channels(&caller).unwrap();
        let tested = shown.iter().find(|one| one.name == "sms").unwrap().figures.test.clone();
        assert_eq!(
            tested.map(|test| (test.works, test.why)),
            Some((false, "no answer from the centre".to_owned()))
        );
        gateway.down.store(false, Ordering::SeqCst);
        turn(&mut test).await;
        assert!(house.alarms().is_empty());
    });
}
