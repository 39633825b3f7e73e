//! Rules about what may be asked and answered, and to which requests they apply. What they find and make of it is in
//! the crate `guardrails`; `docs/guardrails.md` says what they do from the outside.

mod trial;

#[cfg(test)]
mod tests;

pub use ::guardrails::{Ask, BodyKind, Passed, ReplyGuard, Report, check};

use std::collections::BTreeMap;
use std::sync::Arc;

use ::guardrails::{
    About, Active, Blocked, Counts, LooksFor, Outside, Refusal, Rule, Ruleset, Tally,
};
use bytes::Bytes;
use llm::Text;
use llm::chat::{ChatRequest, ChatResponse};
use llm::error::ApiError;
use shared::policies::{Guardrail, Selector, Side, TestReport, TestedText, Triggered};

use crate::auth::Caller;
use crate::selection::{Selection, Subject};

/// The rules in force.
#[derive(Clone, Debug, Default)]
pub struct Guardrails {
    rules: Arc<Chosen>,
    /// What the rules were made of.
    source: Arc<BTreeMap<String, Guardrail>>,
    counts: Counts,
}

/// Rules, and which requests each is about.
#[derive(Debug, Default)]
struct Chosen {
    ruleset: Arc<Ruleset>,
    /// Of the rules about all requests, those about either side.
    on_requests: Option<Active>,
    on_replies: Option<Active>,
    /// The other rules.
    selection: Selection<usize>,
    /// Whether any of all of them asks others.
    asks_others: bool,
}

impl Chosen {
    fn new(ruleset: Ruleset) -> Self {
        let ruleset = Arc::new(ruleset);
        let rules = ruleset.rules.iter().enumerate();
        let (always, sometimes): (Vec<_>, Vec<_>) = rules
            .map(|(index, rule)| (rule.applies_to.clone(), index))
            .partition(|(selector, _)| *selector == Selector::default());
        let always = || always.iter().map(|(_, index)| *index);
        let asks = |rule: &Rule| matches!(rule.looks_for, LooksFor::Outside(_));
        Self {
            asks_others: ruleset.rules.iter().any(asks),
            on_requests: ruleset.active(Side::Request, always()),
            on_replies: ruleset.active(Side::Reply, always()),
            selection: sometimes.into_iter().collect(),
            ruleset,
        }
    }

    /// The rules about such a request, on one side; `None`: there are none.
    fn active(&self, side: Side, subject: Subject<'_>) -> Option<Active> {
        let always = match side {
            Side::Request => self.on_requests.clone(),
            Side::Reply => self.on_replies.clone(),
            Side::Both => None,
        };
        if self.selection.is_empty() {
            return always;
        }
        let matching = self.selection.matching(subject).copied();
        let own = self.ruleset.active(side, matching);
        match (always, own) {
            (Some(always), Some(own)) => Some(always.and(own)),
            (always, own) => always.or(own),
        }
    }
}

/// What the rules say of a request.
#[derive(Debug)]
pub enum Checked {
    /// It goes on as it came.
    Unchanged,
    /// This goes on in its place.
    Changed(Box<ChatRequest>),
    /// It goes nowhere: this is the answer.
    Answered(Box<ChatResponse>),
}

/// A request, as far as rules choose by it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub caller: &'a Caller,
    /// The client's name of the model.
    pub model: Option<&'a str>,
}

impl Asked<'_> {
    fn about(&self, side: Side) -> About {
        About {
            side,
            key: self.caller.key_name().map(|name| name.to_string()),
            model: self.model.map(str::to_owned),
        }
    }
}

impl Guardrails {
    pub fn new(rules: &BTreeMap<String, Guardrail>) -> Self {
        Self {
            rules: Arc::new(Chosen::new(Ruleset::new(rules))),
            source: Arc::new(rules.clone()),
            counts: Counts::default(),
        }
    }

    /// The rules after a change, which go on counting. They are compiled only if they are others.
    #[must_use]
    pub fn rebuilt(&self, rules: &BTreeMap<String, Guardrail>) -> Self {
        if *self.source == *rules {
            return self.clone();
        }
        Self {
            counts: self.counts.clone(),
            ..Self::new(rules)
        }
    }

    /// Where what the rules do to one request is noted; `None`: there are none.
    pub fn report(&self) -> Option<Report> {
        let any = !self.rules.ruleset.rules.is_empty();
        any.then(|| Report::new(self.counts.clone()))
    }

    /// The same of a request that goes nowhere: what rules find is neither counted nor logged.
    pub fn rehearsal(&self) -> Report {
        Report::unheard()
    }

    /// Whether some rule asks others.
    pub fn asks_others(&self) -> bool {
        self.rules.asks_others
    }

