//! What a client is told whose request, or whose answer, a rule refuses.

use llm::error::{ApiError, ErrorKind, ErrorSource};
use shared::policies::Action;

use crate::ruleset::Active;
use crate::tally::{Blocked, Why};

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// As if the model had declined with these words.
    Answer(String),
    Error(ApiError),
}

impl Refusal {
    /// As the rule has it.
    pub fn of(active: &Active, blocked: Blocked) -> Self {
        let rule = &active.ruleset.rules[blocked.rule];
        let name = &rule.name;
        match blocked.why {
            Why::Found => {}
            Why::NotJson => {
                return Self::Error(unreadable(&format!(
                    "The body is no JSON that the guardrail `{name}` could read."
                )));
            }
            Why::TokenIds => {
                return Self::Error(unreadable(&format!(
                    "The input is token ids, which the guardrail `{name}` cannot read: send the text."
                )));
            }
        }
        match &rule.action {
            Action::Block {
                message: Some(message),
            } => Self::Answer(message.clone()),
            _ => Self::Error(error(&format!(
                "This is refused by the guardrail `{name}`."
            ))),
        }
    }

    /// The same where there is no answer that could hold the words.
    pub fn into_error(self) -> ApiError {
        match self {
            Self::Answer(message) => error(&message),
            Self::Error(error) => error,
        }
    }
}

fn error(message: &str) -> ApiError {
    ApiError::new(ErrorKind::ContentFiltered, ErrorSource::Policy, message)
        .with_code("content_policy_violation")
}

fn unreadable(message: &str) -> ApiError {
    error(message).with_code("guardrail_cannot_read")
}
