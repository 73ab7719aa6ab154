//! What must hold in a directory, whichever door it comes in by: the file of a jurisdiction, or an
//! administrator's change.

use std::collections::BTreeSet;

use super::actor::{Role, Term};
use super::catalogue::Categories;
use super::category::{Category, KINDS};
use super::directory::{BODY, CATCH_ALL, Directory, TOWNSHIP, Unit};
use super::person::Person;
use super::reach;
use super::text::Text;

/// The classes that limits are set by; empty means `general`.
const CLASSES: [&str; 5] = ["", "general", "special", "legal", "major_complex"];

/// The longest statutory limit that is believed: three years of working days.
const LEGAL_DAYS_MAX: i64 = 750;

impl Directory {
    /// What is wrong with a unit that is to stand in this directory.
    #[must_use]
    pub fn faults_of_unit(&self, unit: &Unit) -> Vec<Text> {
        let mut faults: Vec<Text> = fault_of_code(&unit.code).into_iter().collect();
        faults.extend(named(&unit.code, &unit.name));
        if unit.kind.trim().is_empty() {
            faults.push(Text::new(
                format!("单位“{}”没有类别（kind）", unit.code),
                format!("the unit `{}` has no kind", unit.code),
            ));
        }
        faults.extend(self.faults_of_successor(unit));
        let Some(parent) = &unit.parent else { return faults };
        if !self.units.contains_key(parent) && *parent != unit.code {
            faults.push(missing(&unit.code, parent));
        } else if self.belongs_to(parent, &unit.code) {
            faults.push(Text::new(
                format!("单位“{}”不能隶属于自己或自己的下属单位“{parent}”", unit.code),
                format!(
                    "the unit `{}` cannot belong to itself, nor to its own `{parent}`",
                    unit.code
                ),
            ));
        }
        faults
    }

    /// That no unit here is of this kind yet: more often a slip than a new kind.
    #[must_use]
    pub fn fault_of_new_kind(&self, kind: &str) -> Option<Text> {
        let mut known: BTreeSet<&str> =
            self.units.values().map(|unit| unit.kind.as_str()).collect();
        known.extend([BODY, TOWNSHIP]);
        let known: Vec<&str> = known.into_iter().collect();
        (!kind.trim().is_empty() && !known.contains(&kind)).then(|| {
            Text::new(
                format!(
                    "本地没有类别（kind）为“{kind}”的单位；已有类别：{}。确需新类别的，请注明new_kind=true",
                    known.join("、")
                ),
                format!(
                    "no unit here is of the kind `{kind}`; kinds are {}. If a new one is meant, say \
                     `new_kind=true`",
                    known.join(", ")
                ),
            )
        })
    }

    /// That matters can be given to a unit in which nobody has a role by which one is woken.
    #[must_use]
    pub fn unserved(&self, unit: &str) -> Option<Text> {
        let found = self.units.get(unit).filter(|unit| unit.active && unit.kind != BODY)?;
        let silent = [Role::Administrator, Role::Editor, Role::Auditor];
        let serves = |person: &Person| {
            let mut grants = person.grants.iter();
            person.active && grants.any(|g| g.unit == unit && !silent.contains(&g.role))
        };
        (!self.people.values().any(serves)).then(|| {
            Text::new(
                format!(
                    "“{}”（{unit}）没有联络员或其他在岗人员：分流到该单位的事项无人收到提醒，请先补录人员",
                    found.name.zh
                ),
                format!(
                    "nobody serves `{unit}` ({}): what is given to it wakes nobody there; add a liaison",
                    found.name.en
                ),
            )
        })
    }

