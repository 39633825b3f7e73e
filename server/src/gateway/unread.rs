//! Answers that nobody here can read.

use llm::error::{ApiError, ErrorKind, ErrorSource};

use super::context::Context;
use crate::guardrails::Asked;

/// Whether a model may answer in words that no rule can look into, and without a system prompt.
///
/// # Errors
/// `policy_not_applicable`: there are rules that act on replies to such a request, or system prompts for it.
pub(super) fn check(context: &Context, model: &str) -> Result<(), ApiError> {
    let policies = &context.policies;
    let caller = &context.caller;
    let asked = Asked {
        caller,
        model: Some(model),
    };
    let policy = if policies.guardrails.act_on_replies(asked) {
        "Guardrails look at what models answer here"
    } else if policies.system_prompts.are_for(caller.subject(Some(model))) {
        "Models are told a system prompt here"
    } else {
        return Ok(());
    };
    let message = format!(
        "{policy}, which cannot be done at this endpoint of a provider's own: ask at /v1/chat/completions, or at another one \
         that the gateway serves itself."
    );
    let error = ApiError::new(ErrorKind::PermissionDenied, ErrorSource::Policy, message);
    Err(error.with_code("policy_not_applicable"))
}
