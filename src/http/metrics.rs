//! Figures for Prometheus: what happened at this door and at the gate, what lies in the store.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use crate::domain::Wire;
use crate::gate::{ChannelState, Gate, RawCounts};
use crate::policy::Act;

/// Requests, counted.
pub(super) struct Traffic {
    requests: Family<Labels, Counter<u64, AtomicU64>>,
    durations: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

impl Default for Traffic {
    fn default() -> Self {
        // From half a millisecond, each twice as long, to 16 seconds.
        let durations = Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        Self { requests: Family::default(), durations }
    }
}

impl Traffic {
    /// Counts an answered request.
    pub(super) fn count(
        &self,
        method: &'static str,
        route: &'static str,
        status: u16,
        passed: Duration,
    ) {
        self.requests.get_or_create(&Labels { method, route, status }).inc();
        self.durations.observe(passed.as_secs_f64());
    }
}

/// Figures in the text form that Prometheus reads.
#[utoipa::path(
    get, path = "/metrics", tag = "service",
    responses((status = 200, body = String, content_type = "application/openmetrics-text",
        description = "Figures of the whole service, for those who may operate it. Where the settings give \
            management an address of its own, served there only.")),
)]
pub(super) async fn show(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<HttpResponse, Problem> {
    house.gate.permit(&caller, Act::SeeOperation)?;
    let gate = house.gate.clone();
    let counted = move || Ok((gate.raw_counts()?, gate.channels(&caller)?));
    let (counts, channels) = blocking(counted).await?;
    let mut registry = Registry::with_prefix("fenliu");
    registry.register("http_requests", "Requests answered", house.traffic.requests.clone());
    registry.register("http_seconds", "Time to answer", house.traffic.durations.clone());
    let heavy = i64::try_from(house.heavy.under_way()).unwrap_or(i64::MAX);
    let help = "Heavy requests that are being answered";
    registry.register("heavy_under_way", help, ConstGauge::new(heavy));
    register_gate(&mut registry, &house.gate);
    register_counts(&mut registry, &house.gate, &counts);
    register_channels(&mut registry, &house.gate, &channels);
    let mut text = String::new();
    text::encode(&mut text, &registry).map_err(|error| Problem::internal(&error.to_string()))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(HttpResponse::Ok().content_type(kind).body(text))
}

fn register_gate(registry: &mut Registry, gate: &Gate) {
    let figures = gate.figures();
    for (name, help, count) in [
        ("commands_accepted", "Commands accepted", figures.accepted()),
        ("commands_refused", "Commands refused", figures.refused()),
        ("commands_failed", "Commands not done for reasons of the house", figures.failed()),
        ("access_done", "Sign-ins and changes of accounts that were done", figures.deeds()),
        ("access_denied", "Those that were refused", figures.denied()),
        ("passwords_compared", "Passwords compared", figures.compared()),
        ("store_statements", "Statements given to the database", gate.statements()),
        ("callers_revealed", "How often it was shown who called, for a purpose", figures.reveals()),
        ("clocks_fired", "Clock firings", figures.fired()),
        ("transactions", "Transactions of commands", figures.batches()),
        (
            "audit_differences",
            "Instances in which the auditor found a difference",
            figures.audit_differing(),
        ),
    ] {
        registry.register(name, help, ConstCounter::new(count));
    }
    let waiting = i64::try_from(figures.waiting()).unwrap_or(i64::MAX);
    registry.register("commands_waiting", "Commands not yet taken up", ConstGauge::new(waiting));
    let age = ConstGauge::new(figures.audit_age_ms() / 1000);
    let help = "Since when the auditor may not have looked at some open instance, at the most";
    registry.register("audit_oldest_look_seconds", help, age);
    registry.register("up", "Whether the service is up", ConstGauge::new(1_i64));
}

fn register_counts(registry: &mut Registry, gate: &Gate, counts: &RawCounts) {
    let now = gate.now();
    let oldest = counts.oldest_waiting.map_or(0, |at| now.since(at).max(0) / 1000);
    for (name, help, value) in [
        ("instances_open", "Instances that have not ended", counts.open_instances),
        ("messages_waiting", "Messages not yet handed over", counts.waiting_messages),
        ("messages_failed", "Messages given up", counts.failed_messages),
        ("messages_oldest_seconds", "Age of the oldest waiting message", oldest),
        ("clocks", "Clocks in force", counts.clocks),
        ("alarms_open", "Operator alarms that nobody cleared", counts.open_alarms),
    ] {
        registry.register(name, help, ConstGauge::new(value));
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabel {
    channel: String,
}

fn register_channels(registry: &mut Registry, gate: &Gate, channels: &[ChannelState]) {
    type Count = fn(&ChannelState) -> u64;
    let counters: [(&str, &str, Count); 8] = [
        ("channel_sent", "Messages handed over", |one| one.figures.sent),
        ("channel_retried", "Attempts after which a message is tried again", |one| {
            one.figures.retried
        }),
        ("channel_failed", "Messages given up", |one| one.figures.failed),
        ("channel_unknown", "Attempts of which nobody knows whether they arrived", |one| {
            one.figures.unknown
        }),
        ("channel_delivered", "Messages on the device, as gateways say", |one| {
            one.figures.delivered
        }),
        ("channel_bounced", "Messages that were taken and did not arrive", |one| {
            one.figures.bounced
        }),
        ("channel_replies", "Replies that came in", |one| one.figures.replies),
        ("channel_lost", "Receipts and replies that could not be taken up", |one| one.figures.lost),
    ];
    let label = |one: &ChannelState| ChannelLabel { channel: one.name.clone() };
    for (name, help, count) in counters {
        let family = Family::<ChannelLabel, Counter<u64, AtomicU64>>::default();
        for one in channels {
            family.get_or_create(&label(one)).inc_by(count(one));
        }
        registry.register(name, help, family);
    }
    let gauge = |registry: &mut Registry,
                 name: &str,
                 help: &str,
                 value: &dyn Fn(&ChannelState) -> Option<i64>| {
        let family = Family::<ChannelLabel, Gauge>::default();
        for one in channels {
            if let Some(value) = value(one) {
                family.get_or_create(&label(one)).set(value);
            }
        }
        registry.register(name, help, family);
    };
    let now = gate.now();
    let age = |one: &ChannelState| one.oldest.map_or(0, |at| now.since(at).max(0) / 1_000);
    gauge(registry, "channel_waiting", "Messages that wait", &|one| Some(one.waiting));
    gauge(registry, "channel_oldest_seconds", "Age of the oldest of them", &|one| Some(age(one)));
    gauge(
        registry,
        "channel_breaker_open",
        "Whether the channel rests after failures (0: letters go)",
        &|one| Some(i64::from(!matches!(one.figures.breaker, "" | "closed"))),
    );
    gauge(registry, "channel_clear_text", "Whether the line can be read on the way", &|one| {
        Some(i64::from(one.figures.wire == Wire::Clear))
    });
    gauge(registry, "channel_test_works", "Whether the last self-test succeeded", &|one| {
        one.figures.test.as_ref().map(|test| i64::from(test.works))
    });
    gauge(registry, "channel_test_age_seconds", "How long ago the last self-test was", &|one| {
        one.figures.test.as_ref().map(|test| now.since(test.at).max(0) / 1_000)
    });
}
