//! Who asks: an access token in the head of the request, or the cookie of a session; and whether one
//! who asks may ask this path at all.

use std::future::{Ready, ready};

use actix_web::http::{Method, StatusCode, header};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev, web};
use futures_util::future::{Either, LocalBoxFuture};

use super::House;
use super::client::address;
use super::problem::{Problem, blocking};
use super::route::{Demand, Pattern};
use crate::domain::{Actor, JurisdictionId, PersonId};
use crate::gate::{self, Caller, Known, SessionSeen};
use crate::policy::Act;

/// The cookie of sessions. The prefix makes browsers hold to it: only over TLS (or to the machine
/// itself), only to this host, for every path.
pub(super) const COOKIE: &str = "__Host-fenliu";

/// The header in which requests that change something repeat the word of their session.
pub(super) const WORD: &str = "x-csrf-token";

/// A caller who may ask what the path demands.
pub(super) struct Who(pub(super) Caller);

/// The same with its token or session.
pub(super) struct Signed(pub(super) Known);

/// By what somebody is known, kept to ask again whether it still holds.
#[derive(Clone)]
pub(super) enum Proof {
    /// An access token.
    Token(String),
    /// The secret of a session.
    Session(String),
}

type Found<T> = Either<Ready<Result<T, Problem>>, LocalBoxFuture<'static, Result<T, Problem>>>;

impl FromRequest for Who {
    type Error = Problem;
    type Future = Found<Self>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        find(request, |known| Self(known.caller))
    }
}

impl FromRequest for Signed {
    type Error = Problem;
    type Future = Found<Self>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        find(request, Self)
    }
}

impl Signed {
    /// The session; what is about a session cannot be asked with a token.
    pub(super) fn session(&self) -> Result<&SessionSeen, Problem> {
        self.0.session.as_ref().ok_or_else(|| {
            let detail = "This is about a session: sign in, and send its cookie.";
            let problem = Problem::new(StatusCode::CONFLICT, "no_session", detail);
            problem.zh("该操作针对登录会话，请先登录")
        })
    }
}

fn find<T: 'static>(request: &HttpRequest, take: fn(Known) -> T) -> Found<T> {
    let house = match house(request) {
        Ok(house) => house,
        Err(problem) => return Either::Left(ready(Err(problem))),
    };
    let demand =
        pattern(request).map_or(Demand::Anyone, |pattern| pattern.demand(request.method()));
    match proof(request) {
        None => Either::Left(ready(Err(Problem::unauthorized(
            "Send `Authorization: Bearer` with an access token, or the cookie of a session.",
        )))),
        Some(Proof::Token(token)) => {
            let known = house.gate.bearer(&token);
            if matches!(known, Err(gate::Error::NotFound)) {
                house.gate.unknown_token(&address(house, request));
            }
            let known = known.map_err(not_good);
            let known = known.and_then(|known| admitted(house, known, demand, request));
            Either::Left(ready(known.map(take)))
        }
        Some(Proof::Session(secret)) => {
            let word = match word(request) {
                Ok(word) => word,
                Err(problem) => return Either::Left(ready(Err(problem))),
            };
            let admit =
                move |house: &House, known: Result<Known, Problem>, request: &HttpRequest| {
                    let known = known.map_err(ended)?;
                    checked(word.as_deref(), &known)?;
                    admitted(house, known, demand, request).map(take)
                };
            // Mostly memory knows, and nobody waits for a thread that may block.
            if let Some(known) = house.gate.session_at_hand(&secret) {
                return Either::Left(ready(admit(house, known.map_err(Problem::from), request)));
            }
            let (house, gate, request) = (house.clone(), house.gate.clone(), request.clone());
            Either::Right(Box::pin(async move {
                let known = blocking(move || gate.session(&secret)).await;
                admit(&house, known, &request)
            }))
        }
    }
}

fn ended(problem: Problem) -> Problem {
    if problem.is_not_found() {
        return Problem::unauthorized("This session has ended: sign in again.");
    }
    problem
}

fn house(request: &HttpRequest) -> Result<&web::Data<House>, Problem> {
    let house = request.app_data::<web::Data<House>>();
    house.ok_or_else(|| Problem::internal("the house is not among the data"))
}

fn not_good(error: gate::Error) -> Problem {
    match error {
        gate::Error::NotFound => Problem::unauthorized("This access token is not good."),
        other => other.into(),
    }
}

