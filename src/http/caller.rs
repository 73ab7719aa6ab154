//! Who asks: the bearer token.

use std::future::{Ready, ready};

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, dev, web};

use super::House;
use super::problem::Problem;
use crate::gate::{self, Caller};

/// A caller whose token is good.
pub(super) struct Who(pub(super) Caller);

impl FromRequest for Who {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(who(request).map(Self))
    }
}

fn who(request: &HttpRequest) -> Result<Caller, Problem> {
    let house = request.app_data::<web::Data<House>>();
    let house = house.ok_or_else(|| Problem::internal("the house is not among the data"))?;
    let token = token(request).ok_or_else(|| {
        Problem::unauthorized("Send `Authorization: Bearer` with an access token.")
    })?;
    house.gate.caller_of(token).map_err(|error| match error {
        gate::Error::NotFound => Problem::unauthorized("This access token is not good."),
        other => other.into(),
    })
}

/// The token of a request.
pub(super) fn token(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}
