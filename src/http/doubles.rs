//! Registered matters that another one may repeat.

use actix_web::web;
use serde_json::json;

use super::House;
use super::caller::Who;
use super::instance::id;
use super::problem::{Problem, blocking};
use super::suggest::{RepeatView, Tap};
use super::view::{All, Lens};
use crate::domain::Text;
use crate::gate::{Double, number_of};

/// Matters that a registered one may repeat, the likeliest first, each with what one tap would do: merge this
/// one into it, or link both. For what was handed in by a machine or a file, which nobody compared while it
/// was typed. Empty for those who do not see every matter, and when what was said has been erased.
#[utoipa::path(
    get, path = "/api/v1/referrals/{id}/repeats", tag = "matters",
    responses((status = 200, body = All<RepeatView>, description = "Matters it may repeat, without itself.")),
    params(("id" = String, Path, description = "The public id.")),
)]
pub(super) async fn doubles(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<All<RepeatView>>, Problem> {
    let (own, gate) = (id(&house, &path)?, house.gate.clone());
    let lens = Lens::of(&house, &caller)?;
    let found = blocking(move || gate.doubles(&caller, own)).await?;
    let path = format!("/api/v1/referrals/{}/commands", lens.id(own));
    let items =
        found.iter().map(|double| RepeatView::of(&lens, &double.repeat, taps(double, &path)));
    Ok(web::Json(All { items: items.collect() }))
}

fn taps(double: &Double, path: &str) -> Vec<Tap> {
    let number = number_of(double.repeat.seen.instance.family);
    let mut joinings: Vec<_> = double.joinings.iter().collect();
    joinings.sort_by_key(|one| !one.merges);
    let tap = |(joining, number): (&crate::gate::Joining, &str)| {
        let (kind, title) = if joining.merges {
            ("merge", Text::new("并入该事项", "Merge this one into it"))
        } else {
            ("link", Text::new("与该事项关联", "Link it to that one"))
        };
        let body = json!({ "command": joining.command, "input": { &joining.input: number } });
        Tap { kind, title, path: path.to_owned(), body }
    };
    joinings.into_iter().map(|joining| tap((joining, &number))).collect()
}
