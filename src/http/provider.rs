//! Signing in at an identity provider: out there, and back with a code.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::House;
use super::caller::{COOKIE, cookie};
use super::client::address;
use super::login::set_cookie;
use super::problem::{Problem, blocking};
use super::receive::Query;
use super::style;
use crate::gate::Attempt;
use crate::identity::{self, Begun, Provider};

/// What is kept in the browser meanwhile. It is sent along when the provider sends people back.
const MEANWHILE: &str = "__Host-fenliu-provider";

/// So many seconds somebody may take at the provider.
const MEANWHILE_SECONDS: u32 = 600;

fn provider(house: &House) -> Result<&Provider, Problem> {
    house.provider.as_deref().ok_or_else(|| {
        let detail = "No identity provider is set up: sign in with name and password.";
        Problem::new(StatusCode::NOT_FOUND, "no_provider", detail)
            .zh("未配置统一身份认证，请使用登录名和密码登录")
    })
}

fn failed(error: &identity::Error) -> Problem {
    tracing::warn!(%error, "nobody was signed in by the identity provider");
    match error {
        identity::Error::Provider(_) => {
            let detail = "The identity provider does not answer as it should; try again later.";
            Problem::new(StatusCode::BAD_GATEWAY, "provider_failed", detail)
                .zh("统一身份认证暂不可用，请稍后再试")
        }
        identity::Error::Token(_) => {
            let detail = "What the identity provider said was not accepted: begin again.";
            Problem::new(StatusCode::UNAUTHORIZED, "provider_refused", detail)
                .zh("统一身份认证结果未被接受，请重新登录")
        }
    }
}

fn meanwhile(value: &str, seconds: u32) -> (header::HeaderName, String) {
    let value =
        format!("{MEANWHILE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    (header::SET_COOKIE, value)
}

/// Sends the browser to the identity provider.
#[utoipa::path(
    get, path = "/api/v1/login/provider", tag = "account", security(()),
    responses((status = 303, description = "To the provider.", headers(("Location" = String)))),
)]
pub(super) async fn leave(house: web::Data<House>) -> Result<HttpResponse, Problem> {
    let provider = provider(&house)?;
    let (at, begun) = provider.begin(house.gate.randoms()).await.map_err(|error| failed(&error))?;
    let Begun { state, nonce, verifier } = begun;
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, at))
        .insert_header(meanwhile(&format!("{state}.{nonce}.{verifier}"), MEANWHILE_SECONDS))
        .finish())
}

/// Takes somebody back whom the identity provider knows.
#[utoipa::path(
    get, path = "/api/v1/login/provider/return", tag = "account", security(()),
    responses((status = 200, body = String, content_type = "text/html",
        description = "Signed in; the page goes on to the front page.",
        headers(("Set-Cookie" = String)))),
    params(("code" = Option<String>, Query, description = "From the provider."),
        ("state" = Option<String>, Query, description = "From the provider.")),
)]
pub(super) async fn back(
    house: web::Data<House>,
    request: HttpRequest,
    mut query: Query,
) -> Result<HttpResponse, Problem> {
    let provider = provider(&house)?;
    let (code, state) = (query.text("code")?, query.text("state")?);
    let begun = cookie(&request, MEANWHILE).and_then(read);
    let stale = || {
        let detail = "This sign-in was not begun here, or too long ago: begin again.";
        Problem::new(StatusCode::UNAUTHORIZED, "provider_refused", detail)
            .zh("该登录不是由此浏览器发起或已过期，请重新登录")
    };
    let begun = begun.filter(|begun| state.as_deref() == Some(begun.state.as_str()));
    let (Some(begun), Some(code)) = (begun, code) else { return Err(stale()) };
    let identified = provider.finish(&code, &begun, house.gate.now()).await;
    let identified = identified.map_err(|error| failed(&error))?;
    let from = address(&house, &request);
    let older = cookie(&request, COOKIE).map(str::to_owned);
    let gate = house.gate.clone();
    let session = blocking(move || {
        let attempt = Attempt { from: &from, older: older.as_deref() };
        gate.sign_in_by_provider(&identified.subject, identified.factor, attempt)
    })
    .await?;
    let seconds = session.seen.until.since(house.gate.now()).max(0).div_euclid(1000);
    // A page and no redirect: a strict cookie is not sent on a way that began elsewhere.
    let mut response = HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, style::policy("")))
        .insert_header(set_cookie(&session.secret, seconds))
        .body(PAGE);
    let (name, gone) = meanwhile("", 0);
    if let Ok(value) = HeaderValue::from_str(&gone) {
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

const PAGE: &str = "<!doctype html><html lang=\"zh\"><head><meta charset=\"utf-8\">\
     <meta http-equiv=\"refresh\" content=\"0;url=/\"><title>分流 fenliu</title></head>\
     <body><p>已登录，<a href=\"/\">继续</a> · <a href=\"/\" lang=\"en\">signed in, go on</a></p>\
     </body></html>";

fn read(text: &str) -> Option<Begun> {
    let mut parts = text.split('.').map(str::to_owned);
    let begun = Begun { state: parts.next()?, nonce: parts.next()?, verifier: parts.next()? };
    parts.next().is_none().then_some(begun)
}
