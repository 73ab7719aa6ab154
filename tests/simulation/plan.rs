//! What a seed's world is like.

use super::dice::Dice;

/// How bad a seed's world is: drawn once, so that some seeds have only one kind of fault.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) days: i64,
    pub(super) matters: i64,
    pub(super) crash: i64,
    pub(super) pause: i64,
    pub(super) busy: i64,
    pub(super) refuses: i64,
    pub(super) unknown: i64,
    pub(super) lease: i64,
    pub(super) claims: usize,
    pub(super) poll: i64,
}

impl Plan {
    /// The world of a seed.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        Self {
            days: dice.between(7, 28),
            matters: dice.between(4, 9),
            crash: dice.one_of(&[0, 1, 3]),
            pause: dice.one_of(&[0, 1, 4]),
            busy: dice.one_of(&[0, 2, 15]),
            refuses: dice.one_of(&[0, 5, 20]),
            unknown: dice.one_of(&[0, 5, 20]),
            lease: dice.between(20, 120) * 1000,
            claims: usize::try_from(dice.one_of(&[1, 4, 16])).unwrap_or(1),
            poll: dice.one_of(&[1000, 5000, 30_000]),
        }
    }

    /// The faults stop.
    pub(super) fn calm(&mut self) {
        (self.crash, self.pause, self.busy, self.refuses, self.unknown) = (0, 0, 0, 0, 0);
        self.matters = 0;
    }
}
