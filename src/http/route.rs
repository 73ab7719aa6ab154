//! Every path and what may be done there: one table, which the service is built from and which the
//! documentation is compared with.

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::ServiceConfig;
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder, Route, guard, web};

use super::problem::Problem;
use super::{
    alarm, audit, change, channel, contact, definition, directory, document, due, history, instance, link,
    message, metrics, mute, page, post, recount, rehearsal, roster, subscription, template, token,
};

/// The pattern of a path, for logs and metrics.
pub(super) struct Pattern(pub(super) &'static str);

/// A path and its methods.
struct Place {
    path: &'static str,
    ways: Vec<(Method, Route)>,
    /// Whether it is asked for without a body: with GET comes HEAD.
    headed: bool,
}

fn at(path: &'static str) -> Place {
    Place { path, ways: Vec::new(), headed: true }
}

impl Place {
    fn way<F, Args>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let route = if method == Method::GET && self.headed {
            web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
        } else {
            web::method(method.clone())
        };
        self.ways.push((method, route.to(handler)));
        self
    }

    fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.way(Method::GET, handler)
    }

    fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.way(Method::POST, handler)
    }

    /// The same without HEAD: its answer would never end.
    fn unheaded(mut self) -> Self {
        self.headed = false;
        self
    }

    /// The methods, as the `Allow` header lists them.
    fn allow(&self) -> String {
        let mut methods: Vec<&str> = self.ways.iter().map(|(method, _)| method.as_str()).collect();
        if self.headed && methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }

    fn resource(self) -> Resource {
        let allow = self.allow();
        let value = HeaderValue::from_str(&allow);
        let value = value.unwrap_or(HeaderValue::from_static("OPTIONS"));
        let other = move |request: HttpRequest| {
            let value = value.clone();
            async move { elsewise(&request, value) }
        };
        let mut resource = web::resource(self.path).app_data(Pattern(self.path));
        for (_, route) in self.ways {
            resource = resource.route(route);
        }
        resource.default_service(web::to(other))
    }
}

/// OPTIONS tells what is possible; any other method is not.
fn elsewise(request: &HttpRequest, allow: HeaderValue) -> Result<HttpResponse, Problem> {
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish());
    }
    let ways = allow.to_str().unwrap_or_default().to_owned();
    let detail = format!("This path has no such method; it has {ways}.");
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    Err(problem.zh("该路径不支持此方法").header(header::ALLOW, allow))
}

/// Where no path leads.
pub(super) async fn nowhere() -> Result<HttpResponse, Problem> {
    let detail = "There is no such path; /api/openapi.json lists them all.";
    Err(Problem::new(StatusCode::NOT_FOUND, "no_such_path", detail).zh("没有这个路径"))
}

/// The table. What is asked most often stands first: paths are tried in this order.
fn table() -> Vec<Place> {
    let mut table = vec![
        at("/api/v1/referrals/{id}/commands").post(instance::command),
        at("/api/v1/instances/{id}/commands").post(instance::command),
        at("/api/v1/referrals").get(instance::referrals).post(instance::register),
        at("/api/v1/instances").get(instance::list).post(instance::open),
    ];
    table.extend(matters());
    table.extend(administration());
    table.extend(reaching());
    table.extend(duty());
    table.extend(outside());
    table
}

/// Paths below an instance, under both its faces, and lists.
fn matters() -> Vec<Place> {
    vec![
        at("/api/v1/referrals/{id}").get(instance::show),
        at("/api/v1/instances/{id}").get(instance::show),
        at("/api/v1/referrals/{id}/events").get(history::events),
        at("/api/v1/instances/{id}/events").get(history::events),
        at("/api/v1/referrals/{id}/clocks").get(history::clocks),
        at("/api/v1/instances/{id}/clocks").get(history::clocks),
        at("/api/v1/referrals/{id}/clocks/{name}").get(history::clock),
        at("/api/v1/instances/{id}/clocks/{name}").get(history::clock),
        at("/api/v1/referrals/{id}/children").get(instance::children),
        at("/api/v1/instances/{id}/children").get(instance::children),
        at("/api/v1/referrals/{id}/messages").get(message::messages_of),
        at("/api/v1/instances/{id}/messages").get(message::messages_of),
        at("/api/v1/counts").get(instance::counts),
        at("/api/v1/messages").get(message::messages),
        at("/api/v1/messages/{id}").get(message::show),
        at("/api/v1/messages/{id}/acknowledge").post(message::acknowledge),
        at("/api/v1/messages/{id}/resend").post(message::resend),
        at("/api/v1/subscriptions").get(subscription::list).post(subscription::make),
        at("/api/v1/subscriptions/{id}")
            .way(Method::PUT, subscription::switch)
            .way(Method::DELETE, subscription::end),
        at("/api/v1/changes").unheaded().get(change::follow),
    ]
}

