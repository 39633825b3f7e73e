//! A reply as a stream of events.

use serde::{Deserialize, Serialize};

use super::{Citation, FinishReason, MediaKind, Seal, TokenLogprob, Usage};
use crate::text::Text;

/// One step of a reply. Choices (`n` > 1) are numbered by the upstream; blocks are numbered within
/// their choice in order of appearance, without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// The reply began. Comes first, once.
    Started {
        /// Empty where the upstream's protocol has none.
        id: Text,
        /// The upstream's name of the model; may be empty.
        model: Text,
        /// Seconds since 1970, where the upstream says.
        created: Option<i64>,
    },
    /// A block began; its deltas may be interleaved with other blocks'.
    BlockStarted {
        choice: u32,
        index: u32,
        block: Block,
    },
    /// More of a block: text, or a piece of a tool call's arguments. Never empty.
    BlockDelta { choice: u32, index: u32, text: Text },
    /// The seal of a [`Block::Reasoning`]; at most one a block, after its text.
    ///
    /// Where a protocol signs something else (Gemini: a call), the seal comes in a reasoning block without
    /// text, directly before what it signs.
    Sealed { choice: u32, index: u32, seal: Seal },
    /// A source of a [`Block::Text`].
    Cited {
        choice: u32,
        index: u32,
        citation: Citation,
    },
    /// How probable a choice's next tokens were.
    Logprobs {
        choice: u32,
        tokens: Vec<TokenLogprob>,
    },
    /// Something was said that only the upstream's own bytes tell: what a tool of the provider's did, a part of a new
    /// kind.
    Untold,
    /// Consumption so far: cumulative, the last one counts.
    Usage(Usage),
    /// A choice ended.
    Finished { choice: u32, reason: FinishReason },
}

/// What a block is.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
pub enum Block {
    /// The answer.
    Text,
    /// The model's thoughts.
    Reasoning,
    /// Why the model declines.
    Refusal,
    /// A call; the block's text is its arguments.
    ToolCall {
        id: Text,
        name: Text,
        kind: ToolKind,
    },
    /// An image or a recording; the block's text is its bytes in base64.
    Media {
        kind: MediaKind,
        /// `image/png`
        media_type: Text,
    },
}

/// How a tool is called.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
pub enum ToolKind {
    /// With JSON arguments.
    Function,
    /// With free text.
    Custom,
    /// The old `function_call`, one per message and without an id.
    LegacyFunction,
}
