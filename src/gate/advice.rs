//! What the router says to a call, and the guard on every one that is registered or attached.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::error::Error;
use super::learned::Adviser;
use super::{Caller, Gate, Request, Typed};
use crate::chart::CommandSpec;
use crate::chart::routed::{
    ANSWERS, CATEGORY, GUARD, KEPT_CATEGORY, PHONE, PLACE, SAID, SOURCE, SUGGESTION,
};
use crate::domain::{Directory, InstanceId, Instant, JurisdictionId, Refusal, Text};
use crate::policy::Act;
use crate::routing::suggestion::{Candidate, Reason};
use crate::routing::{Circumstances, LateAnswer, Router, Suggestion, Traits, Verdict};
use crate::store::TraceRow;

/// No call is longer, in characters; as much as the field of the workflow takes.
const TEXT_MAX: usize = 4000;

/// What stands with a call that came while no router was trained …
const UNREAD: (&str, &str) =
    ("分流模型尚未就绪，未作建议", "No router is trained yet: nothing is suggested");

/// … and what is to be asked about it.
const ASKED: (&str, &str) = (
    "现在是否有人受伤、被困、失踪或受到威胁，或涉及违法犯罪？",
    "Is anybody hurt, trapped, missing or threatened now, or is an offence concerned?",
);

/// What was read of a call before it is decided: reading takes longer than deciding.
#[derive(Debug)]
pub(super) struct Heard {
    /// What was made of it; none while nobody can read.
    advice: Option<Advice>,
    /// What the text is recognised by.
    traits: String,
    /// A keyed digest of the number.
    phone: Option<String>,
}

/// What was made of a call.
#[derive(Debug)]
struct Advice {
    /// The guard's verdict.
    guard: &'static str,
    /// The suggestion in words.
    suggestion: String,
    /// Under which category the police would have it.
    kept_category: Option<String>,
}

impl Gate {
    /// Takes a trained router into use for the calls of a jurisdiction, instead of the one before.
    pub fn use_router(&self, whose: JurisdictionId, router: Arc<Router>) {
        let mut routers = self.inner.routers.write().unwrap_or_else(PoisonError::into_inner);
        routers.insert(whose, router);
    }

    /// There will be a router: until then the guard asks about every call.
    pub fn await_router(&self) {
        self.inner.router_awaited.store(true, Ordering::Relaxed);
    }

    /// The router in use for the calls of a jurisdiction.
    pub(super) fn router(&self, whose: JurisdictionId) -> Option<Arc<Router>> {
        let routers = self.inner.routers.read().unwrap_or_else(PoisonError::into_inner);
        routers.get(&whose).cloned()
    }

    /// What is suggested for a call as far as it is typed, and what it is recognised by: by nothing, as long
    /// as no router is trained that could read it.
    ///
    /// # Errors
    /// That the caller may not ask, that the text is too long, that there is no such category, and never
    /// was such a question.
    pub fn suggest(&self, caller: &Caller, typed: &Typed) -> Result<(Suggestion, Traits), Error> {
        self.permit(caller, Act::ReadDirectory)?;
        if typed.text.chars().count() > TEXT_MAX {
            let en = format!("`text` is longer than {TEXT_MAX} characters");
            return Err(Error::invalid(format!("警情内容（text）超过{TEXT_MAX}字，请概括"), en));
        }
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        let mut of_call = typed.circumstances.clone();
        if let Some(code) = &of_call.category
            && !directory.categories.contains_key(code)
        {
            let en = format!("`category`: there is no `{code}`");
            return Err(Error::invalid(format!("没有类别“{code}”（category）"), en));
        }
        let late = self.late_answers(&directory, &mut of_call, false)?;
        match self.router(caller.jurisdiction) {
            Some(router) => {
                self.advice(&router, caller.jurisdiction, (&typed.text, &of_call, &late))
            }
            None => Ok((unread(&directory, &of_call, &late), Traits::default())),
        }
    }

