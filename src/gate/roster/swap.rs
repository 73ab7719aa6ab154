//! Two people exchange two shifts.

use super::{
    Book, Caller, Deed, Error, Gate, Named, NewStandIn, begun, keeps_rosters, person_of, refused,
    stood_in,
};
use crate::domain::{PersonId, StandIn};
use crate::roster::Shift;

impl Gate {
    /// Proposes that two shifts are exchanged: by one of the two people, or by who keeps rosters.
    /// Not in force before it is agreed to. Answers both halves. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; a refusal that says why the two cannot be exchanged.
    pub fn propose_swap(
        &self,
        caller: &Caller,
        code: &str,
        (give, take): (Named, Named),
        note: &str,
    ) -> Result<Vec<StandIn>, Error> {
        let (from, until) = (give.at.min(take.at), give.at.max(take.at).plus(1));
        let book = self.roster_book(caller, code, from, until)?;
        let own = person_of(caller).is_some_and(|me| me == give.person || me == take.person);
        if !own && !keeps_rosters(caller) {
            return Err(Error::Forbidden);
        }
        let (given, taken) = (shift_of(&book, give)?, shift_of(&book, take)?);
        if give.person == take.person || given.from < taken.until && taken.from < given.until {
            let (zh, en) =
                ("只能交换两人不重叠的班次", "two people exchange two shifts that do not overlap");
            return Err(refused("wrong_swap", zh, en));
        }
        if given.from <= self.now() || taken.from <= self.now() {
            return Err(begun());
        }
        let half = |shift: &Shift, comes: PersonId| {
            let new = NewStandIn {
                from: shift.from,
                until: shift.until,
                person: Some(comes),
                instead_of: Some(shift.person),
                note: note.to_owned(),
            };
            StandIn { swap: Some(0), ..self.row(caller, code, &new) }
        };
        let mut rows = vec![half(&given, take.person), half(&taken, give.person)];
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        for row in &rows {
            book.roster.check_stand_in(row, &directory)?;
        }
        let deed =
            Deed::of(caller, "swap_proposed", format!("roster:{code}")).with(stood_in(&rows));
        let ids = self.administer(deed, |t, _| t.add_stand_ins(caller.jurisdiction, &rows))?;
        let first = ids.first().copied();
        for (row, id) in rows.iter_mut().zip(ids) {
            (row.id, row.swap) = (id, first);
        }
        Ok(rows)
    }

    /// Agrees to a swap: the other of the two, or who keeps rosters. In force when answered. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; a refusal when it is agreed already, or a shift has begun or is no
    /// longer as it was.
    pub fn agree_swap(&self, caller: &Caller, code: &str, swap: i64) -> Result<(), Error> {
        let halves = self.waiting_swap(caller, code, swap, true)?;
        let from = halves.iter().map(|half| half.from).min().unwrap_or_default();
        let until = halves.iter().map(|half| half.until).max().unwrap_or_default();
        let book = self.roster_book(caller, code, from, until)?;
        for half in &halves {
            if half.from <= self.now() {
                return Err(begun());
            }
            let stands = book.plan().on_duty(half.from).into_iter().any(|shift| {
                (shift.from, shift.until) == (half.from, half.until)
                    && Some(shift.person) == half.instead_of
            });
            if !stands {
                let (zh, en) = (
                    "班次已变动，请重新提出换班",
                    "the shifts are no longer as they were; propose the swap again",
                );
                return Err(refused("swap_outdated", zh, en));
            }
        }
        let deed =
            Deed::of(caller, "swap_agreed", format!("roster:{code}")).with(stood_in(&halves));
        let agreed = self
            .administer_if(deed, |t, now| Ok(t.agree_swap(caller.jurisdiction, swap, now)? > 0))?;
        if agreed { Ok(()) } else { Err(Error::NotFound) }
    }

    /// Declines a swap, or takes one's own proposal back: it is gone. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; a refusal when it is agreed already.
    pub fn decline_swap(&self, caller: &Caller, code: &str, swap: i64) -> Result<(), Error> {
        let halves = self.waiting_swap(caller, code, swap, false)?;
        let one = halves.first().ok_or(Error::NotFound)?;
        let deed =
            Deed::of(caller, "swap_declined", format!("roster:{code}")).with(stood_in(&halves));
        let gone = self
            .administer_if(deed, |t, _| Ok(t.drop_stand_in(caller.jurisdiction, code, one)? > 0))?;
        if gone { Ok(()) } else { Err(Error::NotFound) }
    }

    /// A swap that nobody agreed to yet, for somebody who may answer it.
    fn waiting_swap(
        &self,
        caller: &Caller,
        code: &str,
        swap: i64,
        agrees: bool,
    ) -> Result<Vec<StandIn>, Error> {
        let (one, halves) = self.stand_in(caller, code, |one| one.swap == Some(swap))?;
        let concerned =
            person_of(caller).is_some_and(|me| halves.iter().any(|half| half.person == Some(me)));
        let own = one.made_by == caller.actor.name();
        if !keeps_rosters(caller) && (!concerned || (agrees && own)) {
            return Err(Error::Forbidden);
        }
        if one.in_force() {
            let (zh, en) = ("换班已经同意", "the swap is agreed to already");
            return Err(refused("already_agreed", zh, en));
        }
        Ok(halves)
    }
}

fn shift_of(book: &Book, named: Named) -> Result<Shift, Error> {
    let mut shifts = book.plan().on_duty(named.at).into_iter();
    shifts.find(|shift| shift.person == named.person).ok_or_else(|| {
        let (person, at) = (named.person, named.at.in_zone(book.calendar.zone()));
        refused(
            "wrong_swap",
            format!("编号{person}的人员在{at}没有班"),
            format!("person {person} is not on duty at {at}"),
        )
    })
}
