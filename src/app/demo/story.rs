//! What may become of a call: the stories that the demonstration plays.

mod guard;
mod office;
mod plot;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::driver::{Driver, Error, Outcome};
use super::script::Script;
use crate::domain::{Directory, Role};
use plot::{PLOTS, Plot};

/// A call record of the sample data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    #[serde(rename = "id")]
    _id: String,
    pub(super) text: String,
    pub(super) place: Option<String>,
    pub(super) units: Vec<String>,
    pub(super) co_units: Vec<String>,
    pub(super) divert: bool,
    pub(super) emergency: bool,
    pub(super) kind: String,
    pub(super) tier: i64,
}

/// One call and its number in the play.
pub(super) struct Matter<'m> {
    pub(super) driver: &'m Driver,
    pub(super) directory: &'m Directory,
    pub(super) script: &'m Script,
    pub(super) call: &'m Call,
    pub(super) number: usize,
}

use Role::{Director, Dispatcher, Duty, Leader, Liaison, ShiftLeader};

impl Matter<'_> {
    /// A number below `below` that depends on the call only: every run plays alike.
    fn dice(&self, salt: i64, below: i64) -> i64 {
        let seed = i64::try_from(self.number).unwrap_or(0).wrapping_mul(7919) + salt * 104_729;
        seed.rem_euclid(1_000_003).rem_euclid(below.max(1))
    }

    fn plot(&self) -> Plot {
        PLOTS.get(self.number % PLOTS.len()).copied().unwrap_or(Plot::Prompt)
    }

    /// The unit that the call is for.
    fn unit(&self) -> &str {
        self.call.units.first().unwrap_or(&self.script.otherwise)
    }

    /// A category of the catalogue that the unit handles first (or, for kept calls, the police).
    fn category(&self, unit: &str, kept: bool) -> String {
        let categories = || self.directory.categories.values();
        let first = |code: &str| categories().find(|c| c.code == code).map(|c| c.code.clone());
        let fitting: Vec<&str> = categories()
            .filter(|category| category.police_kept == kept)
            .filter(|category| kept || category.units.first().is_some_and(|first| first == unit))
            .map(|category| category.code.as_str())
            .collect();
        let pick = usize::try_from(self.dice(3, 97)).unwrap_or(0);
        let len = fitting.len().max(1);
        fitting.get(pick % len).map(|code| (*code).to_owned()).unwrap_or_else(|| {
            first("other")
                .or_else(|| categories().next().map(|c| c.code.clone()))
                .unwrap_or_default()
        })
    }

    /// Plays the call from the first word to the end.
    pub(super) async fn play(&self) -> Result<(), Error> {
        let unit = self.unit();
        let kept = !self.call.divert;
        let mut input = json!({
            "text": self.call.text,
            "place": self.call.place.as_deref().unwrap_or("地点不详"),
            "category": self.category(unit, kept),
            "kind": self.call.kind,
            "caller_name": format!("来电人{:03}", self.number),
            "caller_phone": format!("000{:08}", self.number),
        });
        let grave = self.call.tier >= 2;
        if grave && let Some(fields) = input.as_object_mut() {
            let tier = ["ordinary", "ordinary", "larger", "major", "extraordinary"];
            let index = usize::try_from(self.call.tier).unwrap_or(1);
            fields.insert("tier".to_owned(), (*tier.get(index).unwrap_or(&"larger")).into());
        }
        let opened = self.driver.open("desk", Dispatcher, "referral", input).await?;
        let Outcome::Done(answer) = opened else { return Ok(()) };
        let id = answer["id"].as_str().unwrap_or_default().to_owned();
        self.guarded(&id, unit, kept).await?;
        let urgent = kept || grave || self.call.emergency;
        self.driver.wait(if urgent { 1 } else { 2 + self.dice(1, 7) }).await;
        // What the emergency office needs and what the unit does go on side by side.
        tokio::try_join!(self.settle(&id, unit, kept), self.report(&id, grave))?;
        Ok(())
    }

    async fn settle(&self, id: &str, unit: &str, kept: bool) -> Result<(), Error> {
        if !kept {
            return self.divert(id, unit).await;
        }
        let input = json!({ "reason": "属公安机关受理范围，立即派警" });
        self.give("desk", Dispatcher, id, "send_police", input).await?;
        self.police(id).await
    }

    async fn report(&self, id: &str, grave: bool) -> Result<(), Error> {
        if grave { self.incident(id).await } else { Ok(()) }
    }

    async fn give(
        &self,
        party: &str,
        role: Role,
        id: &str,
        command: &str,
        input: Json,
    ) -> Result<bool, Error> {
        let outcome = self.driver.give(party, role, id, command, input).await?;
        Ok(matches!(outcome, Outcome::Done(_)))
    }

    async fn route(&self, id: &str, unit: &str) -> Result<bool, Error> {
        self.give("desk", Dispatcher, id, "route", json!({ "unit": unit })).await
    }

    async fn divert(&self, id: &str, unit: &str) -> Result<(), Error> {
        match self.plot() {
            Plot::AtDesk => {
                let answer = json!({ "answer": "已告知办理流程和咨询电话，来电人表示清楚。" });
                self.give("desk", Dispatcher, id, "answer_at_desk", answer).await?;
                Ok(())
            }
            Plot::Withdrawn => {
                self.route(id, unit).await?;
                self.driver.wait(30 + self.dice(2, 90)).await;
                let wish = json!({ "wish": "问题已自行解决，不再需要办理" });
                self.give("desk", Dispatcher, id, "withdraw", wish).await?;
                Ok(())
            }
            Plot::OnTheSpot => {
                self.route(id, unit).await?;
                self.driver.wait(10 + self.dice(2, 60)).await;
                let answer = json!({ "answer": "已当场电话解释政策并告知办理地点。", "caller_told": "by_phone" });
                self.give(unit, Liaison, id, "answer_on_the_spot", answer).await?;
                self.call_back(id).await
            }
            Plot::Returned => {
                self.returned(id, unit).await?;
                self.handle(id, unit, false).await
            }
            Plot::Disputed => self.disputed(id, unit).await,
            Plot::Asleep => {
                self.route(id, unit).await?;
                // Nobody signs: the limits run out, the emergency office is told.
                self.driver.wait(4 * 24 * 60 + self.dice(2, 600)).await;
                self.finish(id, unit).await
            }
            plot => {
                self.route(id, unit).await?;
                self.handle(id, unit, plot == Plot::Late).await
            }
        }
    }

    /// The first unit is the wrong one; the desk agrees and sends the matter on.
    async fn returned(&self, id: &str, unit: &str) -> Result<(), Error> {
        let wrong = self.wrong_unit(unit);
        self.route(id, &wrong).await?;
        self.driver.wait(20 + self.dice(2, 60)).await;
        self.give(&wrong, Liaison, id, "return_to_desk", self.return_slip(unit)).await?;
        self.driver.wait(5 + self.dice(4, 15)).await;
        let reason = json!({ "reason": "经核实不属该单位职责" });
        self.give("desk", ShiftLeader, id, "uphold_return", reason).await?;
        self.driver.wait(2).await;
        self.route(id, unit).await?;
        Ok(())
    }

    /// The unit returns, the desk does not agree, the unit contests, the government rules.
    async fn disputed(&self, id: &str, unit: &str) -> Result<(), Error> {
        let other = self.wrong_unit(unit);
        self.route(id, unit).await?;
        self.driver.wait(30 + self.dice(2, 60)).await;
        self.give(unit, Liaison, id, "return_to_desk", self.return_slip(&other)).await?;
        self.driver.wait(6).await;
        let reason = json!({ "reason": "方案明确由该单位受理" });
        self.give("desk", ShiftLeader, id, "reject_return", reason).await?;
        self.driver.wait(30).await;
        let position = json!({ "position": "我单位无相应执法权限，请求指定管辖" });
        self.give(unit, Leader, id, "contest", position).await?;
        // Some rulings come late, so that the ladder of the county leader is seen.
        self.driver.wait(if self.dice(5, 2) == 0 { 120 } else { 2 * 24 * 60 }).await;
        let ruling = json!({ "unit": unit, "reason": "按照职责分工方案，由该单位牵头办理" });
        self.give("emergency_office", Director, id, "rule", ruling).await?;
        self.handle(id, unit, false).await
    }

    fn return_slip(&self, suggested: &str) -> Json {
        json!({
            "reason": "not_our_duty",
            "basis": self.script.clause,
            "disputed_clause": self.script.clause,
            "spot_answer": "impossible",
            "spot_answer_why": "需现场执法，无法当场答复",
            "suggested_unit": suggested,
            "leader_name": "分管负责人",
        })
    }

    /// A unit that has people and is not the right one.
    fn wrong_unit(&self, right: &str) -> String {
        let codes: Vec<&String> = self
            .directory
            .units
            .values()
            .filter(|unit| unit.kind == "department" && unit.parent.is_none())
            .map(|unit| &unit.code)
            .filter(|code| {
                code.as_str() != right && !self.directory.bodies.values().any(|b| b == *code)
            })
            .filter(|code| self.driver.has(code, Liaison))
            .collect();
        let pick = usize::try_from(self.dice(6, 1009)).unwrap_or(0);
        codes
            .get(pick % codes.len().max(1))
            .map_or_else(|| right.to_owned(), |code| (*code).clone())
    }

    /// Accepting, speaking with the caller, working, resolving, calling back.
    async fn handle(&self, id: &str, unit: &str, late: bool) -> Result<(), Error> {
        self.driver.wait(8 + self.dice(7, 80)).await;
        self.give(unit, Liaison, id, "see", json!({})).await?;
        if !self.give(unit, Liaison, id, "accept", json!({})).await? {
            self.give(unit, Leader, id, "accept_as_leader", json!({})).await?;
        }
        self.driver.wait(10 + self.dice(8, 120)).await;
        let contact = json!({ "how": "phone", "reached": true, "note": "已了解情况" });
        self.give(unit, Liaison, id, "contacted_caller", contact).await?;
        if !self.call.co_units.is_empty() {
            self.invite(id).await?;
        }
        match self.plot() {
            Plot::Suspended => self.suspend(id, unit).await?,
            Plot::Promised => self.promise(id, unit).await?,
            Plot::Repeated => self.repeat(id).await?,
            Plot::Growing => self.grow(id, unit).await?,
            _ => {}
        }
        let note = json!({ "note": "已派人到现场查看，正在处理" });
        self.give(unit, Liaison, id, "progress", note).await?;
        self.driver.wait(if late { 4 * 24 * 60 } else { 4 * 60 + self.dice(9, 20 * 60) }).await;
        self.finish(id, unit).await
    }

    async fn suspend(&self, id: &str, unit: &str) -> Result<(), Error> {
        let input = json!({ "ground": "test", "law": "《产品质量监督抽查管理办法》检验期间" });
        self.give(unit, Leader, id, "suspend", input).await?;
        self.driver.wait(90).await;
        self.give("emergency_office", Duty, id, "confirm_suspension", json!({})).await?;
        self.driver.wait(26 * 60).await;
        self.give(unit, Liaison, id, "resume", json!({})).await?;
        Ok(())
    }

    async fn promise(&self, id: &str, unit: &str) -> Result<(), Error> {
        let input = json!({ "class": "major_complex", "reason": "涉及多个产权单位，需协调" });
        self.give(unit, Leader, id, "ask_class", input).await?;
        self.driver.wait(60).await;
        self.give("desk", ShiftLeader, id, "grant_class", json!({})).await?;
        let day = self.driver.clock_date(8);
        let input =
            json!({ "date": day, "reason": "需协调多个单位，已向群众说明", "caller_told": "told" });
        self.give(unit, Leader, id, "promise", input).await?;
        Ok(())
    }

    async fn repeat(&self, id: &str) -> Result<(), Error> {
        for _ in 0..3 {
            self.driver.wait(45).await;
            let input = json!({ "text": "来电人再次询问办理进度" });
            self.give("desk", Dispatcher, id, "attach_repeat_call", input).await?;
        }
        self.give("desk", Dispatcher, id, "urge", json!({})).await?;
        Ok(())
    }

    /// Resolves, whatever state the matter has got into; then the desk calls back.
    async fn finish(&self, id: &str, unit: &str) -> Result<(), Error> {
        let result = json!({ "result": "已现场处置完毕，问题解决。", "caller_told": "by_phone" });
        if !self.give(unit, Liaison, id, "resolve", result.clone()).await? {
            self.give(unit, Leader, id, "accept", json!({})).await?;
            let contact = json!({ "how": "phone", "reached": true });
            self.give(unit, Leader, id, "contacted_caller", contact).await?;
            self.supervision(id, unit).await?;
            if !self.give(unit, Leader, id, "resolve_as_leader", result.clone()).await? {
                self.give(unit, Leader, id, "resolve", result).await?;
            }
        }
        self.driver.wait(60 + self.dice(11, 300)).await;
        if self.plot() == Plot::Reopened {
            let input = json!({ "ground": "unsolved", "facts": "回访群众反映问题仍然存在" });
            if self.give("desk", Dispatcher, id, "reopen", input).await? {
                self.driver.wait(3 * 60).await;
                let contact = json!({ "how": "visit", "reached": true });
                self.give(unit, Liaison, id, "contacted_caller", contact).await?;
                let again =
                    json!({ "result": "已再次处置并经群众确认。", "caller_told": "by_visit" });
                self.give(unit, Liaison, id, "resolve", again).await?;
                self.driver.wait(60).await;
            }
        }
        self.supervision(id, unit).await?;
        self.call_back(id).await
    }

    async fn call_back(&self, id: &str) -> Result<(), Error> {
        // One caller in eight is not reached: the matter closes by itself as not verified.
        if self.dice(12, 8) == 0 {
            return Ok(());
        }
        self.driver.wait(30 + self.dice(13, 120)).await;
        let word = if self.dice(14, 6) == 0 { "fair" } else { "satisfied" };
        self.give("desk", Dispatcher, id, "confirm", json!({ "satisfaction": word })).await?;
        Ok(())
    }

    async fn children(&self, id: &str, workflow: &str) -> Result<Vec<Json>, Error> {
        let path = format!("/instances/{id}/children");
        let answer = self.driver.look("emergency_office", Duty, &path).await?;
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        Ok(items.into_iter().filter(|child| child["workflow"] == workflow).collect())
    }
}