/// Whether somebody who is known may ask what the path demands, and not too often.
fn admitted(
    house: &House,
    known: Known,
    demand: Demand,
    request: &HttpRequest,
) -> Result<Known, Problem> {
    house.meter.take(&known)?;
    let Demand::May(act) = demand else { return Ok(known) };
    match house.gate.admit(&known.caller, act) {
        Ok(()) => {
            if let Actor::Person { id, .. } = known.caller.actor {
                let jurisdiction = known.caller.jurisdiction;
                request.extensions_mut().insert(Asker { jurisdiction, person: id, act });
            }
            Ok(known)
        }
        Err(gate::Error::Forbidden) => {
            house.gate.denied(&known.caller, act, &address(house, request));
            Err(withheld(known.session.as_ref()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Who was let in and asked for what: kept with the request, for what is refused behind the door.
#[derive(Debug, Clone, Copy)]
struct Asker {
    jurisdiction: JurisdictionId,
    person: PersonId,
    act: Act,
}

/// Counts for the audit log that somebody who was let in was not shown a thing, or may not act on it.
/// A foreign one and one that is not there count alike, as they are answered alike.
pub(super) fn note_refusal(house: &House, request: &HttpRequest, status: StatusCode) {
    let names_something = || pattern(request).is_some_and(Pattern::names_something);
    let refused =
        status == StatusCode::FORBIDDEN || (status == StatusCode::NOT_FOUND && names_something());
    let asker = request.extensions().get::<Asker>().copied();
    if let (true, Some(Asker { jurisdiction, person, act })) = (refused, asker) {
        house.gate.withheld((jurisdiction, person), act, &address(house, request));
    }
}

fn pattern(request: &HttpRequest) -> Option<&Pattern> {
    request.app_data::<Pattern>()
}

/// Why a role is of no use: it may wait for something that the person can do.
fn withheld(session: Option<&SessionSeen>) -> Problem {
    let forbid =
        |code: &str, zh: &str, en: &str| Problem::new(StatusCode::FORBIDDEN, code, en).zh(zh);
    match session {
        Some(session) if session.password_old => {
            let en = "The password is too old: change it first.";
            forbid("password_old", "密码已过期，请先修改密码", en)
        }
        Some(session) if session.factor_needed && !session.factor => {
            let en =
                "This role is used only with a second factor: set it up, or sign in with a code.";
            forbid("second_factor_needed", "该岗位须启用动态口令后方可使用", en)
        }
        _ => gate::Error::Forbidden.into(),
    }
}

/// The word that a request must repeat: none for one that changes nothing. A request that a browser
/// says to come from another site is refused before that.
fn word(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if safe {
        return Ok(None);
    }
    same_site(request)?;
    let word = request.headers().get(WORD).and_then(|value| value.to_str().ok());
    Ok(Some(word.unwrap_or_default().to_owned()))
}

/// Refuses what a browser says to come from elsewhere.
pub(super) fn same_site(request: &HttpRequest) -> Result<(), Problem> {
    let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let fetched = text("sec-fetch-site").is_none_or(|site| ["same-origin", "none"].contains(&site));
    let host = text(header::HOST.as_str()).unwrap_or_default();
    let from = text(header::ORIGIN.as_str()).is_none_or(|origin| {
        origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host))
    });
    if fetched && from { Ok(()) } else { Err(forged()) }
}

fn checked(word: Option<&str>, known: &Known) -> Result<(), Problem> {
    let Some(word) = word else { return Ok(()) };
    let right = known.session.as_ref().map(|session| session.word.as_str()).unwrap_or_default();
    let differs = right.bytes().zip(word.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    if right.len() == word.len() && differs == 0 { Ok(()) } else { Err(forged()) }
}

fn forged() -> Problem {
    let detail = format!("Repeat the `csrf` word of the session in the header `{WORD}`.");
    Problem::new(StatusCode::FORBIDDEN, "cross_site", detail)
        .zh("请求来源无法确认，请刷新页面后重试")
}

/// By what a request says it is known.
pub(super) fn proof(request: &HttpRequest) -> Option<Proof> {
    if let Some(token) = token(request) {
        return Some(Proof::Token(token.to_owned()));
    }
    cookie(request, COOKIE).map(|secret| Proof::Session(secret.to_owned()))
}

/// The token of a request.
fn token(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

/// A cookie of a request; none that came twice, because one of them may be planted.
pub(super) fn cookie<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    let values = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(found, _)| found.trim() == name).map(|(_, value)| value.trim());
    named.next().filter(|_| named.next().is_none())
}

impl Proof {
    /// Who it is, if it still holds; that somebody looks is no use of a session. Blocks.
    pub(super) fn known(&self, gate: &gate::Gate) -> Result<Known, gate::Error> {
        match self {
            Self::Token(token) => gate.bearer(token),
            Self::Session(secret) => gate.session_still(secret),
        }
    }
}
