//! `[system_prompt]`: what each conversation begins with.

use super::reading::Section;

/// A system prompt for all requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemPrompt {
    /// The text; where `None`, requests stay as they came.
    pub text: Option<String>,
}

impl SystemPrompt {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            text: section.optional("text"),
        }
    }
}
