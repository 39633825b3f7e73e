//! What a whole reply and a stream's events have in common.

use super::errors;
use crate::chat::{FinishReason, TokenLogprob, Usage};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{Json, Node, ShapeError};
use crate::text::Text;

/// Why a reply ended.
///
/// # Errors
/// It failed.
pub(super) fn finish(reason: &str, said: Option<String>) -> Result<FinishReason, ApiError> {
    Ok(match reason {
        // Which stop sequence it was is not told.
        "COMPLETE" | "STOP_SEQUENCE" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "TOOL_CALL" => FinishReason::ToolCalls,
        "ERROR_TOXIC" => FinishReason::ContentFilter,
        "ERROR" | "ERROR_LIMIT" => return Err(errors::in_reply(said)),
        "TIMEOUT" => {
            let message = said.unwrap_or_else(|| "The upstream took too long.".to_owned());
            return Err(ApiError::new(
                ErrorKind::Timeout,
                ErrorSource::Provider,
                message,
            ));
        }
        other => FinishReason::Other(Text::from(other)),
    })
}

/// Tokens count, not what is billed: that leaves out what Cohere adds itself.
pub(super) fn usage(usage: &Node<'_>) -> Result<Option<Usage>, ShapeError> {
    let Some(counts) = usage.get("tokens").or_else(|| usage.get("billed_units")) else {
        return Ok(None);
    };
    let count = |node: &Node<'_>, key: &str| node.get(key).map_or(Ok(0), Node::u64);
    let input_tokens = count(counts, "input_tokens")?;
    Ok(Some(Usage {
        input_tokens,
        cached_tokens: count(usage, "cached_tokens")?.min(input_tokens),
        output_tokens: count(counts, "output_tokens")?,
        ..Usage::default()
    }))
}

/// A piece of text with the logarithms of its tokens, which multiply.
pub(super) fn logprob(item: &Node<'_>) -> Result<Option<TokenLogprob>, ShapeError> {
    let Some(tokens) = item.get("logprobs") else {
        return Ok(None);
    };
    let logprob = match tokens.array()? {
        [] => return Ok(None),
        [one] => one.number()?,
        several => {
            let sum: Result<f64, _> = several.iter().map(Node::f64).sum();
            Json::of_valid(Text::from(format!("{:?}", sum?)))
        }
    };
    Ok(Some(TokenLogprob {
        token: item
            .get("text")
            .map(Node::text)
            .transpose()?
            .unwrap_or_default(),
        logprob,
        top: Vec::new(),
    }))
}
