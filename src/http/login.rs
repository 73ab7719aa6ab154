//! Signing in and out, and one's own account: password, second factor, sessions.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::{COOKIE, Signed, cookie, same_site};
use super::client::address;
use super::problem::{Problem, blocking};
use super::receive::Body;
use super::view::{All, Lens, PersonName};
use crate::gate::{Attempt, Session, SessionSeen, SignIn};

/// What somebody signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginBody {
    /// The name.
    #[schema(example = "wang.fang")]
    login: String,
    /// The password.
    password: String,
    /// The six digits of the person's device, where they are demanded.
    code: Option<String>,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    /// Whose.
    person: PersonName,
    /// The word that requests with a body repeat in the header `X-CSRF-Token`.
    csrf: String,
    /// When it began.
    began_at: String,
    /// When it ends if it is not used.
    idle_until: String,
    /// When it ends at the latest.
    until: String,
    /// `shown`; `needed`: some of the person's roles wait for it; `not_needed`.
    second_factor: &'static str,
    /// Whether the password must be changed before anything else.
    password_old: bool,
}

impl SessionView {
    fn of(lens: &Lens, seen: &SessionSeen) -> Self {
        Self {
            person: lens.person(seen.person),
            csrf: seen.word.clone(),
            began_at: lens.time(seen.began_at),
            idle_until: lens.time(seen.idle_until),
            until: lens.time(seen.until),
            second_factor: match (seen.factor, seen.factor_needed) {
                (true, _) => "shown",
                (false, true) => "needed",
                (false, false) => "not_needed",
            },
            password_old: seen.password_old,
        }
    }
}

/// The cookie with a secret; an empty one takes it away.
pub(super) fn set_cookie(secret: &str, seconds: i64) -> (header::HeaderName, String) {
    let value =
        format!("{COOKIE}={secret}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict");
    (header::SET_COOKIE, value)
}

/// An answer that hands a session over.
pub(super) fn handed(house: &House, session: &Session) -> Result<HttpResponse, Problem> {
    let Session { secret, seen } = session;
    let caller = house.gate.session_place(seen)?;
    let lens = Lens::of(house, &caller)?;
    let seconds = seen.until.since(house.gate.now()).max(0).div_euclid(1000);
    Ok(HttpResponse::Ok()
        .insert_header(set_cookie(secret, seconds))
        .json(SessionView::of(&lens, seen)))
}

/// Signs in. The session's secret is in a cookie that scripts cannot read.
#[utoipa::path(
    post, path = "/api/v1/login", tag = "account", security(()), request_body = LoginBody,
    responses((status = 200, body = SessionView, description = "Signed in.",
        headers(("Set-Cookie" = String)))),
)]
pub(super) async fn login(
    house: web::Data<House>,
    request: HttpRequest,
    Body(body): Body<LoginBody>,
) -> Result<HttpResponse, Problem> {
    same_site(&request)?;
    let from = address(&house, &request);
    let older = cookie(&request, COOKIE).map(str::to_owned);
    let turn = house.slow.acquire().await.map_err(|_closed| Problem::closing())?;
    let gate = house.gate.clone();
    let session = blocking(move || {
        let LoginBody { login, password, code } = &body;
        let wish = SignIn { login, password, code: code.as_deref() };
        gate.sign_in(wish, Attempt { from: &from, older: older.as_deref() })
    });
    let session = session.await?;
    drop(turn);
    handed(&house, &session)
}

/// Signs out: every session of the person ends, on all its devices.
#[utoipa::path(
    post, path = "/api/v1/logout", tag = "account",
    responses((status = 204, description = "Signed out.", headers(("Set-Cookie" = String)))),
)]
pub(super) async fn logout(
    house: web::Data<House>,
    signed: Signed,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (gate, seen) = (house.gate.clone(), signed.session()?.clone());
    let from = address(&house, &request);
    blocking(move || gate.sign_out(&seen, &from)).await?;
    Ok(HttpResponse::NoContent()
        .insert_header(set_cookie("", 0))
        .insert_header(("Clear-Site-Data", "\"cache\", \"storage\""))
        .finish())
}

/// The session that asks.
#[utoipa::path(
    get, path = "/api/v1/me/session", tag = "account",
    responses((status = 200, body = SessionView, description = "The session.")),
)]
pub(super) async fn session(
    house: web::Data<House>,
    signed: Signed,
) -> Result<web::Json<SessionView>, Problem> {
    let lens = Lens::of(&house, &signed.0.caller)?;
    Ok(web::Json(SessionView::of(&lens, signed.session()?)))
}

/// A session in the list of one's own.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenSession {
    /// When it began.
    began_at: String,
    /// When it was last used, roughly.
    used_at: String,
    /// From which address it was begun.
    address: String,
    /// Whether a second factor was shown.
    second_factor: bool,
}

