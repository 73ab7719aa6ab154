//! What holds for every way, whoever answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::test::{self, TestRequest};
use actix_web::{App, web};
use tokio::sync::Notify;

use super::*;
use crate::http::bounds::{Heavy, Limits};

async fn never() -> HttpResponse {
    std::future::pending().await
}

// Check 33.
#[actix_web::test]
async fn an_answer_that_does_not_come_is_not_waited_for_and_what_that_means_is_said() {
    let limits = Limits { answer: Duration::from_millis(20), ..Limits::default() };
    let light = at("/light").get(Nobody, never).post(Nobody, never);
    let heavy = at("/heavy").get(Nobody, never).heavy().post(Nobody, never).heavy();
    let app = App::new().app_data(limits).service(light.resource()).service(heavy.resource());
    let app = test::init_service(app).await;
    for path in ["/light", "/heavy"] {
        for (method, code) in [(Method::GET, "too_slow"), (Method::POST, "outcome_unknown")] {
            let request = TestRequest::with_uri(path).method(method).to_request();
            let answer = test::call_service(&app, request).await;
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert!(answer.headers().contains_key(header::RETRY_AFTER), "{path}");
            let said: serde_json::Value = test::read_body_json(answer).await;
            assert_eq!(said["code"], code, "{path}");
        }
    }
}

#[derive(Default)]
struct Work {
    begun: Notify,
    go_on: Notify,
    done: AtomicBool,
}

async fn work(work: web::Data<Work>) -> HttpResponse {
    work.begun.notify_one();
    work.go_on.notified().await;
    work.done.store(true, Ordering::SeqCst);
    HttpResponse::NoContent().finish()
}

// Check 35.
#[actix_web::test]
async fn a_heavy_request_goes_on_when_its_client_has_left_so_that_leaving_makes_no_room() {
    let kept = web::Data::new(Work::default());
    let place = at("/heavy").get(Nobody, work).heavy();
    let places = web::Data::new(Heavy::new(1));
    let app = App::new().app_data(kept.clone()).app_data(places.clone()).service(place.resource());
    let app = test::init_service(app).await;
    let mut asked =
        Box::pin(test::call_service(&app, TestRequest::with_uri("/heavy").to_request()));
    tokio::select! {
        _ = &mut asked => panic!("it was answered before it was done"),
        () = kept.begun.notified() => {}
    }
    drop(asked);
    let again = TestRequest::with_uri("/heavy").to_request();
    let refused = test::call_service(&app, again).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers().get(header::RETRY_AFTER).unwrap(), "5");
    let said: serde_json::Value = test::read_body_json(refused).await;
    assert_eq!(said["code"], "too_many_at_once");
    kept.go_on.notify_one();
    while places.under_way() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(kept.done.load(Ordering::SeqCst), "it was done to its end");
}

// Check 35.
#[test]
fn no_more_heavy_requests_are_answered_at_once_than_the_settings_say() {
    let heavy = Heavy::new(2);
    let seats = (heavy.seat().unwrap(), heavy.seat().unwrap());
    assert_eq!(heavy.under_way(), 2);
    assert!(heavy.seat().is_err());
    drop(seats.0);
    let third = heavy.seat().unwrap();
    assert!(heavy.seat().is_err());
    drop((seats.1, third));
    assert_eq!(heavy.under_way(), 0);
    let open = Heavy::new(0);
    let many: Vec<_> = (0..100).map(|_| open.seat().unwrap()).collect();
    assert_eq!(many.len(), 100, "as many as come");
}