    /// The same of the units to which matters of these categories go first.
    #[must_use]
    pub fn unserved_of<'c>(&self, categories: impl Iterator<Item = &'c Category>) -> Vec<Text> {
        let used = categories.filter(|category| !category.retired && !category.police_kept);
        let first = |category| self.takers(category).first().map(|unit| (*unit).to_owned());
        let units: BTreeSet<String> = used.filter_map(first).collect();
        units.iter().filter_map(|unit| self.unserved(unit)).collect()
    }

    /// What is wrong with who goes on with a unit's work.
    fn faults_of_successor(&self, unit: &Unit) -> Option<Text> {
        let heir = unit.successor.as_ref()?;
        let code = &unit.code;
        if !self.units.contains_key(heir) {
            return Some(missing(code, heir));
        }
        if self.heir(heir) == code {
            return Some(Text::new(
                format!("“{code}”不能是自己的后续单位"),
                format!("the successors of `{code}` lead back to it"),
            ));
        }
        unit.active.then(|| {
            Text::new(
                format!("“{code}”已有后续单位“{heir}”，应停用"),
                format!("`{code}` has the successor `{heir}`: it takes no matters any more"),
            )
        })
    }

    /// Whether `unit` is `other`, or belongs to it over any number of steps.
    fn belongs_to(&self, unit: &str, other: &str) -> bool {
        let mut at = Some(unit);
        for _ in 0..=self.units.len() {
            match at {
                Some(code) if code == other => return true,
                Some(code) => at = self.units.get(code).and_then(|unit| unit.parent.as_deref()),
                None => return false,
            }
        }
        // A circle among others.
        false
    }

    /// What is wrong with a person that is to stand in this directory.
    #[must_use]
    pub fn faults_of_person(&self, person: &Person) -> Vec<Text> {
        let mut faults = Vec::new();
        if person.name.trim().is_empty() {
            faults.push(Text::new("人员没有姓名或岗位名称", "the person has no name"));
        }
        let strange = person.grants.iter().filter(|grant| !self.units.contains_key(&grant.unit));
        faults.extend(strange.map(|grant| missing(&person.name, &grant.unit)));
        let strange = person.terms.iter().filter(|term| !self.units.contains_key(&term.unit));
        faults.extend(strange.map(|term| missing(&person.name, &term.unit)));
        let empty = |term: &&Term| term.from.zip(term.until).is_some_and(|(from, to)| from >= to);
        faults.extend(person.terms.iter().filter(empty).map(|term| {
            let (name, role, unit) = (&person.name, term.role, &term.unit);
            Text::new(
                format!("“{name}”在“{unit}”的“{role}”任期：结束须晚于开始"),
                format!("the term of `{name}` as {role} in `{unit}` must end after it begins"),
            )
        }));
        faults.extend(reach::faults(person));
        faults.extend(joined(person));
        faults
    }

    /// What is wrong with a category that is to stand in this directory, among these.
    #[must_use]
    pub fn faults_of_category(&self, category: &Category, all: &Categories) -> Vec<Text> {
        let mut faults: Vec<Text> = fault_of_code(&category.code).into_iter().collect();
        faults.extend(named(&category.code, &category.name));
        let strange = category.units.iter().filter(|unit| !self.units.contains_key(*unit));
        faults.extend(strange.map(|unit| missing(&category.code, unit)));
        if !CLASSES.contains(&category.matter_class.as_str()) {
            let (code, class) = (&category.code, &category.matter_class);
            let known = CLASSES.iter().skip(1).copied().collect::<Vec<_>>();
            faults.push(Text::new(
                format!("类别“{code}”的事项分级“{class}”应为{}之一", known.join("、")),
                format!(
                    "`matter_class` of `{code}` is `{class}`; it is one of {}",
                    known.join(", ")
                ),
            ));
        }
        let known = self.categories.get(&category.code);
        if known.is_some_and(|known| known.police_kept) && !category.police_kept {
            let code = &category.code;
            faults.push(Text::new(
                format!("类别“{code}”由公安机关处置，不得改为可分流；不再使用的请停用，另设新类别"),
                format!(
                    "`{code}` stays with the police and cannot be made divertible: retire it, and make \
                     another category for what may be diverted"
                ),
            ));
        }
        if !(0..=LEGAL_DAYS_MAX).contains(&category.legal_days) {
            let (code, days) = (&category.code, category.legal_days);
            faults.push(Text::new(
                format!("类别“{code}”的法定时限{days}应为0至{LEGAL_DAYS_MAX}个工作日"),
                format!("`legal_days` of `{code}` is {days}; it is 0 to {LEGAL_DAYS_MAX}"),
            ));
        }
        faults.extend(fault_of_kind(category));
        faults.extend(self.faults_of_territory(category));
        faults.extend(faults_of_questions(category, all));
        faults
    }

    /// Townships are places, and what stands for one can be given matters there.
    fn faults_of_territory(&self, category: &Category) -> Vec<Text> {
        let code = &category.code;
        let mut faults = Vec::new();
        for (township, unit) in &category.territory {
            if self.units.get(township).is_none_or(|one| one.kind != TOWNSHIP) {
                faults.push(Text::new(
                    format!("类别“{code}”属地中的“{township}”不是乡镇街道"),
                    format!("`territory` of `{code}`: `{township}` is no township"),
                ));
            }
            let Some(known) = self.units.get(unit) else {
                faults.push(missing(code, unit));
                continue;
            };
            if !known.active || known.kind == BODY {
                faults.push(Text::new(
                    format!("类别“{code}”属地中的“{unit}”不是在用的联动单位"),
                    format!("`territory` of `{code}`: `{unit}` is no linked unit in use"),
                ));
            }
        }
        faults
    }

    /// Categories of which a call could be routed to nobody: every unit of theirs is gone, and nobody
    /// takes everything else.
    #[must_use]
    pub fn faults_of_landing<'c>(
        &self,
        categories: impl Iterator<Item = &'c Category>,
    ) -> Vec<Text> {
        let stranded = categories.filter(|category| {
            !category.retired && !category.police_kept && self.takers(category).is_empty()
        });
        let fault = |category: &Category| {
            let code = &category.code;
            Text::new(
                format!(
                    "类别“{code}”没有可承办的单位：请指定在用的联动单位，或设置兜底单位（{CATCH_ALL}）"
                ),
                format!(
                    "no unit can be given matters of `{code}`: name a linked unit in use, or a unit for \
                     everything else (the body `{CATCH_ALL}`)"
                ),
            )
        };
        stranded.map(fault).collect()
    }

    /// Whether nobody would be an administrator any more once this person is as given.
    #[must_use]
    pub fn is_last_administrator(&self, changed: &Person) -> bool {
        let administers = |person: &Person| {
            let has = |role: Role| person.grants.iter().any(|grant| grant.role == role);
            person.active && has(Role::Administrator)
        };
        let now = self.people.values().any(administers);
        let others = self.people.values().filter(|person| person.id != changed.id);
        now && !administers(changed) && !others.into_iter().any(administers)
    }
}

