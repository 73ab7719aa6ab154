//! What is wrong with a roster, or with a stand-in, before it is written.

use super::{Cover, Length, Roster, Rotation, StandIn};
use crate::domain::refusal::Reason;
use crate::domain::{Directory, PersonId, Refusal, Role, Text};

/// So many rotations at most.
const ROTATIONS_MAX: usize = 12;

/// So many people at most in one rotation.
const PEOPLE_MAX: usize = 200;

/// Notes and names have at most so many characters.
const WORDS_MAX: usize = 4_000;

/// Whether somebody is active and has a role in a unit: only then it helps that they are on duty.
#[must_use]
pub fn knows(directory: &Directory, unit: &str, role: Role, person: PersonId) -> bool {
    directory.people.get(&person).is_some_and(|person| {
        person.active && person.grants.iter().any(|g| g.role == role && g.unit == unit)
    })
}

/// Everything that is wrong with a roster.
///
/// # Errors
/// `wrong_roster` with every reason, each saying what to write instead.
pub fn check(roster: &Roster, directory: &Directory) -> Result<(), Refusal> {
    let mut reasons = Vec::new();
    let mut fault = |input: String, zh: String, en: String| {
        let text = Text::new(zh, en);
        reasons.push(Reason { code: "wrong_roster".to_owned(), text, input: Some(input) });
    };
    if !directory.units.contains_key(&roster.unit) {
        let unit = &roster.unit;
        fault("unit".into(), format!("没有单位“{unit}”"), format!("there is no unit `{unit}`"));
    }
    let title = [&roster.title.zh, &roster.title.en];
    if title.iter().any(|words| words.trim().is_empty() || words.chars().count() > WORDS_MAX) {
        let (zh, en) = ("请填写中英文名称", "give the roster a title in Chinese and English");
        fault("title".into(), zh.into(), en.into());
    }
    if roster.rotations.len() > ROTATIONS_MAX {
        fault(
            "rotations".into(),
            format!("轮班最多{ROTATIONS_MAX}组"),
            format!("a roster has at most {ROTATIONS_MAX} rotations"),
        );
    }
    for (number, rotation) in roster.rotations.iter().enumerate() {
        let at = |field: &str| format!("rotations[{number}].{field}");
        for (field, zh, en) in wrong_rotation(rotation) {
            fault(at(field), zh, en);
        }
        for person in &rotation.people {
            if let Some(Text { zh, en }) = unfit(directory, roster, *person) {
                fault(at("people"), zh, en);
            }
        }
    }
    let code = "wrong_roster".to_owned();
    if reasons.is_empty() { Ok(()) } else { Err(Refusal { code, reasons, possible: Vec::new() }) }
}

/// Why somebody cannot be on duty by a roster.
pub(super) fn unfit(directory: &Directory, roster: &Roster, person: PersonId) -> Option<Text> {
    let (unit, role) = (&roster.unit, roster.role);
    let Some(known) = directory.people.get(&person) else {
        let (zh, en) =
            (format!("没有编号为{person}的人员"), format!("there is no person {person}"));
        return Some(Text::new(zh, en));
    };
    if knows(directory, unit, role, person) {
        return None;
    }
    let name = &known.name;
    Some(Text::new(
        format!("{name}没有“{unit}”的“{role}”角色或已停用；请先在名录中授予该角色"),
        format!("{name} has not the role `{role}` in `{unit}`, or is inactive; grant it first"),
    ))
}