    /// What the router says of a text after the catalogue and the precedents, and what the text is
    /// recognised by.
    fn advice(
        &self,
        router: &Router,
        whose: JurisdictionId,
        (text, of_call, late): (&str, &Circumstances, &[LateAnswer]),
    ) -> Result<(Suggestion, Traits), Error> {
        let now = self.now();
        self.inner.registry.turn(now);
        let directory = self.inner.registry.directory(whose)?;
        let precedents = self.inner.registry.precedents(whose);
        let least = self.routing_rules().precedent;
        let adviser = Adviser { directory, precedents, least, now };
        Ok(adviser.advise(router, text, (of_call, late)))
    }

    /// Reads what a request says of a call, if it says anything.
    ///
    /// # Errors
    /// A refusal for answers to questions that nobody asks.
    pub(super) fn listen(&self, request: &Request) -> Result<Option<Heard>, Error> {
        let text = |name: &str| request.input.get(name).and_then(|value| value.as_str());
        let (said, phone) = (text(SAID), text(PHONE));
        if said.is_none() && phone.is_none() {
            return Ok(None);
        }
        let whose = request.caller.jurisdiction;
        let mut of_call = Circumstances {
            place: text(PLACE).unwrap_or_default().to_owned(),
            category: text(CATEGORY).map(str::to_owned),
            ..Circumstances::default()
        };
        let mut late = Vec::new();
        if let Some(answers) = text(ANSWERS) {
            // What a machine asked by itself is nobody's slip here: its call lands all the same.
            let machine = text(SOURCE).is_some();
            of_call.answers = match Circumstances::answers_of(answers) {
                Err(_part) if machine => BTreeMap::new(),
                read => read.map_err(|part| unasked(&part, &[]))?,
            };
            let directory = self.inner.registry.directory(whose)?;
            late = self.late_answers(&directory, &mut of_call, machine)?;
        }
        let notes = || {
            let notes = late.iter().map(|answer| answer.note());
            notes.map(|note| format!("\n{}\n{}", note.zh, note.en)).collect::<String>()
        };
        let read = said.and_then(|said| Some((self.router(whose)?, said)));
        let (advice, traits) = match read {
            None if said.is_some() && self.inner.router_awaited.load(Ordering::Relaxed) => {
                let ((zh, en), (ask_zh, ask_en)) = (UNREAD, ASKED);
                let both = format!("{zh}；询问：{ask_zh}\n{en}; to be asked: {ask_en}");
                let suggestion = format!("{both}{}", notes());
                (Some(Advice { guard: "ask", suggestion, kept_category: None }), String::new())
            }
            None if late.is_empty() => (None, String::new()),
            None => {
                let suggestion = notes().trim_start().to_owned();
                (Some(Advice { guard: "unread", suggestion, kept_category: None }), String::new())
            }
            Some((router, said)) => {
                let (suggestion, traits) = self.advice(&router, whose, (said, &of_call, &late))?;
                let directory = self.inner.registry.directory(whose)?;
                let advice = Advice {
                    guard: suggestion.verdict.as_str(),
                    suggestion: noted(&directory, &suggestion),
                    kept_category: suggestion.kept_category,
                };
                (Some(advice), traits.encode())
            }
        };
        let phone = phone.and_then(|phone| self.phone_digest(phone));
        Ok(Some(Heard { advice, traits, phone }))
    }

    /// Takes out of a call the answers to questions that the catalogue asks no longer, which the desk may
    /// have had before it a moment ago. Questions are those of the category that was chosen, else of any.
    ///
    /// # Errors
    /// A refusal for an answer to what was never asked, unless `lenient`: then it is dropped.
    fn late_answers(
        &self,
        directory: &Directory,
        of_call: &mut Circumstances,
        lenient: bool,
    ) -> Result<Vec<LateAnswer>, Error> {
        let category = of_call.category.as_deref();
        let category = category.filter(|code| directory.categories.contains_key(*code));
        let all = directory.categories.values();
        let asking = all.filter(|one| category.is_none_or(|code| code == one.code));
        let questions = asking.flat_map(|category| &category.questions);
        let known: Vec<&str> = questions.map(|question| question.code.as_str()).collect();
        let (mut asked, mut late) = (BTreeMap::new(), Vec::new());
        for (code, yes) in &of_call.answers {
            if known.contains(&code.as_str()) {
                asked.insert(code.clone(), *yes);
                continue;
            }
            let once = self.inner.registry.ever_asked(directory.jurisdiction, (category, code));
            match once {
                Some(question) => late.push(LateAnswer { question, yes: *yes }),
                None if lenient => {}
                None => return Err(unasked(code, &known)),
            }
        }
        of_call.answers = asked;
        Ok(late)
    }
}

