//! What the router says to a call, and the guard on every registration.

use std::sync::Arc;

use super::error::Error;
use super::{Caller, Gate, Request, Target};
use crate::domain::{Refusal, Text};
use crate::policy::Act;
use crate::routing::{Router, Suggestion};

/// The inputs of a workflow's start that the service fills in itself.
const GUARD: &str = "guard";
const SUGGESTION: &str = "suggestion";
/// The input that holds what the caller said.
const SAID: &str = "text";

impl Gate {
    /// Takes a trained router into use. The first one given stays.
    pub fn use_router(&self, router: Arc<Router>) {
        // A second one would only come from a second start, which has its own gate.
        drop(self.inner.router.set(router));
    }

    /// What is suggested for a text.
    ///
    /// # Errors
    /// That the caller may not ask, or that the router is not trained yet.
    pub fn suggest(&self, caller: &Caller, text: &str) -> Result<Suggestion, Error> {
        self.permit(caller, Act::ReadDirectory)?;
        let router = self.inner.router.get().ok_or_else(|| {
            Error::Refused(Refusal::new(
                "no_router",
                Text::new(
                    "分流建议尚未就绪，或未在routing.folder中配置",
                    "nothing is suggested yet: the router is being trained, or `routing.folder` is empty",
                ),
            ))
        })?;
        Ok(router.suggest(text))
    }

    /// Reads the text of a matter that is to be opened: what the guard makes of it stands in the input,
    /// whatever the client said there.
    pub(super) fn examined(&self, mut request: Request) -> Request {
        let Target::New(workflow) = &request.target else { return request };
        let registry = &self.inner.registry;
        let current = registry.current(request.caller.jurisdiction, workflow);
        // Whatever is wrong here is said when the request is decided.
        let Ok(chart) = current.and_then(|definition| registry.chart(definition)) else {
            return request;
        };
        let asks = |name: &str| chart.start.input.iter().any(|input| input.name == name);
        if chart.start.name != request.command || !asks(GUARD) || !asks(SUGGESTION) {
            return request;
        }
        request.input.remove(GUARD);
        request.input.remove(SUGGESTION);
        let said = request.input.get(SAID).and_then(|text| text.as_str());
        let (Some(said), Some(router)) = (said, self.inner.router.get()) else { return request };
        let suggestion = router.suggest(said);
        request.input.insert(GUARD.to_owned(), suggestion.verdict.as_str().into());
        request.input.insert(SUGGESTION.to_owned(), noted(&suggestion).into());
        request
    }
}

/// A suggestion as it is kept with the matter: codes, thousandths and known words, nothing personal.
fn noted(suggestion: &Suggestion) -> String {
    let ranked = |list: &[crate::routing::suggestion::Candidate]| {
        let shown: Vec<String> =
            list.iter().take(3).map(|one| format!("{} {}‰", one.code, one.per_mille)).collect();
        shown.join("、")
    };
    let mut text = format!(
        "建议单位：{}；类别：{}；涉警可能：{}‰；模型{}",
        ranked(&suggestion.units),
        ranked(&suggestion.categories),
        suggestion.kept_per_mille,
        suggestion.model
    );
    if let Some(question) = &suggestion.question {
        text.push_str(&format!("；询问：{}", question.zh));
    }
    for reason in &suggestion.reasons {
        text.push_str(&format!("；{}", reason.text.zh));
    }
    text.chars().take(LONGEST).collect()
}

/// As much as the field of the workflow takes.
const LONGEST: usize = 2000;
