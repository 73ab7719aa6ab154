//! The grammar of danger: in which manner a sign is told, by the words around it. What takes a sign back
//! must stand near it, as a word of its own, and speak of it; else only a question settles it.

use super::normal::{PAUSE, Wording};

/// In which manner a sign is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manner {
    /// With a word for "now", "still", "help".
    Now,
    /// Just told.
    Told,
    /// Told, and over by what follows: put out, nobody hurt, in hospital.
    Over,
    /// With a word for another time.
    Past,
    /// Feared, possible, almost.
    Feared,
    /// Denied.
    Denied,
}

impl Manner {
    /// Its name, in features and reasons.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Told => "told",
            Self::Over => "over",
            Self::Past => "past",
            Self::Feared => "feared",
            Self::Denied => "denied",
        }
    }

    /// Whether it happened at some time: now, before, or until it was over.
    #[must_use]
    pub fn is_done(self) -> bool {
        !matches!(self, Self::Feared | Self::Denied)
    }

    /// Whether it counts as happening.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Now | Self::Told)
    }
}

/// What a word of the grammar does to the signs around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing: a word in which the character of another mark means something else (未婚, 会计).
    Compound,
    Negation,
    Doubt,
    /// "Afterwards": of the future where it begins what is said or stands after a word of fear; else it
    /// only tells what came after what.
    Later,
    Perhaps,
    Turn,
    Past,
    After,
    /// It did no harm, or help is there: said of anything …
    Contained,
    /// … or of the signs of this group only.
    ContainedOf(usize),
    /// It is over: put out, shut off; said of the signs of this group only.
    EndedOf(usize),
    /// Before "over": not yet, or only wished.
    Unfinished,
    /// "Over" that is not yet, or only wished.
    Undone,
    /// Before "over": it is said of somebody else.
    Others,
    Present,
    Drill,
    Beast,
}

impl Mark {
    /// Whether it says that something is over.
    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::Contained | Self::ContainedOf(_) | Self::EndedOf(_))
    }

    /// Whether it says so of the signs of a group.
    fn ends(self, of: usize) -> bool {
        match self {
            Self::Contained => true,
            Self::ContainedOf(group) | Self::EndedOf(group) => group == of,
            _ => false,
        }
    }

    /// Whether the characters in it are no other marks, though they begin one: 出没伤人, 差点没打死.
    pub(super) fn takes_in(self) -> bool {
        matches!(self, Self::Compound | Self::Doubt)
    }
}

/// Where a mark stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) mark: Mark,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// How much a sign says by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heft {
    /// Its group.
    pub(super) group: usize,
    /// Its word hardly means anything else.
    pub(super) plain: bool,
    /// From 1 to 3.
    pub(super) weight: u8,
    /// It is done by somebody who means it.
    pub(super) willed: bool,
    /// It has reached somebody: nothing ends that but word of who was reached.
    pub(super) reached: bool,
}

/// How far before a sign its "no" may stand, in characters between them.
const REACH: usize = 3;
/// The same of a "no" of one character: 不满砍人 denies nothing.
const SHORT_REACH: usize = 1;
/// How far before a sign a word of fear may stand; one of one character must stand nearer.
const FEAR: usize = 10;
const SHORT_FEAR: usize = 6;
/// How far before "over" its "not yet" may stand.
const UNFINISHED: usize = 3;
/// In how many clauses after that of a sign it may be said to be over.
const CLAUSES: usize = 4;
/// The heaviest signs.
const HEAVIEST: u8 = 3;

/// A text with the words of grammar in it.
#[derive(Debug)]
pub(super) struct Marks<'t> {
    text: &'t [char],
    /// The pauses that ask.
    asking: &'t [usize],
    fillers: &'t [char],
    places: Vec<Place>,
}

impl<'t> Marks<'t> {
    /// The marks of a text, in order. "Over" that is not yet, only wished or asked, or said of others, is
    /// none.
    pub(super) fn new(wording: &'t Wording, fillers: &'t [char], places: Vec<Place>) -> Self {
        let Wording { text, asking } = wording;
        let mut marks = Self { text, asking, fillers, places };
        let spoken: Vec<Place> = marks.places.clone();
        let undone = |place: &Place| place.mark.is_over() && marks.is_undone(place, &spoken);
        let undone: Vec<bool> = spoken.iter().map(undone).collect();
        for (place, undone) in marks.places.iter_mut().zip(undone) {
            if undone {
                place.mark = Mark::Undone;
            }
        }
        marks
    }

