//! What may become of a call that is diverted.

/// What becomes of a call that is diverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plot {
    /// Accepted, handled, resolved and confirmed in time.
    Prompt,
    /// Answered by the unit at once.
    OnTheSpot,
    /// Sent to the wrong unit, returned, the return upheld, sent on.
    Returned,
    /// The return is rejected, the unit contests, the government rules.
    Disputed,
    /// The unit sleeps: deemed accepted, overdue, supervised.
    Asleep,
    /// Accepted in time, finished late.
    Late,
    /// The caller is not satisfied: reopened.
    Reopened,
    /// Time is suspended for a test.
    Suspended,
    /// Too complex for the limit: a date is promised.
    Promised,
    /// The caller calls again and again.
    Repeated,
    /// The caller withdraws.
    Withdrawn,
    /// The desk answers itself.
    AtDesk,
    /// It grows while it is handled: larger, then major, and back.
    Growing,
}

/// Every plot comes, the everyday ones more often.
pub(super) const PLOTS: [Plot; 20] = [
    Plot::Prompt,
    Plot::Returned,
    Plot::OnTheSpot,
    Plot::Asleep,
    Plot::Prompt,
    Plot::Disputed,
    Plot::Prompt,
    Plot::Reopened,
    Plot::Prompt,
    Plot::Suspended,
    Plot::Late,
    Plot::Promised,
    Plot::Growing,
    Plot::Repeated,
    Plot::Returned,
    Plot::AtDesk,
    Plot::Prompt,
    Plot::Disputed,
    Plot::Withdrawn,
    Plot::Prompt,
];