fn administration() -> Vec<Place> {
    let put = Method::PUT;
    vec![
        at("/api/v1/me").get(directory::me),
        at("/api/v1/units").get(directory::units),
        at("/api/v1/units/{code}").get(directory::unit).way(put.clone(), directory::put_unit),
        at("/api/v1/people").get(directory::people).post(directory::add_person),
        at("/api/v1/people/{id}").get(directory::person).way(put.clone(), directory::put_person),
        at("/api/v1/categories").get(directory::categories),
        at("/api/v1/categories/{code}").get(directory::category).way(put, directory::put_category),
        at("/api/v1/definitions").get(definition::list).post(definition::publish),
        at("/api/v1/definitions/check").post(definition::check),
        at("/api/v1/definitions/{workflow}").get(definition::show),
        at("/api/v1/definitions/{workflow}/versions/{number}").get(definition::version),
        at("/api/v1/definitions/{workflow}/diagram").get(definition::drawing),
        at("/api/v1/workflow-schema").get(definition::schema),
        at("/api/v1/calendars").get(due::calendars).post(due::load),
        at("/api/v1/calendars/due").get(due::due),
        at("/api/v1/calendars/recount").get(recount::show),
        at("/api/v1/calendars/recount/moved").get(recount::moved),
        at("/api/v1/calendars/{version}").get(due::calendar),
        at("/api/v1/quarters/{name}").get(due::quarter),
        at("/api/v1/tokens").get(token::list).post(token::issue),
        at("/api/v1/tokens/{id}").way(Method::DELETE, token::revoke),
        at("/api/v1/audit").get(audit::log),
        at("/api/v1/checkpoints").get(audit::checkpoints),
        at("/api/v1/alarms").get(alarm::list),
        at("/api/v1/alarms/{id}/clear").post(alarm::clear),
    ]
}

/// How people are reached.
fn reaching() -> Vec<Place> {
    vec![
        at("/api/v1/people/{id}/contacts").get(contact::contacts),
        at("/api/v1/people/{id}/contacts/{channel}/code").post(contact::send_code),
        at("/api/v1/people/{id}/contacts/{channel}/verify").post(contact::verify),
        at("/api/v1/people/{id}/test").post(contact::trial),
        at("/api/v1/people/{id}/rules").get(contact::rules).way(Method::PUT, contact::put_rules),
        at("/api/v1/people/{id}/mutes").get(mute::list).post(mute::make),
        at("/api/v1/mutes/{id}").way(Method::DELETE, mute::end),
        at("/api/v1/templates/preview").post(template::preview),
        at("/api/v1/people/{id}/messages").get(message::of_person),
        at("/api/v1/channels").get(channel::list),
        at("/api/v1/alerts/rehearsal").get(rehearsal::show),
    ]
}

/// Who is on duty when.
fn duty() -> Vec<Place> {
    use roster::{duty, handover, stand_in, transfer};
    let (put, delete) = (Method::PUT, Method::DELETE);
    vec![
        at("/api/v1/rosters").get(roster::list),
        at("/api/v1/rosters/{code}")
            .get(roster::show)
            .way(put, roster::put)
            .way(delete.clone(), roster::delete),
        at("/api/v1/rosters/{code}/shifts").get(duty::shifts),
        at("/api/v1/rosters/{code}/on-duty").get(duty::on_duty),
        at("/api/v1/rosters/{code}/gaps").get(duty::gaps),
        at("/api/v1/rosters/{code}/stand-ins").get(stand_in::list).post(stand_in::add),
        at("/api/v1/rosters/{code}/stand-ins/{id}").way(delete, stand_in::remove),
        at("/api/v1/rosters/{code}/swaps").post(stand_in::propose),
        at("/api/v1/rosters/{code}/swaps/{id}/agree").post(stand_in::agree),
        at("/api/v1/rosters/{code}/swaps/{id}/decline").post(stand_in::decline),
        at("/api/v1/rosters/{code}/handovers").get(handover::list).post(handover::write),
        at("/api/v1/rosters/{code}/handovers/{id}/read").post(handover::read),
        at("/api/v1/rosters/{code}/export").get(transfer::export),
        at("/api/v1/rosters/{code}/import").post(transfer::import),
        at("/api/v1/people/{id}/duties").get(transfer::duties),
    ]
}

fn outside() -> Vec<Place> {
    vec![
        at("/").get(page::front),
        at("/a/{token}").get(link::look).post(link::press),
        at("/in/{channel}").post(post::take),
        at("/health").get(page::health),
        at("/ready").get(page::ready),
        at("/metrics").get(metrics::show),
        at("/api/openapi.json").get(document::openapi),
        at("/api/docs").get(document::docs),
        at("/api/docs/{file:.*}").get(document::file),
    ]
}

/// Puts everything into a service.
pub(super) fn configure(config: &mut ServiceConfig) {
    for place in table() {
        config.service(place.resource());
    }
}

/// Every path and method that is served, without HEAD and OPTIONS: what a test compares the
/// documentation with.
#[must_use]
pub fn routes() -> Vec<(String, String)> {
    let table = table();
    let pairs = table.iter().flat_map(|place| {
        place.ways.iter().map(|(method, _)| (place.path.to_owned(), method.to_string()))
    });
    pairs.collect()
}