    fn is_undone(&self, over: &Place, spoken: &[Place]) -> bool {
        let (clause, clause_end) = self.clause(over.start, over.end);
        let next = self.text.get(over.end);
        let asked = next.is_some_and(|next| ['不', '没', '吗'].contains(next));
        // 灭了？ and 灭了吧？, but not 灭了能不能来看？: there it is said, and something else asked.
        let rest = self.between(over.end, clause_end);
        let all_asked = self.asking.contains(&clause_end) && rest.iter().all(is_particle);
        // 现在还没动手: the "no" is part of the word.
        let before = over.start.checked_sub(1).and_then(|at| self.text.get(at));
        let first = self.text.get(over.start);
        let not_yet = matches!((before, first), (Some('还' | '尚'), Some('没' | '未')));
        asked
            || not_yet
            || all_asked
            || spoken.iter().any(|place| {
                let before = clause <= place.start && place.end <= over.start;
                let far = over.start.saturating_sub(place.end);
                match place.mark {
                    Mark::Unfinished => before && far <= UNFINISHED,
                    Mark::Others => before,
                    _ => false,
                }
            })
    }

    /// Each mark with its word.
    pub(super) fn said(&self) -> impl Iterator<Item = (Mark, String)> + '_ {
        let word = |place: &Place| self.between(place.start, place.end).iter().collect();
        // What ends several groups is said once.
        let repeated = |at: usize, place: &Place| {
            let before = at.checked_sub(1).and_then(|at| self.places.get(at));
            before.is_some_and(|one| {
                one.start == place.start && one.mark.is_over() && place.mark.is_over()
            })
        };
        let places = self.places.iter().enumerate();
        let once = places.filter(move |(at, place)| !repeated(*at, place));
        once.map(move |(_, place)| (place.mark, word(place)))
    }

    /// Whether a word for "over" covers a sign of a group.
    pub(super) fn over_covers(&self, group: usize, start: usize, end: usize) -> bool {
        self.places.iter().any(|one| one.mark.ends(group) && one.start <= start && end <= one.end)
    }

    fn between(&self, start: usize, end: usize) -> &[char] {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The marks of a kind that lie between two characters.
    fn of(&self, mark: Mark, from: usize, to: usize) -> impl DoubleEndedIterator<Item = &Place> {
        let wanted = move |one: &&Place| one.mark == mark && from <= one.start && one.end <= to;
        self.places.iter().filter(wanted)
    }

    fn has(&self, mark: Mark, from: usize, to: usize) -> bool {
        self.of(mark, from, to).next().is_some()
    }

    /// Whether anything is said to be over.
    fn is_over(&self, from: usize, to: usize) -> bool {
        self.places.iter().any(|one| one.mark.is_over() && from <= one.start && one.end <= to)
    }

    /// Whether the signs of a group are said to be over.
    fn ends(&self, group: usize, from: usize, to: usize) -> bool {
        self.places.iter().any(|one| one.mark.ends(group) && from <= one.start && one.end <= to)
    }

    /// The word of fear that stands nearest before a sign.
    fn fear(&self, clause_start: usize, start: usize) -> Option<&Place> {
        let plain = self.of(Mark::Doubt, clause_start, start).next_back();
        // 怕以后漏气, but 摔倒以后没意识.
        let begins = |later: &&Place| {
            self.between(clause_start, later.start).iter().all(|one| *one == PAUSE)
                || self.has(Mark::Doubt, clause_start, later.start)
        };
        let later = self.of(Mark::Later, clause_start, start).rfind(begins);
        plain.into_iter().chain(later).max_by_key(|one| one.start)
    }

    /// Where the clause of a piece of text begins and ends.
    fn clause(&self, start: usize, end: usize) -> (usize, usize) {
        let before = self.between(0, start).iter().rposition(|one| *one == PAUSE);
        let after = self.text.iter().skip(end).position(|one| *one == PAUSE);
        (before.unwrap_or(0), after.map_or(self.text.len(), |at| end + at))
    }

    /// How many characters follow a sign in its clause.
    pub(super) fn tail(&self, start: usize, end: usize) -> usize {
        self.clause(start, end).1.saturating_sub(end)
    }

    /// Where what may be said of a sign that ends at `end` ends itself.
    fn heard_until(&self, end: usize) -> usize {
        let pauses = self.text.iter().enumerate().skip(end).filter(|(_, one)| **one == PAUSE);
        pauses.map(|(at, _)| at).nth(CLAUSES).unwrap_or(self.text.len())
    }

    /// In which manner the sign between `start` and `end` is told, and whether that leaves a doubt.
    pub(super) fn manner(&self, start: usize, end: usize, heft: Heft) -> (Manner, bool) {
        let (clause_start, clause_end) = self.clause(start, end);
        // 昨天着火扑灭了，今天又冒烟: what was said before 今天 or 又 says nothing of what comes after.
        let turns = self.of(Mark::Turn, 0, start);
        let turned = turns.map(|turn| turn.start).max().unwrap_or(0);
        // 没砸到人: "not hit" reaches into the sign.
        let into =
            |over: &&Place| over.mark.ends(heft.group) && over.start < start && start < over.end;
        // 没着火？你来看: a denial that is only asked back denies nothing.
        let asked = self.asking.contains(&clause_end);
        let echoed = asked && self.between(end, clause_end).iter().all(is_particle);
        if let Some(over) = self.places.iter().find(into) {
            let doubly = self.has(Mark::Negation, over.start.saturating_sub(3), over.start);
            return (Manner::Denied, echoed || heft.plain && (asked || doubly));
        }
        if let Some(plainly) = self.denied(clause_start, (start, end), clause_end) {
            return (Manner::Denied, echoed || heft.plain && !plainly);
        }
        // How near a word of fear stands; one of one character may be part of a name.
        let fear = self
            .fear(clause_start, start)
            .map(|doubt| (start - doubt.end, doubt.end - doubt.start > 1));
        // 要是再不来就没气了: what is cried out after the fear is no fear.
        let cried = |gap: usize| self.has(Mark::Present, start - gap, start);
        let fear = fear.filter(|(gap, _)| !cried(*gap));
        let feared = fear.is_some_and(|(gap, word)| gap <= if word { FEAR } else { SHORT_FEAR });
        let loosely = fear.is_some_and(|(gap, word)| gap > if word { 4 } else { 2 });
        let perhaps = self.has(Mark::Perhaps, clause_start, start);
        let told_before = self.of(Mark::Past, turned, start).any(|past| self.dates(past, start));
        let past = told_before || self.has(Mark::Past, end, clause_end);
        if feared || perhaps {
            let now = perhaps && !feared && !past;
            // 会不会死啊没呼吸了: the gravest told as done.
            let done = self.between(end.saturating_sub(1), end + 2).contains(&'了');
            let open = heft.willed || loosely || heft.weight >= HEAVIEST && done;
            return (Manner::Feared, now || heft.plain && open);
        }
        let again = self.has(Mark::Past, 0, turned) || self.is_over(0, turned);
        if self.has(Mark::Present, clause_start, clause_end) {
            return (Manner::Now, again);
        }
        let until = self.heard_until(end);
        let once = self.has(Mark::After, end, (end + 2).min(clause_end));
        if once || past {
            let mut here = self.of(Mark::Past, clause_start.max(turned), start);
            let dated = once || here.any(|past| self.dates(past, start));
            // 昨天跳河了，人还没找到: the heaviest lasts until it is said to be over.
            let lasts = heft.weight >= HEAVIEST && !once && !self.ends(heft.group, end, until);
            return (Manner::Past, heft.plain && (!dated || lasts));
        }
        let before = clause_start.max(turned);
        let ends = |from, to| self.ends(heft.group, from, to);
        if (ends(end, until) || ends(before, start)) && !self.has(Mark::Undone, end, until) {
            let ended = self.has(Mark::EndedOf(heft.group), end, until);
            let lasting = heft.weight >= HEAVIEST || heft.reached;
            return (Manner::Over, heft.plain && (lasting || !ended));
        }
        (Manner::Told, again)
    }

    /// Whether a sign is denied, and then whether plainly: right before it, once, and not as a question.
    fn denied(
        &self,
        clause_start: usize,
        (start, end): (usize, usize),
        clause_end: usize,
    ) -> Option<bool> {
        let nearest = self.of(Mark::Negation, clause_start, start).next_back()?;
        let gap = self.between(nearest.end, start);
        let reach = if nearest.end - nearest.start > 1 { REACH } else { SHORT_REACH };
        // 不是打架是砍人: what comes after 是 is affirmed, and so is what is denied twice (不是没伤人).
        let affirmed = |one: &char| ['是', '没', '不', '无'].contains(one);
        // 不是昏迷就是死了: one of the two is so.
        let either = self.between(nearest.start, nearest.end) == ['不', '是'];
        let or = |from, to| self.between(from, to).windows(2).any(|two| two == ['就', '是']);
        if gap.len() > reach || gap.iter().any(affirmed) || either && or(end, clause_end) {
            return None;
        }
        let either = either && or(clause_end, clause_end + 3);
        let again = self.has(Mark::Negation, nearest.start.saturating_sub(3), nearest.start);
        let last = clause_end.checked_sub(1).and_then(|at| self.text.get(at));
        let asked = last.is_some_and(|one| ['吗', '嘛', '么', '没'].contains(one))
            || self.asking.contains(&clause_end);
        Some(gap.iter().all(|one| self.fillers.contains(one)) && !again && !asked && !either)
    }

    /// Whether a word for another time dates what follows: 去年修的房子塌了 dates the building only.
    fn dates(&self, past: &Place, start: usize) -> bool {
        let gap = self.between(past.end, start);
        let of = gap.iter().position(|one| *one == '的');
        let of_a_thing =
            |at: usize| (1..=4).contains(&at) && gap.get(at - 1).is_some_and(|one| *one != '生');
        !of.is_some_and(of_a_thing)
    }
}

/// Whether a character at the end of a question only gives it its tone.
fn is_particle(character: &char) -> bool {
    ['了', '吧', '啊', '呢', '嘛', '哦', '哇', '呀'].contains(character)
}