fn wrong_rotation(rotation: &Rotation) -> Vec<(&'static str, String, String)> {
    let mut faults = Vec::new();
    let mut fault = |field, zh: &str, en: &str| faults.push((field, zh.to_owned(), en.to_owned()));
    let count = rotation.people.len();
    if !(1..=PEOPLE_MAX).contains(&count) {
        fault("people", "每组轮班须有1至200人", "a rotation has 1 to 200 people");
    }
    if rotation.name.zh.trim().is_empty() || rotation.name.en.trim().is_empty() {
        fault("name", "请填写中英文名称", "give the rotation a name in Chinese and English");
    }
    let first = rotation.first;
    if first.second() != 0 || first.subsec_nanosecond() != 0 {
        fault("first", "首次交接须为整分钟", "the first handover is at a whole minute");
    }
    if !(2000..=2180).contains(&first.year()) {
        fault("first", "首次交接须在2000年至2180年之间", "the first handover is in 2000 to 2180");
    }
    if rotation.until.is_some_and(|until| until <= first) {
        fault("until", "结束须晚于首次交接", "the end is later than the first handover");
    }
    let minutes = i64::from(first.hour()) * 60 + i64::from(first.minute());
    if let Some(hours) = rotation.hours
        && hours.from != minutes
    {
        fault(
            "hours",
            "首次交接的时刻须等于时段的开始",
            "the time of the first handover must be the beginning of `hours`",
        );
    }
    let whole = rotation.hours.map_or(24 * 60, |hours| hours.minutes);
    let masked = rotation.hours.is_some() || rotation.days != Cover::EveryDay;
    if let Length::Hours(length) = rotation.shift
        && masked
        && length * 60 > whole + 59
    {
        fault(
            "shift",
            "限定日期或时段时，按小时的班次不得长于该时段；请改用天（如1d）",
            "with `days` or `hours`, a shift in hours is not longer than the part of the day \
             covered; use days, such as 1d",
        );
    }
    faults
}

impl Roster {
    /// Whether somebody takes part: is in a rotation, or comes by one of some stand-ins.
    #[must_use]
    pub fn has(&self, person: PersonId, stand_ins: &[StandIn]) -> bool {
        let rotations = self.rotations.iter();
        rotations.flat_map(|rotation| &rotation.people).any(|one| *one == person)
            || stand_ins.iter().any(|one| one.in_force() && one.person == Some(person))
    }

    /// Why a stand-in cannot be written.
    ///
    /// # Errors
    /// `wrong_stand_in` with every reason.
    pub fn check_stand_in(&self, new: &StandIn, directory: &Directory) -> Result<(), Refusal> {
        let mut reasons: Vec<(&str, Text)> = Vec::new();
        let mut fault = |input, zh: &str, en: &str| reasons.push((input, Text::new(zh, en)));
        if new.until <= new.from {
            fault("until", "结束须晚于开始", "`until` must be later than `from`");
        }
        if new.until.since(new.from) > LONGEST {
            fault("until", "最长366天", "a stand-in lasts at most 366 days");
        }
        if new.person.is_none() && new.instead_of.is_none() {
            fault(
                "person",
                "请填写谁来（person）、替谁（instead_of），或两者",
                "say who comes (`person`), who goes (`instead_of`), or both",
            );
        }
        if new.person.is_some() && new.person == new.instead_of {
            fault("person", "不能自己替自己", "nobody stands in for themselves");
        }
        if new.note.chars().count() > WORDS_MAX {
            fault("note", "备注过长", "the note has at most 4000 characters");
        }
        if let Some(person) = new.person {
            reasons.extend(unfit(directory, self, person).map(|text| ("person", text)));
        }
        if let Some(gone) = new.instead_of.filter(|gone| !directory.people.contains_key(gone)) {
            let (zh, en) =
                (format!("没有编号为{gone}的人员"), format!("there is no person {gone}"));
            reasons.push(("instead_of", Text::new(zh, en)));
        }
        if reasons.is_empty() {
            return Ok(());
        }
        let code = "wrong_stand_in";
        let reasons = reasons.into_iter().map(|(input, text)| Reason {
            code: code.to_owned(),
            text,
            input: Some(input.to_owned()),
        });
        let (code, reasons) = (code.to_owned(), reasons.collect());
        Err(Refusal { code, reasons, possible: Vec::new() })
    }
}

/// A stand-in lasts at most so long (ms).
const LONGEST: i64 = 366 * 24 * 3_600_000;
