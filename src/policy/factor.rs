//! Which grants count only for somebody who has shown a second factor.

use crate::domain::{Grant, Role};

/// Whether a grant counts only with a second factor: who administers, who writes workflows, who reads
/// everything, and who rules in disputes (the director of the emergency office and the leaders of the
/// county government, whose unit is `county`).
#[must_use]
pub fn needs_second_factor(grant: &Grant, county: Option<&str>) -> bool {
    match grant.role {
        Role::Administrator | Role::Editor | Role::Auditor | Role::Director => true,
        Role::Leader => county == Some(grant.unit.as_str()),
        Role::Dispatcher | Role::ShiftLeader | Role::Liaison | Role::Duty => false,
    }
}

/// What is left of some grants until the second factor is shown.
#[must_use]
pub fn without_second_factor(grants: &[Grant], county: Option<&str>) -> Vec<Grant> {
    grants.iter().filter(|grant| !needs_second_factor(grant, county)).cloned().collect()
}
