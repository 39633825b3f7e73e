//! Rules for which somebody else is asked: a moderation model, or a service of the operator's.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use shared::policies::{Action, Check, RuleVerdict, Side};

use crate::rule::{LooksFor, Rule};
use crate::ruleset::Active;
use crate::tally::{Blocked, Tally};

/// How the gateway asks others.
#[async_trait]
pub trait Ask: Send + Sync + fmt::Debug {
    /// The reply of a model to a request to `/v1/moderations`, whose body is `body`.
    ///
    /// # Errors
    /// Why there is none, for the log.
    async fn moderate(&self, model: &str, body: Bytes) -> Result<Bytes, String>;

    /// The reply to JSON that is posted to a URL.
    ///
    /// # Errors
    /// As with [`moderate`](Self::moderate).
    async fn post(&self, url: &str, body: Bytes, timeout: Duration) -> Result<Bytes, String>;
}

/// Whoever asks, where somebody does.
#[derive(Clone, Debug)]
pub struct Outside(pub Arc<dyn Ask>);

/// What a service is told about a text.
#[derive(Clone, Debug, Default)]
pub struct About {
    pub side: Side,
    pub key: Option<String>,
    pub model: Option<String>,
}

/// What was said of a text.
#[derive(Debug, Default)]
struct Opinion {
    flagged: bool,
    reason: Option<String>,
    /// What to put in its place.
    text: Option<String>,
}

impl Outside {
    /// Asks about a text; `Some`: this goes in its place.
    ///
    /// # Errors
    /// A rule refuses it.
    pub async fn ask(
        &self,
        active: &Active,
        about: &About,
        text: &str,
        tally: &mut Tally,
    ) -> Result<Option<String>, Blocked> {
        let mut replaced: Option<String> = None;
        for (index, rule) in active.unsearched() {
            let LooksFor::Outside(check) = &rule.looks_for else {
                continue;
            };
            let text = replaced.as_deref().unwrap_or(text);
            if text.is_empty() {
                continue;
            }
            let opinion = match self.opinion(check, about, text).await {
                Ok(opinion) => opinion,
                Err(error) => {
                    tracing::warn!(rule = %rule.name, %error, "A guardrail could not ask");
                    tally.found(index, &error, None);
                    tally.note(index, RuleVerdict::Failed);
                    if fails_open(check) || !rule.acts() {
                        continue;
                    }
                    tally.blocked_for_want(active, index)?;
                    continue;
                }
            };
            if !opinion.flagged {
                continue;
            }
            let reason = opinion.reason.as_deref().unwrap_or("flagged");
            tally.found(index, reason, None);
            match replacement(rule, opinion.text) {
                Some(new) => {
                    tally.note(index, RuleVerdict::Changed);
                    replaced = Some(new);
                }
                None => tally.blocked(active, index)?,
            }
        }
        Ok(replaced)
    }

    async fn opinion(&self, check: &Check, about: &About, text: &str) -> Result<Opinion, String> {
        match check {
            Check::Moderation {
                model, categories, ..
            } => {
                let body = serde_json::json!({"model": model, "input": text}).to_string();
                let reply = self.0.moderate(model, body.into()).await?;
                moderated(&reply, categories)
            }
            Check::Webhook {
                url, timeout_ms, ..
            } => {
                let body = serde_json::json!({
                    "side": about.side,
                    "text": text,
                    "key": about.key,
                    "model": about.model,
                });
                let timeout = Duration::from_millis(*timeout_ms);
                let reply = self.0.post(url, body.to_string().into(), timeout).await?;
                let answer: Answer = serde_json::from_slice(&reply)
                    .map_err(|error| format!("the answer is not what it should be: {error}"))?;
                Ok(Opinion {
                    flagged: answer.flagged,
                    reason: answer.reason,
                    text: answer.text,
                })
            }
            _ => Ok(Opinion::default()),
        }
    }
}

/// What a service answers.
#[derive(Deserialize)]
struct Answer {
    flagged: bool,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    text: Option<String>,
}

/// <https://platform.openai.com/docs/api-reference/moderations/object>
#[derive(Deserialize)]
struct Moderations {
    results: Vec<Moderation>,
}

#[derive(Deserialize)]
struct Moderation {
    #[serde(default)]
    flagged: Option<bool>,
    /// Some protocols have more in it than booleans.
    #[serde(default)]
    categories: serde_json::Map<String, serde_json::Value>,
}

fn moderated(reply: &[u8], wanted: &[String]) -> Result<Opinion, String> {
    let reply: Moderations = serde_json::from_slice(reply)
        .map_err(|error| format!("the answer is not what it should be: {error}"))?;
    if reply.results.is_empty() {
        return Err("the answer says nothing".to_owned());
    }
    let mut flagged = false;
    let mut reasons = Vec::new();
    for result in &reply.results {
        let categories = result.categories.iter();
        let hit: Vec<&str> = categories
            .filter(|(name, value)| {
                value.as_bool() == Some(true) && (wanted.is_empty() || wanted.contains(name))
            })
            .map(|(name, _)| name.as_str())
            .collect();
        flagged |= !hit.is_empty() || wanted.is_empty() && result.flagged == Some(true);
        reasons.extend(hit.into_iter().map(str::to_owned));
    }
    Ok(Opinion {
        flagged,
        reason: (!reasons.is_empty()).then(|| reasons.join(", ")),
        text: None,
    })
}

fn fails_open(check: &Check) -> bool {
    match check {
        Check::Moderation { fail_open, .. } | Check::Webhook { fail_open, .. } => *fail_open,
        _ => true,
    }
}

fn replacement(rule: &Rule, text: Option<String>) -> Option<String> {
    match &rule.action {
        _ if rule.shadow => None,
        Action::Redact => Some(text.unwrap_or_else(|| "[REDACTED]".to_owned())),
        Action::Replace { with } => Some(text.unwrap_or_else(|| with.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_count_that_are_wanted() {
        let reply =
            br#"{"results":[{"flagged":true,"categories":{"violence":true,"hate":false}}]}"#;
        let flagged = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|one| (*one).to_owned()).collect();
            moderated(reply, &wanted).unwrap().flagged
        };
        assert!(flagged(&[]));
        assert!(flagged(&["violence"]));
        assert!(!flagged(&["hate", "sexual"]));
        assert!(moderated(b"{}", &[]).is_err());
        assert!(moderated(br#"{"results":[]}"#, &[]).is_err());
    }
}
