//! The `usage` object: <https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage>

use crate::chat::Usage;
use crate::json::{JsonError, Kind, ObjectWriter, Scanner};

/// Reads a usage object, null or anything else: the latter two are none.
///
/// Upstreams name cached input differently (`prompt_tokens_details.cached_tokens`, `cached_tokens`,
/// `prompt_cache_hit_tokens`), and some count reasoning beside the completion: the total tells.
pub(super) fn read_usage(scanner: &mut Scanner<'_>) -> Result<Option<Usage>, JsonError> {
    if scanner.peek()? != Kind::Object {
        scanner.skip_value()?;
        return Ok(None);
    }
    let mut usage = Usage::default();
    let mut total = 0;
    let mut members = scanner.enter_object()?;
    while let Some(key) = scanner.next_member(&mut members)? {
        match key.plain() {
            Some("prompt_tokens") => usage.input_tokens = tokens(scanner)?,
            Some("completion_tokens") => usage.output_tokens = tokens(scanner)?,
            Some("total_tokens") => total = tokens(scanner)?,
            Some("cached_tokens" | "prompt_cache_hit_tokens") => {
                usage.cached_tokens = usage.cached_tokens.max(tokens(scanner)?);
            }
            Some("cache_creation_input_tokens") => {
                usage.cache_write_tokens = usage.cache_write_tokens.max(tokens(scanner)?);
            }
            Some("prompt_tokens_details" | "completion_tokens_details") => {
                read_details(scanner, &mut usage)?;
            }
            _ => {
                scanner.skip_value()?;
            }
        }
    }
    let beside = usage
        .input_tokens
        .checked_add(usage.output_tokens)
        .and_then(|sum| sum.checked_add(usage.reasoning_tokens));
    if usage.reasoning_tokens > 0 && beside == Some(total) {
        usage.output_tokens += usage.reasoning_tokens;
    }
    Ok(Some(usage))
}

fn read_details(scanner: &mut Scanner<'_>, usage: &mut Usage) -> Result<(), JsonError> {
    if scanner.peek()? != Kind::Object {
        scanner.skip_value()?;
        return Ok(());
    }
    let mut members = scanner.enter_object()?;
    while let Some(key) = scanner.next_member(&mut members)? {
        match key.plain() {
            Some("cached_tokens") => {
                usage.cached_tokens = usage.cached_tokens.max(tokens(scanner)?);
            }
            Some("cache_write_tokens" | "cache_creation_tokens") => {
                usage.cache_write_tokens = usage.cache_write_tokens.max(tokens(scanner)?);
            }
            Some("reasoning_tokens") => usage.reasoning_tokens = tokens(scanner)?,
            _ => {
                scanner.skip_value()?;
            }
        }
    }
    Ok(())
}

/// A count; what is not one (null, a fraction, a negative) is none at all.
fn tokens(scanner: &mut Scanner<'_>) -> Result<u64, JsonError> {
    let span = scanner.skip_value()?;
    Ok(scanner.text()[span].parse().unwrap_or(0))
}

/// Writes a usage object.
pub(crate) fn write_usage(object: &mut ObjectWriter<'_>, usage: &Usage) {
    object.plain("prompt_tokens", usage.input_tokens);
    object.plain("completion_tokens", usage.output_tokens);
    object.plain(
        "total_tokens",
        usage.input_tokens.saturating_add(usage.output_tokens),
    );
    object.object("prompt_tokens_details", |details| {
        details.plain("cached_tokens", usage.cached_tokens);
        if usage.cache_write_tokens > 0 {
            details.plain("cache_write_tokens", usage.cache_write_tokens);
        }
    });
    object.object("completion_tokens_details", |details| {
        details.plain("reasoning_tokens", usage.reasoning_tokens);
    });
}
