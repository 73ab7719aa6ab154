//! Every path and what may be done there: one table, which the service is built from and which the
//! documentation is compared with.

mod table;
#[cfg(test)]
mod tests;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::ServiceConfig;
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder, Route, guard, web};

use super::bounds::Bounded;
use super::problem::Problem;
use crate::policy::Act;

/// What somebody must be allowed to ask a path at all. A path without one does not compile; what may
/// be done to which thing is judged behind the door, by the same table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// Nothing: anybody may ask.
    Nobody,
    /// To be known.
    Anyone,
    /// This act, to anything at all.
    May(Act),
}

use Demand::{Anyone, May, Nobody};

impl Demand {
    /// Its word in the matrix of rights.
    fn code(self) -> &'static str {
        match self {
            Nobody => "(public)",
            Anyone => "(signed in)",
            May(act) => act.code(),
        }
    }
}

/// A path as requests on it know it: its pattern, for logs and metrics, and what holds for each method.
pub(super) struct Pattern {
    pub(super) path: &'static str,
    rules: Vec<(Method, Rule)>,
}

/// What holds for one method of a path.
#[derive(Debug, Clone, Copy)]
struct Rule {
    demand: Demand,
    /// Whether the answer costs so much that only a few are made at once.
    heavy: bool,
}

impl Pattern {
    /// What a method demands; what no method is demands to be known.
    pub(super) fn demand(&self, method: &Method) -> Demand {
        self.rule(method).map_or(Anyone, |rule| rule.demand)
    }

    /// Whether only a few of these are answered at once.
    pub(super) fn is_heavy(&self, method: &Method) -> bool {
        self.rule(method).is_some_and(|rule| rule.heavy)
    }

    /// Whether it names a single thing.
    pub(super) fn names_something(&self) -> bool {
        self.path.contains('{')
    }

    fn rule(&self, method: &Method) -> Option<Rule> {
        let asked = if method == Method::HEAD { &Method::GET } else { method };
        let mut rules = self.rules.iter();
        rules.find(|(method, _)| method == asked).map(|(_, rule)| *rule)
    }
}

/// Which paths are served at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// All of them.
    Whole,
    /// All but those of management, which have an address of their own.
    Public,
    /// Those of management, and whether the service lives.
    Management,
}

/// By whom a path is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    People,
    Management,
    Both,
}

impl Face {
    fn shows(self, side: Side) -> bool {
        match self {
            Self::Whole => true,
            Self::Public => side != Side::Management,
            Self::Management => side != Side::People,
        }
    }
}

/// One method of a path.
struct Way {
    method: Method,
    rule: Rule,
    route: Route,
}

/// A path and its methods.
struct Place {
    path: &'static str,
    ways: Vec<Way>,
    /// Whether it is asked for without a body: with GET comes HEAD.
    headed: bool,
    side: Side,
}

fn at(path: &'static str) -> Place {
    Place { path, ways: Vec::new(), headed: true, side: Side::People }
}

impl Place {
    fn way<F, Args>(mut self, method: Method, demand: Demand, handler: F) -> Self
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
        let route = route.to(Bounded::new(handler));
        self.ways.push(Way { method, rule: Rule { demand, heavy: false }, route });
        self
    }

    fn get<F, Args>(self, demand: Demand, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.way(Method::GET, demand, handler)
    }

    fn post<F, Args>(self, demand: Demand, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.way(Method::POST, demand, handler)
    }

    fn put<F, Args>(self, demand: Demand, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.way(Method::PUT, demand, handler)
    }

    fn delete<F, Args>(self, demand: Demand, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.way(Method::DELETE, demand, handler)
    }

    /// The same, of whose last method only a few are answered at once: each costs as much as many others.
    fn heavy(mut self) -> Self {
        if let Some(way) = self.ways.last_mut() {
            way.rule.heavy = true;
        }
        self
    }

    /// The same for those who run the service: not served to the public where management has an address
    /// of its own.
    fn of_management(mut self) -> Self {
        self.side = Side::Management;
        self
    }

    /// The same, served at both addresses.
    fn everywhere(mut self) -> Self {
        self.side = Side::Both;
        self
    }

    /// The same without HEAD: its answer would never end.
    fn unheaded(mut self) -> Self {
        self.headed = false;
        self
    }

    /// The methods, as the `Allow` header lists them.
    fn allow(&self) -> String {
        let mut methods: Vec<&str> = self.ways.iter().map(|way| way.method.as_str()).collect();
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
        let rules = self.ways.iter().map(|way| (way.method.clone(), way.rule)).collect();
        let pattern = Pattern { path: self.path, rules };
        let mut resource = web::resource(self.path).app_data(pattern);
        for way in self.ways {
            resource = resource.route(way.route);
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

/// Puts what is served at an address into its service.
pub(super) fn configure(config: &mut ServiceConfig, face: Face) {
    for place in table::table().into_iter().filter(|place| face.shows(place.side)) {
        config.service(place.resource());
    }
}

/// Every path and method that is served, without HEAD and OPTIONS: what a test compares the
/// documentation with.
#[must_use]
pub fn routes() -> Vec<(String, String)> {
    demands().into_iter().map(|(path, method, _)| (path, method)).collect()
}

/// Every path and method with what it demands: `(public)`, `(signed in)`, or an act of the policy
/// table.
#[must_use]
pub fn demands() -> Vec<(String, String, &'static str)> {
    let table = table::table();
    let all = table.iter().flat_map(|place| {
        let ways = place.ways.iter();
        ways.map(|way| (place.path.to_owned(), way.method.to_string(), way.rule.demand.code()))
    });
    all.collect()
}

/// Every path and method of which only a few are answered at once.
#[must_use]
pub fn heavy() -> Vec<(String, String)> {
    let table = table::table();
    let all = table.iter().flat_map(|place| {
        let ways = place.ways.iter().filter(|way| way.rule.heavy);
        ways.map(|way| (place.path.to_owned(), way.method.to_string()))
    });
    all.collect()
}

/// Where management has an address of its own: the paths that only that one serves, and those that both
/// do.
#[must_use]
pub fn managed() -> (Vec<&'static str>, Vec<&'static str>) {
    let table = table::table();
    let of = |side| table.iter().filter(move |place| place.side == side).map(|place| place.path);
    (of(Side::Management).collect(), of(Side::Both).collect())
}
