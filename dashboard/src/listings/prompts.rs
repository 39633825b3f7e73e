//! The system prompts.

use shared::AdminError;
use shared::policies::{Policy, PolicyApi, PolicyKind};

use crate::edits::{describe_selector, position, shortened};
use crate::forms::SourceBadge;
use crate::pages::{PromptRow, PromptRows};

/// All of them, in the order in which they are put.
pub async fn prompts(api: &dyn PolicyApi) -> Result<PromptRows, AdminError> {
    let entries = api.policies(PolicyKind::SystemPrompt).await?;
    let rows = entries.into_iter().filter_map(|entry| {
        let source = SourceBadge::of(&entry);
        let Policy::SystemPrompt(prompt) = entry.policy else {
            return None;
        };
        Some(PromptRow {
            name: entry.name,
            text: shortened(&prompt.text),
            scope: describe_selector(&prompt.applies_to),
            position: position(prompt.position).to_owned(),
            order: prompt.order,
            enabled: prompt.enabled && source != SourceBadge::Deleted,
            source,
        })
    });
    Ok(rows.collect())
}
