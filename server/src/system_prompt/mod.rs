//! What the operator tells every model.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::policies::SystemPrompt;

use crate::selection::{Selection, Subject};

/// The operator's system prompts. They go after the client's own; the codec knows where that is.
#[derive(Clone, Debug, Default)]
pub struct SystemPrompts {
    selection: Selection<Arc<str>>,
}

/// What one request is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompts {
    /// After what the client says.
    pub after: Arc<str>,
}

impl SystemPrompts {
    /// Blank text is no prompt.
    pub fn new(prompts: &BTreeMap<String, SystemPrompt>) -> Self {
        let said = prompts
            .values()
            .filter(|prompt| prompt.enabled && !prompt.text.trim().is_empty());
        Self {
            selection: said
                .map(|prompt| (prompt.applies_to.clone(), prompt.text.as_str().into()))
                .collect(),
        }
    }

    /// What such requests are told.
    pub fn for_request(&self, subject: Subject<'_>) -> Option<Prompts> {
        let first = self.selection.matching(subject).next()?;
        Some(Prompts {
            after: Arc::clone(first),
        })
    }
}
