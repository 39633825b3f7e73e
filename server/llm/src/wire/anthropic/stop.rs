//! Why a reply ended: <https://docs.anthropic.com/en/api/handling-stop-reasons>

use crate::chat::FinishReason;
use crate::json::ObjectWriter;
use crate::text::Text;

/// Reads `stop_reason` and `stop_sequence`.
pub(crate) fn read_stop(reason: Text, sequence: Option<Text>) -> FinishReason {
    match reason.as_str() {
        "end_turn" => FinishReason::Stop,
        "stop_sequence" => match sequence {
            Some(sequence) => FinishReason::StopSequence(sequence),
            None => FinishReason::Stop,
        },
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        _ => FinishReason::Other(reason),
    }
}

/// Writes `stop_reason`, `stop_sequence`, and `stop_details` where there is a refusal. A client runs tools only
/// if it is told to, so a reply that calls some and says no more than that it is over ends with `tool_use`.
pub(crate) fn write_stop(
    finish: Option<&FinishReason>,
    called: bool,
    refusal: &str,
    out: &mut ObjectWriter<'_>,
) {
    let refused = !refusal.is_empty();
    let (reason, sequence) = match finish {
        _ if refused => ("refusal", None),
        Some(FinishReason::StopSequence(sequence)) => ("stop_sequence", Some(sequence)),
        Some(FinishReason::Length) => ("max_tokens", None),
        Some(FinishReason::ContentFilter) => ("refusal", None),
        Some(FinishReason::Other(word)) if *word == "pause_turn" => ("pause_turn", None),
        _ if called => ("tool_use", None),
        _ => ("end_turn", None),
    };
    out.string("stop_reason", reason);
    match sequence {
        Some(sequence) => out.string("stop_sequence", sequence),
        None => out.null("stop_sequence"),
    }
    if refused {
        out.object("stop_details", |details| {
            details.string("type", "refusal");
            details.null("category");
            details.string("explanation", refusal);
        });
    }
}