/// What is said to a call that nobody can read: nobody is named for it, and the dispatcher asks. Only the
/// category that the desk chose is known; one that the police keep keeps the call.
fn unread(directory: &Directory, of_call: &Circumstances, late: &[LateAnswer]) -> Suggestion {
    let chosen = of_call.category.as_deref().and_then(|code| directory.categories.get(code));
    let chosen = chosen.filter(|category| !category.retired);
    let kept = chosen.filter(|category| category.police_kept).map(|one| one.code.clone());
    let categories = chosen.map(|one| Candidate { code: one.code.clone(), per_mille: 0 });
    let why = Reason { kind: "unread".to_owned(), text: Text::new(UNREAD.0, UNREAD.1) };
    let mut said = Suggestion {
        verdict: if kept.is_some() { Verdict::Keep } else { Verdict::Ask },
        emergency: false,
        kept_per_mille: if kept.is_some() { 1000 } else { 0 },
        confidence_per_mille: 0,
        units: Vec::new(),
        sub_unit: None,
        categories: categories.into_iter().collect(),
        question: kept.is_none().then(|| Text::new(ASKED.0, ASKED.1)),
        kept_category: kept,
        questions: Vec::new(),
        police_first: false,
        joint_units: Vec::new(),
        reasons: vec![why],
        model: String::new(),
    };
    said.note_late(directory, late);
    said
}

fn unasked(part: &str, known: &[&str]) -> Error {
    let (zh, en) = (known.join("、"), known.join(", "));
    let (zh, en) =
        if known.is_empty() { ("（无）", "none") } else { (zh.as_str(), en.as_str()) };
    let text = Text::new(
        format!("“{part}”不是该类别询问的答复；请写作：询问代码=yes或no，询问代码：{zh}"),
        format!(
            "`{part}` answers no question of the category: write code=yes or code=no; codes: {en}"
        ),
    );
    Refusal::new("wrong_input", text).naming(ANSWERS).into()
}

/// The request with what the guard says in it, whatever the client said there, if its command takes a
/// call.
pub(super) fn advised<'r>(
    request: &'r Request,
    spec: Option<&CommandSpec>,
    heard: Option<&Heard>,
) -> Cow<'r, Request> {
    let asks =
        |name: &str| spec.is_some_and(|spec| spec.input.iter().any(|input| input.name == name));
    if !asks(GUARD) {
        return Cow::Borrowed(request);
    }
    let mut request = request.clone();
    for filled in [GUARD, SUGGESTION, KEPT_CATEGORY] {
        request.input.remove(filled);
    }
    let Some(advice) = heard.and_then(|heard| heard.advice.as_ref()) else {
        return Cow::Owned(request);
    };
    let said = [
        (GUARD, Some(advice.guard)),
        (SUGGESTION, Some(advice.suggestion.as_str())),
        (KEPT_CATEGORY, advice.kept_category.as_deref()),
    ];
    for (name, said) in said {
        if let Some(said) = said.filter(|_| asks(name)) {
            request.input.insert(name.to_owned(), said.into());
        }
    }
    Cow::Owned(request)
}

/// Whether a command takes a call: its text, which the guard reads.
pub(super) fn takes_calls(spec: &CommandSpec) -> bool {
    let has = |name: &str| spec.input.iter().any(|input| input.name == name);
    has(SAID) && has(GUARD)
}

impl Heard {
    /// By what the caller's number is recognised; none for what is no number.
    pub(super) fn number(&self) -> Option<String> {
        self.phone.clone()
    }

