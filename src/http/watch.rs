//! What happens to every request: a number, one line in the log, a count, and headers that keep
//! browsers from guessing. Nothing personal is logged: the pattern of the path, not the path.

use std::time::Instant as Monotonic;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError as _, web};

use super::House;
use super::caller::note_refusal;
use super::problem::{MEDIA_TYPE, Problem};
use super::request_id;
use super::route::Pattern;

/// The route of requests that lead nowhere.
const NO_ROUTE: &str = "-";

/// How the media type of pages begins.
const PAGE: &[u8] = b"text/html";

/// The middleware around everything.
pub(super) async fn watched<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let began = Monotonic::now();
    let id = request_id::of(request.headers());
    let response = next.call(request).await?;
    let mut response = as_problem(response);
    let route = response.request().app_data::<Pattern>().map_or(NO_ROUTE, |pattern| pattern.path);
    let status = response.status().as_u16();
    let method = method(response.request().method());
    let passed = began.elapsed();
    if let Some(house) = response.request().app_data::<web::Data<House>>() {
        house.traffic.count(method, route, status, passed);
        note_refusal(house, response.request(), response.status());
    }
    let duration_ms = passed.as_secs_f64() * 1000.0;
    tracing::info!(method, route, status, duration_ms, request = %id, "request");
    let house = response.request().app_data::<web::Data<House>>();
    let strict = house.is_some_and(|house| house.strict);
    dress(response.headers_mut(), &id, strict);
    Ok(response)
}

/// A method as it is counted: unknown ones are one.
fn method(method: &actix_web::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Errors of the framework itself become problems too.
fn as_problem<B: MessageBody>(
    response: ServiceResponse<B>,
) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    // Pages for people say by themselves what is wrong.
    let said = kind.is_some_and(|kind| kind == MEDIA_TYPE.as_bytes() || kind.starts_with(PAGE));
    if !failed || said {
        return response.map_into_left_body();
    }
    let problem = match status {
        StatusCode::NOT_FOUND => Problem::not_found(),
        status if status.is_server_error() => Problem::internal(&format!("status {status}")),
        status => {
            let words = status.canonical_reason().unwrap_or("Bad request");
            let code = words.to_ascii_lowercase().replace([' ', '-'], "_");
            Problem::new(status, &code, format!("{words}."))
        }
    };
    let (request, _) = response.into_parts();
    ServiceResponse::new(request, problem.error_response()).map_into_right_body()
}

/// Headers of every answer; a page may have set its own already.
fn dress(headers: &mut HeaderMap, id: &str, strict: bool) {
    const ALWAYS: [(HeaderName, &str); 8] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in ALWAYS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if strict {
        let value = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static(request_id::HEADER), value);
    }
}
