//! How alerts are worded, and how long they are tried.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How alerts are worded, and how long they are tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// The folder of message templates, counted from the folder of this file; empty means the texts
    /// that are built in.
    pub templates: PathBuf,
    /// The address under which people reach this service, e.g. `https://fenliu.example.gov.cn`:
    /// links in messages lead there. Empty: messages have no links.
    pub public_url: String,
    /// Minutes for which an urgent message is tried on one channel before the person's next one is
    /// taken.
    pub urgent_minutes: u32,
    /// The same for less urgent messages.
    pub normal_minutes: u32,
    /// Hours for which a unit's own system is tried.
    pub system_hours: u32,
    /// A person gets one letter with less urgent alerts on a channel in so many seconds: the first
    /// at once, then a summary. 0: every alert is a letter.
    pub bundle_seconds: u32,
    /// Who is told of each new operator alarm, as workflows say it: those on duty, where a roster says
    /// who that is. Empty: alarms are only shown.
    pub operators: Vec<String>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            templates: PathBuf::from("templates"),
            public_url: String::new(),
            urgent_minutes: 5,
            normal_minutes: 120,
            system_hours: 24,
            bundle_seconds: 60,
            operators: vec!["emergency_office.duty".to_owned()],
        }
    }
}
