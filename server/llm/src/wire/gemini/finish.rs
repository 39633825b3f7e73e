//! `finishReason`: <https://ai.google.dev/api/generate-content#FinishReason>

use crate::chat::FinishReason;
use crate::text::Text;

/// Reads the word. `None`: the candidate has not ended. A candidate that calls functions ends with `STOP`, too.
pub(crate) fn read_finish(word: &Text, calls: bool) -> Option<FinishReason> {
    Some(match word.as_str() {
        "" | "FINISH_REASON_UNSPECIFIED" => return None,
        // `FUNCTION_CALL` is no word of the API, but one of servers that imitate it.
        "STOP" | "FUNCTION_CALL" if calls => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        _ => FinishReason::Other(word.clone()),
    })
}

/// The word that clients get. SDKs know a list of them: a word of another protocol is not on it.
pub(crate) fn write_finish(reason: &FinishReason) -> &str {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence(_) | FinishReason::ToolCalls => "STOP",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::ContentFilter => "SAFETY",
        FinishReason::Other(word) => match word.as_str() {
            known @ ("MALFORMED_FUNCTION_CALL"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE"
            | "MALFORMED_RESPONSE"
            | "IMAGE_OTHER"
            | "NO_IMAGE") => known,
            _ => "OTHER",
        },
    }
}
