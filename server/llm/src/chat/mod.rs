//! The canonical chat model.

mod collect;
mod event;
mod evidence;
mod finish;
mod losses;
mod plain_text;
mod prompt;
mod request;
mod response;
mod seal;
mod usage;

pub use collect::{Collector, collect};
pub use event::{Block, StreamEvent, ToolKind};
pub use evidence::{Citation, TokenLogprob};
pub use finish::FinishReason;
pub use losses::Losses;
pub use prompt::{
    CachePoint, Effort, Media, MediaKind, MediaSource, Message, Output, Part, PartContent, Prompt,
    Reasoning, Role, Tool, ToolChoice,
};
pub(crate) use request::Layout;
pub use request::{ChatRequest, Protocol, Stamp, Variant};
pub use response::{ChatResponse, Choice, Content, RawReply};
pub use seal::Seal;
pub use usage::Usage;
