//! What the router says to a call, and the guard on every one that is registered or attached.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::error::Error;
use super::lessons::CATEGORY;
use super::{Caller, Gate, Request, Typed};
use crate::chart::CommandSpec;
use crate::domain::event::hex;
use crate::domain::{Directory, InstanceId, Instant, JurisdictionId, Refusal, Text};
use crate::policy::Act;
use crate::routing::suggestion::Candidate;
use crate::routing::{Circumstances, Router, Suggestion, Traits};
use crate::store::TraceRow;

/// The inputs of a command that takes a call, which the service fills in itself.
const GUARD: &str = "guard";
const SUGGESTION: &str = "suggestion";
/// The inputs that hold what the caller said, from which number, and where.
pub(super) const SAID: &str = "text";
const PHONE: &str = "caller_phone";
const PLACE: &str = "place";
/// What the caller answered to the questions of the category.
const ANSWERS: &str = "answers";
const SOURCE: &str = "source";

/// No call is longer, in characters; as much as the field of the workflow takes.
const TEXT_MAX: usize = 4000;

/// What stands with a call that came before the router was ready.
const UNREAD: &str =
    "分流模型尚未就绪，未作建议；询问：现在是否有人受伤、被困、失踪或受到威胁，或涉及违法犯罪？";

/// What was read of a call before it is decided: reading takes longer than deciding.
#[derive(Debug)]
pub(super) struct Heard {
    /// What the guard makes of it, and the suggestion in words; none while nobody can read.
    advice: Option<(&'static str, String)>,
    /// What the text is recognised by.
    traits: String,
    /// A keyed digest of the number.
    phone: Option<String>,
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

    /// What is suggested for a call as far as it is typed, and what it is recognised by.
    ///
    /// # Errors
    /// That the caller may not ask, that the router is not trained yet, that the text is too long, that
    /// there is no such category or question.
    pub fn suggest(&self, caller: &Caller, typed: &Typed) -> Result<(Suggestion, Traits), Error> {
        self.permit(caller, Act::ReadDirectory)?;
        if typed.text.chars().count() > TEXT_MAX {
            let en = format!("`text` is longer than {TEXT_MAX} characters");
            return Err(Error::invalid(format!("警情内容（text）超过{TEXT_MAX}字，请概括"), en));
        }
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        let of_call = &typed.circumstances;
        if let Some(code) = &of_call.category
            && !directory.categories.contains_key(code)
        {
            let en = format!("`category`: there is no `{code}`");
            return Err(Error::invalid(format!("没有类别“{code}”（category）"), en));
        }
        sound_answers(&directory, of_call)?;
        let router = self.router(caller.jurisdiction).ok_or_else(|| {
            Error::Refused(Refusal::new(
                "no_router",
                Text::new(
                    "分流建议尚未就绪，或未在routing.folder中配置",
                    "nothing is suggested yet: the router is being trained, or `routing.folder` is empty",
                ),
            ))
        })?;
        self.advice(&router, caller.jurisdiction, (&typed.text, of_call))
    }

    /// What the router says of a text after the catalogue and the precedents, and what the text is
    /// recognised by.
    fn advice(
        &self,
        router: &Router,
        whose: JurisdictionId,
        (text, of_call): (&str, &Circumstances),
    ) -> Result<(Suggestion, Traits), Error> {
        let now = self.now();
        self.inner.registry.turn(now);
        let directory = self.inner.registry.directory(whose)?;
        let least = self.routing_rules().precedent;
        let (mut said, traits) = router.hear(text);
        said.heed(&directory, |category| router.usual(category), of_call);
        let township = directory.township_of(&of_call.place);
        said.follow(&self.inner.registry.precedents(whose), &traits, least, (township, now));
        Ok((said, traits))
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
            ..Circumstances::default()
        };
        if let Some(answers) = text(ANSWERS) {
            of_call.category = text(CATEGORY).map(str::to_owned);
            let sound = Circumstances::answers_of(answers)
                .map_err(|part| unasked(&part, &[]))
                .and_then(|answers| {
                    of_call.answers = answers;
                    sound_answers(&*self.inner.registry.directory(whose)?, &of_call)
                });
            // A machine asked what the catalogue asks no longer: its call lands all the same.
            match sound {
                Err(_unasked) if text(SOURCE).is_some() => of_call.answers.clear(),
                sound => sound?,
            }
        }
        let read = said.and_then(|said| Some((self.router(whose)?, said)));
        let (advice, traits) = match read {
            None if said.is_some() && self.inner.router_awaited.load(Ordering::Relaxed) => {
                (Some(("ask", UNREAD.to_owned())), String::new())
            }
            None => (None, String::new()),
            Some((router, said)) => {
                let (suggestion, traits) = self.advice(&router, whose, (said, &of_call))?;
                let directory = self.inner.registry.directory(whose)?;
                let noted = noted(&directory, &suggestion);
                (Some((suggestion.verdict.as_str(), noted)), traits.encode())
            }
        };
        let phone = phone.and_then(|phone| self.phone_digest(phone));
        Ok(Some(Heard { advice, traits, phone }))
    }

