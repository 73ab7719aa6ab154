//! Who may do and see what: one table. A workflow's own `by` narrows it, never widens it.

use std::collections::BTreeSet;

use crate::domain::{Actor, Grant, Role};

/// What somebody may want to do besides giving the commands of workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// See every instance of the jurisdiction.
    SeeAll,
    /// See the instances that one's own units take part in.
    SeeOwn,
    /// See callers' personal data of what one may see.
    SeeCaller,
    /// Say that something happened earlier than it was recorded.
    Backdate,
    /// Read units, people, categories, calendars, definitions.
    ReadDirectory,
    /// Change units, people, categories.
    WriteDirectory,
    /// Write duty rosters and stand-ins, decide on swaps.
    WriteRosters,
    /// Publish workflow definitions.
    Publish,
    /// Load calendars.
    WriteCalendar,
    /// Make and revoke tokens.
    IssueTokens,
    /// See operator alarms and metrics.
    Operate,
}

/// Every act, in the order above.
pub const ACTS: [Act; 11] = [
    Act::SeeAll,
    Act::SeeOwn,
    Act::SeeCaller,
    Act::Backdate,
    Act::ReadDirectory,
    Act::WriteDirectory,
    Act::WriteRosters,
    Act::Publish,
    Act::WriteCalendar,
    Act::IssueTokens,
    Act::Operate,
];

/// The table (domain book 4.10). County leaders see everything by being leaders of the county
/// government's body, which [`sees_all`] knows.
#[must_use]
pub fn role_may(role: Role, act: Act) -> bool {
    use Act::{
        Backdate, IssueTokens, Operate, Publish, ReadDirectory, SeeAll, SeeCaller, SeeOwn,
        WriteCalendar, WriteDirectory, WriteRosters,
    };
    let acts: &[Act] = match role {
        Role::Dispatcher | Role::ShiftLeader => {
            &[SeeAll, SeeOwn, SeeCaller, Backdate, ReadDirectory]
        }
        Role::Liaison | Role::Leader => &[SeeOwn, SeeCaller, ReadDirectory],
        Role::Duty => &[SeeAll, SeeOwn, Backdate, ReadDirectory, Operate],
        Role::Director => &[SeeAll, SeeOwn, Backdate, ReadDirectory, WriteRosters, Operate],
        Role::Auditor => &[SeeAll, ReadDirectory, Operate],
        Role::Administrator => {
            &[ReadDirectory, WriteDirectory, WriteRosters, WriteCalendar, IssueTokens, Operate]
        }
        Role::Editor => &[ReadDirectory, Publish],
    };
    acts.contains(&act)
}

/// Whether one of the actor's roles allows an act.
#[must_use]
pub fn may(actor: &Actor, act: Act) -> bool {
    match actor {
        Actor::Person { grants, .. } => grants.iter().any(|grant| role_may(grant.role, act)),
        Actor::Clock | Actor::Relative { .. } => false,
        Actor::System => true,
    }
}

/// Whether the actor sees every instance: by a role, or as a leader of the county government
/// (`county` is the unit that plays it).
#[must_use]
pub fn sees_all(actor: &Actor, county: Option<&str>) -> bool {
    may(actor, Act::SeeAll) || county.is_some_and(|county| actor.is(Role::Leader, county))
}

/// The units that the actor may see matters of.
#[must_use]
pub fn own_units(actor: &Actor) -> BTreeSet<&str> {
    let own = actor.grants().iter().filter(|grant| role_may(grant.role, Act::SeeOwn));
    own.map(|grant| grant.unit.as_str()).collect()
}

/// Whether the actor may give commands to an instance at all: it sees everything, or one of its
/// units is `named` in the instance now, or it has one of the `posts` that the workflow's commands
/// are for. A foreign instance is as if it were not there.
#[must_use]
pub fn takes_part<'p>(
    actor: &Actor,
    mut named: impl Iterator<Item = &'p str>,
    posts: impl FnOnce() -> BTreeSet<Grant>,
    county: Option<&str>,
) -> bool {
    let own = own_units(actor);
    sees_all(actor, county) || named.any(|unit| own.contains(unit)) || holds_post(actor, &posts())
}

/// Whether the actor has one of the posts that a workflow's commands are for.
#[must_use]
pub fn holds_post(actor: &Actor, posts: &BTreeSet<Grant>) -> bool {
    actor.grants().iter().any(|grant| posts.contains(grant))
}
