//! What may be asked, and what may be answered. No rule can be configured yet: all of it
//! passes, from the places where rules will act.

use llm::chat::{ChatRequest, ChatResponse, StreamEvent};
use llm::error::ApiError;

/// The rules in force.
#[derive(Clone, Debug, Default)]
pub struct Guardrails;

impl Guardrails {
    /// # Errors
    /// What a rule says about a request that it refuses.
    pub fn check_request(&self, _request: &ChatRequest) -> Result<(), ApiError> {
        Ok(())
    }

    /// Sees a reply that came in one piece before the client does.
    ///
    /// # Errors
    /// What a rule says about a reply that it stops.
    pub fn check_response(&self, _response: &ChatResponse) -> Result<(), ApiError> {
        Ok(())
    }

    /// Sees every event of a streamed reply before the client does.
    ///
    /// # Errors
    /// What a rule says about a reply that it stops.
    pub fn watch(&self, _events: &[StreamEvent]) -> Result<(), ApiError> {
        Ok(())
    }
}
