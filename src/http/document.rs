//! The description of the API (OpenAPI 3.1), made from the code, and a page to read it on.

use std::sync::{Arc, LazyLock};

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Header, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::caller::COOKIE;
use super::problem::{Details, MEDIA_TYPE, Problem};
use super::roster::{duty, handover, stand_in, transfer};
use super::{
    account, alarm, audit, catalogue, change, channel, contact, definition, directory, doubles,
    due, history, instance, intake, link, login, message, metrics, mute, page, person, post,
    problem, proposal, provider, recount, rehearsal, returns, reveal, roster, route, spoken, spot,
    subscription, suggest, teaching, template, token, view,
};

/// What the page of the documentation may load: what the service itself serves.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "分流 fenliu",
        description = "Diverts each non-emergency police call to the one public body that must \
            handle it.\n\nEvery error is `application/problem+json` (RFC 9457) with a stable \
            `code`. Times are RFC 3339 in the jurisdiction's zone. Ids are opaque. What the caller \
            may not see is as if it were not there: 404.",
    ),
    paths(
        instance::open, instance::register, instance::list, instance::show, instance::command,
        instance::children, instance::counts, reveal::reveal, reveal::export, reveal::correct, reveal::erase, history::events, spoken::calls, history::clocks, history::clock,
        message::messages_of, message::messages, message::of_person, message::show, change::follow, directory::me, directory::units,
        directory::unit, directory::put_unit, person::people, person::person,
        person::add_person, person::put_person, directory::categories, directory::category,
        directory::put_category, spot::list, spot::history, spot::put, spot::end, catalogue::versions, catalogue::version, catalogue::export,
        catalogue::draft, catalogue::differences, catalogue::publish, catalogue::withdraw, definition::list, definition::show, definition::version,
        definition::drawing, definition::publish, definition::check, definition::schema,
        due::calendars, due::calendar, due::quarter, due::load, due::due, recount::show, recount::moved, token::list, token::issue, token::revoke, proposal::list, proposal::show, proposal::approve, proposal::withdraw, alarm::list, audit::log,
        audit::checkpoints,
        alarm::clear, alarm::clear_kind, contact::contacts, contact::send_code, contact::verify, contact::trial,
        contact::rules, contact::put_rules, mute::list, mute::make, mute::end, template::preview,
        suggest::suggest, doubles::doubles, intake::take, intake::find, teaching::precedents, teaching::withdraw,
        teaching::proposals, teaching::moved, teaching::decide, returns::returns, returns::clauses,
        roster::list, roster::show, roster::put, roster::delete, duty::shifts, duty::on_duty,
        duty::gaps, stand_in::list, stand_in::add, stand_in::remove, stand_in::propose,
        stand_in::agree, stand_in::decline, handover::list, handover::write, handover::read,
        transfer::export, transfer::import, transfer::duties,
        metrics::show, page::front, page::health, page::ready, link::look, link::press,
        login::login, login::logout, login::session, login::sessions, login::password, login::enrol,
        login::confirm, login::set_up, provider::leave, provider::back, account::show, account::give, account::reset, account::take,
        message::acknowledge, message::resend, post::take, channel::list, rehearsal::show, subscription::list, subscription::make,
        subscription::switch, subscription::end, openapi, docs, file,
    ),
    components(schemas(Details, problem::Reason, problem::FindingView, view::Words)),
    tags(
        (name = "account", description = "账户 · Signing in and out, one's own password and second factor."),
        (name = "alerts", description = "提醒 · Messages, contacts, rules, mutes, rosters, subscriptions."),
        (name = "matters", description = "事项 · Referrals and every other instance of a workflow."),
        (name = "directory", description = "名录 · Who is who."),
        (name = "duty", description = "值班 · Duty rosters, stand-ins, handovers."),
        (name = "workflows", description = "流程 · Definitions."),
        (name = "calendar", description = "日历 · Working days and due dates."),
        (name = "administration", description = "管理 · Changes to who is who, tokens."),
        (name = "service", description = "运行 · Health, figures, alarms, this document."),
    ),
    modifiers(&Everywhere),
    security(("token" = []), ("session" = [])),
)]
struct Api;