/// One's own sessions.
#[utoipa::path(
    get, path = "/api/v1/me/sessions", tag = "account",
    responses((status = 200, body = All<OpenSession>, description = "The oldest first.")),
)]
pub(super) async fn sessions(
    house: web::Data<House>,
    signed: Signed,
) -> Result<web::Json<All<OpenSession>>, Problem> {
    let lens = Lens::of(&house, &signed.0.caller)?;
    let (gate, seen) = (house.gate.clone(), signed.session()?.clone());
    let rows = blocking(move || gate.sessions(&seen)).await?;
    let items = rows.into_iter().map(|row| OpenSession {
        began_at: lens.time(row.began_at),
        used_at: lens.time(row.used_at),
        address: row.address,
        second_factor: row.factor,
    });
    Ok(web::Json(All { items: items.collect() }))
}

/// A change of one's own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordBody {
    /// The password as it is.
    old: String,
    /// As it will be.
    new: String,
}

/// Changes one's own password. Every session and token of the person ends.
#[utoipa::path(
    post, path = "/api/v1/me/password", tag = "account", request_body = PasswordBody,
    responses((status = 204, description = "Changed: sign in again.")),
)]
pub(super) async fn password(
    house: web::Data<House>,
    signed: Signed,
    request: HttpRequest,
    Body(body): Body<PasswordBody>,
) -> Result<HttpResponse, Problem> {
    let (gate, seen) = (house.gate.clone(), signed.session()?.clone());
    let from = address(&house, &request);
    let turn = house.slow.acquire().await.map_err(|_closed| Problem::closing())?;
    blocking(move || gate.change_password(&seen, &body.old, &body.new, &from)).await?;
    drop(turn);
    Ok(HttpResponse::NoContent().insert_header(set_cookie("", 0)).finish())
}

/// A secret for a device, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct EnrolmentView {
    /// In base 32, to be typed in.
    secret: String,
    /// The same as an address, to be drawn as a QR code.
    uri: String,
}

/// One's own password, once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolBody {
    /// The password. Whom only an identity provider knows has none, and signs in there right before.
    #[serde(default)]
    password: String,
}

/// Makes a secret for a device that shows a new code every 30 seconds (RFC 6238).
#[utoipa::path(
    post, path = "/api/v1/me/second-factor", tag = "account", request_body = EnrolBody,
    responses((status = 200, body = EnrolmentView, description = "Tell its first code back.")),
)]
pub(super) async fn enrol(
    house: web::Data<House>,
    signed: Signed,
    request: HttpRequest,
    Body(body): Body<EnrolBody>,
) -> Result<web::Json<EnrolmentView>, Problem> {
    let (gate, seen) = (house.gate.clone(), signed.session()?.clone());
    let from = address(&house, &request);
    let turn = house.slow.acquire().await.map_err(|_closed| Problem::closing())?;
    let enrolment = blocking(move || gate.enrol(&seen, &body.password, &from)).await?;
    drop(turn);
    Ok(web::Json(EnrolmentView { secret: enrolment.secret, uri: enrolment.uri }))
}

/// A code of a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeBody {
    /// Six digits.
    #[schema(example = "287082")]
    code: String,
}

/// Tells the first code of a device back, within ten minutes: from now on its codes are demanded at
/// sign-in. Whom the identity provider signed in without a second factor shows a code of the device so.
/// The session goes on under another secret.
#[utoipa::path(
    post, path = "/api/v1/me/second-factor/confirm", tag = "account", request_body = CodeBody,
    responses((status = 200, body = SessionView, description = "The second factor counts.",
        headers(("Set-Cookie" = String)))),
)]
pub(super) async fn confirm(
    house: web::Data<House>,
    signed: Signed,
    request: HttpRequest,
    Body(body): Body<CodeBody>,
) -> Result<HttpResponse, Problem> {
    let (gate, seen) = (house.gate.clone(), signed.session()?.clone());
    let from = address(&house, &request);
    let session = blocking(move || gate.confirm(&seen, &body.code, &from)).await?;
    handed(&house, &session)
}

/// The choice of a first password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetupBody {
    /// The name to sign in with.
    login: String,
    /// The code that an administrator handed over.
    code: String,
    /// The password.
    password: String,
}

/// Chooses the first password of an account, or a new one after a reset.
#[utoipa::path(
    post, path = "/api/v1/account-setup", tag = "account", security(()),
    request_body = SetupBody,
    responses((status = 204, description = "Chosen: sign in with it.")),
)]
pub(super) async fn set_up(
    house: web::Data<House>,
    request: HttpRequest,
    Body(body): Body<SetupBody>,
) -> Result<HttpResponse, Problem> {
    same_site(&request)?;
    let from = address(&house, &request);
    let turn = house.slow.acquire().await.map_err(|_closed| Problem::closing())?;
    let gate = house.gate.clone();
    blocking(move || gate.set_up(&body.login, &body.code, &body.password, &from)).await?;
    drop(turn);
    Ok(HttpResponse::build(StatusCode::NO_CONTENT).finish())
}
