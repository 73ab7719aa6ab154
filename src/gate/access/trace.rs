//! What people do with accounts and callers' data, told to the log in one form: who, to whom, from
//! where, with what outcome. Never a secret, never a caller's word.

use crate::domain::PersonId;
use crate::gate::Gate;

/// One line of it. What is proved afterwards stands in the audit log besides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trace<'d> {
    /// What: `sign_in`, `sign_out`, `password_changed` …
    pub kind: &'static str,
    /// By whom, if that is known.
    pub by: Option<PersonId>,
    /// Whose account or rights, if that is somebody else.
    pub of: Option<PersonId>,
    /// From which address, if it came from one.
    pub from: &'d str,
    /// `done`, or the code of the refusal.
    pub outcome: &'d str,
}

impl Gate {
    /// Tells and counts it.
    pub(super) fn tell(&self, trace: Trace<'_>) {
        if trace.outcome == "done" {
            self.inner.figures.count_deed();
        } else {
            self.inner.figures.count_denied();
        }
        self.say(trace);
    }

    /// Tells it.
    pub(super) fn say(&self, trace: Trace<'_>) {
        let Trace { kind, by, of, from, outcome } = trace;
        let (by, of) = (by.map_or(0, |id| id.0), of.map_or(0, |id| id.0));
        tracing::info!(target: "fenliu::access", kind, by, of, from, outcome, "access");
    }
}
