//! What the operator tells every model.

use std::sync::Arc;

use crate::auth::Caller;

/// The operator's system prompt. It goes after the client's own; the codec knows where that is.
#[derive(Clone, Debug, Default)]
pub struct SystemPrompt {
    text: Option<Arc<str>>,
}

impl SystemPrompt {
    /// Blank text is no prompt.
    pub fn new(text: Option<&str>) -> Self {
        let text = text.filter(|text| !text.trim().is_empty());
        Self {
            text: text.map(Into::into),
        }
    }

    /// The prompt for a request of `caller`'s.
    pub fn for_caller(&self, _caller: &Caller) -> Option<Arc<str>> {
        self.text.clone()
    }
}
