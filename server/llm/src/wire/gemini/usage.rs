//! `usageMetadata`: <https://ai.google.dev/api/generate-content#UsageMetadata>

use crate::chat::Usage;
use crate::json::{JsonError, ObjectWriter, Scanner};

/// Reads the object. Thoughts are counted beside the candidates, what tools put into the prompt beside the prompt.
pub(crate) fn read_usage(scanner: &mut Scanner<'_>) -> Result<Usage, JsonError> {
    let mut usage = Usage::default();
    let (mut prompt, mut tools, mut candidates) = (0_u64, 0, 0_u64);
    let mut members = scanner.enter_object()?;
    while let Some(key) = scanner.next_member(&mut members)? {
        let span = scanner.skip_value()?;
        // A count; what is not one is none at all.
        let count = || scanner.text()[span].parse().unwrap_or(0);
        match key.plain() {
            Some("promptTokenCount") => prompt = count(),
            Some("toolUsePromptTokenCount") => tools = count(),
            Some("cachedContentTokenCount") => usage.cached_tokens = count(),
            Some("candidatesTokenCount") => candidates = count(),
            Some("thoughtsTokenCount") => usage.reasoning_tokens = count(),
            _ => {}
        }
    }
    usage.input_tokens = prompt.saturating_add(tools);
    usage.output_tokens = candidates.saturating_add(usage.reasoning_tokens);
    Ok(usage)
}

pub(crate) fn write_usage(metadata: &mut ObjectWriter<'_>, usage: &Usage) {
    metadata.plain("promptTokenCount", usage.input_tokens);
    if usage.cached_tokens > 0 {
        metadata.plain("cachedContentTokenCount", usage.cached_tokens);
    }
    let candidates = usage.output_tokens.saturating_sub(usage.reasoning_tokens);
    metadata.plain("candidatesTokenCount", candidates);
    if usage.reasoning_tokens > 0 {
        metadata.plain("thoughtsTokenCount", usage.reasoning_tokens);
    }
    let total = usage.input_tokens.saturating_add(usage.output_tokens);
    metadata.plain("totalTokenCount", total);
}
