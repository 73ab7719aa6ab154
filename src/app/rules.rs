//! What the settings say, as the rules that the door goes by.

use crate::config;
use crate::config::alerts::Alerts;
use crate::config::knowledge::Routing;
use crate::config::settings::Settings;
use crate::gate::{AccessRules, AlertRules, Profile, RoutingRules};

/// How calls are compared.
pub(super) fn routing_rules(routing: &Routing) -> RoutingRules {
    let repeats = &routing.repeats;
    RoutingRules {
        ended_ms: i64::from(repeats.days) * 24 * 3_600_000,
        same_place: repeats.same_place,
        near: repeats.near,
        precedent: repeats.precedent,
        compared: i64::from(repeats.compared.max(1)),
        shown: usize::from(repeats.shown),
        country: repeats.country,
    }
}

/// How long alerts are tried.
pub(super) fn alert_rules(alerts: &Alerts, replies: bool) -> AlertRules {
    let second = 1_000;
    let minute = 60 * second;
    AlertRules {
        urgent_ms: i64::from(alerts.urgent_minutes.max(1)) * minute,
        normal_ms: i64::from(alerts.normal_minutes.max(1)) * minute,
        hook_ms: i64::from(alerts.system_hours.max(1)) * 60 * minute,
        bundle_ms: i64::from(alerts.bundle_seconds) * second,
        replies,
    }
}

/// How strict the house is with those who sign in, and whether a second person approves.
pub(super) fn access_rules(settings: &Settings) -> AccessRules {
    let (access, publication) = (&settings.access, &settings.publication);
    let minute = 60_000;
    AccessRules {
        second_person_ms: publication
            .second_person
            .then(|| i64::from(publication.hours.max(1)) * 60 * minute),
        profile: match access.profile {
            config::access::Profile::Mlps3 => Profile::Mlps3,
            config::access::Profile::Asvs => Profile::Asvs,
        },
        idle_ms: i64::from(access.idle_minutes.max(1)) * minute,
        longest_ms: i64::from(access.longest_hours.max(1)) * 60 * minute,
        token_ms: i64::from(access.token_days.max(1)) * 24 * 60 * minute,
    }
}
