//! What may be asked, and what may be answered. No rule can be configured yet: all of it
//! passes, from the places where rules will act.

use llm::chat::{ChatRequest, ChatResponse, StreamEvent};
use llm::error::ApiError;

use crate::auth::Caller;

/// The rules in force.
#[derive(Clone, Debug, Default)]
pub struct Guardrails;

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

/// The rules about one reply, and what they have seen of it.
#[derive(Debug)]
pub struct ReplyGuard;

/// What the rules make of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// They go on as they came.
    Unchanged,
    /// What was written to `out` goes on in their place; it may be nothing for now.
    Rewritten,
}

impl Guardrails {
    /// # Errors
    /// What a rule says about a request that it refuses.
    pub async fn check_request(
        &self,
        _caller: &Caller,
        _request: &ChatRequest,
    ) -> Result<Checked, ApiError> {
        Ok(Checked::Unchanged)
    }

    /// The rules about the reply to a request; `None`: there are none.
    pub fn on_reply(&self, _caller: &Caller, _request: &ChatRequest) -> Option<ReplyGuard> {
        None
    }
}

impl ReplyGuard {
    /// Sees a reply that came in one piece before the client does.
    ///
    /// # Errors
    /// What a rule says about a reply that it stops.
    pub async fn whole(self, response: Box<ChatResponse>) -> Result<Box<ChatResponse>, ApiError> {
        Ok(response)
    }

    /// Sees events of a streamed reply before the client does.
    ///
    /// # Errors
    /// What a rule says about a reply that it stops. What was written to `out` still reaches the client.
    pub fn push(
        &mut self,
        _events: &[StreamEvent],
        _out: &mut Vec<StreamEvent>,
    ) -> Result<Passed, ApiError> {
        Ok(Passed::Unchanged)
    }

    /// The reply is complete: writes what was held back to `out`.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(&mut self, _out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        Ok(())
    }
}
