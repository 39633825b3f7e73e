//! Trying rules on a text.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::guardrails::{
    About, Active, Blocked, BodyKind, LooksFor, Refusal, ReplyGuard, Report, Ruleset, Tally,
    all_text, pass_body,
};
use bytes::Bytes;
use llm::Text;
use llm::chat::{Block, ChatResponse, Choice, Content, FinishReason};
use shared::policies::{Guardrail, RuleTest, RuleVerdict, Side, TestReport, TestedText};
use tokio::sync::Semaphore;

use super::{Chosen, Guardrails};
use crate::selection::Subject;
use crate::tasks::unblocked;

/// The name of a rule that has none yet.
const NEW: &str = "(new)";

/// Rules are compiled for one trial at a time: a thousand of them with expressions keep a core busy for seconds.
static COMPILING: Semaphore = Semaphore::const_new(1);

/// What the rules do with a text, which nobody sends.
pub(super) async fn test(
    guardrails: &Guardrails,
    tested: &TestedText,
    project: Option<&str>,
) -> TestReport {
    let rules = match &tested.rule {
        Some(rule) => with_rule(guardrails, tested.name.as_deref(), rule).await,
        None => Arc::clone(&guardrails.rules),
    };
    let mut report = TestReport {
        text: Some(tested.text.clone()),
        refusal: None,
        rules: Vec::new(),
    };
    let side = match tested.side {
        Side::Reply => Side::Reply,
        Side::Request | Side::Both => Side::Request,
    };
    let subject = Subject {
        key: tested.key.as_deref(),
        project,
        model: tested.model.as_deref(),
        ..Subject::default()
    };
    let active = rules.active(side, subject);
    let text = &*tested.text;
    let mut tally = Tally::in_detail();
    if let Some(active) = &active {
        let passed = match side {
            Side::Reply => try_reply(active, text, &mut tally).await,
            _ => try_request(active, text, &mut tally),
        };
        match passed {
            Ok(new) => report.text = Some(new),
            Err(blocked) => {
                report.text = None;
                report.refusal = Some(match Refusal::of(active, blocked) {
                    Refusal::Answer(message) => message,
                    Refusal::Error(error) => error.message,
                });
            }
        }
    }
    let blocked_by = tally
        .verdicts
        .iter()
        .find(|(_, verdict)| *verdict == RuleVerdict::Blocked)
        .map(|(rule, _)| *rule);
    for (index, rule) in rules.ruleset.rules.iter().enumerate() {
        let holds = active.as_ref().is_some_and(|active| active.has(index));
        let skipped = !holds || blocked_by.is_some_and(|by| by < index);
        let verdict = match tally.verdict(index) {
            Some(verdict) => verdict,
            None if skipped => RuleVerdict::Skipped,
            None if matches!(rule.looks_for, LooksFor::Outside(_)) => RuleVerdict::Failed,
            None => RuleVerdict::Passed,
        };
        let mut found: Vec<String> = tally
            .found
            .iter()
            .flatten()
            .filter(|finding| finding.rule == index)
            .map(|finding| described(&finding.what, finding.place, text))
            .collect();
        if verdict == RuleVerdict::Failed {
            found.push("others are asked about real requests only".to_owned());
        }
        report.rules.push(RuleTest {
            name: rule.name.to_string(),
            shadow: rule.shadow,
            verdict,
            found,
        });
    }
    if tested.rule.is_some() {
        unblocked(move || drop((active, rules))).await;
    }
    report
}

/// The rules in force and one more, or in place of the one of that name.
async fn with_rule(guardrails: &Guardrails, name: Option<&str>, rule: &Guardrail) -> Arc<Chosen> {
    let name = name.unwrap_or(NEW).to_owned();
    let rule = Guardrail {
        enabled: true,
        ..rule.clone()
    };
    let source = Arc::clone(&guardrails.source);
    let turn = COMPILING.acquire().await;
    // It goes on when nobody waits for it any more, and so does its turn.
    let compiled = unblocked(move || {
        let _turn = turn;
        let mut rules = BTreeMap::clone(&source);
        rules.insert(name, rule);
        Chosen::new(Ruleset::new(&rules))
    });
    Arc::new(compiled.await)
}

/// `credit_card at 12..31`, in characters.
fn described(what: &str, place: Option<(usize, usize)>, text: &str) -> String {
    let characters = |at: usize| text.get(..at).map(|text| text.chars().count());
    match place.map(|(start, end)| (characters(start), characters(end))) {
        Some((Some(start), Some(end))) => format!("{what} at {start}..{end}"),
        _ => what.to_owned(),
    }
}

/// As a user's message.
fn try_request(active: &Active, text: &str, tally: &mut Tally) -> Result<String, Blocked> {
    let body = serde_json::json!({"messages": [{"role": "user", "content": text}]});
    let body = Bytes::from(body.to_string());
    let passed = pass_body(active, &body, BodyKind::Chat, tally)?;
    let text = all_text(passed.as_ref().unwrap_or(&body), BodyKind::Chat);
    Ok(text)
}

/// As all of a reply.
async fn try_reply(active: &Active, text: &str, tally: &mut Tally) -> Result<String, Blocked> {
    let choice = Choice {
        index: 0,
        blocks: vec![Content::new(Block::Text, Text::from(text))],
        logprobs: Vec::new(),
        finish: Some(FinishReason::Stop),
    };
    let mut response = ChatResponse {
        choices: vec![choice],
        ..ChatResponse::default()
    };
    let mut guard = ReplyGuard::new(active.clone(), About::default(), None, Report::default());
    guard.tried(&mut response, tally).await?;
    let texts = response.choices.iter().flat_map(|choice| &choice.blocks);
    Ok(texts.map(|content| content.text.as_str()).collect())
}