/// What holds for every path.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = &mut api.components {
            let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
            components.add_security_scheme("token", SecurityScheme::Http(scheme));
            let cookie = ApiKey::Cookie(ApiKeyValue::new(COOKIE));
            components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        }
        befriend(api);
        let heavy = route::heavy();
        for (path, item) in &mut api.paths.paths {
            for (method, operation) in operations(item) {
                operation.operation_id = Some(name_of(method, path));
                fail(operation);
                let asked = (path.clone(), method.to_ascii_uppercase());
                if heavy.contains(&asked) {
                    weigh(operation);
                }
            }
        }
    }
}

/// Referrals are instances under a friendly face: the same paths with another word.
fn befriend(api: &mut utoipa::openapi::OpenApi) {
    const GENERAL: &str = "/api/v1/instances";
    let items = api.paths.paths.iter();
    let general = items.filter(|(path, _)| path.starts_with(GENERAL));
    let faces: Vec<(String, PathItem)> = general
        .map(|(path, item)| (path.replace("/instances", "/referrals"), item.clone()))
        .collect();
    for (path, mut item) in faces {
        if let Some(own) = api.paths.paths.get_mut(&path) {
            // Registering a call has a description of its own.
            own.get = item.get.take();
            if let Some(list) = &mut own.get {
                list.summary = Some("Referrals, newest first.".to_owned());
            }
        } else {
            api.paths.paths.insert(path, item);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("delete", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// `get_referrals_id_clocks` for reading `/api/v1/referrals/{id}/clocks`: one name for each
/// operation, which generated clients are built from.
fn name_of(method: &str, path: &str) -> String {
    let path = path.trim_start_matches("/api").trim_start_matches("/v1");
    let parts = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    std::iter::once(method).chain(parts).collect::<Vec<_>>().join("_")
}

/// Any operation may fail; how, the problem says.
fn fail(operation: &mut Operation) {
    let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Details"))));
    for (status, words) in [
        ("4XX", "What was asked is wrong, not allowed, or not possible now."),
        ("5XX", "The service could not do it; `code` says whether to try again."),
    ] {
        let response = ResponseBuilder::new().description(words);
        let response = response.content(MEDIA_TYPE, problem.clone()).build();
        operation.responses.responses.insert(status.to_owned(), RefOr::T(response));
    }
}

/// Of some only a few are answered at once.
fn weigh(operation: &mut Operation) {
    let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Details"))));
    let words = "`too_many_at_once`: as many of these are being answered as the settings allow; nothing \
                 was done. `Retry-After` says when to ask again.";
    let response = ResponseBuilder::new().description(words).content(MEDIA_TYPE, problem);
    let response = response.header("Retry-After", Header::default()).build();
    operation.responses.responses.insert("503".to_owned(), RefOr::T(response));
}

/// The document, written once.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    // A document made from code can be written.
    Api::openapi().to_pretty_json().unwrap_or_default()
});

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "service", security(()),
    responses((status = 200, body = Object, description = "OpenAPI 3.1.")),
)]
pub(super) async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT.as_str())
}

/// Leads to the page of the documentation.
#[utoipa::path(
    get, path = "/api/docs", tag = "service", security(()),
    responses((status = 308, description = "To /api/docs/.")),
)]
pub(super) async fn docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/api/docs/")).finish()
}

/// The page of the documentation and its parts.
#[utoipa::path(
    get, path = "/api/docs/{file}", tag = "service", security(()),
    responses((status = 200, body = String, content_type = "text/html", description = "A part of the page.")),
    params(("file" = String, Path, description = "A file's name; nothing for the page itself.")),
)]
pub(super) async fn file(path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let config = Arc::new(utoipa_swagger_ui::Config::from("/api/openapi.json"));
    let found = utoipa_swagger_ui::serve(&path, config);
    let found = found.map_err(|error| Problem::internal(&error.to_string()))?;
    let file = found.ok_or_else(Problem::not_found)?;
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header(header::ContentEncoding::Gzip);
    }
    Ok(response
        .content_type(file.content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, DOCS_POLICY))
        .insert_header((header::CACHE_CONTROL, "max-age=3600"))
        .body(file.bytes.into_owned()))
}
