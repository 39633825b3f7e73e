//! Why a reply ended.

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// Why a choice ended.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// The model was done, or met a stop sequence.
    Stop,
    /// The model met this stop sequence, in protocols that tell.
    StopSequence(Text),
    /// The token limit was reached.
    Length,
    /// The model calls tools.
    ToolCalls,
    /// Held back for its content.
    ContentFilter,
    /// A word of the upstream's own, kept as it came.
    Other(Text),
}

impl FinishReason {
    /// The name in records and metrics, and OpenAI's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop | Self::StopSequence(_) => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Other(word) => word.as_str(),
        }
    }
}