    /// What the call leaves to be recognised by.
    pub(super) fn trace(&self, request: &Request, at: (InstanceId, i64, Instant)) -> TraceRow {
        let (instance, seq, at) = at;
        // When it came: paper and archives that are entered later hide nothing that is called about now.
        let at = request.occurred_at.filter(|said| *said < at).unwrap_or(at);
        let place = request.input.get(PLACE).and_then(|place| place.as_str());
        TraceRow {
            instance,
            seq,
            jurisdiction: request.caller.jurisdiction,
            at,
            place: place.unwrap_or_default().to_owned(),
            phone: self.phone.clone(),
            traits: self.traits.clone(),
            about: None,
        }
    }
}

/// A suggestion as it is kept with the matter, in Chinese and in English: names and codes, thousandths and
/// known words, nothing personal.
fn noted(directory: &Directory, said: &Suggestion) -> String {
    let unit = |code: &str| directory.units.get(code).map(|unit| &unit.name);
    let category = |code: &str| directory.categories.get(code).map(|one| &one.name);
    let none = Text::new("无", "none");
    let (units, categories) = (ranked(&said.units, unit), ranked(&said.categories, category));
    let units = if said.units.is_empty() { &none } else { &units };
    let categories = if said.categories.is_empty() { &none } else { &categories };
    let (kept, model) = (said.kept_per_mille, &said.model);
    let beside = beside(said, unit);
    let mut zh = format!(
        "建议单位：{}{}；类别：{}；涉警可能：{kept}‰；模型{model}",
        units.zh, beside.zh, categories.zh
    );
    let mut en = format!(
        "Suggested units: {}{}; categories: {}; for the police: {kept}‰; model {model}",
        units.en, beside.en, categories.en
    );
    if let Some(question) = &said.question {
        zh.push_str(&format!("；询问：{}", question.zh));
        en.push_str(&format!("; to be asked: {}", question.en));
    }
    for reason in &said.reasons {
        zh.push_str(&format!("；{}", reason.text.zh));
        en.push_str(&format!("; {}", reason.text.en));
    }
    // Of a long one each language has its half.
    let half = |text: &str| text.chars().take(LONGEST / 2 - 1).collect::<String>();
    format!("{}\n{}", half(&zh), half(&en))
}

/// Who is suggested beside the units: the sub-unit of the first, and who goes where the police go first.
fn beside<'d>(said: &Suggestion, name: impl Fn(&str) -> Option<&'d Text>) -> Text {
    let named = |code: &String| match name(code) {
        Some(name) => (format!("{}（{code}）", name.zh), format!("{} ({code})", name.en)),
        None => (code.clone(), code.clone()),
    };
    let (mut zh, mut en) = (String::new(), String::new());
    if let Some((sub_zh, sub_en)) = said.sub_unit.as_ref().map(named) {
        zh.push_str(&format!("，二级单位：{sub_zh}"));
        en.push_str(&format!(", sub-unit {sub_en}"));
    }
    if said.police_first {
        zh.push_str("；可能须公安先期处警");
        en.push_str("; the police may have to go first");
    }
    let (joint_zh, joint_en): (Vec<_>, Vec<_>) = said.joint_units.iter().map(named).unzip();
    if !joint_zh.is_empty() {
        zh.push_str(&format!("，联合处置单位：{}", joint_zh.join("、")));
        en.push_str(&format!(", with {}", joint_en.join(", ")));
    }
    Text::new(zh, en)
}

/// The first three of a list as they are named in it.
fn ranked<'d>(list: &[Candidate], name: impl Fn(&str) -> Option<&'d Text>) -> Text {
    let shown = list.iter().take(3).map(|Candidate { code, per_mille }| match name(code) {
        Some(name) => Text::new(
            format!("{}（{code}）{per_mille}‰", name.zh),
            format!("{} ({code}) {per_mille}‰", name.en),
        ),
        None => Text::new(format!("{code}{per_mille}‰"), format!("{code} {per_mille}‰")),
    });
    let (zh, en): (Vec<String>, Vec<String>) = shown.map(|one| (one.zh, one.en)).unzip();
    Text::new(zh.join("、"), en.join(", "))
}

/// As much as the field of the workflow takes.
const LONGEST: usize = 2000;
