//! What bounds an answer: how long it is waited for, and how many of the heavy ones are made at once.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{
    FromRequest, Handler, HttpRequest, HttpResponse, Responder, ResponseError as _, rt, web,
};
use futures_util::future::LocalBoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::problem::Problem;
use super::route::Pattern;
use crate::gate;

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The head of a request must be here within this time.
    pub head: Duration,
    /// Its body must be here within this time.
    pub body: Duration,
    /// Its answer must be there within this time.
    pub answer: Duration,
    /// So many heavy requests are answered at once; 0: as many as come.
    pub heavy_at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            heavy_at_once: 2,
        }
    }
}

impl Limits {
    /// The limits of the service that is asked.
    pub(super) fn of(request: &HttpRequest) -> Self {
        request.app_data::<Self>().copied().unwrap_or_default()
    }
}

/// Who is refused a heavy request may ask again after so many seconds.
const AGAIN_SECONDS: u64 = 5;

/// The places of heavy requests. Nobody queues for one: who waits holds a connection and learns nothing.
pub(super) struct Heavy {
    at_once: usize,
    places: Arc<Semaphore>,
}

/// A place, held until the answer is made.
pub(super) struct Seat {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Heavy {
    /// So many at once; 0: as many as come.
    pub(super) fn new(at_once: usize) -> Self {
        Self { at_once, places: Arc::new(Semaphore::new(at_once)) }
    }

    /// How many are being answered, as far as they are counted.
    pub(super) fn under_way(&self) -> usize {
        self.at_once.saturating_sub(self.places.available_permits())
    }

    /// A place.
    ///
    /// # Errors
    /// A problem (503) that says when to ask again, when all are taken.
    pub(super) fn seat(&self) -> Result<Seat, Problem> {
        if self.at_once == 0 {
            return Ok(Seat { _permit: None });
        }
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_taken| full())?;
        Ok(Seat { _permit: Some(permit) })
    }
}

fn full() -> Problem {
    let detail = format!(
        "Too many large requests are being answered; nothing was done. Ask again in {AGAIN_SECONDS} s."
    );
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_at_once", detail);
    problem
        .zh(format!("正在处理的大型请求过多，本次未作任何处理，请{AGAIN_SECONDS}秒后再试"))
        .header(header::RETRY_AFTER, HeaderValue::from(AGAIN_SECONDS))
}

/// A handler as every way has it: its answer is waited for so long, and of heavy ones only a few are made
/// at once. A heavy one goes on to its end though nobody waits any more, because it keeps its place as
/// long as it costs something.
pub(super) struct Bounded<F, Args> {
    handler: F,
    args: PhantomData<fn(Args)>,
}

impl<F, Args> Bounded<F, Args> {
    pub(super) fn new(handler: F) -> Self {
        Self { handler, args: PhantomData }
    }
}

impl<F: Clone, Args> Clone for Bounded<F, Args> {
    fn clone(&self) -> Self {
        Self::new(self.handler.clone())
    }
}

impl<F, Args> Handler<(HttpRequest, web::Payload)> for Bounded<F, Args>
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    type Output = HttpResponse;
    type Future = LocalBoxFuture<'static, HttpResponse>;

    fn call(&self, (request, payload): (HttpRequest, web::Payload)) -> Self::Future {
        let limit = Limits::of(&request).answer;
        let heavy = request.app_data::<Pattern>().is_some_and(|p| p.is_heavy(request.method()));
        let method = request.method().clone();
        let answer = answered(self.handler.clone(), request, payload, heavy);
        Box::pin(async move {
            let answered = if heavy {
                let ended = timeout(limit, rt::spawn(answer)).await;
                ended.map(|ended| {
                    ended.unwrap_or_else(|fell| {
                        Problem::internal(&fell.to_string()).error_response()
                    })
                })
            } else {
                timeout(limit, answer).await
            };
            answered.unwrap_or_else(|_late| late(&method).error_response())
        })
    }
}

/// Reads what is asked, and answers it. Only who may ask, and has asked completely, takes a place from
/// others.
async fn answered<F, Args>(
    handler: F,
    request: HttpRequest,
    payload: web::Payload,
    heavy: bool,
) -> HttpResponse
where
    F: Handler<Args>,
    Args: FromRequest,
    F::Output: Responder + 'static,
{
    let mut payload = payload.into_inner();
    let args = match Args::from_request(&request, &mut payload).await {
        Ok(args) => args,
        Err(error) => return HttpResponse::from_error(error),
    };
    let places = request.app_data::<web::Data<Heavy>>().filter(|_| heavy);
    let seat = match places.map(|places| places.seat()).transpose() {
        Ok(seat) => seat,
        Err(problem) => return problem.error_response(),
    };
    let answer = handler.call(args).await.respond_to(&request).map_into_boxed_body();
    drop(seat);
    answer
}

/// What is said instead of an answer that does not come.
fn late(method: &Method) -> Problem {
    if ![Method::GET, Method::HEAD].contains(method) {
        return gate::Error::Unknown("the answer was not there in time".to_owned()).into();
    }
    tracing::error!("an answer was not there in time");
    let detail = "The answer was not there in time; nothing was changed. Ask again later.";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", detail);
    problem
        .zh("未能在规定时间内得出结果，未作任何更改，请稍后再试")
        .header(header::RETRY_AFTER, HeaderValue::from(AGAIN_SECONDS))
}