    /// How often rules have done something since the start.
    pub fn triggered(&self) -> Vec<Triggered> {
        self.counts.all()
    }

    /// Passes a chat request through the rules. `others` are there where some rule [asks](Self::asks_others).
    ///
    /// # Errors
    /// What a rule says about a request that it refuses.
    pub async fn check_request(
        &self,
        caller: &Caller,
        request: &ChatRequest,
        report: Option<&Report>,
        others: Option<&Arc<dyn Ask>>,
    ) -> Result<Checked, ApiError> {
        let asked = Asked {
            caller,
            model: request.model.as_deref(),
        };
        let Some(active) = self.active(asked, Side::Request) else {
            return Ok(Checked::Unchanged);
        };
        let passed = self
            .pass(
                &active,
                asked,
                &request.body,
                BodyKind::Chat,
                report,
                others,
            )
            .await;
        match passed {
            Ok(None) => Ok(Checked::Unchanged),
            Ok(Some(body)) => Ok(Checked::Changed(Box::new(request.with_body(body)?))),
            Err(blocked) => match Refusal::of(&active, blocked) {
                Refusal::Error(error) => Err(error),
                Refusal::Answer(message) => Ok(Checked::Answered(answer(request, &message))),
            },
        }
    }

    /// Passes a body of any other request through the rules: `Some`: this goes on in its place.
    ///
    /// # Errors
    /// As [`check_request`](Self::check_request).
    pub async fn check_body(
        &self,
        asked: Asked<'_>,
        body: &Bytes,
        kind: BodyKind,
        report: Option<&Report>,
        others: Option<&Arc<dyn Ask>>,
    ) -> Result<Option<Bytes>, ApiError> {
        let Some(active) = self.active(asked, Side::Request) else {
            return Ok(None);
        };
        let passed = self.pass(&active, asked, body, kind, report, others).await;
        passed.map_err(|blocked| Refusal::of(&active, blocked).into_error())
    }

    /// The rules about the reply to a request; `None`: there are none.
    pub fn on_reply(
        &self,
        caller: &Caller,
        request: &ChatRequest,
        report: Option<&Report>,
        others: Option<&Arc<dyn Ask>>,
    ) -> Option<ReplyGuard> {
        let asked = Asked {
            caller,
            model: request.model.as_deref(),
        };
        let active = self.active(asked, Side::Reply)?;
        let report = report?.on(Side::Reply);
        let outside = others.cloned().map(Outside);
        let about = asked.about(Side::Reply);
        Some(ReplyGuard::new(active, about, outside, report))
    }

    /// Whether there are rules about the reply to such a request that do more than note what they find.
    pub fn act_on_replies(&self, asked: Asked<'_>) -> bool {
        self.active(asked, Side::Reply)
            .is_some_and(|active| active.acts())
    }

    /// What the rules do with a text that somebody tries them on. Nobody else is asked.
    pub async fn test(&self, tested: &TestedText, project: Option<&str>) -> TestReport {
        trial::test(self, tested, project).await
    }

    fn active(&self, asked: Asked<'_>, side: Side) -> Option<Active> {
        self.rules.active(side, asked.caller.subject(asked.model))
    }

    async fn pass(
        &self,
        active: &Active,
        asked: Asked<'_>,
        body: &Bytes,
        kind: BodyKind,
        report: Option<&Report>,
        others: Option<&Arc<dyn Ask>>,
    ) -> Result<Option<Bytes>, Blocked> {
        let mut tally = Tally::default();
        let mut passed = ::guardrails::pass_body(active, body, kind, &mut tally);
        if let Ok(new) = &passed
            && let Some(others) = others.filter(|_| active.asks_others())
        {
            let text = ::guardrails::all_text(new.as_ref().unwrap_or(body), kind);
            let outside = Outside(Arc::clone(others));
            let about = asked.about(Side::Request);
            if let Err(blocked) = outside.ask(active, &about, &text, &mut tally).await {
                passed = Err(blocked);
            }
        }
        if let Some(report) = report {
            report.take(active, &mut tally);
        }
        passed
    }
}

/// An answer of the gateway's own: as if the model had declined.
fn answer(request: &ChatRequest, message: &str) -> Box<ChatResponse> {
    Box::new(ChatResponse {
        id: Text::default(),
        model: Text::from(request.model.as_deref().unwrap_or_default()),
        created: Some(request.stamp.at),
        choices: (0..request.choices.clamp(1, MOST_CHOICES))
            .map(|index| ::guardrails::refused_choice(index, message))
            .collect(),
        usage: None,
        untold: false,
        raw: None,
    })
}

/// OpenAI's own limit on `n`.
const MOST_CHOICES: u32 = 128;
