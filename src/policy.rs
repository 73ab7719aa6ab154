//! Who may do and see what: one table, role by act by relation to the thing. Every door asks it: the
//! API, the links in messages, replies by SMS, webhooks, the stream of changes. A workflow's own `by`
//! narrows it, never widens it.

mod factor;
mod table;

use std::collections::BTreeSet;

use crate::domain::{Actor, Grant, Role};

pub use factor::{needs_second_factor, without_second_factor};
pub use table::{ACTS, Act, COLUMNS, Column, RELATIONS, Reach, Relation, reach};

/// The columns that a grant stands for: that of its role, and for a leader of the county government
/// (`county` is the unit that plays it) that of a county leader besides.
fn columns(grant: &Grant, county: Option<&str>) -> impl Iterator<Item = Column> {
    let leads = grant.role == Role::Leader && county == Some(grant.unit.as_str());
    [Some(Column::Role(grant.role)), leads.then_some(Column::CountyLeader)].into_iter().flatten()
}

/// Whether what the actor asks by leaves it this act: a token may be narrowed to some. How a person is
/// reached concerns all its units: a token for some of them keeps that only if it is named.
fn leaves(actor: &Actor, act: Act) -> bool {
    let Some(scope) = actor.via().map(|via| &via.scope) else { return true };
    if scope.acts.is_empty() {
        return scope.units.is_empty() || act != Act::KeepContacts;
    }
    scope.acts.iter().any(|code| code == act.code())
}

/// The grants of the actor that may count for an act: none where its token is not for that.
fn grants(actor: &Actor, act: Act) -> &[Grant] {
    if leaves(actor, act) { actor.grants() } else { &[] }
}

/// Whether one of the actor's grants allows an act on a thing to which it stands in this relation,
/// wherever that thing is. `county` is the unit that plays the county government.
#[must_use]
pub fn may_at(actor: &Actor, act: Act, relation: Relation, county: Option<&str>) -> bool {
    match actor {
        Actor::Person { .. } => grants(actor, act).iter().any(|grant| {
            columns(grant, county).any(|column| reach(column, act).includes(relation))
        }),
        Actor::Clock | Actor::Relative { .. } => false,
        Actor::System => true,
    }
}

/// Whether one of the actor's roles allows an act on anything in the jurisdiction.
#[must_use]
pub fn may(actor: &Actor, act: Act) -> bool {
    may_at(actor, act, Relation::Other, None)
}

/// Whether there is any thing at all on which the actor may do this: what a door asks before it knows
/// which thing is meant.
#[must_use]
pub fn may_somewhere(actor: &Actor, act: Act, county: Option<&str>) -> bool {
    match actor {
        Actor::Person { .. } => grants(actor, act)
            .iter()
            .any(|grant| columns(grant, county).any(|column| !reach(column, act).is_nothing())),
        Actor::Clock | Actor::Relative { .. } => false,
        Actor::System => true,
    }
}

/// The units through which the actor may do this to things that stand in this relation to them.
#[must_use]
pub fn units(actor: &Actor, act: Act, relation: Relation) -> BTreeSet<&str> {
    let grants = grants(actor, act).iter();
    let fits = |grant: &&Grant| reach(Column::Role(grant.role), act).includes(relation);
    grants.filter(fits).map(|grant| grant.unit.as_str()).collect()
}

/// The grants that allow an act on anything in the jurisdiction.
#[must_use]
pub fn grants_for(actor: &Actor, act: Act, county: Option<&str>) -> Vec<Grant> {
    let allows = |grant: &&Grant| {
        columns(grant, county).any(|column| reach(column, act).includes(Relation::Other))
    };
    grants(actor, act).iter().filter(allows).cloned().collect()
}

/// Whether the actor sees every instance: by a role, or as a leader of the county government.
#[must_use]
pub fn sees_all(actor: &Actor, county: Option<&str>) -> bool {
    may_at(actor, Act::SeeMatter, Relation::Other, county)
}

/// Whether the actor sees how somebody with these grants is reached: whoever sees every matter or keeps
/// the directory does, and who is of one of the same units.
#[must_use]
pub fn sees_addresses(actor: &Actor, of: &[Grant], county: Option<&str>) -> bool {
    let near = |own: &Grant| of.iter().any(|grant| grant.unit == own.unit);
    sees_all(actor, county)
        || may(actor, Act::WriteDirectory)
        || grants(actor, Act::ReadDirectory).iter().any(near)
}

/// Whether the actor may give commands to an instance at all: to every one, or because one of its
/// units is `named` in the instance now, or by one of the `posts` that the workflow's commands are
/// for. A foreign instance is as if it were not there.
#[must_use]
pub fn takes_part<'p>(
    actor: &Actor,
    mut named: impl Iterator<Item = &'p str>,
    posts: impl FnOnce() -> BTreeSet<Grant>,
    county: Option<&str>,
) -> bool {
    if may_at(actor, Act::Command, Relation::Other, county) {
        return true;
    }
    let own = units(actor, Act::Command, Relation::Named);
    named.any(|unit| own.contains(unit)) || holds_post(actor, Act::Command, &posts())
}

/// Whether the actor has one of the posts that a workflow's commands are for, in a role to which that
/// gives the act.
#[must_use]
pub fn holds_post(actor: &Actor, act: Act, posts: &BTreeSet<Grant>) -> bool {
    let mut grants = grants(actor, act).iter();
    grants.any(|grant| {
        reach(Column::Role(grant.role), act).includes(Relation::Post) && posts.contains(grant)
    })
}

#[cfg(test)]
mod tests;