/// So many questions at most are asked about one matter, and so long is each.
const QUESTIONS_MAX: usize = 8;
const QUESTION_MAX: usize = 100;

fn fault_of_kind(category: &Category) -> Option<Text> {
    let (code, kind) = (&category.code, &category.kind);
    let known: Vec<&str> = KINDS.iter().map(|(known, _)| *known).collect();
    (!kind.is_empty() && !known.contains(&kind.as_str())).then(|| {
        Text::new(
            format!("类别“{code}”的性质“{kind}”应为{}之一", known.join("、")),
            format!("`kind` of `{code}` is `{kind}`; it is one of {}", known.join(", ")),
        )
    })
}

fn faults_of_questions(category: &Category, all: &Categories) -> Vec<Text> {
    let code = &category.code;
    let mut faults = Vec::new();
    let mut say = |zh: String, en: String| {
        faults.push(Text::new(format!("类别“{code}”的询问：{zh}"), format!("`{code}`: {en}")));
    };
    if category.questions.len() > QUESTIONS_MAX {
        say(format!("最多{QUESTIONS_MAX}个"), format!("at most {QUESTIONS_MAX} questions"));
    }
    let mut codes = BTreeSet::new();
    for question in &category.questions {
        let of = &question.code;
        if fault_of_code(of).is_some() || !codes.insert(of) {
            say(
                format!("代码“{of}”重复或不是代码"),
                format!("the question `{of}` needs a code of its own"),
            );
        }
        let sound = |text: &str| {
            let length = 1..=QUESTION_MAX;
            length.contains(&text.trim().chars().count()) && !text.contains(['|', '\n'])
        };
        if !sound(&question.ask.zh) || !sound(&question.ask.en) {
            say(
                format!("“{of}”须有中英文问题，各不超过{QUESTION_MAX}字，不含“|”和换行"),
                format!(
                    "`{of}` is asked in both languages, in at most {QUESTION_MAX} characters without `|`"
                ),
            );
        }
        for to in [&question.yes, &question.no].into_iter().flatten() {
            if !all.contains_key(to) && to != code {
                say(
                    format!("“{of}”的答复指向不存在的类别“{to}”"),
                    format!("an answer to `{of}` leads to `{to}`, which is no category"),
                );
            }
        }
    }
    faults
}

/// What is wrong with a code.
#[must_use]
pub fn fault_of_code(code: &str) -> Option<Text> {
    let sound = (1..=64).contains(&code.chars().count())
        && code.chars().all(|c| c.is_alphanumeric() || ".-_*".contains(c));
    (!sound).then(|| {
        Text::new(
            format!("代码“{code}”应为1至64个字母、数字或“.”“-”“_”“*”"),
            format!("the code `{code}` must be 1 to 64 letters, digits and `.`, `-`, `_`, `*`"),
        )
    })
}

fn named(code: &str, name: &Text) -> Option<Text> {
    let empty = name.zh.trim().is_empty() || name.en.trim().is_empty();
    empty.then(|| {
        Text::new(
            format!("“{code}”须有中文和英文名称"),
            format!("`{code}` needs a name in both languages"),
        )
    })
}

/// Who audits neither keeps the house nor writes its workflows: else one could do something and hide
/// it.
fn joined(person: &Person) -> Option<Text> {
    let terms = person.terms.iter().map(|term| term.role);
    let roles: Vec<Role> = person.grants.iter().map(|grant| grant.role).chain(terms).collect();
    let apart = [Role::Administrator, Role::Editor, Role::Auditor];
    let held: Vec<&str> =
        apart.into_iter().filter(|role| roles.contains(role)).map(Role::code).collect();
    (held.len() > 1 && held.contains(&Role::Auditor.code())).then(|| {
        let name = &person.name;
        Text::new(
            format!("“{name}”不得同时担任{}：审计须由另外的人员担任", held.join("、")),
            format!("`{name}` may not be {} at once: auditing stands apart", held.join(" and ")),
        )
    })
}

fn missing(whose: &str, unit: &str) -> Text {
    Text::new(
        format!("“{whose}”所指的单位“{unit}”不存在"),
        format!("`{whose}` names the unit `{unit}`, which is not there"),
    )
}
