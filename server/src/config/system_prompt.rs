//! `[system_prompt]`: what each conversation begins with.

use shared::policies::SystemPrompt;

use super::reading::Section;

/// The name of the prompt that `[system_prompt]` is.
pub const DEFAULT_PROMPT: &str = "default";

/// The prompt for all requests, where there is one.
pub(super) fn read(section: &mut Section<'_, '_>) -> Option<SystemPrompt> {
    let text: Option<String> = section.optional("text");
    text.filter(|text| !text.trim().is_empty())
        .map(|text| SystemPrompt {
            enabled: true,
            text,
            ..SystemPrompt::default()
        })
}