    /// By what a number is recognised: nobody without this house's key can tell which it is. None for
    /// what is no number.
    pub(super) fn phone_digest(&self, phone: &str) -> Option<String> {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        if digits.len() < 5 {
            return None;
        }
        let sum = self.inner.match_key.of_parts(&[b"phone:", digits.as_bytes()]).ok()?;
        Some(hex(sum.get(..16)?))
    }
}

/// Refuses answers to questions that nobody asks: of the category that was chosen, else of any.
fn sound_answers(directory: &Directory, of_call: &Circumstances) -> Result<(), Error> {
    let chosen = of_call.category.as_ref().and_then(|code| directory.categories.get(code));
    let asking = chosen.map_or_else(|| directory.categories.values().collect(), |one| vec![one]);
    let questions = asking.into_iter().flat_map(|category| &category.questions);
    let known: Vec<&str> = questions.map(|question| question.code.as_str()).collect();
    let strange = of_call.answers.keys().find(|code| !known.contains(&code.as_str()));
    strange.map_or(Ok(()), |code| Err(unasked(code, &known)))
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
    request.input.remove(GUARD);
    request.input.remove(SUGGESTION);
    if let Some((guard, suggestion)) = heard.and_then(|heard| heard.advice.as_ref()) {
        request.input.insert(GUARD.to_owned(), (*guard).into());
        if asks(SUGGESTION) {
            request.input.insert(SUGGESTION.to_owned(), suggestion.as_str().into());
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
        let place = request.input.get(PLACE).and_then(|place| place.as_str());
        TraceRow {
            instance,
            seq,
            jurisdiction: request.caller.jurisdiction,
            at,
            place: place.unwrap_or_default().to_owned(),
            phone: self.phone.clone(),
            traits: self.traits.clone(),
        }
    }
}

/// A suggestion as it is kept with the matter: names and codes, thousandths and known words, nothing
/// personal.
fn noted(directory: &Directory, suggestion: &Suggestion) -> String {
    let ranked = |list: &[Candidate], name: &dyn Fn(&str) -> Option<String>| {
        let shown = list.iter().take(3).map(|Candidate { code, per_mille }| {
            let name = name(code).map_or_else(|| code.clone(), |name| format!("{name}（{code}）"));
            format!("{name}{per_mille}‰")
        });
        shown.collect::<Vec<String>>().join("、")
    };
    let unit = |code: &str| directory.units.get(code).map(|unit| unit.name.zh.clone());
    let category = |code: &str| directory.categories.get(code).map(|one| one.name.zh.clone());
    let mut text = format!(
        "建议单位：{}；类别：{}；涉警可能：{}‰；模型{}",
        ranked(&suggestion.units, &unit),
        ranked(&suggestion.categories, &category),
        suggestion.kept_per_mille,
        suggestion.model
    );
    if let Some(question) = &suggestion.question {
        text.push_str(&format!("；询问：{}", question.zh));
    }
    for reason in &suggestion.reasons {
        text.push_str(&format!("；{}", reason.text.zh));
    }
    text.chars().take(LONGEST).collect()
}

/// As much as the field of the workflow takes.
const LONGEST: usize = 2000;
